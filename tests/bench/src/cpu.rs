//! CPU time of a process, from `/proc` (see proc_pid_schedstat and proc_pid_stat in the kernel's documentation).

use std::path::Path;
use std::time::Duration;

use crate::cli::Failure;

/// CPU time spent so far by all threads of the process: nanoseconds of the scheduler where the kernel keeps them,
/// else user and system time in ticks of 10 ms.
///
/// A thread that has ended leaves the first sum, so a process under test keeps its threads for the whole run.
pub fn time(pid: u32) -> Result<Duration, Failure> {
    match scheduled(pid) {
        Some(time) if !time.is_zero() => Ok(time),
        _ => ticks(pid),
    }
}

fn scheduled(pid: u32) -> Option<Duration> {
    let mut total = 0;
    for thread in std::fs::read_dir(format!("/proc/{pid}/task")).ok()? {
        let text = std::fs::read_to_string(thread.ok()?.path().join("schedstat")).ok()?;
        total += first_number(&text)?;
    }
    Some(Duration::from_nanos(total))
}

fn ticks(pid: u32) -> Result<Duration, Failure> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let ticks = user_and_system(&stat).ok_or("unreadable /proc/PID/stat")?;
    Ok(Duration::from_millis(ticks * 10))
}

/// Fields 14 and 15; the second field, the name in parentheses, may itself hold spaces.
fn user_and_system(stat: &str) -> Option<u64> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace().skip(11);
    Some(fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?)
}

/// Resident memory in bytes.
pub fn resident(pid: u32) -> Result<u64, Failure> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line =
        status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("the process has no memory")?;
    Ok(first_number(line).ok_or("unreadable VmRSS")? * 1024)
}

/// Whether the kernel loads the file without a dynamic linker: an ELF file of 64 bits with no PT_INTERP segment.
pub fn is_static(file: &Path) -> Result<bool, Failure> {
    const SEGMENT: usize = 56;
    const PT_INTERP: [u8; 4] = [3, 0, 0, 0];
    let elf = std::fs::read(file)?;
    if !elf.starts_with(b"\x7fELF\x02\x01") {
        return Err(format!("{} is no 64-bit little-endian ELF file", file.display()).into());
    }
    let table = number(&elf, 0x20, 8).ok_or("short ELF header")?;
    let count = number(&elf, 0x38, 2).ok_or("short ELF header")?;
    let segments = elf.get(table..).ok_or("short ELF file")?.chunks_exact(SEGMENT).take(count);
    Ok(!segments.into_iter().any(|segment| segment.starts_with(&PT_INTERP)))
}

fn number(bytes: &[u8], at: usize, length: usize) -> Option<usize> {
    let bytes = bytes.get(at..at + length)?;
    bytes.iter().rev().try_fold(0_usize, |sum, byte| Some((sum << 8) | usize::from(*byte)))
}

fn first_number(text: &str) -> Option<u64> {
    text.split_ascii_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_process_may_hold_spaces_and_parentheses() {
        let stat = "42 (a) b (c) S 1 2 3 4 5 6 7 8 9 10 70 5 0 0 20";
        assert_eq!(user_and_system(stat), Some(75));
    }

    #[test]
    fn own_time_and_memory_are_readable() {
        let pid = std::process::id();
        assert!(time(pid).is_ok());
        assert!(resident(pid).unwrap() > 100_000);
    }

    #[test]
    fn a_test_binary_is_dynamic() {
        assert!(!is_static(&std::env::current_exe().unwrap()).unwrap());
    }
}

//! Other programs, run for what they do or for what they print.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::cli::Failure;

/// Runs a command to its end; all that it prints goes to standard error.
pub fn run(command: &mut Command) -> Result<(), Failure> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("{}: {error}", command.get_program().display()))?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    Err(format!("{command:?} failed\n{}", String::from_utf8_lossy(&said).trim_end()).into())
}

/// Runs a command for what it prints on standard output.
pub fn output(command: &mut Command) -> Result<String, Failure> {
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("{}: {error}", command.get_program().display()))?;
    if !output.status.success() {
        return Err(format!("{command:?} failed").into());
    }
    Ok(String::from_utf8(output.stdout)?.trim_end().to_owned())
}

/// Whether a command can be run and succeeds.
pub fn works(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Git in a folder, for what it prints.
pub fn git(folder: &Path, arguments: &[&str]) -> Result<String, Failure> {
    output(Command::new("git").args(arguments).current_dir(folder))
}

/// The paths that Git printed with a zero byte behind each.
pub fn paths(listed: &str) -> impl Iterator<Item = PathBuf> {
    listed.split_terminator('\0').map(PathBuf::from)
}

/// A variable of this program's environment; an empty one counts as absent.
#[expect(
    clippy::disallowed_methods,
    reason = "a chore is told by its caller's environment, and is no adapter"
)]
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

//! How much memory this process may have, as its control group says.

use std::fs;
use std::path::Path;

/// What may be held at once: `usual` bytes, or a quarter of the granted memory where that is less. More is never taken on
/// than can be held, because who takes more is killed, with all that it has accepted.
#[must_use]
pub fn share(usual: usize) -> usize {
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let granted = limit(&groups, |file| fs::read_to_string(file).ok());
    granted.and_then(|bytes| usize::try_from(bytes / 4).ok()).map_or(usual, |quarter| quarter.min(usual))
}

/// The smallest limit that is found, of either version of control groups; nothing when there is none.
///
/// `groups` is the text of `/proc/self/cgroup`. In a container its path may be the host's, and the container's own group
/// is then the top one.
fn limit(groups: &str, read: impl Fn(&Path) -> Option<String>) -> Option<u64> {
    let limits = groups.lines().filter_map(|line| {
        let (_, rest) = line.split_once(':')?;
        let (controllers, group) = rest.split_once(':')?;
        let (top, file) = if controllers.is_empty() {
            ("/sys/fs/cgroup", "memory.max")
        } else if controllers.split(',').any(|name| name == "memory") {
            ("/sys/fs/cgroup/memory", "memory.limit_in_bytes")
        } else {
            return None;
        };
        let of = |group: &str| read(&Path::new(top).join(group).join(file))?.trim().parse::<u64>().ok();
        [group.trim_start_matches('/'), ""].into_iter().filter_map(of).min()
    });
    limits.min()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit_of(groups: &str, files: &[(&str, &str)]) -> Option<u64> {
        limit(groups, |file| {
            let found = files.iter().find(|(path, _)| Path::new(path) == file);
            found.map(|(_, text)| (*text).to_owned())
        })
    }

    #[test]
    fn limits_of_both_versions_are_found() {
        for (groups, files, expected) in [
            // A container with a namespace of control groups, as Kubernetes starts it.
            ("0::/\n", vec![("/sys/fs/cgroup/memory.max", "33554432\n")], Some(33_554_432)),
            ("0::/\n", vec![("/sys/fs/cgroup/memory.max", "max\n")], None),
            // A service of systemd.
            (
                "0::/a.slice/b\n",
                vec![("/sys/fs/cgroup/a.slice/b/memory.max", "64000000\n")],
                Some(64_000_000),
            ),
            // Version 1, where the path is the host's and the files are the container's.
            (
                "4:cpu,memory:/libpod/x\n1:pids:/libpod/x\n",
                vec![
                    ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "33554432\n"),
                    ("/sys/fs/cgroup/memory.max", "1\n"),
                ],
                Some(33_554_432),
            ),
            // Both, the second one without controllers.
            (
                "4:memory:/\n0::/\n",
                vec![("/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n")],
                Some(9_223_372_036_854_771_712),
            ),
            ("", vec![], None),
            ("nonsense\n", vec![], None),
        ] {
            assert_eq!(limit_of(groups, &files), expected, "{groups}");
        }
    }

    #[test]
    fn without_a_limit_it_is_what_is_usual() {
        assert_eq!(share(1), 1);
    }
}

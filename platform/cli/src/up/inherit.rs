//! What a component sees of the environment of the command: enough to run and to reach the network, none of its secrets.

use std::ffi::OsString;

const NAMES: [&str; 19] = [
    "PATH",
    "HOME",
    "USER",
    "TMPDIR",
    "LANG",
    "LC_ALL",
    "TZ",
    "RUST_BACKTRACE",
    "LOG_LEVEL",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "WORKER_THREADS",
    "LD_LIBRARY_PATH",
];

/// The variables every component starts with.
pub fn environment(coloured: bool) -> Vec<(String, OsString)> {
    let mut variables: Vec<(String, OsString)> =
        NAMES.iter().filter_map(|name| Some(((*name).to_owned(), std::env::var_os(name)?))).collect();
    // Components talk to each other on loopback, where no proxy must come between.
    for name in ["NO_PROXY", "no_proxy"] {
        let mut list = std::env::var(name).unwrap_or_default();
        if list != "*" {
            list = [list.as_str(), "127.0.0.1", "localhost"].join(",").trim_start_matches(',').to_owned();
        }
        variables.push((name.to_owned(), list.into()));
    }
    // Components write into pipes; what they print is shown where this command prints (https://bixense.com/clicolors).
    variables.push(if coloured {
        ("CLICOLOR_FORCE".into(), "1".into())
    } else {
        ("NO_COLOR".into(), "1".into())
    });
    variables
}

//! What a component sees of the environment of the command: enough to run and to reach the network, none of its secrets.

use std::ffi::OsString;

const NAMES: [&str; 26] = [
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
    // Where traces go is the same for all; the name of the service is each component's own.
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_EXPORTER_OTLP_HEADERS",
    "OTEL_RESOURCE_ATTRIBUTES",
    "OTEL_TRACES_SAMPLER",
    "OTEL_TRACES_SAMPLER_ARG",
    "OTEL_SDK_DISABLED",
];

/// The variables every component starts with.
pub fn environment(coloured: bool) -> Vec<(String, OsString)> {
    let mut variables: Vec<(String, OsString)> =
        NAMES.iter().filter_map(|name| Some(((*name).to_owned(), std::env::var_os(name)?))).collect();
    // Components talk to each other on loopback, where no proxy must come between.
    for name in ["NO_PROXY", "no_proxy"] {
        let list = with_loopback(&std::env::var(name).unwrap_or_default());
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

/// A list of hosts that need no proxy, and this machine.
fn with_loopback(list: &str) -> String {
    match list {
        "" => "127.0.0.1,localhost".to_owned(),
        "*" => list.to_owned(),
        _ => format!("{list},127.0.0.1,localhost"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_needs_no_proxy() {
        assert_eq!(with_loopback(""), "127.0.0.1,localhost");
        assert_eq!(with_loopback("*"), "*");
        assert_eq!(with_loopback("example.com"), "example.com,127.0.0.1,localhost");
    }

    #[test]
    fn nothing_else_of_the_environment_is_passed_on() {
        let allowed = ["NO_PROXY", "no_proxy", "NO_COLOR"];
        let variables = environment(false);
        assert!(
            variables
                .iter()
                .all(|(name, _)| NAMES.contains(&name.as_str()) || allowed.contains(&name.as_str()))
        );
    }
}

//! Addresses of AMQP servers that take the place of the namespace's own.

use std::fmt;

use common::config::Parse;
use url::Url;

/// The address of an AMQP server: `amqps://host:5671` with TLS, `amqp://host:5672` without.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint(Url);

impl Endpoint {
    /// Plain AMQP on a host, as the emulator of Event Hubs speaks it.
    pub(crate) fn plain(host: &str, port: u16) -> Option<Self> {
        Self::parse(&format!("amqp://{host}:{port}")).ok()
    }
}

impl Parse for Endpoint {
    const FORMAT: &'static str = "amqp-uri";
    const EXPECTED: &'static str = "an address such as amqps://host:5671 or amqp://host:5672";

    fn parse(text: &str) -> Result<Self, String> {
        let refused = || format!("must be {}", Self::EXPECTED);
        let url = Url::parse(text.trim()).map_err(|_| refused())?;
        let has_host = url.host_str().is_some_and(|host| !host.is_empty());
        let is_bare = url.username().is_empty() && url.password().is_none() && url.query().is_none();
        if matches!(url.scheme(), "amqp" | "amqps") && has_host && is_bare {
            Ok(Self(url))
        } else {
            Err(refused())
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str())
    }
}

common::config_type!(Endpoint);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_amqp_without_credentials() {
        for text in ["amqp://127.0.0.1:5672", "amqps://host"] {
            assert!(Endpoint::parse(text).is_ok(), "{text}");
        }
        for text in ["", "http://h", "amqp://", "amqp://u:hunter2@h", "amqp://h?hunter2"] {
            let problem = Endpoint::parse(text).expect_err("refused");
            assert!(!problem.contains("hunter2"), "{problem}");
        }
    }
}

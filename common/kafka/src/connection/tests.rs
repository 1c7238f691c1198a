//! Tables for the settings of a connection.

use common::config::{Config, Environment, load};

use super::*;

#[derive(Debug, Deserialize, JsonSchema)]
struct Settings {
    #[serde(flatten)]
    connection: Connection,
    #[serde(default)]
    count: u16,
}

impl Config for Settings {
    fn validate(&self, problems: &mut Problems) {
        self.connection.validate(problems);
    }
}

fn settings(pairs: &[(&str, &str)]) -> Result<Settings, String> {
    let mut environment: Environment =
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    environment.entry("BOOTSTRAP_SERVERS".to_owned()).or_insert_with(|| "a:1, b".to_owned());
    load(&environment).map_err(|error| error.to_string())
}

#[test]
fn what_librdkafka_is_told() {
    let plain = settings(&[("COUNT", "7")]).expect("valid");
    assert_eq!(plain.count, 7);
    let config = plain.connection.client_config("me");
    assert_eq!(config.get("bootstrap.servers"), Some("a:1,b"));
    assert_eq!((config.get("security.protocol"), config.get("client.id")), (Some("plaintext"), Some("me")));
    let user = [("SASL_ENABLE", "true"), ("USERNAME", "u"), ("PASSWORD", "p")];
    for (extra, protocol, mechanism) in [
        (&[][..], "sasl_plaintext", "PLAIN"),
        (&[("SECURITY_MECHANISMS", "SCRAM-SHA-512")], "sasl_plaintext", "SCRAM-SHA-512"),
        (&[("TLS_ENABLE", "1"), ("SECURITY_MECHANISMS", "SCRAM-SHA-256")], "sasl_ssl", "SCRAM-SHA-256"),
    ] {
        let config = settings(&[&user, extra].concat()).expect("valid").connection.client_config("me");
        let found = ["security.protocol", "sasl.mechanism", "sasl.username", "sasl.password"]
            .map(|name| config.get(name).unwrap_or_default());
        assert_eq!(found, [protocol, mechanism, "u", "p"]);
    }
}

#[test]
fn what_is_not_enabled_is_not_used() {
    let settings = settings(&[
        ("USERNAME", "u"),
        ("PASSWORD", "p"),
        ("SECURITY_MECHANISMS", "GSSAPI"),
        ("CLIENT_KEY", "k"),
        ("SKIP_VERIFY", "true"),
    ]);
    let config = settings.expect("valid").connection.client_config("me");
    for name in ["sasl.username", "sasl.mechanism", "ssl.key.pem", "enable.ssl.certificate.verification"] {
        assert_eq!(config.get(name), None, "{name}");
    }
}

#[test]
fn trust_is_the_authority_given_or_that_of_the_system() {
    let config = |pairs: &[(&str, &str)]| settings(pairs).expect("valid").connection.client_config("me");
    let tls = ("TLS_ENABLE", "true");
    assert_eq!(config(&[tls]).get("ssl.ca.location"), Some("probe"));
    assert_eq!(config(&[tls, ("SSL_CERT_FILE", "/f")]).get("ssl.ca.location"), Some("/f"));
    assert_eq!(config(&[tls]).get("enable.ssl.certificate.verification"), None);
    let blind = config(&[tls, ("SKIP_VERIFY", "true")]);
    assert_eq!(blind.get("enable.ssl.certificate.verification"), Some("false"));
}

#[test]
fn mistakes_name_their_setting() {
    for (pairs, named) in [
        (&[("BOOTSTRAP_SERVERS", "http://a:1")][..], "BOOTSTRAP_SERVERS must be a list"),
        (&[("BOOTSTRAP_SERVERS", "a:0")], "BOOTSTRAP_SERVERS must be a list"),
        (&[("BOOTSTRAP_SERVERS", "a:b")], "BOOTSTRAP_SERVERS must be a list"),
        (&[("BOOTSTRAP_SERVERS", ",")], "BOOTSTRAP_SERVERS must be a list"),
        (&[("SASL_ENABLE", "true"), ("PASSWORD", "hunter2")], "USERNAME is missing"),
        (&[("SASL_ENABLE", "true"), ("USERNAME", "u")], "PASSWORD is missing"),
        (
            &[("SASL_ENABLE", "true"), ("SECURITY_MECHANISMS", "GSSAPI")],
            "SECURITY_MECHANISMS must not be GSSAPI",
        ),
        (&[("SECURITY_MECHANISMS", "OAUTHBEARER")], "SECURITY_MECHANISMS must be one of PLAIN"),
        (&[("TLS_ENABLE", "true"), ("CLIENT_KEY", "hunter2")], "CLIENT_CERT is missing"),
        (&[("TLS_ENABLE", "true"), ("CA", "hunter2")], "CA must be one or more certificates"),
        (&[("TLS_ENABLE", "maybe")], "TLS_ENABLE must be true or false"),
    ] {
        let problem = settings(pairs).expect_err("refused");
        assert!(problem.contains(named) && !problem.contains("hunter2"), "{pairs:?}: {problem}");
    }
}

#[test]
fn brokers_are_hosts_with_ports() {
    for text in ["a:9092", "a.b-c:1,[::1]:2", "127.0.0.1:9092, b:65535,", "plain"] {
        assert!(Brokers::parse(text).is_ok(), "{text}");
    }
    for text in ["", "a b:1", "a:65536", "[::1:2", "[x]:1", "::1", "a:1:2", "SSL://a:1"] {
        assert!(Brokers::parse(text).is_err(), "{text}");
    }
}

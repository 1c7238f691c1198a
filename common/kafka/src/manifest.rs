//! The part of a spec that both kinds of Kafka have: where the topic is, and `auth`.

use common::{Field, Rule, info::joined};

const SHARED: [Field; 17] = [
    Field::new("bootstrapServers", "BOOTSTRAP_SERVERS").rule(Rule::Join(",")),
    Field::new("topic", "TOPIC"),
    Field::new("auth.saslEnable", "SASL_ENABLE"),
    Field::new("auth.tlsEnable", "TLS_ENABLE"),
    Field::new("auth.securityMechanism", "SECURITY_MECHANISMS"),
    Field::new("auth.username", "USERNAME"),
    Field::new("auth.password", "PASSWORD").secret(),
    Field::new("auth.tls.ca", "CA").secret(),
    Field::new("auth.tls.clientCert", "CLIENT_CERT").secret(),
    Field::new("auth.tls.clientKey", "CLIENT_KEY").secret(),
    Field::new("auth.tls.skipVerify", "SKIP_VERIFY"),
    Field::new("auth.kerberos.config", "KERBEROS_CONFIG_PATH").rule(Rule::File),
    Field::new("auth.kerberos.keytab", "KERBEROS_KEYTAB_PATH").rule(Rule::File),
    Field::new("auth.kerberos.serviceName", "KERBEROS_SERVICE_NAME"),
    Field::new("auth.kerberos.realm", "KERBEROS_REALM"),
    Field::new("auth.kerberos.username", "KERBEROS_USERNAME"),
    Field::new("auth.kerberos.password", "KERBEROS_PASSWORD").secret(),
];

/// A kind's own fields with those that both have behind them: `ALL` is seventeen more than `OWN`.
#[must_use]
pub const fn fields<const OWN: usize, const ALL: usize>(own: [Field; OWN]) -> [Field; ALL] {
    joined(own, SHARED)
}

//! Ways to secure a connection, and what is said when one does not fit.

use kit::{Sink, ensure};
use peers::Kafka;
use serde_json::json;

use crate::{Named, Outcome, begin, event, start, topic, wait_for_ids};

pub const TRIALS: &[Named] = &[
    ("a user over TLS, and certificates of clients", secured),
    ("what does not fit is named as it is set, and never the password", refused),
];

fn works(kafka: &Kafka, address: &str, settings: &[(&str, &str)]) -> Outcome {
    let (sink, topic) = (Sink::start()?, topic());
    let triggers = json!({"t": {"target": {"url": sink.url("/in")}}});
    let settings = [&[("KAFKA_ADDRESSES", address)], settings].concat();
    let broker = start(kafka, &topic, triggers, &settings)?;
    broker.accept("a", 1)?;
    wait_for_ids(&sink, "/in", 1).map(drop)?;
    let listing = broker.json("/dlq")?;
    ensure(listing["next"].is_null(), || listing.to_string())
}

fn secured(kafka: &Kafka) -> Outcome {
    let user = [
        ("KAFKA_SASL_ENABLE", "true"),
        ("KAFKA_SECURITY_MECHANISMS", "SCRAM-SHA-512"),
        ("KAFKA_USERNAME", Kafka::USER),
        ("KAFKA_PASSWORD", Kafka::PASSWORD),
    ];
    let tls = [("KAFKA_TLS_ENABLE", "true"), ("KAFKA_CA", kafka.authority().pem())];
    works(kafka, &kafka.sasl_ssl(), &[&user[..], &tls].concat())?;
    let identity = kafka.authority().issue()?;
    let certificate = [("KAFKA_CLIENT_CERT", &*identity.certificate), ("KAFKA_CLIENT_KEY", &*identity.key)];
    works(kafka, &kafka.mtls(), &[&tls[..], &certificate].concat())
}

fn refused(kafka: &Kafka) -> Outcome {
    let settings = [
        ("KAFKA_ADDRESSES", &*kafka.sasl_plaintext()),
        ("KAFKA_SASL_ENABLE", "true"),
        ("KAFKA_USERNAME", Kafka::USER),
        ("KAFKA_PASSWORD", "wrong-horse"),
    ];
    let mut broker = begin(kafka, &topic(), json!({}), &settings)?;
    let line = kit::eventually("what is wrong", || {
        broker.process.log().into_iter().find(|line| line.field("reason").contains("KAFKA_PASSWORD"))
    })?;
    let reason = line.field("reason");
    ensure(reason.contains("KAFKA_USERNAME"), || reason.to_owned())?;
    let answer = broker.send(&event("a", 1))?;
    ensure(answer.status == 503 && answer.headers.get("retry-after").is_some(), || answer.text())?;
    broker.process.wait_for_status("/readyz", 503)?;
    let output = broker.process.output();
    ensure(!output.contains("wrong-horse"), || output)
}

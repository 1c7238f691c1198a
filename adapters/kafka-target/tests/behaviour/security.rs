//! Every way to secure a connection, and what is said when one does not fit.

use kit::{Authority, Folder, ensure, eventually};
use peers::Kafka;

use crate::{Named, Outcome, Target, topic};

pub const TRIALS: &[Named] = &[
    ("users by PLAIN and SCRAM, with TLS and without", users),
    ("TLS by the authority given, and blindly where told", tls),
    ("certificates of clients", mutual_tls),
    ("what does not fit is named, and never the password", refused),
    ("a password that is rotated is taken up", rotation),
];

fn user() -> [(&'static str, &'static str); 3] {
    [("SASL_ENABLE", "true"), ("USERNAME", Kafka::USER), ("PASSWORD", Kafka::PASSWORD)]
}

/// Starts one and sends an event.
fn works(kafka: &Kafka, bootstrap: &str, settings: &[(&str, &str)]) -> Outcome {
    let mut target = Target::launch(bootstrap, &topic(), settings)?;
    target.adapter.process.wait_for_status("/readyz", 200)?;
    target.accepts(1, "x")?;
    let records = target.records(kafka)?;
    ensure(records.len() == 1, || format!("{records:?}"))
}

fn users(kafka: &Kafka) -> Outcome {
    for mechanism in ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] {
        let settings = [&user()[..], &[("SECURITY_MECHANISMS", mechanism)]].concat();
        works(kafka, &kafka.sasl_plaintext(), &settings).map_err(|error| format!("{mechanism}: {error}"))?;
        let secured = [&settings[..], &[("TLS_ENABLE", "true"), ("CA", kafka.authority().pem())]].concat();
        works(kafka, &kafka.sasl_ssl(), &secured).map_err(|error| format!("{mechanism}, TLS: {error}"))?;
    }
    // PLAIN is what is used when nothing is said.
    works(kafka, &kafka.sasl_plaintext(), &user())
}

fn tls(kafka: &Kafka) -> Outcome {
    works(kafka, &kafka.ssl(), &[("TLS_ENABLE", "true"), ("CA", kafka.authority().pem())])?;
    works(kafka, &kafka.ssl(), &[("TLS_ENABLE", "true"), ("SKIP_VERIFY", "true")])?;
    let other = Authority::new()?;
    works(kafka, &kafka.ssl(), &[("TLS_ENABLE", "true"), ("SKIP_VERIFY", "true"), ("CA", other.pem())])
}

fn mutual_tls(kafka: &Kafka) -> Outcome {
    let identity = kafka.authority().issue()?;
    let settings = [
        ("TLS_ENABLE", "true"),
        ("CA", kafka.authority().pem()),
        ("CLIENT_CERT", &identity.certificate),
        ("CLIENT_KEY", &identity.key),
    ];
    works(kafka, &kafka.mtls(), &settings)
}

fn refused(kafka: &Kafka) -> Outcome {
    let (other, authority) = (Authority::new()?, kafka.authority().pem());
    let stranger = other.issue()?;
    let wrong = [("SASL_ENABLE", "true"), ("USERNAME", Kafka::USER), ("PASSWORD", "hunter2")];
    let tls = ("TLS_ENABLE", "true");
    let scram = [&wrong[..], &[("SECURITY_MECHANISMS", "SCRAM-SHA-256")]].concat();
    let cases = [
        (kafka.sasl_plaintext(), &wrong[..], "USERNAME and PASSWORD"),
        (kafka.sasl_plaintext(), &scram, "PASSWORD"),
        (kafka.sasl_plaintext(), &[], "SASL_ENABLE"),
        (kafka.ssl(), &[], "TLS_ENABLE"),
        (kafka.plaintext(), &[tls], "TLS_ENABLE"),
        (kafka.ssl(), &[tls], "CA"),
        (kafka.ssl(), &[tls, ("CA", other.pem())], "CA"),
        (kafka.mtls(), &[tls, ("CA", authority)], "CLIENT_CERT"),
        (
            kafka.mtls(),
            &[tls, ("CA", authority), ("CLIENT_CERT", &stranger.certificate), ("CLIENT_KEY", &stranger.key)],
            "CLIENT_CERT",
        ),
        ("127.0.0.1:1".to_owned(), &[], "BOOTSTRAP_SERVERS"),
        ("no-such-host.invalid:9092".to_owned(), &[], "BOOTSTRAP_SERVERS"),
    ];
    kit::at_once(cases, |(bootstrap, settings, named)| complains(&bootstrap, settings, named)).map(drop)
}

/// Starts one that cannot connect, and looks for the setting in what it says.
fn complains(bootstrap: &str, settings: &[(&str, &str)], named: &str) -> Outcome {
    let mut target = Target::launch(bootstrap, &topic(), settings)?;
    // On a busy machine the first time may be over before anything was answered.
    eventually("the setting", || {
        target.adapter.process.log().iter().any(|line| line.field("reason").contains(named)).then_some(())
    })
    .map_err(|error| format!("{error}: {named} is not in {}", target.adapter.process.output()))?;
    let output = target.adapter.process.output();
    ensure(!output.contains("hunter2") && !output.contains("PRIVATE"), || output.clone())?;
    let status = target.adapter.send(&kit::Request::get("/readyz"))?.status;
    ensure(status == 503 && target.adapter.process.exited().is_none(), || format!("/readyz is {status}"))
}

fn rotation(kafka: &Kafka) -> Outcome {
    let folder = Folder::new()?;
    let path = folder.file("password", "outdated")?;
    let settings = [("SASL_ENABLE", "true"), ("USERNAME", Kafka::USER), ("PASSWORD_FILE", &path)];
    let mut target = Target::launch(&kafka.sasl_plaintext(), &topic(), &settings)?;
    target.adapter.process.wait_for_line("the first contact failed")?;
    folder.file("password", Kafka::PASSWORD)?;
    target.adapter.process.wait_for_status("/readyz", 200)?;
    eventually("an accepted event", || target.accepts(1, "x").ok())
}

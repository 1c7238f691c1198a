//! Every way to secure a connection, and what is said when something does not fit. The target's tests have the full table;
//! both share the code.

use kit::{Authority, Folder, Request, ensure, eventually};
use peers::{Kafka, Record};

use crate::{Bridge, Named, Outcome};

pub const TRIALS: &[Named] = &[
    ("users by PLAIN and SCRAM, TLS and certificates of clients", secured),
    ("what does not fit is named, and never the password", refused),
    ("a missing topic is named, and found when it is there", missing_topic),
    ("a password that is rotated is taken up", rotation),
];

fn secured(kafka: &Kafka) -> Outcome {
    let authority = kafka.authority().pem();
    let identity = kafka.authority().issue()?;
    let user = [("SASL_ENABLE", "true"), ("USERNAME", Kafka::USER), ("PASSWORD", Kafka::PASSWORD)];
    let tls = [("TLS_ENABLE", "true"), ("CA", authority)];
    let scram = |name| [&user[..], &[("SECURITY_MECHANISMS", name)]].concat();
    let certificate = [("CLIENT_CERT", identity.certificate.as_str()), ("CLIENT_KEY", &identity.key)];
    let ways = [
        (kafka.sasl_plaintext(), user.to_vec()),
        (kafka.sasl_plaintext(), scram("SCRAM-SHA-256")),
        (kafka.sasl_plaintext(), scram("SCRAM-SHA-512")),
        (kafka.ssl(), tls.to_vec()),
        (kafka.ssl(), vec![("TLS_ENABLE", "true"), ("SKIP_VERIFY", "true")]),
        (kafka.sasl_ssl(), [&scram("SCRAM-SHA-512")[..], &tls].concat()),
        (kafka.mtls(), [&tls[..], &certificate].concat()),
    ];
    for (bootstrap, settings) in ways {
        let mut bridge = Bridge::new(kafka, 1)?;
        bridge.bootstrap = bootstrap;
        let _process = bridge.start(&settings).map_err(|error| format!("{:?}: {error}", settings[0]))?;
        bridge.produce(&[Record::new("x")])?;
        bridge.committed(&[1])?;
    }
    Ok(())
}

fn refused(kafka: &Kafka) -> Outcome {
    let other = Authority::new()?;
    let wrong = [("SASL_ENABLE", "true"), ("USERNAME", Kafka::USER), ("PASSWORD", "hunter2")];
    let cases = [
        (kafka.sasl_plaintext(), &wrong[..], "USERNAME and PASSWORD"),
        (kafka.sasl_plaintext(), &[], "SASL_ENABLE"),
        (kafka.ssl(), &[("TLS_ENABLE", "true"), ("CA", other.pem())], "CA"),
        (kafka.mtls(), &[("TLS_ENABLE", "true"), ("CA", kafka.authority().pem())], "CLIENT_CERT"),
        ("127.0.0.1:1".to_owned(), &[], "BOOTSTRAP_SERVERS"),
    ];
    kit::at_once(cases, |(bootstrap, settings, named)| {
        let mut bridge = Bridge::new(kafka, 1)?;
        bridge.bootstrap = bootstrap;
        let mut process = bridge.launch(settings)?;
        // On a busy machine the first time may be over before anything was answered.
        eventually("the setting", || {
            process.log().iter().any(|line| line.field("reason").contains(named)).then_some(())
        })
        .map_err(|error| format!("{error}: {named} is not in {}", process.output()))?;
        let output = process.output();
        ensure(!output.contains("hunter2"), || output.clone())?;
        let answer = Request::get("/readyz").send(process.address()?)?;
        ensure(answer.status == 503 && process.exited().is_none(), || format!("{answer:?}"))
    })
    .map(drop)
}

fn rotation(kafka: &Kafka) -> Outcome {
    let mut bridge = Bridge::new(kafka, 1)?;
    bridge.bootstrap = kafka.sasl_plaintext();
    let folder = Folder::new()?;
    let path = folder.file("password", "outdated")?;
    let settings = [("SASL_ENABLE", "true"), ("USERNAME", Kafka::USER), ("PASSWORD_FILE", &path)];
    let mut process = bridge.launch(&settings)?;
    process.wait_for_line("the first contact failed")?;
    folder.file("password", Kafka::PASSWORD)?;
    bridge.produce(&[Record::new("x")])?;
    bridge.sink.wait_for(1).map(drop)
}

fn missing_topic(kafka: &Kafka) -> Outcome {
    let bridge = Bridge::new(kafka, 1)?;
    let name = format!("{}-later", bridge.topic);
    let mut process = bridge.launch(&[("TOPIC", &name)])?;
    // The first try may end by its time-out on a busy machine.
    eventually("the reason", || process.output().contains("TOPIC does not exist").then_some(()))?;
    kafka.create_topic(&name, 1, &[])?;
    process.wait_for_status("/readyz", 200)?;
    kafka.produce(&name, &[Record::new("x")])?;
    bridge.sink.wait_for(1)?;
    // One that goes away while it is read is said, too; nothing breaks.
    kafka.delete_topic(&name)?;
    eventually("a word about the topic", || process.output().contains("reading TOPIC").then_some(()))
        .or_else(|_| {
            eventually("a word about the topic", || {
                process.output().contains("looking for TOPIC: TOPIC does not exist").then_some(())
            })
        })?;
    kafka.create_topic(&name, 1, &[])?;
    // Where the group was in the old topic may hold for the new one, too: Kafka knows a topic by its name.
    eventually("a record of the new topic", || {
        kafka.produce(&name, &[Record::new("y")]).ok()?;
        (bridge.sink.requests().len() > 1).then_some(())
    })?;
    ensure(process.exited().is_none(), || process.output())
}

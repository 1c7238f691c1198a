//! What cannot be written, for good or for now.

use std::{
    collections::BTreeSet,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
};

use kit::{Example, ensure, eventually};
use peers::Kafka;

use crate::{Named, Outcome, Target, topic};

pub const TRIALS: &[Named] = &[
    ("a record that is too large is refused for good, and its neighbours are not", oversize),
    ("a record without a key is refused by a compacted topic", keyless),
    ("a missing topic is named, and found when it is there", missing_topic),
    ("a topic that was taken away is made again", deleted_topic),
    ("settings that fit nothing end it", settings),
];

fn oversize(kafka: &Kafka) -> Outcome {
    let name = topic();
    kafka.create_topic(&name, 1, &[("max.message.bytes", "20000")])?;
    // They wait for each other, so that they are one batch, which is larger than the topic allows.
    let settings = [("DISCARD_CE_CONTEXT", "true"), ("LINGER", "300ms")];
    let target = Target::start_with(kafka, &name, &settings)?;
    let statuses = kit::at_once(0..12, |number| {
        let size = if number == 5 { 50_000 } else { 4000 };
        let request = Example::new("t", "text/plain", "x".repeat(size)).binary(number);
        target.adapter.send(&request).map(|answer| answer.status)
    })?;
    let expected: Vec<_> = (0..12).map(|number| if number == 5 { 413 } else { 202 }).collect();
    ensure(statuses == expected, || format!("{statuses:?}"))?;
    let count = target.records(kafka)?.len();
    ensure(count == 11, || format!("{count} records"))
}

fn keyless(kafka: &Kafka) -> Outcome {
    let name = topic();
    kafka.create_topic(&name, 1, &[("cleanup.policy", "compact")])?;
    let target = Target::start_with(kafka, &name, &[("RECORD_KEY", "subject")])?;
    let note = Example::new("t", "text/plain", "x");
    for (request, expected) in [(note.binary(1), 422), (note.binary(2).header("ce-subject", "s"), 202)] {
        let answer = target.adapter.send(&request)?;
        answer.expect(expected)?;
    }
    Ok(())
}

fn missing_topic(kafka: &Kafka) -> Outcome {
    let name = topic();
    let settings = [("CREATE_MISSING_TOPIC", "false"), ("DELIVERY_TIMEOUT", "1s")];
    let mut target = Target::launch(&kafka.plaintext(), &name, &settings)?;
    // The first try may end by its time-out on a busy machine.
    eventually("the reason", || {
        target.adapter.process.output().contains("TOPIC does not exist").then_some(())
    })?;
    let answer = target.adapter.send(&Example::new("t", "text/plain", "x").binary(1))?;
    ensure(answer.status == 503 && answer.headers.get("retry-after").is_some(), || format!("{answer:?}"))?;
    ensure(kafka.partitions(&name)?.is_none(), || "the topic was made".to_owned())?;
    kafka.create_topic(&name, 1, &[])?;
    target.adapter.process.wait_for_status("/readyz", 200)?;
    eventually("an accepted event", || target.accepts(2, "x").ok())
}

fn deleted_topic(kafka: &Kafka) -> Outcome {
    let target = Target::start(kafka, &[("DELIVERY_TIMEOUT", "2s")])?;
    target.accepts(1, "x")?;
    kafka.delete_topic(&target.topic)?;
    eventually("an accepted event", || target.accepts(2, "y").ok())?;
    let records = target.records(kafka)?;
    ensure(!records.is_empty(), || "there is no record".to_owned())
}

fn settings(_: &Kafka) -> Outcome {
    let identity = kit::Authority::new()?.issue()?;
    let other = kit::Authority::new()?.issue()?;
    let pair =
        [("TLS_ENABLE", "true"), ("CLIENT_CERT", identity.certificate.as_str()), ("CLIENT_KEY", &other.key)];
    for (settings, named) in [
        (
            &[("SASL_ENABLE", "true"), ("SECURITY_MECHANISMS", "GSSAPI")][..],
            "SECURITY_MECHANISMS must not be GSSAPI",
        ),
        (&pair, "BOOTSTRAP_SERVERS and the settings beside it make no client"),
        (&[("CONTENT_MODE", "binary"), ("DISCARD_CE_CONTEXT", "true")], "CONTENT_MODE must not be set"),
    ] {
        let environment = crate::environment("127.0.0.1:1", "t", settings);
        let mut process = kit::Process::start("kafka-target", &[], &environment)?;
        let code = process.wait()?;
        let output = process.output();
        ensure(code == 78 && output.contains(named) && output.lines().count() == 1, || {
            format!("{code}: {output}")
        })?;
    }
    Ok(())
}

/// Callers send each event until it is answered 2xx, while the broker is killed and comes back.
pub fn outage() -> Outcome {
    const CALLERS: u64 = 8;
    let mut kafka = Kafka::start()?;
    let target = Target::start(&kafka, &[("DISCARD_CE_CONTEXT", "true"), ("DELIVERY_TIMEOUT", "3s")])?;
    let (done, next, taken) = (AtomicBool::new(false), AtomicU64::new(0), Mutex::new(BTreeSet::new()));
    thread::scope(|scope| {
        for _ in 0..CALLERS {
            scope.spawn(|| {
                while !done.load(Ordering::SeqCst) {
                    let number = next.fetch_add(1, Ordering::SeqCst);
                    let request = Example::new("t", "text/plain", number.to_string()).binary(number);
                    while !done.load(Ordering::SeqCst) {
                        match target.adapter.send(&request).map(|answer| answer.status) {
                            Ok(202) => {
                                taken
                                    .lock()
                                    .unwrap_or_else(std::sync::PoisonError::into_inner)
                                    .insert(number.to_string());
                                break;
                            }
                            _ => thread::yield_now(),
                        }
                    }
                }
            });
        }
        let restarts = (0..2).try_for_each(|_| {
            let before = next.load(Ordering::SeqCst);
            eventually("events between restarts", || {
                (next.load(Ordering::SeqCst) > before + 300).then_some(())
            })?;
            kafka.restart()
        });
        let before = next.load(Ordering::SeqCst);
        let after = eventually("events after the last restart", || {
            (next.load(Ordering::SeqCst) > before + 100).then_some(())
        });
        done.store(true, Ordering::SeqCst);
        restarts.and(after)
    })?;
    let there: BTreeSet<_> = target
        .records(&kafka)?
        .into_iter()
        .map(|record| String::from_utf8_lossy(&record.value.unwrap_or_default()).into_owned())
        .collect();
    let taken = taken.into_inner().map_err(|error| error.to_string())?;
    let lost: Vec<_> = taken.difference(&there).collect();
    ensure(lost.is_empty(), || format!("of {} accepted, lost: {lost:?}", taken.len()))?;
    let output = target.adapter.process.output();
    let lines = output.lines().count();
    ensure(lines < 5000 && target.adapter.process.memory("VmHWM")? < (64 << 20), || {
        format!("{lines} lines of log")
    })?;
    Ok(())
}

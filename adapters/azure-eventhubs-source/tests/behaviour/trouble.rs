//! What goes wrong names the setting to look at, and goes by itself when its cause is gone.

use kit::{Failure, Process, Reply, ensure, eventually};
use peers::EventHubs;

use super::{Outcome, Scene, stop};

fn wait_for_output(process: &Process, text: &str) -> Result<(), Failure> {
    eventually(&format!("{text:?} in the log"), || process.output().contains(text).then_some(()))
        .map_err(|error| format!("{error}: {}", process.output()))
}

#[test]
fn wrong_credentials_and_a_missing_hub_are_named_and_recovered_from() -> Outcome {
    let scene = Scene::new(1)?;
    let wrong = EventHubs::connection_string(false).replace(EventHubs::KEY, "d3Jvbmc=");
    let mut process = scene.start(&[("EVENTHUB_CONNECTION_STRING", &wrong)])?;
    wait_for_output(&process, "check EVENTHUB_CONNECTION_STRING")?;
    ensure(!process.output().contains("d3Jvbmc="), || process.output())?;
    process.wait_for_status("/readyz", 503)?;
    drop(process);

    scene.hub.faults(|faults| faults.missing = true);
    process = scene.start(&[])?;
    wait_for_output(&process, "check EVENTHUB_RESOURCE_ID and EVENTHUB_CONSUMER_GROUP")?;
    process.wait_for_status("/readyz", 503)?;
    scene.hub.faults(|faults| faults.missing = false);
    process.wait_for_status("/readyz", 200)?;
    scene.hub.wait_for_readers("a receiver", |readers| readers.len() == 1)?;
    scene.feed(0..5, 1);
    scene.all(0..5)?;
    stop(process)?;

    process = scene.start(&[("EVENTHUB_CONSUMER_GROUP", "nobody")])?;
    wait_for_output(&process, "check EVENTHUB_RESOURCE_ID and EVENTHUB_CONSUMER_GROUP")
}

#[test]
fn broken_connections_expired_tokens_and_an_outage_lose_nothing() -> Outcome {
    let scene = Scene::new(2)?;
    let process = scene.reading(&[], 2)?;
    scene.feed(0..20, 2);
    scene.all(0..20)?;
    scene.hub.cut();
    scene.feed(20..40, 2);
    scene.all(0..40).map_err(|error| format!("{error} {}", process.output()))?;
    scene.hub.expire_tokens();
    scene.feed(40..60, 2);
    scene.all(0..60).map_err(|error| format!("{error} {}", process.output()))?;
    scene.hub.close();
    scene.feed(60..80, 2);
    wait_for_output(&process, "whether the namespace can be reached")?;
    scene.hub.open();
    scene.all(0..80).map_err(|error| format!("{error} {}", process.output()))?;
    let counts = scene.counts()?;
    ensure(counts.values().all(|count| *count == 1), || format!("{counts:?}"))?;
    stop(process)
}

#[test]
fn a_link_that_is_silent_is_attached_anew() -> Outcome {
    let scene = Scene::new(1)?;
    let process = scene.reading(&[("EVENTHUB_MESSAGE_TIMEOUT", "1")], 1)?;
    scene.hub.faults(|faults| faults.silent = true);
    scene.feed(0..5, 1);
    wait_for_output(&process, "nothing comes though there are events")?;
    scene.hub.faults(|faults| faults.silent = false);
    scene.all(0..5)?;
    stop(process)
}

#[test]
fn a_sink_that_fails_holds_its_partition_and_no_position_moves() -> Outcome {
    let scene = Scene::new(1)?;
    let process = scene.reading(&[], 1)?;
    scene.sink.always(Reply::status(503));
    scene.feed(0..5, 1);
    scene.sink.wait_for(2)?;
    // SIGKILL: nothing was accepted.
    drop(process);
    scene.sink.reset();
    let process = scene.reading(&[], 1)?;
    let counts = scene.all(0..5)?;
    ensure(counts.values().all(|count| *count == 1), || format!("{counts:?}"))?;
    stop(process)
}

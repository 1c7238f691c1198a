//! Positions: in files, in blobs as other SDKs read them, in Redis.

use kit::{Reply, ensure, eventually};
use peers::{Azurite, Redis, eventhubs::Published};

use super::{Outcome, Scene, stop};

#[test]
fn a_restart_goes_on_behind_what_was_delivered() -> Outcome {
    let scene = Scene::new(2)?;
    stop(scene.reading(&[], 2)?)?;
    // Nothing was read, and what came while nobody was there is not passed over.
    scene.feed(0..10, 2);
    let process = scene.reading(&[], 2)?;
    scene.all(0..10)?;
    stop(process)?;
    scene.feed(10..20, 2);
    let process = scene.reading(&[], 2)?;
    let counts = scene.all(0..20)?;
    ensure(counts.values().all(|count| *count == 1), || format!("{counts:?}"))?;
    stop(process)
}

#[test]
fn blobs_are_those_of_the_sdks_of_azure() -> Outcome {
    let (scene, azurite) = (Scene::new(2)?, Azurite::start()?);
    let url = format!("{}/positions", azurite.endpoint());
    let settings = [("CHECKPOINT_URL", url.as_str()), ("AZURE_STORAGE_KEY", Azurite::KEY)];
    let mut process = scene.reading(&settings, 2)?;
    scene.feed(0..10, 2);
    scene.all(0..10)?;
    stop(process)?;
    let list = azurite.list("positions")?;
    let prefix = "trestle.servicebus.windows.net/events/$default";
    for partition in [0, 1] {
        let checkpoint = list.iter().find(|blob| blob.name == format!("{prefix}/checkpoint/{partition}"));
        let checkpoint = checkpoint.ok_or_else(|| format!("no checkpoint in {list:?}"))?;
        let last = scene.hub.partition(partition).pop().ok_or("an empty partition")?;
        let wanted = [("offset", last.offset.to_string()), ("sequencenumber", last.sequence.to_string())];
        let wanted = wanted.map(|(name, value)| (name.to_owned(), value)).into();
        ensure(checkpoint.metadata == wanted, || format!("{checkpoint:?}"))?;
        let ownership = list.iter().find(|blob| blob.name == format!("{prefix}/ownership/{partition}"));
        let ownership = ownership.ok_or_else(|| format!("no ownership in {list:?}"))?;
        // Given up at the end, so that the next need not wait.
        ensure(ownership.metadata.iter().all(|(name, value)| name == "ownerid" && value.is_empty()), || {
            format!("{ownership:?}")
        })?;
    }
    scene.feed(10..20, 2);
    process = scene.reading(&settings, 2)?;
    let counts = scene.all(0..20)?;
    ensure(counts.values().all(|count| *count == 1), || format!("{counts:?}"))?;
    stop(process)?;

    let wrong = [("CHECKPOINT_URL", url.as_str()), ("AZURE_STORAGE_KEY", "d3Jvbmc=")];
    let mut process = scene.start(&wrong)?;
    eventually("an error that names the key", || {
        process.output().contains("check CHECKPOINT_URL and AZURE_STORAGE_KEY").then_some(())
    })
    .map_err(|error| format!("{error}: {}", process.output()))?;
    ensure(!process.output().contains("d3Jvbmc="), || process.output())?;
    process.wait_for_status("/readyz", 503).map(drop)
}

#[test]
fn redis_keeps_positions_too() -> Outcome {
    let (scene, redis) = (Scene::new(2)?, Redis::start()?);
    let url = format!("redis://:{}@{}/", Redis::PASSWORD, redis.address());
    let process = scene.reading(&[("CHECKPOINT_URL", &url)], 2)?;
    scene.feed(0..10, 2);
    scene.all(0..10)?;
    stop(process)?;
    scene.feed(10..20, 2);
    let process = scene.reading(&[("CHECKPOINT_URL", &url)], 2)?;
    let counts = scene.all(0..20)?;
    ensure(counts.values().all(|count| *count == 1), || format!("{counts:?}"))?;
    stop(process)
}

#[test]
fn a_hub_that_was_made_anew_is_read_from_its_beginning() -> Outcome {
    let mut scene = Scene::new(1)?;
    let process = scene.reading(&[], 1)?;
    scene.feed(0..10, 1);
    scene.all(0..10)?;
    stop(process)?;
    scene.hub = peers::EventHubs::start(1)?;
    scene.feed(20..23, 1);
    let process = scene.reading(&[], 1)?;
    scene.all(20..23)?;
    ensure(process.output().contains("the event hub was made anew"), || process.output())?;
    stop(process)
}

#[test]
fn what_the_retention_took_is_told() -> Outcome {
    let scene = Scene::new(1)?;
    let process = scene.reading(&[], 1)?;
    scene.feed(0..3, 1);
    scene.all(0..3)?;
    stop(process)?;
    scene.feed(3..10, 1);
    scene.hub.retain(0, 6);
    let process = scene.reading(&[], 1)?;
    let counts = scene.all(6..10)?;
    ensure(!counts.contains_key(&4), || format!("{counts:?}"))?;
    ensure(process.output().contains("the retention of the event hub has removed events"), || {
        process.output()
    })?;
    stop(process)
}

#[test]
fn memory_stays_small_while_the_sink_is_stalled() -> Outcome {
    let scene = Scene::new(4)?;
    scene.sink.always(Reply::hang());
    for number in 0..20_000 {
        scene.hub.publish(number % 4, Published::body(vec![b'x'; 4096]));
    }
    let process = scene.reading(&[("EVENTHUB_START_POSITION", "earliest")], 4)?;
    scene.sink.wait_for(4)?;
    // As much as it takes has come when the double has nothing left to give within the credit.
    let (mut last, mut since) = (0, std::time::Instant::now());
    eventually("memory that no longer grows", || {
        let now = process.memory("VmRSS").ok()?;
        if now > last + (256 << 10) {
            (last, since) = (now, std::time::Instant::now());
        }
        (since.elapsed().as_secs() >= 1).then_some(())
    })?;
    let most = process.memory("VmHWM")?;
    ensure(most < 64 << 20, || format!("{} MiB", most >> 20))
}

//! Replicas share the partitions; nothing is lost when one comes or goes.

use std::collections::BTreeMap;

use kit::{Failure, ensure};
use peers::{Azurite, Redis, eventhubs::Reader};

use super::{Outcome, Scene, stop};

/// Partitions by connection: how many each process reads.
fn shares(readers: &[Reader]) -> Vec<usize> {
    let mut counts = BTreeMap::<u64, usize>::new();
    for reader in readers {
        *counts.entry(reader.connection).or_default() += 1;
    }
    counts.into_values().collect()
}

fn wait_for_shares(scene: &Scene, wanted: &[usize]) -> Result<(), Failure> {
    let sorted = |readers: &[Reader]| {
        let mut shares = shares(readers);
        shares.sort_unstable();
        shares
    };
    scene.hub.wait_for_readers(&format!("shares {wanted:?}"), |readers| sorted(readers) == wanted).map(drop)
}

fn balance(scene: &Scene, settings: &[(&str, &str)]) -> Outcome {
    const PARTITIONS: usize = 4;
    let first = scene.reading(settings, PARTITIONS)?;
    scene.feed(0..100, PARTITIONS);
    let second = scene.start(settings)?;
    wait_for_shares(scene, &[2, 2])
        .map_err(|error| format!("{error}\n{}\n{}", first.output(), second.output()))?;
    scene.feed(100..200, PARTITIONS);
    scene.all(0..200)?;
    // SIGKILL: the other takes over what it had.
    drop(first);
    scene.feed(200..300, PARTITIONS);
    wait_for_shares(scene, &[4])?;
    scene.all(0..300)?;
    let third = scene.start(settings)?;
    wait_for_shares(scene, &[2, 2])?;
    scene.feed(300..400, PARTITIONS);
    let counts = scene.all(0..400)?;
    let twice: usize = counts.values().map(|count| count - 1).sum();
    ensure(twice <= 200, || format!("{twice} came twice"))?;
    // One that ends in peace hands over without a wait.
    stop(second)?;
    wait_for_shares(scene, &[4])?;
    scene.feed(400..500, PARTITIONS);
    scene.all(0..500)?;
    stop(third)
}

#[test]
fn replicas_balance_by_blobs() -> Outcome {
    let (scene, azurite) = (Scene::new(4)?, Azurite::start()?);
    let url = format!("{}/positions", azurite.endpoint());
    balance(&scene, &[("CHECKPOINT_URL", &url), ("AZURE_STORAGE_KEY", Azurite::KEY), ("MAX_IN_FLIGHT", "40")])
}

#[test]
fn replicas_balance_by_redis() -> Outcome {
    let (scene, redis) = (Scene::new(4)?, Redis::start()?);
    let url = format!("redis://:{}@{}/", Redis::PASSWORD, redis.address());
    balance(&scene, &[("CHECKPOINT_URL", &url), ("MAX_IN_FLIGHT", "40")])
}

#[test]
fn a_partition_that_somebody_else_takes_is_lost_and_comes_back() -> Outcome {
    let (scene, azurite) = (Scene::new(2)?, Azurite::start()?);
    let url = format!("{}/positions", azurite.endpoint());
    let mut process = scene.reading(&[("CHECKPOINT_URL", &url), ("AZURE_STORAGE_KEY", Azurite::KEY)], 2)?;
    scene.feed(0..10, 2);
    scene.all(0..10)?;
    scene.hub.steal(1);
    // Until the ownership is over.
    scene.hub.wait_for_readers("one reader", |readers| readers.len() == 1)?;
    process.wait_for_line("partitions were lost")?;
    // The other partition goes on.
    scene.feed(10..12, 2);
    scene.all(10..11)?;
    stop(process)
}

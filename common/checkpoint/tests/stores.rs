//! Every store keeps the same promises: files, a real S3 gateway, a real Redis with and without TLS.

use std::{future::Future, sync::Arc};

use common::{
    Error,
    checkpoint::{Checkpoints, Record},
    config::Secret,
};
use kit::{Authority, Failure, ensure};
use peers::{Redis, Versitygw};
use tempfile::TempDir;

type Outcome = Result<(), Failure>;
type Store = Arc<dyn Checkpoints>;

fn open(url: &str) -> Result<Store, Failure> {
    checkpoint::open(&Secret::new(url)).map_err(|error| error.to_string())
}

fn folder() -> Result<TempDir, Failure> {
    TempDir::new().map_err(|error| error.to_string())
}

fn objects(peer: &Versitygw, secret: &str, prefix: &str) -> Result<Store, Failure> {
    let (id, bucket, address) = (Versitygw::KEY_ID, Versitygw::BUCKET, peer.address());
    open(&format!("s3://{id}:{secret}@{bucket}/{prefix}?endpoint=http://{address}&region=us-east-1"))
}

fn redis(peer: &Redis, password: &str) -> Result<Store, Failure> {
    open(&format!("redis://:{password}@{}/2?prefix=p", peer.address()))
}

/// Everything of one trial on one runtime: connections live where they were made.
fn on_runtime(trial: impl Future<Output = Outcome>) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| error.to_string())?.block_on(trial)
}

fn told(error: &Error) -> Failure {
    error.chain()
}

async fn load(store: &Store, key: &str) -> Result<Option<Record>, Failure> {
    store.load(key).await.map_err(|error| told(&error))
}

async fn swap(
    store: &Store,
    key: &str,
    version: Option<u64>,
    value: &str,
) -> Result<Option<Record>, Failure> {
    store.compare_and_swap(key, version, value).await.map_err(|error| told(&error))
}

fn record(value: &str, version: u64) -> Option<Record> {
    Some(Record { value: value.to_owned(), version })
}

/// What is expected of every store; `other` is a second process with the same one.
async fn promises(store: &Store, other: &Store) -> Outcome {
    let odd = "line\nline \u{0} \u{1f600} \" \\ * [a]";
    for (version, value, expected) in [
        (Some(1), "x", None),
        (None, "x", record("x", 1)),
        (None, "y", None),
        (Some(2), "y", None),
        (Some(1), odd, record(odd, 2)),
        (Some(1), "z", None),
        (Some(2), "", record("", 3)),
        (Some(3), "end", record("end", 4)),
    ] {
        let found = swap(store, "a", version, value).await?;
        ensure(found == expected, || format!("{version:?} to {value:?}: {found:?} instead of {expected:?}"))?;
    }
    let found = load(other, "a").await?;
    ensure(found == record("end", 4), || format!("another process sees {found:?}"))?;
    ensure(load(store, "b").await?.is_none(), || "a record from nowhere".to_owned())?;

    let (long, longer) = ("ä".repeat(500), format!("{}x", "ä".repeat(500)));
    let keys = [
        "k/*",
        "k/a",
        "k/A",
        "k/../b",
        "k/",
        "k//",
        "k/[a]",
        "k/%2F",
        "k/\\",
        &format!("k/{long}"),
        &format!("k/{longer}"),
    ];
    for key in keys {
        swap(store, key, None, key).await?.ok_or_else(|| format!("{key} is there already"))?;
    }
    for key in keys {
        let found = load(other, key).await?;
        ensure(found == record(key, 1), || format!("{key}: {found:?}"))?;
    }
    let mut expected = keys.map(str::to_owned).to_vec();
    expected.sort_unstable();
    let listed = store.list("k/").await.map_err(|error| told(&error))?;
    ensure(listed == expected, || format!("{listed:?}"))?;
    let listed = store.list("k/*").await.map_err(|error| told(&error))?;
    ensure(listed == ["k/*"], || format!("{listed:?}"))
}

/// Of those who replace one version at once, one succeeds.
async fn one_wins(store: &Store, other: &Store) -> Outcome {
    for round in 0..10 {
        let version = (round > 0).then_some(round);
        let names: Vec<_> = (0..8).map(|number| format!("{round}.{number}")).collect();
        let swaps = names
            .iter()
            .enumerate()
            .map(|(number, name)| swap(if number % 2 == 0 { store } else { other }, "race", version, name));
        let results = futures_util::future::try_join_all(swaps).await?;
        let winners: Vec<_> = results.into_iter().flatten().collect();
        ensure(winners.len() == 1, || format!("round {round}: {winners:?}"))?;
        let found = load(store, "race").await?;
        ensure(found.as_ref() == winners.first(), || format!("{winners:?}, and {found:?} is stored"))?;
    }
    Ok(())
}

#[test]
fn files() -> Outcome {
    let folder = folder()?;
    let url = format!("file://{}/positions", folder.path().display());
    // Files are for one process; there is no race to be won.
    on_runtime(async { promises(&open(&url)?, &open(&url)?).await })
}

#[test]
fn object_store() -> Outcome {
    let peer = Versitygw::start()?;
    on_runtime(async {
        for prefix in ["a/b", ""] {
            let (one, two) = (
                objects(&peer, Versitygw::SECRET_KEY, prefix)?,
                objects(&peer, Versitygw::SECRET_KEY, prefix)?,
            );
            promises(&one, &two).await.map_err(|error| format!("prefix {prefix:?}: {error}"))?;
            one_wins(&one, &two).await?;
        }
        let stranger = objects(&peer, "hunter2", "a")?;
        let error = stranger.load("a").await.err().ok_or("anybody may read")?;
        ensure(!error.is_permanent() && !error.chain().contains("hunter2"), || error.chain())
    })
}

#[test]
fn redis_server() -> Outcome {
    let mut peer = Redis::start()?;
    on_runtime(async {
        let (one, two) = (redis(&peer, Redis::PASSWORD)?, redis(&peer, Redis::PASSWORD)?);
        promises(&one, &two).await?;
        one_wins(&one, &two).await?;
        let stranger = redis(&peer, "hunter2")?;
        let error = stranger.load("a").await.err().ok_or("anybody may read")?;
        ensure(!error.is_permanent() && !error.chain().contains("hunter2"), || error.chain())?;

        // A server that comes back and has forgotten everything: an error at most, and then what is true now.
        peer.restart()?;
        let found = match one.compare_and_swap("a", Some(4), "x").await {
            Ok(found) => found,
            Err(_) => swap(&one, "a", Some(4), "x").await?,
        };
        ensure(found.is_none() && load(&one, "a").await?.is_none(), || format!("{found:?}"))?;
        let found = swap(&one, "a", None, "x").await?;
        ensure(found == record("x", 1), || format!("{found:?}"))
    })
}

#[test]
fn redis_server_with_tls() -> Outcome {
    let authority = Authority::new()?;
    let peer = Redis::start_tls(&authority)?;
    let folder = folder()?;
    let file = folder.path().join("ca.pem");
    std::fs::write(&file, authority.pem()).map_err(|error| error.to_string())?;
    let url = format!("rediss://:{}@{}", Redis::PASSWORD, peer.address());
    on_runtime(async {
        let trusting = format!("{url}?ca={}", file.display());
        promises(&open(&trusting)?, &open(&trusting)?).await?;
        let error = open(&url)?.load("a").await.err().ok_or("an unknown authority is trusted")?;
        ensure(!error.chain().contains(Redis::PASSWORD), || error.chain())
    })
}

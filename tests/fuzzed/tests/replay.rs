//! The committed inputs of every fuzz target, `fuzz/corpus/<target>/`, through the same checks.

#![expect(clippy::unwrap_used, reason = "a test ends where it cannot go on")]

use std::collections::BTreeSet;
use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use fuzzed::TARGETS;

/// What one target may have: the corpora are read by people and by every run of the tests.
const FILES: usize = 200;
const BYTES: usize = 300_000;

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz")
}

fn corpus(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = fuzz().join("corpus").join(target);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    entries.map(|entry| entry.unwrap().path()).map(|path| (path.clone(), fs::read(path).unwrap())).collect()
}

fn replay(target: &str) {
    let check = TARGETS.iter().find(|(name, _)| *name == target).unwrap().1;
    let corpus = corpus(target);
    let bytes: usize = corpus.iter().map(|(_, data)| data.len()).sum();
    assert!((10..=FILES).contains(&corpus.len()), "{} files", corpus.len());
    assert!(bytes <= BYTES, "{bytes} bytes");
    let failed = corpus.iter().filter(|(_, data)| catch_unwind(|| check(data)).is_err());
    let failed: Vec<_> = failed.map(|(path, _)| path.display().to_string()).collect();
    assert!(failed.is_empty(), "\n{}", failed.join("\n"));
}

/// Inputs that nobody chose: a target takes any bytes.
#[test]
fn every_target_takes_anything() {
    for (name, check) in TARGETS {
        for data in [&b""[..], b"\n", b"\n=====\n", b"\xff\xfe\x00", b"\0", &[b'('; 5000], &[b'['; 5000]] {
            assert!(catch_unwind(|| check(data)).is_ok(), "{name}: {data:?}");
        }
    }
}

#[test]
fn every_target_has_a_binary_and_a_corpus() {
    let names: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    let files = |folder: &str| -> BTreeSet<String> {
        let entries = fs::read_dir(fuzz().join(folder)).unwrap();
        entries
            .map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
            .collect()
    };
    assert_eq!(files("fuzz_targets"), names);
    assert_eq!(files("corpus"), names);
    let manifest = fs::read_to_string(fuzz().join("Cargo.toml")).unwrap();
    for name in &names {
        assert!(manifest.contains(&format!("name = \"{name}\"")), "fuzz/Cargo.toml has no binary {name}");
    }
}

macro_rules! replays {
    ($($target:ident)*) => {
        $(#[test]
        fn $target() {
            replay(stringify!($target));
        })*

        #[test]
        fn every_target_is_replayed() {
            let replayed: BTreeSet<&str> = [$(stringify!($target)),*].into();
            assert_eq!(replayed, TARGETS.iter().map(|(name, _)| *name).collect());
        }
    };
}

replays!(broker bumblebee cesql config http jq json manifest routing xmljson xslt);

//! What the binaries are built from: features that a careless dependency could switch on for all of them, and crates
//! that must not come in.

#![expect(clippy::unwrap_used, reason = "a test ends where it cannot go on")]

use std::collections::BTreeSet;
use std::process::Command;

/// Features of these are pinned in `features.txt`: what is written must not depend on `preserve_order` or
/// `arbitrary_precision`, and neither speed nor size on what some other crate happens to want.
const PINNED: [&str; 4] = ["hyper", "rustls", "serde_json", "tokio"];

/// Every package of the binaries with its features, as `name: feature,feature`.
fn packages() -> BTreeSet<String> {
    let tree = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--workspace",
            "--locked",
            "--edges",
            "normal",
            "--prefix",
            "none",
            "--format",
            "{p}|{f}",
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(tree.status.success(), "cargo tree: {}", String::from_utf8_lossy(&tree.stderr));
    let line = |line: &str| {
        let (package, features) = line.split_once('|')?;
        let mut features: Vec<_> = features.trim_end_matches(" (*)").split(',').collect();
        features.sort_unstable();
        Some(format!("{}: {}", package.split(' ').next()?, features.join(" ")))
    };
    String::from_utf8(tree.stdout).unwrap().lines().filter_map(line).collect()
}

#[test]
fn features_are_the_pinned_ones() {
    let pinned = |line: &&String| PINNED.iter().any(|name| line.split(':').next() == Some(name));
    let found: Vec<_> = packages().iter().filter(pinned).cloned().collect();
    let found = found.join("\n") + "\n";
    let committed = include_str!("../features.txt");
    assert!(found == committed, "tests/repo/features.txt should be, if this is wanted:\n{found}");
}

#[test]
fn there_is_one_tls_provider() {
    // librdkafka knows only OpenSSL: `deny.toml` lets its bindings, and nobody else, have `openssl-sys`.
    let unwanted = ["ring", "openssl", "native-tls"];
    let found: Vec<_> = packages()
        .into_iter()
        .filter(|line| unwanted.iter().any(|name| line.split(':').next() == Some(name)))
        .collect();
    assert!(found.is_empty(), "{found:?}");
}

//! The rules of the tree: how files begin and how long they are, and what belongs to an adapter.

#![expect(clippy::unwrap_used, reason = "a test ends where it cannot go on")]

use std::path::{Path, PathBuf};
use std::process::Command;

const LINES: usize = 300;
const LINES_OF_MAIN: usize = 10;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Files under version control that match, from the root.
fn tracked(pattern: &str) -> Vec<PathBuf> {
    let listed =
        Command::new("git").arg("ls-files").arg("-z").arg(pattern).current_dir(root()).output().unwrap();
    assert!(listed.status.success(), "git ls-files: {}", String::from_utf8_lossy(&listed.stderr));
    let text = String::from_utf8(listed.stdout).unwrap();
    let files: Vec<_> = text.split_terminator('\0').map(PathBuf::from).collect();
    // A file that is deleted and not yet committed is no fault.
    files.into_iter().filter(|file| root().join(file).exists()).collect()
}

fn read(file: &Path) -> String {
    std::fs::read_to_string(root().join(file)).unwrap()
}

fn adapters() -> Vec<PathBuf> {
    let manifests = tracked("adapters/*/Cargo.toml");
    assert!(!manifests.is_empty());
    manifests.iter().filter_map(|manifest| manifest.parent()).map(Path::to_owned).collect()
}

#[track_caller]
fn none(faults: &[String]) {
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn every_source_file_is_short_and_says_what_it_is() {
    let mut faults = Vec::new();
    for file in tracked("*.rs") {
        let text = read(&file);
        let lines = text.lines().count();
        if lines > LINES {
            faults.push(format!("{}: {lines} lines, more than {LINES}", file.display()));
        }
        if !text.starts_with("//! ") {
            faults.push(format!("{}: the first line does not say what it is (//! …)", file.display()));
        }
    }
    none(&faults);
}

#[test]
fn the_main_of_an_adapter_only_starts_the_frame() {
    let mut faults = Vec::new();
    for adapter in adapters() {
        let main = adapter.join("src/main.rs");
        let lines = read(&main).lines().count();
        if lines > LINES_OF_MAIN {
            faults.push(format!("{}: {lines} lines, more than {LINES_OF_MAIN}", main.display()));
        }
    }
    none(&faults);
}

#[test]
fn an_adapter_has_all_that_belongs_to_it() {
    let mut faults = Vec::new();
    for adapter in adapters() {
        for needed in ["README.md", "describe.json", "tests/harness.rs", "src/main.rs", "src/config.rs"] {
            if !root().join(&adapter).join(needed).is_file() {
                faults.push(format!("{}: no {needed}", adapter.display()));
            }
        }
        let manifest = read(&adapter.join("Cargo.toml"));
        let folder = adapter.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if !manifest.contains(&format!("name = \"{folder}\"")) {
            faults.push(format!("{}: the crate is not named like its folder", adapter.display()));
        }
        for needed in ["autotests = false", "[lints]\nworkspace = true"] {
            if !manifest.contains(needed) {
                faults.push(format!("{}/Cargo.toml: no {needed:?}", adapter.display()));
            }
        }
    }
    none(&faults);
}

#[test]
fn versions_stand_in_the_root_only() {
    let mut faults = Vec::new();
    for file in tracked("*/Cargo.toml") {
        let text = read(&file);
        // The fuzz targets are a workspace of their own, which is its own root.
        if text.contains("\n[workspace]\n") {
            continue;
        }
        let dependencies = text.split("\n[").filter(|section| section.contains("dependencies]"));
        for line in dependencies.flat_map(str::lines).filter(|line| line.contains('=')) {
            let own = line.contains("version =")
                || line.split_once('=').is_some_and(|(_, value)| value.trim().starts_with('"'));
            if own {
                faults.push(format!("{}: {line}", file.display()));
            }
        }
    }
    none(&faults);
}

//! Collects what every adapter says of itself (`adapters/<name>/describe.json`) into the catalogue the command carries.
#![expect(
    clippy::disallowed_methods,
    reason = "Cargo tells a build script where it is by environment variables"
)]

use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let here = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").ok_or(io::ErrorKind::NotFound)?);
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or(io::ErrorKind::NotFound)?);
    let root = here.join("../..");
    let mut entries = Vec::new();
    for folder in sorted_folders(&root.join("adapters"))? {
        let file = folder.join("describe.json");
        if file.is_file() {
            watch(&file);
            entries.push(fs::read_to_string(&file)?);
        } else {
            watch(&folder);
        }
    }
    // A new adapter is a new package: it shows in the lock file, which changes far less often than the sources do.
    watch(&root.join("Cargo.lock"));
    fs::write(out.join("catalogue.json"), format!("[{}]", entries.join(",")))
}

fn sorted_folders(parent: &Path) -> io::Result<Vec<PathBuf>> {
    let mut folders = Vec::new();
    for entry in fs::read_dir(parent)? {
        let path = entry?.path();
        if path.is_dir() {
            folders.push(path);
        }
    }
    folders.sort();
    Ok(folders)
}

fn watch(path: &Path) {
    println!("cargo::rerun-if-changed={}", path.display());
}

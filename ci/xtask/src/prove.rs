//! `prove`: in a copy of the checkout, a new adapter of every shape keeps the clauses of every binary unchanged, and
//! the generated tables and the command line know it, though nothing outside its folder was edited.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::cli::{Failure, say};
use crate::workspace::Workspace;
use crate::{generate, new};

/// Makes the copy, the adapters in it, and runs everything that a new adapter is held to.
pub fn run(workspace: &Workspace) -> Result<(), Failure> {
    let folder = workspace.target()?.join("prove");
    // Its own build: Cargo tells workspaces apart by paths below their roots, so two of them in one folder would take
    // each other's results for their own.
    let copy = Workspace { root: folder.join("tree"), target: Some(folder.join("target")) };
    if copy.root.exists() {
        fs::remove_dir_all(&copy.root)?;
    }
    copy_files(&workspace.root, &copy.root)?;
    let names = new::one_of_each("acme", |arguments| new::run(&copy, arguments))?;

    generate::run(&copy, false)?;
    generate::run(&copy, true)?;
    for name in &names {
        for chapter in ["C", "L"] {
            copy.conformance(&format!("{name}::{chapter}"))?;
        }
    }
    let list = String::from_utf8(copy.output(&["run", "--quiet", "--bin", "trestle", "--", "list"])?)?;
    let table = fs::read_to_string(copy.root.join("README.md"))?;
    for name in &names {
        for (place, text) in [("trestle list", &list), ("README.md", &table)] {
            if !text.contains(name.as_str()) {
                return Err(format!("{place} does not know {name}").into());
            }
        }
    }
    let binaries: Vec<&str> = names.iter().flat_map(|name| ["--bin", name.as_str()]).collect();
    copy.cargo(&[&["clippy", "--workspace"], binaries.as_slice(), &["--", "-D", "warnings"]].concat())?;
    fs::remove_dir_all(&copy.root)?;
    say(&format!("{} hold without an edit outside their folders", names.join(", ")));
    Ok(())
}

/// Copies the files under version control as they are now, with the times of change, by which Cargo tells what is
/// fresh.
fn copy_files(from: &Path, to: &Path) -> Result<(), Failure> {
    let list = Command::new("git").args(["ls-files", "-z", "--cached"]).current_dir(from).output()?;
    if !list.status.success() {
        return Err("git ls-files failed".into());
    }
    for name in String::from_utf8(list.stdout)?.split('\0').filter(|name| !name.is_empty()) {
        let (source, copy) = (from.join(name), to.join(name));
        // Deleted but not yet committed.
        if !source.is_file() {
            continue;
        }
        if let Some(folder) = copy.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::copy(&source, &copy)?;
        fs::File::options().write(true).open(&copy)?.set_modified(fs::metadata(&source)?.modified()?)?;
    }
    Ok(())
}

//! `t`: the tests of a crate or an adapter, without rebuilding the world.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

use crate::cli::{Failure, say};
use crate::workspace::{Package, Workspace};

/// Tests what is named; everything without a name. `only` filters trials by name.
pub fn run(workspace: &Workspace, names: &[String], only: Option<&str>) -> Result<(), Failure> {
    let adapters = workspace.adapters()?;
    if names.is_empty() {
        workspace.build(&adapters)?;
        let filter: Vec<&str> = only.into_iter().flat_map(|only| ["--", only]).collect();
        return workspace.cargo(&[&["test", "--workspace"], filter.as_slice()].concat());
    }
    let packages = workspace.packages()?;
    for name in names {
        let package =
            packages.iter().find(|package| package.name == *name).ok_or_else(|| unknown(name, &packages))?;
        test(workspace, package, only, adapters.contains(name))?;
    }
    Ok(())
}

fn unknown(name: &str, packages: &[Package]) -> String {
    let mut names: Vec<&str> = packages.iter().map(|package| package.name.as_str()).collect();
    names.sort_unstable();
    format!("nothing is called {name}; there are: {}", names.join(", "))
}

fn test(
    workspace: &Workspace,
    package: &Package,
    only: Option<&str>,
    is_adapter: bool,
) -> Result<(), Failure> {
    for target in &package.targets {
        let (kind, selection) = if target.is("test") {
            ("test", vec!["--test", target.name.as_str()])
        } else if target.is("bin") {
            ("bin", vec!["--bin", target.name.as_str()])
        } else if target.is("lib") {
            ("lib", vec!["--lib"])
        } else {
            continue;
        };
        if kind == "test" && target.name == "conformance" {
            workspace.build(&workspace.adapters()?)?;
        }
        for executable in executables(workspace, &selection, &target.src_path)? {
            execute(&executable, &target.src_path, only.as_slice())?;
        }
    }
    if is_adapter {
        conformance(workspace, &package.name, only)?;
    }
    Ok(())
}

/// The clauses of one adapter, whose trials are named `<adapter>::<clause>`.
fn conformance(workspace: &Workspace, name: &str, only: Option<&str>) -> Result<(), Failure> {
    workspace.build(&[name.to_owned()])?;
    let filter = format!("{name}::{}", only.unwrap_or_default());
    workspace.cargo(&["test", "--workspace", "--test", "conformance", "--", &filter])
}

/// Builds the tests that the selection names and gives those that start from `source`.
///
/// `--lib` has no name to select by, so Cargo builds the unit tests of every library, and only one is run.
fn executables(workspace: &Workspace, selection: &[&str], source: &Path) -> Result<Vec<PathBuf>, Failure> {
    #[derive(Deserialize)]
    struct Message {
        executable: Option<PathBuf>,
        target: Option<Built>,
    }
    #[derive(Deserialize)]
    struct Built {
        src_path: PathBuf,
    }
    let build = ["test", "--workspace", "--no-run", "--message-format", "json-render-diagnostics"];
    let output = workspace.output(&[&build, selection].concat())?;
    let mut found = Vec::new();
    for line in output.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let message: Message = serde_json::from_slice(line)?;
        if let (Some(executable), Some(target)) = (message.executable, message.target)
            && target.src_path == source
        {
            found.push(executable);
        }
    }
    Ok(found)
}

/// Runs a test program as Cargo does: in its package's folder, which is above its sources.
fn execute(executable: &Path, source: &Path, filter: &[&str]) -> Result<(), Failure> {
    let package = source.ancestors().skip(1).find(|folder| folder.join("Cargo.toml").is_file());
    let package = package.ok_or("the test's package has no folder")?;
    say(&format!("running {}", executable.display()));
    let status = Command::new(executable).args(filter).current_dir(package).status()?;
    if status.success() { Ok(()) } else { Err(format!("{} failed", executable.display()).into()) }
}

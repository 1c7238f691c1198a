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
        workspace.build(&[])?;
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
    if is_adapter {
        workspace.build(std::slice::from_ref(&package.name))?;
    } else if package.manifest_path.starts_with(workspace.root.join("tests")) {
        // These run the real binaries.
        workspace.build(&[])?;
    }
    for target in &package.targets {
        let selection = if target.is("test") {
            vec!["--test", target.name.as_str()]
        } else if target.is("bin") {
            vec!["--bin", target.name.as_str()]
        } else if target.is("lib") {
            vec!["--lib"]
        } else {
            continue;
        };
        for executable in executables(workspace, &selection, &target.src_path)? {
            execute(&executable, &package.manifest_path, only.as_slice())?;
        }
    }
    if is_adapter {
        let filter = format!("{}::{}", package.name, only.unwrap_or_default());
        workspace.conformance(&filter)?;
    }
    Ok(())
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

/// Runs a test program as Cargo does: in its package's folder.
fn execute(executable: &Path, manifest: &Path, filter: &[&str]) -> Result<(), Failure> {
    let folder = manifest.parent().ok_or("the test's package has no folder")?;
    say(&format!("running {}", executable.display()));
    let mut command = Command::new(executable);
    command.args(filter).current_dir(folder).env("CARGO_MANIFEST_DIR", folder);
    if command.status()?.success() { Ok(()) } else { Err(format!("{} failed", executable.display()).into()) }
}

//! The checkout: where it is, what is in it, and Cargo run in it with the workspace selected.
//!
//! A bare `-p NAME` resolves features for that package alone and so rebuilds the world; `--workspace` with a filter
//! on targets does not.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;

use crate::cli::{Failure, say};

/// The checkout around the current folder.
pub struct Workspace {
    /// Its top folder.
    pub root: PathBuf,
    /// Where Cargo builds, if not where it would by itself.
    pub target: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    target_directory: PathBuf,
}

/// A member of the workspace.
#[derive(Deserialize)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its `Cargo.toml`.
    pub manifest_path: PathBuf,
    /// What it builds.
    pub targets: Vec<Target>,
    /// What it names in its `Cargo.toml`.
    pub dependencies: Vec<Dependency>,
}

/// A dependency of a package.
#[derive(Deserialize)]
pub struct Dependency {
    /// The package that it needs.
    pub name: String,
    /// `dev`, `build`, or nothing for an ordinary one.
    pub kind: Option<String>,
}

/// A library, binary or test of a package.
#[derive(Deserialize)]
pub struct Target {
    /// Its name.
    pub name: String,
    /// `lib`, `bin`, `test`, …
    pub kind: Vec<String>,
    /// The file it starts from.
    pub src_path: PathBuf,
}

impl Target {
    /// Whether it is of this kind.
    pub fn is(&self, kind: &str) -> bool {
        self.kind.iter().any(|known| known == kind)
    }
}

impl Workspace {
    /// Looks upwards from the current folder.
    pub fn find() -> Result<Self, Failure> {
        let here = std::env::current_dir()?;
        let root = here.ancestors().find(|folder| folder.join("ci/xtask/Cargo.toml").is_file());
        Ok(Self { root: root.ok_or("not inside a checkout of trestle")?.to_path_buf(), target: None })
    }

    /// The names of all adapters, sorted.
    pub fn adapters(&self) -> Result<Vec<String>, Failure> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(self.root.join("adapters"))? {
            let entry = entry?;
            if entry.path().join("Cargo.toml").is_file() {
                names.push(entry.file_name().into_string().map_err(|name| format!("{name:?} is not UTF-8"))?);
            }
        }
        names.sort();
        Ok(names)
    }

    /// The folder of an adapter.
    pub fn adapter(&self, name: &str) -> PathBuf {
        self.root.join("adapters").join(name)
    }

    /// The members of the workspace.
    pub fn packages(&self) -> Result<Vec<Package>, Failure> {
        Ok(self.metadata()?.packages)
    }

    /// Where Cargo builds.
    pub fn target(&self) -> Result<PathBuf, Failure> {
        Ok(self.metadata()?.target_directory)
    }

    fn metadata(&self) -> Result<Metadata, Failure> {
        Ok(serde_json::from_slice(&self.output(&["metadata", "--format-version", "1", "--no-deps"])?)?)
    }

    /// Runs Cargo, its output shown.
    pub fn cargo(&self, arguments: &[&str]) -> Result<(), Failure> {
        say(&format!("cargo {}", arguments.join(" ")));
        let status = self.command(arguments).status()?;
        if status.success() { Ok(()) } else { Err(format!("cargo {} failed", arguments.join(" ")).into()) }
    }

    /// Runs Cargo for what it writes to its standard output.
    pub fn output(&self, arguments: &[&str]) -> Result<Vec<u8>, Failure> {
        let output = self.command(arguments).stderr(Stdio::inherit()).output()?;
        if !output.status.success() {
            return Err(format!("cargo {} failed", arguments.join(" ")).into());
        }
        Ok(output.stdout)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("cargo");
        command.args(arguments).current_dir(&self.root).stdin(Stdio::null());
        if let Some(target) = &self.target {
            command.env("CARGO_TARGET_DIR", target);
        }
        command
    }

    /// Builds binaries in the profile of this program and gives their folder, which is this program's own; in a copy
    /// of the checkout in the dev profile.
    pub fn build(&self, names: &[String]) -> Result<PathBuf, Failure> {
        let folder = match &self.target {
            Some(target) => target.join("debug"),
            None => {
                let program = std::env::current_exe()?;
                program.parent().ok_or("this program has no folder")?.to_path_buf()
            }
        };
        let profile = profile(&folder)?;
        self.cargo(&build_arguments(&profile, names))?;
        Ok(folder)
    }

    /// Runs the conformance trials whose name holds `filter`; none at all is a failure.
    pub fn conformance(&self, filter: &str) -> Result<(), Failure> {
        if self.trials(filter, &[])? { Ok(()) } else { Err(format!("no trial is named {filter}").into()) }
    }

    /// Runs the conformance trials whose name holds `filter`, with these variables; whether there were any.
    pub fn trials(&self, filter: &str, variables: &[(&str, &str)]) -> Result<bool, Failure> {
        let arguments = ["test", "--workspace", "--test", "conformance", "--", filter];
        say(&format!("cargo {}", arguments.join(" ")));
        let mut child =
            self.command(&arguments).envs(variables.iter().copied()).stdout(Stdio::piped()).spawn()?;
        let mut ran = false;
        let lines = BufReader::new(child.stdout.take().ok_or("no standard output")?).lines();
        for line in lines {
            let line = line?;
            ran |= line.starts_with("test ") && line.contains("... ");
            writeln!(std::io::stdout().lock(), "{line}")?;
        }
        if child.wait()?.success() { Ok(ran) } else { Err(format!("trials of {filter} failed").into()) }
    }
}

/// `cargo build` of these binaries with the workspace selected.
pub fn build_arguments<'a>(profile: &'a str, names: &'a [String]) -> Vec<&'a str> {
    let mut arguments = vec!["build", "--workspace", "--profile", profile];
    arguments.extend(names.iter().flat_map(|name| ["--bin", name.as_str()]));
    arguments
}

/// Cargo names a profile's folder after the profile, but for `dev`.
fn profile(folder: &Path) -> Result<String, Failure> {
    let name =
        folder.file_name().and_then(|name| name.to_str()).ok_or("this program's folder has no name")?;
    Ok(if name == "debug" { "dev" } else { name }.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_profile_is_the_folder_but_for_dev() {
        assert_eq!(profile(Path::new("/a/target/debug")).unwrap(), "dev");
        assert_eq!(profile(Path::new("/a/target/release")).unwrap(), "release");
    }

    #[test]
    fn binaries_are_built_with_the_workspace_selected() {
        let names = ["a-source".to_owned(), "b-target".to_owned()];
        let expected = ["build", "--workspace", "--profile", "dev", "--bin", "a-source", "--bin", "b-target"];
        assert_eq!(build_arguments("dev", &names), expected);
    }
}

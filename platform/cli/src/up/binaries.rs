//! Where the components' binaries are: built in a checkout, else beside this command or on PATH.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde::Deserialize;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;

/// The binaries by name of adapter.
pub type Binaries = BTreeMap<String, PathBuf>;

/// What to look for, and where.
pub struct Finder {
    /// The root of the checkout, when there is one.
    checkout: Option<PathBuf>,
    profile: String,
    /// The folder of this command.
    beside: Option<PathBuf>,
    path: Vec<PathBuf>,
    /// What has been found: an edit of the manifest builds only what it adds.
    known: Binaries,
}

impl Finder {
    /// Looks at where this command lies and at the current folder; `build` is whether to build in a checkout.
    pub fn new(build: bool) -> Finder {
        let executable = std::env::current_exe().ok();
        let beside = executable.as_deref().and_then(Path::parent).map(Path::to_owned);
        let current = std::env::current_dir().ok();
        let starts = [&beside, &current].into_iter().flatten().filter(|_| build);
        let checkout = starts.into_iter().find_map(|start| checkout_above(start));
        // target/<folder of the profile>/trestle; the folder of the profile `dev` is `debug`.
        let profile = beside.as_deref().and_then(Path::file_name).and_then(|name| name.to_str());
        let profile = match profile {
            Some("release") => "release",
            Some("image") => "image",
            _ => "dev",
        };
        let path = std::env::var_os("PATH").map(|path| std::env::split_paths(&path).collect());
        Finder {
            checkout,
            profile: profile.to_owned(),
            beside,
            path: path.unwrap_or_default(),
            known: Binaries::new(),
        }
    }

    /// The binaries of these adapters, built first in a checkout.
    ///
    /// # Errors
    /// What is missing and where it was looked for, or that the build failed.
    pub async fn find(&mut self, adapters: &BTreeSet<&str>) -> Result<Binaries, String> {
        let wanted: BTreeSet<&str> =
            adapters.iter().copied().filter(|name| !self.known.contains_key(*name)).collect();
        if !wanted.is_empty() {
            let found = match &self.checkout {
                Some(root) => match self.build(root, &wanted).await {
                    Err(Build::NoCargo) => self.search(&wanted)?,
                    Err(Build::Failed(why)) => return Err(why),
                    Ok(found) => found,
                },
                None => self.search(&wanted)?,
            };
            self.known.extend(found);
        }
        Ok(self.known.clone())
    }

    fn search(&self, adapters: &BTreeSet<&str>) -> Result<Binaries, String> {
        let mut found = Binaries::new();
        let mut missing = Vec::new();
        for name in adapters {
            let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
            let folders = self.beside.iter().chain(&self.path);
            match folders.map(|folder| folder.join(&file)).find(|path| path.is_file()) {
                Some(path) => drop(found.insert((*name).to_owned(), path)),
                None => missing.push(*name),
            }
        }
        if missing.is_empty() {
            return Ok(found);
        }
        let beside = self.beside.as_deref().map(|path| format!(" ({})", path.display())).unwrap_or_default();
        Err(format!("missing: {}; looked beside this command{beside} and on PATH", missing.join(", ")))
    }

    async fn build(&self, root: &Path, adapters: &BTreeSet<&str>) -> Result<Binaries, Build> {
        // `cargo run` says which cargo it was.
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        command.current_dir(root).args(["build", "--workspace", "--profile", &self.profile]);
        command.arg("--message-format=json-render-diagnostics");
        for name in adapters {
            command.args(["--bin", name]);
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().map_err(|_| Build::NoCargo)?;
        let mut found = Binaries::new();
        if let Some(stdout) = child.stdout.take() {
            let mut lines = BufReader::new(stdout).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                if let Ok(Message { target, executable: Some(executable) }) = serde_json::from_str(&line) {
                    found.insert(target.name, executable);
                }
            }
        }
        let status = child.wait().await.map_err(|error| Build::Failed(format!("cargo build: {error}")))?;
        if !status.success() {
            let bins: String = adapters.iter().map(|name| format!(" --bin {name}")).collect();
            return Err(Build::Failed(format!("cargo build --workspace{bins} failed (see above)")));
        }
        match adapters.iter().find(|name| !found.contains_key(**name)) {
            Some(name) => Err(Build::Failed(format!("cargo build made no binary {name}"))),
            None => Ok(found),
        }
    }
}

enum Build {
    /// A checkout on a machine without Rust.
    NoCargo,
    Failed(String),
}

/// What Cargo says of an artefact.
#[derive(Deserialize)]
struct Message {
    target: Target,
    executable: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

/// The root of our workspace at or above a folder.
fn checkout_above(start: &Path) -> Option<PathBuf> {
    let ours =
        |root: &&Path| root.join("Cargo.toml").is_file() && root.join("platform/cli/Cargo.toml").is_file();
    start.ancestors().find(ours).map(Path::to_owned)
}

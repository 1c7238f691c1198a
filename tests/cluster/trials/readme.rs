//! The README's commands for Knative and for Helm, run as they are written there.

use std::fs::{self, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, iter};

use kit::{Failure, Folder, ensure};
use peers::helm::{self, Release};

use crate::kubectl::kubectl;
use crate::setup;

/// What stands in the README for a registry, and the tag of its images.
const REGISTRY: &str = "registry.example.com/trestle";
const TAG: &str = "1.0";
/// The namespace here.
const NAMESPACE: &str = "trestle-readme";

/// A bridge that is rendered and applied, then a ContainerSource beside it: events of all three sources are shown.
pub fn knative() -> Result<(), Failure> {
    let section = Section::read("### Knative")?;
    let said = section.run(&section.commands)?;
    for needed in ["HTTP/1.1 204", "com.example.hook", "Hello from the quickstart", "tick"] {
        ensure(said.contains(needed), || format!("no {needed} in: {said}"))?;
    }
    Ok(())
}

/// A release of the chart: an order is accepted and shown. Helm is there as a library, without its command line.
pub fn helm() -> Result<(), Failure> {
    let section = Section::read("### Helm")?;
    let (line, rest) = section.commands.split_once('\n').ok_or("no commands")?;
    let values = section.folder.path().join("values.yaml").display().to_string();
    let expected = format!(
        "helm install events charts/trestle --namespace {NAMESPACE} --create-namespace --values {values} --wait"
    );
    ensure(line == expected, || format!("{line:?} is not {expected:?}"))?;
    let kubeconfig = PathBuf::from(env::var_os("KUBECONFIG").ok_or("KUBECONFIG is not set")?);
    let text = fs::read_to_string(&values).map_err(|error| format!("{values}: {error}"))?;
    Release { kubeconfig: &kubeconfig, namespace: NAMESPACE, name: "events" }
        .install(&setup::root().join("charts/trestle"), &helm::values(&text)?)?;
    kubectl(
        &[
            "wait",
            "deployments",
            "--all",
            "--for=condition=Available",
            "--timeout=180s",
            "--namespace",
            NAMESPACE,
        ],
        "",
    )?;
    let said = section.run(rest)?;
    for needed in ["HTTP/1.1 204", "com.example.order"] {
        ensure(said.contains(needed), || format!("no {needed} in: {said}"))?;
    }
    Ok(())
}

/// A section of the README, its images, namespace, files and port replaced by those of a trial.
struct Section {
    commands: String,
    /// Its files, and programs that come before others.
    folder: Folder,
}

impl Section {
    fn read(heading: &str) -> Result<Self, Failure> {
        kubectl(&["delete", "namespace", NAMESPACE, "--ignore-not-found", "--timeout", "120s"], "")?;
        let file = setup::root().join("README.md");
        let readme = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        let (_, rest) = readme
            .split_once(&format!("{heading}\n"))
            .ok_or_else(|| format!("the README has no {heading}"))?;
        let text =
            rest.split("\n## ").next().and_then(|text| text.split("\n### ").next()).unwrap_or_default();
        let folder = Folder::new()?;
        let port = free_port()?;
        let mut commands = ours(&blocks(text, "sh").concat())
            .replace("cargo trestle", &kit::process::binaries().join("trestle").display().to_string())
            .replace(" 8080:80", &format!(" {port}:80"))
            .replace("http://127.0.0.1:8080", &format!("http://127.0.0.1:{port}"));
        for block in blocks(text, "yaml") {
            // The first line is a comment with the name.
            let name = block.strip_prefix("# ").and_then(|text| text.lines().next()).unwrap_or_default();
            let file = folder.path().join(name);
            write(&file, &ours(block), 0o644)?;
            commands = commands.replace(&format!(" {name}"), &format!(" {}", file.display()));
        }
        // A person is slower than a way into the cluster, or than an event through it; this is not.
        let curl = "exec /usr/bin/curl --retry 30 --retry-all-errors --retry-delay 1 \"$@\"";
        let logs = format!("case \" $* \" in *' logs '*) sleep 8;; esac\nexec {} \"$@\"", which("kubectl")?);
        for (name, text) in [("curl", curl), ("kubectl", &logs)] {
            write(&folder.path().join(name), &format!("#!/bin/sh\n{text}\n"), 0o755)?;
        }
        Ok(Self { commands, folder })
    }

    /// Runs commands; what they print.
    fn run(&self, commands: &str) -> Result<String, Failure> {
        let path = env::var_os("PATH").unwrap_or_default();
        let folders = iter::once(self.folder.path().to_owned()).chain(env::split_paths(&path));
        let script = format!("trap 'kill $(jobs -p)' EXIT\n{commands}");
        let mut shell = Command::new("bash");
        shell.args(["-euxo", "pipefail", "-c", &script]).current_dir(setup::root());
        shell.env("PATH", env::join_paths(folders).map_err(|error| error.to_string())?);
        let output = shell.output().map_err(|error| format!("bash: {error}"))?;
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        ensure(output.status.success(), || {
            let objects = ["get", "pods,events", "--namespace", NAMESPACE];
            format!("{said}\n{}", kubectl(&objects, "").unwrap_or_default())
        })?;
        Ok(said)
    }
}

impl Drop for Section {
    fn drop(&mut self) {
        let _ = kubectl(&["delete", "namespace", NAMESPACE, "--ignore-not-found", "--wait=false"], "");
    }
}

/// A text of the README with the images and the namespace of the trial.
fn ours(text: &str) -> String {
    let (registry, tag, policy) = setup::registry();
    text.replace(&format!("--tag {TAG}"), &format!("--tag {tag}"))
        .replace(&format!("tag: \"{TAG}\""), &format!("tag: {tag}, pullPolicy: {policy}"))
        .replace(&format!("ping-source:{TAG}"), &format!("ping-source:{tag}"))
        .replace("namespace shop", &format!("namespace {NAMESPACE}"))
        .replace(REGISTRY, &registry)
}

/// The code blocks of a language.
fn blocks<'a>(text: &'a str, language: &str) -> Vec<&'a str> {
    let open = format!("```{language}\n");
    text.split(&open).skip(1).map(|rest| rest.split("```").next().unwrap_or_default()).collect()
}

fn which(program: &str) -> Result<String, Failure> {
    let path = env::var_os("PATH").unwrap_or_default();
    let found = env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file());
    found.map(|file| file.display().to_string()).ok_or_else(|| format!("{program} is not installed"))
}

fn write(file: &Path, text: &str, mode: u32) -> Result<(), Failure> {
    let fault = |error: std::io::Error| format!("{}: {error}", file.display());
    fs::write(file, text).map_err(fault)?;
    fs::set_permissions(file, Permissions::from_mode(mode)).map_err(fault)
}

fn free_port() -> Result<u16, Failure> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
    Ok(listener.local_addr().map_err(|error| error.to_string())?.port())
}

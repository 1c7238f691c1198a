//! The commands of the README's chapter on containers, run as they are written there.

use std::fs::{self, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use kit::{Failure, ensure};

use crate::build::{output, root};
use crate::container::{Container, podman, with_podman};

/// The heading under which they are.
const CHAPTER: &str = "### As a container";
/// What podman needs to let containers of a network find each other by name, as docker does.
const NAMES: (&str, &str) = ("/usr/lib/cni/dnsname", "golang-github-containernetworking-plugin-dnsname");

/// An order goes in, is answered with 204, and is on the display.
pub fn works() -> Result<(), Failure> {
    podman(&["version"])?;
    peers::install::debian("buildah", "buildah")?;
    peers::install::debian("curl", "curl")?;
    if !Path::new(NAMES.0).exists() {
        output(Command::new("apt-get").args(["install", "-y", "--no-install-recommends", NAMES.1]))?;
    }
    let port = free_port()?;
    let commands = commands()?
        .replace("-p 8080:8080", &format!("-p 127.0.0.1:{port}:8080"))
        .replace("http://127.0.0.1:8080", &format!("http://127.0.0.1:{port}"));
    let programs = tempfile::tempdir().map_err(|error| error.to_string())?;
    program(&programs.path().join("docker"), "exec podman \"$@\"")?;
    // A person is slower than the start of a container; this is not.
    program(
        &programs.path().join("curl"),
        "exec /usr/bin/curl --retry 20 --retry-all-errors --retry-delay 1 \"$@\"",
    )?;
    // What a run that failed may have left.
    let _clean = [Container::named("hooks"), Container::named("display")];
    let mut shell = Command::new("bash");
    shell.args(["-euxc", &commands]).current_dir(root()).env("CONTAINER_TOOL", "buildah");
    shell.env_remove("IMAGE_TAG").env_remove("IMAGE_PREFIX");
    let said = with_podman(&mut shell, Some(programs.path()));
    let removed = podman(&["network", "rm", "--force", "trestle"]);
    let said = said?;
    removed?;
    ensure(said.contains("HTTP/1.1 204"), || format!("the order is not accepted: {said}"))?;
    ensure(said.contains("com.example.order"), || format!("the order is not on the display: {said}"))
}

/// The block of commands in that chapter.
fn commands() -> Result<String, Failure> {
    let readme = fs::read_to_string(root().join("README.md")).map_err(|error| error.to_string())?;
    let block = readme.split_once(CHAPTER).and_then(|(_, chapter)| {
        let (_, rest) = chapter.split_once("```sh\n")?;
        Some(rest.split_once("```")?.0.to_owned())
    });
    block.ok_or_else(|| format!("the README has no commands under {CHAPTER:?}"))
}

fn program(file: &Path, text: &str) -> Result<(), Failure> {
    let fault = |error: std::io::Error| format!("{}: {error}", file.display());
    fs::write(file, format!("#!/bin/sh\n{text}\n")).map_err(fault)?;
    fs::set_permissions(file, Permissions::from_mode(0o755)).map_err(fault)
}

fn free_port() -> Result<u16, Failure> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
    Ok(listener.local_addr().map_err(|error| error.to_string())?.port())
}

//! The README's commands for containers and for Compose, run as they are written there.

use std::fs::{self, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use kit::{Failure, Folder, ensure};

use crate::build::{output, root};
use crate::container::{Container, podman, with_podman};

/// The network that the first of them make.
const NETWORK: &str = "trestle";
/// The name of the project of Compose.
const PROJECT: &str = "trestlereadme";
/// What podman needs to let containers of a network find each other by name, as docker does.
const NAMES: (&str, &str) = ("/usr/lib/cni/dnsname", "golang-github-containernetworking-plugin-dnsname");

/// `docker run`: an order goes in, is answered with 204, and is on the display.
pub fn works() -> Result<(), Failure> {
    let port = free_port()?;
    let commands = commands("### docker run")?
        .replace("-p 8080:8080", &format!("-p 127.0.0.1:{port}:8080"))
        .replace("http://127.0.0.1:8080", &format!("http://127.0.0.1:{port}"));
    let remove = || match podman(&["network", "exists", NETWORK]) {
        Ok(_) => podman(&["network", "rm", "--force", NETWORK]).map(drop),
        Err(_) => Ok(()),
    };
    let _clean = [Container::named("hooks")?, Container::named("display")?];
    remove()?;
    let programs = programs()?;
    let said = run(&commands, &programs);
    let removed = remove();
    let said = said?;
    removed?;
    ensure(said.contains("HTTP/1.1 204"), || format!("the order is not accepted: {said}"))?;
    ensure(said.contains("com.example.order"), || format!("the order is not on the display: {said}"))
}

/// Compose: the quickstart, rendered, shows what its clock and its webhook send.
pub fn compose() -> Result<(), Failure> {
    peers::install::debian("podman-compose", "podman-compose")?;
    let programs = programs()?;
    let file = programs.path().join("compose.yaml").display().to_string();
    let (hooks, broker) = (free_port()?, free_port()?);
    let published = [("127.0.0.1:8080:", hooks), ("127.0.0.1:8081:", broker)];
    let ports: String =
        published.iter().map(|(port, free)| format!(" -e 's/{port}/127.0.0.1:{free}:/'")).collect();
    let commands = commands("### Compose")?
        .replace("> compose.yaml", &format!("| sed{ports} > {file}"))
        .replace("http://127.0.0.1:8080", &format!("http://127.0.0.1:{hooks}"));
    let said = run(&commands, &programs);
    // Of a run that failed; and podman-compose, unlike docker, keeps the network.
    let remove = format!(
        "test ! -e {file} || docker compose down\n\
         ! podman network exists {PROJECT}_default || podman network rm --force {PROJECT}_default\n\
         podman images --format '{{{{.Repository}}}}:{{{{.Tag}}}}' | sed -n '\\|^localhost/trestle/|p' | \
         xargs --no-run-if-empty podman rmi"
    );
    let down = run(&remove, &programs);
    let said = said?;
    down?;
    for needed in ["HTTP/1.1 204", "com.example.hook", "Hello from the quickstart"] {
        ensure(said.contains(needed), || format!("no {needed} in: {said}"))?;
    }
    Ok(())
}

/// The folder with what is run in place of docker and curl.
fn programs() -> Result<Folder, Failure> {
    podman(&["version"])?;
    peers::install::debian("buildah", "buildah")?;
    peers::install::debian("curl", "curl")?;
    if !Path::new(NAMES.0).exists() {
        output(Command::new("apt-get").args(["install", "-y", "--no-install-recommends", NAMES.1]))?;
    }
    let programs = Folder::new()?;
    let folder = programs.path();
    // The clock has had its time before what it sent is asked for.
    let docker = format!(
        "[ \"$1\" = compose ] || exec podman \"$@\"\n\
         [ \"$2\" != logs ] || sleep 5\n\
         shift\nexec podman-compose -p {PROJECT} -f {}/compose.yaml \"$@\"",
        folder.display()
    );
    program(&folder.join("docker"), &docker)?;
    // A person is slower than the start of a container; this is not.
    program(&folder.join("curl"), "exec /usr/bin/curl --retry 20 --retry-all-errors --retry-delay 1 \"$@\"")?;
    Ok(programs)
}

/// Runs commands in the checkout; what they print.
fn run(commands: &str, programs: &Folder) -> Result<String, Failure> {
    let mut shell = Command::new("bash");
    shell.args(["-euxo", "pipefail", "-c", commands]).current_dir(root()).env("CONTAINER_TOOL", "buildah");
    shell.env_remove("IMAGE_TAG").env_remove("IMAGE_PREFIX");
    with_podman(&mut shell, Some(programs.path()))
}

/// The block of commands under a heading.
fn commands(heading: &str) -> Result<String, Failure> {
    let readme = fs::read_to_string(root().join("README.md")).map_err(|error| error.to_string())?;
    let block = readme.split_once(&format!("{heading}\n")).and_then(|(_, chapter)| {
        let (_, rest) = chapter.split_once("```sh\n")?;
        Some(rest.split_once("```")?.0.to_owned())
    });
    block.ok_or_else(|| format!("the README has no commands under {heading:?}"))
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

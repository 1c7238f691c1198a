//! Containers of podman and runc, with a read-only root, no capability, and no way to get one.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::{env, fs, iter, process};

use kit::{Failure, Folder, Line, Request, Response, ensure, eventually};

use crate::build::{output, root};

/// What no container of this test is granted.
const CONFINED: [&str; 8] = [
    "--read-only",
    "--read-only-tmpfs=false",
    "--cap-drop",
    "all",
    "--security-opt",
    "no-new-privileges",
    "--pull",
    "never",
];
/// By which containers of this test are known.
const LABEL: &str = "trestle.trial";
/// The user of all images.
const USER: &str = "65532";

/// Runs podman, which comes from Debian where it is not there; what it prints.
///
/// # Errors
/// When it fails.
pub fn podman(arguments: &[&str]) -> Result<String, Failure> {
    static INSTALLED: OnceLock<Result<(), Failure>> = OnceLock::new();
    let install = || {
        peers::install::debian("podman", "podman")?;
        peers::install::debian("runc", "runc")?;
        // Those of a run that was killed.
        let left = with_podman(
            Command::new("podman").args(["ps", "--all", "--quiet", "--filter"]).arg(format!("label={LABEL}")),
            None,
        )?;
        left.lines().try_for_each(remove)
    };
    INSTALLED.get_or_init(install).clone()?;
    with_podman(Command::new("podman").args(arguments), None)
}

/// Runs a command that may call podman, in a folder of programs that come before others; what it prints.
///
/// # Errors
/// When it fails.
pub fn with_podman(command: &mut Command, programs: Option<&Path>) -> Result<String, Failure> {
    command.env("CONTAINERS_CONF", root().join("tests/images/containers.conf"));
    if let Some(programs) = programs {
        let path = env::var_os("PATH").unwrap_or_default();
        let folders = iter::once(programs.to_owned()).chain(env::split_paths(&path));
        command.env("PATH", env::join_paths(folders).map_err(|error| error.to_string())?);
    }
    output(command)
}

/// Kills and removes a container, if there is one of that name.
fn remove(name: &str) -> Result<(), Failure> {
    with_podman(Command::new("podman").args(["rm", "--force", "--ignore", "--time", "0", name]), None)
        .map(drop)
}

/// A running container. Dropping it kills and removes it.
pub struct Container {
    name: String,
}

impl Container {
    /// Starts an image with that much memory (`32m`), with more options for podman and this environment.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(
        image: &str,
        memory: &str,
        options: &[String],
        environment: &[(&str, String)],
    ) -> Result<Self, Failure> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let container = Self { name: format!("trestle-{}-{number}", process::id()) };
        let mut arguments = vec!["run", "--detach", "--name", &container.name, "--label", LABEL];
        arguments.extend(CONFINED);
        arguments.extend(["--memory", memory, "--memory-swap", memory]);
        arguments.extend(options.iter().map(String::as_str));
        let environment: Vec<String> =
            environment.iter().map(|(name, value)| format!("{name}={value}")).collect();
        arguments.extend(environment.iter().flat_map(|setting| ["--env", setting]));
        arguments.push(image);
        podman(&arguments)?;
        Ok(container)
    }

    /// One that serves on 127.0.0.1 of this machine, on a port of its own.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn on_loopback(image: &str, memory: &str, environment: &[(&str, String)]) -> Result<Self, Failure> {
        let own = ["HOST", "METRICS_PROMETHEUS_HOST"].map(|name| (name, "127.0.0.1".to_owned()));
        let ports = ["PORT", "METRICS_PROMETHEUS_PORT"].map(|name| (name, "0".to_owned()));
        let all = [&own[..], &ports, environment].concat();
        Self::start(image, memory, &["--network=host".to_owned()], &all)
    }

    /// One that somebody else starts; not there yet, whatever an earlier run has left.
    ///
    /// # Errors
    /// When that cannot be removed.
    pub fn named(name: &str) -> Result<Self, Failure> {
        remove(name)?;
        Ok(Self { name: name.to_owned() })
    }

    /// One file of an image.
    ///
    /// # Errors
    /// When it is not there.
    pub fn file(image: &str, path: &str) -> Result<Vec<u8>, Failure> {
        let container = Self { name: podman(&["create", "--pull", "never", image])? };
        let folder = Folder::new()?;
        let copy = folder.path().join("file");
        podman(&["cp", &format!("{}:{path}", container.name), &copy.display().to_string()])?;
        fs::read(copy).map_err(|error| format!("{path} of {image}: {error}"))
    }

    /// One fact of `podman inspect`.
    ///
    /// # Errors
    /// When it cannot be told.
    pub fn inspect(&self, template: &str) -> Result<String, Failure> {
        podman(&["container", "inspect", "--format", template, &self.name])
    }

    /// The log so far.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn log(&self) -> Result<Vec<Line>, Failure> {
        // The container's standard error comes on podman's.
        let logs =
            Command::new("podman").args(["logs", &self.name]).output().map_err(|error| error.to_string())?;
        let text = String::from_utf8_lossy(&[logs.stdout, logs.stderr].concat()).into_owned();
        let line =
            |text: &str| Line { text: text.to_owned(), json: serde_json::from_str(text).unwrap_or_default() };
        Ok(text.lines().map(line).collect())
    }

    /// The log as text, for a message.
    pub fn said(&self) -> String {
        let lines = self.log().unwrap_or_default();
        lines.into_iter().map(|line| line.text + "\n").collect()
    }

    /// Waits for a line of the log.
    ///
    /// # Errors
    /// When it does not come.
    pub fn line(&self, message: &str) -> Result<Line, Failure> {
        let found = || self.log().ok()?.into_iter().find(|line| line.field("message") == message);
        eventually(&format!("a line {message:?}"), found).map_err(|error| format!("{error}\n{}", self.said()))
    }

    /// Where it serves on this machine: on loopback itself, or by its published port.
    ///
    /// # Errors
    /// When it does not.
    pub fn door(&self) -> Result<SocketAddr, Failure> {
        let address = match podman(&["port", &self.name, "8080/tcp"]) {
            Ok(published) if !published.is_empty() => published,
            _ => self.line("listening")?.field("address").to_owned(),
        };
        address.parse().map_err(|_| format!("{address:?} is no address"))
    }

    /// Its address in its network.
    ///
    /// # Errors
    /// When it has none.
    pub fn address(&self) -> Result<IpAddr, Failure> {
        let address = self.inspect("{{.NetworkSettings.IPAddress}}")?;
        address.parse().map_err(|_| format!("{address:?} is no address"))
    }

    /// Waits until it is ready.
    ///
    /// # Errors
    /// When it does not become ready.
    pub fn ready(&self) -> Result<(), Failure> {
        let door = self.door()?;
        eventually("readiness", || self.get(door, "/readyz").filter(|answer| answer.status == 200))
            .map(drop)
            .map_err(|error| format!("{error}\n{}", self.said()))
    }

    /// What it answers to a question.
    pub fn get(&self, door: SocketAddr, path: &str) -> Option<Response> {
        Request::get(path).send(door).ok()
    }

    /// The process as the machine sees it.
    ///
    /// # Errors
    /// When it has ended.
    pub fn process(&self, file: &str) -> Result<String, Failure> {
        let path = format!("/proc/{}/{file}", self.inspect("{{.State.Pid}}")?);
        fs::read_to_string(&path).map_err(|error| format!("{path}: {error}\n{}", self.said()))
    }

    /// Checks what the kernel says of it: the first process of its own, nobody, without any capability, on a root that
    /// cannot be written.
    ///
    /// # Errors
    /// When it is not so.
    pub fn confined(&self) -> Result<(), Failure> {
        let status = self.process("status")?;
        let words = |name: &str| -> Vec<&str> {
            let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
            line.unwrap_or_default().split_whitespace().collect()
        };
        ensure(words("NSpid").last() == Some(&"1"), || format!("it is not PID 1: {status}"))?;
        for name in ["Uid", "Gid"] {
            ensure(words(name) == [USER; 4], || format!("{name}: {:?}", words(name)))?;
        }
        for name in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
            ensure(words(name) == ["0000000000000000"], || format!("{name}: {:?}", words(name)))?;
        }
        ensure(words("NoNewPrivs") == ["1"], || format!("NoNewPrivs: {:?}", words("NoNewPrivs")))?;
        let mounts = self.process("mounts")?;
        let root = mounts.lines().find(|mount| mount.split(' ').nth(1) == Some("/")).unwrap_or_default();
        let is_read_only =
            root.split(' ').nth(3).is_some_and(|options| options.split(',').any(|one| one == "ro"));
        ensure(is_read_only, || format!("its root can be written: {root}"))
    }

    /// Sends SIGTERM and goes on.
    ///
    /// # Errors
    /// When it has ended.
    pub fn terminate(&self) -> Result<(), Failure> {
        podman(&["kill", "--signal", "TERM", &self.name]).map(drop)
    }

    /// Waits for its end; the exit code.
    ///
    /// # Errors
    /// When it cannot be told.
    pub fn wait(&self) -> Result<i32, Failure> {
        let code = podman(&["wait", &self.name])?;
        code.parse().map_err(|_| format!("{code:?} is no exit code"))
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        let _ = remove(&self.name);
    }
}

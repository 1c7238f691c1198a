//! `trestle up` as a process: its manifest, its screen, its components.

use std::fs;
use std::io::{ErrorKind, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use kit::{Failure, Folder, eventually};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// The root of the checkout.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The command, in the root of the checkout.
pub fn trestle() -> Command {
    let mut command = Command::new(kit::process::binaries().join("trestle"));
    command.current_dir(root()).stdin(Stdio::null());
    command
}

/// The quickstart, with a clock that ticks each second.
pub fn quickstart() -> Result<String, Failure> {
    let path = root().join("examples/quickstart.yaml");
    let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    replace(&text, "*/3 * * * * *", "* * * * * *")
}

/// A text with a part replaced that has to be in it.
pub fn replace(text: &str, from: &str, to: &str) -> Result<String, Failure> {
    if text.contains(from) { Ok(text.replacen(from, to, 1)) } else { Err(format!("no {from:?} in:\n{text}")) }
}

const MANIFEST: &str = "bridge.yaml";

/// A running bridge. Dropped, it is killed; its components follow.
pub struct Up {
    folder: Folder,
    child: Child,
    screen: Arc<Mutex<String>>,
    text: String,
}

impl Up {
    /// Starts a bridge and does not wait.
    pub fn start(manifest: &str) -> Result<Up, Failure> {
        Up::start_with(trestle(), manifest, &["--no-build"])
    }

    /// Starts a bridge with this command and these flags and does not wait.
    pub fn start_with(mut command: Command, manifest: &str, flags: &[&str]) -> Result<Up, Failure> {
        let failed = |error: std::io::Error| format!("cannot start trestle: {error}");
        let folder = Folder::new()?;
        let path = folder.file(MANIFEST, manifest)?;
        let temporary = folder.path().join("tmp");
        fs::create_dir(&temporary).map_err(failed)?;
        // One that is to be found beside another bridge has that one's folder.
        if !command.get_envs().any(|(name, _)| name == "TMPDIR") {
            command.env("TMPDIR", temporary);
        }
        command.arg("up").args(flags).arg(path).env_remove("XDG_RUNTIME_DIR");
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        // A program that was just copied is busy while another trial forks with the copy still open.
        let mut child = eventually("a program that is not busy", || match command.spawn() {
            Err(error) if error.kind() == ErrorKind::ExecutableFileBusy => None,
            other => Some(other),
        })?
        .map_err(failed)?;
        let screen = Arc::<Mutex<String>>::default();
        let pipes: [Option<Box<dyn Read + Send>>; 2] = [
            child.stdout.take().map(|pipe| Box::new(pipe) as _),
            child.stderr.take().map(|pipe| Box::new(pipe) as _),
        ];
        for pipe in pipes.into_iter().flatten() {
            let screen = Arc::clone(&screen);
            thread::spawn(move || copy(pipe, &screen));
        }
        Ok(Up { folder, child, screen, text: manifest.to_owned() })
    }

    /// Runs the command to its end, as a user of this bridge would beside it; gives what it printed and
    /// whether it succeeded.
    pub fn run(&self, arguments: &[&str]) -> Result<(String, bool), Failure> {
        let output = self.command().args(arguments).output().map_err(|error| format!("trestle: {error}"))?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ok((text(&output.stdout) + &text(&output.stderr), output.status.success()))
    }

    /// The command, where it finds this bridge and no other.
    pub fn command(&self) -> Command {
        let mut command = trestle();
        command.env("TMPDIR", self.folder.path().join("tmp")).env_remove("XDG_RUNTIME_DIR");
        command
    }

    /// Starts a bridge and waits until all of it is ready.
    pub fn ready(manifest: &str) -> Result<Up, Failure> {
        let mut up = Up::start(manifest)?;
        up.wait_for("all components are ready", 0)?;
        Ok(up)
    }

    /// All that was printed so far.
    pub fn screen(&self) -> String {
        self.screen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Where the screen ends now.
    pub fn mark(&self) -> usize {
        self.screen().len()
    }

    /// Waits until a text is printed after a mark; gives the line it is in.
    pub fn wait_for(&mut self, text: &str, mark: usize) -> Result<String, Failure> {
        let mut ended = false;
        let line = || {
            let found = self.screen().get(mark..).and_then(|rest| line_with(rest, text));
            // The last lines may come a little after the end: one more look.
            let give_up = found.is_none() && ended;
            ended = self.child.try_wait().is_ok_and(|status| status.is_some()) && is_closed(&self.screen);
            (found.is_some() || give_up).then_some(found)
        };
        let found = eventually("the text on the screen", line);
        found
            .and_then(|line| line.ok_or_else(|| "trestle has ended".to_owned()))
            .map_err(|why| format!("{why}: {text:?}, the screen:\n{}", self.screen()))
    }

    /// Where a component listens, as it was printed.
    pub fn address(&self, label: &str) -> Result<SocketAddr, Failure> {
        let screen = self.screen();
        let line = screen
            .lines()
            .find(|line| line.split_whitespace().next() == Some(label) && line.contains("http://"));
        let address =
            line.and_then(|line| line.split("http://").nth(1)?.split_whitespace().next()?.parse().ok());
        address.ok_or_else(|| format!("no address of {label} on the screen:\n{screen}"))
    }

    /// Changes the manifest, as an editor does: another file takes its place.
    pub fn edit(&mut self, from: &str, to: &str) -> Result<(), Failure> {
        self.text = replace(&self.text, from, to)?;
        self.folder.file(MANIFEST, &self.text).map(drop)
    }

    /// The processes of an adapter that this bridge has.
    pub fn processes(&self, adapter: &str) -> Vec<Pid> {
        self.all().into_iter().filter(|(_, name)| name == adapter).map(|(pid, _)| pid).collect()
    }

    /// The one process of an adapter.
    pub fn process(&self, adapter: &str) -> Result<Pid, Failure> {
        match self.processes(adapter).as_slice() {
            [pid] => Ok(*pid),
            other => Err(format!("{} processes of {adapter}, not one:\n{}", other.len(), self.screen())),
        }
    }

    /// All processes it has started, with the names of their programs.
    pub fn all(&self) -> Vec<(Pid, String)> {
        let parent = self.child.id().to_string();
        let children = fs::read_dir("/proc").into_iter().flatten().flatten().filter_map(|entry| {
            let pid = entry.file_name().to_str()?.parse().ok()?;
            let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
            // pid (name) state parent …; the name may hold anything.
            let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
            let (state, of) = (fields.next()?, fields.next()?);
            let program = fs::read_link(entry.path().join("exe")).unwrap_or_default();
            // A build may have put another file in its place.
            let name = program.file_name()?.to_str()?.trim_end_matches(" (deleted)").to_owned();
            (of == parent && state != "Z").then_some((Pid::from_raw(pid), name))
        });
        children.collect()
    }

    /// Sends the command itself a signal.
    pub fn signal(&self, signal: Signal) -> Result<(), Failure> {
        kill(self.pid(), signal).map_err(|error| format!("cannot send {signal}: {error}"))
    }

    /// Waits for its end.
    pub fn ended(&mut self) -> Result<ExitStatus, Failure> {
        eventually("the end of trestle", || self.child.try_wait().ok().flatten())
            .map_err(|why| format!("{why}; the screen:\n{}", self.screen()))
    }

    /// What is left in the folder for temporary files.
    pub fn left_over(&self) -> Vec<PathBuf> {
        let folder = self.folder.path().join("tmp");
        fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
    }

    /// Its process.
    pub fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.id()).unwrap_or(i32::MAX))
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The first whole line with a text in it.
fn line_with(screen: &str, text: &str) -> Option<String> {
    screen.split_inclusive('\n').find(|line| line.ends_with('\n') && line.contains(text)).map(str::to_owned)
}

/// Whether nothing writes to it any more: the readers are gone.
fn is_closed(screen: &Arc<Mutex<String>>) -> bool {
    Arc::strong_count(screen) == 1
}

/// Waits until none of these processes is left.
pub fn gone(processes: &[(Pid, String)]) -> Result<(), Failure> {
    let exists = |(pid, _): &&(Pid, String)| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat"));
        stat.is_ok_and(|stat| {
            !stat.rsplit_once(')').is_some_and(|(_, rest)| rest.trim_start().starts_with('Z'))
        })
    };
    eventually("the end of all components", || (!processes.iter().any(|p| exists(&p))).then_some(()))
        .map_err(|why| format!("{why}: of {processes:?}"))
}

fn copy(mut pipe: impl Read, screen: &Mutex<String>) {
    let mut buffer = [0; 8192];
    let mut pending = Vec::new();
    while let Ok(count @ 1..) = pipe.read(&mut buffer) {
        pending.extend_from_slice(buffer.get(..count).unwrap_or_default());
        // Whole lines only: the two pipes must not cut into each other, nor into a character.
        if let Some(end) = pending.iter().rposition(|byte| *byte == b'\n') {
            let lines: Vec<u8> = pending.drain(..=end).collect();
            screen.lock().unwrap_or_else(PoisonError::into_inner).push_str(&String::from_utf8_lossy(&lines));
        }
    }
}

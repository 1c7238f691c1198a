//! A running binary: started with a clean environment, its JSON log read as it comes, always reaped.

mod pipe;

use std::ffi::OsStr;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use pipe::Pipe;
use serde_json::Value;

use crate::http::{Request, Response};
use crate::{Failure, PATIENCE, ensure, eventually, within};

/// One line of a log, with its JSON when it is an object.
#[derive(Clone, Debug)]
pub struct Line {
    /// The line as written.
    pub text: String,
    /// The object, or null.
    pub json: Value,
}

impl Line {
    /// A field as text; empty when it is not there or no string.
    #[must_use]
    pub fn field(&self, name: &str) -> &str {
        self.json[name].as_str().unwrap_or_default()
    }
}

/// A child process. Dropping it kills and reaps it.
pub struct Process {
    child: Child,
    stderr: Pipe,
    stdout: Pipe,
    status: Option<ExitStatus>,
}

/// The folder of the binaries under test: `TRESTLE_BINARIES`, else the one that holds this test's profile.
#[must_use]
pub fn binaries() -> PathBuf {
    if let Some(folder) = std::env::var_os("TRESTLE_BINARIES") {
        return folder.into();
    }
    let test = std::env::current_exe().unwrap_or_default();
    test.ancestors().nth(2).map(Path::to_owned).unwrap_or_default()
}

impl Process {
    /// Starts a binary of the workspace. Only `environment` is set, of two values of one name the last, besides loopback
    /// and free ports, which it may override.
    ///
    /// # Errors
    /// When it cannot be started: most often it is not built.
    pub fn start(
        name: &str,
        arguments: &[&str],
        environment: &[(impl AsRef<OsStr>, impl AsRef<OsStr>)],
    ) -> Result<Self, Failure> {
        let binary = binaries().join(name);
        let mut command = Command::new(&binary);
        command.args(arguments).env_clear();
        for host in ["HOST", "METRICS_PROMETHEUS_HOST"] {
            command.env(host, "127.0.0.1");
        }
        command.env("PORT", "0").env("METRICS_PROMETHEUS_PORT", "0");
        command.envs(environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| {
            format!("cannot start {}: {error} (built with: cargo build --workspace --bins)", binary.display())
        })?;
        let (Some(stderr), Some(stdout)) = (child.stderr.take(), child.stdout.take()) else {
            return Err("a process without output".to_owned());
        };
        let (stderr, stdout) = (Pipe::new(stderr.into())?, Pipe::new(stdout.into())?);
        Ok(Self { child, stderr, stdout, status: None })
    }

    /// Starts one without any environment.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn bare(name: &str, arguments: &[&str]) -> Result<Self, Failure> {
        Self::start(name, arguments, &[("", ""); 0])
    }

    /// The process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The log so far.
    #[must_use]
    pub fn log(&self) -> Vec<Line> {
        self.stderr.lines()
    }

    /// All that was written so far, both streams.
    #[must_use]
    pub fn output(&self) -> String {
        let log: String = self.log().into_iter().map(|line| line.text + "\n").collect();
        log + &self.stdout()
    }

    /// What came on the standard output so far.
    #[must_use]
    pub fn stdout(&self) -> String {
        String::from_utf8_lossy(&self.stdout.bytes()).into_owned()
    }

    /// Waits for the first log line with this message.
    ///
    /// # Errors
    /// When it does not come, or the process ends without it.
    pub fn wait_for_line(&mut self, message: &str) -> Result<Line, Failure> {
        let start = Instant::now();
        let mut ended = false;
        loop {
            if let Some(line) = self.log().into_iter().find(|line| line.field("message") == message) {
                return Ok(line);
            }
            if ended || start.elapsed() > PATIENCE {
                let how = if ended { "it ended" } else { "it is silent" };
                return Err(format!("no line {message:?}, {how}; its output:\n{}", self.output()));
            }
            ended = self.exited().is_some();
            if ended {
                // The last line may have no end.
                self.wait_for_output();
            } else {
                thread::sleep(Duration::from_millis(2));
            }
        }
    }

    /// Where it serves: the field `address` of the line `listening`.
    ///
    /// # Errors
    /// When that line does not come or holds no address.
    pub fn address(&mut self) -> Result<SocketAddr, Failure> {
        let line = self.wait_for_line("listening")?;
        line.field("address").parse().map_err(|_| format!("no address in {}", line.text))
    }

    /// Waits until a path answers with a status.
    ///
    /// # Errors
    /// When it does not.
    pub fn wait_for_status(&mut self, path: &str, status: u16) -> Result<Response, Failure> {
        let address = self.address()?;
        let answer = eventually(&format!("{status} on {path}"), || {
            Request::get(path).send(address).ok().filter(|answer| answer.status == status)
        });
        answer.map_err(|error| format!("{error}; its output:\n{}", self.output()))
    }

    /// Sends a signal.
    ///
    /// # Errors
    /// When the process is gone.
    pub fn signal(&self, signal: Signal) -> Result<(), Failure> {
        let id = i32::try_from(self.id()).map_err(|error| error.to_string())?;
        kill(Pid::from_raw(id), signal).map_err(|error| format!("{signal}: {error}"))
    }

    /// Asks it to stop (SIGTERM).
    ///
    /// # Errors
    /// When the process is gone.
    pub fn terminate(&self) -> Result<(), Failure> {
        self.signal(Signal::SIGTERM)
    }

    /// Asks it to stop and waits for the end.
    ///
    /// # Errors
    /// When it does not end, or not with 0.
    pub fn stop(&mut self) -> Result<(), Failure> {
        self.terminate()?;
        let code = self.wait()?;
        ensure(code == 0, || format!("exit code {code}: {}", self.output()))
    }

    /// Its exit code if it has ended; a signal counts as 128 and its number.
    pub fn exited(&mut self) -> Option<i32> {
        use std::os::unix::process::ExitStatusExt;
        if self.status.is_none() {
            self.status = self.child.try_wait().ok().flatten();
        }
        self.status.map(|status| status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or_default()))
    }

    /// Waits for its end and gives the exit code. All output is there afterwards.
    ///
    /// # Errors
    /// When it runs on.
    pub fn wait(&mut self) -> Result<i32, Failure> {
        self.wait_within(PATIENCE * 2)
    }

    /// As [`wait`](Self::wait), with a time of its own.
    ///
    /// # Errors
    /// When it still runs then.
    pub fn wait_within(&mut self, patience: Duration) -> Result<i32, Failure> {
        let code = within(patience, "the end of the process", || self.exited())
            .map_err(|error| format!("{error}; its output:\n{}", self.output()))?;
        self.wait_for_output();
        Ok(code)
    }

    fn wait_for_output(&mut self) {
        self.stderr.wait();
        self.stdout.wait();
    }

    /// One number of `/proc/<id>/status` in bytes: `VmRSS`, resident now, or `VmHWM`, the most that ever was.
    ///
    /// # Errors
    /// When the process is gone.
    pub fn memory(&self, field: &str) -> Result<u64, Failure> {
        let path = format!("/proc/{}/status", self.id());
        let status = std::fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
        let value = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
        let kilobytes = value.and_then(|value| value.trim().trim_end_matches(" kB").parse::<u64>().ok());
        kilobytes.map(|size| size * 1024).ok_or_else(|| format!("no {field} in {path}"))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.exited().is_none() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

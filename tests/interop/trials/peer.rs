//! The SDK for Go: a small program around it (`go/main.go`), built once and run as sender or receiver.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use kit::{Event, Failure, Process, ensure, eventually};
use serde_json::Value;

use crate::cases::Case;

/// Builds the program; the versions of its modules are those of `go.sum`.
fn program() -> Result<&'static Path, Failure> {
    static BUILT: OnceLock<Result<PathBuf, Failure>> = OnceLock::new();
    BUILT.get_or_init(build).as_deref().map_err(Clone::clone)
}

fn build() -> Result<PathBuf, Failure> {
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join("interop-go");
    // Moved to its place when it is complete: another run of the trials may be using it.
    let fresh = program.with_extension(std::process::id().to_string());
    let output = Command::new("go")
        .args(["build", "-buildvcs=false", "-mod=readonly", "-o"])
        .args([&fresh, Path::new(".")])
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("go"))
        .output()
        .map_err(|error| format!("go build: {error} (is Go installed?)"))?;
    ensure(output.status.success(), || format!("go build: {}", String::from_utf8_lossy(&output.stderr)))?;
    std::fs::rename(&fresh, &program).map_err(|error| format!("{}: {error}", program.display()))?;
    Ok(program)
}

fn start(arguments: &[&str]) -> Result<Process, Failure> {
    let program = program()?.to_str().ok_or("the target folder's name is not UTF-8")?;
    Process::bare(program, arguments)
}

/// Sends events to a URL, in `binary`, `structured` or `batch` mode; every answer must be 2xx.
pub fn send(url: &str, mode: &str, cases: &[Case]) -> Result<(), Failure> {
    let descriptions: Value = cases.iter().map(|case| case.0.clone()).collect();
    let mut sender = start(&["send", url, mode, &descriptions.to_string()])?;
    let code = sender.wait()?;
    let answers = sender.log();
    let good = |answer: &kit::Line| matches!(answer.json["status"].as_u64(), Some(200..300));
    let expected = if mode == "batch" { 1 } else { cases.len() };
    ensure(code == 0 && answers.len() == expected && answers.iter().all(good), || {
        format!("sending ended with {code}:\n{}", sender.output())
    })
}

/// A running receiver.
pub struct Receiver {
    process: Process,
    address: SocketAddr,
}

/// An event as the SDK read it.
pub struct Received {
    /// Its attributes and data.
    pub event: Event,
    /// `binary`, `structured` or `batch`.
    pub mode: String,
}

impl Receiver {
    /// Starts one.
    pub fn start() -> Result<Self, Failure> {
        let mut process = start(&["receive"])?;
        let address = process.address()?;
        Ok(Self { process, address })
    }

    /// Its URL.
    pub fn url(&self) -> String {
        format!("http://{}/in", self.address)
    }

    /// What it received, once there are so many events; one that it refused is a failure.
    pub fn events(&self, count: usize) -> Result<Vec<Received>, Failure> {
        let lines = || self.process.log().into_iter().filter(|line| line.field("message") != "listening");
        let lines = eventually(&format!("{count} events at the receiver"), || {
            let lines: Vec<_> = lines().collect();
            (lines.len() >= count).then_some(lines)
        })
        .map_err(|error| format!("{error}; it said:\n{}", self.process.output()))?;
        lines.iter().map(read).collect()
    }
}

fn read(line: &kit::Line) -> Result<Received, Failure> {
    ensure(line.field("message") == "received", || format!("it said {}", line.text))?;
    let text =
        |(name, value): (&String, &Value)| (name.clone(), value.as_str().unwrap_or_default().to_owned());
    let attributes: BTreeMap<_, _> =
        line.json["attributes"].as_object().into_iter().flatten().map(text).collect();
    let data = STANDARD.decode(line.field("data")).map_err(|error| format!("{error} in {}", line.text))?;
    let mode = line.field("mode").to_owned();
    Ok(Received { event: Event { attributes, data, structured: mode != "binary" }, mode })
}

//! How fast a binary is ready, how much memory it holds idle, how large it is.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Child;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::cli::Failure;
use crate::run::median;
use crate::sink::Sink;
use crate::{cpu, describe, subject};

/// From exec to the first 200 on `/readyz`.
pub const READY_MS: f64 = 5.0;
/// Resident memory a second after that.
pub const RESIDENT_MB: f64 = 5.0;
/// Size of the file.
pub const FILE_MB: f64 = 6.0;
/// A process that is not ready by then never will be.
const PATIENCE: Duration = Duration::from_secs(10);

/// The figures of one binary; a megabyte is a million bytes.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// The adapter.
    pub name: String,
    /// Median milliseconds until ready.
    pub ready_ms: f64,
    /// Median megabytes resident when idle.
    pub resident_mb: f64,
    /// Megabytes of the file.
    pub file_mb: f64,
    /// Whether it needs no dynamic linker.
    pub is_static: bool,
}

impl Outcome {
    /// Whether all limits hold.
    pub fn holds(&self) -> bool {
        self.ready_ms <= READY_MS
            && self.resident_mb <= RESIDENT_MB
            && self.file_mb <= FILE_MB
            && self.is_static
    }
}

/// Starts the binary so many times, plainly, one after the other; memory is read in the last three.
pub fn measure(folder: &Path, name: &str, times: u32) -> Result<Outcome, Failure> {
    let program = folder.join(name);
    let sink = Sink::start()?;
    let environment = describe::environment(&program, sink.address)?;
    let (mut ready, mut resident) = (Vec::new(), Vec::new());
    for turn in 0..times {
        let idle = turn + 3 >= times;
        let (time, memory) =
            start(&program, &environment, idle).map_err(|failure| format!("{name}: {failure}"))?;
        ready.push(time.as_secs_f64() * 1e3);
        resident.extend(memory);
    }
    writeln!(std::io::stderr().lock(), "{name}: started {times} times")?;
    Ok(Outcome {
        name: name.to_owned(),
        ready_ms: median(ready.into_iter()),
        resident_mb: median(resident.into_iter().map(megabytes)),
        file_mb: megabytes(std::fs::metadata(&program)?.len()),
        is_static: cpu::is_static(&program)?,
    })
}

fn start(
    program: &Path,
    environment: &[(String, String)],
    idle: bool,
) -> Result<(Duration, Option<u64>), Failure> {
    let address = free_address()?;
    let mut environment = environment.to_vec();
    for (name, value) in
        [("HOST", "127.0.0.1"), ("PORT", &address.port().to_string()), ("METRICS_PROMETHEUS_PORT", "0")]
    {
        environment.push((name.to_owned(), value.to_owned()));
    }
    let begin = Instant::now();
    let mut child = subject::spawn(program, &[], &environment)?;
    let measured = observe(&mut child, address, begin, idle);
    subject::end(&mut child);
    measured
}

fn observe(
    child: &mut Child,
    address: SocketAddr,
    begin: Instant,
    idle: bool,
) -> Result<(Duration, Option<u64>), Failure> {
    while !is_ready(address) {
        if let Some(status) = child.try_wait()? {
            let mut log = String::new();
            child.stderr.take().ok_or("no standard error")?.read_to_string(&mut log)?;
            return Err(format!("ended with {status}: {}", log.trim()).into());
        }
        if begin.elapsed() > PATIENCE {
            return Err("not ready within ten seconds".into());
        }
    }
    let time = begin.elapsed();
    let memory = if idle {
        std::thread::sleep(Duration::from_secs(1));
        Some(cpu::resident(child.id())?)
    } else {
        None
    };
    Ok((time, memory))
}

/// One request on a connection of its own; refused at once while nothing listens.
fn is_ready(address: SocketAddr) -> bool {
    const REQUEST: &[u8] = b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let Ok(mut stream) = TcpStream::connect(address) else { return false };
    let mut status = [0; 12];
    stream.write_all(REQUEST).is_ok() && stream.read_exact(&mut status).is_ok() && status.ends_with(b" 200")
}

/// A port that was free a moment ago.
fn free_address() -> Result<SocketAddr, Failure> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

fn megabytes(bytes: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a program's size is far below 2^52 bytes")]
    let bytes = bytes as f64;
    bytes / 1e6
}

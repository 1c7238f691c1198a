//! A process under test.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use crate::cli::Failure;

/// How long a process may take until it listens.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running process that listens; ended when dropped.
pub struct Subject {
    child: Child,
    /// Where it takes events.
    pub address: SocketAddr,
    /// The topic that it reads or writes, if it does.
    pub topic: Option<String>,
}

impl Subject {
    /// Starts a program with nothing but the given environment and waits for its log line `listening`.
    pub fn start(
        program: &Path,
        arguments: &[String],
        environment: &[(String, String)],
    ) -> Result<Self, Failure> {
        let mut child = spawn(program, arguments, environment)?;
        let stderr = child.stderr.take().ok_or("no standard error")?;
        let lines = follow(stderr);
        match address(&lines) {
            Ok(address) => Ok(Self { child, address, topic: None }),
            Err(failure) => {
                end(&mut child);
                Err(format!("{}: {failure}", program.display()).into())
            }
        }
    }

    /// Waits until it says that it is ready.
    pub fn until_ready(&self) -> Result<(), Failure> {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            let mut stream = TcpStream::connect(self.address)?;
            stream.write_all(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer)?;
            if answer.starts_with("HTTP/1.1 200") {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Err("it is not ready".into())
    }

    /// The process's number.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Subject {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

/// Starts a program with nothing but the given environment; standard error is piped.
pub fn spawn(
    program: &Path,
    arguments: &[String],
    environment: &[(String, String)],
) -> Result<Child, Failure> {
    let mut command = Command::new(program);
    command.args(arguments).env_clear().envs(environment.iter().map(|(name, value)| (name, value)));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    command.spawn().map_err(|error| format!("{}: {error}", program.display()).into())
}

/// Kills the process and reaps it; nothing of value is in flight when a round has ended.
pub fn end(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

/// Reads the log to its end, so that the process never blocks on a full pipe.
fn follow(stderr: ChildStderr) -> Receiver<String> {
    let (sender, lines) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            // Nobody listens once the address is known.
            let _ = sender.send(line);
        }
    });
    lines
}

fn address(lines: &Receiver<String>) -> Result<SocketAddr, Failure> {
    let mut last = String::from("no log line");
    loop {
        let Ok(line) = lines.recv_timeout(PATIENCE) else {
            return Err(format!("did not start to listen; its last word: {last}").into());
        };
        if let Some(address) = listening(&line) {
            return Ok(address.parse()?);
        }
        last = line;
    }
}

fn listening(line: &str) -> Option<String> {
    let entry: serde_json::Value = serde_json::from_str(line).ok()?;
    if entry.get("message")?.as_str()? != "listening" {
        return None;
    }
    Some(entry.get("address")?.as_str()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_line_that_says_listening_names_the_address() {
        let line = r#"{"level":"INFO","message":"listening","address":"127.0.0.1:8080"}"#;
        assert_eq!(listening(line).as_deref(), Some("127.0.0.1:8080"));
        assert_eq!(listening(r#"{"message":"metrics","address":"127.0.0.1:9092"}"#), None);
        assert_eq!(listening("plain text"), None);
    }
}

//! kubectl: commands, and the ways into the cluster that it opens.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::thread;

use kit::{Failure, ensure};
use serde_json::Value;

/// Runs kubectl; what it prints.
///
/// # Errors
/// When it fails, with what it said.
pub fn kubectl(arguments: &[&str], input: &str) -> Result<String, Failure> {
    let mut command = Command::new("kubectl");
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let fault = |error: std::io::Error| format!("kubectl {}: {error}", arguments.join(" "));
    let mut child = command.spawn().map_err(fault)?;
    let stdin = child.stdin.take();
    let output = thread::scope(|scope| {
        // It may end without having read all.
        scope.spawn(move || stdin.map(|mut stdin| stdin.write_all(input.as_bytes())));
        child.wait_with_output()
    });
    let output = output.map_err(fault)?;
    ensure(output.status.success(), || {
        format!("kubectl {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr))
    })?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// A way into the cluster, which ends with this.
pub struct Way {
    child: Child,
    /// Where it begins.
    pub address: SocketAddr,
}

impl Way {
    /// To a port of a pod of this deployment, and to no other as long as it is open.
    ///
    /// # Errors
    /// When kubectl cannot open it.
    pub fn forward(namespace: &str, deployment: &str, port: u16) -> Result<Self, Failure> {
        let deployment = format!("deployment/{deployment}");
        Self::open(&["port-forward", "--namespace", namespace, &deployment, &format!(":{port}")])
    }

    /// To the API server, and through it to services.
    ///
    /// # Errors
    /// When kubectl cannot open it.
    pub fn proxy() -> Result<Self, Failure> {
        Self::open(&["proxy", "--port", "0"])
    }

    /// Whatever kubectl opens with these arguments.
    ///
    /// # Errors
    /// When it cannot.
    pub fn open(arguments: &[&str]) -> Result<Self, Failure> {
        let mut command = Command::new("kubectl");
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| format!("{command:?}: {error}"))?;
        let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) else {
            return Err("kubectl has no output".to_owned());
        };
        let mut lines = BufReader::new(stdout);
        let mut line = String::new();
        let read = lines.read_line(&mut line);
        // Both are emptied as long as it runs.
        thread::spawn(move || lines.read_to_end(&mut Vec::new()));
        let errors = thread::spawn(move || {
            let mut said = String::new();
            let _ = BufReader::new(stderr).read_to_string(&mut said);
            said
        });
        let mut words = line.split_whitespace();
        let address = words.find_map(|word| word.parse().ok());
        match (read, address) {
            (Ok(_), Some(address)) => Ok(Self { child, address }),
            _ => {
                let _ = child.kill();
                let _ = child.wait();
                Err(format!("kubectl {}: {line}{}", arguments.join(" "), errors.join().unwrap_or_default()))
            }
        }
    }
}

impl Drop for Way {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads JSON.
///
/// # Errors
/// When it is none.
pub fn json_of(text: &str) -> Result<Value, Failure> {
    serde_json::from_str(text).map_err(|error| format!("no JSON: {error}: {text}"))
}

//! Redis, from Debian: a single server, and a cluster of three. One that is not asked to keep what it has keeps nothing on
//! disk: started again it has forgotten everything.

mod cluster;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use kit::{Authority, Failure};
use serde_json::Value;

use crate::install;
use crate::server::Server;
use crate::shared;

pub use cluster::RedisCluster;

/// A server with a password, plain or with TLS only.
pub struct Redis {
    pub(crate) server: Server,
    tls: Option<Identity>,
    keeps: bool,
}

/// Certificate and key, PEM.
struct Identity {
    certificate: String,
    key: String,
}

impl Redis {
    /// The password of its default user.
    pub const PASSWORD: &str = "correct-horse";

    /// A plain one.
    ///
    /// # Errors
    /// When it cannot be installed or started.
    pub fn start() -> Result<Self, Failure> {
        Self::with(None, false)
    }

    /// One that speaks TLS, with a certificate of this authority.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn start_tls(authority: &Authority) -> Result<Self, Failure> {
        let identity = authority.issue()?;
        Self::with(Some(Identity { certificate: identity.certificate, key: identity.key }), false)
    }

    /// A plain one that has all on disk before it answers (AOF, `appendfsync always`).
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn start_kept() -> Result<Self, Failure> {
        Self::with(None, true)
    }

    /// The plain one that all who ask for it have together; it goes with the last of them.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn shared() -> Result<Arc<Self>, Failure> {
        shared(Self::start)
    }

    fn with(tls: Option<Identity>, keeps: bool) -> Result<Self, Failure> {
        let server = Server::start(|port, folder| command(tls.as_ref(), keeps, port, folder))?;
        Ok(Self { server, tls, keeps })
    }

    /// Kills it (SIGKILL); [`restart`](Self::restart) starts it again.
    pub fn end(&mut self) {
        self.server.end();
    }

    /// Kills it and starts it again at its address.
    ///
    /// # Errors
    /// When it does not come back.
    pub fn restart(&mut self) -> Result<(), Failure> {
        self.server.restart(|port, folder| command(self.tls.as_ref(), self.keeps, port, folder))
    }

    /// Asks a plain one.
    ///
    /// # Errors
    /// When it says no, or nothing.
    pub fn ask(&self, words: &[&str]) -> Result<Value, Failure> {
        ask(self.address().port(), &["-a", Self::PASSWORD, "--no-auth-warning"], words)
    }
}

/// Asks by `redis-cli`, which knows how to speak of what it is told as JSON.
fn ask(port: u16, options: &[&str], words: &[&str]) -> Result<Value, Failure> {
    let mut command = Command::new(install::debian("redis-tools", "redis-cli")?);
    command.args(["-p", &port.to_string(), "--json", "-e"]).args(options).args(words);
    let output = command.output().map_err(|error| format!("redis-cli: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        return Err(format!("{words:?}: {text}{}", String::from_utf8_lossy(&output.stderr)));
    }
    // Pages for people are told as they are.
    Ok(serde_json::from_str(text.trim()).unwrap_or_else(|_| text.trim().into()))
}

fn command(tls: Option<&Identity>, keeps: bool, port: u16, folder: &Path) -> Result<Command, Failure> {
    let mut command = Command::new(install::debian("redis-server", "redis-server")?);
    let port = port.to_string();
    command.current_dir(folder).args(["--bind", "127.0.0.1", "--save", ""]);
    let appends = if keeps { ["yes", "always"] } else { ["no", "no"] };
    command.args(["--appendonly", appends[0], "--appendfsync", appends[1]]);
    command.args(["--requirepass", Redis::PASSWORD]);
    match tls {
        None => command.args(["--port", &port]),
        Some(identity) => {
            write(folder, &[("certificate.pem", &identity.certificate), ("key.pem", &identity.key)])?;
            command.args(["--port", "0", "--tls-port", &port, "--tls-auth-clients", "no"]);
            command.args(["--tls-cert-file", "certificate.pem", "--tls-key-file", "key.pem"])
        }
    };
    Ok(command)
}

fn write(folder: &Path, files: &[(&str, &str)]) -> Result<(), Failure> {
    for (name, content) in files {
        fs::write(folder.join(name), content).map_err(|error| format!("{name}: {error}"))?;
    }
    Ok(())
}

//! Redis, from Debian. Nothing is kept on disk: one that is started again has forgotten everything.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use kit::{Authority, Failure};

use crate::install;
use crate::server::Server;

/// A server with a password, plain or with TLS only.
pub struct Redis {
    server: Server,
    tls: Option<Identity>,
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
        Self::with(None)
    }

    /// One that speaks TLS, with a certificate of this authority.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn start_tls(authority: &Authority) -> Result<Self, Failure> {
        let identity = authority.issue()?;
        Self::with(Some(Identity { certificate: identity.certificate, key: identity.key }))
    }

    fn with(tls: Option<Identity>) -> Result<Self, Failure> {
        let server = Server::start(|port, folder| command(tls.as_ref(), port, folder))?;
        Ok(Self { server, tls })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Kills it and starts it again at its address.
    ///
    /// # Errors
    /// When it does not come back.
    pub fn restart(&mut self) -> Result<(), Failure> {
        self.server.restart(|port, folder| command(self.tls.as_ref(), port, folder))
    }
}

fn command(tls: Option<&Identity>, port: u16, folder: &Path) -> Result<Command, Failure> {
    let mut command = Command::new(install::debian("redis-server", "redis-server")?);
    let port = port.to_string();
    command.current_dir(folder).args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]);
    command.args(["--requirepass", Redis::PASSWORD]);
    match tls {
        None => command.args(["--port", &port]),
        Some(identity) => {
            for (name, pem) in [("certificate.pem", &identity.certificate), ("key.pem", &identity.key)] {
                fs::write(folder.join(name), pem).map_err(|error| format!("{name}: {error}"))?;
            }
            command.args(["--port", "0", "--tls-port", &port, "--tls-auth-clients", "no"]);
            command.args(["--tls-cert-file", "certificate.pem", "--tls-key-file", "key.pem"])
        }
    };
    Ok(command)
}

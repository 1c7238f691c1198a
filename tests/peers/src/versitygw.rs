//! versitygw, an S3 gateway over a folder: real signatures, real conditions.

use std::fs;
use std::net::SocketAddr;
use std::process::Command;

use kit::Failure;

use crate::install;
use crate::server::Server;

/// A gateway with one bucket.
pub struct Versitygw(Server);

impl Versitygw {
    /// Its version.
    pub const VERSION: &str = "v1.8.0";
    /// The key id that it knows.
    pub const KEY_ID: &str = "peer";
    /// The secret key of that id.
    pub const SECRET_KEY: &str = "correct-horse-battery";
    /// The bucket.
    pub const BUCKET: &str = "positions";

    /// Starts one.
    ///
    /// # Errors
    /// When it cannot be built or started.
    pub fn start() -> Result<Self, Failure> {
        let program = install::go("github.com/versity/versitygw/cmd/versitygw", Self::VERSION)?;
        Server::start(|port, folder| {
            let data = folder.join("data");
            fs::create_dir_all(data.join(Self::BUCKET))
                .map_err(|error| format!("{}: {error}", data.display()))?;
            let mut command = Command::new(&program);
            command.env("ROOT_ACCESS_KEY", Self::KEY_ID).env("ROOT_SECRET_KEY", Self::SECRET_KEY);
            command.args(["--port", &format!("127.0.0.1:{port}"), "posix"]).arg(data);
            Ok(command)
        })
        .map(Self)
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.0.address()
    }
}

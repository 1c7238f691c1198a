//! Azurite, Microsoft's own emulator of Azure Storage, with its data in memory: the blob service alone.

use std::net::SocketAddr;
use std::process::Command;

use kit::Failure;

use crate::install;
use crate::server::Server;

/// A blob service with the account that every Azurite has.
pub struct Azurite(Server);

impl Azurite {
    /// Its version.
    pub const VERSION: &str = "3.37.0";
    /// The account.
    pub const ACCOUNT: &str = "devstoreaccount1";
    /// Its key, which is in Azurite's documentation.
    pub const KEY: &str =
        "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

    /// Starts one.
    ///
    /// # Errors
    /// When it cannot be installed or started.
    pub fn start() -> Result<Self, Failure> {
        let modules = install::npm("azurite", Self::VERSION)?;
        Server::start(|port, folder| {
            let mut command = Command::new("node");
            command.arg(modules.join("azurite/dist/src/blob/main.js"));
            command.args(["--blobHost", "127.0.0.1", "--blobPort", &port.to_string(), "--location"]).arg(folder);
            command.args(["--silent", "--skipApiVersionCheck", "--inMemoryPersistence", "--disableTelemetry"]);
            Ok(command)
        })
        .map(Self)
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.0.address()
    }

    /// The address of the account.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}/{}", self.address(), Self::ACCOUNT)
    }

    /// A connection string of the account.
    #[must_use]
    pub fn connection_string(&self) -> String {
        format!(
            "DefaultEndpointsProtocol=http;AccountName={};AccountKey={};BlobEndpoint={};",
            Self::ACCOUNT,
            Self::KEY,
            self.endpoint()
        )
    }
}

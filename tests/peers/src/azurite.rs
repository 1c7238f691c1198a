//! Azurite, Microsoft's own emulator of Azure Storage, with its data in memory: the blob service alone.

use std::collections::BTreeMap;
use std::process::Command;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use kit::Failure;
use kit::http::Request;
use sha2::Sha256;

use crate::install;
use crate::server::Server;

/// A blob service with the account that every Azurite has.
pub struct Azurite(pub(crate) Server);

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
            command.arg(modules.join("azurite/dist/src/blob/main.js")).current_dir(folder);
            command.args([
                "--blobHost",
                "127.0.0.1",
                "--blobPort",
                &port.to_string(),
                "--inMemoryPersistence",
            ]);
            command.args(["--silent", "--skipApiVersionCheck", "--disableTelemetry"]);
            Ok(command)
        })
        .map(Self)
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

    /// The blobs of a container with their metadata.
    ///
    /// # Errors
    /// When it does not give them.
    pub fn list(&self, container: &str) -> Result<Vec<StoredBlob>, Failure> {
        let path = format!("/{}/{container}", Self::ACCOUNT);
        let date = "x-ms-date:Thu, 01 Jan 2026 00:00:00 GMT\nx-ms-version:2021-12-02\n";
        let to_sign = format!(
            "GET\n\n\n\n\n\n\n\n\n\n\n\n{date}/{}{path}\ncomp:list\ninclude:metadata\nrestype:container",
            Self::ACCOUNT
        );
        let key = STANDARD.decode(Self::KEY).map_err(|error| error.to_string())?;
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).map_err(|error| error.to_string())?;
        mac.update(to_sign.as_bytes());
        let signature = STANDARD.encode(mac.finalize().into_bytes());
        let request = Request::get(&format!("{path}?restype=container&comp=list&include=metadata"))
            .header("x-ms-date", "Thu, 01 Jan 2026 00:00:00 GMT")
            .header("x-ms-version", "2021-12-02")
            .header("Authorization", &format!("SharedKey {}:{signature}", Self::ACCOUNT));
        let answer = request.send(self.address())?;
        let text = answer.text();
        if answer.status != 200 {
            return Err(format!("{}: {text}", answer.status));
        }
        Ok(text.split("<Blob>").skip(1).map(StoredBlob::read).collect())
    }
}

/// A blob as Azurite lists it.
#[derive(Debug, Clone)]
pub struct StoredBlob {
    /// Its name.
    pub name: String,
    /// Its metadata.
    pub metadata: BTreeMap<String, String>,
}

impl StoredBlob {
    fn read(xml: &str) -> Self {
        let between = |text: &str, name: &str| {
            let begin = text.split_once(&format!("<{name}>"))?.1;
            Some(begin.split_once(&format!("</{name}>"))?.0.to_owned())
        };
        let metadata = between(xml, "Metadata").unwrap_or_default();
        let names =
            metadata.split('<').filter_map(|tag| tag.split_once(['>', '/'])).map(|(name, _)| name.trim());
        let pairs = names
            .filter(|name| !name.is_empty())
            .map(|name| (name.to_owned(), between(&metadata, name).unwrap_or_default()))
            .collect();
        Self { name: between(xml, "Name").unwrap_or_default(), metadata: pairs }
    }
}

//! An adapter that runs and is spoken to.

use std::ffi::OsStr;
use std::net::SocketAddr;

use crate::{Failure, Process, Request, Response};

/// The binary, and where it listens.
pub struct Adapter {
    /// The binary.
    pub process: Process,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Adapter {
    /// Starts one with these settings and waits until it listens.
    ///
    /// # Errors
    /// When it does not.
    pub fn listening(
        name: &str,
        settings: &[(impl AsRef<OsStr>, impl AsRef<OsStr>)],
    ) -> Result<Self, Failure> {
        let mut process = Process::start(name, &[], settings)?;
        Ok(Self { address: process.address()?, process })
    }

    /// Starts one with these settings and waits until it is ready.
    ///
    /// # Errors
    /// When it does not become so.
    pub fn ready(name: &str, settings: &[(impl AsRef<OsStr>, impl AsRef<OsStr>)]) -> Result<Self, Failure> {
        let mut adapter = Self::listening(name, settings)?;
        adapter.process.wait_for_status("/readyz", 200)?;
        Ok(adapter)
    }

    /// Its URL with this path.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Sends a request.
    ///
    /// # Errors
    /// When no answer comes.
    pub fn send(&self, request: &Request) -> Result<Response, Failure> {
        request.send(self.address)
    }

    /// `GET` of a path.
    ///
    /// # Errors
    /// When no answer comes.
    pub fn get(&self, path: &str) -> Result<Response, Failure> {
        self.send(&Request::get(path))
    }
}

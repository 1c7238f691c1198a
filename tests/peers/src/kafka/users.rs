//! Users and their passwords, as an operator changes them.

use std::env::temp_dir;

use kit::Failure;

use super::{Kafka, jars, java};
use crate::install;

impl Kafka {
    /// Gives [`USER`](Self::USER) another password for SCRAM. Connections that are there stay.
    ///
    /// # Errors
    /// When the broker refuses.
    pub fn set_password(&self, password: &str) -> Result<(), Failure> {
        let mechanisms = ["SCRAM-SHA-256", "SCRAM-SHA-512"];
        let configs = mechanisms.map(|mechanism| format!("{mechanism}=[password={password}]")).join(",");
        let mut command = java(&jars()?, &temp_dir())?;
        command.args(["kafka.admin.ConfigCommand", "--bootstrap-server", &self.plaintext(), "--alter"]);
        command.args(["--entity-type", "users", "--entity-name", Self::USER, "--add-config", &configs]);
        install::run(&mut command)
    }
}

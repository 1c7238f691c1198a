//! Users and their passwords, as an operator changes them.

use std::env::temp_dir;

use kit::Failure;

use super::{Kafka, jars, java};
use crate::install;

impl Kafka {
    /// Gives [`USER`](Self::USER) another password for SCRAM-SHA-512. Connections that are there stay.
    ///
    /// # Errors
    /// When the broker refuses.
    pub fn set_password(&self, password: &str) -> Result<(), Failure> {
        let mut command = java(&jars()?, &temp_dir())?;
        command.args(["kafka.admin.ConfigCommand", "--bootstrap-server", &self.plaintext(), "--alter"]);
        command.args(["--entity-type", "users", "--entity-name", Self::USER]);
        command.args(["--add-config", &format!("SCRAM-SHA-512=[password={password}]")]);
        install::run(&mut command)
    }
}

//! Apache Kafka itself, one node without ZooKeeper, from Maven. It listens in every way that clients secure a connection:
//! plain, SASL (PLAIN, SCRAM-SHA-256, SCRAM-SHA-512), TLS, both, and TLS with certificates of clients.

mod client;
mod properties;
pub mod trials;
mod users;

use std::cell::RefCell;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use kit::{Authority, Failure};

pub use client::Record;

use self::properties::Ports;
use crate::install;
use crate::server::Server;
use crate::shared;

/// A running broker.
pub struct Kafka {
    server: Server,
    ports: Ports,
    authority: Authority,
}

impl Kafka {
    /// Its version.
    pub const VERSION: &str = "4.1.0";
    /// A user of every mechanism.
    pub const USER: &str = "alice";
    /// The password of that user.
    pub const PASSWORD: &str = "correct-horse-battery";

    /// Starts one and waits until it answers.
    ///
    /// # Errors
    /// When it cannot be installed or started.
    pub fn start() -> Result<Self, Failure> {
        Self::start_at(Ipv4Addr::LOCALHOST)
    }

    /// The same for clients that are not on this machine, who know it by that address of it: there is every listener but the
    /// plain one.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn start_at(host: Ipv4Addr) -> Result<Self, Failure> {
        let jars = jars()?;
        let authority = Authority::new()?;
        let ports = RefCell::new(None);
        let server = Server::start(|port, folder| {
            let chosen = Ports::choose(host, port)?;
            properties::write(folder, &chosen, &authority)?;
            format(&jars, folder)?;
            ports.replace(Some(chosen));
            broker(&jars, folder)
        })?;
        let ports = ports.into_inner().ok_or("no ports were chosen")?;
        let kafka = Self { server, ports, authority };
        kafka.answers()?;
        Ok(kafka)
    }

    /// Makes it be there, for who starts one where no registry answers.
    ///
    /// # Errors
    /// When it cannot be installed.
    pub fn install() -> Result<(), Failure> {
        jars()?;
        install::java().map(drop)
    }

    /// The one that all who ask for it have together; it goes with the last of them.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn shared() -> Result<Arc<Self>, Failure> {
        shared(Self::start)
    }

    /// Kills it (SIGKILL) and starts it again with what it had on disk.
    ///
    /// # Errors
    /// When it does not come back.
    pub fn restart(&mut self) -> Result<(), Failure> {
        self.end();
        self.revive()
    }

    /// Kills it (SIGKILL); [`revive`](Self::revive) starts it again.
    pub fn end(&mut self) {
        self.server.end();
    }

    /// Starts it after its [`end`](Self::end), with what it had on disk.
    ///
    /// # Errors
    /// When it does not come back.
    pub fn revive(&mut self) -> Result<(), Failure> {
        let jars = jars()?;
        self.server.restart(|_, folder| broker(&jars, folder))?;
        self.answers()
    }

    /// The process id of the broker.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.server.id()
    }

    /// Where it speaks without any protection.
    #[must_use]
    pub fn plaintext(&self) -> String {
        at(Ipv4Addr::LOCALHOST, self.ports.plaintext)
    }

    /// Where a user is wanted.
    #[must_use]
    pub fn sasl_plaintext(&self) -> String {
        at(self.ports.host, self.ports.sasl_plaintext)
    }

    /// Where it speaks TLS.
    #[must_use]
    pub fn ssl(&self) -> String {
        at(self.ports.host, self.ports.ssl)
    }

    /// Where it speaks TLS and wants a user.
    #[must_use]
    pub fn sasl_ssl(&self) -> String {
        at(self.ports.host, self.ports.sasl_ssl)
    }

    /// Where it speaks TLS and wants a certificate of [`authority`](Self::authority).
    #[must_use]
    pub fn mtls(&self) -> String {
        at(self.ports.host, self.ports.mtls)
    }

    /// Who signed its certificate, and signs those of clients.
    #[must_use]
    pub fn authority(&self) -> &Authority {
        &self.authority
    }
}

fn at(host: Ipv4Addr, port: u16) -> String {
    format!("{host}:{port}")
}

fn jars() -> Result<PathBuf, Failure> {
    let kafka = format!("org.apache.kafka:kafka_2.13:{}", Kafka::VERSION);
    install::maven("kafka", &[&kafka, "org.slf4j:slf4j-simple:1.7.36"])
}

fn java(jars: &Path, folder: &Path) -> Result<Command, Failure> {
    let mut command = Command::new(install::java()?);
    command.current_dir(folder).args(["-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]);
    command.args(["-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp"]).arg(jars.join("*"));
    Ok(command)
}

/// Makes the folder of its data, with the users of SCRAM, which are kept there.
fn format(jars: &Path, folder: &Path) -> Result<(), Failure> {
    let mut format = java(jars, folder)?;
    format.args([
        "kafka.tools.StorageTool",
        "format",
        "-t",
        "0c6Yt2cDQ0WvkPLUZ6v1gA",
        "-c",
        properties::FILE,
    ]);
    for mechanism in ["SCRAM-SHA-256", "SCRAM-SHA-512"] {
        let user = format!("{mechanism}=[name={},password={}]", Kafka::USER, Kafka::PASSWORD);
        format.args(["--add-scram", &user]);
    }
    install::run(&mut format)
}

fn broker(jars: &Path, folder: &Path) -> Result<Command, Failure> {
    let mut broker = java(jars, folder)?;
    if folder.join(properties::NAMES).exists() {
        broker.arg(format!("-Djdk.net.hosts.file={}", properties::NAMES));
    }
    broker.args(["kafka.Kafka", properties::FILE]);
    Ok(broker)
}

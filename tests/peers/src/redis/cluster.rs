//! A cluster of three nodes that speak TLS only, want a certificate of whoever connects, and know one user beside their own.

use std::net::SocketAddr;
use std::process::Command;

use kit::{Authority, Failure, eventually};
use serde_json::Value;

use super::{ask, write};
use crate::install;
use crate::server::{Server, free_port};

/// Slots of a cluster.
const SLOTS: usize = 16384;

/// The nodes; the slots are divided among them.
pub struct RedisCluster {
    nodes: Vec<Server>,
    authority: Authority,
    /// A certificate and its key, PEM.
    identity: (String, String),
}

impl RedisCluster {
    /// The user whom others are.
    pub const USER: &str = "broker";
    /// The user's password.
    pub const PASSWORD: &str = "battery-staple";
    /// The password of the nodes' own user.
    const OWN: &str = "nodes-only";

    /// Starts one in which the user may work with streams, under keys that match these patterns.
    ///
    /// # Errors
    /// When it cannot be installed or started.
    pub fn start(patterns: &[&str]) -> Result<Self, Failure> {
        let authority = Authority::new()?;
        let identity = authority.issue()?;
        let identity = (identity.certificate, identity.key);
        let keys: Vec<String> = patterns.iter().map(|pattern| format!("~{pattern}")).collect();
        let users = format!(
            "user default on >{} ~* &* +@all\nuser {} on >{} {} +@stream +@connection\n",
            Self::OWN,
            Self::USER,
            Self::PASSWORD,
            keys.join(" ")
        );
        let program = install::debian("redis-server", "redis-server")?;
        let files = [
            ("ca.pem", authority.pem()),
            ("certificate.pem", &identity.0),
            ("key.pem", &identity.1),
            ("users.acl", &users),
        ];
        let node = || {
            Server::start(|port, folder| {
                write(folder, &files)?;
                let (port, bus) = (port.to_string(), free_port()?.to_string());
                let mut command = Command::new(&program);
                command.current_dir(folder).args(["--bind", "127.0.0.1", "--port", "0", "--tls-port", &port]);
                command.args(["--save", "", "--appendonly", "no", "--cluster-enabled", "yes"]);
                command.args(["--cluster-port", &bus, "--cluster-node-timeout", "15000"]);
                command.args([
                    "--tls-cluster",
                    "yes",
                    "--tls-auth-clients",
                    "yes",
                    "--tls-ca-cert-file",
                    "ca.pem",
                ]);
                command.args(["--tls-cert-file", "certificate.pem", "--tls-key-file", "key.pem"]);
                command.args([
                    "--aclfile",
                    "users.acl",
                    "--masteruser",
                    "default",
                    "--masterauth",
                    Self::OWN,
                ]);
                Ok(command)
            })
        };
        let nodes = (0..3).map(|_| node()).collect::<Result<Vec<_>, _>>()?;
        let cluster = Self { nodes, authority, identity };
        cluster.join()?;
        Ok(cluster)
    }

    /// Divides the slots and makes the nodes know each other.
    fn join(&self) -> Result<(), Failure> {
        let (part, last) = (SLOTS / self.nodes.len(), self.nodes.len() - 1);
        for (index, node) in self.nodes.iter().enumerate() {
            let end = if index == last { SLOTS - 1 } else { (index + 1) * part - 1 };
            let (from, to) = ((index * part).to_string(), end.to_string());
            self.ask_node(node, &["CLUSTER", "ADDSLOTSRANGE", &from, &to])?;
            self.ask_node(node, &["CLUSTER", "SET-CONFIG-EPOCH", &(index + 1).to_string()])?;
        }
        let first = &self.nodes[0];
        for node in &self.nodes[1..] {
            let port = node.address().port().to_string();
            let bus = self.ask_node(node, &["CONFIG", "GET", "cluster-port"])?;
            let bus = bus["cluster-port"].as_str().ok_or("no cluster-port")?.to_owned();
            self.ask_node(first, &["CLUSTER", "MEET", "127.0.0.1", &port, &bus])?;
        }
        eventually("a cluster that works", || {
            let works = |node: &Server| {
                let info = self.ask_node(node, &["CLUSTER", "INFO"]).ok()?;
                let text = info.as_str()?;
                (text.contains("cluster_state:ok") && text.contains("cluster_known_nodes:3")).then_some(())
            };
            self.nodes.iter().map(works).collect::<Option<()>>()
        })
    }

    /// Where the nodes listen.
    #[must_use]
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.nodes.iter().map(Server::address).collect()
    }

    /// Who signed their certificates.
    #[must_use]
    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    /// A certificate that they take, and its key, PEM.
    #[must_use]
    pub fn identity(&self) -> (&str, &str) {
        (&self.identity.0, &self.identity.1)
    }

    /// Asks whichever node knows.
    ///
    /// # Errors
    /// When it says no, or nothing.
    pub fn ask(&self, words: &[&str]) -> Result<Value, Failure> {
        self.ask_with(&self.nodes[0], &["-c"], words)
    }

    fn ask_node(&self, node: &Server, words: &[&str]) -> Result<Value, Failure> {
        self.ask_with(node, &[], words)
    }

    fn ask_with(&self, node: &Server, more: &[&str], words: &[&str]) -> Result<Value, Failure> {
        let file = |name: &str| node.folder().join(name).display().to_string();
        let (ca, certificate, key) = (file("ca.pem"), file("certificate.pem"), file("key.pem"));
        let mut options = vec!["--tls", "--cacert", &ca, "--cert", &certificate, "--key", &key];
        options.extend(["--user", "default", "-a", Self::OWN, "--no-auth-warning"]);
        options.extend(more);
        ask(node.address().port(), &options, words)
    }
}

//! What the broker is told: <https://kafka.apache.org/41/configuration/broker-configs/>.

use std::fs;
use std::net::Ipv4Addr;
use std::path::Path;

use kit::{Authority, Failure};

use super::{Kafka, at};
use crate::server::free_port;

/// The only names that it asks for, where it may be that no name server answers: it looks for that of its address whenever a
/// user proves who he is.
pub const NAMES: &str = "hosts";
/// The name of the file.
pub const FILE: &str = "server.properties";

/// One port for each listener.
#[derive(Debug, Clone, Copy)]
pub struct Ports {
    /// Where those are that others than this machine may use.
    pub host: Ipv4Addr,
    pub plaintext: u16,
    pub sasl_plaintext: u16,
    pub ssl: u16,
    pub sasl_ssl: u16,
    pub mtls: u16,
    controller: u16,
}

impl Ports {
    pub fn choose(host: Ipv4Addr, plaintext: u16) -> Result<Self, Failure> {
        Ok(Self {
            host,
            plaintext,
            sasl_plaintext: free_port()?,
            ssl: free_port()?,
            sasl_ssl: free_port()?,
            mtls: free_port()?,
            controller: free_port()?,
        })
    }
}

/// Small and quick: everything once, short waits, nothing is made that was not asked for.
const FIXED: &str = "\
process.roles=broker,controller
node.id=1
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT,SSL:SSL,SASL_SSL:SASL_SSL,MTLS:SSL,CONTROLLER:PLAINTEXT
listener.name.mtls.ssl.client.auth=required
ssl.keystore.type=PEM
ssl.keystore.location=broker.pem
ssl.truststore.type=PEM
ssl.truststore.location=authority.pem
log.dirs=data
num.network.threads=2
num.io.threads=4
log.cleaner.dedupe.buffer.size=4194304
log.cleaner.backoff.ms=200
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
offsets.topic.segment.bytes=1048576
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
controlled.shutdown.enable=false
";

/// Writes the file and the certificates that it names.
pub fn write(folder: &Path, ports: &Ports, authority: &Authority) -> Result<(), Failure> {
    let identity = authority.issue()?;
    let file = |name: &str, content: &str| {
        fs::write(folder.join(name), content).map_err(|error| format!("{name}: {error}"))
    };
    file("authority.pem", authority.pem())?;
    file("broker.pem", &format!("{}{}", identity.key, identity.certificate))?;
    let own = Ipv4Addr::LOCALHOST;
    if ports.host != own {
        file(NAMES, &format!("{own} localhost\n{} kafka\n", ports.host))?;
    }
    let listeners: Vec<_> = [
        ("PLAINTEXT", own, ports.plaintext),
        ("SASL_PLAINTEXT", ports.host, ports.sasl_plaintext),
        ("SSL", ports.host, ports.ssl),
        ("SASL_SSL", ports.host, ports.sasl_ssl),
        ("MTLS", ports.host, ports.mtls),
        ("CONTROLLER", own, ports.controller),
    ]
    .map(|(name, host, port)| format!("{name}://{}", at(host, port)))
    .into();
    let mut text = format!("{FIXED}listeners={}\n", listeners.join(","));
    text += &format!("controller.quorum.voters=1@{}\n", at(own, ports.controller));
    text += "sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512\n";
    for listener in ["sasl_plaintext", "sasl_ssl"] {
        text += &format!(
            "listener.name.{listener}.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule \
             required user_{}=\"{}\";\n",
            Kafka::USER,
            Kafka::PASSWORD
        );
        for mechanism in ["scram-sha-256", "scram-sha-512"] {
            text += &format!(
                "listener.name.{listener}.{mechanism}.sasl.jaas.config=\
                 org.apache.kafka.common.security.scram.ScramLoginModule required;\n"
            );
        }
    }
    file(FILE, &text)
}

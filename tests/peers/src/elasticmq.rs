//! ElasticMQ, a server of SQS: strict limits, real visibility, groups, redrive. It looks at no signature.

use std::{fs, process::Command};

use kit::Failure;

use crate::install;
use crate::server::Server;

/// A server without queues.
pub struct ElasticMq(pub(crate) Server);

impl ElasticMq {
    /// Its version.
    pub const VERSION: &str = "1.6.11";
    /// The region of its queues.
    pub const REGION: &str = "us-west-2";
    /// The account that they belong to.
    pub const ACCOUNT: &str = "123456789012";

    /// Starts one.
    ///
    /// # Errors
    /// When it cannot be installed or started.
    pub fn start() -> Result<Self, Failure> {
        let artifact = format!("org.elasticmq:elasticmq-server_2.13:{}", Self::VERSION);
        let jars = install::maven("elasticmq", &[&artifact])?;
        let java = install::java()?;
        Server::start(|port, folder| {
            let config = folder.join("elasticmq.conf");
            fs::write(&config, settings(port)).map_err(|error| format!("{}: {error}", config.display()))?;
            let mut command = Command::new(&java);
            command.args(["-Xmx256m", "-XX:+UseSerialGC", &format!("-Dconfig.file={}", config.display())]);
            command.arg("-cp").arg(jars.join("*")).arg("org.elasticmq.server.Main");
            Ok(command)
        })
        .map(Self)
    }
}

fn settings(port: u16) -> String {
    let (region, account) = (ElasticMq::REGION, ElasticMq::ACCOUNT);
    format!(
        r#"
        include classpath("application.conf")
        generate-node-address = false
        node-address {{ protocol = http, host = "127.0.0.1", port = {port}, context-path = "" }}
        rest-sqs {{ enabled = true, bind-port = {port}, bind-hostname = "127.0.0.1", sqs-limits = strict }}
        rest-stats {{ enabled = false }}
        aws {{ region = {region}, accountId = {account} }}
        "#
    )
}

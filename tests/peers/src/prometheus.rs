//! Prometheus, which reads metrics of the processes under test, and its `promtool`.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
};

use kit::{Failure, eventually, http::Request};
use serde_json::Value;

use crate::{install, server::Server};

/// A running Prometheus.
pub struct Prometheus(Server);

impl Prometheus {
    /// Starts one that reads `/metrics` at these addresses twice a second.
    ///
    /// # Errors
    /// When it cannot be installed or started.
    pub fn start(targets: &[SocketAddr]) -> Result<Self, Failure> {
        let program = install::debian("prometheus", "prometheus")?;
        let server = Server::start(|port, folder| command(&program, port, folder, targets))?;
        eventually("Prometheus", || {
            Request::get("/-/ready").send(server.address()).ok().filter(|answer| answer.status == 200)
        })?;
        Ok(Self(server))
    }

    /// What a query gives now: the series, each with its labels and value.
    ///
    /// # Errors
    /// When the query is none.
    pub fn query(&self, query: &str) -> Result<Vec<Value>, Failure> {
        let query = percent_encoding::utf8_percent_encode(query, percent_encoding::NON_ALPHANUMERIC);
        let request = Request::get(&format!("/api/v1/query?query={query}"));
        let answer = request.send(self.0.address())?;
        let answer: Value = serde_json::from_slice(&answer.body).map_err(|error| error.to_string())?;
        match answer["data"]["result"].as_array() {
            Some(series) if answer["status"] == "success" => Ok(series.clone()),
            _ => Err(answer["error"].as_str().unwrap_or("no answer").to_owned()),
        }
    }
}

/// The tool that checks rules.
///
/// # Errors
/// When it cannot be installed.
pub fn promtool() -> Result<PathBuf, Failure> {
    install::debian("prometheus", "promtool")
}

fn command(program: &Path, port: u16, folder: &Path, targets: &[SocketAddr]) -> Result<Command, Failure> {
    let targets: Vec<_> = targets.iter().map(ToString::to_string).collect();
    let config = serde_json::json!({
        "global": {"scrape_interval": "500ms"},
        "scrape_configs": [{"job_name": "adapters", "static_configs": [{"targets": targets}]}],
    });
    let file = folder.join("prometheus.yml");
    fs::write(&file, config.to_string()).map_err(|error| format!("{}: {error}", file.display()))?;
    let mut command = Command::new(program);
    command.arg(format!("--config.file={}", file.display()));
    command.arg(format!("--storage.tsdb.path={}", folder.join("data").display()));
    command.arg(format!("--web.listen-address=127.0.0.1:{port}"));
    Ok(command)
}

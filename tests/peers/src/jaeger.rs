//! Jaeger, all in one process with its spans in memory.

use std::{cell::Cell, net::SocketAddr, path::Path, process::Command};

use kit::{Failure, eventually, http::Request};
use serde_json::Value;

use crate::install;
use crate::server::{Server, free_port};

/// A running Jaeger.
pub struct Jaeger {
    server: Server,
    otlp: SocketAddr,
}

impl Jaeger {
    /// Its version.
    pub const VERSION: &str = "v1.76.0";

    /// Starts one and waits until it takes spans.
    ///
    /// # Errors
    /// When it cannot be built or started.
    pub fn start() -> Result<Self, Failure> {
        let program =
            install::go_copy("jaeger", "github.com/jaegertracing/jaeger", Self::VERSION, "./cmd/all-in-one")?;
        let otlp = Cell::new(0);
        let server = Server::start(|port, _| {
            otlp.set(free_port()?);
            command(&program, port, otlp.get())
        })?;
        let otlp = SocketAddr::from(([127, 0, 0, 1], otlp.get()));
        eventually("Jaeger's collector", || Request::get("/").send(otlp).ok())?;
        Ok(Self { server, otlp })
    }

    /// The value for `OTEL_EXPORTER_OTLP_ENDPOINT`.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.otlp)
    }

    /// The spans of a trace as far as they have come.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn spans(&self, trace: &str) -> Result<Vec<Span>, Failure> {
        let request = Request::get(&format!("/api/traces/{trace}"));
        let answer = request.send(self.server.address())?;
        let answer: Value = serde_json::from_slice(&answer.body).map_err(|error| error.to_string())?;
        let trace = &answer["data"][0];
        let spans = trace["spans"].as_array().cloned().unwrap_or_default();
        Ok(spans.iter().map(|span| Span::read(trace, span)).collect())
    }
}

fn command(program: &Path, query: u16, otlp: u16) -> Result<Command, Failure> {
    let mut command = Command::new(program);
    command.env("SPAN_STORAGE_TYPE", "memory");
    command.arg(format!("--query.http-server.host-port=127.0.0.1:{query}"));
    command.arg(format!("--collector.otlp.http.host-port=127.0.0.1:{otlp}"));
    // It cannot do without these, and nobody asks there.
    for name in [
        "query.grpc-server",
        "collector.otlp.grpc",
        "collector.http-server",
        "collector.grpc-server",
        "admin.http",
    ] {
        command.arg(format!("--{name}.host-port=127.0.0.1:{}", free_port()?));
    }
    Ok(command)
}

/// What is looked at in a span.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// Its id.
    pub id: String,
    /// The id of its parent.
    pub parent: Option<String>,
    /// Whose it is.
    pub service: String,
    /// What was done.
    pub name: String,
}

impl Span {
    fn read(trace: &Value, span: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let process = text(&span["processID"]);
        Self {
            id: text(&span["spanID"]),
            parent: span["references"][0]["spanID"].as_str().map(str::to_owned),
            service: text(&trace["processes"][&process]["serviceName"]),
            name: text(&span["operationName"]),
        }
    }
}

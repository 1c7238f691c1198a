//! Toxiproxy: a network that is slow, narrow, silent or cut, between an adapter and a real peer.

use std::{
    net::SocketAddr,
    process::Command,
    sync::atomic::{AtomicUsize, Ordering},
};

use kit::{
    Failure,
    http::{Request, Response},
};
use serde_json::{Value, json};

use crate::install;
use crate::server::Server;

/// The daemon; it carries any number of proxies.
pub struct Toxiproxy {
    server: Server,
    made: AtomicUsize,
}

impl Toxiproxy {
    /// Its version.
    pub const VERSION: &str = "v2.5.0";

    /// Starts one without proxies.
    ///
    /// # Errors
    /// When it cannot be built or started.
    pub fn start() -> Result<Self, Failure> {
        let program = install::go("github.com/Shopify/toxiproxy/v2/cmd/server", Self::VERSION)?;
        let server = Server::start(|port, _| {
            let mut command = Command::new(&program);
            command.args(["-host", "127.0.0.1", "-port", &port.to_string()]);
            Ok(command)
        })?;
        Ok(Self { server, made: AtomicUsize::new(0) })
    }

    /// A proxy before a server, which passes everything on as it is.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn before(&self, upstream: SocketAddr) -> Result<Proxy, Failure> {
        let name = format!("proxy-{}", self.made.fetch_add(1, Ordering::Relaxed));
        let wanted = json!({ "name": name, "listen": "127.0.0.1:0", "upstream": upstream, "enabled": true });
        let api = self.server.address();
        let answer = call(api, &Request::post("/proxies").json(&wanted))?;
        let made: Value = serde_json::from_slice(&answer.body).map_err(|error| error.to_string())?;
        let address = made["listen"].as_str().and_then(|text| text.parse().ok());
        Ok(Proxy { api, name, address: address.ok_or_else(|| format!("no address in {made}"))? })
    }
}

/// The way to one server.
#[derive(Debug, Clone)]
pub struct Proxy {
    api: SocketAddr,
    name: String,
    address: SocketAddr,
}

/// What goes wrong on the way; it holds for connections that are open too.
#[derive(Debug, Clone, Copy)]
pub enum Toxic {
    /// Everything from the server comes so many milliseconds later.
    Latency(u32),
    /// At most so many kilobytes a second from the server.
    Bandwidth(u32),
    /// Nothing comes from the server any more; connections stay open until the server closes them.
    Silence,
    /// Nothing goes to the server any more; connections stay open.
    Deafness,
    /// Connections are reset after so many milliseconds.
    Reset(u32),
    /// A connection is closed after so many bytes from the server.
    Limit(u32),
}

impl Proxy {
    /// Where it listens, in place of the server.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address as an `http` URL without path.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Puts something wrong in, beside what is there.
    ///
    /// # Errors
    /// When it cannot be done.
    pub fn add(&self, toxic: Toxic) -> Result<(), Failure> {
        let (kind, stream, attributes) = match toxic {
            Toxic::Latency(ms) => ("latency", "downstream", json!({ "latency": ms })),
            Toxic::Bandwidth(rate) => ("bandwidth", "downstream", json!({ "rate": rate })),
            Toxic::Silence => ("timeout", "downstream", json!({ "timeout": 0 })),
            Toxic::Deafness => ("timeout", "upstream", json!({ "timeout": 0 })),
            Toxic::Reset(ms) => ("reset_peer", "downstream", json!({ "timeout": ms })),
            Toxic::Limit(bytes) => ("limit_data", "downstream", json!({ "bytes": bytes })),
        };
        let toxic = json!({
            "name": format!("{kind}-{stream}"), "type": kind, "stream": stream, "toxicity": 1.0,
            "attributes": attributes,
        });
        call(self.api, &Request::post(&format!("/proxies/{}/toxics", self.name)).json(&toxic)).map(drop)
    }

    /// Takes everything wrong out.
    ///
    /// # Errors
    /// When it cannot be done.
    pub fn heal(&self) -> Result<(), Failure> {
        let path = format!("/proxies/{}/toxics", self.name);
        let answer = call(self.api, &Request::get(&path))?;
        let toxics: Value = serde_json::from_slice(&answer.body).map_err(|error| error.to_string())?;
        for toxic in toxics.as_array().into_iter().flatten() {
            let name = toxic["name"].as_str().unwrap_or_default();
            call(self.api, &Request::new("DELETE", &format!("{path}/{name}")))?;
        }
        Ok(())
    }

    /// Cuts every connection and takes no more, or takes them again.
    ///
    /// # Errors
    /// When it cannot be done.
    pub fn enable(&self, enabled: bool) -> Result<(), Failure> {
        let request = Request::post(&format!("/proxies/{}", self.name)).json(&json!({ "enabled": enabled }));
        call(self.api, &request).map(drop)
    }
}

fn call(api: SocketAddr, request: &Request) -> Result<Response, Failure> {
    let answer = request.send(api).map_err(|error| format!("toxiproxy: {error}"))?;
    if answer.is_success() { Ok(answer) } else { Err(format!("toxiproxy: {}", answer.text())) }
}

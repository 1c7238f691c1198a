//! The one HTTP client of the tree: pooled, HTTP/1.1, one pool for each runtime, redirects never followed.

mod answer;
mod client;
mod connector;
mod tls;
pub(crate) mod whole;

use std::{path::PathBuf, sync::OnceLock};

pub use client::{Client, ClientError, Problem};
pub use tls::{Roots, client_config};

static PROCESS: OnceLock<Process> = OnceLock::new();

/// What the settings say for every client of the process, whoever makes it.
#[derive(Debug)]
pub(crate) struct Process {
    /// `K_CA_CERTS`, PEM text.
    pub(crate) ca_certs: Option<String>,
    /// `TRUST_BUNDLE_DIR`; it may be absent.
    pub(crate) trust_bundle_dir: PathBuf,
    /// Whether `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` are honoured.
    pub(crate) use_proxy: bool,
}

/// Says so, before the first client is made; the first call wins.
pub(crate) fn set_process(process: Process) {
    PROCESS.get_or_init(|| process);
}

fn process() -> &'static Process {
    PROCESS.get_or_init(|| Process {
        ca_certs: None,
        trust_bundle_dir: PathBuf::from("/knative-custom-certs"),
        use_proxy: true,
    })
}

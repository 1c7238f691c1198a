//! Certificates of the server: PEM files, read again when they change.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant, SystemTime},
};

use rustls::{ServerConfig, crypto::aws_lc_rs};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use tokio_rustls::TlsAcceptor;

use crate::config::ConfigError;

/// How often, at most, the files are looked at; only new connections look.
const CHECK_EVERY: Duration = Duration::from_secs(1);

/// The certificate chain and key of the server.
#[derive(Debug)]
pub(crate) struct Certificates {
    chain: String,
    key: String,
    current: Mutex<Current>,
}

#[derive(Debug)]
struct Current {
    config: Arc<ServerConfig>,
    stamp: Option<(SystemTime, SystemTime)>,
    checked: Instant,
}

impl Certificates {
    /// Reads the files.
    pub(crate) fn new(chain: &str, key: &str) -> Result<Self, ConfigError> {
        let config = read(chain, key)?;
        let current = Current { config, stamp: stamp(chain, key), checked: Instant::now() };
        Ok(Self { chain: chain.to_owned(), key: key.to_owned(), current: Mutex::new(current) })
    }

    /// The acceptor as it is now. A pair of files that cannot be used keeps the last good one.
    pub(crate) fn acceptor(&self) -> Option<TlsAcceptor> {
        let mut current = self.current.lock().ok()?;
        if current.checked.elapsed() >= CHECK_EVERY {
            current.checked = Instant::now();
            let stamp = stamp(&self.chain, &self.key);
            if stamp.is_some() && stamp != current.stamp {
                match read(&self.chain, &self.key) {
                    Ok(config) => (current.config, current.stamp) = (config, stamp),
                    Err(error) => tracing::error!(%error, "the server's certificate cannot be read again"),
                }
            }
        }
        Some(TlsAcceptor::from(Arc::clone(&current.config)))
    }
}

fn stamp(chain: &str, key: &str) -> Option<(SystemTime, SystemTime)> {
    let modified = |path: &str| std::fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
    Some((modified(chain)?, modified(key)?))
}

fn read(chain: &str, key: &str) -> Result<Arc<ServerConfig>, ConfigError> {
    let bad_chain = |_| ConfigError::new("TLS_CERT_FILE", "must name a readable file of PEM certificates");
    let certificates: Vec<CertificateDer<'static>> =
        CertificateDer::pem_file_iter(chain).and_then(Iterator::collect).map_err(bad_chain)?;
    let key = PrivateKeyDer::from_pem_file(key)
        .map_err(|_| ConfigError::new("TLS_KEY_FILE", "must name a readable file with a PEM private key"))?;
    let unusable = |error| ConfigError::new("TLS_CERT_FILE", format_args!("cannot be used: {error}"));
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(certificates, key))
        .map_err(unusable)?;
    Ok(Arc::new(config))
}

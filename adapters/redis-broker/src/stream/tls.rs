//! TLS to the server: what is trusted, and who we say we are.

use std::{io, sync::Arc};

use common::{
    config::{ConfigError, Flag, Pem, Secret},
    http::{Roots, client_config},
};
use rustls::{
    ClientConfig,
    crypto::aws_lc_rs,
    sign::{CertifiedKey, SingleCertAndKey},
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};

/// How TLS is spoken.
#[derive(Debug)]
pub struct Tls {
    roots: Roots,
    /// What we show when we are asked.
    identity: Option<Arc<SingleCertAndKey>>,
}

impl Tls {
    /// By the settings.
    ///
    /// # Errors
    /// When certificate and key do not go together.
    pub fn new(
        ca: Option<&Pem>,
        skip_verify: Flag,
        own: Option<(&Pem, &Secret)>,
    ) -> Result<Self, ConfigError> {
        let identity = match own {
            Some((certificate, key)) => Some(Arc::new(identity(certificate, &key.read())?)),
            None => None,
        };
        Ok(Self { roots: Roots::chosen(ca, skip_verify), identity })
    }

    /// Makes a connection a secret one.
    ///
    /// # Errors
    /// When the server is not who it should be, or TLS fails otherwise.
    pub async fn connect(&self, host: &str, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        let mut config = client_config(&self.roots).map_err(io::Error::other)?;
        if let Some(identity) = &self.identity {
            let mut own = ClientConfig::clone(&config);
            own.client_auth_cert_resolver = identity.clone();
            config = Arc::new(own);
        }
        let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
        TlsConnector::from(config).connect(name, stream).await
    }
}

fn identity(certificate: &Pem, key: &str) -> Result<SingleCertAndKey, ConfigError> {
    let chain: Vec<_> = CertificateDer::pem_slice_iter(certificate.0.as_bytes()).flatten().collect();
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes())
        .map_err(|_| ConfigError::new("REDIS_TLS_KEY", "must be a private key in PEM form"))?;
    CertifiedKey::from_der(chain, key, &aws_lc_rs::default_provider()).map(SingleCertAndKey::from).map_err(
        |error| ConfigError::new("REDIS_TLS_KEY", format_args!("does not fit the certificate: {error}")),
    )
}

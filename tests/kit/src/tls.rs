//! A private certification authority, made for one trial.

use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, StreamOwned};

use crate::Failure;
use crate::http::{self, Request, Response};

/// An authority that nobody knows but whom it is shown to.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
    certificate: CertificateDer<'static>,
}

/// A certificate for `localhost` and 127.0.0.1, with its key.
pub struct Identity {
    /// The certificate, PEM.
    pub certificate: String,
    /// The private key, PEM (PKCS #8).
    pub key: String,
    config: Arc<ServerConfig>,
}

impl Authority {
    /// A new one.
    ///
    /// # Errors
    /// When a key cannot be made.
    pub fn new() -> Result<Self, Failure> {
        let mut params = CertificateParams::new(Vec::new()).map_err(text)?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().map_err(text)?;
        let certificate = params.self_signed(&key).map_err(text)?;
        let pem = certificate.pem();
        Ok(Self { issuer: Issuer::new(params, key), pem, certificate: certificate.der().clone() })
    }

    /// Its own certificate, PEM: what a client must trust.
    #[must_use]
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// Sends a request over TLS to one who must show a certificate of this authority.
    ///
    /// # Errors
    /// When it shows another one, or as [`Request::send`].
    pub fn send(&self, request: &Request, to: SocketAddr) -> Result<Response, Failure> {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone()).map_err(text)?;
        let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(text)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::try_from("localhost").map_err(text)?;
        let session = ClientConnection::new(Arc::new(config), name).map_err(text)?;
        let mut stream = StreamOwned::new(session, http::connect(to).map_err(text)?);
        stream.write_all(&request.to_bytes(to)).map_err(text)?;
        http::read_response(stream).map_err(text)
    }

    /// A certificate signed by it.
    ///
    /// # Errors
    /// When a key cannot be made.
    pub fn issue(&self) -> Result<Identity, Failure> {
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        let mut params = CertificateParams::new(names).map_err(text)?;
        // A name other than the authority's: OpenSSL takes a certificate that names itself as issuer for self-signed.
        params.distinguished_name.push(DnType::CommonName, "localhost");
        let key = KeyPair::generate().map_err(text)?;
        let certificate = params.signed_by(&key, &self.issuer).map_err(text)?;
        let private = PrivateKeyDer::Pkcs8(key.serialize_der().into());
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(text)?
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], private)
            .map_err(text)?;
        Ok(Identity { certificate: certificate.pem(), key: key.serialize_pem(), config: Arc::new(config) })
    }
}

impl Identity {
    pub(crate) fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.config)
    }
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

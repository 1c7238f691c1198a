//! TLS for outgoing connections: which certificates are trusted, read when the first connection needs them.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::{Instant, SystemTime},
};

use rustls::{
    ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, aws_lc_rs},
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject};

use super::process;
use crate::config::{Flag, Pem};

/// How often, at most, the trust bundles are looked at again. Only new connections look.
const CHECK_EVERY: std::time::Duration = std::time::Duration::from_secs(10);

/// Which certificate authorities a client trusts.
#[derive(Debug, Clone)]
pub enum Roots {
    /// Those of the process: the system's (or of `SSL_CERT_FILE`, `SSL_CERT_DIR`), `K_CA_CERTS` and every PEM file in
    /// `TRUST_BUNDLE_DIR`.
    Process,
    /// Only these PEM certificates.
    Only(String),
    /// Anybody: the certificate is not looked at.
    Unverified,
}

impl Roots {
    /// By the usual pair of settings: certificates that take the place of all others, else whether to look at all.
    #[must_use]
    pub fn chosen(certificates: Option<&Pem>, skip_verify: Flag) -> Self {
        match certificates {
            Some(pem) => Self::Only(pem.0.clone()),
            None if skip_verify.0 => Self::Unverified,
            None => Self::Process,
        }
    }
}

/// The trust of one client, read when its first connection needs it.
#[derive(Debug)]
pub(super) struct Trust {
    roots: Roots,
    built: Mutex<Option<Built>>,
}

#[derive(Debug)]
struct Built {
    config: Arc<ClientConfig>,
    stamp: Option<SystemTime>,
    checked: Instant,
}

impl Trust {
    /// Nothing is read yet.
    pub(super) fn new(roots: Roots) -> Self {
        Self { roots, built: Mutex::new(None) }
    }

    /// The configuration as it is now; built on the first use, and again when the trust bundles have changed.
    pub(super) fn config(&self) -> Result<Arc<ClientConfig>, rustls::Error> {
        let mut built =
            self.built.lock().map_err(|_| rustls::Error::General("a lock is poisoned".to_owned()))?;
        if let Some(built) = built.as_mut() {
            if built.checked.elapsed() < CHECK_EVERY {
                return Ok(Arc::clone(&built.config));
            }
            built.checked = Instant::now();
            if built.stamp == self.stamp() {
                return Ok(Arc::clone(&built.config));
            }
        }
        let stamp = self.stamp();
        let config = Arc::new(build(&self.roots)?);
        *built = Some(Built { config: Arc::clone(&config), stamp, checked: Instant::now() });
        Ok(config)
    }

    fn stamp(&self) -> Option<SystemTime> {
        let Roots::Process = &self.roots else { return None };
        last_change(Path::new(&process().trust_bundle_dir))
    }
}

/// When a folder or a file in it changed last. A mounted ConfigMap changes as a folder; a file that is written anew in its place
/// changes alone.
fn last_change(folder: &Path) -> Option<SystemTime> {
    let files = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|file| file.path());
    let changed = |path: PathBuf| std::fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
    files.chain([folder.to_owned()]).filter_map(changed).max()
}

/// TLS for a client of another protocol, which trusts what `roots` says now.
///
/// # Errors
/// When the TLS library cannot be set up.
pub fn client_config(roots: &Roots) -> Result<Arc<ClientConfig>, rustls::Error> {
    build(roots).map(Arc::new)
}

fn build(roots: &Roots) -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder =
        ClientConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions()?;
    Ok(match roots {
        Roots::Unverified => {
            let verifier = Arc::new(Unverified(provider));
            builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth()
        }
        Roots::Only(pem) => {
            let mut store = RootCertStore::empty();
            add_pem(&mut store, pem.as_bytes());
            builder.with_root_certificates(store).with_no_client_auth()
        }
        Roots::Process => {
            let mut store = RootCertStore::empty();
            let native = rustls_native_certs::load_native_certs();
            for error in native.errors {
                tracing::warn!(%error, "a system certificate cannot be read");
            }
            store.add_parsable_certificates(native.certs);
            let process = process();
            if let Some(pem) = &process.ca_certs {
                add_pem(&mut store, pem.as_bytes());
            }
            for file in std::fs::read_dir(&process.trust_bundle_dir).into_iter().flatten().flatten() {
                // A mounted ConfigMap holds folders and links of its own beside the files.
                if let Ok(pem) = std::fs::read(file.path()) {
                    add_pem(&mut store, &pem);
                }
            }
            builder.with_root_certificates(store).with_no_client_auth()
        }
    })
}

fn add_pem(store: &mut RootCertStore, pem: &[u8]) {
    store.add_parsable_certificates(CertificateDer::pem_slice_iter(pem).flatten());
}

/// Accepts any certificate; the signatures of the handshake are checked all the same.
#[derive(Debug)]
struct Unverified(Arc<CryptoProvider>);

impl ServerCertVerifier for Unverified {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use std::{fs::File, time::Duration};

    use super::*;

    #[test]
    fn a_bundle_that_is_written_anew_in_its_place_is_a_change() {
        let folder = kit::Folder::new().expect("a folder");
        let path = folder.file("bundle.pem", "").expect("a file");
        let before = last_change(folder.path());
        let later = SystemTime::now() + Duration::from_secs(60);
        File::options()
            .write(true)
            .open(path)
            .and_then(|file| file.set_modified(later))
            .expect("another time");
        assert!(before.is_some() && last_change(folder.path()) == Some(later));
    }
}

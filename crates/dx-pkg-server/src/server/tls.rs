//! HTTPS: the certificate, which can be read again while the server runs, and handshakes.

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// The first byte of a handshake (RFC 8446, section 5.1).
const HANDSHAKE: u8 = 22;

/// The answer to a client that speaks HTTP on a port for HTTPS.
const NO_TLS: &[u8] = b"HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\n\
    content-length: 57\r\nconnection: close\r\n\r\n\
    {\"error\":\"this registry speaks HTTPS: write https://...\"}";

/// A certificate and its key, as connections are accepted with them.
pub(crate) struct Tls {
    certificate: PathBuf,
    key: PathBuf,
    config: RwLock<Arc<ServerConfig>>,
}

impl Tls {
    /// Reads a certificate chain and its key from files in PEM form.
    ///
    /// # Errors
    /// A text that names the file and what is wrong with it.
    pub(crate) fn open(certificate: &Path, key: &Path) -> Result<Self, String> {
        let config = RwLock::new(Arc::new(read(certificate, key)?));
        Ok(Self { certificate: certificate.to_owned(), key: key.to_owned(), config })
    }

    /// Reads both files again, for the connections from now on. If they cannot be used, the former
    /// certificate stays.
    ///
    /// # Errors
    /// As for [`Tls::open`].
    pub(crate) fn reread(&self) -> Result<(), String> {
        let config = Arc::new(read(&self.certificate, &self.key)?);
        *self.config.write().unwrap_or_else(PoisonError::into_inner) = config;
        Ok(())
    }

    /// Makes the handshake within this time; `None` where it fails, which is the client's affair.
    pub(super) async fn accept(
        &self,
        mut stream: TcpStream,
        time: Duration,
    ) -> Option<TlsStream<TcpStream>> {
        let config = Arc::clone(&self.config.read().unwrap_or_else(PoisonError::into_inner));
        let handshake = async move {
            let mut first = [0];
            if stream.peek(&mut first).await.ok()? == 1 && first[0] != HANDSHAKE {
                stream.write_all(NO_TLS).await.ok()?;
                stream.shutdown().await.ok()?;
                return None;
            }
            TlsAcceptor::from(config).accept(stream).await.ok()
        };
        tokio::time::timeout(time, handshake).await.ok()?
    }
}

fn read(certificate: &Path, key: &Path) -> Result<ServerConfig, String> {
    let fault = |what: &str, file: &Path, error: &dyn std::fmt::Display| {
        format!("{what}: cannot use {}: {error}", file.display())
    };
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| fault("tls-cert", certificate, &error))?;
    if chain.is_empty() {
        let reason = "it has no certificate in PEM form (-----BEGIN CERTIFICATE-----)";
        return Err(fault("tls-cert", certificate, &reason));
    }
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| match error {
        rustls::pki_types::pem::Error::NoItemsFound => fault(
            "tls-key",
            key,
            &"it has no private key in PEM form (-----BEGIN PRIVATE KEY-----)",
        ),
        error => fault("tls-key", key, &error),
    })?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_no_client_auth()
        .with_single_cert(chain, private)
        .map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => {
                let reason = format!("it is not the key of {}", certificate.display());
                fault("tls-key", key, &reason)
            }
            error => fault("tls-cert", certificate, &error),
        })?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

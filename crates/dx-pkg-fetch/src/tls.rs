//! TLS configuration. Loading the roots takes milliseconds, so it happens at the first `https:`
//! request.

use crate::error::FetchCause;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

mod certificates;
mod settings;
#[cfg(test)]
mod tests;

pub use settings::{CertificateChoice, ClientCertificate, Pem, PemSource, TlsSettings};

/// Returns a configuration without any authority, for clients that never speak TLS.
pub(crate) fn without_roots() -> Result<ClientConfig, FetchCause> {
    Ok(builder()?.with_root_certificates(RootCertStore::empty()).with_no_client_auth())
}

/// Returns the configuration for `settings`, which shows `identity` to servers that request a
/// certificate. Reads files: call it off the async threads.
pub(crate) fn with_settings(
    settings: &TlsSettings,
    identity: Option<&ClientCertificate>,
) -> Result<ClientConfig, FetchCause> {
    let builder = builder()?;
    let builder = if settings.verify {
        builder.with_root_certificates(roots(settings)?)
    } else {
        let verifier = Arc::new(AcceptAnyone(Arc::clone(builder.crypto_provider())));
        builder.dangerous().with_custom_certificate_verifier(verifier)
    };
    let mut config = match identity {
        None => builder.with_no_client_auth(),
        Some(identity) => {
            let (chain, key) = identity.read()?;
            builder.with_client_auth_cert(chain, key).map_err(|error| {
                identity.key.unusable(&format!("it does not serve the certificate: {error}"))
            })?
        }
    };
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

impl ClientCertificate {
    fn read(&self) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), FetchCause> {
        let chain = CertificateDer::pem_slice_iter(&self.certificate.read()?)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| {
                self.certificate.unusable(&format!("not a PEM certificate: {error}"))
            })?;
        if chain.is_empty() {
            return Err(self.certificate.unusable("no certificate in PEM form in it"));
        }
        let key = PrivateKeyDer::from_pem_slice(&self.key.read()?).map_err(|error| match error {
            pem::Error::NoItemsFound => {
                self.key.unusable("no private key in PEM form in it, or only an encrypted one, which dx cannot read")
            }
            other => self.key.unusable(&format!("not a PEM private key: {other}")),
        })?;
        Ok((chain, key))
    }
}

impl Pem {
    fn read(&self) -> Result<Vec<u8>, FetchCause> {
        match &self.source {
            PemSource::File(path) => {
                std::fs::read(path).map_err(|error| self.unusable(&error.to_string()))
            }
            PemSource::Text(text) => Ok(text.clone().into_bytes()),
        }
    }

    fn unusable(&self, why: &str) -> FetchCause {
        let reason = match &self.source {
            PemSource::File(path) => format!("{}: {why}", path.display()),
            PemSource::Text(_) => why.to_owned(),
        };
        FetchCause::Configuration { setting: self.setting.clone().into(), reason }
    }
}

fn builder() -> Result<rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier>, FetchCause> {
    ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| FetchCause::Configuration {
            setting: "tls".into(),
            reason: error.to_string(),
        })
}

fn roots(settings: &TlsSettings) -> Result<RootCertStore, FetchCause> {
    let mut store = RootCertStore::empty();
    if settings.ca.is_empty() && settings.ca_file.is_none() {
        add_default_roots(&mut store);
        if let Some(path) = &settings.extra_ca_file {
            add_file(&mut store, path, "NODE_EXTRA_CA_CERTS", Missing::Ignored)?;
        }
        return Ok(store);
    }
    for pem in &settings.ca {
        // npm allows a certificate on one line of `.npmrc`, with `
        // ` for its line ends.
        add_pem(&mut store, pem.replace("\\n", "\n").as_bytes(), "ca", "the setting `ca`")?;
    }
    if let Some(path) = &settings.ca_file {
        add_file(&mut store, path, "cafile", Missing::Refused)?;
    }
    Ok(store)
}

fn add_default_roots(store: &mut RootCertStore) {
    store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if store.is_empty() {
        store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Missing {
    Ignored,
    Refused,
}

fn add_file(
    store: &mut RootCertStore,
    path: &Path,
    setting: &'static str,
    missing: Missing,
) -> Result<(), FetchCause> {
    let pem = match std::fs::read(path) {
        Ok(pem) => pem,
        Err(error) if error.kind() == ErrorKind::NotFound && missing == Missing::Ignored => {
            return Ok(());
        }
        Err(error) => {
            return Err(FetchCause::Configuration {
                setting: setting.into(),
                reason: format!("{}: {error}", path.display()),
            });
        }
    };
    add_pem(store, &pem, setting, &path.display().to_string())
}

fn add_pem(
    store: &mut RootCertStore,
    pem: &[u8],
    setting: &'static str,
    place: &str,
) -> Result<(), FetchCause> {
    let wrong = |why: String| FetchCause::Configuration {
        setting: setting.into(),
        reason: format!("{place}: {why}"),
    };
    let (added, _) = store.add_parsable_certificates(certificates::of(pem));
    if added == 0 { Err(wrong("no usable certificate in it".to_owned())) } else { Ok(()) }
}

/// `strict-ssl=false`: accepts any certificate; signatures of the handshake are still checked.
#[derive(Debug)]
struct AcceptAnyone(Arc<CryptoProvider>);

impl ServerCertVerifier for AcceptAnyone {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

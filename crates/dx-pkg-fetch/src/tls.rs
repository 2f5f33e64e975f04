//! TLS configuration. Loading the roots takes milliseconds, so it happens at the first `https:`
//! request.

use crate::error::FetchCause;
use dx_pkg_os::files::read_trusted;
use path::Trusted;
use refusal::TrustedFrom;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore, WantsVerifier};
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

mod cafile;
mod cbc;
mod certificate;
pub mod der;
mod ecdsa;
mod name;
mod p521;
mod path;
mod provider;
mod refusal;
mod settings;
#[cfg(test)]
mod tests;
mod verifier;

pub(crate) use refusal::Refusal;
pub use settings::{CertificateChoice, ClientCertificate, Pem, PemSource, TlsSettings};
use verifier::{AcceptAnyone, Verifier};

/// Returns a configuration without any authority, for clients that never speak TLS.
pub(crate) fn without_roots() -> Result<ClientConfig, FetchCause> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = builder(provider)?;
    Ok(builder.with_root_certificates(RootCertStore::empty()).with_no_client_auth())
}

/// Returns the configuration for `settings`, which shows `identity` to servers that request a
/// certificate. Reads files: call it off the async threads.
pub(crate) fn with_settings(
    settings: &TlsSettings,
    identity: Option<&ClientCertificate>,
) -> Result<ClientConfig, FetchCause> {
    let provider = provider::provider();
    let algorithms = provider.signature_verification_algorithms;
    let verifier: Arc<dyn ServerCertVerifier> = if settings.verify {
        let (trusted, trusted_from) = trusted(settings)?;
        Arc::new(Verifier { trusted, trusted_from, algorithms })
    } else {
        Arc::new(AcceptAnyone(algorithms))
    };
    let builder = builder(provider)?.dangerous().with_custom_certificate_verifier(verifier);
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
                read_trusted(path, LONGEST_PEM).map_err(|error| self.unusable(&error.to_string()))
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

fn builder(
    provider: Arc<CryptoProvider>,
) -> Result<rustls::ConfigBuilder<ClientConfig, WantsVerifier>, FetchCause> {
    ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().map_err(
        |error| FetchCause::Configuration { setting: "tls".into(), reason: error.to_string() },
    )
}

/// Reads the certificates that `settings` trust.
fn trusted(settings: &TlsSettings) -> Result<(Trusted, TrustedFrom), FetchCause> {
    let mut trusted = Trusted { roots: RootCertStore::empty(), certificates: Vec::new() };
    if settings.ca.is_empty() && settings.ca_file.is_none() {
        add_default_roots(&mut trusted);
        let from = match &settings.extra_ca_file {
            None => TrustedFrom::Defaults,
            Some(path) => {
                match add_file(&mut trusted, path, "NODE_EXTRA_CA_CERTS", Missing::Ignored)? {
                    true => TrustedFrom::Extra(path.clone()),
                    false => TrustedFrom::MissingExtra(path.clone()),
                }
            }
        };
        return Ok((trusted, from));
    }
    let mut places = Vec::new();
    for pem in &settings.ca {
        // npm allows a certificate on one line of `.npmrc`, with `\n` for its line ends.
        let pem = pem.replace("\\n", "\n");
        add_pem(&mut trusted, pem.as_bytes(), "ca", "the setting `ca`")?;
    }
    if !settings.ca.is_empty() {
        places.push("the setting ca".to_owned());
    }
    if let Some(path) = &settings.ca_file {
        add_file(&mut trusted, path, "cafile", Missing::Refused)?;
        places.push(format!("cafile ({})", path.display()));
    }
    Ok((trusted, TrustedFrom::Settings(places.join(" or "))))
}

fn add_default_roots(trusted: &mut Trusted) {
    add_usable(trusted, rustls_native_certs::load_native_certs().certs);
    if trusted.roots.is_empty() {
        trusted.roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
}

/// Adds the certificates that can be trusted, and returns their number.
fn add_usable(trusted: &mut Trusted, certificates: Vec<CertificateDer<'static>>) -> usize {
    let before = trusted.certificates.len();
    for certificate in certificates {
        if trusted.roots.add(CertificateDer::from(certificate.as_ref())).is_ok() {
            trusted.certificates.push(certificate);
        }
    }
    trusted.certificates.len() - before
}

/// The most bytes that are read of a file of certificates or keys: all authorities that systems
/// trust take a quarter of a mebibyte.
const LONGEST_PEM: u64 = 4 << 20;

#[derive(Clone, Copy, PartialEq)]
enum Missing {
    Ignored,
    Refused,
}

/// Adds the certificates of a file; returns whether it exists.
fn add_file(
    trusted: &mut Trusted,
    path: &Path,
    setting: &'static str,
    missing: Missing,
) -> Result<bool, FetchCause> {
    let pem = match read_trusted(path, LONGEST_PEM) {
        Ok(pem) => pem,
        Err(error) if error.kind() == ErrorKind::NotFound && missing == Missing::Ignored => {
            return Ok(false);
        }
        Err(error) => {
            return Err(FetchCause::Configuration {
                setting: setting.into(),
                reason: format!("{}: {error}", path.display()),
            });
        }
    };
    add_pem(trusted, &pem, setting, &path.display().to_string())?;
    Ok(true)
}

fn add_pem(
    trusted: &mut Trusted,
    pem: &[u8],
    setting: &'static str,
    place: &str,
) -> Result<(), FetchCause> {
    let wrong = |why: String| FetchCause::Configuration {
        setting: setting.into(),
        reason: format!("{place}: {why}"),
    };
    if add_usable(trusted, cafile::certificates(pem)) == 0 {
        return Err(wrong("no usable certificate in it".to_owned()));
    }
    Ok(())
}

//! TLS settings: the authorities that dx trusts and the certificates it identifies itself with.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use url::Url;

/// The authorities that a server's certificate may come from.
///
/// Without [`Self::ca`] and [`Self::ca_file`] they are the system's, or the built-in Mozilla list
/// where the system has none (as in small containers).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsSettings {
    /// `strict-ssl`: whether certificates are verified at all.
    pub verify: bool,
    /// `ca`: PEM certificates, trusted instead of the default ones.
    pub ca: Vec<String>,
    /// `cafile`: a PEM bundle, trusted instead of the default ones.
    pub ca_file: Option<PathBuf>,
    /// `NODE_EXTRA_CA_CERTS`: a PEM bundle, trusted besides the default ones; ignored when missing,
    /// as Node.js does.
    pub extra_ca_file: Option<PathBuf>,
}

impl Default for TlsSettings {
    fn default() -> Self {
        Self { verify: true, ca: Vec::new(), ca_file: None, extra_ca_file: None }
    }
}

/// Chooses the certificate that the client shows to the server of a URL.
pub type CertificateChoice = Arc<dyn Fn(&Url) -> Option<ClientCertificate> + Send + Sync>;

/// The certificate and key that the client identifies itself with to servers that require one;
/// read when the first such server is contacted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ClientCertificate {
    /// The certificate, followed by those that lead to its authority.
    pub certificate: Pem,
    /// Its private key, not encrypted.
    pub key: Pem,
}

/// A certificate or key in PEM form.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Pem {
    /// The setting that it comes from, named in errors.
    pub setting: String,
    /// The file or the text.
    pub source: PemSource,
}

/// The place of a certificate or key.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum PemSource {
    /// A file.
    File(PathBuf),
    /// The PEM text itself.
    Text(String),
}

impl fmt::Debug for PemSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.fmt(formatter),
            Self::Text(_) => formatter.write_str("***"),
        }
    }
}

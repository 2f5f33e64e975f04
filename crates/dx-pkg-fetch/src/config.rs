//! What a fetcher is told once: who it is, how much at once, how long, through what, trusting whom.

use crate::retry::RetryPolicy;
use crate::trace::Trace;
use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// Everything a [`crate::Fetcher`] is configured with.
#[derive(Clone)]
pub struct FetchConfig {
    /// Sent as `User-Agent`; characters a header cannot hold are dropped.
    pub user_agent: String,
    /// When set, every request fails at once instead of using the network.
    pub offline: bool,
    /// How many transfers run at once.
    pub concurrency: Concurrency,
    /// How long to wait, per try.
    pub timeouts: Timeouts,
    /// How often and how soon to try again.
    pub retry: RetryPolicy,
    /// How large a body may be.
    pub limits: BodyLimits,
    /// Asked which proxy a URL is reached through; without it, or for `None`, directly.
    pub proxy: Option<ProxyChoice>,
    /// The local address to connect from (`local-address`).
    pub local_address: Option<IpAddr>,
    /// Whom to trust.
    pub tls: TlsSettings,
    /// Asked once per hop for the certificate that this very URL's server may see; without it none is shown to anybody.
    pub client_certificates: Option<CertificateChoice>,
    /// Where every request is recorded, if anywhere.
    pub trace: Option<Trace>,
}

impl Default for FetchConfig {
    fn default() -> Self {
        Self {
            user_agent: format!("dx/{}", env!("CARGO_PKG_VERSION")),
            offline: false,
            concurrency: Concurrency::default(),
            timeouts: Timeouts::default(),
            retry: RetryPolicy::default(),
            limits: BodyLimits::default(),
            proxy: None,
            local_address: None,
            tls: TlsSettings::default(),
            client_certificates: None,
            trace: None,
        }
    }
}

/// How many transfers run at once; zero is read as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Concurrency {
    /// Metadata requests at once.
    pub metadata: usize,
    /// Tarballs at once, including those delivered whose [`crate::Slot`] is still held.
    pub tarballs: usize,
    /// Of each class, at most this many to one host (and port).
    pub per_host: usize,
}

impl Concurrency {
    /// The setting `network-concurrency`: the same limit for each class and for each host.
    pub fn of(limit: usize) -> Self {
        Self { metadata: limit, tarballs: limit, per_host: limit }
    }
}

impl Default for Concurrency {
    /// 96: behind 50 ms of latency, 1,226 tarballs take 3.3 s at 20, 1.2 s at 64 and 0.8 s at 96; at 128 (0.7 s)
    /// unpacking them takes longer. Without latency the number does not matter.
    fn default() -> Self {
        Self::of(96)
    }
}

/// How long one try may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// Until the connection stands, TLS included.
    pub connect: Duration,
    /// Between two arrivals of bytes, the response's head included.
    pub idle: Duration,
    /// From the first hop's request to the last byte (`fetch-timeout`).
    pub total: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            idle: Duration::from_secs(30),
            total: Duration::from_secs(300),
        }
    }
}

/// How many bytes a body may have, as sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BodyLimits {
    /// Of a metadata document.
    pub metadata: u64,
    /// Of a tarball.
    pub tarball: u64,
}

impl Default for BodyLimits {
    fn default() -> Self {
        Self { metadata: 512 << 20, tarball: 4 << 30 }
    }
}

/// Which proxy a URL is reached through: an `http:`, `https:`, `socks4[a]:` or `socks5[h]:` address, user and password
/// included.
pub type ProxyChoice = Arc<dyn Fn(&Url) -> Option<Url> + Send + Sync>;

/// Which certificate the client shows to the server of a URL.
pub type CertificateChoice = Arc<dyn Fn(&Url) -> Option<ClientCertificate> + Send + Sync>;

/// What the client identifies itself with to servers that ask for it; read when the first such server is reached.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ClientCertificate {
    /// The certificate, with those that lead to its authority after it.
    pub certificate: Pem,
    /// Its private key, not encrypted.
    pub key: Pem,
}

/// Something in PEM form.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Pem {
    /// The setting that says it, to name it in errors.
    pub setting: String,
    /// Where it is.
    pub source: PemSource,
}

/// Where something in PEM form is.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum PemSource {
    /// In a file.
    File(PathBuf),
    /// Here.
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

/// Whom to trust.
///
/// Without [`Self::ca`] and [`Self::ca_file`] it is the system's store, or the built-in Mozilla list where the system
/// has none (as in small containers).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsSettings {
    /// `strict-ssl`: whether certificates are verified at all.
    pub verify: bool,
    /// `ca`: PEM certificates, trusted instead of the default ones.
    pub ca: Vec<String>,
    /// `cafile`: a PEM bundle, trusted instead of the default ones.
    pub ca_file: Option<PathBuf>,
    /// `NODE_EXTRA_CA_CERTS`: a PEM bundle trusted besides the default ones; ignored when missing, as node does.
    pub extra_ca_file: Option<PathBuf>,
}

impl Default for TlsSettings {
    fn default() -> Self {
        Self { verify: true, ca: Vec::new(), ca_file: None, extra_ca_file: None }
    }
}

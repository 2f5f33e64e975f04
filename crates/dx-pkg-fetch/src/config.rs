//! The configuration of a [`crate::Fetcher`]: limits, timeouts, retries, proxy, TLS.

use crate::tls::{CertificateChoice, TlsSettings};
use crate::trace::Trace;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

pub use crate::retry::RetryPolicy;

/// The configuration of a [`crate::Fetcher`].
#[derive(Clone)]
pub struct FetchConfig {
    /// The `User-Agent`; characters that a header cannot hold are dropped.
    pub user_agent: String,
    /// When set, every request fails at once instead of using the network.
    pub offline: bool,
    /// The limits on simultaneous transfers.
    pub concurrency: Concurrency,
    /// The most unused connections to one host that are kept; any number without it.
    pub idle_per_host: Option<usize>,
    /// The timeouts of one try.
    pub timeouts: Timeouts,
    /// The number of tries, and the delays between them.
    pub retry: RetryPolicy,
    /// The limits on the length of bodies.
    pub limits: BodyLimits,
    /// Chooses the proxy of a URL; without it, or for `None`, the connection is direct.
    pub proxy: Option<ProxyChoice>,
    /// The rule for the addresses that requests may go to; any without it.
    pub addresses: Option<Arc<dyn AddressRule>>,
    /// The local address to connect from (`local-address`).
    pub local_address: Option<IpAddr>,
    /// The authorities that dx trusts.
    pub tls: TlsSettings,
    /// Called once per hop for the client certificate that the URL's server may see; without it,
    /// no server sees one.
    pub client_certificates: Option<CertificateChoice>,
    /// The trace that every request is recorded in, if any.
    pub trace: Option<Trace>,
}

impl Default for FetchConfig {
    fn default() -> Self {
        Self {
            user_agent: format!("dx/{}", env!("CARGO_PKG_VERSION")),
            offline: false,
            concurrency: Concurrency::default(),
            idle_per_host: None,
            timeouts: Timeouts::default(),
            retry: RetryPolicy::default(),
            limits: BodyLimits::default(),
            proxy: None,
            addresses: None,
            local_address: None,
            tls: TlsSettings::default(),
            client_certificates: None,
            trace: None,
        }
    }
}

/// The open files that are left for anything but connections: those of the threads that unpack and
/// link, of the store's and the project's folders, and of the programs that are started.
const KEPT_FOR_FILES: u64 = 40;

/// The limits on simultaneous transfers; zero counts as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Concurrency {
    /// Simultaneous metadata requests.
    pub metadata: usize,
    /// Simultaneous tarballs, including complete ones whose [`crate::Slot`] is still held.
    pub tarballs: usize,
    /// Transfers of each class to one host and port.
    pub per_host: usize,
}

impl Concurrency {
    /// Returns the same limit for each class and for each host (`network-concurrency`).
    pub fn of(limit: usize) -> Self {
        Self { metadata: limit, tarballs: limit, per_host: limit }
    }
}

impl FetchConfig {
    /// Lowers the limits on connections so that they fit into a process that may have `limit` files
    /// open, of which some are needed for other things.
    #[must_use]
    pub fn within_open_files(mut self, limit: u64) -> Self {
        let connections = limit.saturating_sub(KEPT_FOR_FILES);
        let most = usize::try_from(connections / 2).unwrap_or(usize::MAX).max(1);
        let Concurrency { metadata, tarballs, per_host } = self.concurrency;
        if most < metadata.max(tarballs) {
            self.concurrency = Concurrency {
                metadata: metadata.min(most),
                tarballs: tarballs.min(most),
                per_host: per_host.min(most),
            };
            self.idle_per_host = Some(most);
        }
        self
    }
}

impl Default for Concurrency {
    /// 96: behind 50 ms of latency, 1,226 tarballs take 3.3 s at 20, 1.2 s at 64 and 0.8 s at 96;
    /// at 128 (0.7 s) unpacking them takes longer. Without latency the number does not matter.
    fn default() -> Self {
        Self::of(96)
    }
}

/// The timeouts of one try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// Until the connection is established, TLS included.
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

/// The limits on the length of a body as sent, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BodyLimits {
    /// The limit for a metadata document.
    pub metadata: u64,
    /// The limit for a tarball.
    pub tarball: u64,
    /// The limit for a tarball that is collected and not streamed.
    pub collected: u64,
    /// The memory for all collected bodies; bodies beyond it wait for each other.
    pub collected_together: u64,
}

impl Default for BodyLimits {
    fn default() -> Self {
        Self {
            metadata: 128 << 20,
            tarball: 1_000_000_000,
            collected: 64 << 20,
            collected_together: 64 << 20,
        }
    }
}

/// Decides which addresses requests may go to. Both parts are checked at every hop: the URL before
/// anything is looked up, and the addresses that its host has.
pub trait AddressRule: Send + Sync {
    /// Returns whether a request may go to `url`, as far as the URL shows.
    fn admits_url(&self, url: &Url) -> bool;
    /// Returns whether a connection to `host` may go to `address`, which the host was found to
    /// have.
    fn admits_address(&self, host: &str, address: IpAddr) -> bool;
}

/// Chooses the proxy of a URL: an `http:`, `https:`, `socks4[a]:` or `socks5[h]:` address, with
/// user and password.
pub type ProxyChoice = Arc<dyn Fn(&Url) -> Option<Url> + Send + Sync>;

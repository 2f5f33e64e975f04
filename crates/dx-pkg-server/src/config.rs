//! The configuration: one TOML file, environment variables over it, flags over both.
//!
//! Each part that has settings owns a table of them, which is a field of [`Config`]. The commented
//! file with every key is `docs/registry/dx-registry.toml`; a test reads it.

pub(crate) mod accounts;
mod address;
mod duration;
mod dxrp;
mod network;
pub(crate) mod policy;
mod read;
mod size;
#[cfg(test)]
mod tests;

pub(crate) use address::Address;
pub(crate) use duration::Span;
pub(crate) use dxrp::Dxrp;
pub(crate) use network::{Network, is_public};
pub(crate) use read::{Sources, read};
pub(crate) use size::Size;

use crate::log::Level;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

/// The settings; keys in the file are written with hyphens.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Config {
    /// The address and port to listen on; port 0 for any free one.
    pub(crate) listen: SocketAddr,
    /// The folder of the storage.
    pub(crate) storage: PathBuf,
    /// The registry that is asked for what is not hosted here; none for a registry of its own.
    pub(crate) upstream: Option<Address>,
    /// The address by which clients reach this server, if they do not reach it directly. Its path
    /// is a prefix of all paths.
    pub(crate) public_url: Option<Address>,
    /// The files of a certificate chain and of its key, in PEM form; both or neither. With them the
    /// server speaks HTTPS.
    pub(crate) tls_cert: Option<PathBuf>,
    pub(crate) tls_key: Option<PathBuf>,
    /// The networks of proxies in front, whose `X-Forwarded-*` headers are believed.
    pub(crate) trusted_proxies: Vec<Network>,
    /// The least important lines of the log.
    pub(crate) log: Level,
    pub(crate) limits: Limits,
    pub(crate) cache: Cache,
    /// Users, tokens, readers.
    pub(crate) accounts: accounts::Accounts,
    /// What is refused of upstreams.
    pub(crate) policy: policy::Policy,
    /// dx's own protocol.
    pub(crate) dxrp: Dxrp,
    /// Further upstreams, by names of the file's own choosing.
    pub(crate) upstreams: BTreeMap<String, NamedUpstream>,
    /// The origin of names by pattern; see [`Origin`].
    pub(crate) packages: Vec<PackageRule>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 4873)),
            storage: PathBuf::new(),
            upstream: None,
            public_url: None,
            tls_cert: None,
            tls_key: None,
            trusted_proxies: Vec::new(),
            log: Level::Info,
            limits: Limits::default(),
            cache: Cache::default(),
            accounts: accounts::Accounts::default(),
            policy: policy::Policy::default(),
            dxrp: Dxrp::default(),
            upstreams: BTreeMap::new(),
            packages: Vec::new(),
        }
    }
}

/// The limits on requests.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Limits {
    /// The longest body of a publish.
    pub(crate) publish: Size,
    /// The longest body of any other request.
    pub(crate) body: Size,
    /// The longest head of a request.
    pub(crate) head: Size,
    /// The time for a request's head to arrive.
    pub(crate) head_time: Span,
    /// The time for a request's body to arrive.
    pub(crate) body_time: Span,
    /// Connections at a time, and those of one client.
    pub(crate) connections: usize,
    pub(crate) connections_per_client: usize,
    /// The time that requests have to end when the server is stopped.
    pub(crate) shutdown_time: Span,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            publish: Size(100 << 20),
            body: Size(10 << 20),
            head: Size(64 << 10),
            head_time: Span::seconds(30),
            body_time: Span::seconds(300),
            connections: 4096,
            connections_per_client: 1024,
            shutdown_time: Span::seconds(10),
        }
    }
}

/// The settings of the cache of upstreams.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Cache {
    /// The time for which an upstream's packument is served without asking again.
    pub(crate) fresh: Span,
    /// The time for which a name that the upstream does not have is refused without asking again.
    pub(crate) negative: Span,
    /// The time for which a packument is served while the upstream fails.
    pub(crate) stale_if_error: Span,
    /// The size of the cache on disk; beyond it, the least recently used goes first.
    pub(crate) size: Option<Size>,
    /// The memory for packuments that are ready to be sent, and for small tarballs.
    pub(crate) memory: Size,
    /// The time that an upstream has to answer.
    pub(crate) timeout: Span,
    /// The longest packument and the longest tarball that are taken from an upstream.
    pub(crate) packument: Size,
    pub(crate) tarball: Size,
}

impl Default for Cache {
    fn default() -> Self {
        Self {
            fresh: Span::seconds(120),
            negative: Span::seconds(30),
            stale_if_error: Span::seconds(7 * 24 * 3600),
            size: None,
            memory: Size(96 << 20),
            timeout: Span::seconds(30),
            packument: Size(256 << 20),
            tarball: Size(500 << 20),
        }
    }
}

/// An upstream besides the first.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct NamedUpstream {
    pub(crate) url: Address,
    /// The environment variable that holds the token which this upstream is sent.
    pub(crate) token_variable: Option<String>,
}

/// The origin of the names that a pattern matches. The first rule that matches counts.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct PackageRule {
    /// A name, in which `*` stands for any characters but `/`: `@acme/*`.
    pub(crate) names: String,
    /// `hosted`, `upstream`, or the name of one of the upstreams.
    pub(crate) from: String,
}

//! The addresses that requests to upstreams may go to: those of the upstreams that are named, and
//! public ones. A packument or a redirect cannot lead to a server inside.

use crate::config::is_public;
use crate::origin::Origins;
use dx_pkg_fetch::config::AddressRule;
use std::net::IpAddr;
use url::{Host, Url};

/// The rule; see the module.
pub(super) struct Named {
    origins: Vec<url::Origin>,
    hosts: Vec<String>,
}

impl Named {
    pub(super) fn new(origins: &Origins) -> Self {
        let urls = || origins.registries().iter().map(|registry| &registry.address.0);
        let host = |url: &Url| url.host_str().map(str::to_owned);
        Self {
            origins: urls().map(Url::origin).collect(),
            hosts: urls().filter_map(host).collect(),
        }
    }
}

impl AddressRule for Named {
    fn admits_url(&self, url: &Url) -> bool {
        if self.origins.contains(&url.origin()) {
            return true;
        }
        match url.host() {
            Some(Host::Ipv4(address)) => is_public(address.into()),
            Some(Host::Ipv6(address)) => is_public(address.into()),
            // The addresses of a named host are not checked, so its other ports are closed, but for
            // those of the web.
            Some(Host::Domain(host)) if self.hosts.iter().any(|own| own == host) => {
                matches!(url.port_or_known_default(), Some(80 | 443))
            }
            Some(Host::Domain(_)) => true,
            None => false,
        }
    }

    fn admits_address(&self, host: &str, address: IpAddr) -> bool {
        self.hosts.iter().any(|own| own == host) || is_public(address)
    }
}

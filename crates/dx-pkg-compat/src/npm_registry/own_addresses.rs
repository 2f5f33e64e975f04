//! The addresses at which registries offer their own tarballs, told from every other address.

use dx_pkg_core::PackageName;
use url::Url;

use super::address::ReplaceHost;
use crate::npmrc::{Config, ConfigError};

/// The addresses of the configured registries.
#[derive(Debug)]
pub struct OwnAddresses {
    pub(super) config: Config,
    pub(super) replace_host: ReplaceHost,
}

impl OwnAddresses {
    /// Returns the addresses of the registries of `config`. `default_registry` is the one that
    /// lockfiles name in place of whichever is configured.
    ///
    /// # Errors
    /// A `replace-registry-host` that is not text.
    pub fn new(config: Config, default_registry: &Url) -> Result<Self, ConfigError> {
        let replace_host = ReplaceHost::read(&config.replace_registry_host()?, default_registry);
        Ok(Self { config, replace_host })
    }

    /// Returns whether a tarball of the package `name` at `url` is requested from the package's own
    /// registry: the address, after `replace-registry-host`, has the registry's scheme, host and
    /// port, and its path is below the registry's. This is the rule of npm's `allow-remote`.
    #[must_use]
    pub fn contain(&self, name: &str, url: &str) -> bool {
        let scoped = name.starts_with('@').then(|| PackageName::parse(name).ok()).flatten();
        let registry = match &scoped {
            Some(name) => self.config.registry_for(name),
            None => self.config.registry(),
        };
        // What a URL parser may read otherwise than it is written takes the long way.
        let is_plain = |rest: &str| {
            let is_harmless = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'\\' | b'%');
            !rest.contains("..") && rest.bytes().all(is_harmless)
        };
        if url.strip_prefix(registry.as_str()).is_some_and(is_plain)
            && !matches!(self.replace_host, ReplaceHost::Prefix(_))
        {
            return true;
        }
        let Ok(url) = Url::parse(url) else { return false };
        let url = self.replace_host.apply(url, self.config.registry());
        let base = registry.path().trim_end_matches('/');
        let is_below = url.path().strip_prefix(base).is_some_and(|rest| rest.starts_with('/'));
        url.origin() == registry.origin() && is_below
    }

    /// Returns whether the package's own registry has exactly this version at `url`, by the form
    /// that such addresses have: `…/name/-/name-1.0.0.tgz`.
    #[must_use]
    pub fn is_version(&self, name: &str, version: &str, url: &str) -> bool {
        if !self.contain(name, url) {
            return false;
        }
        let Ok(url) = Url::parse(url) else { return false };
        let Ok(package) = PackageName::parse(name) else { return false };
        let registry = self.config.registry_for(&package);
        let url = self.replace_host.apply(url, self.config.registry());
        let path = url.path().replace("%2f", "/").replace("%2F", "/").replace("%40", "@");
        let path = path.replace("%2b", "+").replace("%2B", "+");
        let below = path.strip_prefix(registry.path().trim_end_matches('/'));
        // Artifactory repeats the scope.
        let forms = [package.bare(), name].map(|file| format!("/{name}/-/{file}-{version}.tgz"));
        url.query().is_none() && below.is_some_and(|below| forms.iter().any(|form| form == below))
    }
}

#[cfg(test)]
mod tests;

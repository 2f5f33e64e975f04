//! npm's configuration: `.npmrc` files, `npm_config_*` variables and flags in one layered view.
//!
//! Owns the file format, the layers, the kinds of settings, and the choice of credentials for a
//! URL. Reads no file and no environment itself: the caller passes both in. Secrets leave only
//! through [`Authorization`]; no error, warning or `Debug` output holds one.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dx_pkg_core::PackageName;
use dx_pkg_fetch::tls::ClientCertificate;
use url::Url;

mod combined;
mod credentials;
mod error;
mod expand;
mod ini;
mod layers;
mod linked;
mod options;
mod proxy;
mod release_age;
mod source;
mod unsupported;
mod value;

#[cfg(test)]
mod tests;

pub use credentials::Authorization;
pub use error::{ConfigError, ConfigWarning, redact_urls};
pub use layers::environment_setting;
pub use linked::known_settings;
pub use options::{
    Flag, FlagValue, MissingValue, OPTIONS, OptionGroup, OptionInfo, SettingWords, Support,
    find_flag, take_settings,
};
pub use release_age::ReleaseCutoff;
pub use source::Source;
pub use unsupported::Unsupported;
pub use value::{
    AllowSource, DependencyType, ForeignOverrides, ImportMethod, InstallStrategy, RawValue,
    VerifyMode,
};

use credentials::CredentialTable;
use layers::Entry;
use value::Setting;

/// The sources of a configuration, from weakest to strongest.
#[derive(Clone, Copy, Default)]
pub struct ConfigSources<'a> {
    /// The registry if nothing else names one.
    pub default_registry: &'a str,
    /// The machine's file: path and text.
    pub global: Option<(&'a Path, &'a str)>,
    /// The user's file: path and text.
    pub user: Option<(&'a Path, &'a str)>,
    /// The project's file: path and text.
    pub project: Option<(&'a Path, &'a str)>,
    /// The whole environment: `npm_config_*`, the variables of `${NAME}`, the proxies and `HOME`.
    pub env: &'a [(String, String)],
    /// Flags with npm's names, without dashes in front; `--no-x` is `("x", "false")`.
    pub flags: &'a [(String, String)],
}

/// The effective configuration; cheap to clone, safe to share.
#[derive(Clone)]
pub struct Config {
    inner: Arc<Inner>,
}

struct Inner {
    entries: BTreeMap<String, Entry>,
    registry: Url,
    /// The registry that is built in.
    default_registry: Option<Url>,
    scopes: BTreeMap<String, Url>,
    credentials: CredentialTable,
    warnings: Vec<ConfigWarning>,
    proxies: proxy::Environment,
    home: Option<PathBuf>,
    production: bool,
}

impl Config {
    /// Merges the layers.
    ///
    /// # Errors
    /// A `registry` or `@scope:registry` that is no http(s) address, or that a project's file takes
    /// from the environment: continuing would request the packages from another registry.
    pub fn load(sources: &ConfigSources<'_>) -> Result<Config, ConfigError> {
        let mut warnings = Vec::new();
        let entries = layers::merge(sources, options::needs_value, &mut warnings)?;
        let home = layers::home(sources.env);
        not_read(&entries, &mut warnings);
        let credentials = CredentialTable::build(&entries, home.as_deref(), &mut warnings);
        let registry = match entries.get("registry") {
            Some(entry) if entry.value != RawValue::Null => registry_url("registry", entry)?,
            _ => {
                let default = RawValue::Text(sources.default_registry.to_owned());
                registry_url("registry", &Entry::new(default, Source::Default))?
            }
        };
        let inner = Inner {
            registry,
            default_registry: Url::parse(sources.default_registry).ok(),
            scopes: scopes(&entries)?,
            credentials,
            warnings,
            proxies: proxy::Environment::read(sources.env),
            home,
            production: layers::variable(sources.env, "NODE_ENV") == Some("production"),
            entries,
        };
        Ok(Config { inner: Arc::new(inner) })
    }

    /// Returns the registry of packages whose scope has none of its own; ends with `/`.
    #[must_use]
    pub fn registry(&self) -> &Url {
        &self.inner.registry
    }

    /// Returns the registry of a package: its scope's, else the general one; ends with `/`.
    #[must_use]
    pub fn registry_for(&self, name: &PackageName) -> &Url {
        let scope = name.scope().map(|scope| scope.trim_start_matches('@'));
        scope.and_then(|scope| self.inner.scopes.get(scope)).unwrap_or(&self.inner.registry)
    }

    /// Returns the registries of scopes: scope without `@`, and address.
    pub fn scoped_registries(&self) -> impl Iterator<Item = (&str, &Url)> {
        let scopes = self.inner.scopes.iter();
        scopes.map(|(scope, url)| (scope.as_str(), url))
    }

    /// Returns the credential for a URL: that of the longest `//host[:port]/path/` that it is
    /// below.
    #[must_use]
    pub fn credentials_for(&self, url: &Url) -> Option<Authorization> {
        self.inner.credentials.authorization(url)
    }

    /// Returns the credential for a package's file: the URL's own, else that of the package's
    /// registry if both have the same origin.
    #[must_use]
    pub fn credentials_for_artifact(&self, url: &Url, registry: &Url) -> Option<Authorization> {
        self.credentials_for(url).or_else(|| {
            let same_origin = url.origin() == registry.origin();
            same_origin.then(|| self.credentials_for(registry)).flatten()
        })
    }

    /// Returns the warning about a credential that is configured for a URL and not used.
    #[must_use]
    pub fn unused_credentials_for(&self, url: &Url) -> Option<&ConfigWarning> {
        self.warnings().iter().find(|warning| match warning {
            ConfigWarning::EnvInProject { key, .. }
            | ConfigWarning::EnvUnset { key, .. }
            | ConfigWarning::BadCredential { key, .. } => credentials::is_for(key, url),
            ConfigWarning::UnscopedCredential { .. } => true,
            ConfigWarning::EmptyRegistry { .. } | ConfigWarning::NotRead { .. } => false,
        })
    }

    /// Returns a digest of the credential that a registry is asked with, which tells two users of
    /// it apart; 0 without any.
    #[must_use]
    pub fn credential_digest(&self, registry: &Url) -> u64 {
        self.inner.credentials.digest_for(registry)
    }

    /// Returns a digest of all credentials; 0 where there is none.
    #[must_use]
    pub fn credentials_digest(&self) -> u64 {
        let users = std::iter::once(&self.inner.registry).chain(self.inner.scopes.values());
        users.fold(self.inner.credentials.digest(), |digest, registry| {
            digest.rotate_left(5) ^ self.inner.credentials.digest_for(registry)
        })
    }

    /// Returns the client certificate for a URL, found like [`Config::credentials_for`]; where it
    /// has none, that of a registry of the same origin, as the files of its packages may be beside
    /// it. `cert` and `key` serve every registry that has none of its own and, unlike with npm, no
    /// other server.
    #[must_use]
    pub fn client_certificate_for(&self, url: &Url) -> Option<ClientCertificate> {
        let credentials = &self.inner.credentials;
        let registries = || {
            let all = std::iter::once(&self.inner.registry).chain(self.inner.scopes.values());
            all.filter(|registry| registry.origin() == url.origin())
        };
        credentials
            .certificate(url)
            .or_else(|| registries().find_map(|registry| credentials.certificate(registry)))
            .or_else(|| registries().next().and_then(|_| credentials.unbound_certificate()))
    }

    /// Returns the warnings about settings that are not used.
    #[must_use]
    pub fn warnings(&self) -> &[ConfigWarning] {
        &self.inner.warnings
    }

    /// Returns the effective value of a setting as it is written, unless it is a secret. A URL in
    /// it may hold a password, so show it through [`redact_urls`].
    #[must_use]
    pub fn raw(&self, key: &str) -> Option<(&RawValue, &Source)> {
        let entry = self.inner.entries.get(key)?;
        (!error::is_secret(key)).then_some((&entry.value, &entry.source))
    }

    /// Returns the keys that are set in any layer, sorted.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.inner.entries.keys().map(String::as_str)
    }

    /// Returns a stable byte string of every setting that can change an install, without secrets:
    /// two configurations with equal bytes install the same.
    #[must_use]
    pub fn digest_input(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut field = |text: &str| {
            bytes.extend_from_slice(&(text.len() as u64).to_le_bytes());
            bytes.extend_from_slice(text.as_bytes());
        };
        field(&redact_urls(self.inner.registry.as_str()));
        field(if self.inner.production { "production" } else { "" });
        // Which of the three settings counts depends on where each is set.
        field(&self.release_cutoff().map_or_else(|_| String::new(), |age| format!("{age:?}")));
        for (key, entry) in &self.inner.entries {
            if !options::affects_install(key) || error::is_secret(key) {
                continue;
            }
            field(key);
            match &entry.value {
                RawValue::List(list) => {
                    field(&list.len().to_string());
                    list.iter().for_each(|text| field(&redact_urls(text)));
                }
                single => field(&redact_urls(&single.display())),
            }
        }
        bytes
    }

    /// Returns the user's home folder, if there is one.
    #[must_use]
    pub fn home(&self) -> Option<&Path> {
        self.inner.home.as_deref()
    }

    fn read<T: Setting>(&self, key: &str, default: impl FnOnce() -> T) -> Result<T, ConfigError> {
        match self.inner.entries.get(key) {
            None => Ok(default()),
            Some(entry) if entry.value == RawValue::Null => Ok(default()),
            Some(entry) => T::read(&entry.value, self.inner.home.as_deref())
                .ok_or_else(|| entry.invalid(key, T::ALLOWED)),
        }
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut map = formatter.debug_map();
        for (key, entry) in &self.inner.entries {
            map.entry(&redact_urls(key), &entry.shown(key));
        }
        map.finish()
    }
}

/// Names the settings that are not read, once for each place.
fn not_read(entries: &BTreeMap<String, Entry>, warnings: &mut Vec<ConfigWarning>) {
    let mut places: BTreeMap<&Source, Vec<String>> = BTreeMap::new();
    for (key, Entry { value, source }) in entries {
        let is_file = matches!(source, Source::Global(_) | Source::User(_) | Source::Project(_));
        if options::is_unread(key, value, is_file) {
            places.entry(source).or_default().push(redact_urls(key));
        }
    }
    let warning =
        |(source, keys): (&Source, _)| ConfigWarning::NotRead { keys, origin: source.clone() };
    warnings.extend(places.into_iter().map(warning));
}

fn scopes(entries: &BTreeMap<String, Entry>) -> Result<BTreeMap<String, Url>, ConfigError> {
    let mut scopes = BTreeMap::new();
    for (key, entry) in entries {
        let scope = key.strip_prefix('@');
        let Some(scope) = scope.and_then(|key| key.strip_suffix(":registry")) else {
            continue;
        };
        if entry.value != RawValue::Null {
            scopes.insert(scope.to_owned(), registry_url(key, entry)?);
        }
    }
    Ok(scopes)
}

fn registry_url(key: &str, entry: &Entry) -> Result<Url, ConfigError> {
    let mut url = Url::read(&entry.value, None).ok_or_else(|| entry.invalid(key, Url::ALLOWED))?;
    url.set_query(None);
    url.set_fragment(None);
    if !url.path().ends_with('/') {
        let path = format!("{}/", url.path());
        url.set_path(&path);
    }
    Ok(url)
}

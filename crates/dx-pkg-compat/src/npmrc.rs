//! npm's configuration: `.npmrc` files, `npm_config_*` variables and flags in one layered view.
//!
//! Owns the file format, the layers, the kinds of settings, and the choice of credentials for a
//! URL. Reads no file and no environment itself: the caller passes both in. Secrets leave only
//! through [`Authorization`]; no error, warning or `Debug` output holds one.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use dx_pkg_core::PackageName;
use dx_pkg_core::text::addresses::without_users;
use dx_pkg_fetch::tls::ClientCertificate;
use url::Url;

mod combined;
mod credentials;
pub mod definitions;
pub mod edit;
mod entry;
mod error;
mod expand;
mod ini;
mod layers;
mod linked;
pub mod listing;
mod options;
mod proxy;
mod release_age;
mod source;
mod trust;
mod unsupported;
mod value;

#[cfg(test)]
mod tests;

pub use credentials::Authorization;
pub use error::{ConfigError, ConfigWarning, redact_urls};
pub use layers::environment_setting;
pub use linked::known_settings;
pub use options::{
    DETAILS, Flag, FlagValue, MissingValue, OF_ONE_REGISTRY, OPTIONS, OptionGroup, OptionInfo,
    Region, SettingWords, Support, find_flag, take_settings,
};
pub use release_age::{ReleaseCutoff, milliseconds_of};
pub use source::Source;
pub use trust::Trust;
pub use unsupported::Unsupported;
pub use value::{
    AllowSource, DependencyType, DxrpMode, ForeignOverrides, ImportMethod, InstallStrategy,
    Location, LockfileVersion, RawValue, VerifyMode,
};

use credentials::CredentialTable;
use entry::{Entries, Entry};
use layers::{KeyRules, Merged};
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
    /// Whether the project's file belongs to a user who has no say here.
    pub is_of_another_user: bool,
    /// Whether the project's file counts for registries, credentials and the network only.
    pub npmrc_is_for_registries: bool,
    /// The settings of the package manager that the project belongs to; they win over those of the
    /// project's file.
    pub home: Option<ProjectHome<'a>>,
    /// The whole environment: `npm_config_*`, the variables of `${NAME}`, the proxies and `HOME`.
    pub env: &'a [(String, String)],
    /// Flags with npm's names, without dashes in front; `--no-x` is `("x", "false")`.
    pub flags: &'a [(String, String)],
}

impl ConfigSources<'_> {
    /// Returns no sources, and an address that leads nowhere in the place of a registry.
    #[must_use]
    pub fn without_registry() -> Self {
        Self { default_registry: NO_REGISTRY, ..Self::default() }
    }
}

/// What stands for a registry where none is built in.
pub const NO_REGISTRY: &str = "http://registry.invalid/";

/// The settings that another package manager has beside a project.
#[derive(Clone, Copy, Debug)]
pub struct ProjectHome<'a> {
    /// The file.
    pub path: &'a Path,
    /// Its settings, by their names in `.npmrc`.
    pub settings: &'a [(String, RawValue)],
    /// Whether it belongs to a user who has no say here.
    pub is_of_another_user: bool,
}

/// The effective configuration; cheap to clone, safe to share.
#[derive(Clone)]
pub struct Config {
    inner: Arc<Inner>,
}

struct Inner {
    entries: Entries,
    /// The project's demands for an age of versions, beside those of a weaker layer.
    also_demanded: Entries,
    registry: Url,
    /// The registry that is built in.
    default_registry: Option<Url>,
    scopes: BTreeMap<String, Url>,
    /// The registries' names in the metadata cache.
    registry_keys: OnceLock<Vec<(Url, String)>>,
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
        let rules = KeyRules {
            needs_value: options::needs_value,
            project: options::project_rule,
            is_for_registries: options::is_for_registries,
        };
        let Merged { entries, also_demanded, mut registries } =
            layers::merge(sources, rules, &mut warnings)?;
        registries.push((sources.default_registry.to_owned(), true));
        let home = layers::home(sources.env);
        not_read(&entries, &mut warnings);
        let credentials =
            CredentialTable::build(&entries, &registries, home.as_deref(), &mut warnings);
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
            registry_keys: OnceLock::new(),
            credentials,
            warnings,
            proxies: proxy::Environment::read(sources.env),
            home,
            production: layers::variable(sources.env, "NODE_ENV") == Some("production"),
            entries,
            also_demanded,
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
    pub fn unused_credentials_for(&self, url: &Url) -> Option<ConfigWarning> {
        let told = self.warnings().iter().find(|warning| match warning {
            ConfigWarning::EnvInProject { key, .. }
            | ConfigWarning::EnvUnset { key, .. }
            | ConfigWarning::BadCredential { key, .. } => credentials::is_for(key, url),
            ConfigWarning::UnscopedCredential { .. } | ConfigWarning::OtherOwner { .. } => true,
            ConfigWarning::EmptyRegistry { .. }
            | ConfigWarning::UntrustedProject { .. }
            | ConfigWarning::PlainHttp { .. }
            | ConfigWarning::NotRead { .. }
            | ConfigWarning::NotOfPnpm { .. } => false,
        });
        self.inner.credentials.withheld(url).or_else(|| told.cloned())
    }

    /// Returns a text of a server without the credentials that the settings hold, which it may
    /// repeat.
    #[must_use]
    pub fn without_credentials(&self, text: &str) -> String {
        let Inner { registry, scopes, credentials, entries, .. } = &*self.inner;
        let mut secrets = credentials.secrets();
        let addresses = [registry].into_iter().chain(scopes.values()).cloned();
        let proxies = ["proxy", "https-proxy"]
            .iter()
            .filter_map(|key| entries.get(*key).and_then(|entry| Url::read(&entry.value, None)));
        secrets.extend(addresses.chain(proxies).flat_map(|url| credentials::user_secrets(&url)));
        credentials::without(text, secrets)
    }

    /// Returns a digest of the credential that a registry is asked with, which tells two users of
    /// it apart; 0 without any.
    #[must_use]
    pub fn credential_digest(&self, registry: &Url) -> u64 {
        self.inner.credentials.digest_for(registry)
    }

    /// Returns the name of a registry in the metadata cache: its address, without a user, and a
    /// digest of the settings that decide who answers for it, where these are not the usual ones.
    #[must_use]
    pub fn registry_key(&self, registry: &Url) -> String {
        let keys = self.inner.registry_keys.get_or_init(|| {
            let registries =
                std::iter::once(&self.inner.registry).chain(self.inner.scopes.values());
            registries.map(|registry| (registry.clone(), self.key_of(registry))).collect()
        });
        let known = keys.iter().find(|(known, _)| known == registry);
        known.map_or_else(|| self.key_of(registry), |(_, key)| key.clone())
    }

    fn key_of(&self, registry: &Url) -> String {
        let address = without_users(registry.as_str()).into_owned();
        let text = |key: &str| self.inner.entries.get(key).map(|entry| entry.value.display());
        let proxy = self.proxy_for(registry).ok().flatten().map(|proxy| proxy.to_string());
        let mut deciding = vec![proxy, text("local-address")];
        if registry.scheme() == "https" {
            let verified = self.strict_ssl().unwrap_or(true);
            deciding.extend([(!verified).then(String::new), text("ca"), text("cafile")]);
        }
        match credentials::digest(&deciding) {
            0 => address,
            digest => format!("{address}#{digest:016x}"),
        }
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

    /// Returns the warnings that matter to who runs a script and installs nothing.
    pub fn script_warnings(&self) -> impl Iterator<Item = &ConfigWarning> {
        let is_about_scripts = |key: &String| {
            let key = key.split(' ').next().unwrap_or_default();
            OptionInfo::find(key).is_some_and(|option| option.group == OptionGroup::Tree)
        };
        self.warnings().iter().filter(move |warning| match warning {
            ConfigWarning::OtherOwner { .. } => true,
            ConfigWarning::UntrustedProject { keys, .. } => keys.iter().any(is_about_scripts),
            _ => false,
        })
    }

    /// Returns the effective value of a setting as it is written, unless it is a secret. A URL in
    /// it may hold a password, so show it through [`redact_urls`].
    #[must_use]
    pub fn raw(&self, key: &str) -> Option<(&RawValue, &Source)> {
        let entry = self.inner.entries.get(key)?;
        (!error::is_secret(key)).then_some((&entry.value, &entry.source))
    }

    /// Returns whether the user vouches for the value of a setting: it comes from any place but the
    /// file of a project that is not among `trusted-projects`.
    #[must_use]
    pub fn is_given_by_user(&self, key: &str) -> bool {
        self.inner.entries.get(key).is_some_and(|entry| entry.source.is_trusted())
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
        field(&self.release_cutoffs().map_or_else(|_| String::new(), |age| format!("{age:?}")));
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

/// Returns whether a file sets nothing but registries, credentials and what concerns the network.
#[must_use]
pub fn is_for_registries(text: &str) -> bool {
    ini::parse(text).iter().all(|(key, _)| options::is_for_registries(key))
}

/// Names the settings that are not read, once for each place.
fn not_read(entries: &BTreeMap<String, Entry>, warnings: &mut Vec<ConfigWarning>) {
    let mut places: BTreeMap<&Source, Vec<String>> = BTreeMap::new();
    for (key, Entry { value, source }) in entries {
        let is_file = matches!(source, Source::Global(_) | Source::User(_) | Source::Project(..));
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

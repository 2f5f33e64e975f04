//! The settings dx knows: one table from which the getters, and whatever lists them, come.

use std::path::PathBuf;
use std::time::Duration;

use super::value::{
    AllowSource, DependencyType, ImportMethod, InstallStrategy, LockfileVersion, LogLevel,
    NodeLinker, Setting,
};
use super::{Config, ConfigError};

/// What a setting acts on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OptionGroup {
    /// How registries are asked.
    Network,
    /// Which versions are chosen, and how they are written down.
    Resolve,
    /// What comes to lie in `node_modules`, and which scripts run.
    Tree,
    /// How `add` and `remove` write the manifest.
    Save,
    /// What is shown; without influence on the result.
    Output,
}

/// One line of the table.
#[derive(Clone, Copy, Debug)]
pub struct OptionInfo {
    /// The key in `.npmrc`; the flag is the same with two dashes, the variable with `npm_config_`.
    pub key: &'static str,
    /// What may be written.
    pub allowed: &'static str,
    /// The default as it would be written; empty where another part of dx decides.
    pub default: &'static str,
    /// What the setting acts on.
    pub group: OptionGroup,
    /// What it does.
    pub sentence: &'static str,
}

macro_rules! options {
    ($($key:literal: $kind:ty, $shown:literal, $group:ident, $sentence:literal $(=> $getter:ident = $default:expr)?;)+) => {
        /// Every setting with a kind.
        pub const OPTIONS: &[OptionInfo] = &[$(OptionInfo {
            key: $key,
            allowed: <$kind as Setting>::ALLOWED,
            default: $shown,
            group: OptionGroup::$group,
            sentence: $sentence,
        }),+];

        impl Config {
            $($(
                #[doc = concat!("`", $key, "`: ", $sentence)]
                ///
                /// # Errors
                /// A value that is not of the setting's kind.
                pub fn $getter(&self) -> Result<$kind, ConfigError> {
                    self.read($key, || $default)
                }
            )?)+
        }

        /// The keys whose default, read as if it were written, is not the getter's.
        #[cfg(test)]
        pub(super) fn contradictory_defaults() -> Vec<&'static str> {
            let mut keys = Vec::new();
            $($(
                let shown = <$kind as Setting>::read(&super::RawValue::from_ini($shown), None);
                if !$shown.is_empty() && shown != Some($default) {
                    keys.push($key);
                }
            )?)+
            keys
        }
    };
}

// Settings without a getter are read together with others, in `combined`, `proxy`, `release_age`.
options! {
    "replace-registry-host": String, "npmjs", Network,
        "Which host of a `resolved` address is replaced by the registry's: npmjs, never, always or a host."
        => replace_registry_host = "npmjs".to_owned();
    "strict-ssl": bool, "true", Network,
        "Whether a registry's certificate must be valid."
        => strict_ssl = true;
    "ca": Option<Vec<String>>, "", Network,
        "Certificate authorities to trust, in PEM form.";
    "cafile": Option<PathBuf>, "", Network,
        "A file of certificate authorities to trust."
        => cafile = None;
    "proxy": Option<String>, "", Network,
        "The proxy for http requests; false for none at all.";
    "https-proxy": Option<String>, "", Network,
        "The proxy for https requests.";
    "noproxy": Vec<String>, "", Network,
        "Hosts that are reached without a proxy.";
    "local-address": Option<String>, "", Network,
        "The local address to send requests from."
        => local_address = None;
    "fetch-retries": Option<u32>, "", Network,
        "How often a failed request is tried again."
        => fetch_retries = None;
    "fetch-retry-factor": Option<f64>, "", Network,
        "By how much the wait grows from one try to the next."
        => fetch_retry_factor = None;
    "fetch-retry-mintimeout": Option<Duration>, "", Network,
        "The least wait before another try, in milliseconds."
        => fetch_retry_mintimeout = None;
    "fetch-retry-maxtimeout": Option<Duration>, "", Network,
        "The longest wait before another try, in milliseconds."
        => fetch_retry_maxtimeout = None;
    "fetch-timeout": Option<Duration>, "", Network,
        "How long a request may take, in milliseconds."
        => fetch_timeout = None;
    "maxsockets": Option<u32>, "", Network,
        "How many connections one host may have."
        => maxsockets = None;
    "network-concurrency": Option<u32>, "", Network,
        "How many requests run at once."
        => network_concurrency = None;
    "speculative-fetch": bool, "true", Network,
        "Whether metadata that will probably be needed is asked for before it is known to be."
        => speculative_fetch = true;
    "offline": bool, "false", Network,
        "Use only what is on this machine."
        => offline = false;
    "prefer-offline": bool, "false", Network,
        "Use what is on this machine without asking whether it is current."
        => prefer_offline = false;
    "prefer-online": bool, "false", Network,
        "Ask whether what is on this machine is current even while it is fresh."
        => prefer_online = false;
    "cache": Option<PathBuf>, "", Network,
        "npm's cache folder."
        => cache = None;

    "tag": String, "latest", Resolve,
        "The dist-tag that stands for a missing version."
        => tag = "latest".to_owned();
    "before": Option<String>, "", Resolve,
        "Only versions published before this date.";
    "min-release-age": Option<f64>, "", Resolve,
        "Only versions published at least this many days ago.";
    "minimum-release-age": Option<f64>, "", Resolve,
        "Only versions published at least this many minutes ago.";
    "min-release-age-exclude": Vec<String>, "", Resolve,
        "Packages that may be newer.";
    "minimum-release-age-exclude": Vec<String>, "", Resolve,
        "Packages that may be newer.";
    "strict-peer-deps": bool, "false", Resolve,
        "Whether any peer conflict is an error."
        => strict_peer_deps = false;
    "legacy-peer-deps": bool, "false", Resolve,
        "Ignore peerDependencies."
        => legacy_peer_deps = false;
    "force": bool, "false", Resolve,
        "Go on where a rule would stop."
        => force = false;
    "engine-strict": bool, "false", Resolve,
        "Whether a package for another Node.js version is an error."
        => engine_strict = false;
    "node-version": Option<String>, "", Resolve,
        "The Node.js version to choose packages for."
        => node_version = None;
    "os": Option<String>, "", Resolve,
        "The operating system to choose packages for, in Node's words."
        => os = None;
    "cpu": Option<String>, "", Resolve,
        "The processor to choose packages for, in Node's words."
        => cpu = None;
    "libc": Option<String>, "", Resolve,
        "The C library to choose packages for: glibc or musl."
        => libc = None;
    "allow-git": Option<AllowSource>, "", Resolve,
        "Who may depend on git repositories."
        => allow_git = None;
    "allow-remote": Option<AllowSource>, "", Resolve,
        "Who may depend on tarballs of other hosts."
        => allow_remote = None;
    "allow-file": AllowSource, "all", Resolve,
        "Who may depend on local tarballs."
        => allow_file = AllowSource::All;
    "allow-directory": AllowSource, "all", Resolve,
        "Who may depend on local folders."
        => allow_directory = AllowSource::All;
    "package-lock": bool, "true", Resolve,
        "Whether a lockfile is read and written."
        => package_lock = true;
    "package-lock-only": bool, "false", Resolve,
        "Write the lockfile and leave node_modules alone."
        => package_lock_only = false;
    "lockfile-version": Option<LockfileVersion>, "", Resolve,
        "The version of package-lock.json to write."
        => lockfile_version = None;
    "omit-lockfile-registry-resolved": bool, "false", Resolve,
        "Leave registry addresses out of the lockfile."
        => omit_lockfile_registry_resolved = false;
    "workspaces": Option<bool>, "", Resolve,
        "Whether the project's workspaces take part."
        => workspaces = None;

    "omit": Option<Vec<DependencyType>>, "", Tree,
        "Dependency types that are not installed.";
    "include": Vec<DependencyType>, "", Tree,
        "Dependency types that are installed even if omitted.";
    "only": Option<String>, "", Tree,
        "prod or production: an old way to omit dev.";
    "also": Option<String>, "", Tree,
        "dev or development: an old way to include dev.";
    "production": Option<bool>, "", Tree,
        "An old way to omit dev.";
    "dev": bool, "false", Tree,
        "An old way to include dev.";
    "optional": Option<bool>, "", Tree,
        "An old way to omit or include optional.";
    "ignore-scripts": bool, "false", Tree,
        "Run no scripts at all."
        => ignore_scripts = false;
    "allow-scripts": Vec<String>, "", Tree,
        "Packages whose scripts may run.";
    "strict-allow-scripts": bool, "false", Tree,
        "Whether scripts that are neither allowed nor denied are an error."
        => strict_allow_scripts = false;
    "dangerously-allow-all-scripts": bool, "false", Tree,
        "Run every package's scripts."
        => dangerously_allow_all_scripts = false;
    "foreground-scripts": bool, "false", Tree,
        "Run scripts one by one and show what they print."
        => foreground_scripts = false;
    "script-shell": Option<String>, "", Tree,
        "The shell scripts run in."
        => script_shell = None;
    "install-links": bool, "false", Tree,
        "Copy local folders instead of linking to them."
        => install_links = false;
    "bin-links": bool, "true", Tree,
        "Link commands into node_modules/.bin."
        => bin_links = true;
    "package-import-method": ImportMethod, "auto", Tree,
        "How files come from the store into a project."
        => package_import_method = ImportMethod::Auto;
    "prepared-trees": Option<u32>, "", Tree,
        "How many node_modules trees are kept ready for each project; 1, or 0 where CI is set. DX_PREPARED_TREES wins."
        => prepared_trees = None;
    "node-linker": Option<NodeLinker>, "", Tree,
        "The layout of node_modules."
        => node_linker = None;
    "install-strategy": InstallStrategy, "hoisted", Tree,
        "The layout of node_modules in npm's words."
        => install_strategy = InstallStrategy::Hoisted;

    "save": bool, "true", Save,
        "Whether add and remove change the manifest."
        => save = true;
    "save-exact": bool, "false", Save,
        "Save versions without a range."
        => save_exact = false;
    "save-prefix": String, "^", Save,
        "What goes before a version that is saved.";

    "loglevel": LogLevel, "notice", Output,
        "How much is reported."
        => loglevel = LogLevel::Notice;
    "audit": bool, "true", Output,
        "Whether vulnerabilities are looked up after an install."
        => audit = true;
    "fund": bool, "true", Output,
        "Whether packages that look for funding are counted."
        => fund = true;
    "progress": Option<bool>, "", Output,
        "Whether progress is shown."
        => progress = None;
}

/// Whether a key belongs into the digest of settings that can change an install.
pub(super) fn counts(key: &str) -> bool {
    let known = |option: &&OptionInfo| option.key == key;
    key == "registry"
        || key.ends_with(":registry")
        || super::unsupported::concerns(key)
        || OPTIONS.iter().find(known).is_some_and(|option| option.group != OptionGroup::Output)
}

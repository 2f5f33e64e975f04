//! Settings of other managers that are dx's under another name, for the project's layer of the
//! configuration.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::{Home, Manager};
use crate::known::{BUNFIG, Known, Treatment, YARNRC};
use crate::npmrc::{OptionInfo, RawValue};

/// The settings of a project's home.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HomeSettings {
    /// Those that dx has, by their names in `.npmrc`.
    pub settings: Vec<(String, RawValue)>,
    /// Those that dx does not carry out, by their names in the file.
    pub others: Vec<String>,
}

/// Settings of Yarn's with dx's name for each.
const YARN: [(&str, &str); 13] = [
    ("npmRegistryServer", "registry"),
    ("httpProxy", "proxy"),
    ("httpsProxy", "https-proxy"),
    ("httpsCaFilePath", "cafile"),
    ("httpsCertFilePath", "certfile"),
    ("httpsKeyFilePath", "keyfile"),
    ("enableStrictSsl", "strict-ssl"),
    ("httpRetry", "fetch-retries"),
    ("httpTimeout", "fetch-timeout"),
    ("networkConcurrency", "network-concurrency"),
    ("defaultSemverRangePrefix", "save-prefix"),
    ("npmPreapprovedPackages", "minimum-release-age-exclude"),
    ("enableOfflineMode", "offline"),
];

/// Settings of pnpm's with dx's name for each, where that is not the same in another writing.
const PNPM: [(&str, &str); 2] =
    [("strictPeerDependencies", "strict-peer-deps"), ("httpProxy", "proxy")];

/// Settings of dx's that pnpm has too, and that mean the same there.
const SAME_IN_PNPM: &str = "\
    registry strict-ssl ca cafile proxy https-proxy noproxy local-address fetch-retries \
    fetch-retry-factor fetch-retry-mintimeout fetch-retry-maxtimeout fetch-timeout maxsockets \
    network-concurrency offline prefer-offline tag minimum-release-age strict-peer-deps \
    minimum-release-age-exclude engine-strict node-version ignore-scripts script-shell node-options package-import-method \
    save-exact save-prefix";

impl Home {
    /// Returns the settings of the file. A credential counts for the registry that the file names
    /// beside it.
    #[must_use]
    pub fn settings(&self) -> HomeSettings {
        let mut read = HomeSettings::default();
        let Value::Object(map) = &self.file else { return read };
        match self.owner.manager {
            Manager::Npm => {}
            Manager::Pnpm => read.pnpm(map),
            Manager::Yarn => read.yarn(map),
            Manager::Bun => read.bun(map),
        }
        read
    }
}

impl HomeSettings {
    fn set(&mut self, key: &str, value: &Value) -> bool {
        let Some(value) = raw(value) else { return false };
        self.settings.push((key.to_owned(), value));
        true
    }

    /// Reads `pnpm-workspace.yaml`. What it has for itself is named where its fields are.
    fn pnpm(&mut self, map: &Map<String, Value>) {
        for (key, value) in map {
            let known = PNPM.iter().find(|(own, _)| own == key).map(|(_, name)| *name);
            let name = known.map_or_else(|| kebab(key), str::to_owned);
            match key.as_str() {
                "registries" => self.registries(value),
                // Without them npm's rules for peers are off.
                "autoInstallPeers" if *value == Value::Bool(false) => {
                    self.settings.push(("legacy-peer-deps".to_owned(), RawValue::Bool(true)));
                }
                _ if SAME_IN_PNPM.split_ascii_whitespace().any(|same| same == name) => {
                    self.set(&name, value);
                }
                _ => {}
            }
        }
    }

    /// Returns whether a value of a key of `pnpm-workspace.yaml` is one that dx does not have.
    #[must_use]
    pub fn is_other_value(key: &str, value: &Value) -> bool {
        key == "nodeLinker" && value.as_str() != Some("hoisted")
    }

    /// Reads `registries` of pnpm: `default` and scopes.
    fn registries(&mut self, value: &Value) {
        for (scope, address) in value.as_object().into_iter().flatten() {
            match scope.as_str() {
                "default" => _ = self.set("registry", address),
                scope if scope.starts_with('@') => {
                    self.set(&format!("{scope}:registry"), address);
                }
                other => self.others.push(format!("registries.{other}")),
            }
        }
    }

    fn yarn(&mut self, map: &Map<String, Value>) {
        let server = map.get("npmRegistryServer").and_then(Value::as_str);
        self.yarn_credentials(map, "", server);
        for (key, value) in map {
            let known = YARN.iter().find(|(own, _)| own == key).map(|(_, name)| *name);
            match (key.as_str(), known) {
                ("npmAuthToken" | "npmAuthIdent" | "npmAlwaysAuth", _) => {}
                (_, Some("certfile" | "keyfile")) => self.others.push(key.clone()),
                (_, Some(name)) => {
                    if OptionInfo::find(name).is_none() || !self.set(name, value) {
                        self.others.push(key.clone());
                    }
                }
                // Without it, scripts run where `dependenciesMeta` allows them, as always.
                ("enableScripts", _) if *value == Value::Bool(false) => {}
                ("nodeLinker", _) if value.as_str() == Some("node-modules") => {}
                ("npmMinimalAgeGate", _) => match minutes(value) {
                    Some(minutes) => {
                        let minutes = RawValue::Text(minutes);
                        self.settings.push(("minimum-release-age".to_owned(), minutes));
                    }
                    None => self.others.push(key.clone()),
                },
                ("npmScopes", _) => self.yarn_scopes(value),
                ("npmRegistries", _) => {
                    for (address, own) in value.as_object().into_iter().flatten() {
                        let own = own.as_object().cloned().unwrap_or_default();
                        self.yarn_credentials(&own, "npmRegistries.", Some(address));
                    }
                }
                ("enableTransparentWorkspaces" | "enableNetwork", _)
                    if *value == Value::Bool(true) => {}
                ("enableNetwork", _) => {
                    self.settings.push(("offline".to_owned(), RawValue::Bool(true)));
                }
                ("catalog" | "catalogs", _) => {}
                _ if changes_nothing(YARNRC, key) => {}
                _ => self.others.push(key.clone()),
            }
        }
    }

    fn yarn_scopes(&mut self, value: &Value) {
        for (scope, own) in value.as_object().into_iter().flatten() {
            let Some(own) = own.as_object() else { continue };
            let server = own.get("npmRegistryServer");
            if let Some(server) = server {
                self.set(&format!("@{scope}:registry"), server);
            }
            let place = format!("npmScopes.{scope}.");
            self.yarn_credentials(own, &place, server.and_then(Value::as_str));
        }
    }

    /// Binds a credential to the address that it is for.
    fn yarn_credentials(&mut self, own: &Map<String, Value>, place: &str, server: Option<&str>) {
        for (key, setting) in [("npmAuthToken", "_authToken"), ("npmAuthIdent", "_auth")] {
            let Some(text) = own.get(key).and_then(Value::as_str) else { continue };
            let Some(address) = server.and_then(prefix_of) else {
                self.others.push(format!("{place}{key}"));
                continue;
            };
            let is_pair = setting == "_auth" && text.contains(':') && !text.contains("${");
            let text = if is_pair { STANDARD.encode(text) } else { text.to_owned() };
            self.settings.push((format!("{address}:{setting}"), RawValue::Text(text)));
        }
    }

    fn bun(&mut self, map: &Map<String, Value>) {
        let Some(Value::Object(install)) = map.get("install") else { return };
        let mut omit = Vec::new();
        for (key, value) in install {
            match key.as_str() {
                "registry" => self.bun_registry("registry", "install.registry", value),
                "scopes" => {
                    for (scope, value) in value.as_object().into_iter().flatten() {
                        let scope = scope.trim_start_matches('@');
                        let place = format!("install.scopes.{scope}");
                        self.bun_registry(&format!("@{scope}:registry"), &place, value);
                    }
                }
                "exact" => _ = self.set("save-exact", value),
                "production" if *value == Value::Bool(true) => omit.push("dev"),
                "dev" | "optional" | "peer" if *value == Value::Bool(false) => omit.push(key),
                "production" | "dev" | "optional" | "peer" => {}
                "linker" if value.as_str() == Some("hoisted") => {}
                "dryRun" => _ = self.set("dry-run", value),
                "ignoreScripts" => _ = self.set("ignore-scripts", value),
                "networkConcurrency" => _ = self.set("network-concurrency", value),
                "ca" | "cafile" => _ = self.set(key, value),
                "minimumReleaseAge" => match value.as_f64() {
                    Some(seconds) => {
                        let minutes = RawValue::Text((seconds / 60.0).to_string());
                        self.settings.push(("minimum-release-age".to_owned(), minutes));
                    }
                    None => self.others.push(format!("install.{key}")),
                },
                "minimumReleaseAgeExcludes" => _ = self.set("minimum-release-age-exclude", value),
                "frozenLockfile" | "linkWorkspacePackages" if *value == Value::Bool(false) => {
                    if key == "linkWorkspacePackages" {
                        self.others.push(format!("install.{key}"));
                    }
                }
                "linkWorkspacePackages" => {}
                "lockfile" => {
                    if value.get("save") == Some(&Value::Bool(false)) {
                        self.others.push("install.lockfile.save".to_owned());
                    }
                }
                _ if changes_nothing(BUNFIG, &format!("install.{key}")) => {}
                _ => self.others.push(format!("install.{key}")),
            }
        }
        if !omit.is_empty() {
            let omit = RawValue::List(omit.into_iter().map(str::to_owned).collect());
            self.settings.push(("omit".to_owned(), omit));
        }
    }

    /// Reads a registry of Bun's: its address, or a table with its address and credentials.
    fn bun_registry(&mut self, key: &str, place: &str, value: &Value) {
        let table = match value {
            Value::Object(table) => table.clone(),
            other => Map::from_iter([("url".to_owned(), other.clone())]),
        };
        let text = |key: &str| {
            table.get(key).and_then(Value::as_str).map(|text| match text.strip_prefix('$') {
                // Bun writes variables like a shell.
                Some(name) if !name.starts_with('{') => format!("${{{name}}}"),
                _ => text.to_owned(),
            })
        };
        let Some(url) = text("url") else {
            self.others.push(place.to_owned());
            return;
        };
        if let Some(prefix) = prefix_of(&url) {
            if let Some(token) = text("token") {
                self.settings.push((format!("{prefix}:_authToken"), RawValue::Text(token)));
            }
            if let (Some(user), Some(password)) = (text("username"), text("password")) {
                let is_plain = !user.contains("${") && !password.contains("${");
                if is_plain {
                    let pair = STANDARD.encode(format!("{user}:{password}"));
                    self.settings.push((format!("{prefix}:_auth"), RawValue::Text(pair)));
                } else {
                    self.others.push(format!("{place}.password"));
                }
            }
        }
        self.settings.push((key.to_owned(), RawValue::Text(url)));
    }
}

/// Returns whether a setting needs no word where its value is not carried out here: it changes
/// nothing, or another part of dx refuses it.
fn changes_nothing(table: &'static [Known], key: &str) -> bool {
    let is_quiet = |row: &Known| matches!(row.treatment, Treatment::Idle | Treatment::Refused(_));
    Known::find(table, key).is_some_and(is_quiet)
}

/// Returns `//host/path/` for an address.
fn prefix_of(address: &str) -> Option<String> {
    let address =
        if address.starts_with("//") { format!("https:{address}") } else { address.to_owned() };
    let rest = address.strip_prefix("https://").or_else(|| address.strip_prefix("http://"))?;
    let rest = rest.split(['?', '#']).next().unwrap_or(rest);
    let rest = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    Some(if rest.ends_with('/') { format!("//{rest}") } else { format!("//{rest}/") })
}

/// Returns a value as `.npmrc` would have it.
fn raw(value: &Value) -> Option<RawValue> {
    Some(match value {
        Value::Null => RawValue::Null,
        Value::Bool(on) => RawValue::Bool(*on),
        Value::Number(number) => RawValue::Text(number.to_string()),
        Value::String(text) => RawValue::Text(text.clone()),
        Value::Array(list) => RawValue::List(
            list.iter().map(|item| raw(item)?.text()).collect::<Option<Vec<String>>>()?,
        ),
        Value::Object(_) => return None,
    })
}

/// Returns the minutes of a duration of Yarn's: a number of minutes, or `3d`, `12h`, `90m`.
fn minutes(value: &Value) -> Option<String> {
    if let Value::Number(number) = value {
        return Some(number.to_string());
    }
    let text = value.as_str()?.trim();
    let end = text.find(|next: char| !next.is_ascii_digit() && next != '.').unwrap_or(text.len());
    let number: f64 = text[..end].parse().ok()?;
    let factor = match text[end..].trim() {
        "" | "m" => 1.0,
        "ms" => 1.0 / 60_000.0,
        "s" => 1.0 / 60.0,
        "h" => 60.0,
        "d" => 24.0 * 60.0,
        "w" => 7.0 * 24.0 * 60.0,
        _ => return None,
    };
    Some((number * factor).to_string())
}

/// Returns `minimum-release-age` for `minimumReleaseAge`.
fn kebab(key: &str) -> String {
    let mut name = String::with_capacity(key.len() + 4);
    for character in key.chars() {
        if character.is_ascii_uppercase() {
            name.push('-');
        }
        name.push(character.to_ascii_lowercase());
    }
    name
}

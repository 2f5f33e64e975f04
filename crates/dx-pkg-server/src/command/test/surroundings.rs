//! What leads a command's package managers to the registry of its run: variables and files of
//! settings. The user's own registries and credentials are not handed on.

use super::Context;
use dx_pkg_compat::npmrc::edit::{names_registry, settings_of, without_registries};
use dx_pkg_compat::npmrc::redact_urls;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The variables that a command gets, and those that it does not.
pub(super) struct Surroundings {
    pub(super) set: Vec<(String, String)>,
    pub(super) removed: Vec<String>,
    /// Settings of the project that lead elsewhere, in sentences.
    pub(super) warnings: Vec<String>,
}

/// Prepares a command in the current folder for the registry at `url`, with files in `scratch`.
pub(super) fn prepare(
    context: &Context,
    scratch: &Path,
    (url, token): (&str, &str),
) -> Result<Surroundings, String> {
    let variables = &context.environment.variables;
    let removed = variables.iter().map(|(name, _)| name).filter(|name| leads_elsewhere(name));
    let removed = removed.cloned().collect();
    let mut set: Vec<(String, String)> = [
        ("npm_config_registry", url),
        ("pnpm_config_registry", url),
        ("YARN_NPM_REGISTRY_SERVER", url.trim_end_matches('/')),
        ("YARN_NPM_PUBLISH_REGISTRY", url.trim_end_matches('/')),
        ("YARN_NPM_AUTH_TOKEN", token),
        ("YARN_UNSAFE_HTTP_WHITELIST", "127.0.0.1"),
        ("YARN_REGISTRY", url),
        ("BUN_CONFIG_REGISTRY", url),
        ("BUN_CONFIG_TOKEN", token),
        ("DX_TEST_REGISTRY", url),
        ("DX_TEST_REGISTRY_TOKEN", token),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    let variable = |name: &str| {
        let found = variables.iter().find(|(own, _)| own.eq_ignore_ascii_case(name));
        found.map(|(_, value)| PathBuf::from(value))
    };
    let own = variable("npm_config_userconfig");
    let own = own.or_else(|| Some(variable("HOME")?.join(".npmrc")));
    let text = own.as_ref().and_then(|file| std::fs::read_to_string(file).ok());
    let kept = without_registries(&text.unwrap_or_default());
    // A shell drops variables whose names have slashes, so npm's own way to give it a token does
    // not always work.
    let address = url.strip_prefix("http:").unwrap_or(url);
    let npmrc = format!("{kept}{address}:_authToken={token}\n");
    for (name, file, text) in [
        ("npm_config_userconfig", "npmrc", npmrc.as_str()),
        ("npm_config_globalconfig", "npmrc-global", ""),
    ] {
        let file = scratch.join(file);
        std::fs::write(&file, text).map_err(|error| format!("{}: {error}", file.display()))?;
        set.push((name.to_owned(), file.to_string_lossy().into_owned()));
    }
    let mut warnings = Vec::new();
    if let Ok(folder) = std::env::current_dir() {
        for (scope, (file, address)) in scopes(&folder, own.as_deref()) {
            set.push((format!("npm_config_{scope}:registry"), url.to_owned()));
            warnings.push(format!(
                "{} leads {scope} to {}; npm is led to this run's registry instead, but other \
                 package managers, and npm in a shell script, may not be",
                file.display(),
                redact_urls(&address)
            ));
        }
        warnings.extend(others(&folder));
    }
    Ok(Surroundings { set, removed, warnings })
}

/// Whether a variable leads a package manager to a registry, or is a credential for one.
fn leads_elsewhere(variable: &str) -> bool {
    let lower = variable.to_ascii_lowercase();
    if matches!(lower.as_str(), "yarn_npm_auth_ident" | "npm_config_globalconfig") {
        return true;
    }
    let key = lower.strip_prefix("npm_config_").or_else(|| lower.strip_prefix("pnpm_config_"));
    key.is_some_and(|key| {
        let is_auth = key.starts_with('_') || key.contains(":_");
        key == "userconfig" || is_auth || names_registry(&key.replace('_', "-"))
    })
}

/// Returns the registries of scopes by the `.npmrc` files of a folder and those above it, which a
/// package manager takes for the project's; the user's own file is none.
fn scopes(folder: &Path, own: Option<&Path>) -> BTreeMap<String, (PathBuf, String)> {
    let mut found = BTreeMap::new();
    for folder in folder.ancestors() {
        let file = folder.join(".npmrc");
        if own == Some(file.as_path()) {
            continue;
        }
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        for (key, value) in settings_of(&text) {
            let scope = key.strip_suffix(":registry").filter(|scope| scope.starts_with('@'));
            if let (Some(scope), Some(address)) = (scope, value.text()) {
                found.entry(scope.to_owned()).or_insert_with(|| (file.clone(), address));
            }
        }
    }
    found
}

/// Returns sentences about other settings of the project that lead elsewhere.
fn others(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let manifest = folder.join("package.json");
    let text = std::fs::read_to_string(&manifest).unwrap_or_default();
    let parsed = serde_json::from_str::<serde_json::Value>(&text).unwrap_or_default();
    for (key, address) in parsed["publishConfig"].as_object().into_iter().flatten() {
        if let Some(address) = address.as_str().filter(|_| names_registry(key)) {
            found.push(format!(
                "publishConfig of {} names {}, where the package is published whatever this run's \
                 registry is, if there are credentials for it",
                manifest.display(),
                redact_urls(address)
            ));
        }
    }
    for (name, mark) in [(".yarnrc.yml", "npmScopes:"), ("bunfig.toml", "[install.scopes")] {
        for folder in folder.ancestors() {
            let file = folder.join(name);
            let text = std::fs::read_to_string(&file).unwrap_or_default();
            if text.lines().any(|line| line.starts_with(mark)) {
                let text = "has registries of scopes, which this run's registry does not replace";
                found.push(format!("{} {text}", file.display()));
            }
        }
    }
    found
}

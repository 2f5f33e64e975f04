//! Merging files, variables and flags into one value for each key.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::error::{is_secret, redact_urls};
use super::expand::expand;
use super::value::RawValue;
use super::{ConfigError, ConfigSources, ConfigWarning, Source, ini};

/// The effective value of a key, and its source.
pub(super) struct Entry {
    pub(super) value: RawValue,
    pub(super) source: Source,
}

impl Entry {
    pub(super) fn new(value: RawValue, source: Source) -> Entry {
        Entry { value, source }
    }

    /// Returns the value for display, without secrets.
    pub(super) fn shown(&self, key: &str) -> String {
        if is_secret(key) { "***".to_owned() } else { redact_urls(&self.value.display()) }
    }

    /// Returns the error for a value that is not of its setting's kind.
    pub(super) fn invalid(&self, key: &str, allowed: &'static str) -> ConfigError {
        ConfigError::Invalid {
            key: key.to_owned(),
            value: self.shown(key),
            origin: self.source.clone(),
            allowed,
        }
    }
}

type Entries = BTreeMap<String, Entry>;
type Settings = Vec<(String, RawValue)>;

/// Merges all layers, the stronger over the weaker. `needs_value` tells whether an empty value
/// means nothing for a setting.
pub(super) fn merge(
    sources: &ConfigSources<'_>,
    needs_value: fn(&str, &RawValue) -> bool,
    warnings: &mut Vec<ConfigWarning>,
) -> Result<Entries, ConfigError> {
    let shared = |path: &Path| Arc::<Path>::from(path);
    let mut entries = Entries::new();
    let mut add = |settings: Settings, source: Source| {
        for (key, value) in settings {
            let expanded = expand_setting(&key, value, &source, sources.env, warnings)?;
            if let Some((key, value)) = expanded {
                if source != Source::Flag && is_absent(&key, &value, &source, needs_value, warnings)
                {
                    continue;
                }
                entries.insert(key, Entry::new(value, source.clone()));
            }
        }
        Ok::<(), ConfigError>(())
    };
    if let Some((path, text)) = sources.global {
        add(ini::parse(text), Source::Global(shared(path)))?;
    }
    if let Some((path, text)) = sources.user {
        add(ini::parse(text), Source::User(shared(path)))?;
    }
    if let Some((path, text)) = sources.project {
        add(ini::parse(text), Source::Project(shared(path)))?;
    }
    add(environment(sources.env), Source::Environment)?;
    add(flags(sources.flags), Source::Flag)?;
    Ok(entries)
}

/// Returns whether an empty value counts as none, so that a weaker layer or the default applies.
fn is_absent(
    key: &str,
    value: &RawValue,
    source: &Source,
    needs_value: fn(&str, &RawValue) -> bool,
    warnings: &mut Vec<ConfigWarning>,
) -> bool {
    if !matches!(value, RawValue::Text(text) if text.trim().is_empty()) {
        return false;
    }
    let is_registry = key == "registry" || key.starts_with('@') && key.ends_with(":registry");
    if is_registry {
        warnings.push(ConfigWarning::EmptyRegistry { key: key.to_owned(), origin: source.clone() });
    }
    is_registry || needs_value(key, value)
}

/// Expands `${NAME}` if the source may use variables, and drops settings that must not be used.
fn expand_setting(
    key: &str,
    value: RawValue,
    source: &Source,
    env: &[(String, String)],
    warnings: &mut Vec<ConfigWarning>,
) -> Result<Option<(String, RawValue)>, ConfigError> {
    let lookup = |name: &str| variable(env, name).map(str::to_owned);
    let mut used = Vec::new();
    let mut unset = Vec::new();
    let mut expand_text = |text: &str| {
        let expanded = expand(text, &lookup);
        used.extend(expanded.used);
        unset.extend(expanded.unset);
        expanded.text
    };
    let expanded_key = expand_text(key);
    let value = value.map_text(&mut |text| expand_text(text.trim()));
    if let (false, Some(variable)) = (source.is_trusted(), used.into_iter().next()) {
        let (key, origin) = (key.to_owned(), source.clone());
        if key == "registry" || key.ends_with(":registry") {
            return Err(ConfigError::RegistryFromEnvironment { key, variable, origin });
        }
        warnings.push(ConfigWarning::EnvInProject { key, variable, origin });
        return Ok(None);
    }
    if let Some(variable) = unset.into_iter().next() {
        warnings.push(ConfigWarning::EnvUnset {
            key: key.to_owned(),
            variable,
            origin: source.clone(),
        });
        if is_secret(key) {
            return Ok(None);
        }
    }
    Ok(Some((expanded_key, value)))
}

fn flags(flags: &[(String, String)]) -> Settings {
    let mut settings = Settings::new();
    for (key, value) in flags {
        match settings.iter_mut().find(|(other, _)| other == key) {
            Some((_, RawValue::List(list))) => list.push(value.clone()),
            Some((_, single)) => {
                let first = single.text().into_iter();
                *single = RawValue::List(first.chain([value.clone()]).collect());
            }
            None => settings.push((key.clone(), RawValue::from_ini(value))),
        }
    }
    settings
}

/// Returns the `npm_config_*` variables that are not empty; of two spellings the lower-case one
/// wins.
fn environment(env: &[(String, String)]) -> Settings {
    let mut settings: Vec<(&str, String, &str)> = env
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .filter_map(|(name, value)| Some((name.as_str(), setting_name(name)?, value.as_str())))
        .collect();
    settings.sort_unstable();
    settings.into_iter().map(|(_, key, value)| (key, RawValue::from_ini(value.trim()))).collect()
}

/// Returns the setting that an environment variable stands for: `NPM_CONFIG_STRICT_SSL` is
/// `strict-ssl`. A name that starts with `//` after the prefix is kept as it is.
fn setting_name(variable: &str) -> Option<String> {
    let prefix = variable.get(.."npm_config_".len())?;
    if !prefix.eq_ignore_ascii_case("npm_config_") {
        return None;
    }
    let name = &variable[prefix.len()..];
    if name.starts_with("//") {
        return Some(name.to_owned());
    }
    let (first, rest) = name.split_at_checked(1)?;
    Some(format!("{first}{}", rest.replace('_', "-")).to_lowercase())
}

/// Returns the value that the environment gives a setting, for those that are needed before the
/// files are read, such as `userconfig`.
#[must_use]
pub fn environment_setting(env: &[(String, String)], key: &str) -> Option<String> {
    let settings = environment(env);
    let found = settings.into_iter().rfind(|(name, _)| name == key);
    found.and_then(|(_, value)| value.text())
}

/// Returns an environment variable by its exact name.
pub(super) fn variable<'e>(env: &'e [(String, String)], name: &str) -> Option<&'e str> {
    let found = env.iter().find(|(key, _)| key == name);
    found.map(|(_, value)| value.as_str())
}

/// Returns the user's home folder.
pub(super) fn home(env: &[(String, String)]) -> Option<PathBuf> {
    let folder = variable(env, "HOME").or_else(|| variable(env, "USERPROFILE"))?;
    (!folder.is_empty()).then(|| PathBuf::from(folder))
}

//! Changing files of settings.

use std::path::Path;

use dx_pkg_compat::npmrc::definitions::{
    Definition, ValueContext, is_of_registry_or_scope, value_of,
};
use dx_pkg_compat::npmrc::edit::{with_setting, without_setting};
use dx_pkg_compat::npmrc::{Config, ConfigSources, OptionInfo, RawValue};
use dx_pkg_core::text::suggest::nearest;
use dx_pkg_install::{Events, InstallError};
use serde_json::Value;

use super::Settings;
use crate::error::{CommandError, SettingsError};
use crate::report::Report;

/// Sets settings in the file; an empty value removes one.
pub fn set(settings: &Settings<'_>, words: &[String], report: &Report) -> Result<(), CommandError> {
    let path = settings.target()?;
    let pairs = pairs(words);
    for (key, value) in &pairs {
        check(key)?;
        if !value.is_empty() {
            refuse_unusable(key, value)?;
            warn_of_invalid(settings, key, value, report);
        }
    }
    settings.edited(&path).edit(|old| {
        let mut text = old.unwrap_or_default().to_owned();
        for (key, value) in &pairs {
            text = match value.is_empty() {
                true => without_setting(&text, key),
                false => with_setting(&text, key, value),
            };
        }
        Ok(text)
    })
}

/// Removes settings from the file.
pub fn delete(settings: &Settings<'_>, keys: &[String]) -> Result<(), CommandError> {
    let path = settings.target()?;
    settings.edited(&path).edit(|old| {
        let text = old.unwrap_or_default().to_owned();
        Ok(keys.iter().fold(text, |text, key| without_setting(&text, key)))
    })
}

/// Reads `KEY=VALUE` and `KEY VALUE`, the last one of a key.
fn pairs(words: &[String]) -> Vec<(String, String)> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let (key, value) = match word.split_once('=') {
            Some((key, value)) => (key, value),
            None => (word.as_str(), words.next().map_or("", String::as_str)),
        };
        let (key, value) = (key.trim().to_owned(), value.trim().to_owned());
        match pairs.iter_mut().find(|(other, _)| *other == key) {
            Some((_, old)) => *old = value,
            None => pairs.push((key, value)),
        }
    }
    pairs
}

/// Checks that a key is a setting that may be set.
fn check(key: &str) -> Result<(), SettingsError> {
    let name = key.rsplit(':').next().unwrap_or(key);
    if Definition::find(name).is_some_and(|row| row.is_deprecated) {
        return Err(SettingsError::Deprecated { key: name.to_owned() });
    }
    let is_known = Definition::find(name).is_some()
        || is_of_registry_or_scope(key)
        || OptionInfo::find(key).is_some();
    if is_known {
        return Ok(());
    }
    let known = dx_pkg_compat::npmrc::definitions::DEFINITIONS.iter().map(|row| row.key);
    let similar = nearest(key, known).map(str::to_owned);
    Err(SettingsError::Unknown { key: key.to_owned(), similar })
}

/// Refuses a value that would end every command of dx. What a variable stands for is not known.
fn refuse_unusable(key: &str, value: &str) -> Result<(), CommandError> {
    if OptionInfo::find(key).is_some() && !value.contains("${") {
        let flags = [(key.to_owned(), value.to_owned())];
        Config::load(&ConfigSources { flags: &flags, ..ConfigSources::without_registry() })
            .and_then(|config| config.unsupported())
            .map_err(InstallError::from)?;
    }
    Ok(())
}

/// Warns of a value that will be passed over.
fn warn_of_invalid(settings: &Settings<'_>, key: &str, value: &str, report: &Report) {
    let Some(row) = Definition::find(key) else { return };
    let environment = settings.environment;
    let context = ValueContext {
        env: &environment.variables,
        home: environment.home.as_deref(),
        folder: &environment.folder,
    };
    let read = match value {
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        "null" => Value::Null,
        text => value_of(key, &RawValue::Text(text.to_owned()), context),
    };
    if !row.allows(&read) {
        report.warning(&format!("{key}={value} will be passed over; allowed: {}", row.allowed()));
    }
}

/// Creates the file if it is not there.
pub fn create(settings: &Settings<'_>, path: &Path) -> Result<(), CommandError> {
    if path.exists() {
        return Ok(());
    }
    let new = "; settings of npm and dx, such as: save-exact=true\n";
    settings.edited(path).edit(|old| Ok(old.unwrap_or(new).to_owned()))
}

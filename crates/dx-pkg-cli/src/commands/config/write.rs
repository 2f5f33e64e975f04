//! Changing files of settings.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use dx_pkg_acquire::AcquireError;
use dx_pkg_acquire::files::read_text_to_edit;
use dx_pkg_compat::foreign_bytes;
use dx_pkg_compat::npmrc::definitions::{
    Definition, ValueContext, is_of_registry_or_scope, value_of,
};
use dx_pkg_compat::npmrc::edit::{with_setting, without_setting};
use dx_pkg_compat::npmrc::{Config, ConfigSources, OptionInfo, RawValue};
use dx_pkg_core::text::suggest::nearest;
use dx_pkg_install::{Events, InstallError};
use dx_pkg_os::files::{Durability, write_user_file};
use serde_json::Value;

use super::Settings;
use crate::error::{CommandError, SettingsError};
use crate::report::Report;

/// Sets settings in the file; an empty value removes one.
pub fn set(settings: &Settings<'_>, words: &[String], report: &Report) -> Result<(), CommandError> {
    let path = settings.target()?;
    let old = read_text_to_edit(&path)?;
    let mut text = old.clone().unwrap_or_default();
    for (key, value) in pairs(words) {
        check(&key)?;
        text = if value.is_empty() {
            without_setting(&text, &key)
        } else {
            refuse_unusable(&key, &value)?;
            warn_of_invalid(settings, &key, &value, report);
            with_setting(&text, &key, &value)
        };
    }
    write(settings, &path, old.as_deref(), &text)
}

/// Removes settings from the file.
pub fn delete(settings: &Settings<'_>, keys: &[String]) -> Result<(), CommandError> {
    let path = settings.target()?;
    let old = read_text_to_edit(&path)?;
    let mut text = old.clone().unwrap_or_default();
    for key in keys {
        text = without_setting(&text, key);
    }
    write(settings, &path, old.as_deref(), &text)
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
    match path.exists() {
        true => Ok(()),
        false => {
            write(settings, path, None, "; settings of npm and dx, such as: save-exact=true\n")
        }
    }
}

/// Writes a file of settings, and removes one that would be empty.
pub(super) fn write(
    settings: &Settings<'_>,
    path: &Path,
    old: Option<&str>,
    text: &str,
) -> Result<(), CommandError> {
    let doing = |error| AcquireError::io(format!("writing {}", path.display()), error);
    if text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}').is_empty() {
        return match fs::remove_file(path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(doing(error).into()),
            _ => Ok(()),
        };
    }
    if old == Some(text) {
        return Ok(());
    }
    // The user's and the machine's file may be links to wherever the user keeps them.
    let is_project = settings.file("project") == Some(path);
    let target = if is_project { None } else { fs::canonicalize(path).ok() };
    let target: PathBuf = target.unwrap_or_else(|| path.to_owned());
    let (Some(folder), Some(name)) =
        (target.parent(), target.file_name().and_then(|it| it.to_str()))
    else {
        return Ok(());
    };
    fs::create_dir_all(folder).map_err(doing)?;
    if settings.is_users(path) {
        make_private(&target).map_err(doing)?;
    }
    let bytes = foreign_bytes::restored(text, old.unwrap_or_default());
    write_user_file(folder, name, &bytes, Durability::Fsync).map_err(doing)?;
    Ok(())
}

/// Makes a file one that only its owner reads, as it may hold credentials; creates it so.
#[cfg(unix)]
fn make_private(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
    let mut options = fs::OpenOptions::new();
    match options.write(true).create_new(true).mode(0o600).open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            fs::set_permissions(path, fs::Permissions::from_mode(0o600))
        }
        Err(error) => Err(error),
    }
}

#[cfg(not(unix))]
fn make_private(_path: &Path) -> std::io::Result<()> {
    Ok(())
}

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
use dx_pkg_compat::npmrc::edit::{settings_of, with_setting, without_setting};
use dx_pkg_compat::npmrc::{OptionInfo, RawValue};
use dx_pkg_core::text::suggest::nearest;
use dx_pkg_install::Events;
use dx_pkg_os::files::{Durability, write_user_file};
use serde_json::Value;

use super::{Settings, SettingsError};
use crate::error::CommandError;
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

/// Binds credentials of no registry to the configured one.
pub fn fix(settings: &Settings<'_>, report: &Report) -> Result<(), CommandError> {
    let registry = settings.listing.get("registry").and_then(Value::as_str).unwrap_or_default();
    let registry = nerf_dart(registry);
    let only = settings.given.value("location").and_then(RawValue::text);
    let mut lines = Vec::new();
    for name in ["user", "global", "project"] {
        if only.as_deref().is_some_and(|only| only != name) {
            continue;
        }
        let Some(path) = settings.file(name) else { continue };
        let Some(old) = read_text_to_edit(path)? else { continue };
        let mut text = old.clone();
        for repair in repairs(&old) {
            let key = repair.key;
            text = without_setting(&text, key);
            if !repair.is_renamed {
                lines.push(format!("- `{key}` deleted from {name} config"));
                continue;
            }
            let to = format!("{registry}:{key}");
            if settings.listing.get(&to).is_none() {
                text = with_setting(&text, &to, &repair.value);
            }
            lines.push(format!("~ `{key}` renamed to `{to}` in {name} config"));
        }
        if text != old {
            write(settings, path, Some(&old), &text)?;
        }
    }
    if !lines.is_empty() {
        let head = "The following configuration problems have been repaired:\n";
        report.plain_result(&format!("{head}\n{}", lines.join("\n")));
    }
    Ok(())
}

/// A credential that belongs to no registry.
struct Repair {
    key: &'static str,
    value: String,
    /// Whether it is bound to the registry; else it is removed.
    is_renamed: bool,
}

fn repairs(text: &str) -> Vec<Repair> {
    let settings = settings_of(text);
    let value = |key: &str| {
        let found = settings.iter().find(|(own, _)| own == key);
        found
            .and_then(|(_, value)| value.text())
            .filter(|value| !value.is_empty() && value != "false")
    };
    // Those that are of no use without another.
    let needs = |key: &str| match key {
        "username" => Some("_password"),
        "_password" => Some("username"),
        "certfile" => Some("keyfile"),
        "keyfile" => Some("certfile"),
        _ => None,
    };
    let keys = [
        "_authtoken",
        "-authtoken",
        "_auth",
        "_authToken",
        "username",
        "_password",
        "email",
        "certfile",
        "keyfile",
    ];
    let found = keys.into_iter().filter_map(|key| {
        let is_old = matches!(key, "_authtoken" | "-authtoken");
        let is_renamed = !is_old && needs(key).is_none_or(|other| value(other).is_some());
        Some(Repair { key, value: value(key)?, is_renamed })
    });
    found.collect()
}

/// Returns an address as credentials are bound to it: `//host/path/`.
fn nerf_dart(address: &str) -> String {
    let Ok(url) = url::Url::parse(address) else { return address.to_owned() };
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    let path = url.path().trim_end_matches(|c| c != '/');
    format!("//{}{port}{path}", url.host_str().unwrap_or_default())
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
fn write(
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

//! Printing settings in npm's forms.

use dx_pkg_acquire::files::read_text;
use dx_pkg_compat::npmrc::definitions::is_protected;
use dx_pkg_compat::npmrc::{OptionInfo, RawValue, Source, redact_urls};
use dx_pkg_core::text::addresses::without_secrets;
use dx_pkg_install::Events;
use dx_pkg_install::session::configuration;
use dx_pkg_lock::locale_compare;
use serde_json::{Map, Value, json};

use super::Settings;
use super::places::node;
use crate::error::{CommandError, SettingsError};
use crate::report::Report;

/// The variables of proxies, which npm lists beside settings.
const PROXIES: [&str; 4] = ["http_proxy", "https_proxy", "proxy", "no_proxy"];

/// Prints the values of settings, or the list of all without a key.
pub fn get(settings: &Settings<'_>, keys: &[String], report: &Report) -> Result<(), CommandError> {
    if keys.is_empty() {
        list_text(settings, report);
        return Ok(());
    }
    warn_of_invalid(settings, report);
    let mut lines = Vec::with_capacity(keys.len());
    for key in keys {
        let value = settings.listing.get(key);
        if is_private(key, value) {
            return Err(SettingsError::Protected { key: key.clone() }.into());
        }
        let shown = value.map_or_else(|| "undefined".to_owned(), shown);
        lines.push(if keys.len() > 1 { format!("{key}={shown}") } else { shown });
    }
    report.plain_result(&lines.join("\n"));
    Ok(())
}

/// Lists settings.
pub fn list(settings: &Settings<'_>, report: &Report) {
    warn_of_invalid(settings, report);
    if !report.wants_json() {
        list_text(settings, report);
        return;
    }
    let mut all = Map::new();
    for key in settings.listing.keys() {
        let value = settings.listing.get(key);
        if let Some(value) = value.filter(|value| !is_private(key, Some(value))) {
            all.insert(key.to_owned(), value.clone());
        }
    }
    report.pretty(&all.into());
}

fn list_text(settings: &Settings<'_>, report: &Report) {
    let listing = &settings.listing;
    let is_long = listing.get("long") == Some(&Value::Bool(true));
    let mut lines = Vec::new();
    for layer in &listing.layers {
        if layer.values.is_empty() || layer.name == "default" && !is_long {
            continue;
        }
        lines.push(format!("; {:?} config from {}\n", layer.name, layer.source));
        let mut values: Vec<_> = layer.values.iter().collect();
        values.sort_by(|(a, _), (b, _)| locale_compare(a, b));
        for (key, value) in values {
            let line = displayed(key, value);
            let place = listing.place(key).map_or(layer.name, |place| place.name);
            lines.push(if place == layer.name {
                line
            } else {
                format!("; {line} ; overridden by {place}")
            });
        }
        lines.push(String::new());
    }
    if !is_long {
        lines.extend(about_environment(settings));
    }
    lines.extend(publish_config(settings));
    report.plain_result(lines.join("\n").trim());
}

/// Returns the lines about proxies, programs and folders.
fn about_environment(settings: &Settings<'_>) -> Vec<String> {
    let environment = settings.environment;
    let mut seen: Vec<String> = Vec::new();
    let mut lines = Vec::new();
    for (name, value) in &environment.variables {
        let lower = name.to_ascii_lowercase();
        if PROXIES.contains(&&*lower) && !seen.contains(&lower) {
            lines.push(format!("; {name} = {}", Value::from(redact_urls(value))));
            seen.push(lower);
        }
    }
    if !lines.is_empty() {
        lines.insert(0, "; environment-related config\n".to_owned());
        lines.push(String::new());
    }
    let node = node(environment).and_then(|node| node.canonicalize().ok());
    let home = environment.home.as_ref().map(|home| home.display().to_string());
    lines.extend([
        format!(
            "; node bin location = {}",
            node.map_or_else(|| "none".to_owned(), |node| node.display().to_string())
        ),
        format!("; dx local prefix = {}", settings.root.display()),
        format!("; dx version = {}", env!("CARGO_PKG_VERSION")),
        format!("; cwd = {}", environment.folder.display()),
        format!("; HOME = {}", home.unwrap_or_default()),
        "; Run `dx config ls -l` to show all defaults.".to_owned(),
        String::new(),
    ]);
    lines
}

/// Returns the lines about the settings that a package is published with.
fn publish_config(settings: &Settings<'_>) -> Vec<String> {
    let path = settings.root.join("package.json");
    let text = read_text(&path).ok().flatten().unwrap_or_default();
    let manifest: Value = serde_json::from_str(&text).unwrap_or_default();
    let Some(Value::Object(members)) = manifest.get("publishConfig") else { return Vec::new() };
    let mut members: Vec<_> = members.iter().collect();
    members.sort_by(|(a, _), (b, _)| locale_compare(a, b));
    let mut lines = vec![
        format!("; \"publishConfig\" from {}", path.display()),
        "; This set of config values will be used at publish-time.\n".to_owned(),
    ];
    lines.extend(members.iter().map(|(key, value)| displayed(key, value)));
    lines.push(String::new());
    lines
}

/// Lists the settings that dx goes by, each with its source.
pub fn sources(settings: &Settings<'_>, report: &Report) -> Result<(), CommandError> {
    let given = settings.given.settings.iter();
    let flags: Vec<(String, String)> = given
        .filter(|(key, _)| {
            !matches!(key.as_str(), "json" | "long" | "sources" | "global" | "location")
        })
        .flat_map(|(key, value)| value.list().into_iter().map(|value| (key.clone(), value)))
        .collect();
    let (config, _) = configuration(settings.environment, &settings.root, &flags)?;
    for warning in config.warnings() {
        report.warning(&warning.to_string());
    }
    let mut all = Map::new();
    let mut lines = Vec::new();
    for key in config.keys() {
        let (value, source) = match config.raw(key) {
            Some((value, source)) => (Some(json_of(value)), Some(source)),
            None => (None, None),
        };
        let (place, file) = match source {
            Some(Source::Default) | None => ("", None),
            Some(Source::Global(path)) => ("global", Some(path)),
            Some(Source::User(path)) => ("user", Some(path)),
            Some(Source::Project(path, _)) => ("project", Some(path)),
            Some(Source::Environment) => ("env", None),
            Some(Source::Flag) => ("cli", None),
        };
        let value = value.filter(|value| !is_private(key, Some(value)));
        let shown = value.as_ref().map_or_else(|| "(protected)".to_owned(), Value::to_string);
        let file = file.map(|path| path.display().to_string());
        let origin =
            file.as_ref().map_or_else(|| place.to_owned(), |file| format!("{place} {file}"));
        lines.push(
            format!("{} = {shown} ; {origin}", redact_urls(key)).trim_end_matches(" ; ").to_owned(),
        );
        all.insert(redact_urls(key), json!({ "value": value, "source": place, "file": file }));
    }
    if report.wants_json() {
        report.pretty(&all.into());
    } else {
        report.plain_result(&lines.join("\n"));
    }
    Ok(())
}

fn json_of(value: &RawValue) -> Value {
    match value {
        RawValue::Null => Value::Null,
        RawValue::Bool(value) => (*value).into(),
        RawValue::Text(text) => text.as_str().into(),
        RawValue::List(items) => items.iter().map(String::as_str).collect(),
    }
}

/// Returns a setting as a line of a list.
fn displayed(key: &str, value: &Value) -> String {
    let value = if is_protected(key) {
        "(protected)".to_owned()
    } else {
        without_secrets(&redact_urls(&value.to_string())).into_owned()
    };
    format!("{key} = {value}")
}

/// Returns whether a value is a secret, or holds one.
fn is_private(key: &str, value: Option<&Value>) -> bool {
    let holds_secret = |text: &str| redact_urls(text) != text || without_secrets(text) != text;
    is_protected(key) || value.and_then(Value::as_str).is_some_and(holds_secret)
}

/// Returns a value as JavaScript prints it.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(shown).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

/// Warns of values that are passed over.
fn warn_of_invalid(settings: &Settings<'_>, report: &Report) {
    for invalid in &settings.listing.invalid {
        let value =
            if is_protected(&invalid.key) { "***".to_owned() } else { invalid.value.to_string() };
        let effect = match OptionInfo::find(&invalid.key) {
            Some(_) => "ends other commands of dx",
            None => "is passed over",
        };
        report.warning(&format!(
            "{}={value} in {} {effect}; allowed: {}",
            invalid.key, invalid.source, invalid.allowed
        ));
    }
}

//! From JSON to a [`Manifest`], field by field, with npm's tolerance.

use serde_json::{Map, Value};

use super::section::script_key_order;
use super::{AllowScripts, Manifest, ManifestError, Section, bin};
use crate::json_size;
use crate::surrogates::without_lone;

/// The most values that a manifest may have: ten times those of the largest known.
const MOST_VALUES: usize = 100_000;

type Pairs = Vec<(String, String)>;

/// Parses the text of a `package.json` into an object.
pub(super) fn document(text: &str) -> Result<Value, ManifestError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if !json_size::has_at_most(text, MOST_VALUES) {
        return Err(ManifestError::TooManyValues { limit: MOST_VALUES });
    }
    match serde_json::from_str(text).or_else(|_| serde_json::from_str(&without_lone(text))) {
        Ok(value @ Value::Object(_)) => Ok(value),
        Ok(other) => Err(ManifestError::NotAnObject { found: kind(&other) }),
        Err(error) => Err(syntax_error(text, &error)),
    }
}

fn syntax_error(text: &str, error: &serde_json::Error) -> ManifestError {
    let marker = |line: &str| line.starts_with("<<<<<<<") || line.starts_with(">>>>>>>");
    if let Some(index) = text.lines().position(marker) {
        return ManifestError::MergeConflict { line: index + 1 };
    }
    let message = error.to_string();
    let reason = message.split_once(" at line ").map_or(message.as_str(), |(reason, _)| reason);
    ManifestError::Syntax {
        line: error.line(),
        column: error.column(),
        reason: if text.trim().is_empty() {
            "the file is empty".to_owned()
        } else {
            reason.to_owned()
        },
    }
}

/// Normalises a parsed manifest.
pub(super) fn manifest(raw: Value) -> Result<Manifest, ManifestError> {
    let Value::Object(map) = &raw else {
        return Err(ManifestError::NotAnObject { found: kind(&raw) });
    };
    let declared = dependencies(map, Section::Dependencies)?;
    let optional_dependencies = dependencies(map, Section::Optional)?;
    let bundle_dependencies = bundled(map, &declared);
    let is_optional = |name: &str| optional_dependencies.iter().any(|(other, _)| other == name);
    let dependencies_only = declared.into_iter().filter(|(name, _)| !is_optional(name)).collect();
    let scripts = string_pairs(map.get("scripts"));
    let allow_scripts = AllowScripts::read(map.get("allowScripts"));
    let name = text(map, "name").filter(|name| !name.is_empty());
    let bin = bin::normalise(name.as_deref(), map.get("bin"));
    Ok(Manifest {
        dependencies: dependencies_only,
        dev_dependencies: dependencies(map, Section::Dev)?,
        optional_dependencies,
        peer_dependencies: dependencies(map, Section::Peer)?,
        peer_meta: peer_meta(map),
        bundle_dependencies,
        overrides: filled_object(map.get("overrides")),
        engines: string_pairs(map.get("engines")),
        os: strings(map.get("os")),
        cpu: strings(map.get("cpu")),
        libc: strings(map.get("libc")),
        directories_bin: directories_bin(map),
        has_install_script: has_install_script(map, &scripts),
        allow_scripts: allow_scripts.rules,
        allow_scripts_ignored: allow_scripts.ignored,
        workspaces: map.get("workspaces").filter(|value| truthy(value)).cloned(),
        package_manager: text(map, "packageManager"),
        dev_engines: map.get("devEngines").cloned(),
        license: license(map),
        funding: funding(map),
        private: map.get("private").is_some_and(truthy),
        module_type: text(map, "type"),
        version: text(map, "version"),
        name,
        bin,
        scripts,
        manager_settings: Map::new(),
        raw,
    })
}

/// Returns the patterns of a `workspaces` value.
pub(super) fn workspace_patterns(value: Option<&Value>) -> Result<Vec<String>, ManifestError> {
    let Some(value) = value else {
        return Ok(Vec::new());
    };
    match value.get("packages").unwrap_or(value) {
        Value::Array(patterns) => patterns
            .iter()
            .map(|pattern| match pattern {
                Value::String(text) => Ok(text.clone()),
                other => Err(ManifestError::Workspaces { found: kind(other) }),
            })
            .collect(),
        other => Err(ManifestError::Workspaces { found: kind(other) }),
    }
}

fn dependencies(map: &Map<String, Value>, section: Section) -> Result<Pairs, ManifestError> {
    let Some(Value::Object(entries)) = map.get(section.key()) else {
        return Ok(Vec::new());
    };
    let mut pairs = Pairs::with_capacity(entries.len());
    for (name, spec) in entries {
        let Value::String(spec) = spec else {
            return Err(ManifestError::DependencyNotText {
                section: section.key(),
                name: name.clone(),
                found: kind(spec),
            });
        };
        pairs.push((name.clone(), spec.clone()));
    }
    script_key_order(&mut pairs);
    Ok(pairs)
}

/// Checks that the dependency sections are objects, or say nothing.
pub(super) fn check_sections(raw: &Value) -> Result<(), ManifestError> {
    for section in Section::ALL {
        let found = raw.get(section.key()).filter(|found| !found.is_object());
        if let Some(found) = found.filter(|found| !says_nothing(found)) {
            let found = kind(found);
            return Err(ManifestError::SectionNotObject { section: section.key(), found });
        }
    }
    Ok(())
}

/// Returns whether a value in an object's place means that there is none.
fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::Bool(true) | Value::Object(_) => false,
    }
}

fn peer_meta(map: &Map<String, Value>) -> Vec<(String, bool)> {
    let Some(Value::Object(entries)) = map.get("peerDependenciesMeta") else {
        return Vec::new();
    };
    entries
        .iter()
        .map(|(name, meta)| (name.clone(), meta.get("optional").is_some_and(truthy)))
        .collect()
}

fn bundled(map: &Map<String, Value>, dependencies: &Pairs) -> Vec<String> {
    let value = map.get("bundleDependencies").or_else(|| map.get("bundledDependencies"));
    match value {
        Some(Value::Bool(true)) => dependencies.iter().map(|(name, _)| name.clone()).collect(),
        Some(Value::Object(names)) => names.keys().cloned().collect(),
        Some(Value::Array(_)) => strings(value),
        _ => Vec::new(),
    }
}

fn has_install_script(map: &Map<String, Value>, scripts: &Pairs) -> bool {
    let runs = |(name, command): &(String, String)| {
        matches!(name.as_str(), "preinstall" | "install" | "postinstall") && !command.is_empty()
    };
    map.get("hasInstallScript").is_some_and(truthy) || scripts.iter().any(runs)
}

fn directories_bin(map: &Map<String, Value>) -> Option<String> {
    let folder = map.get("directories")?.get("bin")?.as_str()?;
    // The package's own folder has an empty path.
    (!folder.is_empty()).then(|| bin::clean_path(folder))
}

fn license(map: &Map<String, Value>) -> Option<String> {
    let license = map.get("license")?;
    let license = license.get("type").unwrap_or(license).as_str()?;
    Some(license.to_owned()).filter(|license| !license.is_empty())
}

fn funding(map: &Map<String, Value>) -> Option<Value> {
    match map.get("funding")? {
        Value::String(url) if !url.is_empty() => Some(serde_json::json!({ "url": url })),
        Value::Array(list) if list.is_empty() => None,
        value @ Value::Array(_) => Some(value.clone()),
        value => filled_object(Some(value)),
    }
}

fn filled_object(value: Option<&Value>) -> Option<Value> {
    let object = value?.as_object()?;
    (!object.is_empty()).then(|| Value::Object(object.clone()))
}

fn string_pairs(value: Option<&Value>) -> Pairs {
    let Some(Value::Object(entries)) = value else {
        return Vec::new();
    };
    entries
        .iter()
        .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
        .collect()
}

fn strings(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::String(one)) if !one.is_empty() => vec![one.clone()],
        Some(Value::Array(list)) => {
            list.iter().filter_map(Value::as_str).map(str::to_owned).collect()
        }
        _ => Vec::new(),
    }
}

fn text(map: &Map<String, Value>, key: &str) -> Option<String> {
    map.get(key).and_then(Value::as_str).map(str::to_owned)
}

fn truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(value) => *value,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(_) | Value::Object(_) => true,
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

//! What other package managers read in a `package.json` and dx does not carry out: pins of
//! versions, which must not be passed over, and fields that change convenience only.

use dx_pkg_core::{PackageName, Range, Spec};
use serde_json::{Map, Value};

use super::Manifest;
use crate::known::{Effect, Known, PACKAGE_JSON, Treatment};

mod misspelt;
#[cfg(test)]
mod tests;

/// A pin of a version that another package manager obeys, and `overrides` does not repeat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForeignPin {
    /// The field that has it, such as `pnpm.overrides`.
    pub field: &'static str,
    /// Its key as written.
    pub key: String,
    /// The same as keys of nested `overrides` with their value; `None` where npm has no words.
    rule: Option<(Vec<String>, String)>,
}

/// The writing of the keys of pins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PinStyle {
    /// `a`, `b/a`, `**/a`, `a@npm:^1`: yarn's `resolutions`.
    Yarn,
    /// `a`, `b>a`, `b@1>a@^2`: pnpm's `overrides`.
    Pnpm,
}

/// Fields that are not carried out, gathered for one sentence.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ForeignFields {
    named: Vec<(Effect, String)>,
    /// Names that look like misspelt ones, with those that are meant.
    misspelt: Vec<String>,
    /// Whether the project is pnpm's.
    is_pnpm: bool,
}

impl ForeignFields {
    /// Adds the fields of the project's own manifest.
    pub fn add_project(&mut self, manifest: &Manifest) {
        let Value::Object(map) = &manifest.raw else { return };
        self.add_fields(map, "");
        if let Some(Value::Object(workspaces)) = map.get("workspaces") {
            for (key, value) in workspaces {
                self.add_if_filled(
                    effect_inside("workspaces", key),
                    value,
                    inside("workspaces", key),
                );
            }
        }
        self.is_pnpm |= manifest.package_manager.as_ref().is_some_and(|it| it.starts_with("pnpm@"));
        if let Some(Value::Object(pnpm)) = map.get("pnpm") {
            for (key, value) in pnpm {
                self.add_if_filled(effect_in_pnpm(key), value, format!("pnpm.{key}"));
            }
        }
    }

    /// Adds the fields of the manifest of the workspace in `folder`.
    pub fn add_workspace(&mut self, folder: &str, manifest: &Manifest) {
        let Value::Object(map) = &manifest.raw else { return };
        self.add_fields(map, folder);
        for (key, value) in map {
            if Known::find(PACKAGE_JSON, key).is_some_and(|row| row.in_root_only) {
                self.add_if_filled(Some(Effect::ProjectOnly), value, named(folder, key));
            }
        }
        // pnpm links to the folder that is published; npm knows neither of the two fields.
        if let Some(Value::Object(config)) = map.get("publishConfig")
            && let Some(directory) = config.get("directory")
            && config.get("linkDirectory") != Some(&Value::Bool(false))
        {
            let (effect, field) =
                (effect_inside("publishConfig", "directory"), inside("publishConfig", "directory"));
            if self.is_pnpm {
                self.add_if_filled(effect, directory, named(folder, &field));
            }
        }
    }

    /// Adds a setting of a `pnpm-workspace.yaml`; `is_other_value` tells whether dx reads it and
    /// has no such value.
    pub fn add_pnpm_setting(&mut self, key: &str, is_other_value: bool) {
        self.is_pnpm = true;
        let effect = effect_in_pnpm(key).or(is_other_value.then_some(Effect::Layout));
        self.named.extend(effect.map(|effect| (effect, format!("{key} in pnpm-workspace.yaml"))));
    }

    /// Adds something else, in words.
    pub fn add_other(&mut self, what: String) {
        self.named.push((Effect::Other, what));
    }

    fn add_fields(&mut self, map: &Map<String, Value>, folder: &str) {
        for (key, value) in map {
            match Known::find(PACKAGE_JSON, key) {
                Some(row) => self.add_if_filled(effect(row), value, named(folder, key)),
                None => self.misspelt.extend(misspelt::meant(key, value).map(|meant| {
                    format!("{} (did you mean {meant:?}?)", named(folder, &format!("{key:?}")))
                })),
            }
        }
        if let Some(Value::Object(meta)) = map.get("dependenciesMeta") {
            let keys = meta.values().filter_map(Value::as_object).flatten();
            for (key, value) in keys {
                let field = named(folder, &inside("dependenciesMeta", key));
                if !self.named.iter().any(|(_, named)| *named == field) {
                    self.add_if_filled(effect_inside("dependenciesMeta", key), value, field);
                }
            }
        }
    }

    fn add_if_filled(&mut self, effect: Option<Effect>, value: &Value, field: String) {
        if let Some(effect) = effect.filter(|_| is_filled(value)) {
            self.named.push((effect, field));
        }
    }

    /// Returns the sentence about names that look misspelt; `None` where there is none.
    #[must_use]
    pub fn misspelt_in_words(&self) -> Option<String> {
        let names = self.misspelt.join(", ");
        (!names.is_empty()).then(|| format!("package.json: nothing reads {names}"))
    }

    /// Returns the sentence about all of them; `None` where there is none.
    #[must_use]
    pub fn in_words(&self) -> Option<String> {
        let groups = Effect::ALL.into_iter().filter_map(|effect| {
            let named = self.named.iter().filter(|(of, _)| *of == effect);
            let fields: Vec<&str> = named.map(|(_, field)| field.as_str()).collect();
            let consequence = Some(effect.in_words()).filter(|words| !words.is_empty());
            let consequence = consequence.map_or_else(String::new, |words| format!(" ({words})"));
            (!fields.is_empty()).then(|| format!("{}{consequence}", fields.join(", ")))
        });
        let groups: Vec<String> = groups.collect();
        (!groups.is_empty()).then(|| format!("dx does not carry out {}", groups.join("; ")))
    }
}

/// Returns the consequence of a field that dx does not carry out and passes over.
fn effect(row: &Known) -> Option<Effect> {
    match row.treatment {
        Treatment::Named(effect) => Some(effect),
        Treatment::Read | Treatment::Refused(_) | Treatment::Idle => None,
    }
}

/// Returns the same of a field inside another.
fn effect_inside(field: &str, key: &str) -> Option<Effect> {
    Known::find(PACKAGE_JSON, &inside(field, key)).and_then(effect)
}

fn inside(field: &str, key: &str) -> String {
    format!("{field}.{key}")
}

/// Returns the same of a setting of pnpm's; one that nobody knows might matter.
fn effect_in_pnpm(key: &str) -> Option<Effect> {
    Known::of_pnpm(key).map_or(Some(Effect::Other), effect)
}

/// Returns the name of a field of the manifest in `folder`; the project's is empty.
fn named(folder: &str, key: &str) -> String {
    if folder.is_empty() { key.to_owned() } else { format!("{key} in {folder}/package.json") }
}

/// Returns whether a value says anything.
pub(super) fn is_filled(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::Array(list) => !list.is_empty(),
        Value::Object(map) => !map.is_empty(),
        Value::String(text) => !text.is_empty(),
        _ => true,
    }
}

impl ForeignPin {
    /// Reads a pin; a value that is no text has no translation.
    #[must_use]
    pub fn new(field: &'static str, key: &str, value: Option<&str>, style: PinStyle) -> Self {
        let path = match style {
            PinStyle::Yarn => yarn_path(key),
            PinStyle::Pnpm => pnpm_path(key),
        };
        let rule = path.zip(value.and_then(override_value));
        ForeignPin { field, key: key.to_owned(), rule }
    }

    /// Returns the `overrides` that say the same as `pins`, as JSON, and the keys of those that npm
    /// has no words for.
    #[must_use]
    pub fn as_overrides(pins: &[ForeignPin]) -> (Option<String>, Vec<&str>) {
        let mut overrides = Map::new();
        let mut others = Vec::new();
        for pin in pins {
            match &pin.rule {
                Some((path, value)) => insert(&mut overrides, path, value),
                None => others.push(pin.key.as_str()),
            }
        }
        let json = (!overrides.is_empty()).then(|| Value::Object(overrides).to_string());
        (json, others)
    }
}

/// Puts a rule into nested overrides.
fn insert(overrides: &mut Map<String, Value>, path: &[String], value: &str) {
    let Some((key, below)) = path.split_first() else { return };
    let place = overrides.entry(key.clone()).or_insert_with(|| Value::Object(Map::new()));
    if let Value::String(own) = place {
        if below.is_empty() {
            return;
        }
        *place = serde_json::json!({ ".": own.clone() });
    }
    let Value::Object(inner) = place else { return };
    if !below.is_empty() {
        insert(inner, below, value);
    } else if inner.is_empty() {
        *place = Value::String(value.to_owned());
    } else {
        inner.insert(".".to_owned(), Value::String(value.to_owned()));
    }
}

/// Returns the packages of a key of yarn's from the outermost in: `**/b/a` is `a` below `b`.
fn yarn_path(key: &str) -> Option<Vec<String>> {
    let mut path = Vec::new();
    let mut parts = key.split('/');
    while let Some(part) = parts.next() {
        match part {
            "**" | "*" => {}
            scope if scope.starts_with('@') => {
                path.push(selector(&format!("{scope}/{}", parts.next()?))?);
            }
            name => path.push(selector(name)?),
        }
    }
    (!path.is_empty() && !key.ends_with('*')).then_some(path)
}

/// Returns the packages of a key of pnpm's from the outermost in: `b>a` is `a` below `b`. A `>`
/// after `@`, `|` or a space belongs to a range.
fn pnpm_path(key: &str) -> Option<Vec<String>> {
    let mut path = Vec::new();
    let (mut start, mut before) = (0, '@');
    for (at, character) in key.char_indices() {
        if character == '>' && !matches!(before, ' ' | '|' | '@') {
            path.push(selector(&key[start..at])?);
            start = at + 1;
        }
        before = character;
    }
    path.push(selector(&key[start..])?);
    Some(path)
}

/// Returns a package with its range, if it has one, as npm writes both; `None` where npm cannot.
fn selector(text: &str) -> Option<String> {
    let text = text.trim();
    let at = text.char_indices().skip(1).find(|(_, character)| *character == '@');
    let Some((at, _)) = at else {
        return PackageName::parse(text).ok().map(|_| text.to_owned());
    };
    let (name, range) = (&text[..at], &text[at + 1..]);
    let range = range.strip_prefix("npm:").unwrap_or(range);
    let is_range = PackageName::parse(name).is_ok() && Range::parse(range).is_ok();
    is_range.then(|| format!("{name}@{range}"))
}

/// Returns the value of a pin as npm writes it; `None` where npm cannot.
fn override_value(value: &str) -> Option<String> {
    let value = value.trim();
    for folder in ["link:", "portal:"] {
        if let Some(path) = value.strip_prefix(folder) {
            return Some(format!("file:{path}"));
        }
    }
    if value == "-" {
        return None;
    }
    if value.starts_with('$') {
        return Some(value.to_owned());
    }
    let plain = value.strip_prefix("npm:").filter(|range| Range::parse(range).is_ok());
    let value = plain.unwrap_or(value);
    let is_known = Spec::parse(value).is_ok_and(|spec| !matches!(spec, Spec::Workspace(_)));
    is_known.then(|| value.to_owned())
}

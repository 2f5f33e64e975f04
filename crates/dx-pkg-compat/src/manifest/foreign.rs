//! What other package managers read in a `package.json` and dx does not carry out: pins of
//! versions, which must not be passed over, and fields that change convenience only.

use dx_pkg_core::{PackageName, Range, Spec};
use serde_json::{Map, Value};

use super::{Manifest, Section};

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

/// The consequence of a field that is not carried out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Effect {
    Scripts,
    Patches,
    Manifests,
    Catalogs,
    Layout,
    ProjectOnly,
    Other,
}

impl Effect {
    const ALL: [Self; 7] = [
        Self::Scripts,
        Self::Patches,
        Self::Manifests,
        Self::Catalogs,
        Self::Layout,
        Self::ProjectOnly,
        Self::Other,
    ];

    fn in_words(self) -> &'static str {
        match self {
            Self::Scripts => "name the packages in allowScripts instead",
            Self::Patches => "packages are installed unpatched",
            Self::Manifests => "packages are taken as published",
            Self::Catalogs => "write a version instead of each catalog: requirement",
            Self::Layout => "node_modules is laid out as npm does",
            Self::ProjectOnly => "it counts in the project's own package.json only",
            Self::Other => "",
        }
    }
}

/// The fields at the top of a manifest.
const FIELDS: [(&str, Effect); 8] = [
    ("trustedDependencies", Effect::Scripts),
    ("catalog", Effect::Catalogs),
    ("catalogs", Effect::Catalogs),
    ("dependenciesMeta", Effect::Layout),
    ("installConfig", Effect::Layout),
    ("preferUnplugged", Effect::Layout),
    ("flat", Effect::Layout),
    ("ignoredOptionalDependencies", Effect::Other),
];
/// The fields in `workspaces`, beside `packages`.
const IN_WORKSPACES: [(&str, Effect); 3] =
    [("catalog", Effect::Catalogs), ("catalogs", Effect::Catalogs), ("nohoist", Effect::Layout)];
/// The fields that a workspace's manifest may have, but that count in the project's only.
const PROJECT_ONLY: [&str; 5] =
    ["overrides", "resolutions", "allowScripts", "pnpm", "packageExtensions"];

/// Returns the effect of a setting of pnpm's, which stands in `pnpm` or in `pnpm-workspace.yaml`;
/// `None` for one that does not concern an install.
fn effect_in_pnpm(key: &str) -> Option<Effect> {
    Some(match key {
        "overrides" | "updateConfig" | "auditConfig" | "requiredScripts" | "app" => return None,
        "onlyBuiltDependencies"
        | "onlyBuiltDependenciesFile"
        | "neverBuiltDependencies"
        | "ignoredBuiltDependencies"
        | "allowBuilds"
        | "dangerouslyAllowAllBuilds" => Effect::Scripts,
        "patchedDependencies" | "allowUnusedPatches" | "allowNonAppliedPatches" => Effect::Patches,
        "packageExtensions" => Effect::Manifests,
        "catalog" | "catalogs" => Effect::Catalogs,
        _ => Effect::Other,
    })
}

/// Fields that are not carried out, gathered for one sentence.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ForeignFields {
    named: Vec<(Effect, String)>,
}

impl ForeignFields {
    /// Adds the fields of the project's own manifest.
    pub fn add_project(&mut self, manifest: &Manifest) {
        let Value::Object(map) = &manifest.raw else { return };
        self.add_fields(map, "");
        if let Some(Value::Object(workspaces)) = map.get("workspaces") {
            for (key, effect) in IN_WORKSPACES {
                self.add_if_filled(effect, workspaces.get(key), format!("workspaces.{key}"));
            }
        }
        if let Some(Value::Object(pnpm)) = map.get("pnpm") {
            for (key, value) in pnpm {
                if let Some(effect) = effect_in_pnpm(key)
                    && !super::pnpm::is_carried_out(manifest, key)
                {
                    self.add_if_filled(effect, Some(value), format!("pnpm.{key}"));
                }
            }
        }
        // Whoever has decided on each package's scripts needs no other list.
        let decided = |name: &str| manifest.allow_scripts.iter().any(|(key, _)| key == name);
        let is_decided = |list: &Value| {
            list.as_array()
                .is_some_and(|names| names.iter().all(|name| name.as_str().is_some_and(decided)))
        };
        let pnpm = map.get("pnpm");
        self.named.retain(|(effect, field)| {
            let value = match field.strip_prefix("pnpm.") {
                Some(key) => pnpm.and_then(|pnpm| pnpm.get(key)),
                None => map.get(field.as_str()),
            };
            *effect != Effect::Scripts || !value.is_some_and(is_decided)
        });
    }

    /// Adds the fields of the manifest of the workspace in `folder`.
    pub fn add_workspace(&mut self, folder: &str, manifest: &Manifest) {
        let Value::Object(map) = &manifest.raw else { return };
        self.add_fields(map, folder);
        for key in PROJECT_ONLY {
            let field = named(folder, key);
            self.add_if_filled(Effect::ProjectOnly, map.get(key), field);
        }
    }

    /// Adds the keys of a `pnpm-workspace.yaml`; `has_workspaces` tells whether the manifest names
    /// workspaces itself.
    pub fn add_pnpm_workspace(&mut self, keys: &[String], has_workspaces: bool) {
        for key in keys {
            let field = format!("{key} in pnpm-workspace.yaml");
            match effect_in_pnpm(key) {
                Some(_) if key == "packages" && has_workspaces => {}
                Some(_) if key == "packages" => {
                    let field = format!("{field}, to be written as workspaces in package.json");
                    self.named.push((Effect::Other, field));
                }
                Some(effect) => self.named.push((effect, field)),
                None => {}
            }
        }
    }

    fn add_fields(&mut self, map: &Map<String, Value>, folder: &str) {
        for (key, effect) in FIELDS {
            self.add_if_filled(effect, map.get(key), named(folder, key));
        }
    }

    fn add_if_filled(&mut self, effect: Effect, value: Option<&Value>, field: String) {
        if value.is_some_and(is_filled) {
            self.named.push((effect, field));
        }
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

impl Manifest {
    /// Returns the pins in `resolutions` and `pnpm.overrides` that `overrides` does not repeat.
    #[must_use]
    pub fn foreign_pins(&self) -> Vec<ForeignPin> {
        let pnpm = self.raw.get("pnpm").and_then(|pnpm| pnpm.get("overrides"));
        let fields = [
            ("resolutions", self.raw.get("resolutions"), PinStyle::Yarn),
            ("pnpm.overrides", pnpm, PinStyle::Pnpm),
        ];
        let mut pins = Vec::new();
        for (field, value, style) in fields {
            match value {
                Some(Value::Object(entries)) => pins.extend(
                    entries
                        .iter()
                        .map(|(key, value)| ForeignPin::new(field, key, value.as_str(), style)),
                ),
                Some(other) if is_filled(other) => {
                    pins.push(ForeignPin { field, key: "*".to_owned(), rule: None });
                }
                _ => {}
            }
        }
        self.without_repeated(pins)
    }

    /// Returns the pins that `overrides` does not repeat.
    #[must_use]
    pub fn without_repeated(&self, mut pins: Vec<ForeignPin>) -> Vec<ForeignPin> {
        pins.retain(|pin| !pin.is_repeated(self));
        pins
    }

    /// Returns the requirement of the project itself for a name.
    fn requirement(&self, name: &str) -> Option<&str> {
        let sections = [Section::Dependencies, Section::Dev, Section::Optional, Section::Peer];
        let mut entries = sections.into_iter().flat_map(|section| self.section(section));
        entries.find(|(other, _)| other == name).map(|(_, spec)| spec.as_str())
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

    fn is_repeated(&self, manifest: &Manifest) -> bool {
        let Some((path, value)) = &self.rule else { return false };
        let same = |written: &str| {
            let followed = written.strip_prefix('$').and_then(|name| manifest.requirement(name));
            written == value || followed == Some(value)
        };
        let mut place = manifest.overrides.as_ref();
        for key in path {
            place = place.and_then(|place| place.get(key));
        }
        place.and_then(|place| place.get(".").unwrap_or(place).as_str()).is_some_and(same)
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

//! The comparison of a version's manifest with the `package.json` in its tarball. Installers decide
//! by the manifest, people and scanners read the tarball: what differs is manifest confusion.
//!
//! Both are brought to the form in which npm publishes first, as npm rewrites some fields on the
//! way. Fields that only describe (`repository`, `author`, …) are rewritten too, and not compared.

use super::{Contents, GYP, runs_gyp};
use dx_pkg_core::{Spec, Version};
use serde_json::{Map, Value, json};

/// The fields that an installation or a program depends on: they must be equal.
const DECISIVE: [&str; 12] = [
    "dependencies",
    "optionalDependencies",
    "peerDependencies",
    "peerDependenciesMeta",
    "bundleDependencies",
    "bin",
    "scripts",
    "engines",
    "os",
    "cpu",
    "libc",
    "devDependencies",
];
/// The fields that must be equal where both have them.
const OTHERS: [&str; 9] =
    ["main", "module", "browser", "exports", "imports", "type", "license", "private", "types"];

/// Returns where the manifest of a version and the `package.json` of its tarball differ.
pub(crate) fn differences(
    manifest: &Value,
    package_json: &Value,
    contents: &Contents,
) -> Vec<String> {
    let (Some(manifest), Some(own)) = (manifest.as_object(), package_json.as_object()) else {
        return vec!["the manifest or the package.json is not an object".to_owned()];
    };
    let mut found = Vec::new();
    if manifest.get("name") != own.get("name") {
        found.push(sentence("name", manifest.get("name"), own.get("name")));
    }
    if version(manifest) != version(own) {
        found.push(sentence("version", manifest.get("version"), own.get("version")));
    }
    let (of_manifest, of_own) = (normal(manifest, contents), normal(own, contents));
    for field in DECISIVE {
        let (left, right) = (of_manifest.get(field), of_own.get(field));
        if left != right && !(field == "bin" && is_listed_folder(own, left, contents)) {
            found.push(sentence(field, left, right));
        }
    }
    for field in OTHERS {
        if let (Some(left), Some(right)) = (manifest.get(field), own.get(field))
            && left != right
        {
            found.push(sentence(field, Some(left), Some(right)));
        }
    }
    found
}

fn sentence(field: &str, manifest: Option<&Value>, own: Option<&Value>) -> String {
    let text = |value: Option<&Value>| match value {
        Some(value) => {
            let text = value.to_string();
            let short: String = text.chars().take(120).collect();
            if short.len() < text.len() { format!("{short}…") } else { short }
        }
        None => "nothing".to_owned(),
    };
    let (manifest, own) = (text(manifest), text(own));
    format!("{field} is {manifest} in the manifest and {own} in the tarball's package.json")
}

fn version(manifest: &Map<String, Value>) -> Option<String> {
    let text = manifest.get("version")?.as_str()?.trim();
    Some(Version::parse_loose(text).map_or_else(|_| text.to_owned(), |version| version.to_string()))
}

/// Returns the decisive fields in the form in which npm publishes them; empty ones are left out.
fn normal(manifest: &Map<String, Value>, contents: &Contents) -> Map<String, Value> {
    let manifest = &with_objects(manifest);
    let mut fields = Map::new();
    for field in DECISIVE {
        if let Some(value) = manifest.get(field) {
            fields.insert(field.to_owned(), value.clone());
        }
    }
    if let Some(optional) = manifest.get("optionalDependencies").and_then(Value::as_object)
        && let Some(Value::Object(dependencies)) = fields.get_mut("dependencies")
    {
        dependencies.retain(|name, _| !optional.contains_key(name));
    }
    fields.insert("bundleDependencies".to_owned(), json!(bundled(manifest)));
    let bin = bins(manifest);
    fields.insert("bin".to_owned(), bin);
    let scripts = scripts(manifest, contents);
    fields.insert("scripts".to_owned(), scripts);
    for field in ["os", "cpu", "libc"] {
        if let Some(Value::String(one)) = fields.get(field) {
            let list = json!([one]);
            fields.insert(field.to_owned(), list);
        }
    }
    fields.retain(|_, value| !is_empty(value));
    fields
}

/// Returns the names of bundled packages, ascending.
fn bundled(manifest: &Map<String, Value>) -> Vec<String> {
    let keys = |map: &Map<String, Value>| map.keys().cloned().collect();
    let bundled = manifest.get("bundleDependencies").or(manifest.get("bundledDependencies"));
    let mut names: Vec<String> = match bundled {
        Some(Value::Bool(true)) => {
            manifest.get("dependencies").and_then(Value::as_object).map(keys).unwrap_or_default()
        }
        Some(Value::Object(map)) => keys(map),
        Some(Value::Array(list)) => {
            let names = list.iter().filter_map(Value::as_str).filter(|name| !name.is_empty());
            names.map(str::to_owned).collect()
        }
        _ => Vec::new(),
    };
    names.sort_unstable();
    names
}

/// Returns a manifest whose dependencies are objects of texts, with all bundled packages among
/// them, as npm writes them (`normalize.js` and `normalize-data.js` of `@npmcli/package-json`).
fn with_objects(manifest: &Map<String, Value>) -> Map<String, Value> {
    let mut manifest = manifest.clone();
    for field in ["dependencies", "devDependencies", "optionalDependencies"] {
        let Some(value) = manifest.get_mut(field) else {
            continue;
        };
        let specs: Vec<&str> = match value {
            Value::String(text) => {
                text.split([' ', '\t', '\r', '\n', ',']).filter(|spec| !spec.is_empty()).collect()
            }
            Value::Array(list) => list.iter().filter_map(Value::as_str).collect(),
            Value::Object(map) => {
                map.retain(|_, spec| spec.is_string());
                for spec in map.values_mut() {
                    *spec = Value::String(repository(spec.as_str().unwrap_or_default()));
                }
                continue;
            }
            _ => Vec::new(),
        };
        *value = Value::Object(specs.into_iter().map(named).collect());
    }
    let bundled = bundled(&manifest);
    if !bundled.is_empty() {
        let dependencies = manifest.entry("dependencies").or_insert_with(|| json!({}));
        if let Some(dependencies) = dependencies.as_object_mut() {
            for name in bundled {
                dependencies.entry(name).or_insert_with(|| json!("*"));
            }
        }
    }
    manifest
}

/// Splits `name@range`, `name range` or `name>=1`.
fn named(spec: &str) -> (String, Value) {
    let spec = spec.trim();
    let end = spec.find(|c: char| c == '@' || c.is_whitespace() || matches!(c, '>' | '<' | '='));
    let (name, range) = spec.split_at(end.unwrap_or(spec.len()));
    let range = range.strip_prefix('@').unwrap_or(range).trim();
    (name.strip_suffix(':').unwrap_or(name).to_owned(), Value::String(repository(range)))
}

/// Returns a spec as npm writes it: that of a repository on a hosting site in its usual form.
fn repository(spec: &str) -> String {
    match Spec::parse(spec) {
        Ok(Spec::Git(git)) if git.hosted.is_some() => git.to_string(),
        _ => spec.to_owned(),
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
        _ => false,
    }
}

/// Returns `bin` as an object of plain names and paths.
fn bins(manifest: &Map<String, Value>) -> Value {
    let bare = |name: &str| name.rsplit('/').next().unwrap_or_default().to_owned();
    let mut bins = Map::new();
    let mut add = |name: &str, path: &str| {
        let (name, path) = (bare(name), plain(path));
        if !name.is_empty() && !path.is_empty() {
            bins.insert(name, Value::String(path));
        }
    };
    let own = manifest.get("name").and_then(Value::as_str).unwrap_or_default();
    match manifest.get("bin") {
        Some(Value::String(path)) => add(own, path),
        Some(Value::Array(paths)) => {
            for path in paths.iter().filter_map(Value::as_str) {
                add(path, path);
            }
        }
        Some(Value::Object(map)) => {
            for (name, path) in map {
                add(name, path.as_str().unwrap_or_default());
            }
        }
        _ => {}
    }
    // The order of commands means nothing.
    let ordered: std::collections::BTreeMap<String, Value> = bins.into_iter().collect();
    json!(ordered)
}

/// Returns a path without what `path.join('/', …)` removes.
fn plain(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split(['/', '\\']) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// Whether `bin` of the manifest lists the files of the tarball's `directories.bin`, as npm does.
/// Not asked of the files where only some of the contents are known.
fn is_listed_folder(own: &Map<String, Value>, bin: Option<&Value>, contents: &Contents) -> bool {
    let folder = own.get("directories").and_then(|folders| folders.get("bin")?.as_str()).map(plain);
    let (Some(folder), Some(bin)) = (folder, bin.and_then(Value::as_object)) else {
        return false;
    };
    !own.contains_key("bin")
        && bin.values().filter_map(Value::as_str).all(|path| {
            let is_there = contents.files.is_empty() || contents.files.contains_key(path);
            path.starts_with(&format!("{folder}/")) && is_there
        })
}

/// Returns the scripts as npm publishes them.
fn scripts(manifest: &Map<String, Value>, contents: &Contents) -> Value {
    let mut scripts = Map::new();
    for (name, text) in manifest.get("scripts").and_then(Value::as_object).into_iter().flatten() {
        if let Some(text) = text.as_str() {
            let text = ["./node_modules/.bin/", "node_modules/.bin/"]
                .iter()
                .find_map(|prefix| text.strip_prefix(prefix))
                .unwrap_or(text);
            scripts.insert(name.clone(), Value::String(text.to_owned()));
        }
    }
    if runs_gyp(contents, Some(&Value::Object(manifest.clone()))) {
        scripts.insert("install".to_owned(), Value::String(GYP.to_owned()));
    }
    Value::Object(scripts)
}

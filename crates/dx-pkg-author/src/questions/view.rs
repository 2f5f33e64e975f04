//! What a registry knows of a package, in the forms of `npm view`.

use std::path::Path;

use dx_pkg_acquire::files::{parse_manifest, read_text};
use dx_pkg_compat::npm_registry::Document;
use dx_pkg_core::{Range, Spec, Version};
use dx_pkg_install::{InstallError, Session};
use serde_json::{Map, Value, json};

use super::card::card;
use super::person::person;
use super::{QuestionError, document};
use crate::json_path;
use crate::node_text::{Shown, inspect};
use dx_pkg_os::files::normal_path;

/// How much of a field is shown.
const SHOWN: Shown = Shown { depth: 5, items: usize::MAX };

/// Members by the names that they are shown under. One of an item of a list may not be there.
type Found = Vec<(String, Option<Value>)>;

/// What is known of the versions that were asked for.
#[derive(Debug)]
pub struct Viewed {
    name: String,
    packument: Map<String, Value>,
    /// The members of the versions that match, the packument's among them.
    versions: Vec<Map<String, Value>>,
    fields: Vec<String>,
}

/// Asks for a package: its name, or its name with a version, range or tag, or a folder.
/// `fields` are paths of what is wanted of it; everything where there is none.
///
/// # Errors
/// No such package or version, or the registry does not answer.
pub fn view(session: &Session, spec: &str, fields: &[String]) -> Result<Viewed, QuestionError> {
    let argument = Spec::parse_argument(spec)
        .map_err(|_| QuestionError::NotOfRegistry { spec: spec.to_owned() })?;
    let tag = session.config().tag().map_err(dx_pkg_acquire::AcquireError::from)?;
    let raw = argument.raw.trim();
    let (name, found) = match (&argument.name, &argument.spec) {
        (_, Spec::Directory(path)) => {
            let (name, packument) =
                of_folder(&normal_path(&session.environment.folder.join(&**path)))?;
            return viewed(name, packument, &tag, fields);
        }
        (_, Spec::Alias { name, .. }) => (name.clone(), document(session, name)?),
        (Some(name), spec) if spec.is_registry() => (name.clone(), document(session, name)?),
        _ => return Err(QuestionError::NotOfRegistry { spec: spec.to_owned() }),
    };
    let wanted = if raw.is_empty() || raw == "*" { tag.as_str() } else { raw };
    let Document { json, length } = found;
    let Value::Object(mut packument) = json else {
        return Err(QuestionError::NotOfRegistry { spec: spec.to_owned() });
    };
    packument.insert("_contentLength".to_owned(), length.into());
    viewed(name.to_string(), packument, wanted, fields)
}

/// Asks for the package of the project in `folder`, as `npm view .` does; `suffix` is what stands
/// behind the dot.
///
/// # Errors
/// As [`view`], and a project without a name.
pub fn name_of_project(folder: &Path) -> Result<String, QuestionError> {
    let path = folder.join("package.json");
    let Some(text) = read_text(&path)? else {
        return Err(InstallError::NoManifest { folder: folder.to_owned() }.into());
    };
    let name = parse_manifest(&path, &text)?.name.filter(|name| !name.is_empty());
    name.ok_or(QuestionError::NoName)
}

/// Returns a packument of the package in a folder.
fn of_folder(folder: &Path) -> Result<(String, Map<String, Value>), QuestionError> {
    let path = folder.join("package.json");
    let Some(text) = read_text(&path)? else {
        return Err(InstallError::NoManifest { folder: folder.to_owned() }.into());
    };
    parse_manifest(&path, &text)?;
    let manifest: Value = serde_json::from_str(&text).unwrap_or_default();
    let mut manifest = manifest;
    manifest["dist"] = json!({ "tarball": format!("file:{}", folder.display()) });
    let version = manifest["version"].as_str().unwrap_or_default().to_owned();
    let name = manifest["name"].as_str().unwrap_or_default().to_owned();
    let packument = json!({
        "name": name, "dist-tags": { "latest": version }, "versions": { &version: manifest },
    });
    match packument {
        Value::Object(packument) => Ok((name, packument)),
        _ => Err(QuestionError::NoName),
    }
}

/// Selects versions of a packument.
fn viewed(
    name: String,
    mut packument: Map<String, Value>,
    wanted: &str,
    fields: &[String],
) -> Result<Viewed, QuestionError> {
    if let Some(time) = packument.get("time").and_then(|time| time.get("unpublished")) {
        let time = time.get("time").and_then(Value::as_str).unwrap_or_default().to_owned();
        return Err(QuestionError::Unpublished { name, time });
    }
    let tagged = packument.get("dist-tags").and_then(|tags| tags.get(wanted)?.as_str());
    let wanted = tagged.unwrap_or(wanted).to_owned();
    let all = match packument.get_mut("versions").map(Value::take) {
        Some(Value::Object(versions)) => versions,
        _ => Map::new(),
    };
    let mut sorted: Vec<(Version, &String)> =
        all.keys().filter_map(|text| Some((Version::parse(text).ok()?, text))).collect();
    sorted.sort_by(|(a, _), (b, _)| a.cmp(b));
    let sorted: Vec<Value> = sorted.into_iter().map(|(_, text)| text.clone().into()).collect();
    let asks_readme = fields.iter().any(|field| field == "readme");
    packument.insert("versions".to_owned(), sorted.into());
    if !asks_readme {
        packument.shift_remove("readme");
    }
    let range = Range::parse(&wanted).ok();
    let matches = |text: &str| {
        let version = Version::parse_loose(text).ok();
        version.zip(range.as_ref()).is_some_and(|(version, range)| range.satisfies(&version))
    };
    let versions: Vec<Map<String, Value>> = all
        .into_iter()
        .filter(|(text, _)| matches(text))
        .filter_map(|(_, version)| match version {
            Value::Object(mut version) => {
                if asks_readme {
                    version.shift_remove("readme");
                }
                let mut both = packument.clone();
                both.extend(version);
                Some(both)
            }
            _ => None,
        })
        .collect();
    if versions.is_empty() && wanted != "latest" {
        return Err(QuestionError::NoVersion { name, version: wanted });
    }
    Ok(Viewed { name, packument, versions, fields: fields.to_vec() })
}

impl Viewed {
    /// Returns the overview of each version, or the fields in lines. `unicode` allows a symbol.
    ///
    /// # Errors
    /// A field that cannot be asked for.
    pub fn text(&self, unicode: bool) -> Result<String, QuestionError> {
        if self.fields.is_empty() {
            let cards = self.versions.iter().map(|all| card(&self.packument, all, unicode));
            return Ok(cards.collect::<Vec<_>>().join("\n"));
        }
        let found = self.found(true)?;
        let names_versions = found.len() > 1;
        let mut names_fields = false;
        let mut lines = Vec::new();
        for (version, fields) in found {
            names_fields |= fields.len() > 1;
            for (field, value) in fields {
                let shown = match value {
                    Some(Value::String(text)) if !names_versions && !names_fields => text,
                    Some(value) => inspect(&value, SHOWN),
                    None => "undefined".to_owned(),
                };
                let version = if names_versions {
                    format!("{}@{version} ", self.name)
                } else {
                    String::new()
                };
                let field = if names_fields { format!("{field} = ") } else { String::new() };
                lines.push(format!("{version}{field}{shown}"));
            }
        }
        Ok(lines.join("\n").trim().to_owned())
    }

    /// Returns whether [`Self::text`] is an overview.
    #[must_use]
    pub fn is_overview(&self) -> bool {
        self.fields.is_empty()
    }

    /// Returns the same as npm's JSON; `None` where there is nothing to print.
    ///
    /// # Errors
    /// A field that cannot be asked for.
    pub fn json(&self) -> Result<Option<Value>, QuestionError> {
        let found = if self.fields.is_empty() { self.whole() } else { self.found(false)? };
        let only = found.first().filter(|(_, fields)| fields.len() == 1);
        let only = only.and_then(|(_, fields)| Some(fields.first()?.0.clone()));
        let mut list: Vec<Value> = found
            .into_iter()
            .map(|(_, fields)| match &only {
                Some(only) => {
                    let field = fields.into_iter().find(|(key, _)| key == only);
                    field.and_then(|(_, value)| value).unwrap_or_default()
                }
                None => Value::Object(
                    fields.into_iter().filter_map(|(key, value)| Some((key, value?))).collect(),
                ),
            })
            .collect();
        Ok(match list.as_slice() {
            [] => None,
            [Value::Array(_)] => list.pop(),
            _ => Some(Value::Array(list)),
        })
    }

    /// Returns the name of the package.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns whether everything is shown, not single fields.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.fields.is_empty()
    }

    /// Returns all members of each version.
    fn whole(&self) -> Vec<(String, Found)> {
        let all = self
            .versions
            .iter()
            .map(|all| all.iter().map(|(key, value)| (key.clone(), Some(value.clone()))).collect());
        all.map(|members| (String::new(), cleaned(members))).collect()
    }

    /// Returns the fields of each version that has any of them.
    fn found(&self, unwraps: bool) -> Result<Vec<(String, Found)>, QuestionError> {
        let mut versions: Vec<(String, Found)> = Vec::new();
        for all in &self.versions {
            let whole = Value::Object(all.clone());
            let version = all.get("version").and_then(Value::as_str).unwrap_or_default();
            let mut fields: Found = Vec::new();
            for field in &self.fields {
                for (key, value) in members(&whole, field, unwraps)? {
                    match fields.iter_mut().find(|(other, _)| *other == key) {
                        Some((_, old)) => *old = value,
                        None => fields.push((key, value)),
                    }
                }
            }
            if !fields.is_empty() {
                versions.push((version.to_owned(), cleaned(fields)));
            }
        }
        Ok(versions)
    }
}

/// Returns the members of a document that a path names. With `unwraps`, a list of one item is that
/// item.
fn members(data: &Value, path: &str, unwraps: bool) -> Result<Found, QuestionError> {
    let mut found = json_path::get(data, path).map_err(|_| QuestionError::EmptyBrackets {
        field: path.to_owned(),
        list: path.trim().trim_end_matches("[]").to_owned(),
    })?;
    if let [(key, value)] = found.as_mut_slice()
        && key == path
        && let Some(Value::Array(items)) = value
        && unwraps
        && items.len() <= 1
    {
        *value = items.pop();
    }
    Ok(found)
}

/// Writes people in one line wherever a field is one, or a list of them.
fn cleaned(fields: Found) -> Found {
    let clean = |(key, value): (String, Option<Value>)| (key, value.map(clean_value));
    fields.into_iter().map(clean).collect()
}

fn clean_value(value: Value) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(clean_value).collect(),
        Value::Object(ref members) => {
            let has = |key: &str| members.get(key).is_some_and(|value| *value != json!(""));
            let is_person = match members.len() {
                1 => true,
                2 => has("email") || has("url") || has("trustedPublisher"),
                3 => has("email") && has("url") || has("trustedPublisher"),
                _ => false,
            };
            if is_person && has("name") { person(&value).into() } else { value }
        }
        other => other,
    }
}

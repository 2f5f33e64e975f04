//! `dx pkg`: reading and changing the members of a manifest.

use serde_json::{Map, Value};

use crate::json_path;
use crate::node_text::{self, Shown};
use crate::normalise::Normalised;
use crate::{AuthorError, PackageFile};
use dx_pkg_compat::manifest::ManifestEdit;

/// How members are named, for messages.
pub const USAGE: &str = "dx pkg get [KEY…] | set KEY=VALUE… | delete KEY… | fix";

/// The members that were asked for.
#[derive(Debug)]
pub struct Members {
    /// By name; `None` for one that an item of a list lacks.
    found: Vec<(String, Option<Value>)>,
    /// Whether one member was asked for, and is there.
    is_single: bool,
}

/// Returns the members at these paths, or all of them.
///
/// # Errors
/// A path that cannot be followed.
pub fn get(file: &PackageFile, paths: &[String]) -> Result<Members, AuthorError> {
    let mut found: Vec<(String, Option<Value>)> = Vec::new();
    if paths.is_empty() {
        let members = file.content.as_object().into_iter().flatten();
        found.extend(members.map(|(key, value)| (key.clone(), Some(value.clone()))));
    }
    for path in paths {
        for (name, value) in json_path::get(&file.content, path)? {
            match found.iter_mut().find(|(known, _)| *known == name) {
                Some((_, known)) => *known = value,
                None => found.push((name, value)),
            }
        }
    }
    let is_single = matches!((paths, &*found), ([path], [(name, _)]) if path == name);
    Ok(Members { found, is_single })
}

impl Members {
    /// Returns the members as JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        let there = self
            .found
            .iter()
            .filter_map(|(name, value)| value.clone().map(|value| (name.clone(), value)));
        there.collect::<Map<_, _>>().into()
    }

    /// Returns the members as npm prints them, each with the name of its workspace.
    #[must_use]
    pub fn text(&self, workspace: Option<&str>) -> String {
        if let (true, [(_, Some(value))]) = (self.is_single, &*self.found) {
            return match workspace {
                Some(name) => format!("{name} {}", node_text::as_text(value)),
                None => node_text::printed(value),
            };
        }
        let line = |(name, value): &(String, Option<Value>)| {
            let shown = Shown { depth: 5, items: usize::MAX };
            let value = value.as_ref().map(|value| node_text::inspect(value, shown));
            let value = value.as_deref().unwrap_or("undefined");
            match workspace {
                Some(workspace) => format!("{workspace} {name} = {value}"),
                None => format!("{name} = {value}"),
            }
        };
        self.found.iter().map(line).collect::<Vec<_>>().join("\n")
    }
}

/// Sets members: `key=value`, values being texts or, with `as_json`, JSON.
///
/// # Errors
/// A word of another form, a path that cannot be followed, or a value that a manifest cannot have.
pub fn set(
    file: &PackageFile,
    words: &[String],
    as_json: bool,
    force: bool,
) -> Result<(), AuthorError> {
    let usage = |message: String| AuthorError::Usage { message, usage: USAGE };
    if words.is_empty() {
        return Err(usage("dx pkg set needs KEY=VALUE".to_owned()));
    }
    let mut content = file.content.clone();
    for word in words {
        let (key, value) = word.split_once('=').unwrap_or((word, ""));
        if key.is_empty() || value.is_empty() {
            return Err(usage(format!("{word:?} is not of the form KEY=VALUE")));
        }
        let value = if as_json {
            serde_json::from_str(value)
                .map_err(|error| usage(format!("the value of {key} is not JSON: {error}")))?
        } else {
            Value::from(value)
        };
        json_path::set(&mut content, key, value, force)?;
    }
    save(file, content)
}

/// Removes members.
///
/// # Errors
/// An empty path, or one that cannot be followed.
pub fn delete(file: &PackageFile, paths: &[String]) -> Result<(), AuthorError> {
    if paths.is_empty() || paths.iter().any(String::is_empty) {
        let message = "dx pkg delete needs the names of members".to_owned();
        return Err(AuthorError::Usage { message, usage: USAGE });
    }
    let mut content = file.content.clone();
    for path in paths {
        json_path::remove(&mut content, path)?;
    }
    save(file, content)
}

/// Corrects what npm would correct before it publishes, and returns the corrections in words.
///
/// # Errors
/// A name or a version that npm refuses.
pub fn fix(file: &PackageFile) -> Result<Vec<String>, AuthorError> {
    let mut fixed = Normalised::new(&file.content);
    fixed.fix().map_err(|problem| AuthorError::Field { path: file.path(), problem })?;
    file.save(&Value::Object(fixed.data))?;
    Ok(fixed.changes)
}

/// Writes a manifest with sorted sections, as npm leaves it behind.
fn save(file: &PackageFile, mut content: Value) -> Result<(), AuthorError> {
    check(&content).map_err(|problem| AuthorError::Field { path: file.path(), problem })?;
    let sections = ["dependencies", "optionalDependencies", "devDependencies", "peerDependencies"];
    if let Value::Object(members) = &mut content {
        let optional = members.get("optionalDependencies").and_then(Value::as_object).cloned();
        if let (Some(Value::Object(own)), Some(optional)) =
            (members.get_mut("dependencies"), optional)
        {
            own.retain(|name, _| !optional.contains_key(name));
        }
        for section in sections {
            let is_empty = |value: &Value| match value {
                Value::Object(members) => members.is_empty(),
                Value::Array(items) => items.is_empty(),
                _ => false,
            };
            if members.get(section).is_some_and(is_empty) {
                members.shift_remove(section);
            }
        }
    }
    let text = file.changed(&content)?;
    let source = |source| AuthorError::Manifest { path: file.path(), source };
    let mut edit = ManifestEdit::new(&text).map_err(source)?;
    edit.arrange_sections();
    file.write(&edit.finish())
}

/// Refuses what npm does not write into a manifest.
fn check(content: &Value) -> Result<(), String> {
    if let Some(scripts) = content.get("scripts").filter(|scripts| !scripts.is_null()) {
        let are_texts = match scripts {
            Value::Object(scripts) => scripts.values().all(Value::is_string),
            Value::Array(scripts) => scripts.iter().all(Value::is_string),
            other => other.as_str().is_some_and(|text| !text.is_empty()),
        };
        if !are_texts {
            return Err("\"scripts\" must be an object of texts".to_owned());
        }
    }
    if let Some(workspaces) = content.get("workspaces").filter(|list| !list.is_null()) {
        let is_list = workspaces
            .as_array()
            .is_some_and(|list| !list.is_empty() && list.iter().all(Value::is_string));
        if !is_list {
            return Err("\"workspaces\" must be a list of texts".to_owned());
        }
    }
    Ok(())
}

//! What npm corrects in a manifest: before it publishes one, and with `npm pkg fix`.
//!
//! Works on the manifest as it is written. Each correction is told in words, for whoever is to
//! write it into the file.

mod bin;
mod data;
mod dependencies;
mod files;

use std::path::Path;

use dx_pkg_core::Version;
use serde_json::{Map, Value, json};

use dx_pkg_compat::hosted::{Hosted, is_plain};

pub use files::git_head;

/// A manifest that is corrected.
#[derive(Debug)]
pub struct Normalised {
    /// Its members.
    pub data: Map<String, Value>,
    /// What was corrected, in words.
    pub changes: Vec<String>,
}

/// Whether a value counts as true for JavaScript.
fn is_truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(on) => *on,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(_) | Value::Object(_) => true,
    }
}

impl Normalised {
    /// Starts with a manifest as it is written.
    #[must_use]
    pub fn new(content: &Value) -> Self {
        Normalised { data: content.as_object().cloned().unwrap_or_default(), changes: Vec::new() }
    }

    fn told(&mut self, change: impl Into<String>) {
        self.changes.push(change.into());
    }

    /// Returns a member that counts as true.
    fn get(&self, key: &str) -> Option<&Value> {
        self.data.get(key).filter(|value| is_truthy(value))
    }

    /// Returns a member that is a text and not empty.
    #[must_use]
    pub fn text(&self, key: &str) -> Option<&str> {
        self.data.get(key)?.as_str().filter(|text| !text.is_empty())
    }

    fn remove(&mut self, key: &str) {
        self.data.shift_remove(key);
    }

    fn set(&mut self, key: &str, value: impl Into<Value>) {
        self.data.insert(key.to_owned(), value.into());
    }

    /// Makes the corrections of `npm pkg fix`.
    ///
    /// # Errors
    /// A name or a version that npm refuses, in words.
    pub fn fix(&mut self) -> Result<(), String> {
        self.fix_bin();
        self.fix_name()?;
        self.fix_version()?;
        self.list_bundle();
        self.fix_scripts();
        self.fix_repository();
        self.fix_dependencies();
        Ok(())
    }

    /// Makes the corrections of a manifest that is published, and completes it by what is in the
    /// package's folder.
    ///
    /// # Errors
    /// As [`Self::fix`].
    pub fn prepare(&mut self, folder: &Path) -> Result<(), String> {
        self.complete(folder)?;
        self.fix_name()?;
        self.fix_version()?;
        self.remove_underscored();
        self.set_id();
        self.fix_bundle();
        self.fix_overrides();
        self.fix_scripts();
        self.fix_repository();
        self.fix_dependencies();
        self.fix_data();
        Ok(())
    }

    fn fix_name(&mut self) -> Result<(), String> {
        if self.get("name").is_none() {
            self.told("\"name\" is missing, and was set to an empty text");
            self.set("name", "");
            return Ok(());
        }
        let Some(name) = self.text("name").map(str::to_owned) else {
            return Err("\"name\" must be a text".to_owned());
        };
        let trimmed = name.trim();
        if trimmed != name {
            self.told("spaces around \"name\" were removed");
            self.set("name", trimmed);
        }
        if is_valid_name(trimmed) { Ok(()) } else { Err(format!("{trimmed:?} is no valid name")) }
    }

    fn fix_version(&mut self) -> Result<(), String> {
        let Some(version) = self.get("version") else {
            self.set("version", "");
            return Ok(());
        };
        let text = version.as_str().map(str::to_owned).unwrap_or_default();
        let clean = Version::parse_loose(text.trim()).map_err(|_| {
            format!("{} is no valid version", self.data.get("version").unwrap_or(&Value::Null))
        })?;
        let clean = clean.to_string();
        if clean != text {
            self.told(format!("\"version\" was set to \"{clean}\""));
            self.set("version", clean);
        }
        Ok(())
    }

    /// Makes `bundleDependencies` a list.
    fn list_bundle(&mut self) {
        match self.data.get("bundleDependencies") {
            None | Some(Value::Array(_)) => {}
            Some(Value::Bool(false)) => {
                self.told("\"bundleDependencies\" was changed from false to a list");
                self.set("bundleDependencies", json!([]));
            }
            Some(Value::Bool(true)) => {
                self.told("\"bundleDependencies\" was made a list of the \"dependencies\"");
                let names = self.data.get("dependencies").and_then(Value::as_object);
                let names: Vec<Value> =
                    names.into_iter().flatten().map(|(name, _)| name.clone().into()).collect();
                self.set("bundleDependencies", names);
            }
            Some(Value::Object(members)) => {
                let names: Vec<Value> = members.keys().map(|name| name.clone().into()).collect();
                self.told("\"bundleDependencies\" was changed from an object to a list");
                self.set("bundleDependencies", names);
            }
            Some(_) => {
                self.told("\"bundleDependencies\" was removed");
                self.remove("bundleDependencies");
            }
        }
    }

    fn fix_bundle(&mut self) {
        if let Some(other) = self.data.shift_remove("bundledDependencies")
            && !self.data.contains_key("bundleDependencies")
        {
            self.told("\"bundledDependencies\" was renamed to \"bundleDependencies\"");
            self.set("bundleDependencies", other);
        }
        if self.data.get("bundleDependencies") == Some(&Value::Bool(false)) {
            self.told("\"bundleDependencies\" was removed");
            self.remove("bundleDependencies");
        }
        self.list_bundle();
    }

    fn remove_underscored(&mut self) {
        let keys: Vec<String> =
            self.data.keys().filter(|key| key.starts_with('_')).cloned().collect();
        for key in keys {
            self.told(format!("\"{key}\" was removed"));
            self.remove(&key);
        }
    }

    /// Sets `_id`, which npm sends and does not count as a correction of the author's file.
    fn set_id(&mut self) {
        if let (Some(name), Some(version)) = (self.text("name"), self.text("version")) {
            let id = format!("{name}@{version}");
            self.set("_id", id);
        }
    }

    fn fix_overrides(&mut self) {
        let is_filled = |value: &Value| value.as_object().is_some_and(|all| !all.is_empty());
        if self.data.get("overrides").is_some_and(|value| !is_filled(value)) {
            self.told("\"overrides\" was removed, as it holds nothing");
            self.remove("overrides");
        }
    }

    /// Removes scripts that are no text, and paths to commands that are found anyway.
    fn fix_scripts(&mut self) {
        let Some(scripts) = self.data.get_mut("scripts") else { return };
        let Value::Object(scripts) = scripts else {
            if !scripts.is_array() && !scripts.is_null() {
                self.told("\"scripts\" was removed, as it is no object");
                self.remove("scripts");
            }
            return;
        };
        let mut changes = Vec::new();
        scripts.retain(|name, script| {
            let Value::String(text) = script else {
                changes.push(format!("the script \"{name}\" was removed, as it is no text"));
                return false;
            };
            if let Some(rest) = without_bin_folder(text) {
                changes.push(format!("\"node_modules/.bin\" was removed from script \"{name}\""));
                *text = rest;
            }
            true
        });
        self.changes.extend(changes);
    }

    fn fix_repository(&mut self) {
        if let Some(Value::Array(list)) = self.get("repositories") {
            let first = list.first().cloned();
            self.told("\"repository\" was set to the first of \"repositories\"");
            match first {
                Some(first) => self.set("repository", first),
                None => self.remove("repository"),
            }
        }
        if let Some(Value::String(url)) = self.get("repository") {
            let object = json!({ "type": "git", "url": url });
            self.told("\"repository\" was changed from a text to an object");
            self.set("repository", object);
        }
        let Some(url) = self.repository_url() else { return };
        let Some(fixed) = Hosted::read(url).map(|hosted| hosted.repository()) else { return };
        if fixed != url {
            self.told(format!("\"repository.url\" was set to \"{fixed}\""));
            if let Some(Value::Object(repository)) = self.data.get_mut("repository") {
                repository.insert("url".to_owned(), fixed.into());
            }
        }
    }

    fn repository_url(&self) -> Option<&str> {
        let url = self.data.get("repository")?.get("url")?.as_str()?;
        Some(url).filter(|url| !url.is_empty())
    }
}

/// Returns whether npm publishes under a name.
fn is_valid_name(name: &str) -> bool {
    let is_part = |part: &str| !part.is_empty() && part.bytes().all(is_plain);
    let lower = name.to_lowercase();
    let is_scoped = name
        .strip_prefix('@')
        .and_then(|rest| rest.split_once('/'))
        .is_some_and(|(scope, own)| is_part(scope) && is_part(own));
    !name.starts_with('.')
        && (is_scoped || name.bytes().all(is_plain))
        && lower != "node_modules"
        && lower != "favicon.ico"
}

/// Returns a script without the folder of commands in front.
fn without_bin_folder(script: &str) -> Option<String> {
    let rest = script.strip_prefix("./").or_else(|| script.strip_prefix(".\\")).unwrap_or(script);
    let rest = rest.strip_prefix("node_modules")?;
    let rest = rest.strip_prefix(['/', '\\'])?.strip_prefix(".bin")?;
    rest.strip_prefix(['/', '\\']).map(str::to_owned)
}

//! What pnpm, Yarn and Bun read beside a project: which of them a project belongs to, what their
//! settings files say, and what their protocols and pins mean in npm's words.
//!
//! Opens no file: the caller passes texts in. What a file says and dx does not carry out is named,
//! never passed over.

mod approvals;
mod catalogs;
mod error;
mod meaning;
mod owner;
mod patching;
mod pins;
mod requirement;
mod settings;
mod text;
pub mod yaml;

#[cfg(test)]
mod tests;

pub use approvals::Approvals;
pub use catalogs::Catalogs;
pub use error::HomeError;
pub use meaning::{Meanings, WorkspaceName};
pub use owner::{Manager, Owner};
pub use patching::{RequiredPatches, patched_name};
pub use pins::{ReadPins, pins};
pub use settings::HomeSettings;

use serde_json::Value;

use crate::manifest::{CARRIED_OUT, Manifest};

/// The settings file of pnpm.
pub const PNPM_WORKSPACE: &str = "pnpm-workspace.yaml";
/// The settings file of Yarn.
pub const YARNRC: &str = ".yarnrc.yml";
/// The settings file of Bun.
pub const BUNFIG: &str = "bunfig.toml";

/// The settings file of the manager that a project belongs to, as it was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Home {
    /// The manager.
    pub owner: Owner,
    /// Its file, an object that is empty where there is none.
    pub file: Value,
}

impl Home {
    /// Reads the text of the settings file of the owner; `None` where there is none.
    ///
    /// # Errors
    /// The text is not in the file's format, or no table of settings.
    pub fn parse(owner: Owner, text: Option<&str>) -> Result<Self, HomeError> {
        let file = match (owner.manager.settings_file(), text) {
            (Some(name), Some(text)) => text::parse(name, text)?,
            _ => Value::Object(serde_json::Map::new()),
        };
        Ok(Home { owner, file })
    }

    /// Returns a value of the file.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.file.get(key)
    }

    /// Returns whether the manager reads `pnpm` in `package.json`.
    #[must_use]
    pub fn reads_pnpm_field(&self) -> bool {
        match self.owner.manager {
            Manager::Pnpm => self.owner.major.is_none_or(|major| major < 11),
            _ => false,
        }
    }

    /// Gives the project's manifest what its manager sets of what npm does not know, such as
    /// `packageExtensions`: from this file and, for a pnpm that reads it, the field `pnpm`.
    pub fn complete(&self, manifest: &mut Manifest) {
        self.make_optional(manifest);
        let field = manifest.raw.get("pnpm").filter(|_| self.reads_pnpm_field()).cloned();
        let reads_file = matches!(self.owner.manager, Manager::Pnpm | Manager::Yarn);
        let file = reads_file.then(|| self.file.clone());
        for place in [field, file].into_iter().flatten() {
            let Value::Object(map) = place else { continue };
            // pnpm 11 has no such setting.
            let is_old = |key: &str| key == "ignorePatchFailures" && !self.reads_pnpm_field();
            let known = map
                .into_iter()
                .filter(|(key, _)| CARRIED_OUT.contains(&key.as_str()) && !is_old(key));
            manifest.manager_settings.extend(known);
        }
    }

    /// Makes the dependencies of a manifest optional of which Yarn's `dependenciesMeta` says so.
    pub fn make_optional(&self, manifest: &mut Manifest) {
        if self.owner.manager != Manager::Yarn || !manifest.has_optional_meta() {
            return;
        }
        let declared = std::mem::take(&mut manifest.dependencies);
        let is_optional = |(name, _): &(String, String)| manifest.is_optional_by_meta(name);
        let (optional, others): (Vec<_>, Vec<_>) = declared.into_iter().partition(is_optional);
        manifest.dependencies = others;
        manifest.optional_dependencies.extend(optional);
    }

    /// Returns those of these settings that the manifest has in the field `pnpm`, which its manager
    /// does not read.
    #[must_use]
    pub fn unread_in_pnpm_field(&self, manifest: &Manifest) -> Vec<String> {
        let field = manifest.raw.get("pnpm").and_then(Value::as_object);
        let field = field.filter(|_| !self.reads_pnpm_field()).into_iter().flatten();
        let is_known = |key: &str| key == "overrides" || CARRIED_OUT.contains(&key);
        let filled = field.filter(|(key, value)| {
            is_known(key) && value.as_object().is_none_or(|map| !map.is_empty())
        });
        filled.map(|(key, _)| format!("pnpm.{key}")).collect()
    }

    /// Returns the patterns of workspaces in `pnpm-workspace.yaml`.
    ///
    /// # Errors
    /// They are no list of texts.
    pub fn workspace_patterns(&self) -> Result<Vec<String>, HomeError> {
        if self.owner.manager != Manager::Pnpm {
            return Ok(Vec::new());
        }
        let bad = || HomeError::Value {
            file: PNPM_WORKSPACE,
            key: "packages".to_owned(),
            wanted: "a list of patterns",
        };
        match self.get("packages") {
            None | Some(Value::Null) => Ok(Vec::new()),
            Some(Value::Array(list)) => list
                .iter()
                .map(|pattern| pattern.as_str().map(str::to_owned).ok_or_else(bad))
                // The project itself is always one of pnpm's workspaces.
                .filter(|pattern| !matches!(pattern.as_deref(), Ok("." | "./")))
                .collect(),
            Some(_) => Err(bad()),
        }
    }

    /// Returns the catalogs of the project, from this file and from its manifest.
    ///
    /// # Errors
    /// One of them cannot be read, or two of them contradict each other.
    pub fn catalogs(&self, manifest: &Manifest) -> Result<Catalogs, HomeError> {
        let mut catalogs = Catalogs::default();
        if let Some(name) = self.owner.manager.settings_file()
            && self.owner.manager != Manager::Bun
        {
            catalogs.add(name, &self.file)?;
        }
        if let Some(workspaces) = manifest.raw.get("workspaces") {
            catalogs.add("workspaces in package.json", workspaces)?;
        }
        catalogs.add("package.json", &manifest.raw)?;
        Ok(catalogs)
    }
}

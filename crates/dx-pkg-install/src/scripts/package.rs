//! A package whose scripts are run by name: which script it has for a name, and what runs before
//! and after.

use std::path::{Path, PathBuf};

use dx_pkg_acquire::files::{parse_manifest, read_text};
use dx_pkg_compat::manifest::Manifest;
use dx_pkg_core::text::suggest::nearest;

use crate::InstallError;
use crate::project::folders_with_manifest;

/// A package whose scripts are run by name.
#[derive(Debug)]
pub struct ScriptPackage {
    /// Its folder.
    pub folder: PathBuf,
    /// Its manifest.
    pub manifest: Manifest,
}

/// A script that is due.
#[derive(Debug, PartialEq, Eq)]
pub struct ScriptStep {
    /// The name of the script.
    pub event: String,
    /// Its text.
    pub script: String,
    /// Whether it is the named script rather than its pre or post script.
    pub is_main: bool,
}

impl ScriptPackage {
    /// Returns the nearest package, in `folder` or above; `None` if there is none.
    ///
    /// # Errors
    /// Its manifest cannot be read.
    pub fn nearest(folder: &Path) -> Result<Option<Self>, InstallError> {
        for folder in folders_with_manifest(folder) {
            let path = folder.join("package.json");
            if let Some(text) = read_text(&path)? {
                let manifest = parse_manifest(&path, &text)?;
                return Ok(Some(ScriptPackage { folder: folder.to_owned(), manifest }));
            }
        }
        Ok(None)
    }

    /// Returns the script of this name, or the one that npm implies.
    fn script(&self, name: &str) -> Option<&str> {
        let implied = if cfg!(windows) { "SET" } else { "env" };
        self.manifest.script(name).or((name == "env").then_some(implied))
    }

    /// Returns whether there is a script of this name, be it one that npm implies.
    #[must_use]
    pub fn has_script(&self, name: &str) -> bool {
        self.script(name).is_some() || name == "restart" && self.script("start").is_some()
    }

    /// Returns the scripts to run for a name, in order; `with_hooks` includes pre and post
    /// scripts.
    #[must_use]
    pub fn steps(&self, name: &str, with_hooks: bool) -> Vec<ScriptStep> {
        let step = |event: String, is_main: bool| {
            let script = self.script(&event)?.to_owned();
            Some(ScriptStep { event, script, is_main })
        };
        let own: Vec<ScriptStep> = match step(name.to_owned(), true) {
            Some(step) => vec![step],
            None if name == "restart" && self.script("start").is_some() => ["stop", "start"]
                .into_iter()
                .flat_map(|part| self.steps(part, with_hooks))
                .collect(),
            None => return Vec::new(),
        };
        let hook = |prefix: &str| step(format!("{prefix}{name}"), false).filter(|_| with_hooks);
        hook("pre").into_iter().chain(own).chain(hook("post")).collect()
    }

    /// Returns `name@version`, as far as it has them.
    #[must_use]
    pub fn label(&self) -> String {
        let Manifest { name, version, .. } = &self.manifest;
        match (name, version) {
            (Some(name), Some(version)) => format!("{name}@{version}"),
            (Some(name), None) => name.clone(),
            _ => self.folder.display().to_string(),
        }
    }

    /// Returns the name of a script that is similar to this one.
    #[must_use]
    pub fn similar(&self, name: &str) -> Option<String> {
        let names = self.manifest.scripts.iter().map(|(name, _)| name.as_str());
        nearest(name, names).map(str::to_owned)
    }
}

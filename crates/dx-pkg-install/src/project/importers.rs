//! The manifests of a project's importers, as commands change them: its own and those of
//! workspaces.

use std::path::PathBuf;

use dx_pkg_acquire::files::parse_own_manifest;
use dx_pkg_compat::manifest::Manifest;

use super::seen::read_seen_to_edit;
use super::{Project, Seen};
use crate::InstallError;

/// Returns the path of an importer's manifest, relative to the project; `importer` is its folder,
/// empty for the project itself.
pub(crate) fn manifest_of(importer: &str) -> String {
    if importer.is_empty() { "package.json".to_owned() } else { format!("{importer}/package.json") }
}

impl Project {
    /// Returns an importer's folder, absolute.
    #[must_use]
    pub fn folder_of(&self, importer: &str) -> PathBuf {
        if importer.is_empty() { self.root.clone() } else { self.root.join(importer) }
    }

    /// Returns an importer's manifest as it is to be installed.
    #[must_use]
    pub fn manifest_of(&self, importer: &str) -> Option<&Manifest> {
        if importer.is_empty() {
            return Some(&self.manifest);
        }
        let found = self.workspaces.iter().find(|(folder, _)| folder == importer);
        found.map(|(_, manifest)| manifest)
    }

    /// Returns the text of an importer's manifest as it is on disk, in the form in which it is
    /// edited.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn manifest_text_of(&mut self, importer: &str) -> Result<String, InstallError> {
        if importer.is_empty() {
            return Ok(self.manifest_text.clone());
        }
        if let Some(text) = self.workspace_texts.get(importer) {
            return Ok(text.clone());
        }
        let path = self.root.join(manifest_of(importer));
        let text = read_seen_to_edit(&path, &mut Seen::new())?;
        let text = text.unwrap_or_else(|| "{}\n".to_owned());
        self.workspace_texts.insert(importer.to_owned(), text.clone());
        Ok(text)
    }

    /// Reads an importer's manifest from a text that a command is going to write.
    ///
    /// # Errors
    /// The text is no manifest, or has a requirement that cannot be carried out.
    pub fn set_manifest_of(&mut self, importer: &str, text: &str) -> Result<(), InstallError> {
        if importer.is_empty() {
            return self.set_manifest(text);
        }
        let mut manifest = parse_own_manifest(&self.root.join(manifest_of(importer)), text)?;
        self.home.make_optional(&mut manifest);
        if let Some(known) = self.workspaces.iter_mut().find(|(folder, _)| folder == importer) {
            known.1 = manifest;
        }
        Ok(())
    }

    /// Returns the text of an importer's manifest on disk, where it is known.
    pub(crate) fn text_of(&self, importer: &str) -> Option<&str> {
        if importer.is_empty() {
            return Some(&self.manifest_text);
        }
        self.workspace_texts.get(importer).map(String::as_str)
    }
}

//! A `package.json` (or another JSON file of a project) that is changed: only what changes is
//! written anew, the rest keeps its layout.

use std::path::{Path, PathBuf};

use dx_pkg_acquire::AcquireError;
use dx_pkg_acquire::files::read_text_to_edit;
use dx_pkg_compat::foreign_bytes;
use dx_pkg_compat::manifest::ManifestEdit;
use dx_pkg_os::files::{Durability, FolderLock, write_user_file};
use serde_json::Value;

use crate::AuthorError;

/// A JSON file of a project.
#[derive(Debug)]
pub struct PackageFile {
    folder: PathBuf,
    name: &'static str,
    text: String,
    /// Its contents as they were read.
    pub content: Value,
    /// Held where the file is read in order to change it.
    _lock: Option<FolderLock>,
}

impl PackageFile {
    /// Reads the manifest in a folder.
    ///
    /// # Errors
    /// There is none, or it is no JSON object.
    pub fn read(folder: &Path) -> Result<Self, AuthorError> {
        Self::named(folder, "package.json")?
            .ok_or_else(|| AuthorError::NoManifest { folder: folder.display().to_string() })
    }

    /// Reads the manifest in a folder, to change it: no other command changes it until this is
    /// dropped.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn to_change(folder: &Path) -> Result<Self, AuthorError> {
        let lock = FolderLock::wait(folder).map_err(|error| {
            AcquireError::io(format!("writing {}", folder.join("package.json").display()), error)
        })?;
        Ok(PackageFile { _lock: Some(lock), ..Self::read(folder)? })
    }

    /// Reads the file `name` in a folder; `None` where there is none.
    ///
    /// # Errors
    /// It is no JSON object.
    pub fn named(folder: &Path, name: &'static str) -> Result<Option<Self>, AuthorError> {
        let path = folder.join(name);
        let Some(text) = read_text_to_edit(&path)? else { return Ok(None) };
        ManifestEdit::new(&text)
            .map_err(|source| AuthorError::Manifest { path: path.clone(), source })?;
        let shown = foreign_bytes::replaced(&text);
        let content =
            serde_json::from_str(shown.trim_start_matches('\u{feff}')).unwrap_or_default();
        Ok(Some(PackageFile { folder: folder.to_owned(), name, text, content, _lock: None }))
    }

    /// Returns the path of the file.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.folder.join(self.name)
    }

    /// Returns the text with these contents.
    ///
    /// # Errors
    /// As [`Self::named`].
    pub fn changed(&self, content: &Value) -> Result<String, AuthorError> {
        let failed = |source| AuthorError::Manifest { path: self.path(), source };
        let mut edit = ManifestEdit::new(&self.text).map_err(failed)?;
        change(&mut edit, &mut Vec::new(), &self.content, content);
        Ok(edit.finish())
    }

    /// Writes these contents, if they are others.
    ///
    /// # Errors
    /// The file cannot be written; it is then as it was.
    pub fn save(&self, content: &Value) -> Result<(), AuthorError> {
        let text = self.changed(content)?;
        self.write(&text)
    }

    /// Writes this text, if it is another.
    ///
    /// # Errors
    /// As [`Self::save`].
    pub fn write(&self, text: &str) -> Result<(), AuthorError> {
        if text == self.text {
            return Ok(());
        }
        let bytes = foreign_bytes::restored(text, &self.text);
        write_user_file(&self.folder, self.name, &bytes, Durability::Rename).map_err(|error| {
            AcquireError::io(format!("writing {}", self.path().display()), error).into()
        })
    }
}

/// Makes the members of an object what they are to be.
fn change(edit: &mut ManifestEdit, path: &mut Vec<String>, old: &Value, new: &Value) {
    let (Value::Object(before), Value::Object(after)) = (old, new) else { return };
    let full = |path: &[String], key: &str| -> Vec<String> {
        path.iter().cloned().chain(std::iter::once(key.to_owned())).collect()
    };
    for key in before.keys().filter(|key| !after.contains_key(*key)) {
        let full = full(path, key);
        edit.remove(&full.iter().map(String::as_str).collect::<Vec<_>>());
    }
    for (key, value) in after {
        match before.get(key) {
            Some(known) if known == value && is_same_order(known, value) => {}
            Some(known) if is_refined(known, value) => {
                path.push(key.clone());
                change(edit, path, known, value);
                path.pop();
            }
            known => {
                let full = full(path, key);
                let full: Vec<&str> = full.iter().map(String::as_str).collect();
                // An equal value keeps its text, and with it the order of its members.
                if known == Some(value) {
                    edit.set(&full, &Value::Null);
                }
                edit.set(&full, value);
            }
        }
    }
}

/// Returns whether the members that both objects have are in one order, so that one becomes the
/// other by removals and by additions at the end.
fn is_refined(old: &Value, new: &Value) -> bool {
    let (Value::Object(before), Value::Object(after)) = (old, new) else { return false };
    let kept: Vec<&String> = before.keys().filter(|key| after.contains_key(*key)).collect();
    !kept.is_empty() && after.keys().take(kept.len()).eq(kept)
}

/// Returns whether two equal values have their members in one order.
fn is_same_order(old: &Value, new: &Value) -> bool {
    match (old, new) {
        (Value::Object(before), Value::Object(after)) => {
            before.keys().eq(after.keys())
                && before.values().zip(after.values()).all(|(a, b)| is_same_order(a, b))
        }
        (Value::Array(before), Value::Array(after)) => {
            before.iter().zip(after).all(|(a, b)| is_same_order(a, b))
        }
        _ => true,
    }
}

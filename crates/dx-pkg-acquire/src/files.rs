//! Reading text files of projects and packages.

use std::io::ErrorKind;
use std::path::Path;

use dx_pkg_compat::manifest::Manifest;

use crate::AcquireError;

/// Reads a text file; `None` where there is none.
///
/// # Errors
/// The file cannot be read or is not UTF-8.
pub fn read_text(path: &Path) -> Result<Option<String>, AcquireError> {
    match std::fs::read(path) {
        Ok(bytes) => match String::from_utf8(bytes) {
            Ok(text) => Ok(Some(text)),
            Err(_) => Err(AcquireError::NotText { path: path.to_owned() }),
        },
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(AcquireError::io(format!("reading {}", path.display()), error)),
    }
}

/// Parses the text of the manifest at `path`.
///
/// # Errors
/// The text is no manifest; the error names the file.
pub fn parse_manifest(path: &Path, text: &str) -> Result<Manifest, AcquireError> {
    Manifest::parse(text).map_err(|error| AcquireError::in_file(path, error))
}

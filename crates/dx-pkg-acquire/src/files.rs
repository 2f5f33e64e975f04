//! Reading text files of projects and packages.

use std::io::ErrorKind;
use std::path::Path;

use dx_pkg_compat::foreign_bytes;
use dx_pkg_compat::manifest::Manifest;

use crate::AcquireError;

/// Reads a text file; `None` where there is none. Bytes that are not UTF-8 are replaced, as npm
/// replaces them: most stand in a comment or an author's name.
///
/// # Errors
/// The file cannot be read or is UTF-16.
pub fn read_text(path: &Path) -> Result<Option<String>, AcquireError> {
    let Some(bytes) = read_bytes(path)? else { return Ok(None) };
    Ok(Some(
        String::from_utf8(bytes)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()),
    ))
}

/// Reads a text file that will be edited; `None` where there is none. Bytes that are not UTF-8 are
/// kept, see [`dx_pkg_compat::foreign_bytes`].
///
/// # Errors
/// As [`read_text`].
pub fn read_text_to_edit(path: &Path) -> Result<Option<String>, AcquireError> {
    let Some(bytes) = read_bytes(path)? else { return Ok(None) };
    let text = foreign_bytes::keep(bytes);
    text.map(Some).ok_or_else(|| AcquireError::NotText { path: path.to_owned() })
}

fn read_bytes(path: &Path) -> Result<Option<Vec<u8>>, AcquireError> {
    match std::fs::read(path) {
        // The byte order marks of UTF-16, of which nothing could be read.
        Ok(bytes) if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) => {
            Err(AcquireError::NotText { path: path.to_owned() })
        }
        Ok(bytes) => Ok(Some(bytes)),
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

//! Keys of objects: paths whose segments are safe as file names on every system.

use dx_pkg_core::PackageName;
use object_store::path::Path;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

/// The longest segment, in bytes; a longer one is replaced by its digest.
const LONGEST: usize = 200;

/// The key of an object, or of the folder above several.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Key(String);

impl Key {
    /// Starts a key with a fixed segment.
    pub(crate) fn of(segment: &'static str) -> Self {
        Self(segment.to_owned())
    }

    /// Adds a segment, any text. Capitals and special characters are escaped, so that keys that
    /// differ are different files also where case does not count.
    pub(crate) fn with(mut self, segment: &str) -> Self {
        let escaped = escape(segment);
        self.0.push('/');
        self.0.push_str(&escaped);
        self
    }

    /// Adds a package's name, one segment or two.
    pub(crate) fn name(self, name: &PackageName) -> Self {
        match name.scope() {
            Some(scope) => self.with(scope).with(name.bare()),
            None => self.with(name.bare()),
        }
    }

    /// Returns the key of an object's path below the storage.
    pub(super) fn of_path(path: &str) -> Self {
        Self(path.replace('\\', "/"))
    }

    /// Returns the path below the storage.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the last segment.
    pub(crate) fn last(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }

    /// Returns the key of the folder that the object is in.
    pub(crate) fn folder(&self) -> Self {
        Self(self.0.rsplit_once('/').map_or_else(String::new, |(folder, _)| folder.to_owned()))
    }

    /// Returns the texts that the segments were made of; `None` where one became a digest.
    pub(crate) fn texts(&self) -> Option<Vec<String>> {
        self.0.split('/').map(unescape).collect()
    }

    pub(super) fn location(&self) -> Path {
        Path::from(self.0.as_str())
    }
}

/// Escapes a segment: `a-z 0-9 . _ - @` stay, any other byte becomes `=` and two hexadecimal
/// digits.
fn escape(segment: &str) -> String {
    let mut out = String::with_capacity(segment.len());
    for (i, byte) in segment.bytes().enumerate() {
        match byte {
            b'.' if i == 0 => out.push_str("=2e"),
            b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-' | b'@' => out.push(char::from(byte)),
            _ => {
                let _ = write!(out, "={byte:02x}");
            }
        }
    }
    if out.is_empty() {
        out.push_str("=empty");
    } else if out.len() > LONGEST {
        out.clear();
        out.push_str("=digest-");
        for byte in Sha256::digest(segment.as_bytes()) {
            let _ = write!(out, "{byte:02x}");
        }
    }
    out
}

fn unescape(segment: &str) -> Option<String> {
    if segment == "=empty" {
        return Some(String::new());
    }
    let mut parts = segment.split('=');
    let mut out = parts.next()?.as_bytes().to_vec();
    for part in parts {
        let (code, rest) = part.split_at_checked(2)?;
        out.push(u8::from_str_radix(code, 16).ok()?);
        out.extend_from_slice(rest.as_bytes());
    }
    String::from_utf8(out).ok()
}

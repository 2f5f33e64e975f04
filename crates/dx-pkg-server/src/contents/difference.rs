//! The difference between two tarballs, file by file.

use super::Contents;
use serde::Serialize;
use std::collections::BTreeMap;

/// The longest file whose lines are compared, in bytes.
const LONGEST: usize = 512 << 10;

/// The difference between the contents of two versions.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Difference {
    pub(crate) added: Vec<String>,
    pub(crate) removed: Vec<String>,
    pub(crate) changed: Vec<String>,
    /// The installation scripts that are new or other ones.
    pub(crate) install_scripts: BTreeMap<String, String>,
    /// The binaries that are new or other ones.
    pub(crate) binaries: Vec<String>,
}

impl Difference {
    /// Compares two versions, the former one first.
    pub(crate) fn of(from: &Contents, to: &Contents) -> Self {
        let mut found = Self::default();
        for (path, file) in &to.files {
            match from.files.get(path) {
                None => found.added.push(path.clone()),
                Some(former) if former.sha256 != file.sha256 => found.changed.push(path.clone()),
                Some(_) => {}
            }
        }
        let gone = from.files.keys().filter(|path| !to.files.contains_key(*path));
        found.removed = gone.cloned().collect();
        let is_new = |path: &String| found.added.contains(path) || found.changed.contains(path);
        found.binaries = to.binaries.iter().filter(|path| is_new(path)).cloned().collect();
        let other = to.install_scripts.iter();
        let other = other.filter(|(name, text)| from.install_scripts.get(*name) != Some(*text));
        found.install_scripts = other.map(|(name, text)| (name.clone(), text.clone())).collect();
        found
    }
}

/// Returns the changed lines of a file with some around them; `None` where it is no text, or too
/// long.
pub(crate) fn text_difference(from: Option<&[u8]>, to: Option<&[u8]>) -> Option<String> {
    let text = |bytes: Option<&[u8]>| {
        let bytes = bytes.unwrap_or_default();
        let is_text = bytes.len() <= LONGEST && !bytes.contains(&0);
        is_text.then(|| std::str::from_utf8(bytes).ok().map(str::to_owned)).flatten()
    };
    let (from, to) = (text(from)?, text(to)?);
    Some(diffy::create_patch(&from, &to).to_string())
}

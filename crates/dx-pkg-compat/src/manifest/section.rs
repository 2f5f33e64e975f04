//! The four dependency sections, and npm's order of names in them.

use std::cmp::Ordering;

/// A dependency section of a manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Section {
    /// `dependencies`
    Dependencies,
    /// `devDependencies`
    Dev,
    /// `optionalDependencies`
    Optional,
    /// `peerDependencies`
    Peer,
}

impl Section {
    /// Every section, in the order npm creates them.
    pub const ALL: [Section; 4] =
        [Section::Dependencies, Section::Optional, Section::Dev, Section::Peer];

    /// Returns the section's key in the text.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Section::Dependencies => "dependencies",
            Section::Dev => "devDependencies",
            Section::Optional => "optionalDependencies",
            Section::Peer => "peerDependencies",
        }
    }

    /// Returns the sections that a name leaves when it is saved to this one, as `npm install
    /// --save-…` does.
    pub(super) const fn displaces(self) -> &'static [Section] {
        match self {
            Section::Dependencies => &[Section::Optional, Section::Dev, Section::Peer],
            Section::Dev => &[Section::Dependencies],
            Section::Optional => &[Section::Dependencies, Section::Peer],
            Section::Peer => &[Section::Dependencies, Section::Optional],
        }
    }
}

/// Compares names in the order in which npm writes a section: whole numbers first, as JavaScript
/// orders its keys, then by `localeCompare` for English.
pub(super) fn name_order(a: &str, b: &str) -> Ordering {
    match (array_index(a), array_index(b)) {
        (Some(a), Some(b)) => a.cmp(&b),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => dx_pkg_lock::locale_compare(a, b),
    }
}

/// Moves keys that JavaScript takes for array indices to the front, in numeric order.
pub(super) fn script_key_order<T>(entries: &mut [(String, T)]) {
    if entries.iter().any(|(key, _)| array_index(key).is_some()) {
        entries.sort_by_key(|(key, _)| array_index(key).map_or(u64::MAX, u64::from));
    }
}

fn array_index(key: &str) -> Option<u32> {
    let canonical = key == "0" || !key.starts_with('0');
    let digits = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_digit());
    if !(canonical && digits) {
        return None;
    }
    key.parse().ok().filter(|index| *index != u32::MAX)
}

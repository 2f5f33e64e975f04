//! Requirements as the start of a prediction.

use dx_pkg_core::Spec;

use super::major_of;

/// A required package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seed {
    /// The package's name.
    pub name: String,
    /// Its major version; `None` for the newest known one.
    pub major: Option<u32>,
}

impl Seed {
    /// Returns the seed of a requirement; `None` for one that no registry answers.
    #[must_use]
    pub fn of(name: &str, spec: &str) -> Option<Self> {
        let (name, spec) = match Spec::parse(spec).ok()? {
            Spec::Alias { name, spec } => (name.as_str().to_owned(), *spec),
            spec => (name.to_owned(), spec),
        };
        let major = match spec {
            Spec::Version(version) => Some(major_of(&version)),
            Spec::Range(range) => newest_major(range.text()),
            Spec::Tag(_) => None,
            _ => return None,
        };
        Some(Self { name, major })
    }
}

/// Returns the highest major that a range names; `None` for a range without an upper bound.
fn newest_major(range: &str) -> Option<u32> {
    let mut newest = None;
    for alternative in range.split("||") {
        let text = alternative.trim_start_matches([' ', '^', '~', '=', 'v']);
        let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        newest = newest.max(Some(text[..digits].parse().ok()?));
    }
    newest
}

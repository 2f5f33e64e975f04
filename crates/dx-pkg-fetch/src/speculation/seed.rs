//! What a requirement asks for, as chains have it.

use dx_pkg_core::Spec;

use super::major_of;

/// Something that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seed {
    /// The package's name.
    pub name: String,
    /// Its major version; `None` for the newest that is known.
    pub major: Option<u32>,
}

impl Seed {
    /// What a requirement asks for; `None` unless a registry is to be asked.
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

/// The highest major that a range names; `None` where it lets through any above.
fn newest_major(range: &str) -> Option<u32> {
    let mut newest = None;
    for alternative in range.split("||") {
        let text = alternative.trim_start_matches([' ', '^', '~', '=', 'v']);
        let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        newest = newest.max(Some(text[..digits].parse().ok()?));
    }
    newest
}

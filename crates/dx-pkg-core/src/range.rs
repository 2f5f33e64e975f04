//! Ranges as npm's `semver` package reads them with `loose: true`, which is how npm reads every
//! range.

mod comparator;
mod parse;
mod subset;
#[cfg(test)]
mod tests;

use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;
use std::sync::{Arc, OnceLock};

use crate::version::grammar;
use crate::{Coded, Version};
use comparator::{Comparator, Operator};
use parse::Mode;

/// A set of versions, such as `^1.2.0 || >=3`; cloning increments a reference count.
///
/// Two ranges are equal if their texts are, apart from spaces.
#[derive(Clone)]
pub struct Range(Arc<Inner>);

struct Inner {
    text: Box<str>,
    /// The comparators of all alternatives; one that `opens` begins an alternative.
    comparators: Box<[Comparator]>,
    /// The comparators with npm's `includePrerelease`, which changes bounds; most ranges never need
    /// them.
    including_prerelease: OnceLock<Box<[Comparator]>>,
}

/// The reason why a text is not a range.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum RangeError {
    /// No part of the text is a comparison of versions.
    #[error(
        "cannot read {text:?} as a version range: expected something like ^1.2.3, 1.x or >=1.2.0 <2"
    )]
    Malformed {
        /// The text as given.
        text: Box<str>,
    },
    /// A version in the range is too long, or one of its numbers above 2^53 − 1.
    #[error(
        "cannot read {text:?} as a version range: a version in it is too long or a number in it too large"
    )]
    VersionTooLarge {
        /// The text as given.
        text: Box<str>,
    },
}

impl Coded for RangeError {
    fn code(&self) -> &'static str {
        "DX_INVALID_RANGE"
    }
}

impl Range {
    /// Parses a range; the empty text is `*`.
    pub fn parse(text: &str) -> Result<Self, RangeError> {
        let text = collapse_spaces(text);
        let comparators = parse::alternatives(&text, Mode::Plain)?;
        Ok(Self(Arc::new(Inner { text, comparators, including_prerelease: OnceLock::new() })))
    }

    /// Returns the range of every release.
    pub fn any() -> Self {
        let comparators = Box::new([Comparator { opens: true, ..Comparator::any() }]);
        Self(Arc::new(Inner {
            text: "*".into(),
            comparators,
            including_prerelease: OnceLock::new(),
        }))
    }

    /// Returns the text, with runs of space collapsed.
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// Returns whether this has no bound, so that every release satisfies it (`*`, `x`, `>=0.0.0`,
    /// …).
    pub fn is_any(&self) -> bool {
        self.0.comparators.iter().any(|comparator| comparator.operator == Operator::Any)
    }

    /// Returns the version, if this is a single exact one.
    pub fn exact(&self) -> Option<&Version> {
        match &*self.0.comparators {
            [only] if only.operator == Operator::Equal => Some(&only.bound),
            _ => None,
        }
    }

    /// Returns whether the version is in the range; a prerelease only if the range names a
    /// prerelease of the same release.
    pub fn satisfies(&self, version: &Version) -> bool {
        alternatives(&self.0.comparators).any(|all| {
            all.iter().all(|comparator| comparator.accepts(version))
                && (!version.is_prerelease()
                    || all.iter().any(|comparator| comparator.names_prerelease_of(version)))
        })
    }

    /// Returns whether the version is in the range, prereleases being versions like any other
    /// (npm's `includePrerelease`).
    pub fn satisfies_including_prerelease(&self, version: &Version) -> bool {
        let comparators = self.0.including_prerelease.get_or_init(|| {
            // As in npm, nothing satisfies a range whose bound exceeds the largest number.
            parse::alternatives(&self.0.text, Mode::IncludingPrerelease).unwrap_or_default()
        });
        alternatives(comparators)
            .any(|all| all.iter().all(|comparator| comparator.accepts(version)))
    }

    /// Returns whether some version may satisfy both, by npm's rules, which compare bounds only.
    pub fn intersects(&self, other: &Self) -> bool {
        let possible = |all: &[Comparator]| {
            all.iter()
                .enumerate()
                .all(|(index, left)| all[..index].iter().all(|right| left.intersects(right)))
        };
        alternatives(&self.0.comparators).filter(|left| possible(left)).any(|left| {
            alternatives(&other.0.comparators)
                .filter(|right| possible(right))
                .any(|right| left.iter().all(|one| right.iter().all(|other| one.intersects(other))))
        })
    }
}

fn alternatives(comparators: &[Comparator]) -> impl Iterator<Item = &[Comparator]> {
    comparators.chunk_by(|_, next| !next.opens)
}

/// Trims the text and collapses runs of space.
fn collapse_spaces(text: &str) -> Box<str> {
    let bytes = text.as_bytes();
    let is_collapsed = bytes.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ')
        && !bytes.starts_with(b" ")
        && !bytes.ends_with(b" ")
        && !bytes.windows(2).any(|pair| pair == b"  ");
    if is_collapsed {
        return text.into();
    }
    let mut collapsed = String::with_capacity(text.len());
    for word in text.split(grammar::is_space).filter(|word| !word.is_empty()) {
        if !collapsed.is_empty() {
            collapsed.push(' ');
        }
        collapsed.push_str(word);
    }
    collapsed.into()
}

impl FromStr for Range {
    type Err = RangeError;

    fn from_str(text: &str) -> Result<Self, RangeError> {
        Self::parse(text)
    }
}

impl PartialEq for Range {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0.text == other.0.text
    }
}

impl Eq for Range {}

impl Hash for Range {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.text.hash(state);
    }
}

impl fmt::Display for Range {
    /// Returns the comparators npm reduces the range to, `*` for any.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_any() {
            return f.write_str("*");
        }
        for (index, comparator) in self.0.comparators.iter().enumerate() {
            match (index, comparator.opens) {
                (0, _) => {}
                (_, true) => f.write_str("||")?,
                (_, false) => f.write_str(" ")?,
            }
            write!(f, "{comparator}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Range({:?})", self.text())
    }
}

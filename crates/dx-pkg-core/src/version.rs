//! Versions as npm's `semver` package parses, orders and prints them.
//!
//! Build metadata is accepted and dropped: it takes part neither in equality nor in order.

pub(crate) mod grammar;
#[cfg(test)]
mod tests;

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, LazyLock};

use crate::Coded;

/// The largest number a version component may hold: JavaScript's `Number.MAX_SAFE_INTEGER`.
pub(crate) const MAX_NUMBER: u64 = 9_007_199_254_740_991;
/// The longest text that is read as a version, in characters.
pub(crate) const MAX_LENGTH: usize = 256;

/// A semantic version without its build metadata; cloning never copies text.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Version {
    major: u64,
    minor: u64,
    patch: u64,
    /// `None` rather than an empty list, so that releases hold no allocation.
    prerelease: Option<Arc<[Identifier]>>,
}

/// One dot-separated part of a prerelease.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Identifier {
    /// A number below 2^53 − 1.
    Numeric(u64),
    /// Anything else, digits too large for [`Identifier::Numeric`] included.
    Text(Box<str>),
}

/// The reason why a text is not a version.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum VersionError {
    /// The text does not follow the grammar.
    #[error(
        "cannot read {text:?} as a version: expected MAJOR.MINOR.PATCH, such as 1.2.3 or 1.2.3-beta.1"
    )]
    Malformed {
        /// The text as given.
        text: Box<str>,
    },
    /// A number in the text is above 2^53 − 1.
    #[error("cannot read {text:?} as a version: a number is larger than {MAX_NUMBER}")]
    NumberTooLarge {
        /// The text as given.
        text: Box<str>,
    },
    /// The text is longer than 256 characters.
    #[error("cannot read a version of {length} characters: at most {MAX_LENGTH} are allowed")]
    TooLong {
        /// The number of characters given.
        length: usize,
    },
}

impl Coded for VersionError {
    fn code(&self) -> &'static str {
        "DX_INVALID_VERSION"
    }
}

impl Version {
    /// Returns a release version. Its numbers must be at most 2^53 − 1; npm does not read others.
    pub const fn new(major: u64, minor: u64, patch: u64) -> Self {
        Self { major, minor, patch, prerelease: None }
    }

    /// Parses a version in the strict grammar; surrounding space, a leading `v` and build metadata
    /// are allowed.
    pub fn parse(text: &str) -> Result<Self, VersionError> {
        Self::read(text, grammar::strict_version)
    }

    /// Parses a version in npm's loose mode, which also accepts texts such as `=1.2.3`, `v 1.2.3`,
    /// `01.2.3` or `1.2.3beta`.
    pub fn parse_loose(text: &str) -> Result<Self, VersionError> {
        Self::read(text, grammar::loose_version)
    }

    fn read(
        text: &str,
        grammar: fn(&str) -> Option<grammar::Parts<'_>>,
    ) -> Result<Self, VersionError> {
        if let Some((major, minor, patch)) = grammar::plain_release(text) {
            return Ok(Self::new(major, minor, patch));
        }
        if text.len() > MAX_LENGTH {
            let length = text.chars().count();
            if length > MAX_LENGTH {
                return Err(VersionError::TooLong { length });
            }
        }
        let parts = grammar(text.trim_matches(grammar::is_space))
            .ok_or_else(|| VersionError::Malformed { text: text.into() })?;
        Self::from_parts(&parts).ok_or_else(|| VersionError::NumberTooLarge { text: text.into() })
    }

    /// Returns the version of complete parts, or `None` if a number is too large.
    pub(crate) fn from_parts(parts: &grammar::Parts<'_>) -> Option<Self> {
        Some(Self {
            major: grammar::number(parts.major)?,
            minor: grammar::number(parts.minor)?,
            patch: grammar::number(parts.patch)?,
            prerelease: Self::identifiers(parts.prerelease),
        })
    }

    /// Returns the lowest prerelease of a release, `-0`, which many bounds are.
    pub(crate) fn first_prerelease(major: u64, minor: u64, patch: u64) -> Self {
        static FIRST: LazyLock<Arc<[Identifier]>> =
            LazyLock::new(|| Arc::new([Identifier::Numeric(0)]));
        Self { prerelease: Some(Arc::clone(&FIRST)), ..Self::new(major, minor, patch) }
    }

    fn identifiers(prerelease: &str) -> Option<Arc<[Identifier]>> {
        if prerelease.is_empty() {
            return None;
        }
        let count = prerelease.bytes().filter(|byte| *byte == b'.').count() + 1;
        let mut texts = prerelease.split('.');
        // From a range, whose length is known, the slice is built in place.
        let identifiers = (0..count).map(|_| Identifier::new(texts.next().unwrap_or_default()));
        Some(identifiers.collect())
    }

    /// Returns the first number.
    pub const fn major(&self) -> u64 {
        self.major
    }

    /// Returns the second number.
    pub const fn minor(&self) -> u64 {
        self.minor
    }

    /// Returns the third number.
    pub const fn patch(&self) -> u64 {
        self.patch
    }

    /// Returns the identifiers after the hyphen; empty for a release.
    pub fn prerelease(&self) -> &[Identifier] {
        self.prerelease.as_deref().unwrap_or_default()
    }

    /// Returns whether this is a prerelease.
    pub const fn is_prerelease(&self) -> bool {
        self.prerelease.is_some()
    }

    /// Returns whether the three numbers are those of `other`, whatever the prereleases.
    pub(crate) const fn same_release(&self, other: &Self) -> bool {
        self.major == other.major && self.minor == other.minor && self.patch == other.patch
    }
}

impl Identifier {
    fn new(text: &str) -> Self {
        match text.parse() {
            Ok(number) if number < MAX_NUMBER => Self::Numeric(number),
            _ => Self::Text(text.into()),
        }
    }
}

impl Ord for Identifier {
    /// Orders numbers by value, before text, and text by its bytes.
    ///
    /// Numbers from 2^53 on are compared exactly; npm rounds them to a double, so different ones
    /// may be equal.
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Numeric(left), Self::Numeric(right)) => left.cmp(right),
            (Self::Numeric(_), Self::Text(_)) => Ordering::Less,
            (Self::Text(_), Self::Numeric(_)) => Ordering::Greater,
            (Self::Text(left), Self::Text(right)) => {
                match (large_number(left), large_number(right)) {
                    (Some(_), None) => Ordering::Less,
                    (None, Some(_)) => Ordering::Greater,
                    (left_number, right_number) => {
                        left_number.cmp(&right_number).then_with(|| left.cmp(right))
                    }
                }
            }
        }
    }
}

/// Returns the sort key of a number in text: the count of its digits without leading zeros, then
/// these digits.
fn large_number(text: &str) -> Option<(usize, &str)> {
    let digits = text.trim_start_matches('0');
    text.bytes().all(|byte| byte.is_ascii_digit()).then_some((digits.len(), digits))
}

impl PartialOrd for Identifier {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.major, self.minor, self.patch)
            .cmp(&(other.major, other.minor, other.patch))
            .then_with(|| match (&self.prerelease, &other.prerelease) {
                (None, None) => Ordering::Equal,
                (None, Some(_)) => Ordering::Greater,
                (Some(_), None) => Ordering::Less,
                (Some(left), Some(right)) => left.cmp(right),
            })
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl FromStr for Version {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, VersionError> {
        Self::parse(text)
    }
}

impl fmt::Display for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Numeric(number) => write!(f, "{number}"),
            Self::Text(text) => f.write_str(text),
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)?;
        for (index, identifier) in self.prerelease().iter().enumerate() {
            write!(f, "{}{identifier}", if index == 0 { '-' } else { '.' })?;
        }
        Ok(())
    }
}

impl fmt::Debug for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Version({self})")
    }
}

//! The table `[policy]` of the configuration.

use super::Span;
use crate::pattern::matches;
use dx_pkg_core::Range;
use serde::de::{Deserializer, Error};
use serde::{Deserialize, Serialize};

/// The severity of a vulnerability.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Severity {
    Info,
    Low,
    Moderate,
    High,
    Critical,
}

impl Severity {
    /// Reads the word of an advisory; one that is not known counts as the worst.
    pub(crate) fn of(word: &str) -> Self {
        match word {
            "info" | "none" => Self::Info,
            "low" => Self::Low,
            "moderate" | "medium" => Self::Moderate,
            "high" => Self::High,
            _ => Self::Critical,
        }
    }
}

/// The rules.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Policy {
    /// The age that a version of an upstream must have reached.
    pub(crate) minimum_age: Option<Span>,
    /// What is refused by name.
    pub(crate) deny: Vec<Named>,
    /// The severity from which on a version with a known vulnerability is refused.
    pub(crate) advisories: Option<Severity>,
    /// Whether refusals are only reported.
    pub(crate) dry_run: bool,
    /// What the rules do not hold for.
    pub(crate) exempt: Vec<Named>,
}

/// Names and versions, in a deny list or an exemption.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Named {
    /// A name, in which `*` stands for any characters but `/`: `@acme/*`.
    pub(crate) names: String,
    /// A range; without one, all versions.
    #[serde(default, deserialize_with = "range")]
    pub(crate) versions: Option<Range>,
    /// What clients are told.
    #[serde(default)]
    pub(crate) reason: Option<String>,
    /// The moment from which on the entry no longer holds, in milliseconds since 1970.
    #[serde(default, deserialize_with = "moment")]
    pub(crate) until: Option<u64>,
    /// The rules that an exemption is from: `age`, `deny`, `advisories`; all where none is named.
    #[serde(default)]
    pub(crate) rules: Vec<Rule>,
}

/// A kind of rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Rule {
    Age,
    Deny,
    Advisories,
}

fn range<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Range>, D::Error> {
    let text = String::deserialize(deserializer)?;
    Range::parse(&text).map(Some).map_err(D::Error::custom)
}

/// Reads a date or a time, as text or as TOML has them.
fn moment<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let text = match toml::Value::deserialize(deserializer)? {
        toml::Value::Datetime(time) => time.to_string(),
        toml::Value::String(text) => text,
        _ => return Err(D::Error::custom("until is a date such as 2026-12-31")),
    };
    let whole = if text.len() == 10 { format!("{text}T00:00:00Z") } else { text.clone() };
    let time = crate::time::parse_timestamp(&whole);
    let since = time.and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
    let milliseconds = since.and_then(|since| u64::try_from(since.as_millis()).ok());
    let fault = || format!("{text:?} is no date: write 2026-12-31 or 2026-12-31T12:00:00Z");
    milliseconds.map(Some).ok_or_else(|| D::Error::custom(fault()))
}

impl Named {
    /// Whether the entry is about this version at this time.
    pub(crate) fn holds(&self, name: &str, version: &str, now: u64) -> bool {
        self.until.is_none_or(|until| now < until)
            && matches(&self.names, name)
            && self.versions.as_ref().is_none_or(|range| {
                dx_pkg_core::Version::parse_loose(version)
                    .is_ok_and(|version| range.satisfies_including_prerelease(&version))
            })
    }

    /// Whether the entry is about every version of a name.
    pub(crate) fn holds_for_all(&self, name: &str, now: u64) -> bool {
        self.versions.is_none()
            && self.until.is_none_or(|until| now < until)
            && matches(&self.names, name)
    }
}

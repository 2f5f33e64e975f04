//! What a project's `.npmrc` may set: a clone brings that file along, and must not decide about the
//! user's network and machine, nor weaken what the user demands.
//!
//! Which rule holds for a setting is a column of the option table. A project that the user trusts
//! (`trusted-projects`) may set everything.

use std::path::{Path, PathBuf};

use super::ConfigWarning;
use super::entry::{Entries, Entry};
use super::source::Source;
use super::value::{RawValue, Setting};

/// The influence that a project's `.npmrc` has on a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// It sets it.
    Anyone,
    /// None: only the user does.
    User,
    /// It may set one of these values, from the loosest to the strictest, that is no looser than
    /// the user's.
    Stricter(&'static [&'static str]),
    /// Its list adds to the user's.
    Adds,
    /// It may demand a greater age of versions than the user, and where the user demands none it
    /// sets it.
    Age,
}

/// What is known of a setting when a project's file gives it.
#[derive(Clone, Copy, Debug)]
pub(super) struct ProjectRule {
    pub(super) trust: Trust,
    /// The default as it would be written; empty where there is none.
    pub(super) default: &'static str,
    pub(super) is_switch: bool,
    pub(super) is_valid: fn(&RawValue) -> bool,
}

/// What becomes of a setting of a project's file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It counts, with this value.
    Use(RawValue),
    /// It is one more demand for an age, beside the user's.
    AlsoDemand(RawValue),
    /// It does not count, and says nothing that is not so without it.
    Idle,
    /// It does not count, and the user is told.
    Refused,
}

impl ProjectRule {
    /// Judges a value of a project's file by what the user's files say.
    pub(super) fn verdict(&self, key: &str, value: RawValue, users: &Entries) -> Verdict {
        let own = users.get(key).map(|entry| &entry.value);
        match self.trust {
            Trust::Anyone => Verdict::Use(value),
            // What is not of the setting's kind is an error wherever it is.
            _ if value != RawValue::Null && !(self.is_valid)(&value) => Verdict::Use(value),
            _ if own == Some(&value) || own.is_none() && self.is_nothing(&value) => Verdict::Idle,
            Trust::User => Verdict::Refused,
            Trust::Stricter(words) => self.stricter(words, value, own),
            Trust::Adds => {
                let mut list = own.map(RawValue::list).unwrap_or_default();
                list.extend(value.list());
                Verdict::Use(RawValue::List(list))
            }
            Trust::Age => age_verdict(key, value, users),
        }
    }

    /// Returns whether a value says no more than that there is none.
    fn is_nothing(&self, value: &RawValue) -> bool {
        *value == RawValue::Null || value.list().iter().all(String::is_empty) && !self.is_switch
    }

    fn stricter(
        &self,
        words: &'static [&'static str],
        value: RawValue,
        own: Option<&RawValue>,
    ) -> Verdict {
        let rank = |value: &RawValue| {
            let word = self.word(value);
            words.iter().position(|known| *known == word)
        };
        // Where the default depends on the machine, the strictest value is as good as any.
        let default = words.iter().position(|known| *known == self.default);
        let least = own.map_or(default, rank).unwrap_or(words.len().saturating_sub(1));
        match rank(&value) {
            Some(rank) if own.is_none() && Some(rank) == default => Verdict::Idle,
            Some(rank) if rank >= least => Verdict::Use(value),
            _ => Verdict::Refused,
        }
    }

    /// Returns a value in the word of the table.
    fn word(&self, value: &RawValue) -> String {
        match value {
            RawValue::Null => self.default.to_owned(),
            value if self.is_switch => {
                bool::read(value, None).map_or_else(|| value.display(), |on| on.to_string())
            }
            value => value.display(),
        }
    }
}

/// The settings that demand an age.
pub(super) const AGES: [&str; 3] = ["before", "min-release-age", "minimum-release-age"];

/// Judges a setting about the age of versions. Where the user demands none, a project's file
/// decides as it does about the versions themselves.
fn age_verdict(key: &str, value: RawValue, users: &Entries) -> Verdict {
    let demanded: Vec<&str> =
        AGES.into_iter().filter(|age| users.get(*age).is_some_and(demands)).collect();
    if demanded.is_empty() {
        return Verdict::Use(value);
    }
    // Exceptions, and no age at all, undo what the user demands.
    if !AGES.contains(&key) || value == RawValue::Null {
        return Verdict::Refused;
    }
    let number = |value: &RawValue| f64::read(value, None);
    let own = users.get(key).filter(|_| demanded == [key] && key != "before");
    match own.and_then(|own| number(&own.value)).zip(number(&value)) {
        Some((own, given)) if given <= own => Verdict::Refused,
        None if number(&value) == Some(0.0) => Verdict::Refused,
        _ => Verdict::AlsoDemand(value),
    }
}

/// Returns whether a setting of the user's demands an age.
fn demands(entry: &Entry) -> bool {
    entry.source.is_trusted()
        && entry.value != RawValue::Null
        && f64::read(&entry.value, None) != Some(0.0)
}

/// Returns whether the user trusts the project whose file this is: its folder, or one above it, is
/// listed in `trusted-projects`.
pub(super) fn is_trusted(file: &Path, folders: &RawValue, home: Option<&Path>) -> bool {
    let climbs = file.components().any(|part| part == std::path::Component::ParentDir);
    let folders = Vec::<PathBuf>::read(folders, home).unwrap_or_default();
    !climbs && file.parent().is_some_and(|own| folders.iter().any(|one| own.starts_with(one)))
}

/// The settings of a project's file that do not count, with the lines they are on.
#[derive(Default)]
pub(super) struct Refused {
    keys: Vec<String>,
}

impl Refused {
    pub(super) fn add(&mut self, key: &str, line: Option<usize>) {
        let key = super::redact_urls(key);
        self.keys.push(match line {
            Some(line) => format!("{key} (line {line})"),
            None => key,
        });
    }

    /// Returns the warning, where there is anything to be told.
    pub(super) fn warning(self, file: &Path, origin: Source) -> Option<ConfigWarning> {
        let folder = file.parent().unwrap_or(file).display().to_string();
        let keys = self.keys;
        (!keys.is_empty()).then_some(ConfigWarning::UntrustedProject { keys, origin, folder })
    }
}

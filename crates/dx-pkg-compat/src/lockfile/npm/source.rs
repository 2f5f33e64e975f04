//! The parts of a lockfile's text, with their place in it for errors.

use std::borrow::Cow;

use dx_pkg_lock::name_of_path;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::super::LockfileError;
use super::super::json::Object;

/// The text of a lockfile, for finding the line of a part of it.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) text: &'a str,
}

impl<'a> Source<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text }
    }

    /// Returns the line, from 1, where `part`, a slice of the text, begins.
    fn line(self, part: &str) -> usize {
        self.line_at((part.as_ptr() as usize).saturating_sub(self.text.as_ptr() as usize))
    }

    /// Returns the line of `path`; in version 1, that of the first mention of its last name.
    pub(super) fn line_of(self, path: &str) -> usize {
        let escaped = serde_json::Value::from(path).to_string();
        let found = self.text.find(&escaped).or_else(|| self.text.find(name_of_path(path)));
        self.line_at(found.unwrap_or(0))
    }

    fn line_at(self, offset: usize) -> usize {
        let before = self.text.as_bytes().get(..offset).unwrap_or_default();
        before.iter().filter(|byte| **byte == b'\n').count() + 1
    }
}

/// The entry and key being read, named in errors.
#[derive(Clone, Copy)]
pub(super) struct Place<'a, 'p> {
    pub(super) source: Source<'a>,
    pub(super) entry: Option<&'p str>,
}

impl Place<'_, '_> {
    pub(super) fn error(self, key: &str, part: &str, reason: &'static str) -> LockfileError {
        let entry =
            self.entry.map_or_else(|| "the lockfile".to_owned(), |path| format!("{path:?}"));
        LockfileError::Value { line: self.source.line(part), entry, key: key.to_owned(), reason }
    }

    pub(super) fn read<'de, T: Deserialize<'de>>(
        self,
        key: &str,
        raw: &'de RawValue,
        kind: &'static str,
    ) -> Result<T, LockfileError> {
        serde_json::from_str(raw.get()).map_err(|_| self.error(key, raw.get(), kind))
    }

    pub(super) fn object<'de>(
        self,
        key: &str,
        raw: &'de RawValue,
    ) -> Result<Object<'de>, LockfileError> {
        Object::parse(raw.get()).map_err(|_| self.error(key, raw.get(), "is not an object"))
    }

    /// Reads an object; null and an empty list, which some tools write in its place, have nothing
    /// in them, as for npm.
    pub(super) fn members<'de>(
        self,
        key: &str,
        raw: &'de RawValue,
    ) -> Result<Object<'de>, LockfileError> {
        if is_null(raw) || is_empty_list(raw) {
            return Ok(Object::default());
        }
        self.object(key, raw)
    }

    /// Reads a string; null and false count as none, as for npm.
    pub(super) fn string(self, key: &str, raw: &RawValue) -> Result<Option<String>, LockfileError> {
        if matches!(raw.get(), "null" | "false") {
            return Ok(None);
        }
        self.read(key, raw, "is not a string").map(Some)
    }

    /// Reads a string that tells nothing where it is empty.
    pub(super) fn filled_string(
        self,
        key: &str,
        raw: &RawValue,
    ) -> Result<Option<String>, LockfileError> {
        Ok(self.string(key, raw)?.filter(|text| !text.is_empty()))
    }

    /// Reads an array of strings, or one string; null is none.
    pub(super) fn strings(self, key: &str, raw: &RawValue) -> Result<Vec<String>, LockfileError> {
        if is_null(raw) {
            return Ok(Vec::new());
        }
        if is_string(raw) {
            return self.read(key, raw, "is not a string").map(|text| vec![text]);
        }
        self.read(key, raw, "is not an array of strings")
    }

    /// Reads `bin`: commands with their files, or the file of the command that has the name of the
    /// package. npm passes over what is neither.
    pub(super) fn commands(
        self,
        key: &str,
        raw: &RawValue,
        package: &str,
    ) -> Result<Vec<(String, String)>, LockfileError> {
        if is_string(raw) {
            let command = package.rsplit('/').next().unwrap_or(package);
            return Ok(vec![(command.to_owned(), self.read(key, raw, "is not a string")?)]);
        }
        let mut commands = Vec::new();
        for (name, file) in self.members(key, raw)?.0 {
            if is_string(file) {
                commands.push((name.into_owned(), self.read(key, file, "is not a string")?));
            }
        }
        Ok(commands)
    }

    /// Reads an object of strings.
    pub(super) fn pairs(
        self,
        key: &str,
        raw: &RawValue,
    ) -> Result<Vec<(String, String)>, LockfileError> {
        let pair = |(name, value): (Cow<'_, str>, &RawValue)| {
            let value = self.read(key, value, "holds a value that is not a string")?;
            Ok((name.into_owned(), value))
        };
        self.members(key, raw)?.0.into_iter().map(pair).collect()
    }
}

/// Returns whether a mark is set: whether npm, which asks no more, takes the value for true.
pub(super) fn is_set(raw: &RawValue) -> bool {
    !matches!(raw.get(), "false" | "null" | "0" | "\"\"")
}

pub(super) fn is_number(raw: &RawValue) -> bool {
    raw.get().starts_with(|first: char| first.is_ascii_digit() || first == '-')
}

fn is_null(raw: &RawValue) -> bool {
    raw.get() == "null"
}

fn is_empty_list(raw: &RawValue) -> bool {
    let inner = raw.get().strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    inner.is_some_and(|inner| inner.trim().is_empty())
}

/// Returns whether the value is a string.
pub(super) fn is_string(raw: &RawValue) -> bool {
    raw.get().starts_with('"')
}

/// Reads `peerDependenciesMeta` as npm does: a peer is optional where it is an object whose
/// `optional` is true. Returns whether that is all it has; npm writes what a package has there.
pub(super) fn peer_meta(raw: &RawValue) -> (Vec<(String, bool)>, bool) {
    let Ok(peers) = Object::parse(raw.get()) else { return (Vec::new(), false) };
    let mut is_usual = true;
    let mut meta = Vec::with_capacity(peers.0.len());
    for (name, value) in peers.0 {
        let members = Object::parse(value.get()).unwrap_or_default();
        let optional = members.get("optional").map(RawValue::get);
        is_usual &= members.0.len() == 1 && matches!(optional, Some("true" | "false"));
        let is_false = matches!(optional, None | Some("false" | "null" | "0" | "\"\""));
        meta.push((name.into_owned(), !is_false));
    }
    (meta, is_usual)
}

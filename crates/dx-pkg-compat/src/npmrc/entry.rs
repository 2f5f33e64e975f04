//! The effective value of a setting, with its source.

use std::collections::BTreeMap;

use super::error::{ConfigError, is_secret, redact_urls};
use super::source::Source;
use super::value::RawValue;

/// Settings by their keys.
pub(super) type Entries = BTreeMap<String, Entry>;

/// The effective value of a key, and its source.
pub(super) struct Entry {
    pub(super) value: RawValue,
    pub(super) source: Source,
}

impl Entry {
    pub(super) fn new(value: RawValue, source: Source) -> Entry {
        Entry { value, source }
    }

    /// Returns the value for display, without secrets.
    pub(super) fn shown(&self, key: &str) -> String {
        if is_secret(key) { "***".to_owned() } else { redact_urls(&self.value.display()) }
    }

    /// Returns the error for a value that is not of its setting's kind.
    pub(super) fn invalid(&self, key: &str, allowed: &'static str) -> ConfigError {
        ConfigError::Invalid {
            key: key.to_owned(),
            value: self.shown(key),
            origin: self.source.clone(),
            allowed,
        }
    }
}

//! Settings that dx does not carry out, and values that are not of their setting's kind.

use super::options::{OPTIONS, Support};
use super::value::RawValue;
use super::{Config, ConfigError, Source};

/// A setting with a value that would change the result and that dx does not carry out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsupported {
    /// The setting.
    pub key: &'static str,
    /// Its value.
    pub value: String,
    /// The place where it is set.
    pub origin: Source,
}

impl Config {
    /// Checks every setting that is given, and returns those that dx does not carry out. Ignoring
    /// one would silently change the result, so the caller makes an error of it.
    ///
    /// # Errors
    /// A value that is not of its setting's kind, even if nothing reads the setting.
    pub fn unsupported(&self) -> Result<Vec<Unsupported>, ConfigError> {
        let mut found = Vec::new();
        for option in OPTIONS {
            let Some(entry) = self.inner.entries.get(option.key) else {
                continue;
            };
            if !option.is_valid(&entry.value) {
                return Err(entry.invalid(option.key, option.allowed));
            }
            let Support::Only(supported) = option.support else {
                continue;
            };
            let value = match &entry.value {
                RawValue::Null => continue,
                RawValue::Text(text) if text.is_empty() => "true".to_owned(),
                other => other.display(),
            };
            if !supported.contains(&value.as_str()) {
                found.push(Unsupported {
                    key: option.key,
                    value: entry.shown(option.key),
                    origin: entry.source.clone(),
                });
            }
        }
        Ok(found)
    }
}

//! Settings that would change the result and that dx does not carry out.

use super::value::RawValue;
use super::{Config, Source};

/// A setting that is set to something dx does not do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsupported {
    /// The setting.
    pub key: &'static str,
    /// What it is set to.
    pub value: String,
    /// Where it is set.
    pub origin: Source,
}

/// The values that dx does carry out; every other value of the key is unsupported.
const SUPPORTED: &[(&str, &[&str])] = &[
    ("global-style", &["false"]),
    ("legacy-bundling", &["false"]),
    ("install-strategy", &["hoisted"]),
    ("node-linker", &["hoisted"]),
    ("enable-pnp", &["false"]),
    ("symlink", &["true"]),
    ("prefer-dedupe", &["false"]),
    ("lockfile-version", &["3"]),
    ("install-links", &["false"]),
    ("bin-links", &["true"]),
    ("workspaces", &["true"]),
    ("workspace", &[]),
    ("allow-directory", &["all"]),
    ("dry-run", &["false"]),
    ("global", &["false"]),
    ("format-package-lock", &["true"]),
    ("extension-file", &[]),
];

/// Whether a key is one of those this module knows.
pub(super) fn concerns(key: &str) -> bool {
    SUPPORTED.iter().any(|(known, _)| *known == key)
}

impl Config {
    /// The settings in force that dx does not carry out; ignoring one would change the result
    /// without a word, so the caller makes an error of it.
    #[must_use]
    pub fn unsupported(&self) -> Vec<Unsupported> {
        let mut found = Vec::new();
        for (key, supported) in SUPPORTED {
            let Some(entry) = self.inner.entries.get(*key) else {
                continue;
            };
            let value = match &entry.value {
                RawValue::Null => continue,
                RawValue::Text(text) if text.is_empty() => "true".to_owned(),
                other => other.display(),
            };
            if !supported.contains(&value.as_str()) {
                found.push(Unsupported {
                    key,
                    value: entry.shown(key),
                    origin: entry.source.clone(),
                });
            }
        }
        found
    }
}

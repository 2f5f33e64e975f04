//! npm's own settings as `npm config` shows them: what each may be and what it is without being
//! set, also where dx has no use for it.
//!
//! A setting's value is JSON here, as npm prints it. Reads neither files nor the environment.

mod table;
mod words;

#[cfg(test)]
mod tests;

use std::path::Path;

use dx_pkg_os::files::normal_path;
use serde_json::Value;

use super::expand::expand;
use super::layers::variable;
use super::value::RawValue;

pub use table::DEFINITIONS;
pub use words::{GivenWords, take_words};

/// A setting of npm's.
#[derive(Clone, Copy, Debug)]
pub struct Definition {
    /// Its key.
    pub key: &'static str,
    /// Its default, in JSON.
    pub default: &'static str,
    kinds: &'static str,
    words: &'static [&'static str],
    /// Whether npm advises against it.
    pub is_deprecated: bool,
}

const fn row(
    key: &'static str,
    default: &'static str,
    kinds: &'static str,
    words: &'static [&'static str],
) -> Definition {
    Definition { key, default, kinds, words, is_deprecated: false }
}

/// What paths and `${NAME}` in values depend on.
#[derive(Clone, Copy, Debug)]
pub struct ValueContext<'a> {
    /// The environment.
    pub env: &'a [(String, String)],
    /// The user's home folder.
    pub home: Option<&'a Path>,
    /// The folder that paths are relative to.
    pub folder: &'a Path,
}

impl Definition {
    const fn deprecated(self) -> Self {
        Self { is_deprecated: true, ..self }
    }

    /// Returns the definition of a key.
    #[must_use]
    pub fn find(key: &str) -> Option<&'static Self> {
        DEFINITIONS.binary_search_by(|row| row.key.cmp(key)).ok().map(|at| &DEFINITIONS[at])
    }

    fn has(&self, kind: char) -> bool {
        self.kinds.contains(kind)
    }

    /// Returns whether a flag of this name needs no value.
    #[must_use]
    pub fn is_switch(&self) -> bool {
        self.kinds == "b"
    }

    /// Returns whether a flag of this name may be given without a value.
    fn may_be_switch(&self) -> bool {
        self.has('b')
    }

    /// Returns whether the setting is a list.
    #[must_use]
    pub fn is_list(&self) -> bool {
        self.has('l')
    }

    /// Returns the values that are allowed, in words.
    #[must_use]
    pub fn allowed(&self) -> String {
        let kinds = [
            ('b', "true or false"),
            ('n', "a number"),
            ('s', "a text"),
            ('p', "a path"),
            ('a', "an address"),
            ('v', "a version"),
            ('d', "a date"),
            ('u', "permissions in octal digits"),
            ('0', "null"),
        ];
        let kinds = kinds.iter().filter(|(kind, _)| self.has(*kind)).map(|(_, words)| *words);
        self.words
            .iter()
            .copied()
            .filter(|word| !word.is_empty())
            .chain(kinds)
            .collect::<Vec<_>>()
            .join(", ")
    }

    /// Returns whether a value is one that npm allows.
    #[must_use]
    pub fn allows(&self, value: &Value) -> bool {
        match value {
            Value::Array(items) => self.is_list() && items.iter().all(|item| self.allows(item)),
            Value::Null => self.has('0') || self.default == "null",
            Value::Bool(value) => {
                self.has('b') || self.has('s') || self.is_word(&value.to_string())
            }
            Value::Number(number) => {
                self.has('n') || self.has('u') || self.has('s') || self.is_word(&number.to_string())
            }
            Value::String(text) => {
                self.has('s')
                    || self.has('p')
                    || self.has('d')
                    || self.is_word(text)
                    || self.has('a') && url::Url::parse(text).is_ok()
                    || self.has('v') && dx_pkg_core::Version::parse(text).is_ok()
                    || self.has('u') && u32::from_str_radix(text, 8).is_ok()
            }
            Value::Object(_) => false,
        }
    }

    fn is_word(&self, text: &str) -> bool {
        self.words.contains(&text)
    }
}

/// Returns the value that a text of a file, a variable or a flag stands for, as npm reads it.
#[must_use]
pub fn value_of(key: &str, raw: &RawValue, context: ValueContext<'_>) -> Value {
    let definition = Definition::find(key);
    match raw {
        RawValue::Null => Value::Null,
        RawValue::Bool(value) => (*value).into(),
        RawValue::List(items) if definition.is_some_and(Definition::is_list) => {
            items.iter().map(|item| item_of(definition, item, context)).collect()
        }
        RawValue::List(items) => items.iter().map(String::as_str).collect(),
        RawValue::Text(text) if definition.is_some_and(Definition::is_list) => {
            let items = text.trim().split("\n\n");
            items.map(|item| item_of(definition, item, context)).collect()
        }
        RawValue::Text(text) => item_of(definition, text, context),
    }
}

fn item_of(definition: Option<&Definition>, text: &str, context: ValueContext<'_>) -> Value {
    let text = text.trim();
    let has = |kind: char| definition.is_some_and(|definition| definition.has(kind));
    let is_text = has('s') || has('p');
    if has('b') && !is_text && text.is_empty() {
        return true.into();
    }
    if !is_text && !has('n') {
        match text {
            "true" => return true.into(),
            "false" => return false.into(),
            "null" => return Value::Null,
            _ => {}
        }
    }
    let text = expand(text, &|name| variable(context.env, name).map(str::to_owned)).text;
    if has('p') {
        let path = match text.strip_prefix("~/") {
            Some(rest) => context.home.unwrap_or(context.folder).join(rest),
            None => context.folder.join(&text),
        };
        return normal_path(&path).display().to_string().into();
    }
    if has('u')
        && let Ok(mask) = u32::from_str_radix(&text, 8)
    {
        return mask.into();
    }
    if has('n') && !text.is_empty() {
        if let Ok(whole) = text.parse::<i64>() {
            return whole.into();
        }
        if let Ok(number) = text.parse::<f64>() {
            return number.into();
        }
    }
    text.into()
}

/// Returns whether a key is one of the settings of one registry or scope, such as
/// `//host/:_authToken` and `@scope:registry`.
#[must_use]
pub fn is_of_registry_or_scope(key: &str) -> bool {
    const OF_REGISTRY: [&str; 7] =
        ["_auth", "_authToken", "_password", "certfile", "email", "keyfile", "username"];
    let name = key.rsplit(':').next().unwrap_or(key);
    OF_REGISTRY.contains(&name) || key.starts_with('@') && name == "registry"
}

/// Returns whether a value is never shown: credentials, whoever they are for.
#[must_use]
pub fn is_protected(key: &str) -> bool {
    const PROTECTED: [&str; 7] =
        ["auth", "authToken", "certfile", "email", "keyfile", "password", "username"];
    let of_registry =
        || key.contains(":_") || PROTECTED.iter().any(|name| key.ends_with(&format!(":{name}")));
    key.starts_with('_') || PROTECTED.contains(&key) || key.starts_with("//") && of_registry()
}

//! JSON that keeps its source text, and JSON as `JSON.stringify` and npm's key order write it.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use dx_pkg_lock::locale_compare;

/// An object's members with their values as source text; of a repeated key the last value counts.
#[derive(Debug, Default)]
pub(super) struct Object<'a>(pub(super) Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> Object<'a> {
    /// Parses `text`, which must be an object; anything else, and bad syntax, is an error.
    pub(super) fn parse(text: &'a str) -> serde_json::Result<Self> {
        let mut object: Self = serde_json::from_str(text)?;
        // Stable, so that of equal keys the one written last is last.
        object.0.sort_by(|a, b| a.0.cmp(&b.0));
        let mut kept: Vec<(Cow<'a, str>, &'a RawValue)> = Vec::with_capacity(object.0.len());
        for (key, value) in object.0 {
            match kept.last_mut() {
                Some(last) if last.0 == key => last.1 = value,
                _ => kept.push((key, value)),
            }
        }
        Ok(Self(kept))
    }

    /// Returns the value of `key` as source text.
    pub(super) fn get(&self, key: &str) -> Option<&'a RawValue> {
        let position = self.0.binary_search_by(|(own, _)| own.as_ref().cmp(key)).ok()?;
        self.0.get(position).map(|(_, value)| *value)
    }
}

impl<'de> Deserialize<'de> for Object<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Object<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some((Text(key), value)) = map.next_entry()? {
                    members.push((key, value));
                }
                Ok(Object(members))
            }
        }

        deserializer.deserialize_map(Members)
    }
}

/// Reads a string, borrowed from the source where it holds no escapes.
struct Text<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Borrow;

        impl<'de> Visitor<'de> for Borrow {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }

        deserializer.deserialize_str(Borrow)
    }
}

/// The layout of a document.
#[derive(Clone, Copy, Debug)]
pub(super) struct Format<'a> {
    /// One level of indentation; empty for everything on one line.
    pub(super) indent: &'a str,
    /// The line ending.
    pub(super) newline: &'a str,
}

impl Format<'static> {
    /// Returns the layout of a document on one line.
    const COMPACT: Self = Self { indent: "", newline: "" };
}

impl Default for Format<'_> {
    fn default() -> Self {
        Self { indent: "  ", newline: "\n" }
    }
}

impl<'a> Format<'a> {
    /// Detects the layout that npm takes over from the file it replaces: the line break after the
    /// first brace, and the indentation after it.
    pub(super) fn of(text: &'a str) -> Self {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let default = Self::default();
        let Some(inside) = text.trim_start().strip_prefix(['{', '[']) else {
            return default;
        };
        let breaks = line_breaks(inside);
        let (newline, rest) = inside.split_at(breaks);
        let spaces = rest.len() - rest.trim_start().len();
        // `JSON.stringify` takes ten characters; with none, npm falls back to its own indentation.
        let indent = &rest[..rest[..spaces].char_indices().nth(10).map_or(spaces, |(end, _)| end)];
        Self {
            indent: if newline.is_empty() || indent.is_empty() { default.indent } else { indent },
            newline: if newline.is_empty() { default.newline } else { newline },
        }
    }
}

/// Returns the length in bytes of the line breaks that the text begins with.
fn line_breaks(text: &str) -> usize {
    let mut rest = text;
    while let Some(after) = rest.strip_prefix("\r\n").or_else(|| rest.strip_prefix('\n')) {
        rest = after;
    }
    text.len() - rest.len()
}

/// A value to be written.
#[derive(Clone, Debug)]
pub(super) enum Value<'a> {
    /// A number, boolean or null as JSON.
    Literal(Cow<'a, str>),
    /// A string.
    String(Cow<'a, str>),
    /// An object that is written without sorting.
    Source(Cow<'a, str>),
    /// An array.
    Array(Vec<Value<'a>>),
    /// An object, its members in the order of [`Value::sort`].
    Object(Vec<(Cow<'a, str>, Value<'a>)>),
}

impl<'a> Value<'a> {
    /// Returns `true`.
    pub(super) const TRUE: Self = Self::Literal(Cow::Borrowed("true"));

    /// Returns a string.
    pub(super) fn string(text: &'a str) -> Self {
        Self::String(Cow::Borrowed(text))
    }

    /// Returns an object of strings.
    pub(super) fn strings(pairs: &'a [(String, String)]) -> Self {
        let member =
            |(key, value): &'a (String, String)| (Cow::Borrowed(key.as_str()), Self::string(value));
        Self::Object(pairs.iter().map(member).collect())
    }

    /// Parses JSON; text that is not JSON becomes a string.
    pub(super) fn parse(text: &str) -> Self {
        let parsed = serde_json::from_str::<serde_json::Value>(text);
        parsed.map_or_else(|_| Self::String(Cow::Owned(text.to_owned())), Self::from_serde)
    }

    fn from_serde(value: serde_json::Value) -> Self {
        match value {
            serde_json::Value::Array(items) => {
                Self::Array(items.into_iter().map(Self::from_serde).collect())
            }
            serde_json::Value::Object(members) => {
                let member = |(key, value)| (Cow::Owned(key), Self::from_serde(value));
                Self::Object(members.into_iter().map(member).collect())
            }
            serde_json::Value::String(text) => Self::String(Cow::Owned(text)),
            serde_json::Value::Number(number) => Self::Literal(Cow::Owned(number_text(&number))),
            other => Self::Literal(Cow::Owned(other.to_string())),
        }
    }

    /// Sorts the members of every object into the order in which npm writes them.
    pub(super) fn sort(&mut self) {
        match self {
            Self::Literal(_) | Self::String(_) | Self::Source(_) => {}
            Self::Array(items) => items.iter_mut().for_each(Self::sort),
            Self::Object(members) => {
                members.iter_mut().for_each(|(_, value)| value.sort());
                members.sort_by(|a, b| {
                    member_rank(a).cmp(&member_rank(b)).then_with(|| locale_compare(&a.0, &b.0))
                });
            }
        }
    }

    /// Returns the text that [`canonical`] returns for any spelling of the value.
    pub(super) fn into_canonical(mut self) -> String {
        self.sort();
        let mut out = String::new();
        self.write(&mut out, Format::COMPACT, 0);
        out
    }

    /// Writes the value, which is `depth` levels deep.
    pub(super) fn write(&self, out: &mut String, format: Format<'_>, depth: usize) {
        match self {
            Self::Literal(text) | Self::Source(text) => out.push_str(text),
            Self::String(text) => quote(out, text),
            Self::Array(items) if items.is_empty() => out.push_str("[]"),
            Self::Object(members) if members.is_empty() => out.push_str("{}"),
            Self::Array(items) => {
                out.push('[');
                for (position, item) in items.iter().enumerate() {
                    separate(out, position, format, depth + 1);
                    item.write(out, format, depth + 1);
                }
                break_line(out, format, depth);
                out.push(']');
            }
            Self::Object(members) => {
                out.push('{');
                for (position, (key, value)) in members.iter().enumerate() {
                    separate(out, position, format, depth + 1);
                    quote(out, key);
                    out.push_str(if format.indent.is_empty() { ":" } else { ": " });
                    value.write(out, format, depth + 1);
                }
                break_line(out, format, depth);
                out.push('}');
            }
        }
    }
}

/// Returns JSON on one line with its members in npm's order: the same text for every spelling of a
/// value.
pub(super) fn canonical(text: &str) -> String {
    Value::parse(text).into_canonical()
}

/// Writes the text as a JSON string, escaped as `JSON.stringify` does.
pub(super) fn quote(out: &mut String, text: &str) {
    if text.bytes().any(|byte| byte < b' ' || byte == b'"' || byte == b'\\') {
        out.push_str(&serde_json::Value::from(text).to_string());
    } else {
        out.push('"');
        out.push_str(text);
        out.push('"');
    }
}

/// Compares two keys. Array indices come first, as in every JavaScript object; objects come after
/// all other values, and within both parts npm prefers some keys at every level.
fn member_rank((key, value): &(Cow<'_, str>, Value<'_>)) -> (u8, u32) {
    if let Some(index) = array_index(key) {
        return (0, index);
    }
    let place = match key.as_ref() {
        "name" => 0,
        "version" => 1,
        "lockfileVersion" => 2,
        "resolved" => 3,
        "integrity" => 4,
        "requires" => 5,
        "packages" => 6,
        "dependencies" => 7,
        _ => 8,
    };
    (if matches!(value, Value::Object(_) | Value::Source(_)) { 2 } else { 1 }, place)
}

fn array_index(key: &str) -> Option<u32> {
    if !key.starts_with(|first: char| first.is_ascii_digit())
        || (key.starts_with('0') && key != "0")
    {
        return None;
    }
    key.parse().ok().filter(|index| *index != u32::MAX)
}

/// Returns a number as JavaScript prints it.
fn number_text(number: &serde_json::Number) -> String {
    match number.as_f64() {
        Some(float) if number.is_f64() => {
            let size = float.abs();
            if size != 0.0 && !(1e-6..1e21).contains(&size) {
                let text = format!("{float:e}");
                if text.contains("e-") { text } else { text.replace('e', "e+") }
            } else if float == 0.0 {
                "0".to_owned()
            } else {
                float.to_string()
            }
        }
        _ => number.to_string(),
    }
}

fn separate(out: &mut String, position: usize, format: Format<'_>, depth: usize) {
    if position > 0 {
        out.push(',');
    }
    break_line(out, format, depth);
}

fn break_line(out: &mut String, format: Format<'_>, depth: usize) {
    if !format.indent.is_empty() {
        out.push_str(format.newline);
        for _ in 0..depth {
            out.push_str(format.indent);
        }
    }
}

#[cfg(test)]
mod tests;

//! Any JSON value as compact text, as JavaScript's `JSON.stringify` writes it.

use std::fmt;

use serde::de::{MapAccess, SeqAccess};

use super::shape::{Key, Lenient, Shape, Text};

/// Compact JSON text.
pub(super) struct Json(String);

impl Default for Json {
    fn default() -> Self {
        Self("null".to_owned())
    }
}

impl fmt::Display for Json {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl Json {
    /// Reads an object and passes each of its members to a callback.
    pub(super) fn of_object<'de, M: MapAccess<'de>>(
        mut map: M,
        mut member: impl FnMut(&str, &Self),
    ) -> Result<Self, M::Error> {
        let mut text = String::from("{");
        while let Some((Key(key), Lenient(value))) = map.next_entry::<Key<'de>, Lenient<Self>>()? {
            member(&key, &value);
            if text.len() > 1 {
                text.push(',');
            }
            text.push_str(&quoted(&key));
            text.push(':');
            text.push_str(&value.0);
        }
        text.push('}');
        Ok(Self(text))
    }

    /// Returns the text of a JSON string; `None` for other values.
    pub(super) fn as_text(&self) -> Option<String> {
        serde_json::from_str(&self.0).ok()
    }

    /// Returns JSON text that was composed already.
    pub(super) fn of(text: String) -> Self {
        Self(text)
    }

    /// Returns whether the value is true for JavaScript.
    pub(super) fn is_true(&self) -> bool {
        !matches!(&*self.0, "null" | "false" | "0" | "\"\"")
    }

    /// Returns the JSON, unless it is empty or false.
    pub(super) fn filled(self) -> Option<String> {
        (self.is_true() && !matches!(&*self.0, "{}" | "[]")).then_some(self.0)
    }
}

impl<'de> Shape<'de> for Json {
    fn text(text: Text<'de>) -> Self {
        Self(quoted(&text))
    }

    fn flag(flag: bool) -> Self {
        Self(flag.to_string())
    }

    fn number(number: f64) -> Self {
        // JavaScript writes whole numbers without a fraction up to here.
        const LARGEST_PLAIN: f64 = 1e21;
        if number.fract() == 0.0 && number.abs() < LARGEST_PLAIN {
            return Self(format!("{:.0}", number + 0.0));
        }
        Self(serde_json::Number::from_f64(number).map_or("null".to_owned(), |n| n.to_string()))
    }

    fn object<M: MapAccess<'de>>(map: M) -> Result<Self, M::Error> {
        Self::of_object(map, |_, _| {})
    }

    fn array<S: SeqAccess<'de>>(mut sequence: S) -> Result<Self, S::Error> {
        let mut text = String::from("[");
        while let Some(Lenient(value)) = sequence.next_element::<Lenient<Self>>()? {
            if text.len() > 1 {
                text.push(',');
            }
            text.push_str(&value.0);
        }
        text.push(']');
        Ok(Self(text))
    }
}

pub(super) fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

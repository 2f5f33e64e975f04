//! The layout of a text, and new parts in the same layout.

use serde::Serialize;
use serde_json::Value;
use serde_json::ser::{PrettyFormatter, Serializer};

use crate::manifest::text::{Container, Object, skip_space};

/// The indentation and line ends of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Layout {
    /// One level of indentation; `None` where the text is all on one line.
    unit: Option<String>,
    newline: &'static str,
}

impl Layout {
    /// Detects the layout from the whitespace before the first member, as npm does; an empty object
    /// stands for two spaces.
    pub(super) fn of(text: &str, root: usize) -> Layout {
        let bytes = text.as_bytes();
        let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
        let first = skip_space(bytes, root + 1);
        let space = &text[root + 1..first];
        let unit = match space.rsplit_once('\n') {
            _ if bytes.get(first) == Some(&b'}') => Some("  ".to_owned()),
            Some((_, unit)) => Some(unit.to_owned()),
            None => None,
        };
        Layout { unit, newline }
    }

    /// Returns a layout for tests.
    #[cfg(test)]
    pub(super) fn for_tests(unit: Option<&str>, newline: &'static str) -> Layout {
        let unit = unit.map(str::to_owned);
        Layout { unit, newline }
    }

    /// Returns a line end and the indentation of a level; nothing where the text is on one line.
    pub(super) fn line(&self, depth: usize) -> String {
        match &self.unit {
            Some(unit) => format!("{}{}", self.newline, unit.repeat(depth)),
            None => String::new(),
        }
    }

    /// Returns the whitespace before a new member of an object at a level: that of its last member.
    pub(super) fn space(&self, text: &str, container: &Container, depth: usize) -> String {
        match container.items.len().checked_sub(1) {
            Some(last) => container.space_before(text, last).to_owned(),
            None => self.line(depth + 1),
        }
    }

    /// Returns a new member of an object at a level.
    pub(super) fn member(
        &self,
        text: &str,
        object: &Object,
        depth: usize,
        key: &str,
        value: &Value,
    ) -> String {
        let colon = match object.members.last() {
            Some(member) => &text[member.key_span.end..member.value.start],
            None if self.unit.is_some() => ": ",
            None => ":",
        };
        let key = Value::from(key).to_string();
        format!("{key}{colon}{}", self.render(value, depth + 1))
    }

    /// Returns a value whose closing bracket is at a level.
    pub(super) fn render(&self, value: &Value, depth: usize) -> String {
        let Some(unit) = &self.unit else {
            return value.to_string();
        };
        let mut bytes = Vec::new();
        let formatter = PrettyFormatter::with_indent(unit.as_bytes());
        let mut serializer = Serializer::with_formatter(&mut bytes, formatter);
        // Writing a `Value` to memory cannot fail: its keys are strings.
        let written = value.serialize(&mut serializer);
        match (written, String::from_utf8(bytes)) {
            (Ok(()), Ok(rendered)) => rendered.replace('\n', &self.line(depth)),
            _ => value.to_string(),
        }
    }
}

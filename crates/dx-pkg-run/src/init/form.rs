//! The form of a JSON file: its indentation and its ends of lines, as npm keeps them.

use serde::Serialize;
use serde_json::ser::PrettyFormatter;
use serde_json::{Map, Serializer, Value};

/// Indentation and end of lines.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Form {
    indent: String,
    newline: String,
}

impl Default for Form {
    fn default() -> Self {
        Form { indent: "  ".to_owned(), newline: "\n".to_owned() }
    }
}

impl Form {
    /// Returns the form of a file: that of its first member. One on a single line stays on it.
    pub(super) fn of(text: Option<&str>) -> Self {
        let Some(text) = text else { return Form::default() };
        let text = text.trim_start_matches('\u{feff}');
        let Some(inner) = text.trim_start().strip_prefix('{') else { return Form::default() };
        if inner.trim() == "}" {
            return Form::default();
        }
        let space = &inner[..inner.len() - inner.trim_start().len()];
        let Some(end) = space.rfind('\n') else {
            return Form { indent: String::new(), newline: String::new() };
        };
        let newline = if space[..end].ends_with('\r') { "\r\n" } else { "\n" };
        Form { indent: space[end + 1..].to_owned(), newline: newline.to_owned() }
    }

    /// Returns an object as text, with an end of line behind it.
    pub(super) fn write(&self, object: &Map<String, Value>) -> String {
        if self.indent.is_empty() {
            let text = serde_json::to_string(object).unwrap_or_default();
            return format!("{text}{}", self.newline);
        }
        let mut bytes = Vec::new();
        let formatter = PrettyFormatter::with_indent(self.indent.as_bytes());
        let mut serializer = Serializer::with_formatter(&mut bytes, formatter);
        // Neither writing into memory nor an object of texts can fail.
        let _ = object.serialize(&mut serializer);
        let text = String::from_utf8(bytes).unwrap_or_default();
        format!("{text}\n").replace('\n', &self.newline)
    }
}

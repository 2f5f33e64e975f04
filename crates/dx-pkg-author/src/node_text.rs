//! Values as Node.js prints them with `util.inspect`, which is npm's output for people.
//!
//! Follows the rules of Node.js 24 for what JSON can hold, without colours, in lines of 80
//! characters.

use serde_json::{Map, Value};

/// The longest line, in characters.
const LINE: usize = 80;
/// The number of nested levels that may share one line.
const COMPACT: usize = 3;
/// A text that is not longer is never split.
const UNSPLIT: usize = 16;

/// How much of a value is shown.
#[derive(Clone, Copy, Debug)]
pub struct Shown {
    /// The number of levels below the first.
    pub depth: usize,
    /// The most items of a list.
    pub items: usize,
}

impl Default for Shown {
    /// Returns what `console.log` shows.
    fn default() -> Self {
        Self { depth: 2, items: 100 }
    }
}

/// Returns a value as `console.log` prints it: a text as it is, all else as [`inspect`].
#[must_use]
pub fn printed(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => inspect(other, Shown::default()),
    }
}

/// Returns a value as Node.js shows it, texts in quotes.
#[must_use]
pub fn inspect(value: &Value, shown: Shown) -> String {
    Writer { shown, indentation: 0, deepest: 0 }.value(value, 0)
}

/// Returns a value as JavaScript turns it into text, for example in a template.
#[must_use]
pub fn as_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Object(_) => "[object Object]".to_owned(),
        Value::Array(items) => {
            let part = |item: &Value| if item.is_null() { String::new() } else { as_text(item) };
            items.iter().map(part).collect::<Vec<_>>().join(",")
        }
        other => other.to_string(),
    }
}

struct Writer {
    shown: Shown,
    indentation: usize,
    /// The level of the list or object that was written last.
    deepest: usize,
}

impl Writer {
    fn value(&mut self, value: &Value, level: usize) -> String {
        match value {
            Value::String(text) => self.text(text),
            Value::Array(items) if items.is_empty() => "[]".to_owned(),
            Value::Object(members) if members.is_empty() => "{}".to_owned(),
            Value::Array(_) if level > self.shown.depth => "[Array]".to_owned(),
            Value::Object(_) if level > self.shown.depth => "[Object]".to_owned(),
            Value::Array(items) => self.list(items, level + 1),
            Value::Object(members) => self.object(members, level + 1),
            other => other.to_string(),
        }
    }

    fn text(&self, text: &str) -> String {
        let length = length(text);
        if length <= UNSPLIT || length + self.indentation + 4 <= LINE {
            return quoted(text);
        }
        let lines: Vec<String> = text.split_inclusive('\n').map(quoted).collect();
        lines.join(&format!(" +\n{}", " ".repeat(self.indentation + 2)))
    }

    fn list(&mut self, items: &[Value], level: usize) -> String {
        self.deepest = level;
        let count = items.len().min(self.shown.items);
        let mut parts: Vec<String> =
            items[..count].iter().map(|item| self.nested(item, level)).collect();
        let more = items.len() - count;
        if more > 0 {
            parts.push(format!("... {more} more item{}", if more > 1 { "s" } else { "" }));
        }
        let entries = parts.len();
        if entries > 6 {
            parts = self.grouped(parts, items, more > 0);
        }
        self.joined(&parts, ('[', ']'), level, entries == parts.len())
    }

    fn object(&mut self, members: &Map<String, Value>, level: usize) -> String {
        self.deepest = level;
        let mut parts = Vec::with_capacity(members.len());
        for (key, value) in members {
            let name = match key.as_str() {
                "__proto__" => "['__proto__']".to_owned(),
                key if is_word(key) => key.to_owned(),
                key => quoted(key),
            };
            parts.push(format!("{name}: {}", self.nested(value, level)));
        }
        self.joined(&parts, ('{', '}'), level, true)
    }

    fn nested(&mut self, value: &Value, level: usize) -> String {
        self.indentation += 2;
        let text = self.value(value, level);
        self.indentation -= 2;
        text
    }

    /// Joins the parts of a list or object, on one line where they have room there.
    fn joined(
        &self,
        parts: &[String],
        (open, close): (char, char),
        level: usize,
        may_be_one_line: bool,
    ) -> String {
        if may_be_one_line && self.deepest - level.min(self.deepest) < COMPACT {
            let start = parts.len() + self.indentation + 11;
            let total = parts.iter().map(|part| length(part)).sum::<usize>() + parts.len() + start;
            if total <= LINE && !parts.iter().any(|part| part.contains('\n')) {
                return format!("{open} {} {close}", parts.join(", "));
            }
        }
        let line = format!("\n{}", " ".repeat(self.indentation));
        let inside = parts.join(&format!(",{line}  "));
        format!("{open}{line}  {inside}{line}{close}")
    }

    /// Puts the items of a long list into columns, where at least three of them have room.
    #[allow(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "Node.js computes the number of columns in floating point"
    )]
    fn grouped(&self, parts: Vec<String>, items: &[Value], has_rest: bool) -> Vec<String> {
        const SEPARATOR: usize = 2;
        let count = parts.len() - usize::from(has_rest);
        let lengths: Vec<usize> = parts[..count].iter().map(|part| length(part)).collect();
        let total: usize = lengths.iter().map(|length| length + SEPARATOR).sum();
        let longest = lengths.iter().copied().max().unwrap_or_default();
        let widest = longest + SEPARATOR;
        let fits = widest * 3 + self.indentation < LINE;
        if !fits || !(total as f64 / widest as f64 > 5.0 || longest <= 6) {
            return parts;
        }
        let bias = (widest as f64 - total as f64 / parts.len() as f64).sqrt();
        let biased = (widest as f64 - 3.0 - bias).max(1.0);
        let square = ((2.5 * biased * count as f64).sqrt() / biased + 0.5).floor() as usize;
        let columns = square.min((LINE - self.indentation) / widest).min(COMPACT * 4).min(15);
        if columns <= 1 {
            return parts;
        }
        let widths: Vec<usize> = (0..columns)
            .map(|column| {
                let own = lengths.iter().skip(column).step_by(columns);
                own.copied().max().unwrap_or_default() + SEPARATOR
            })
            .collect();
        let are_numbers = items.iter().take(parts.len()).all(Value::is_number);
        let mut rows = Vec::new();
        for row in parts[..count].chunks(columns) {
            let mut line = String::new();
            for (column, part) in row.iter().enumerate() {
                let is_last = column + 1 == row.len();
                let text = if is_last { part.clone() } else { format!("{part}, ") };
                let width = widths[column] - if is_last { SEPARATOR } else { 0 };
                let padding = " ".repeat(width.saturating_sub(length(&text)));
                match (are_numbers, is_last) {
                    (true, _) => line.push_str(&format!("{padding}{text}")),
                    (false, false) => line.push_str(&format!("{text}{padding}")),
                    (false, true) => line.push_str(&text),
                }
            }
            rows.push(line);
        }
        rows.extend(parts.into_iter().skip(count));
        rows
    }
}

/// Returns the length of a text as JavaScript counts it.
fn length(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

/// Returns whether a key needs no quotes.
fn is_word(key: &str) -> bool {
    let mut bytes = key.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Returns a text in the quotes that need the fewest escapes.
fn quoted(text: &str) -> String {
    let quote = match text {
        text if !text.contains('\'') => '\'',
        text if !text.contains('"') => '"',
        text if !text.contains('`') && !text.contains("${") => '`',
        _ => '\'',
    };
    let mut shown = String::with_capacity(text.len() + 2);
    shown.push(quote);
    for character in text.chars() {
        match character {
            '\u{8}' => shown.push_str("\\b"),
            '\t' => shown.push_str("\\t"),
            '\n' => shown.push_str("\\n"),
            '\u{c}' => shown.push_str("\\f"),
            '\r' => shown.push_str("\\r"),
            '\\' => shown.push_str("\\\\"),
            '\'' if quote == '\'' => shown.push_str("\\'"),
            c if u32::from(c) < 0x20 || (0x7f..0xa0).contains(&u32::from(c)) => {
                shown.push_str(&format!("\\x{:02X}", u32::from(c)));
            }
            c => shown.push(c),
        }
    }
    shown.push(quote);
    shown
}

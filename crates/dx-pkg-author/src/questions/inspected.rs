//! Values as Node.js shows them (`util.inspect` with depth 5), which is how npm prints fields.

use serde_json::Value;

/// The most levels that are shown.
const DEPTH: usize = 5;
/// The longest line that entries share.
const LINE: usize = 80;
/// The number of innermost levels that may share a line.
const COMPACT: usize = 3;
/// The longest text that is shown.
const LONGEST: usize = 10_000;

/// Returns a value in Node's notation.
pub(super) fn inspected(value: Option<&Value>) -> String {
    Shown::default().value(value, 0)
}

/// The state of one value that is shown.
#[derive(Default)]
struct Shown {
    indent: usize,
    /// The level of the innermost object that was shown last.
    deepest: usize,
}

impl Shown {
    fn value(&mut self, value: Option<&Value>, level: usize) -> String {
        match value {
            None => "undefined".to_owned(),
            Some(Value::Null) => "null".to_owned(),
            Some(Value::Bool(value)) => value.to_string(),
            Some(Value::Number(number)) => match number.as_f64() {
                Some(float) if number.is_f64() && float.fract() == 0.0 && float.abs() < 1e21 => {
                    format!("{float:.0}")
                }
                _ => number.to_string(),
            },
            Some(Value::String(text)) => self.text(text),
            Some(Value::Array(items)) => self.list(items, level),
            Some(Value::Object(members)) => {
                if members.is_empty() {
                    return "{}".to_owned();
                }
                if level > DEPTH {
                    return "[Object]".to_owned();
                }
                self.deepest = level + 1;
                let mut entries = Vec::with_capacity(members.len());
                for (key, value) in members {
                    self.indent += 2;
                    let value = self.value(Some(value), level + 1);
                    self.indent -= 2;
                    entries.push(format!("{}: {value}", name(key)));
                }
                self.joined(entries, ['{', '}'], None, level + 1)
            }
        }
    }

    fn list(&mut self, items: &[Value], level: usize) -> String {
        if items.is_empty() {
            return "[]".to_owned();
        }
        if level > DEPTH {
            return "[Array]".to_owned();
        }
        self.deepest = level + 1;
        let mut entries = Vec::with_capacity(items.len());
        for item in items {
            self.indent += 2;
            entries.push(self.value(Some(item), level + 1));
            self.indent -= 2;
        }
        self.joined(entries, ['[', ']'], Some(items), level + 1)
    }

    /// Joins entries on one line where they fit, else on a line each.
    fn joined(
        &self,
        entries: Vec<String>,
        [open, close]: [char; 2],
        items: Option<&[Value]>,
        level: usize,
    ) -> String {
        let count = entries.len();
        let entries = match items {
            Some(items) if count > 6 => self.grouped(entries, items),
            _ => entries,
        };
        if self.deepest - level < COMPACT && entries.len() == count {
            let start = entries.len() + self.indent + 1 + 10;
            let total: usize = entries.iter().map(|entry| length(entry)).sum();
            let fits = entries.len() + start + entries.len() <= LINE
                && total + entries.len() + start <= LINE;
            if fits && !entries.iter().any(|entry| entry.contains('\n')) {
                return format!("{open} {} {close}", entries.join(", "));
            }
        }
        let line = format!("\n{}", " ".repeat(self.indent));
        let entries = entries.join(&format!(",{line}  "));
        format!("{open}{line}  {entries}{line}{close}")
    }

    /// Puts the entries of a long list into columns.
    fn grouped(&self, entries: Vec<String>, items: &[Value]) -> Vec<String> {
        const SEPARATOR: usize = 2;
        let lengths: Vec<usize> = entries.iter().map(|entry| entry.chars().count()).collect();
        let total: usize = lengths.iter().map(|length| length + SEPARATOR).sum();
        let longest = lengths.iter().copied().max().unwrap_or(0);
        let widest = longest + SEPARATOR;
        if widest * 3 + self.indent >= LINE || (total <= 5 * widest && longest > 6) {
            return entries;
        }
        let columns = self.columns(entries.len(), total, widest);
        if columns <= 1 {
            return entries;
        }
        let widths: Vec<usize> = (0..columns)
            .map(|column| {
                let column = lengths.iter().skip(column).step_by(columns);
                column.copied().max().unwrap_or(0) + SEPARATOR
            })
            .collect();
        let are_numbers = items.iter().all(Value::is_number);
        let rows = entries.chunks(columns).map(|row| {
            let mut line = String::new();
            for (place, entry) in row.iter().enumerate() {
                let is_last = place + 1 == row.len();
                let width = widths[place];
                match (are_numbers, is_last) {
                    (true, true) => line.push_str(&format!("{entry:>0$}", width - SEPARATOR)),
                    (true, false) => line.push_str(&format!("{:>width$}", format!("{entry}, "))),
                    (false, true) => line.push_str(entry),
                    (false, false) => line.push_str(&format!("{:<width$}", format!("{entry}, "))),
                }
            }
            line
        });
        rows.collect()
    }

    /// Returns the number of columns in which a list looks about square.
    fn columns(&self, count: usize, total: usize, widest: usize) -> usize {
        let (count, total) = (count as f64, total as f64);
        let bias = (widest as f64 - total / count).sqrt();
        let biased = (widest as f64 - 3.0 - bias).max(1.0);
        let square = ((2.5 * biased * count).sqrt() / biased).round();
        let square = if square.is_finite() { square as usize } else { 1 };
        square.min((LINE - self.indent) / widest).min(COMPACT * 4).min(15)
    }

    fn text(&self, text: &str) -> String {
        let whole = length(text);
        let (text, rest) = if whole > LONGEST {
            let kept: String = text.chars().take(LONGEST).collect();
            let left = whole - length(&kept);
            let plural = if left == 1 { "" } else { "s" };
            (kept, format!("... {left} more character{plural}"))
        } else {
            (text.to_owned(), String::new())
        };
        let kept = length(&text);
        if kept > 16 && kept > LINE.saturating_sub(self.indent + 4) {
            let next = format!(" +\n{}", " ".repeat(self.indent + 2));
            let lines: Vec<String> = text.split_inclusive('\n').map(quoted).collect();
            return lines.join(&next) + &rest;
        }
        quoted(&text) + &rest
    }
}

/// Returns the length of a text as JavaScript counts it.
fn length(text: &str) -> usize {
    text.encode_utf16().count()
}

/// Returns a key as it stands before a colon.
fn name(key: &str) -> String {
    let mut letters = key.chars();
    let is_word = letters.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && letters.all(|c| c.is_ascii_alphanumeric() || c == '_');
    if is_word { key.to_owned() } else { quoted(key) }
}

/// Returns a text in the quotes that it does not hold itself, with escapes.
fn quoted(text: &str) -> String {
    let quote = match text {
        text if !text.contains('\'') => '\'',
        text if !text.contains('"') => '"',
        text if !text.contains('`') && !text.contains("${") => '`',
        _ => '\'',
    };
    let mut shown = String::with_capacity(text.len() + 2);
    shown.push(quote);
    for c in text.chars() {
        match c {
            '\u{8}' => shown.push_str("\\b"),
            '\t' => shown.push_str("\\t"),
            '\n' => shown.push_str("\\n"),
            '\u{c}' => shown.push_str("\\f"),
            '\r' => shown.push_str("\\r"),
            '\\' => shown.push_str("\\\\"),
            '\'' if quote == '\'' => shown.push_str("\\'"),
            c if u32::from(c) < 32 || (127..160).contains(&u32::from(c)) => {
                shown.push_str(&format!("\\x{:02X}", u32::from(c)));
            }
            c => shown.push(c),
        }
    }
    shown.push(quote);
    shown
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_look_as_in_node() {
        let numbers: Vec<u32> = (0..30).collect();
        let versions: Vec<String> = (0..20).map(|n| format!("1.{n}.0")).collect();
        for (value, expected) in [
            (json!({ "a": 1, "b-c": "x" }), "{ a: 1, 'b-c': 'x' }"),
            (json!([]), "[]"),
            (json!({}), "{}"),
            (json!("it's"), "\"it's\""),
            (json!("a\n'\"`b"), "'a\\n\\'\"`b'"),
            (json!({ "a": { "b": { "c": { "d": 1 } } } }), "{\n  a: { b: { c: { d: 1 } } }\n}"),
            (
                json!(numbers),
                "[\n   0,  1,  2,  3,  4,  5,  6,  7,  8,\n   9, 10, 11, 12, 13, 14, 15, 16, 17,\n  18, \
                 19, 20, 21, 22, 23, 24, 25, 26,\n  27, 28, 29\n]",
            ),
            (
                json!(versions),
                "[\n  '1.0.0',  '1.1.0',  '1.2.0',\n  '1.3.0',  '1.4.0',  '1.5.0',\n  '1.6.0',  \
                 '1.7.0',  '1.8.0',\n  '1.9.0',  '1.10.0', '1.11.0',\n  '1.12.0', '1.13.0', '1.14.0',\n  \
                 '1.15.0', '1.16.0', '1.17.0',\n  '1.18.0', '1.19.0'\n]",
            ),
        ] {
            assert_eq!(inspected(Some(&value)), expected);
        }
        assert_eq!(inspected(None), "undefined");
    }
}

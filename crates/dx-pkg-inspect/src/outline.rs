//! Manifests as npm shows them in a list, made from their text: members that nothing looks at are
//! laid out anew without being read into values.

use std::ops::Range;

use serde_json::{Map, Value};

/// The members of an object.
pub(crate) type Members = Map<String, Value>;

/// The deepest objects and lists, beyond which values are read.
const DEEPEST: usize = 100;
/// The most members of an object, beyond which values are read.
const MOST: usize = 64;
/// The columns before a member of a package in a list.
const COLUMN: usize = 4;

/// A manifest, of which some members are text only.
#[derive(Debug, Default)]
pub(crate) struct Outline {
    /// The members; those that are text only are null.
    pub(crate) members: Members,
    /// The members that are text only, in their order: the key, and where its value is in `text`.
    laid_out: Vec<(String, Range<usize>)>,
    text: String,
}

impl Outline {
    /// Returns a manifest that was read as a whole.
    pub(crate) fn whole(members: Members) -> Self {
        Outline { members, ..Outline::default() }
    }

    /// Reads the members of an object that `is_read` names, and lays out the others. Leaves out
    /// those that npm leaves out, whose names begin with `_`. `None` where the text has to be read
    /// as a whole: it is no object, or an unusual one.
    pub(crate) fn of_text(text: &str, is_read: impl Fn(&str) -> bool) -> Option<Self> {
        let mut scan = Scan { text, at: 0, out: String::new(), keys: Vec::new(), depth: 0 };
        let mut found = Outline::default();
        scan.expect(b'{')?;
        if scan.next()? == b'}' {
            return None;
        }
        loop {
            let key = scan.key()?;
            scan.expect(b':')?;
            scan.next()?;
            let (from, start) = (scan.at, scan.out.len());
            scan.value(COLUMN)?;
            if key.starts_with('_') {
                scan.out.truncate(start);
            } else {
                let value = if is_read(key) {
                    scan.out.truncate(start);
                    serde_json::from_str(&text[from..scan.at]).ok()?
                } else {
                    found.laid_out.push((key.to_owned(), start..scan.out.len()));
                    Value::Null
                };
                if found.members.insert(key.to_owned(), value).is_some() {
                    return None;
                }
            }
            match scan.next()? {
                b',' => scan.at += 1,
                b'}' => break,
                _ => return None,
            }
        }
        scan.at += 1;
        if scan.next().is_some() {
            return None;
        }
        found.text = scan.out;
        Some(found)
    }

    /// Returns the manifest as it stands in a list, with a member in each line.
    pub(crate) fn in_list(&self) -> String {
        let mut out = String::with_capacity(self.text.len() + 1024);
        out.push_str("  {");
        let mut laid_out = self.laid_out.iter().peekable();
        for (number, (key, value)) in self.members.iter().enumerate() {
            out.push_str(if number == 0 { "\n    " } else { ",\n    " });
            out.push_str(&serde_json::to_string(key).unwrap_or_default());
            out.push_str(": ");
            match laid_out.next_if(|(known, _)| known == key) {
                Some((_, place)) => out.push_str(&self.text[place.clone()]),
                None => out.push_str(&pretty(value)),
            }
        }
        out.push_str(if self.members.is_empty() { "}" } else { "\n  }" });
        out
    }
}

/// Returns a value as it stands behind a member's name.
fn pretty(value: &Value) -> String {
    match value {
        Value::Array(_) | Value::Object(_) => {
            serde_json::to_string_pretty(value).unwrap_or_default().replace('\n', "\n    ")
        }
        plain => plain.to_string(),
    }
}

/// A walk through JSON that lays it out anew.
struct Scan<'t> {
    text: &'t str,
    at: usize,
    out: String,
    /// The keys of the objects that the walk is in.
    keys: Vec<&'t str>,
    depth: usize,
}

impl<'t> Scan<'t> {
    /// Passes over white space; returns what follows, and leaves it.
    fn next(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        while matches!(bytes.get(self.at), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
        bytes.get(self.at).copied()
    }

    fn expect(&mut self, wanted: u8) -> Option<()> {
        (self.next()? == wanted).then(|| self.at += 1)
    }

    /// Passes over a text in quotes; returns it with them, and whether it has escapes.
    fn quoted(&mut self) -> Option<(&'t str, bool)> {
        let (start, bytes) = (self.at, self.text.as_bytes());
        let mut has_escapes = false;
        self.at += 1;
        loop {
            match bytes.get(self.at)? {
                b'"' => break,
                b'\\' => {
                    has_escapes = true;
                    self.at += 2;
                }
                0..=0x1f => return None,
                _ => self.at += 1,
            }
        }
        self.at += 1;
        Some((self.text.get(start..self.at)?, has_escapes))
    }

    /// Passes over a key; `None` for one with escapes, which may be the same as another.
    fn key(&mut self) -> Option<&'t str> {
        if self.next()? != b'"' {
            return None;
        }
        let (quoted, has_escapes) = self.quoted()?;
        (!has_escapes).then(|| &quoted[1..quoted.len() - 1])
    }

    fn line(&mut self, column: usize) {
        const SPACES: &str = "                                ";
        self.out.push('\n');
        let mut left = column;
        while left > 0 {
            let some = left.min(SPACES.len());
            self.out.push_str(&SPACES[..some]);
            left -= some;
        }
    }

    /// Passes over a value and lays it out; its lines but the first begin in `column`.
    fn value(&mut self, column: usize) -> Option<()> {
        match self.next()? {
            b'{' => self.nested(column, b'}'),
            b'[' => self.nested(column, b']'),
            b'"' => {
                let (quoted, has_escapes) = self.quoted()?;
                if has_escapes {
                    return self.as_read(quoted);
                }
                self.out.push_str(quoted);
                Some(())
            }
            _ => {
                let rest = &self.text[self.at..];
                let ends = |c: char| matches!(c, ',' | ']' | '}' | ' ' | '\n' | '\r' | '\t');
                let word = &rest[..rest.find(ends).unwrap_or(rest.len())];
                self.at += word.len();
                self.as_read(word)
            }
        }
    }

    /// Writes a value as it is once it was read.
    fn as_read(&mut self, text: &str) -> Option<()> {
        let value: Value = serde_json::from_str(text).ok()?;
        self.out.push_str(&value.to_string());
        Some(())
    }

    fn nested(&mut self, column: usize, end: u8) -> Option<()> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return None;
        }
        let (first_key, inner) = (self.keys.len(), column + 2);
        self.out.push(if end == b'}' { '{' } else { '[' });
        self.at += 1;
        if self.next()? != end {
            loop {
                self.line(inner);
                if end == b'}' {
                    let key = self.key()?;
                    let known = &self.keys[first_key..];
                    if known.len() == MOST || known.contains(&key) {
                        return None;
                    }
                    self.keys.push(key);
                    self.out.extend(["\"", key, "\": "]);
                    self.expect(b':')?;
                }
                self.value(inner)?;
                match self.next()? {
                    b',' => {
                        self.at += 1;
                        self.out.push(',');
                    }
                    found if found == end => break,
                    _ => return None,
                }
            }
            self.line(column);
        }
        self.at += 1;
        self.out.push(char::from(end));
        self.keys.truncate(first_key);
        self.depth -= 1;
        Some(())
    }
}

#[cfg(test)]
mod tests;

//! The positions of a JSON object's members in its text.
//!
//! Only for text that a JSON parser has accepted: it is scanned, not validated again. On other text
//! the result is meaningless, but no index is out of bounds.

use std::ops::Range;

/// One `"key": value` of an object.
#[derive(Debug)]
pub(super) struct Member {
    /// The key, unescaped.
    pub(super) key: String,
    /// The key's span with its quotes.
    pub(super) key_span: Range<usize>,
    /// The value's span.
    pub(super) value: Range<usize>,
}

/// An object or a list in the text: the positions of its brackets and the spans of its items.
#[derive(Debug)]
pub(super) struct Container {
    /// Position of the opening bracket.
    pub(super) open: usize,
    /// Position of the closing bracket.
    pub(super) close: usize,
    /// The items from first to last byte, without commas and the whitespace around them.
    pub(super) items: Vec<Range<usize>>,
}

/// An object with its members.
#[derive(Debug)]
pub(super) struct Object {
    /// Brackets and item spans.
    pub(super) container: Container,
    /// The members, one for each item.
    pub(super) members: Vec<Member>,
}

impl Object {
    /// Scans the object whose `{` is at `open`.
    pub(super) fn at(text: &str, open: usize) -> Object {
        let container = Container::at(text, open);
        let members = container.items.iter().map(|item| member(text, item)).collect();
        Object { container, members }
    }

    /// Returns the position of the member that counts for a key: the last one, as in JavaScript.
    pub(super) fn find(&self, key: &str) -> Option<usize> {
        self.members.iter().rposition(|member| member.key == key)
    }
}

impl Container {
    /// Scans the object or list whose opening bracket is at `open`.
    pub(super) fn at(text: &str, open: usize) -> Container {
        let bytes = text.as_bytes();
        let mut items = Vec::new();
        let mut at = skip_space(bytes, open + 1);
        while at < bytes.len() && !matches!(bytes[at], b'}' | b']') {
            let start = at;
            let mut end = at;
            while at < bytes.len() && !matches!(bytes[at], b',' | b'}' | b']') {
                at = skip_token(bytes, at);
                end = at;
                at = skip_space(bytes, at);
            }
            items.push(start..end);
            if bytes.get(at) == Some(&b',') {
                at = skip_space(bytes, at + 1);
            }
        }
        Container { open, close: at, items }
    }

    /// Returns the whitespace before an item.
    pub(super) fn space_before<'t>(&self, text: &'t str, index: usize) -> &'t str {
        let Some(item) = self.items.get(index) else {
            return "";
        };
        let before = &text[self.open + 1..item.start];
        &before[before.trim_end().len()..]
    }

    /// Returns the span to cut from the text to remove an item with its comma.
    pub(super) fn removal(&self, index: usize) -> Range<usize> {
        let item = &self.items[index];
        match (index.checked_sub(1), self.items.get(index + 1)) {
            (_, Some(next)) => item.start..next.start,
            (Some(previous), None) => self.items[previous].end..item.end,
            (None, None) => self.open + 1..self.close,
        }
    }
}

/// Returns the position of the first byte that is no whitespace.
pub(super) fn skip_space(bytes: &[u8], mut at: usize) -> usize {
    while bytes.get(at).is_some_and(u8::is_ascii_whitespace) {
        at += 1;
    }
    at
}

fn member(text: &str, item: &Range<usize>) -> Member {
    let bytes = text.as_bytes();
    let key_end = skip_token(bytes, item.start).min(item.end);
    let colon = skip_space(bytes, key_end);
    let value = skip_space(bytes, colon + 1).min(item.end);
    let key_span = item.start..key_end;
    Member {
        key: serde_json::from_str(&text[key_span.clone()]).unwrap_or_default(),
        key_span,
        value: value..item.end,
    }
}

/// Returns the end of the string, the bracketed value, the scalar or the single `:` at a position.
fn skip_token(bytes: &[u8], at: usize) -> usize {
    match bytes[at] {
        b'"' => skip_string(bytes, at),
        b'{' | b'[' => skip_brackets(bytes, at),
        b':' => at + 1,
        _ => {
            let ends =
                |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b',' | b'}' | b']' | b':');
            let rest = bytes[at..].iter().position(ends);
            rest.map_or(bytes.len(), |length| at + length)
        }
    }
}

fn skip_string(bytes: &[u8], open: usize) -> usize {
    let mut at = open + 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

fn skip_brackets(bytes: &[u8], open: usize) -> usize {
    let mut depth = 0_usize;
    let mut at = open;
    while at < bytes.len() {
        match bytes[at] {
            b'"' => {
                at = skip_string(bytes, at);
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            _ => {}
        }
        at += 1;
        if depth == 0 {
            break;
        }
    }
    at
}

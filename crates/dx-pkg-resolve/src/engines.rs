//! The JSON text of `engines` in lockfiles: an object of strings, or an array of strings in old
//! packages.
//!
//! An array is held as pairs whose names are its positions, as packuments hold it.

use std::borrow::Cow;
use std::fmt::Write;

/// Returns the JSON text of `pairs`, in the lockfile's order; `None` if there are none.
pub(crate) fn to_json(pairs: &[(String, String)]) -> Option<String> {
    if pairs.is_empty() {
        return None;
    }
    let is_array =
        pairs.iter().enumerate().all(|(position, (name, _))| *name == position.to_string());
    let mut pairs: Vec<&(String, String)> = pairs.iter().collect();
    if !is_array {
        pairs.sort_by(|a, b| dx_pkg_lock::locale_compare(&a.0, &b.0));
    }
    let mut json = String::from(if is_array { "[" } else { "{" });
    for (position, (name, range)) in pairs.into_iter().enumerate() {
        if position > 0 {
            json.push(',');
        }
        if !is_array {
            quote(&mut json, name);
            json.push(':');
        }
        quote(&mut json, range);
    }
    json.push(if is_array { ']' } else { '}' });
    Some(json)
}

/// Appends a text as JSON.
pub(crate) fn quote(json: &mut String, text: &str) {
    json.push('"');
    for c in text.chars() {
        match c {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            c if c < ' ' => {
                let _ = write!(json, "\\u{:04x}", u32::from(c));
            }
            c => json.push(c),
        }
    }
    json.push('"');
}

/// Returns the value of `engine` in the JSON object `json`; `None` if it is not an object of
/// strings with that key.
pub(crate) fn value_of(json: &str, engine: &str) -> Option<String> {
    let mut strings = Strings { rest: json.trim_start().strip_prefix('{')? };
    loop {
        let key = strings.next_string()?;
        let value = strings.next_string()?;
        if key == engine {
            return Some(value.into_owned());
        }
    }
}

/// The string literals of a flat JSON object: keys and values in turn.
struct Strings<'a> {
    rest: &'a str,
}

impl<'a> Strings<'a> {
    fn next_string(&mut self) -> Option<Cow<'a, str>> {
        let start = self.rest.find('"')?;
        let (text, rest) = self.rest[start + 1..].split_once('"')?;
        if !text.contains('\\') {
            self.rest = rest;
            return Some(Cow::Borrowed(text));
        }
        let mut text = String::new();
        let mut chars = self.rest[start + 1..].char_indices();
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => {
                    self.rest = &self.rest[start + 1 + at + 1..];
                    return Some(Cow::Owned(text));
                }
                '\\' => match chars.next()?.1 {
                    'n' => text.push('\n'),
                    't' => text.push('\t'),
                    'u' => {
                        let code: String = chars.by_ref().take(4).map(|(_, c)| c).collect();
                        text.push(char::from_u32(u32::from_str_radix(&code, 16).ok()?)?);
                    }
                    c => text.push(c),
                },
                c => text.push(c),
            }
        }
        None
    }
}

#[cfg(test)]
mod tests;

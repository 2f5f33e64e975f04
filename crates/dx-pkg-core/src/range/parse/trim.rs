//! The parsing steps that only remove text: build metadata, and space between an operator and its
//! version.

use std::borrow::Cow;

use super::grammar::{self, is_identifier_byte};

/// Removes each `+build.metadata`.
pub(super) fn without_build(text: &str) -> Cow<'_, str> {
    if !text.contains('+') {
        return Cow::Borrowed(text);
    }
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(plus) = rest.find('+') {
        let end = identifiers_end(rest, plus + 1, false);
        let skipped = if end == plus + 1 { plus + 1 } else { plus };
        kept.push_str(&rest[..skipped]);
        rest = &rest[end..];
    }
    kept.push_str(rest);
    Cow::Owned(kept)
}

/// Removes the space between `<`, `>`, `=`, `~` or `^` and the version it applies to.
pub(super) fn without_space_after_operators(mut text: Cow<'_, str>) -> Cow<'_, str> {
    if text.as_bytes().windows(2).any(|pair| matches!(pair, [b'<' | b'>' | b'=' | b' ', b' '])) {
        text = Cow::Owned(without_space_after_comparisons(&text));
    }
    for (spaced, joined) in [("~> ", "~"), ("~ ", "~"), ("^ ", "^")] {
        if text.contains(spaced) {
            text = Cow::Owned(text.replace(spaced, joined));
        }
    }
    text
}

/// Finds, from left to right, an optional space, an optional operator, an optional space and a
/// version, and drops the second space. `v`, `=` and more space may stand before the version and
/// are kept, so `>= = 1` loses one space only.
fn without_space_after_comparisons(text: &str) -> String {
    let bytes = text.as_bytes();
    let at = |position: usize| bytes.get(position).copied();
    let mut kept = String::with_capacity(text.len());
    let mut copied = 0;
    let mut position = 0;
    while position < bytes.len() {
        let mut cursor = position + usize::from(at(position) == Some(b' '));
        cursor += usize::from(matches!(at(cursor), Some(b'<' | b'>')));
        cursor += usize::from(at(cursor) == Some(b'='));
        let space = cursor;
        cursor += usize::from(at(cursor) == Some(b' '));
        match version_end(text, cursor) {
            Some(end) => {
                kept.push_str(&text[copied..space]);
                copied = cursor;
                position = end;
            }
            None => position += 1,
        }
    }
    kept.push_str(&text[copied..]);
    kept
}

/// Returns where the longest loose version, or else strict partial one, that begins here ends.
fn version_end(text: &str, start: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let start =
        start + bytes[start..].iter().take_while(|byte| matches!(byte, b'v' | b'=' | b' ')).count();
    loose_end(text, start).or_else(|| partial_end(text, start))
}

fn loose_end(text: &str, start: usize) -> Option<usize> {
    let minor = after_dot(text, digits_end(text, start)?)?;
    let patch = after_dot(text, digits_end(text, minor)?)?;
    let end = digits_end(text, patch)?;
    let hyphen = end + usize::from(text.as_bytes().get(end) == Some(&b'-'));
    let identifiers = identifiers_end(text, hyphen, false);
    Some(if identifiers > hyphen { identifiers } else { identifiers_end(text, end, false) })
}

fn partial_end(text: &str, start: usize) -> Option<usize> {
    let mut end = strict_component_end(text, start)?;
    for component in 1..3 {
        let Some(next) = after_dot(text, end).and_then(|next| strict_component_end(text, next))
        else {
            return Some(end);
        };
        end = next;
        if component == 2 && text.as_bytes().get(end) == Some(&b'-') {
            let identifiers = identifiers_end(text, end + 1, true);
            return Some(if identifiers > end + 1 { identifiers } else { end });
        }
    }
    Some(end)
}

fn after_dot(text: &str, position: usize) -> Option<usize> {
    (text.as_bytes().get(position) == Some(&b'.')).then_some(position + 1)
}

fn digits_end(text: &str, start: usize) -> Option<usize> {
    let count =
        text.as_bytes().get(start..)?.iter().take_while(|byte| byte.is_ascii_digit()).count();
    (count > 0).then_some(start + count)
}

fn strict_component_end(text: &str, start: usize) -> Option<usize> {
    match text.as_bytes().get(start)? {
        b'0' | b'x' | b'X' | b'*' => Some(start + 1),
        _ => digits_end(text, start),
    }
}

/// Returns where the dot-separated identifiers that begin here end, or `start` if there are none; a
/// strict number with a leading zero ends after the zero.
fn identifiers_end(text: &str, start: usize, strict: bool) -> usize {
    let bytes = text.as_bytes();
    let mut end = start;
    let mut next = start;
    loop {
        let length = bytes[next..].iter().take_while(|byte| is_identifier_byte(**byte)).count();
        if length == 0 {
            return end;
        }
        if strict && grammar::has_leading_zero(&text[next..next + length]) {
            return next + 1;
        }
        end = next + length;
        match after_dot(text, end) {
            Some(after) => next = after,
            None => return end,
        }
    }
}

//! Bytes of a text file that are not UTF-8, kept through an edit of the text.
//!
//! In the text such a byte is the character `U+10FF00` plus the byte, from the end of the last
//! private plane. Whoever reads the text's contents replaces them ([`replaced`]); whoever writes
//! the text to a file turns them back ([`restored`]).

use std::borrow::Cow;

/// The character that stands for byte 0.
const FIRST: u32 = 0x10_ff00;

fn character(byte: u8) -> char {
    char::from_u32(FIRST + u32::from(byte)).unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// Returns the byte that a character stands for.
fn byte(character: char) -> Option<u8> {
    u8::try_from(u32::from(character).checked_sub(FIRST)?).ok().filter(|byte| *byte >= 0x80)
}

/// Returns the text of a file; `None` for one that has both such bytes and the characters that
/// would stand for them.
#[must_use]
pub fn keep(bytes: Vec<u8>) -> Option<String> {
    let bytes = match String::from_utf8(bytes) {
        Ok(text) => return Some(text),
        Err(error) => error.into_bytes(),
    };
    let mut text = String::with_capacity(bytes.len() + 16);
    for chunk in bytes.utf8_chunks() {
        if chunk.valid().contains(|character| byte(character).is_some()) {
            return None;
        }
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|byte| character(*byte)));
    }
    Some(text)
}

/// Returns the bytes of a text that [`keep`] returned, edited or not. `original` is the text as it
/// was read.
#[must_use]
pub fn restored<'t>(text: &'t str, original: &str) -> Cow<'t, [u8]> {
    // Text that was UTF-8 may hold these characters as such; it has no bytes to be restored.
    if !has_any(original) {
        return Cow::Borrowed(text.as_bytes());
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut buffer = [0; 4];
    for character in text.chars() {
        match byte(character) {
            Some(byte) => bytes.push(byte),
            None => bytes.extend_from_slice(character.encode_utf8(&mut buffer).as_bytes()),
        }
    }
    Cow::Owned(bytes)
}

/// Returns the text with a replacement character in place of each such byte.
#[must_use]
pub fn replaced(text: &str) -> Cow<'_, str> {
    if has_any(text) {
        let shown = |c: char| if byte(c).is_some() { char::REPLACEMENT_CHARACTER } else { c };
        Cow::Owned(text.chars().map(shown).collect())
    } else {
        Cow::Borrowed(text)
    }
}

fn has_any(text: &str) -> bool {
    // Each of these characters begins with this byte in UTF-8.
    text.as_bytes().contains(&0xf4) && text.contains(|character| byte(character).is_some())
}

#[cfg(test)]
mod tests;

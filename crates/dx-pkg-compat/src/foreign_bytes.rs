//! Bytes of a text file that are not UTF-8, kept through an edit of the text.
//!
//! In the text such a byte is the character `U+10FF00` plus the byte, from the end of the last
//! private plane; one of these characters that was in the file itself has `U+10FF00` before it.
//! Whoever reads the text's contents takes them for what they are ([`replaced`]); whoever writes
//! the text to a file turns them back ([`restored`]).

use std::borrow::Cow;

/// The character that stands for byte 0, which is UTF-8: it says that the next one is itself.
const ITSELF: char = '\u{10ff00}';

fn character(byte: u8) -> char {
    char::from_u32(u32::from(ITSELF) + u32::from(byte)).unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// Returns the byte that a character stands for.
fn byte(character: char) -> Option<u8> {
    let above = u32::from(character).checked_sub(u32::from(ITSELF))?;
    u8::try_from(above).ok().filter(|byte| *byte >= 0x80)
}

/// Returns the text of a file.
#[must_use]
pub fn keep(bytes: Vec<u8>) -> String {
    let bytes = match String::from_utf8(bytes) {
        Ok(text) if !has_any(&text) => return text,
        Ok(text) => text.into_bytes(),
        Err(error) => error.into_bytes(),
    };
    let mut text = String::with_capacity(bytes.len() + 16);
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            if is_special(character) {
                text.push(ITSELF);
            }
            text.push(character);
        }
        text.extend(chunk.invalid().iter().map(|byte| character(*byte)));
    }
    text
}

/// Returns the bytes of a text that [`keep`] returned, edited or not. `original` is the text as it
/// was read.
#[must_use]
pub fn restored<'t>(text: &'t str, original: &str) -> Cow<'t, [u8]> {
    // A character that came with an edit is itself.
    if !has_any(original) {
        return Cow::Borrowed(text.as_bytes());
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut buffer = [0; 4];
    for part in parts(text) {
        match part {
            Part::Byte(byte) => bytes.push(byte),
            Part::Character(character) => {
                bytes.extend_from_slice(character.encode_utf8(&mut buffer).as_bytes());
            }
        }
    }
    Cow::Owned(bytes)
}

/// Returns the text with a replacement character in place of each such byte.
#[must_use]
pub fn replaced(text: &str) -> Cow<'_, str> {
    if !has_any(text) {
        return Cow::Borrowed(text);
    }
    let shown = |part| match part {
        Part::Byte(_) => char::REPLACEMENT_CHARACTER,
        Part::Character(character) => character,
    };
    Cow::Owned(parts(text).map(shown).collect())
}

/// A part of a file that was read.
enum Part {
    Byte(u8),
    Character(char),
}

fn parts(text: &str) -> impl Iterator<Item = Part> {
    let mut characters = text.chars();
    std::iter::from_fn(move || {
        let first = characters.next()?;
        Some(match byte(first) {
            Some(byte) => Part::Byte(byte),
            None if first == ITSELF => Part::Character(characters.next().unwrap_or(ITSELF)),
            None => Part::Character(first),
        })
    })
}

fn is_special(character: char) -> bool {
    character == ITSELF || byte(character).is_some()
}

fn has_any(text: &str) -> bool {
    // Each of these characters begins with this byte in UTF-8.
    text.as_bytes().contains(&0xf4) && text.contains(is_special)
}

#[cfg(test)]
mod tests;

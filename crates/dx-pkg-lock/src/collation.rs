//! The order of npm's lockfiles: `String.prototype.localeCompare(other, 'en')`.
//!
//! That is the CLDR root collation with significant punctuation. ASCII is exact. Other letters are
//! compared by base letter, then accents, then case, and scripts by code point. Letters that ICU
//! treats as variants of others without a canonical decomposition (`ø`, `ß`) sort after `z`.

use std::cmp::Ordering;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// ASCII in collation order; both cases of a letter have one primary weight.
const ORDER: &[u8] =
    b"\t\n\x0b\x0c\r _-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$0123456789abcdefghijklmnopqrstuvwxyz";

/// The weight in [`PRIMARY`] of the bytes of characters beyond ASCII.
const BEYOND_ASCII: u8 = u8::MAX;

/// The primary weight of each byte; 0 for control characters, which are ignored.
const PRIMARY: [u8; 256] = primary_weights();

const fn primary_weights() -> [u8; 256] {
    let mut weights = [0; 256];
    let mut position = 0;
    while position < ORDER.len() {
        let byte = ORDER[position];
        weights[byte as usize] = position as u8 + 1;
        weights[byte.to_ascii_uppercase() as usize] = position as u8 + 1;
        position += 1;
    }
    let mut byte = 128;
    while byte < 256 {
        weights[byte] = BEYOND_ASCII;
        byte += 1;
    }
    weights
}

/// Compares lockfile paths or keys in npm's order, `a.localeCompare(b, 'en')`.
///
/// Strings that differ in control characters only are equal.
#[must_use]
pub fn locale_compare(a: &str, b: &str) -> Ordering {
    let shared = shared_prefix(a.as_bytes(), b.as_bytes());
    let mut left = a.as_bytes()[shared..].iter();
    let mut right = b.as_bytes()[shared..].iter();
    let mut case = Ordering::Equal;
    loop {
        let (x, y) = (next_significant(&mut left), next_significant(&mut right));
        let (wx, wy) = (PRIMARY[usize::from(x)], PRIMARY[usize::from(y)]);
        if wx != wy {
            if wx == BEYOND_ASCII || wy == BEYOND_ASCII {
                return compare_beyond_ascii(a, b);
            }
            return wx.cmp(&wy);
        }
        match wx {
            0 => return case,
            BEYOND_ASCII => return compare_beyond_ascii(a, b),
            // Lower case, whose bytes are greater, comes first.
            _ => case = case.then_with(|| y.cmp(&x)),
        }
    }
}

/// Returns how many leading bytes are the same.
fn shared_prefix(a: &[u8], b: &[u8]) -> usize {
    let (chunks, _) = a.as_chunks::<8>();
    let (others, _) = b.as_chunks::<8>();
    let whole = 8 * chunks.iter().zip(others).take_while(|(x, y)| x == y).count();
    whole + a[whole..].iter().zip(&b[whole..]).take_while(|(x, y)| x == y).count()
}

/// Returns the next byte that has a weight; NUL, which has none, at the end.
#[inline]
fn next_significant(bytes: &mut std::slice::Iter<'_, u8>) -> u8 {
    bytes.find(|byte| PRIMARY[usize::from(**byte)] != 0).copied().unwrap_or(0)
}

#[cold]
fn compare_beyond_ascii(a: &str, b: &str) -> Ordering {
    let base = |text| significant(text).filter(|c| !is_combining_mark(*c)).map(primary_of);
    let accents =
        |text| significant(text).map(|c| if is_combining_mark(c) { u32::from(c) } else { 0 });
    let case = |text| significant(text).map(char::is_uppercase);
    base(a).cmp(base(b)).then_with(|| accents(a).cmp(accents(b))).then_with(|| case(a).cmp(case(b)))
}

fn significant(text: &str) -> impl Iterator<Item = char> + '_ {
    text.nfd().filter(|c| !c.is_ascii() || PRIMARY[*c as usize] != 0)
}

fn primary_of(c: char) -> u32 {
    if c.is_ascii() {
        u32::from(PRIMARY[c as usize])
    } else {
        u32::from(c.to_lowercase().next().unwrap_or(c))
    }
}

#[cfg(test)]
mod tests;

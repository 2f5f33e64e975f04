//! The lexical grammar shared by versions and ranges.
//!
//! Source: the grammar in the README of npm's `semver` package, and its behaviour in loose mode
//! where the README is silent. Nothing here allocates.

/// The texts between the dots of a version; an absent part is empty.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Parts<'a> {
    pub(crate) major: &'a str,
    pub(crate) minor: &'a str,
    pub(crate) patch: &'a str,
    pub(crate) prerelease: &'a str,
}

/// The longest number, in digits.
const MAX_DIGITS: usize = 256;
/// The most characters of an identifier from its first non-digit on.
const MAX_IDENTIFIER_TAIL: usize = 251;

/// Returns whether JavaScript's `\s` matches the character.
pub(crate) fn is_space(character: char) -> bool {
    character == '\u{feff}' || (character != '\u{85}' && character.is_whitespace())
}

/// Returns the value of a run of digits, or `None` if it is above 2^53 − 1.
pub(crate) fn number(digits: &str) -> Option<u64> {
    digits.parse().ok().filter(|number| *number <= super::MAX_NUMBER)
}

/// Parses `1.2.3` and nothing else, as a fast path for most versions.
pub(crate) fn plain_release(text: &str) -> Option<(u64, u64, u64)> {
    // The most digits that are always below 2^53 − 1.
    const SAFE_DIGITS: usize = 15;
    let mut numbers = [0; 3];
    let mut component = 0;
    let mut digits = 0;
    for byte in text.bytes() {
        match byte {
            b'0'..=b'9' if digits < SAFE_DIGITS && (digits == 0 || numbers[component] != 0) => {
                numbers[component] = numbers[component] * 10 + u64::from(byte - b'0');
                digits += 1;
            }
            b'.' if digits > 0 && component < 2 => {
                component += 1;
                digits = 0;
            }
            _ => return None,
        }
    }
    (component == 2 && digits > 0).then_some(numbers.into())
}

/// Reads `v1.2.3-pre+build` with no leading zeros.
pub(crate) fn strict_version(text: &str) -> Option<Parts<'_>> {
    let text = text.strip_prefix('v').unwrap_or(text);
    let (text, build) =
        text.split_once('+').map_or((text, None), |(text, build)| (text, Some(build)));
    if build.is_some_and(|build| !are_identifiers(build)) {
        return None;
    }
    let (numbers, prerelease) = text
        .split_once('-')
        .map_or((text, None), |(numbers, prerelease)| (numbers, Some(prerelease)));
    if prerelease.is_some_and(|prerelease| {
        !are_identifiers(prerelease) || prerelease.split('.').any(has_leading_zero)
    }) {
        return None;
    }
    let mut numbers = numbers.split('.');
    let parts = Parts {
        major: numbers.next()?,
        minor: numbers.next()?,
        patch: numbers.next()?,
        prerelease: prerelease.unwrap_or_default(),
    };
    let valid = |part: &str| is_number(part) && !has_leading_zero(part);
    let complete =
        numbers.next().is_none() && [parts.major, parts.minor, parts.patch].into_iter().all(valid);
    complete.then_some(parts)
}

/// Reads a version as loose mode does: any mix of `v`, `=` and space before it, leading zeros, no
/// hyphen needed.
pub(crate) fn loose_version(text: &str) -> Option<Parts<'_>> {
    let text = skip_prefix(text);
    let (text, build) =
        text.split_once('+').map_or((text, None), |(text, build)| (text, Some(build)));
    if build.is_some_and(|build| !are_identifiers(build)) {
        return None;
    }
    partial(text).filter(Parts::is_complete)
}

/// Skips the `v`, `=` and space that loose mode ignores before a version.
pub(crate) fn skip_prefix(text: &str) -> &str {
    text.trim_start_matches(|character| matches!(character, 'v' | '=') || is_space(character))
}

/// Reads `1`, `1.x`, `1.2.*` or `1.2.3-pre` (build metadata already removed), to the end of the
/// text.
pub(crate) fn partial(text: &str) -> Option<Parts<'_>> {
    let major_end = component_end(text, 0)?;
    let mut parts = Parts { major: &text[..major_end], minor: "", patch: "", prerelease: "" };
    if major_end == text.len() {
        return Some(parts);
    }
    let minor_start = dot(text, major_end)?;
    let minor_end = component_end(text, minor_start)?;
    parts.minor = &text[minor_start..minor_end];
    if minor_end == text.len() {
        return Some(parts);
    }
    let patch_start = dot(text, minor_end)?;
    let patch_end = component_end(text, patch_start)?;
    parts.patch = &text[patch_start..patch_end];
    let rest = &text[patch_end..];
    if rest.is_empty() {
        return Some(parts);
    }
    if let Some(prerelease) =
        rest.strip_prefix('-').filter(|prerelease| are_identifiers(prerelease))
    {
        parts.prerelease = prerelease;
    } else if are_identifiers(rest) {
        parts.prerelease = rest;
    } else if parts.patch.len() > 1 && are_identifiers(&text[patch_end - 1..]) {
        // Without a hyphen the grammar is ambiguous, and npm reads `1.2.34.5` as `1.2.3-4.5`.
        parts.patch = &text[patch_start..patch_end - 1];
        parts.prerelease = &text[patch_end - 1..];
    } else {
        return None;
    }
    Some(parts)
}

impl Parts<'_> {
    /// Returns the length of the parts with the dots and the hyphen between them.
    pub(crate) fn printed_length(&self) -> usize {
        let hyphen = usize::from(!self.prerelease.is_empty());
        self.major.len() + self.minor.len() + self.patch.len() + self.prerelease.len() + 2 + hyphen
    }

    /// Returns whether all three numbers are there and none is a wildcard.
    pub(crate) fn is_complete(&self) -> bool {
        !is_wildcard(self.major) && !is_wildcard(self.minor) && !is_wildcard(self.patch)
    }
}

/// Returns whether a part stands for any number: absent, `x`, `X` or `*`.
pub(crate) fn is_wildcard(part: &str) -> bool {
    matches!(part, "" | "x" | "X" | "*")
}

fn dot(text: &str, position: usize) -> Option<usize> {
    (text.as_bytes().get(position) == Some(&b'.')).then_some(position + 1)
}

fn component_end(text: &str, start: usize) -> Option<usize> {
    match text.as_bytes().get(start)? {
        b'x' | b'X' | b'*' => Some(start + 1),
        b'0'..=b'9' => {
            let digits = digits_at(text, start);
            (digits <= MAX_DIGITS).then_some(start + digits)
        }
        _ => None,
    }
}

/// Returns the number of digits at `start`.
fn digits_at(text: &str, start: usize) -> usize {
    text.as_bytes()[start..].iter().take_while(|byte| byte.is_ascii_digit()).count()
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.len() <= MAX_DIGITS && digits_at(text, 0) == text.len()
}

/// Returns whether this is a number other than `0` that begins with `0`.
pub(crate) fn has_leading_zero(text: &str) -> bool {
    text.len() > 1 && text.starts_with('0') && digits_at(text, 0) == text.len()
}

/// Returns whether a prerelease or build identifier may hold the byte.
pub(crate) const fn is_identifier_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-'
}

/// Returns whether the text is a dot-separated list of non-empty identifiers.
pub(crate) fn are_identifiers(text: &str) -> bool {
    text.split('.').all(|identifier| {
        let digits = digits_at(identifier, 0);
        !identifier.is_empty()
            && digits <= MAX_DIGITS
            && identifier.len() - digits <= MAX_IDENTIFIER_TAIL
            && identifier.bytes().all(is_identifier_byte)
    })
}

//! Escapes of lone UTF-16 surrogates, which JavaScript's strings can hold and Rust's cannot.
//!
//! They come from texts that a tool cut in the middle of a pair. npm reads past them; here each
//! becomes the replacement character.

use std::borrow::Cow;

const ESCAPE: usize = "\\ud800".len();
const REPLACEMENT: &str = "\\ufffd";

/// Returns the JSON with every escape of a lone surrogate replaced. Lines and columns stay the
/// same.
pub(crate) fn without_lone(json: &str) -> Cow<'_, str> {
    let mut parts = String::new();
    let mut copied = 0;
    let mut at = 0;
    while let Some(found) = json[at..].find('\\') {
        at += found;
        match surrogate(json, at) {
            // A backslash after a backslash starts no escape.
            None => at += 1 + json[at + 1..].chars().next().map_or(0, char::len_utf8),
            Some(Half::High) if matches!(surrogate(json, at + ESCAPE), Some(Half::Low)) => {
                at += 2 * ESCAPE
            }
            Some(_) => {
                parts.push_str(&json[copied..at]);
                parts.push_str(REPLACEMENT);
                at += ESCAPE;
                copied = at;
            }
        }
    }
    if copied == 0 {
        return Cow::Borrowed(json);
    }
    parts.push_str(&json[copied..]);
    Cow::Owned(parts)
}

enum Half {
    High,
    Low,
}

/// Returns the half of a pair that the escape at this position stands for, if it is one.
fn surrogate(json: &str, at: usize) -> Option<Half> {
    let digits = json.get(at..at + ESCAPE)?.strip_prefix("\\u")?;
    match u32::from_str_radix(digits, 16).ok()? {
        0xd800..=0xdbff => Some(Half::High),
        0xdc00..=0xdfff => Some(Half::Low),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::without_lone;

    #[test]
    fn lone_halves_are_replaced_and_nothing_else() {
        for (json, expected) in [
            (r#""\ud83d""#, r#""\ufffd""#),
            (r#""\uDE00 x""#, r#""\ufffd x""#),
            (r#""\ud83d\ude00""#, r#""\ud83d\ude00""#),
            (r#""\ud83d\ud83d\ude00""#, r#""\ufffd\ud83d\ude00""#),
            (r#""\ude00\ud83d""#, r#""\ufffd\ufffd""#),
            (r#""\\ud83d""#, r#""\\ud83d""#),
            (r#""\\\ud83d""#, r#""\\\ufffd""#),
            (r#""\ud83dé""#, r#""\ufffdé""#),
            (r#""\u00e9\n""#, r#""\u00e9\n""#),
            (r"\ud8", r"\ud8"),
            (r"\é\", r"\é\"),
        ] {
            assert_eq!(without_lone(json), expected);
        }
    }
}

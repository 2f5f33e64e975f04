//! The number of values in a JSON text, counted before it is parsed: each takes far more memory
//! than the two bytes that it may be written with.

use serde::de::{DeserializeOwned, Error as _};

/// The most values of a packument with all of its members.
pub const PACKUMENT_VALUES: usize = 2_000_000;
/// The most values of any other answer of a registry.
pub const ANSWER_VALUES: usize = 500_000;

/// Parses a JSON text that has at most `most` values.
///
/// # Errors
/// It has more, or it is no JSON of this form.
pub fn parse<T: DeserializeOwned>(text: &[u8], most: usize) -> serde_json::Result<T> {
    if text.len() >= most && count(text) > most {
        return Err(serde_json::Error::custom(format_args!("it has more than {most} values")));
    }
    serde_json::from_slice(text)
}

/// Returns whether a JSON text has at most `most` values, names included.
pub(crate) fn has_at_most(text: &str, most: usize) -> bool {
    // Each takes at least a byte, so that few texts have to be looked at.
    text.len() < most || count(text.as_bytes()) <= most
}

/// Returns the number of values of a JSON text, or more; of any other text some number.
fn count(text: &[u8]) -> usize {
    let (mut count, mut is_inside, mut is_escaped) = (1, false, false);
    for byte in text {
        match (is_inside, *byte) {
            _ if is_escaped => is_escaped = false,
            (true, b'\\') => is_escaped = true,
            (_, b'"') => is_inside = !is_inside,
            (false, b',' | b'[' | b'{' | b':') => count += 1,
            _ => {}
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_counted_and_nothing_inside_a_string() {
        for (text, values) in [
            ("1", 1),
            (r#"{"a":"x,[{:\\"}"#, 3),
            (r#"["\",\"", 2]"#, 3),
            ("[[],[],[]]", 7),
            (r#"{"a":{},"b":[1,2]}"#, 8),
        ] {
            assert_eq!(count(text.as_bytes()), values, "{text}");
            assert!(parse::<serde_json::Value>(text.as_bytes(), values).is_ok());
        }
    }

    #[test]
    fn the_number_itself_is_allowed() {
        let text = format!("[{}0]", "0,".repeat(99_998));
        assert!(has_at_most(&text, 100_000) && !has_at_most(&text, 99_999));
        let refused = parse::<serde_json::Value>(text.as_bytes(), 99_999).unwrap_err();
        assert!(refused.to_string().contains("more than 99999 values"), "{refused}");
    }
}

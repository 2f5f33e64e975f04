//! The number of values of a JSON text, counted before it is parsed: each takes a hundred bytes in
//! memory and two in the text, so that a limit of the text's length is none of the memory.

/// The most values.
const MOST: usize = 1_000_000;

/// Checks that a JSON text has no more values than may be in memory.
///
/// # Errors
/// A text that says so.
pub(crate) fn check_values(json: &[u8]) -> Result<(), String> {
    check_count(count_values(json))
}

/// Checks a number of values, as [`check_values`].
pub(crate) fn check_count(values: usize) -> Result<(), String> {
    if values > MOST {
        return Err(format!("the JSON has more than {MOST} values"));
    }
    Ok(())
}

/// Returns about how many values a JSON text has, and not less than a third of them.
pub(crate) fn count_values(json: &[u8]) -> usize {
    let (mut values, mut is_inside, mut is_escaped) = (1, false, false);
    for byte in json {
        (is_inside, is_escaped) = match byte {
            b'"' if !is_escaped => (!is_inside, false),
            b'\\' => (is_inside, is_inside && !is_escaped),
            _ => (is_inside, false),
        };
        values += usize::from(!is_inside && matches!(byte, b',' | b'[' | b'{'));
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_counted_outside_of_texts() {
        for (json, count) in [
            ("1", 1),
            ("[]", 2),
            ("[1,2,3]", 4),
            (r#"{"a":{"b":[1,"x,[{"]},"c,":"\"","d\\":[]}"#, 8),
        ] {
            assert_eq!(count_values(json.as_bytes()), count, "{json}");
        }
        assert!(check_values(&b"[],".repeat(MOST / 2)).is_err());
        assert!(check_values(&b"\"[],[],[]\"".repeat(MOST / 2)).is_ok());
    }
}

//! The page of docs/errors.md about each error code, built in.

/// The document.
const ERRORS: &str = include_str!("../../../docs/errors.md");

/// Returns every error code.
pub fn codes() -> impl Iterator<Item = &'static str> {
    ERRORS.lines().filter_map(|line| line.strip_prefix("## "))
}

/// Returns the page about a code: its heading and paragraphs.
pub fn page(code: &str) -> Option<&'static str> {
    let heading = format!("## {code}\n");
    let start = ERRORS.find(&heading)? + "## ".len();
    let rest = &ERRORS[start..];
    Some(rest[..rest.find("\n## ").unwrap_or(rest.len())].trim_end())
}

/// Returns whether a word is written as error codes are.
pub fn is_code(word: &str) -> bool {
    word.strip_prefix("DX_").is_some_and(|rest| {
        !rest.is_empty()
            && rest
                .bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte == b'_' || byte.is_ascii_digit())
    })
}

//! `${NAME}` in keys and values, with npm's rules: `${NAME?}` is empty where `NAME` is not set,
//! and an odd number of backslashes before `$` keeps the text as it is.

/// The result of expanding a text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Expanded {
    /// The text with the values of variables that are set.
    pub(super) text: String,
    /// The variables the text refers to.
    pub(super) used: Vec<String>,
    /// Those of them that are neither set nor marked with `?`; they stay as they were written.
    pub(super) unset: Vec<String>,
}

/// Expands the references in a text with `lookup`.
pub(super) fn expand(text: &str, lookup: &dyn Fn(&str) -> Option<String>) -> Expanded {
    let mut expanded =
        Expanded { text: String::with_capacity(text.len()), used: Vec::new(), unset: Vec::new() };
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let Some(reference) = reference(&rest[at..]) else {
            expanded.text.push_str(&rest[..at + 2]);
            rest = &rest[at + 2..];
            continue;
        };
        let before = &rest[..at];
        let plain = before.trim_end_matches('\\');
        let slashes = before.len() - plain.len();
        expanded.text.push_str(plain);
        expanded.text.push_str(&"\\".repeat(slashes / 2));
        let written = &rest[at..at + reference.length];
        rest = &rest[at + reference.length..];
        if slashes % 2 == 1 {
            expanded.text.push_str(written);
            continue;
        }
        expanded.used.push(reference.name.to_owned());
        match lookup(reference.name) {
            Some(value) => expanded.text.push_str(&value),
            None if reference.may_be_unset => {}
            None => {
                expanded.unset.push(reference.name.to_owned());
                expanded.text.push_str(written);
            }
        }
    }
    expanded.text.push_str(rest);
    expanded
}

struct Reference<'t> {
    name: &'t str,
    may_be_unset: bool,
    length: usize,
}

/// Parses a reference at the start of a text that begins with `${`.
fn reference(text: &str) -> Option<Reference<'_>> {
    let inside = &text[2..];
    let end = inside.find(['$', '{', '}', '?'])?;
    let name = &inside[..end];
    let may_be_unset = inside[end..].starts_with("?}");
    let closed = may_be_unset || inside[end..].starts_with('}');
    let length = 2 + end + if may_be_unset { 2 } else { 1 };
    (closed && !name.is_empty()).then_some(Reference { name, may_be_unset, length })
}

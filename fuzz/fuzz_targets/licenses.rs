//! Any text as the licence expression of a package: read as npm reads it, or no expression.

#[allow(clippy::module_inception, reason = "named as where it lies")]
#[allow(dead_code, reason = "what is read is not written")]
#[path = "../../crates/dx-pkg-inspect/src/sbom/licenses.rs"]
mod licenses;

pub(crate) fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    // An expression in parentheses is one, unless there are too many.
    if licenses::parse(&text).is_some() && text.matches('(').count() < 50 {
        assert!(licenses::parse(&format!("({text})")).is_some(), "{text:?}");
    }
}

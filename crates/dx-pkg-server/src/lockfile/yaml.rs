//! Reading of YAML, bounded: a request may bring any text.

use serde_json::Value;

/// The most values of a document: forty for each of the most packages.
const MOST_VALUES: usize = 40 * super::MOST;
/// The deepest nesting. Lockfiles have five levels.
const DEEPEST: usize = 16;

/// Parses one document.
///
/// # Errors
/// A text that says what is wrong, and where.
pub(super) fn parse(text: &str) -> Result<Value, String> {
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_events: 4 * MOST_VALUES,
            max_nodes: MOST_VALUES,
            max_depth: DEEPEST,
            // No manager writes any.
            max_aliases: 0,
            max_anchors: 0,
        },
        with_snippet: false,
    };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        let place = error.location().map(|at| format!("line {}: ", at.line())).unwrap_or_default();
        let reason = error.to_string();
        format!("{place}{}", reason.lines().next().unwrap_or_default())
    })
}

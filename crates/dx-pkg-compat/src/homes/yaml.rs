//! Reading of YAML, bounded: a clone or a request may bring any text.

use serde_json::Value;

/// What a document may have at most.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The values.
    pub values: usize,
    /// The levels of nesting.
    pub depth: usize,
    /// The anchors, and the uses of them. What they expand to counts as values.
    pub aliases: usize,
}

/// What is wrong with a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The line, from 1 on, where one is known.
    pub line: Option<u64>,
    /// The reason, in one line.
    pub reason: String,
}

/// Parses one document.
///
/// # Errors
/// The text is no YAML, or passes a limit.
pub fn parse(text: &str, limits: Limits) -> Result<Value, Fault> {
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_events: 4 * limits.values,
            max_nodes: limits.values,
            max_depth: limits.depth,
            max_aliases: limits.aliases,
            max_anchors: limits.aliases,
        },
        with_snippet: false,
    };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| Fault {
        line: error.location().map(|at| at.line()),
        reason: first_line(&error.to_string()),
    })
}

/// Returns the first line of a message: what follows may show the file.
pub(super) fn first_line(message: &str) -> String {
    message.lines().next().unwrap_or_default().to_owned()
}

//! Reading of YAML, bounded: a request may bring any text.

use dx_pkg_compat::homes::yaml::{self, Fault, Limits};
use serde_json::Value;

/// The limits of a document: forty values for each of the most packages. Lockfiles have five
/// levels, and no manager writes anchors.
const LIMITS: Limits = Limits { values: 40 * super::MOST, depth: 16, aliases: 0 };

/// Parses one document.
///
/// # Errors
/// A text that says what is wrong, and where.
pub(super) fn parse(text: &str) -> Result<Value, String> {
    yaml::parse(text, LIMITS).map_err(|Fault { line, reason }| match line {
        Some(line) => format!("line {line}: {reason}"),
        None => reason,
    })
}

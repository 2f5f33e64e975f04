//! Any text as the selector of `dx query`: refused, or read.

#[allow(dead_code, reason = "the selector is not carried out")]
#[path = "../../crates/dx-pkg-inspect/src/query/parse.rs"]
mod parse;
#[allow(dead_code, reason = "the selector is not carried out")]
#[path = "../../crates/dx-pkg-inspect/src/query_error.rs"]
mod query_error;

use query_error::QueryError;

pub(crate) fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let _ = parse::parse(&text);
    if let Ok(parts) = parse::split(&text) {
        let _ = parse::path(&parts);
    }
}

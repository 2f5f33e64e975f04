//! The errors of queries.

use dx_pkg_core::Coded;

/// A query that cannot be read or answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// It is no selector.
    #[error("cannot read {text:?} as a selector")]
    Unreadable {
        /// The query.
        text: String,
    },
    /// A word where a selector is expected.
    #[error("`{word}` is not a supported selector")]
    NoSelector {
        /// The word with what follows it.
        word: String,
    },
    /// A word behind a dot that is no kind of dependency.
    #[error("`.{kind}` is not a supported dependency type")]
    NoKind {
        /// The word.
        kind: String,
    },
    /// A word behind a colon that says nothing.
    #[error("`:{name}` is not a supported pseudo selector")]
    NoPseudo {
        /// The word.
        name: String,
    },
    /// `:attr` without a matcher at its end.
    #[error("`:attr` expects an attribute matcher as the last value")]
    NoMatcher,
    /// `:vuln` with other attributes than it knows.
    #[error("`:vuln` only accepts `[severity=…]` and `[cwe=…]`")]
    NoVulnerability,
    /// A value that is neither a version nor a range.
    #[error("`{value}` is not a valid semver version or range")]
    NoVersion {
        /// The value.
        value: String,
    },
    /// A function of `:semver` that does not exist.
    #[error("`semver.{function}` is not a supported operator")]
    NoFunction {
        /// The function.
        function: String,
    },
}

impl Coded for QueryError {
    fn code(&self) -> &'static str {
        "DX_QUERY"
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            QueryError::Unreadable { .. } | QueryError::NoSelector { .. } => {
                "a package is written #name, and every / in a name as it is; quote the selector"
            }
            QueryError::NoKind { .. } => {
                "the types are .prod, .dev, .optional, .peer, .bundled and .workspace; a dot in a \
                 name is written \\."
            }
            QueryError::NoPseudo { .. } => "`dx query --help` lists the selectors",
            QueryError::NoMatcher => "write `:attr(name, [member=value])`",
            QueryError::NoVulnerability => "write `:vuln([severity=high])`",
            QueryError::NoVersion { .. } | QueryError::NoFunction { .. } => {
                "write `:semver(^1.0.0)` or `:semver(^1.0.0, [engines], intersects)`"
            }
        };
        Some(hint.to_owned())
    }
}

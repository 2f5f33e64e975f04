//! Package names, by npm's rules for names that can be installed.
//!
//! A name that passes is safe as one or two path segments below `node_modules` and in a registry's
//! URL path.

#[cfg(test)]
mod tests;

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::Coded;

/// The longest name, in bytes.
const MAX_LENGTH: usize = 214;
/// Names with another meaning in a `node_modules` folder or on a registry's host.
const RESERVED: [&str; 2] = ["node_modules", "favicon.ico"];

/// A name such as `lodash` or `@scope/package`; cloning increments a reference count.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PackageName(Arc<str>);

/// The reason why a text is not a package name: the rule it breaks.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{name:?} is not a package name: {rule}")]
pub struct NameError {
    name: Box<str>,
    rule: &'static str,
}

impl NameError {
    /// Returns the text as given.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl Coded for NameError {
    fn code(&self) -> &'static str {
        "DX_INVALID_NAME"
    }
}

impl PackageName {
    /// Parses the name of a package to install. Names from before today's rules, such as those with
    /// capitals, pass.
    pub fn parse(name: &str) -> Result<Self, NameError> {
        match broken_rule(name) {
            None => Ok(Self(name.into())),
            Some(rule) => Err(NameError { name: name.into(), rule }),
        }
    }

    /// Returns the whole name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the scope with its `@`, if there is one.
    pub fn scope(&self) -> Option<&str> {
        self.0.split_once('/').map(|(scope, _)| scope)
    }

    /// Returns the name without its scope.
    pub fn bare(&self) -> &str {
        self.0.split_once('/').map_or(&self.0, |(_, bare)| bare)
    }
}

fn broken_rule(name: &str) -> Option<&'static str> {
    let (scope, bare) = match name.strip_prefix('@').and_then(|scoped| scoped.split_once('/')) {
        Some((scope, bare)) => (Some(scope), bare),
        None => (None, name),
    };
    if name.is_empty() {
        Some("it is empty")
    } else if name.len() > MAX_LENGTH {
        Some("it is longer than 214 characters")
    } else if bare.is_empty() || scope.is_some_and(str::is_empty) {
        Some("a scoped name is @scope/name")
    } else if bare.starts_with('.') {
        Some("it begins with a dot")
    } else if name.starts_with(['-', '_']) {
        Some("it begins with a hyphen or an underscore")
    } else if RESERVED.iter().any(|reserved| bare.eq_ignore_ascii_case(reserved)) {
        Some("the name is reserved")
    } else if !name_is_url_safe(scope, bare) {
        Some("it holds a character that does not belong in a URL's path segment")
    } else {
        None
    }
}

fn name_is_url_safe(scope: Option<&str>, bare: &str) -> bool {
    scope
        .into_iter()
        .chain([bare])
        .flat_map(str::bytes)
        .all(|byte| byte.is_ascii_alphanumeric() || b"-_.!~*'()".contains(&byte))
}

impl FromStr for PackageName {
    type Err = NameError;

    fn from_str(name: &str) -> Result<Self, NameError> {
        Self::parse(name)
    }
}

impl AsRef<str> for PackageName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for PackageName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PackageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for PackageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PackageName({})", self.0)
    }
}

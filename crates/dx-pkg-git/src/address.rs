//! Addresses of repositories: those that git may be given.

use dx_pkg_core::text::plain_text;

use crate::GitError;

/// The most characters of an address that are shown.
const LONGEST: usize = 300;

/// The address of a repository, checked: git takes it neither for an option nor for a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    text: String,
}

impl Address {
    /// Checks an address: a URL whose scheme is `https`, `http`, `ssh`, `git` or `file`, or
    /// `user@host:path`.
    ///
    /// # Errors
    /// Any other address.
    pub fn parse(text: &str) -> Result<Self, GitError> {
        let refused = |reason| Err(GitError::Address { address: shown(text), reason });
        if text.starts_with('-') || text.is_empty() {
            return refused("git would take it for an option");
        }
        if text.chars().any(|character| character.is_control()) {
            return refused("it has control characters");
        }
        let (scheme, rest) = match text.split_once("://") {
            Some((scheme, rest)) => (scheme.to_ascii_lowercase(), rest),
            // `user@host:path`, but not `program::argument`.
            None if text.contains('@') && !text.contains("::") => ("scp".to_owned(), text),
            None => return refused("it is no URL"),
        };
        if !["https", "http", "ssh", "git", "file", "scp"].contains(&scheme.as_str()) {
            return refused("git has other ways for this protocol, which may run programs");
        }
        let end = if scheme == "scp" { ':' } else { '/' };
        let authority = rest.split(end).next().unwrap_or(rest);
        let host = authority.rsplit('@').next().unwrap_or(authority);
        let is_option = |word: &str| word.starts_with('-') || word.starts_with("%2");
        if is_option(authority) || is_option(host) {
            return refused("git or ssh would take its host for an option");
        }
        Ok(Self { text: text.to_owned() })
    }

    /// Returns the address for git.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the address for messages, without credentials.
    pub(crate) fn shown(&self) -> String {
        shown(&self.text)
    }
}

/// Returns an address for messages, without credentials and unprintable characters.
fn shown(text: &str) -> String {
    plain_text(&hide(text), LONGEST)
}

/// Hides the credentials of a URL.
pub(crate) fn hide(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return text.to_owned() };
    let authority = rest.split('/').next().unwrap_or(rest);
    match authority.rfind('@') {
        Some(at) if &authority[..at] != "git" => format!("{scheme}://***{}", &rest[at..]),
        _ => text.to_owned(),
    }
}

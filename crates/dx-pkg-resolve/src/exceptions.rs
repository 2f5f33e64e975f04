//! Exceptions that a project makes from what packages require, as pnpm has them:
//! `peerDependencyRules` and `ignoredOptionalDependencies`.

/// The exceptions of a project.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exceptions {
    /// The versions of peers that are accepted beside those that are required.
    pub allowed_peers: Vec<AllowedPeer>,
    /// Patterns of names: peers of which every version is accepted.
    pub any_peers: Vec<String>,
    /// Patterns of names: optional dependencies that are left out.
    pub ignored_optional: Vec<String>,
}

/// Versions of a peer that are accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowedPeer {
    /// The name of the package that requires the peer; any where it is `None`.
    pub dependent: Option<String>,
    /// The name of the peer.
    pub name: String,
    /// The range of versions.
    pub range: String,
}

impl Exceptions {
    /// Returns whether every peer has to suit as it is required.
    pub(crate) fn has_no_peers(&self) -> bool {
        self.allowed_peers.is_empty() && self.any_peers.is_empty()
    }

    /// Returns the range of a peer's versions that `dependent` is to accept, if there is one.
    pub(crate) fn accepted(&self, dependent: &str, peer: &str) -> Option<String> {
        if self.any_peers.iter().any(|pattern| matches(pattern, peer)) {
            return Some("*".to_owned());
        }
        let is_for = |allowed: &&AllowedPeer| {
            allowed.name == peer && allowed.dependent.as_deref().is_none_or(|of| of == dependent)
        };
        let ranges = self.allowed_peers.iter().filter(is_for).map(|allowed| allowed.range.as_str());
        let ranges: Vec<&str> = ranges.collect();
        (!ranges.is_empty()).then(|| ranges.join(" || "))
    }

    /// Returns whether an optional dependency is left out.
    pub(crate) fn leaves_out(&self, name: &str) -> bool {
        self.ignored_optional.iter().any(|pattern| matches(pattern, name))
    }
}

/// Returns whether a name is one of a pattern's, in which `*` stands for any text.
fn matches(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, name) in
            [("a", "a"), ("*", "a"), ("@s/*", "@s/x"), ("a*c", "abc"), ("*b*", "abc"), ("a*", "a")]
        {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [
            ("a", "ab"),
            ("", "a"),
            ("@s/*", "@t/x"),
            ("a*c", "ab"),
            ("ab*bc", "abc"),
            ("*x*", "a"),
        ] {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
    }

    #[test]
    fn peers_are_accepted_by_name_and_dependent() {
        let allowed = |dependent: Option<&str>, range: &str| AllowedPeer {
            dependent: dependent.map(str::to_owned),
            name: "p".to_owned(),
            range: range.to_owned(),
        };
        let exceptions = Exceptions {
            allowed_peers: vec![allowed(None, "2"), allowed(Some("a"), "3")],
            any_peers: vec!["@s/*".to_owned()],
            ..Exceptions::default()
        };
        assert_eq!(exceptions.accepted("a", "p").as_deref(), Some("2 || 3"));
        assert_eq!(exceptions.accepted("b", "p").as_deref(), Some("2"));
        assert_eq!(exceptions.accepted("b", "@s/x").as_deref(), Some("*"));
        assert_eq!(exceptions.accepted("a", "q"), None);
    }
}

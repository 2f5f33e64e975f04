//! What a lockfile says about where a version's tarball comes from, and what its bytes are.

use dx_pkg_core::Integrity;

/// What an entry of a lockfile says about the tarball of a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Source {
    /// The entry, for messages.
    pub(crate) entry: String,
    /// The digest of the tarball, if the lockfile has one that can be compared.
    pub(crate) integrity: Option<String>,
    /// The address of the tarball, if it is none by which a registry names the version: then it may
    /// be another package of the same name.
    pub(crate) address: Option<String>,
}

/// A comparison of a source with a registry's tarball.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Judgement {
    /// The registry's tarball is meant.
    Same,
    /// Another tarball is meant, which does not come from the registry.
    Elsewhere,
    /// The registry's tarball is meant, but its bytes are others than those that were locked.
    Altered,
}

impl Source {
    /// Compares with a registry's tarball, which that has at `address`; `matches` says whether it
    /// has a digest.
    pub(crate) fn judge(
        &self,
        address: Option<&str>,
        matches: impl FnOnce(&Integrity) -> bool,
    ) -> Judgement {
        let is_of_registry = self.address.is_none() || self.address.as_deref() == address;
        let is_same = match self.integrity.as_deref().map(Integrity::parse) {
            Some(Ok(integrity)) => matches(&integrity),
            Some(Err(_)) => false,
            None => is_of_registry,
        };
        match (is_same, is_of_registry) {
            (true, _) => Judgement::Same,
            (false, false) => Judgement::Elsewhere,
            (false, true) => Judgement::Altered,
        }
    }
}

/// Whether an address ends as registries name the tarball of a version:
/// `NAME/-/BARE-VERSION.tgz`, with or without the scope before the file's name.
pub(super) fn names_version(address: &str, name: &str, version: &str) -> bool {
    let path = address.split(['?', '#']).next().unwrap_or_default();
    let path = path.replace("%2f", "/").replace("%2F", "/").replace("%40", "@");
    let version = version.split('+').next().unwrap_or_default();
    let bare = name.rsplit('/').next().unwrap_or_default();
    [bare, name].iter().any(|file| path.ends_with(&format!("/{name}/-/{file}-{version}.tgz")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_registries_name_the_version() {
        let right = [
            ("https://r.example/a/-/a-1.0.0.tgz", "a"),
            ("https://r.example/npm/a/-/a-1.0.0.tgz?x=1#y", "a"),
            ("https://r.example/@s/a/-/a-1.0.0.tgz", "@s/a"),
            ("https://r.example/@s%2fa/-/a-1.0.0.tgz", "@s/a"),
            ("https://r.example/%40s%2Fa/-/@s/a-1.0.0.tgz", "@s/a"),
        ];
        for (address, name) in right {
            assert!(names_version(address, name, "1.0.0"), "{address}");
        }
        let wrong = [
            ("https://files.example/a-1.0.0.tgz", "a"),
            ("https://r.example/b/-/a-1.0.0.tgz", "a"),
            ("https://r.example/a/-/a-1.0.1.tgz", "a"),
            ("https://r.example/xa/-/a-1.0.0.tgz", "a"),
            ("https://r.example/s/a/-/a-1.0.0.tgz", "@s/a"),
            ("https://r.example/?/a/-/a-1.0.0.tgz", "a"),
            ("https://codeload.example/u/a/tar.gz/1", "a"),
        ];
        for (address, name) in wrong {
            assert!(!names_version(address, name, "1.0.0"), "{address}");
        }
    }

    #[test]
    fn what_differs_is_altered_or_from_elsewhere() {
        let own = Integrity::sha512_of(b"own");
        let source = |integrity: Option<&str>, address: Option<&str>| Source {
            entry: "a".to_owned(),
            integrity: integrity.map(str::to_owned),
            address: address.map(str::to_owned),
        };
        let text = own.to_string();
        let other = Integrity::sha512_of(b"other").to_string();
        let (file, known) = (Some("https://files.example/a.tgz"), Some(text.as_str()));
        for (source, judgement) in [
            (source(None, None), Judgement::Same),
            (source(known, None), Judgement::Same),
            (source(known, file), Judgement::Same),
            (source(None, file), Judgement::Elsewhere),
            (source(Some(&other), file), Judgement::Elsewhere),
            (source(Some(&other), None), Judgement::Altered),
            (source(Some("damaged"), None), Judgement::Altered),
        ] {
            let judged = source.judge(None, |integrity| integrity.agrees_with(&own));
            assert_eq!(judged, judgement, "{source:?}");
        }
        let at = |integrity| source(integrity, file).judge(file, |own| own.to_string() == text);
        assert_eq!(at(None), Judgement::Same, "the registry has it there");
        assert_eq!(at(Some(&other)), Judgement::Altered);
    }
}

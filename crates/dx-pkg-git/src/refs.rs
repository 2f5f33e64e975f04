//! What a repository offers: its branches, tags and other refs, as `git ls-remote` lists them, and
//! which of them a requirement means by npm's rules.

use std::collections::HashMap;

use dx_pkg_core::{Range, Version};

/// The name of a commit: 40 or 64 hexadecimal digits in lower case.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Commit(String);

impl Commit {
    /// Returns the commit of this name; `None` for a name that is shortened or none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        let fits = matches!(text.len(), 40 | 64) && text.bytes().all(is_digit);
        fits.then(|| Self(text.to_owned()))
    }

    /// Returns the digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the hash that it is named by, in git's words.
    pub(crate) fn hash(&self) -> &'static str {
        if self.0.len() == 64 { "sha256" } else { "sha1" }
    }
}

/// The refs of a repository.
#[derive(Debug, Default)]
pub struct Refs {
    /// Commits by the whole names of refs.
    commits: HashMap<String, Commit>,
    /// Commits by the names of refs as npm shortens them. A branch can be named `HEAD`, or as
    /// another ref is in whole.
    shortened: HashMap<String, Commit>,
    /// Tags that are versions, the last of several for one version.
    versions: Vec<(Version, Commit)>,
}

impl Refs {
    /// Reads the output of `git ls-remote`; lines that are none of it are left out.
    #[must_use]
    pub fn parse(output: &str) -> Self {
        let mut refs = Self::default();
        let mut tags = Vec::new();
        for line in output.lines() {
            let mut words = line.split_whitespace();
            let (Some(commit), Some(name)) = (words.next().and_then(Commit::parse), words.next())
            else {
                continue;
            };
            // The commit that an annotated tag is of follows the tag itself.
            let name = name.strip_suffix("^{}").unwrap_or(name);
            if let Some(tag) = name.strip_prefix("refs/tags/") {
                tags.push(tag.to_owned());
            }
            refs.shortened.insert(short(name).to_owned(), commit.clone());
            refs.commits.insert(name.to_owned(), commit);
        }
        let mut places: HashMap<Version, usize> = HashMap::new();
        for tag in tags {
            let commit = refs.commits.get(&format!("refs/tags/{tag}"));
            let (Some(version), Some(commit)) = (version_of(&tag), commit) else { continue };
            let place = *places.entry(version.clone()).or_insert(refs.versions.len());
            match refs.versions.get_mut(place) {
                Some(known) => known.1 = commit.clone(),
                None => refs.versions.push((version, commit.clone())),
            }
        }
        refs
    }

    /// Returns the hash that commits are named by, in git's words.
    pub(crate) fn hash(&self) -> &'static str {
        self.commits.values().next().map_or("sha1", Commit::hash)
    }

    /// Returns the commit of the default branch.
    #[must_use]
    pub fn head(&self) -> Option<&Commit> {
        self.commits.get("HEAD")
    }

    /// Returns the commit that a branch, tag or pull request is at, or the commit of this name if
    /// some ref is at it.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&Commit> {
        let found = self.commits.get(name).or_else(|| self.shortened.get(name));
        found.or_else(|| self.commits.values().find(|commit| commit.as_str() == name))
    }

    /// Returns the commit of the version tag that a range means: the default branch's version if it
    /// is one that fits, else the highest.
    #[must_use]
    pub fn in_range(&self, range: &Range) -> Option<&Commit> {
        let default = self.shortened.get("latest").or_else(|| self.head());
        let mut at_default = self.versions.iter().filter(|(_, commit)| Some(commit) == default);
        let fits = |version: &Version| range.satisfies(version);
        let preferred = at_default.next_back().filter(|(v, _)| range.is_any() || fits(v));
        let highest = || self.versions.iter().filter(|(v, _)| fits(v)).max_by(|a, b| a.0.cmp(&b.0));
        preferred.or_else(highest).map(|(_, commit)| commit)
    }
}

/// Returns the name of a ref as npm shortens it.
fn short(name: &str) -> &str {
    if let Some(name) = name.strip_prefix("refs/heads/").or(name.strip_prefix("refs/tags/")) {
        return name;
    }
    match name.strip_prefix("refs/") {
        Some(pull) if pull.starts_with("pull/") => pull.strip_suffix("/head").unwrap_or(pull),
        _ => name,
    }
}

/// Returns the version at the end of a tag such as `v1.2.3` or `release-1.2.3-rc.1`.
fn version_of(tag: &str) -> Option<Version> {
    let starts = tag.char_indices().filter(|(at, character)| {
        let before = tag[..*at].chars().next_back();
        character.is_ascii_digit() && !before.is_some_and(|c| c.is_ascii_digit())
    });
    // The first place from which three numbers follow is the one that counts.
    let mut tails = starts.map(|(at, _)| &tag[at..]).filter(|tail| has_three_numbers(tail));
    Version::parse_loose(tails.next()?).ok()
}

fn has_three_numbers(text: &str) -> bool {
    let mut rest = text;
    for at in 0..3 {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        if digits == 0 {
            return false;
        }
        rest = &rest[digits..];
        if at < 2 {
            let Some(after) = rest.strip_prefix('.') else { return false };
            rest = after;
        }
    }
    rest.is_empty() || rest.len() > 1 && rest.starts_with(['-', '+'])
}

#[cfg(test)]
mod tests;

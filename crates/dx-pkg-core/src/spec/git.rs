//! Git repositories: URLs, `scp`-like addresses and the shortcuts of hosting sites.

use std::fmt;

use super::{HostedRepository, HostedSite, SpecError, shown};
use crate::Range;

/// A git repository and a commit of it: a committish, a range over its tags, or the default branch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GitSpec {
    /// The address for git: a URL without `git+`, or an `scp`-like address. For a shortcut it is
    /// the site's SSH URL; HTTPS may be tried first.
    pub url: Box<str>,
    /// The branch, tag or commit; never begins with a hyphen.
    pub committish: Option<Box<str>>,
    /// The range a version tag must be in (`#semver:`).
    pub semver: Option<Range>,
    /// The folder of the package in the repository (`#path:`), beginning with `/`.
    pub subdirectory: Option<Box<str>>,
    /// The selector of that folder as written, with what joins it: `::path:x`, or `&path:/x` as
    /// pnpm writes it.
    path_selector: Option<Box<str>>,
    /// The repository on its hosting site, if it is on one.
    pub hosted: Option<HostedRepository>,
    /// Whether the spec is a shortcut, which does not name a protocol.
    pub is_shortcut: bool,
    /// The text that npm writes into a manifest.
    saved: Box<str>,
}

/// The schemes, after `git+`, of repositories on any host.
const SCHEMES: [&str; 6] = ["ssh", "https", "http", "file", "rsync", "ftp"];

impl fmt::Display for GitSpec {
    /// Writes the text that npm writes into a manifest.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.saved)
    }
}

impl GitSpec {
    /// Returns the text that npm writes into a lockfile for a commit of the repository. Other than
    /// with npm, the folder of the package stays in it.
    #[must_use]
    pub fn resolved(&self, commit: &str) -> String {
        let base = match &self.hosted {
            Some(_) if self.url.starts_with("https://") => format!("git+{}", self.url),
            Some(hosted) => format!("git+{}", hosted.ssh_url()),
            None => self.saved.split('#').next().unwrap_or_default().to_owned(),
        };
        format!("{base}#{commit}{}", self.path_selector.as_deref().unwrap_or_default())
    }

    /// Returns the addresses that git is to try in turn. As with npm, a repository on a hosting
    /// site is looked for by HTTPS first, which needs no key, and by SSH where there are no
    /// credentials.
    #[must_use]
    pub fn addresses(&self) -> Vec<String> {
        match &self.hosted {
            Some(_) if self.url.starts_with("https://") && self.url.contains('@') => {
                vec![self.url.to_string()]
            }
            Some(hosted) => vec![hosted.https_url(), hosted.ssh_url()],
            None => vec![self.url.to_string()],
        }
    }

    /// Returns the commit that it names in full, which no other commit can stand for.
    #[must_use]
    pub fn named_commit(&self) -> Option<&str> {
        let is_commit = |name: &&str| {
            name.len() >= 40 && name.len() <= 64 && name.bytes().all(|b| b.is_ascii_hexdigit())
        };
        self.committish.as_deref().filter(is_commit)
    }

    /// Returns whether both select the same revision: the same branch, tag or range.
    #[must_use]
    pub fn is_same_revision(&self, other: &Self) -> bool {
        self.committish == other.committish && self.semver == other.semver
    }

    /// Returns whether both are the same folder of the same repository.
    #[must_use]
    pub fn is_same_place(&self, other: &Self) -> bool {
        let folder = |spec: &Self| {
            spec.subdirectory.as_deref().map(|path| path.trim_end_matches('/').to_owned())
        };
        self.url == other.url && folder(self) == folder(other)
    }
}

/// Parses the text if it is a git repository.
pub(super) fn parse(text: &str) -> Result<Option<GitSpec>, SpecError> {
    let (address, fragment) = match text.split_once('#') {
        Some((address, fragment)) => {
            (address, Some(fragment).filter(|fragment| !fragment.is_empty()))
        }
        None => (text, None),
    };
    let source = Source { text, address, fragment };
    if let Some(repository) = shortcut(address) {
        return source.shortcut(repository).map(Some);
    }
    if let Some((scheme, rest)) = address.split_once("://") {
        return source.url(&scheme.to_ascii_lowercase(), rest);
    }
    match scp_like(address) {
        Some((host, path)) => source.scp(host, path).map(Some),
        None => Ok(None),
    }
}

/// Returns whether an argument is an `scp`-like address rather than a name and its spec: only a
/// host holds a dot before the colon.
pub(super) fn is_scp_argument(argument: &str) -> bool {
    scp_like(argument).is_some_and(|(host, _)| host.contains('.'))
}

/// Returns `github:user/project` and the like, or `user/project`.
fn shortcut(address: &str) -> Option<HostedRepository> {
    if let Some((name, path)) = address.split_once(':') {
        return HostedSite::from_name(name)?.repository_named(path);
    }
    let (user, project) = address.split_once('/')?;
    let is_plain =
        !user.starts_with('.') && !project.contains('/') && !address.contains(['@', ' ', '\t']);
    if is_plain { HostedSite::Github.repository_named(address) } else { None }
}

/// Returns the host and path of `user@host:path`, which is not a URL because no slash comes before
/// the colon.
fn scp_like(address: &str) -> Option<(&str, &str)> {
    let (authority, path) = address.split_once(':')?;
    let (user, host) = authority.split_once('@')?;
    let is_complete = !user.is_empty() && !host.is_empty() && !path.is_empty();
    (is_complete && !authority.contains(['/', ' ']) && !host.contains('@')).then_some((host, path))
}

/// A spec and its two halves.
struct Source<'a> {
    text: &'a str,
    address: &'a str,
    /// The text after `#`, if there is any.
    fragment: Option<&'a str>,
}

impl Source<'_> {
    fn shortcut(&self, repository: HostedRepository) -> Result<GitSpec, SpecError> {
        let fragment = self.fragment.map(percent_decoded);
        let saved = with_fragment(&repository.to_string(), fragment.as_deref());
        let spec = self.spec(repository.ssh_url(), saved, fragment.as_deref())?;
        Ok(GitSpec { hosted: Some(repository), is_shortcut: true, ..spec })
    }

    fn url(&self, scheme: &str, rest: &str) -> Result<Option<GitSpec>, SpecError> {
        let (authority, path) = rest.find('/').map_or((rest, ""), |slash| rest.split_at(slash));
        let (credentials, host) = match authority.rsplit_once('@') {
            Some((credentials, host)) => (Some(credentials), host),
            None => (None, authority),
        };
        // A port follows the colon, or the beginning of a path as in an `scp`-like address.
        let (host, port) = host.split_once(':').unwrap_or((host, ""));
        let is_port = port.bytes().all(|byte| byte.is_ascii_digit());
        if let Some(site) = HostedSite::from_host(host).filter(|site| site.has_scheme(scheme)) {
            let path = if is_port { path.to_owned() } else { format!("{port}{path}") };
            if let Some((repository, committish)) = site.repository_at(&path) {
                return self.hosted(scheme, credentials, repository, committish).map(Some);
            }
        }
        let Some(plain) = scheme.strip_prefix("git+").or((scheme == "git").then_some(scheme))
        else {
            return Ok(None);
        };
        if scheme != "git" && !SCHEMES.contains(&plain) {
            return Err(SpecError::UnsupportedProtocol { spec: shown(self.text) });
        }
        self.refuse_option(authority)?;
        self.refuse_option(host)?;
        let url =
            if plain == "ssh" && !is_port { rest.to_owned() } else { format!("{plain}://{rest}") };
        self.spec(url, self.text.to_owned(), self.fragment).map(Some)
    }

    /// Returns a URL on a hosting site: npm brings it into one form, with `.git` and, for SSH, the
    /// user `git`.
    fn hosted(
        &self,
        scheme: &str,
        credentials: Option<&str>,
        repository: HostedRepository,
        committish: Option<&str>,
    ) -> Result<GitSpec, SpecError> {
        let path = repository.url_path();
        let url = match (scheme, credentials) {
            ("git", _) => format!("git://{path}"),
            ("git+https" | "https", Some(credentials)) => format!("https://{credentials}@{path}"),
            ("git+https" | "https", None) => repository.https_url(),
            _ => repository.ssh_url(),
        };
        let fragment = committish.or(self.fragment).map(percent_decoded);
        let git_plus = if scheme == "git" { "" } else { "git+" };
        let saved = with_fragment(&format!("{git_plus}{url}"), fragment.as_deref());
        let spec = self.spec(url, saved, fragment.as_deref())?;
        Ok(GitSpec { hosted: Some(repository), ..spec })
    }

    fn scp(&self, host: &str, path: &str) -> Result<GitSpec, SpecError> {
        if let Some(site) = HostedSite::from_host(host)
            && let Some((repository, committish)) = site.repository_at(path)
        {
            return self.hosted("git+ssh", None, repository, committish);
        }
        self.refuse_option(self.address)?;
        self.refuse_option(host)?;
        self.spec(self.address.to_owned(), format!("git+ssh://{}", self.text), self.fragment)
    }

    /// Returns the spec of a URL and its fragment: a committish, or `semver:` and `path:`
    /// selectors joined by `::`.
    ///
    /// As in npm, a selector of another name is ignored.
    fn spec(
        &self,
        url: String,
        saved: String,
        fragment: Option<&str>,
    ) -> Result<GitSpec, SpecError> {
        let (mut committish, mut semver, mut subdirectory) = (None, None, None);
        let mut path_selector = None;
        for (joint, selector) in fragment.into_iter().flat_map(selectors) {
            let is_new = match selector.split_once(':') {
                Some(("semver", range)) => {
                    let range = Range::parse(&percent_decoded(range))
                        .map_err(|_| self.invalid("what follows #semver: is no version range"))?;
                    committish.is_none() && semver.replace(range).is_none()
                }
                Some(("path", path)) => {
                    path_selector = Some(format!("{joint}{selector}").into());
                    subdirectory.replace(self.subdirectory(path)?).is_none()
                }
                Some(_) => true,
                None if selector.is_empty() => true,
                None => {
                    self.refuse_option(selector)?;
                    semver.is_none() && committish.replace(selector.into()).is_none()
                }
            };
            if !is_new {
                return Err(
                    self.invalid("what follows # selects a commit or folder more than once")
                );
            }
        }
        let (url, saved) = (url.into(), saved.into());
        Ok(GitSpec {
            url,
            committish,
            semver,
            subdirectory,
            path_selector,
            hosted: None,
            is_shortcut: false,
            saved,
        })
    }

    fn subdirectory(&self, path: &str) -> Result<Box<str>, SpecError> {
        if path.split(['/', '\\']).any(|segment| segment == "..") {
            return Err(self.invalid("the path after #path: leaves the repository"));
        }
        Ok(format!("/{}", path.trim_start_matches('/')).into())
    }

    /// Refuses a word that git or ssh would take for an option.
    fn refuse_option(&self, word: &str) -> Result<(), SpecError> {
        if word.starts_with('-') {
            return Err(self.invalid(
                "git would take a revision or host that begins with a hyphen for an option",
            ));
        }
        Ok(())
    }

    fn invalid(&self, problem: &'static str) -> SpecError {
        SpecError::InvalidGit { spec: shown(self.text), problem }
    }
}

/// Returns the selectors of a fragment, each with what joins it to the one before: `::`, or `&` as
/// pnpm has it.
fn selectors(fragment: &str) -> Vec<(&'static str, &str)> {
    let (mut found, mut joint, mut rest) = (Vec::new(), "::", fragment);
    loop {
        let next = [("::", "::"), ("&", "&path:"), ("&", "&semver:")];
        let next = next.iter().filter_map(|(next, text)| Some((rest.find(text)?, *next))).min();
        let Some((at, next)) = next else { break };
        found.push((joint, &rest[..at]));
        (joint, rest) = (next, &rest[at + next.len()..]);
    }
    found.push((joint, rest));
    found
}

fn with_fragment(address: &str, fragment: Option<&str>) -> String {
    match fragment {
        Some(fragment) => format!("{address}#{fragment}"),
        None => address.to_owned(),
    }
}

/// Decodes `%20` and the like; invalid sequences stay as they are.
pub fn percent_decoded(text: &str) -> String {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        decoded.extend_from_slice(before.as_bytes());
        let digits =
            after.get(..2).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        match digits.map(|digits| u8::from_str_radix(digits, 16)) {
            Some(Ok(byte)) => {
                decoded.push(byte);
                rest = &after[2..];
            }
            _ => {
                decoded.push(b'%');
                rest = after;
            }
        }
    }
    decoded.extend_from_slice(rest.as_bytes());
    String::from_utf8(decoded).unwrap_or_else(|_| text.to_owned())
}

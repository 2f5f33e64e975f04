//! The addresses of a package's pages: its documentation, repository and list of bugs.

use std::path::Path;

use dx_pkg_acquire::files::{parse_manifest, read_text};
use dx_pkg_core::Spec;
use dx_pkg_core::spec::{HostedRepository, HostedSite};
use dx_pkg_install::{InstallError, Session};
use serde_json::Value;
use url::Url;

use super::choice::chosen;
use super::{QuestionError, document};

/// npm's web site, which has a page of every public package: its name within `www.….com`.
const NPM_SITE: &str = "npmjs";

/// A page of a package.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Page {
    /// Its home page, or the readme in its repository.
    Docs,
    /// Its repository.
    Repo,
    /// Where bugs are told.
    Bugs,
}

impl Page {
    /// Returns the name of npm's command.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Docs => "docs",
            Self::Repo => "repo",
            Self::Bugs => "bugs",
        }
    }
}

/// The address of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// The package.
    pub name: String,
    /// The address.
    pub url: String,
}

impl Address {
    /// Checks that a browser opens the address.
    ///
    /// # Errors
    /// It is no http(s) address.
    pub fn check(&self) -> Result<(), QuestionError> {
        let is_page =
            Url::parse(&self.url).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
        match is_page {
            true => Ok(()),
            false => Err(QuestionError::NoPage { address: self.url.clone() }),
        }
    }
}

/// Returns the address of a page as one word that is neither an option nor a path, and that no
/// quotes in a script of the program end; `None` where it is no address of a page.
#[must_use]
pub fn page_word(address: &str) -> Option<String> {
    let url = Url::parse(address).ok()?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return None;
    }
    let mut word = String::with_capacity(url.as_str().len());
    for letter in url.as_str().chars() {
        match letter {
            '\'' | '"' | '`' | '\\' | '<' | '>' | ' ' | '\0'..='\x1f' => {
                word.push_str(&format!("%{:02X}", u32::from(letter)));
            }
            letter => word.push(letter),
        }
    }
    Some(word)
}

/// Returns the address of a page of a package: a folder, or a package of a registry. Folders are
/// relative to `folder`.
///
/// # Errors
/// No such package, no answer, or a package that does not say where its repository is.
pub fn address(
    session: &Session,
    folder: &Path,
    spec: &str,
    page: Page,
) -> Result<Address, QuestionError> {
    let manifest = manifest(session, folder, spec)?;
    let name = manifest.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
    let url = match page {
        Page::Docs => docs(&manifest),
        Page::Repo => Some(
            repository(&manifest)
                .ok_or_else(|| QuestionError::NoRepository { package: spec.to_owned() })?,
        ),
        Page::Bugs => bugs(&manifest),
    };
    let url = url.unwrap_or_else(|| format!("https://www.{NPM_SITE}.com/package/{name}"));
    Ok(Address { name, url: encoded(&url) })
}

/// Returns the manifest of a package.
fn manifest(session: &Session, folder: &Path, spec: &str) -> Result<Value, QuestionError> {
    let not_of_registry = || QuestionError::NotOfRegistry { spec: spec.to_owned() };
    let argument = match spec {
        "." | ".." => None,
        spec => Some(Spec::parse_argument(spec).map_err(|_| not_of_registry())?),
    };
    let path = match &argument {
        None => Some(spec.to_owned()),
        Some(argument) => match &argument.spec {
            Spec::Directory(path) => Some(path.to_string()),
            _ => None,
        },
    };
    if let Some(path) = path {
        let folder = folder.join(path);
        let path = folder.join("package.json");
        let Some(text) = read_text(&path)? else {
            return Err(InstallError::NoManifest { folder }.into());
        };
        parse_manifest(&path, &text)?;
        return Ok(serde_json::from_str(&text).unwrap_or_default());
    }
    let Some(argument) = argument else { return Err(not_of_registry()) };
    let (name, wanted) = match (argument.name, argument.spec) {
        (_, Spec::Alias { name, spec }) => (name, *spec),
        (Some(name), spec) if spec.is_registry() => (name, spec),
        _ => return Err(not_of_registry()),
    };
    let packument = document(session, &name)?.json;
    let tag = session.config().tag().map_err(dx_pkg_acquire::AcquireError::from)?;
    let version = chosen(&packument, &wanted, &tag);
    let version = version.and_then(|version| packument.get("versions")?.get(version).cloned());
    version.ok_or_else(|| QuestionError::NoVersion {
        name: name.to_string(),
        version: argument.raw.to_string(),
    })
}

fn docs(manifest: &Value) -> Option<String> {
    let home = manifest.get("homepage").and_then(Value::as_str);
    let home = home.filter(|home| !home.is_empty()).map(str::to_owned);
    home.or_else(|| Hosted::of(manifest).map(|hosted| hosted.readme()))
}

fn bugs(manifest: &Value) -> Option<String> {
    let own = manifest.get("bugs").and_then(|bugs| {
        let member = |key: &str| bugs.get(key).and_then(Value::as_str).filter(|it| !it.is_empty());
        let url = bugs.as_str().filter(|it| !it.is_empty()).or_else(|| member("url"));
        url.map(str::to_owned).or_else(|| Some(format!("mailto:{}", member("email")?)))
    });
    own.or_else(|| Hosted::of(manifest)?.issues())
}

fn repository(manifest: &Value) -> Option<String> {
    let address = repository_text(manifest)?;
    let directory = manifest.get("repository").and_then(|it| it.get("directory"));
    if let Some(hosted) = Hosted::of(manifest) {
        return Some(hosted.page(directory.and_then(Value::as_str)));
    }
    let url = Url::parse(&address).ok()?;
    let host = url.host_str().filter(|host| !host.is_empty())?;
    let scheme = if url.scheme() == "git+http" { "http" } else { "https" };
    let path = url.path();
    Some(format!("{scheme}://{host}{}", path.strip_suffix(".git").unwrap_or(path)))
}

fn repository_text(manifest: &Value) -> Option<String> {
    let repository = manifest.get("repository")?;
    let text = repository.as_str().or_else(|| repository.get("url")?.as_str())?;
    (!text.is_empty()).then(|| text.to_owned())
}

/// A repository on a site that is known.
struct Hosted {
    repository: HostedRepository,
    committish: Option<String>,
}

impl Hosted {
    fn of(manifest: &Value) -> Option<Self> {
        let text = repository_text(manifest)?;
        let text = text.strip_prefix("git+").unwrap_or(&text).to_owned();
        let Ok(Spec::Git(git)) = Spec::parse(&text) else { return None };
        let committish = git.committish.map(String::from);
        Some(Hosted { repository: git.hosted?, committish })
    }

    /// Returns the start of every address of the repository.
    fn base(&self) -> String {
        let HostedRepository { site, user, project } = &self.repository;
        match (site, user) {
            (HostedSite::Gist, _) | (_, None) => format!("https://{}/{project}", site.domain()),
            (_, Some(user)) => format!("https://{}/{user}/{project}", site.domain()),
        }
    }

    fn tree(&self) -> &'static str {
        if self.repository.site == HostedSite::Bitbucket { "src" } else { "tree" }
    }

    /// Returns the page of the repository, or of a folder in it.
    fn page(&self, directory: Option<&str>) -> String {
        let base = self.base();
        let committish = self.committish.as_deref().map(component);
        let is_gist = self.repository.site == HostedSite::Gist;
        match (directory, committish) {
            (Some(directory), committish) if is_gist => {
                let committish = committish.map(|name| format!("/{name}")).unwrap_or_default();
                let file = directory.to_lowercase().replace('/', "");
                format!("{base}{committish}#file-{file}")
            }
            (Some(directory), committish) => {
                let committish = committish.unwrap_or_else(|| "HEAD".to_owned());
                let directory = directory.strip_prefix('/').unwrap_or(directory);
                format!("{base}/{}/{committish}/{directory}", self.tree())
            }
            (None, Some(committish)) if is_gist => format!("{base}/{committish}"),
            (None, Some(committish)) => format!("{base}/{}/{committish}", self.tree()),
            (None, None) => base,
        }
    }

    fn readme(&self) -> String {
        let anchor = if self.repository.site == HostedSite::Gist { "" } else { "#readme" };
        format!("{}{anchor}", self.page(None))
    }

    fn issues(&self) -> Option<String> {
        match self.repository.site {
            HostedSite::Sourcehut => None,
            HostedSite::Gist => Some(self.base()),
            _ => Some(format!("{}/issues", self.base())),
        }
    }
}

/// Returns a text as a part of an address.
fn component(text: &str) -> String {
    escaped(text, b"-_.!~*'()")
}

/// Returns an address with what no address may hold escaped, as JavaScript's `encodeURI` does.
fn encoded(url: &str) -> String {
    escaped(url, b"-_.!~*'();/?:@&=+$,#")
}

fn escaped(text: &str, kept: &[u8]) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || kept.contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pages(repository: Value) -> [Option<String>; 3] {
        let manifest = json!({ "name": "a", "repository": repository });
        [docs(&manifest), super::repository(&manifest), bugs(&manifest)]
    }

    #[test]
    fn repositories_have_npms_pages() {
        let all = |base: &str| {
            [format!("{base}#readme"), base.to_owned(), format!("{base}/issues")].map(Some)
        };
        let hub = all("https://github.com/user/thing");
        for repository in [
            json!("user/thing"),
            json!("github:user/thing"),
            json!("git@github.com:user/thing.git"),
            json!("git://github.com/user/thing.git"),
            json!({ "type": "git", "url": "git+ssh://git@github.com/user/thing.git" }),
            json!({ "url": "https://github.com/user/thing" }),
        ] {
            assert_eq!(pages(repository.clone()), hub, "{repository}");
        }
        assert_eq!(
            pages(json!("gitlab:group/sub/thing")),
            all("https://gitlab.com/group/sub/thing")
        );
        assert_eq!(pages(json!("bitbucket:user/thing")), all("https://bitbucket.org/user/thing"));
        let branch = pages(json!("https://github.com/user/thing/tree/a%2Fb"));
        assert_eq!(branch[1].as_deref(), Some("https://github.com/user/thing/tree/a%2Fb"));
        let own = pages(json!({ "url": "git+http://git.example.test/x/y.git" }));
        assert_eq!(own, [None, Some("http://git.example.test/x/y".to_owned()), None]);
        assert_eq!(pages(json!({})), [None, None, None]);
    }

    #[test]
    fn addresses_are_escaped() {
        assert_eq!(encoded("http://a.example/b c?d=é#e"), "http://a.example/b%20c?d=%C3%A9#e");
    }

    #[test]
    fn only_addresses_of_pages_are_opened_and_as_one_word() {
        for (address, opened) in [
            ("https://a.example/b?c=d&e=%20#f", "https://a.example/b?c=d&e=%20#f"),
            ("http:a.example", "http://a.example/"),
            (" ht\ntp://a.example/x y", "http://a.example/x%20y"),
            ("http://a.example/'`\"\\<>", "http://a.example/%27%60%22/%3C%3E"),
            ("http://a.example/?q='\u{1b}#`", "http://a.example/?q=%27%1B#%60"),
        ] {
            assert_eq!(page_word(address).as_deref(), Some(opened), "{address:?}");
        }
        for address in ["file:///etc/passwd", "javascript:x", "-x", "--help", "", "a.example", "/"]
        {
            assert_eq!(page_word(address), None, "{address}");
        }
    }
}

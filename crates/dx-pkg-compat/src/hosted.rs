//! Repositories on hosting sites: the addresses that npm derives from that of a repository.

use dx_pkg_core::spec::HostedSite;
use url::Url;

/// The sites that npm knows.
const SITES: [HostedSite; 5] = [
    HostedSite::Github,
    HostedSite::Gitlab,
    HostedSite::Bitbucket,
    HostedSite::Gist,
    HostedSite::Sourcehut,
];
/// The schemes that are no names of sites.
const SCHEMES: [&str; 7] = ["git+ssh", "ssh", "git+https", "git", "http", "https", "git+http"];

/// How a repository was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Written {
    Shortcut,
    Https,
    Git,
    /// By another scheme, which npm turns into SSH.
    Ssh,
}

/// A repository on a hosting site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hosted {
    site: HostedSite,
    user: Option<String>,
    project: String,
    committish: String,
    auth: String,
    written: Written,
}

impl Hosted {
    /// Reads an address, `user/project` or `site:user/project`; `None` for a repository elsewhere.
    #[must_use]
    pub fn read(address: &str) -> Option<Self> {
        let address =
            if is_shorthand(address) { format!("github:{address}") } else { address.to_owned() };
        let url = parsed(&address)?;
        if let Some(site) = SITES.into_iter().find(|site| site.name() == url.scheme()) {
            return Self::of_shortcut(site, &url);
        }
        let host = url.host_str()?;
        let host = host.strip_prefix("www.").unwrap_or(host);
        let site = SITES.into_iter().find(|site| site.domain() == host)?;
        let scheme = url.scheme();
        let takes = match scheme {
            "git+ssh" | "https" => true,
            "git+https" | "ssh" => site != HostedSite::Sourcehut,
            "git" => matches!(site, HostedSite::Github | HostedSite::Gist),
            "http" => site == HostedSite::Github,
            _ => false,
        };
        if !takes {
            return None;
        }
        let (user, project, committish) = parts(site, &url)?;
        let auth = match (scheme, url.username(), url.password()) {
            ("ssh" | "git+ssh", ..) | (_, "", None) => String::new(),
            (_, user, None) => user.to_owned(),
            (_, user, Some(password)) => format!("{user}:{password}"),
        };
        let written = match scheme {
            "https" | "git+https" => Written::Https,
            "git" => Written::Git,
            _ => Written::Ssh,
        };
        Some(Hosted { site, user, project, committish, auth, written })
    }

    fn of_shortcut(site: HostedSite, url: &Url) -> Option<Self> {
        let path = url.path().trim_start_matches('/');
        let path = path.split_once('@').map_or(path, |(_, path)| path);
        let (user, project) = match path.rsplit_once('/') {
            Some((user, project)) => {
                (Some(decoded(user)?).filter(|user| !user.is_empty()), project)
            }
            None => (None, path),
        };
        let project = decoded(project)?;
        let project = project.strip_suffix(".git").unwrap_or(&project).to_owned();
        let committish = decoded(url.fragment().unwrap_or_default())?;
        let written = Written::Shortcut;
        Some(Hosted { site, user, project, committish, auth: String::new(), written })
    }

    /// Returns the address as npm writes it where it corrects one.
    #[must_use]
    pub fn corrected(&self) -> String {
        match self.written {
            Written::Shortcut => format!("{}:{}{}", self.site.name(), self.path(), self.hash()),
            Written::Https => self.https(),
            Written::Git => {
                let auth = self.auth_part();
                format!("git://{auth}{}/{}.git{}", self.site.domain(), self.path(), self.hash())
            }
            Written::Ssh => {
                format!("git+ssh://git@{}/{}.git{}", self.site.domain(), self.path(), self.hash())
            }
        }
    }

    /// Returns the address for `repository.url`.
    #[must_use]
    pub fn repository(&self) -> String {
        if self.written == Written::Shortcut { self.https() } else { self.corrected() }
    }

    fn https(&self) -> String {
        let (domain, path, hash) = (self.site.domain(), self.path(), self.hash());
        match self.site {
            HostedSite::Sourcehut => format!("https://{domain}/{path}{hash}"),
            HostedSite::Gist => format!("git+https://{domain}/{path}.git{hash}"),
            _ => format!("git+https://{}{domain}/{path}.git{hash}", self.auth_part()),
        }
    }

    /// Returns the address of its readme.
    #[must_use]
    pub fn docs(&self) -> String {
        let committish = percent(&self.committish);
        let page = self.page();
        let tree = if self.site == HostedSite::Bitbucket { "src" } else { "tree" };
        match (self.site, self.committish.is_empty()) {
            (HostedSite::Gist, true) => page,
            (HostedSite::Gist, false) => format!("{page}/{committish}"),
            (_, true) => format!("{page}#readme"),
            (_, false) => format!("{page}/{tree}/{committish}#readme"),
        }
    }

    /// Returns the address of its issues; `None` where the site has none.
    #[must_use]
    pub fn bugs(&self) -> Option<String> {
        match self.site {
            HostedSite::Sourcehut => None,
            HostedSite::Gist => Some(self.page()),
            _ => Some(format!("{}/issues", self.page())),
        }
    }

    /// Returns `user/project`, if the site has this name.
    #[must_use]
    pub fn path_on(&self, site: &str) -> Option<String> {
        (self.site.name() == site).then(|| self.path())
    }

    fn page(&self) -> String {
        format!("https://{}/{}", self.site.domain(), self.path())
    }

    fn path(&self) -> String {
        match &self.user {
            Some(user) if self.site != HostedSite::Gist => format!("{user}/{}", self.project),
            None if self.site != HostedSite::Gist => format!("null/{}", self.project),
            _ => self.project.clone(),
        }
    }

    fn hash(&self) -> String {
        if self.committish.is_empty() { String::new() } else { format!("#{}", self.committish) }
    }

    fn auth_part(&self) -> String {
        if self.auth.is_empty() { String::new() } else { format!("{}@", self.auth) }
    }
}

/// Returns user, project and committish of an address on a site; `None` for one of something else,
/// such as an archive.
fn parts(site: HostedSite, url: &Url) -> Option<(Option<String>, String, String)> {
    let path = url.path().strip_prefix('/').unwrap_or(url.path());
    let mut committish = url.fragment().unwrap_or_default();
    let (user, project) = if site == HostedSite::Gitlab {
        if path.contains("/-/") || path.contains("/archive.tar.gz") {
            return None;
        }
        let (user, project) = path.rsplit_once('/')?;
        (Some(user), project)
    } else {
        let mut segments = path.split('/');
        let first = segments.next().unwrap_or_default();
        let second = segments.next().unwrap_or_default();
        let third = segments.next().unwrap_or_default();
        match (site, third) {
            (HostedSite::Github, "tree") => committish = segments.next().unwrap_or_default(),
            (HostedSite::Github, "") => {}
            (HostedSite::Github, _)
            | (HostedSite::Bitbucket, "get")
            | (HostedSite::Gist, "raw")
            | (HostedSite::Sourcehut, "archive") => return None,
            _ => {}
        }
        match (site, second) {
            (HostedSite::Gist, "") => (None, first),
            _ => (Some(first), second),
        }
    };
    let project = project.strip_suffix(".git").unwrap_or(project);
    if project.is_empty() || user.is_some_and(str::is_empty) {
        return None;
    }
    let user = match user {
        Some(user) => Some(decoded(user)?),
        None => None,
    };
    Some((user, decoded(project)?, decoded(committish)?))
}

/// Returns whether a text is a repository on GitHub by its user and name alone.
fn is_shorthand(text: &str) -> bool {
    let before = text.split('#').next().unwrap_or_default();
    let slash = before.find('/');
    slash.is_some_and(|at| at > 0 && !before[at + 1..].contains('/'))
        && !before.ends_with('/')
        && !text.starts_with('.')
        && !before.contains(|c: char| c.is_whitespace() || c == '@' || c == ':')
}

/// Parses an address, in the forms that git takes too.
fn parsed(address: &str) -> Option<Url> {
    let address = with_scheme(address);
    Url::parse(&address).ok().or_else(|| Url::parse(&from_scp(&address)).ok())
}

fn with_scheme(address: &str) -> String {
    let colon = address.find(':');
    let scheme = colon.map_or("", |at| &address[..at]);
    let is_known = SCHEMES.contains(&scheme) || SITES.iter().any(|site| site.name() == scheme);
    let rest = colon.map_or(address, |at| &address[at + 1..]);
    if is_known || rest.starts_with("//") && colon.is_some() {
        return address.to_owned();
    }
    match (address.find('@'), colon) {
        (Some(at), colon) if colon.is_none_or(|colon| at > colon) => {
            format!("git+ssh://{address}")
        }
        (Some(_), _) => address.to_owned(),
        (None, Some(colon)) => format!("{}//{rest}", &address[..=colon]),
        (None, None) => format!("//{address}"),
    }
}

/// Returns an address in the form of `scp` as a URL.
fn from_scp(address: &str) -> String {
    let end = address.find('#').unwrap_or(address.len());
    let at = address[..end].rfind('@');
    let mut url = address.to_owned();
    if let Some(colon) = address[..end].rfind(':').filter(|colon| at.is_none_or(|at| *colon > at)) {
        url.replace_range(colon..=colon, "/");
    }
    let end = url.find('#').unwrap_or(url.len());
    if !url[..end].contains(':') && !url.contains("//") {
        url.insert_str(0, "git+ssh://");
    }
    url
}

/// Returns a text with its escapes replaced; `None` where they are no text.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digits = [rest.next()?, rest.next()?];
        let digits = std::str::from_utf8(&digits).ok()?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
    }
    String::from_utf8(bytes).ok()
}

/// Returns a text as JavaScript's `encodeURIComponent` does.
#[must_use]
pub fn percent(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for byte in text.bytes() {
        if is_plain(byte) {
            shown.push(char::from(byte));
        } else {
            shown.push_str(&format!("%{byte:02X}"));
        }
    }
    shown
}

/// Returns whether a byte stands for itself in a URL, as JavaScript sees it.
#[must_use]
pub fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_.!~*'()".contains(&byte)
}

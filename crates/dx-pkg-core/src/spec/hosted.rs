//! Repositories on hosting sites that npm has shortcuts for.

use std::fmt;

/// A site npm has a shortcut for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum HostedSite {
    /// `github:user/project`, or just `user/project`.
    Github,
    /// `gitlab:group/project`.
    Gitlab,
    /// `bitbucket:user/project`.
    Bitbucket,
    /// `gist:id`.
    Gist,
    /// `sourcehut:~user/project`.
    Sourcehut,
}

/// A repository on such a site.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct HostedRepository {
    /// The site.
    pub site: HostedSite,
    /// The user or group; gists need none.
    pub user: Option<Box<str>>,
    /// The repository, without `.git`.
    pub project: Box<str>,
}

/// A repository and the committish its URL's path names.
type Found<'a> = (HostedRepository, Option<&'a str>);

impl HostedSite {
    const ALL: [Self; 5] =
        [Self::Github, Self::Gitlab, Self::Bitbucket, Self::Gist, Self::Sourcehut];

    /// Returns the word before the colon of a shortcut.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Github => "github",
            Self::Gitlab => "gitlab",
            Self::Bitbucket => "bitbucket",
            Self::Gist => "gist",
            Self::Sourcehut => "sourcehut",
        }
    }

    /// Returns the site's host.
    pub const fn domain(self) -> &'static str {
        match self {
            Self::Github => "github.com",
            Self::Gitlab => "gitlab.com",
            Self::Bitbucket => "bitbucket.org",
            Self::Gist => "gist.github.com",
            Self::Sourcehut => "git.sr.ht",
        }
    }

    pub(super) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|site| site.name().eq_ignore_ascii_case(name))
    }

    pub(super) fn from_host(host: &str) -> Option<Self> {
        let host = host.strip_prefix("www.").unwrap_or(host);
        Self::ALL.into_iter().find(|site| site.domain().eq_ignore_ascii_case(host))
    }

    /// Returns whether a URL of this scheme (`git+` included) is taken for a repository of the
    /// site.
    pub(super) fn has_scheme(self, scheme: &str) -> bool {
        match scheme {
            "git+ssh" | "git+https" | "ssh" | "https" => true,
            "git" => matches!(self, Self::Github | Self::Gist),
            "http" => self == Self::Github,
            _ => false,
        }
    }

    /// Returns the repository in the path of a URL on the site, unless the path is that of
    /// something else, such as an archive.
    pub(super) fn repository_at(self, path: &str) -> Option<Found<'_>> {
        let path = path.strip_prefix('/').unwrap_or(path);
        let mut committish = None;
        let (user, project) = match self {
            Self::Gitlab => {
                if path.contains("/-/") || path.contains("/archive.tar.gz") {
                    return None;
                }
                let (user, project) = path.rsplit_once('/')?;
                (Some(user), project)
            }
            _ => {
                let mut segments = path.splitn(4, '/');
                let first = segments.next()?;
                let second = segments.next().unwrap_or_default();
                let third = segments.next().unwrap_or_default();
                match (self, third) {
                    (Self::Github, "tree") => committish = segments.next(),
                    (Self::Github, "") => {}
                    (Self::Github, _)
                    | (Self::Bitbucket, "get")
                    | (Self::Gist, "raw")
                    | (Self::Sourcehut, "archive") => {
                        return None;
                    }
                    _ => {}
                }
                if self == Self::Gist && second.is_empty() {
                    (None, first)
                } else {
                    (Some(first), second)
                }
            }
        };
        Some((self.repository(user, project)?, committish))
    }

    /// Returns the repository that a path after `github:` and the like names.
    pub(super) fn repository_named(self, path: &str) -> Option<HostedRepository> {
        let path = path.strip_prefix('/').unwrap_or(path);
        match path.rsplit_once('/') {
            Some((user, project)) => self.repository(Some(user), project),
            None if self == Self::Gist => self.repository(None, path),
            None => None,
        }
    }

    fn repository(self, user: Option<&str>, project: &str) -> Option<HostedRepository> {
        let project = project.strip_suffix(".git").unwrap_or(project);
        let complete = !project.is_empty() && user.is_none_or(|user| !user.is_empty());
        complete.then(|| HostedRepository {
            site: self,
            user: user.map(Into::into),
            project: project.into(),
        })
    }
}

impl HostedRepository {
    /// Returns the URL for cloning over SSH.
    pub(super) fn ssh_url(&self) -> String {
        format!("ssh://git@{}", self.url_path())
    }

    /// Returns the URL for cloning over HTTPS.
    pub(super) fn https_url(&self) -> String {
        format!("https://{}", self.url_path())
    }

    /// Returns the host and path of its URLs.
    pub(super) fn url_path(&self) -> String {
        format!("{}/{}.git", self.site.domain(), self.path())
    }

    fn path(&self) -> String {
        match &self.user {
            Some(user) if self.site != HostedSite::Gist => format!("{user}/{}", self.project),
            _ => self.project.to_string(),
        }
    }
}

impl fmt::Display for HostedRepository {
    /// Returns the shortcut, such as `github:user/project`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.site.name(), self.path())
    }
}

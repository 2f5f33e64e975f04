//! Where things are: the URL of a packument, and that of a tarball.

use dx_pkg_core::PackageName;
use url::Url;

/// The URL of a packument: the registry's base, then the name with its `/` escaped as npm does.
pub(super) fn packument_url(registry: &Url, name: &PackageName) -> Option<Url> {
    below(registry, &name.as_str().replace('/', "%2f"))
}

/// The URL of a tarball whose packument names none:
/// `<registry>/<name>/-/<bare name>-<version>.tgz`.
pub(super) fn conventional_tarball_url(
    registry: &Url,
    name: &PackageName,
    version: &str,
) -> Option<Url> {
    below(registry, &format!("{name}/-/{}-{version}.tgz", name.bare()))
}

/// `path` below `base`, whether or not `base` ends with a slash.
pub(super) fn below(base: &Url, path: &str) -> Option<Url> {
    let mut url = base.clone();
    url.set_query(None);
    url.set_fragment(None);
    Url::parse(&format!("{}/{path}", url.as_str().trim_end_matches('/'))).ok()
}

/// The setting `replace-registry-host`: whose tarball URLs are led to the configured registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ReplaceHost {
    /// `never`
    Never,
    /// `always`
    Always,
    /// A host name; `npmjs` stands for the default registry's.
    Host(String),
    /// A URL: its host, and its path as a prefix.
    Prefix(Url),
}

impl ReplaceHost {
    pub(super) fn read(setting: &str, default_registry: &Url) -> Self {
        match setting {
            "never" => Self::Never,
            "always" => Self::Always,
            "npmjs" | "" => Self::Host(default_registry.host_str().unwrap_or_default().to_owned()),
            other => match Url::parse(other) {
                Ok(url) if url.has_host() => Self::Prefix(url),
                _ => Self::Host(other.to_owned()),
            },
        }
    }

    /// `resolved`, led to `registry` if this setting covers it: scheme, host and port are replaced,
    /// and the path is put below the registry's unless it is there already.
    pub(super) fn apply(&self, resolved: Url, registry: &Url) -> Url {
        let base = registry.path().trim_end_matches('/');
        let path = match self {
            Self::Never => return resolved,
            Self::Host(host) if resolved.host_str() != Some(host) => return resolved,
            Self::Always | Self::Host(_) => {
                if path_below(resolved.path(), base).is_some() {
                    resolved.path().to_owned()
                } else {
                    format!("{base}{}", resolved.path())
                }
            }
            Self::Prefix(prefix) => {
                let rest = path_below(resolved.path(), prefix.path().trim_end_matches('/'));
                match rest.filter(|_| resolved.host_str() == prefix.host_str()) {
                    Some(rest) => format!("{base}{rest}"),
                    None => return resolved,
                }
            }
        };
        let mut moved = registry.clone();
        moved.set_path(&path);
        moved.set_query(resolved.query());
        moved.set_fragment(None);
        moved
    }
}

/// What follows `base` in `path`, where `path` is `base` or below it.
fn path_below<'a>(path: &'a str, base: &str) -> Option<&'a str> {
    path.strip_prefix(base).filter(|rest| rest.is_empty() || rest.starts_with('/'))
}

//! Specs: the right-hand side of an entry of `dependencies`, or an argument of `install`.
//!
//! The rules are those of npm's `npm-package-arg`. No file is looked up: a path is a path whether
//! or not it exists.

mod foreign;
mod git;
mod hosted;
#[cfg(test)]
mod tests;

use std::str::FromStr;

use crate::{Coded, NameError, PackageName, Range, Version};
use foreign::ForeignProtocol;
pub use git::{GitSpec, percent_decoded};
pub use hosted::{HostedRepository, HostedSite};

/// A requirement for a package.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Spec {
    /// A range of versions of the registry; the empty text is every version.
    Range(Range),
    /// One version of the registry.
    Version(Version),
    /// A dist-tag of the registry.
    Tag(Box<str>),
    /// Another package of the registry under this name: `npm:name@spec`.
    Alias {
        /// The package to fetch.
        name: PackageName,
        /// Its range, version or tag.
        spec: Box<Spec>,
    },
    /// A commit of a git repository.
    Git(Box<GitSpec>),
    /// A folder: absolute, below `~/`, or relative to the manifest; without `file:`.
    Directory(Box<str>),
    /// A tarball on this machine, its path as for [`Spec::Directory`].
    Tarball(Box<str>),
    /// The URL of a tarball.
    Remote(Box<str>),
    /// The text after `workspace:`, such as `*`, `^1.2.0` or a path.
    Workspace(Box<str>),
}

/// An argument of `install`: a spec, with the name before it where there is one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Argument {
    /// The name, if the argument holds one.
    pub name: Option<PackageName>,
    /// The text of the spec; `*` if the argument is a name only.
    pub raw: Box<str>,
    /// The spec.
    pub spec: Spec,
}

/// The reason why a text is not a spec.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SpecError {
    /// The text is neither a range nor a tag, nor any other spec.
    #[error(
        "cannot read {spec:?} as what to install: it is no version, range, path or URL, and no tag can be called that"
    )]
    InvalidTag {
        /// The spec, without the credentials of a URL.
        spec: Box<str>,
    },
    /// The scheme of a URL is not supported.
    #[error("cannot install {spec:?}: its protocol is not supported")]
    UnsupportedProtocol {
        /// The spec, without the credentials of a URL.
        spec: Box<str>,
    },
    /// The protocol is one of other package managers.
    #[error(
        "cannot install {spec:?}: {protocol} is a protocol of {managers}, which npm does not have"
    )]
    ForeignProtocol {
        /// The spec, without the credentials of a URL.
        spec: Box<str>,
        /// The protocol with its colon.
        protocol: &'static str,
        /// The package managers that have it.
        managers: &'static str,
        /// What to write instead.
        instead: &'static str,
    },
    /// The target of an alias is missing, or not a version, range or tag of a registry.
    #[error(
        "cannot install {spec:?}: an alias is npm:name@version, the version being one of the registry"
    )]
    InvalidAlias {
        /// The spec, without the credentials of a URL.
        spec: Box<str>,
    },
    /// The text is longer than any that means something.
    #[error(
        "cannot read {spec:?} as what to install: it has {length} bytes, and dx reads at most {}",
        Spec::MOST_BYTES
    )]
    TooLong {
        /// The beginning of the spec.
        spec: Box<str>,
        /// Its length in bytes.
        length: usize,
    },
    /// A git URL, or the fragment after its `#`, is not valid.
    #[error("cannot install {spec:?}: {problem}")]
    InvalidGit {
        /// The spec, without the credentials of a URL.
        spec: Box<str>,
        /// The problem.
        problem: &'static str,
    },
    /// The name in an argument or alias is not valid.
    #[error(transparent)]
    Name(#[from] NameError),
}

impl Coded for SpecError {
    fn code(&self) -> &'static str {
        match self {
            Self::InvalidTag { .. } | Self::InvalidAlias { .. } | Self::TooLong { .. } => {
                "DX_INVALID_SPEC"
            }
            Self::UnsupportedProtocol { .. } | Self::ForeignProtocol { .. } => {
                "DX_UNSUPPORTED_PROTOCOL"
            }
            Self::InvalidGit { .. } => "DX_INVALID_GIT_SPEC",
            Self::Name(error) => error.code(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::ForeignProtocol { instead, .. } => Some((*instead).to_owned()),
            Self::Name(error) => error.hint(),
            _ => None,
        }
    }
}

impl Spec {
    /// Returns the error that names the protocol of a requirement, where npm does not have it.
    /// [`Spec::Workspace`] is among these unless a workspace of the project is meant.
    pub fn foreign_protocol(raw: &str) -> Option<SpecError> {
        let text = raw.trim();
        let ForeignProtocol { protocol, managers, instead } = *ForeignProtocol::of(text)?;
        Some(SpecError::ForeignProtocol { spec: shown(text), protocol, managers, instead })
    }

    /// The most bytes of a spec: a range of thousands of parts takes time with every version.
    pub const MOST_BYTES: usize = 16 << 10;

    /// Parses the right-hand side of a dependency.
    pub fn parse(raw: &str) -> Result<Self, SpecError> {
        let text = raw.trim();
        if text.len() > Self::MOST_BYTES {
            let spec = text.chars().take(40).chain("…".chars()).collect::<String>();
            return Err(SpecError::TooLong { spec: shown(&spec), length: text.len() });
        }
        if let Some(rest) = strip_prefix_ignoring_case(text, "workspace:") {
            return Ok(Self::Workspace(rest.into()));
        }
        if is_path(text) || strip_prefix_ignoring_case(text, "file:").is_some() {
            return Ok(Self::path(text));
        }
        if text.contains([':', '/'])
            && let Some(spec) = Self::addressed(text)?
        {
            return Ok(spec);
        }
        if is_tarball(text) {
            return Ok(Self::path(text));
        }
        Self::registry(text)
    }

    /// Parses an alias, a URL, a repository or a path, all of which have a colon or slash.
    fn addressed(text: &str) -> Result<Option<Self>, SpecError> {
        if let Some(rest) = strip_prefix_ignoring_case(text, "npm:") {
            return Self::alias(text, rest).map(Some);
        }
        if let Some(error) = Self::foreign_protocol(text) {
            return Err(error);
        }
        if let Some(git) = git::parse(text)? {
            return Ok(Some(Self::Git(Box::new(git))));
        }
        match scheme(text) {
            Some(scheme)
                if ["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) =>
            {
                Ok(Some(Self::Remote(text.into())))
            }
            Some(_) => Err(SpecError::UnsupportedProtocol { spec: shown(text) }),
            None => Ok(text.contains('/').then(|| Self::path(text))),
        }
    }

    /// Parses an argument of `install`: a name, a name with a spec, or a spec alone.
    pub fn parse_argument(argument: &str) -> Result<Argument, SpecError> {
        let argument = argument.trim();
        let at = argument
            .char_indices()
            .skip(1)
            .find(|(_, character)| *character == '@')
            .map(|(at, _)| at);
        let name = at.map_or(argument, |at| &argument[..at]);
        let is_spec = scheme(argument).is_some()
            || git::is_scp_argument(argument)
            || (!name.starts_with('@') && (name.contains('/') || is_tarball(name)));
        let (name, raw) = match (is_spec, at) {
            (true, _) => (None, argument),
            (false, Some(at)) => (Some(PackageName::parse(name)?), &argument[at + 1..]),
            (false, None) => match PackageName::parse(argument) {
                Ok(name) => (Some(name), ""),
                Err(_) => (None, argument),
            },
        };
        let raw = match raw.trim() {
            "" => "*",
            trimmed => trimmed,
        };
        Ok(Argument { name, raw: raw.into(), spec: Self::parse(raw)? })
    }

    /// Returns whether this is a package of a registry: a range, version or tag, or an alias.
    pub const fn is_registry(&self) -> bool {
        matches!(self, Self::Range(_) | Self::Version(_) | Self::Tag(_) | Self::Alias { .. })
    }

    fn registry(text: &str) -> Result<Self, SpecError> {
        // A version begins with a digit, after the prefix that loose mode ignores.
        let begins_version =
            |character: char| character.is_ascii_digit() || matches!(character, 'v' | '=');
        if text.starts_with(begins_version)
            && let Ok(version) = Version::parse_loose(text)
        {
            return Ok(Self::Version(version));
        }
        if let Ok(range) = Range::parse(text) {
            return Ok(Self::Range(range));
        }
        let is_tag =
            text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.!~*'()".contains(&byte));
        if is_tag {
            Ok(Self::Tag(text.into()))
        } else {
            Err(SpecError::InvalidTag { spec: shown(text) })
        }
    }

    fn alias(text: &str, target: &str) -> Result<Self, SpecError> {
        let invalid = || SpecError::InvalidAlias { spec: shown(text) };
        let Argument { name, spec, .. } = Self::parse_argument(target)?;
        match (name, spec) {
            (Some(name), spec @ (Self::Range(_) | Self::Version(_) | Self::Tag(_))) => {
                Ok(Self::Alias { name, spec: Box::new(spec) })
            }
            _ => Err(invalid()),
        }
    }

    fn path(text: &str) -> Self {
        let path = strip_prefix_ignoring_case(text, "file:").map_or(text, without_url_slashes);
        if is_tarball(path) { Self::Tarball(path.into()) } else { Self::Directory(path.into()) }
    }
}

impl FromStr for Spec {
    type Err = SpecError;

    fn from_str(raw: &str) -> Result<Self, SpecError> {
        Self::parse(raw)
    }
}

/// Returns the text for an error message, with the credentials of a URL hidden.
fn shown(text: &str) -> Box<str> {
    let Some((scheme, rest)) = text.split_once("://") else {
        return text.into();
    };
    let authority = rest.find('/').map_or(rest, |slash| &rest[..slash]);
    match authority.rfind('@') {
        Some(at) => format!("{scheme}://***{}", &rest[at..]).into(),
        None => text.into(),
    }
}

/// Reads `file:` URLs as npm does: `//abs` and `///abs` are absolute, `//../rel` and `/./rel`
/// relative, `//~/` home.
fn without_url_slashes(path: &str) -> &str {
    let bare = path.trim_start_matches('/');
    match path.len() - bare.len() {
        0 => path,
        1..=3 if bare == "." || bare == ".." => bare,
        1..=3 if ["./", "../", "~/"].iter().any(|relative| bare.starts_with(relative)) => bare,
        slashes => &path[slashes - 1..],
    }
}

/// Returns whether the text can only be a path: `.`, `..`, `./x`, `~/x`, `/x` or, on any system,
/// `C:x`.
fn is_path(text: &str) -> bool {
    match text.as_bytes() {
        [b'.' | b'/', ..] | [b'~', b'/', ..] => true,
        [drive, b':', ..] => drive.is_ascii_alphabetic(),
        [b'\\', ..] | [b'~', b'\\', ..] => cfg!(windows),
        _ => false,
    }
}

fn is_tarball(path: &str) -> bool {
    [".tgz", ".tar", ".tar.gz"].iter().any(|extension| {
        path.len()
            .checked_sub(extension.len())
            .and_then(|start| path.get(start..))
            .is_some_and(|end| end.eq_ignore_ascii_case(extension))
    })
}

/// Returns the letters before the first colon, `git+` before them not counted, if the text begins
/// like a URL.
fn scheme(text: &str) -> Option<&str> {
    let text = strip_prefix_ignoring_case(text, "git+").unwrap_or(text);
    let (scheme, _) = text.split_once(':')?;
    (!scheme.is_empty() && scheme.bytes().all(|byte| byte.is_ascii_alphabetic())).then_some(scheme)
}

fn strip_prefix_ignoring_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (start, rest) = text.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
}

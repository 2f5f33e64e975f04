//! The packages that words of a command line mean: a folder, a tarball, or a package of a registry.

use std::path::{Path, PathBuf};

use dx_pkg_acquire::{AcquireError, external};
use dx_pkg_compat::packlist::compress_tar;
use dx_pkg_compat::tarball::{Limits, unpack};
use dx_pkg_core::spec::Argument;
use dx_pkg_core::{Integrity, Range, Spec, Version};
use dx_pkg_fetch::Method;
use dx_pkg_install::Session;
use dx_pkg_os::files::normal_path;
use serde_json::Value;

use crate::registry::{Registry, Sent, escaped};
use crate::script::Told;
use crate::{AuthorError, Tarball};

/// What a word means.
#[derive(Debug)]
pub enum Source {
    /// A folder with a package.
    Folder(PathBuf),
    /// A tarball, from this machine or from a registry.
    Tarball(Box<Tarball>),
}

/// Opens a session, with the network.
pub type OpenSession<'s> = dyn Fn() -> Result<Session, AuthorError> + 's;

/// Finds what a word means. Paths are relative to `from`.
///
/// # Errors
/// It is not there, or of a kind that is not supported.
pub fn find(
    word: &str,
    from: &Path,
    open: &OpenSession<'_>,
    told: &dyn Told,
) -> Result<Source, AuthorError> {
    let argument = Spec::parse_argument(word).map_err(AcquireError::from)?;
    let name = argument.name.as_ref().map(|name| name.as_str().to_owned());
    match &argument.spec {
        Spec::Directory(path) => Ok(Source::Folder(normal_path(&from.join(&**path)))),
        Spec::Tarball(path) => {
            let path = from.join(&**path);
            let limit = Limits::default().max_bytes;
            let bytes = dx_pkg_os::files::read_bounded(&path, limit)
                .map_err(|error| AcquireError::io(format!("reading {}", path.display()), error))?;
            named(bytes, word).map(|tarball| Source::Tarball(Box::new(tarball)))
        }
        Spec::Alias { .. } | Spec::Version(_) | Spec::Range(_) | Spec::Tag(_) => {
            let session = open()?;
            let aliased = match &argument.spec {
                Spec::Alias { name, .. } => Some(name.as_str().to_owned()),
                _ => None,
            };
            let name = name.or(aliased);
            let name = name.ok_or_else(|| AuthorError::Source { spec: word.to_owned() })?;
            of_registry(&session, &name, &argument.spec, told)
                .map(|tarball| Source::Tarball(Box::new(tarball)))
        }
        Spec::Git(git) => {
            let session = open()?;
            let (tar, is_unbuilt) = external::git_package(&session.context, word, git)?;
            if is_unbuilt {
                told.warning(&format!(
                    "{word} is packed as it is: npm would run scripts of the repository first"
                ));
            }
            named(compress_tar(&tar), word).map(|tarball| Source::Tarball(Box::new(tarball)))
        }
        Spec::Remote(url) => {
            let session = open()?;
            external::check_remote(&session.context, url)?;
            let bytes = Registry::of(&session, None, "pack", told)?.fetch(url)?;
            named(bytes, word).map(|tarball| Source::Tarball(Box::new(tarball)))
        }
        Spec::Workspace(_) => Err(AuthorError::Source { spec: word.to_owned() }),
    }
}

/// Describes a tarball by the manifest in it.
fn named(bytes: Vec<u8>, label: &str) -> Result<Tarball, AuthorError> {
    let (name, version) = {
        let manifest = manifest_in(&bytes, label)?;
        let text = |key: &str| manifest.get(key).and_then(Value::as_str).map(str::to_owned);
        let unnamed = || AuthorError::Unnamed { folder: label.to_owned() };
        text("name").zip(text("version")).ok_or_else(unnamed)?
    };
    Tarball::read(name, version, bytes)
}

/// Returns the manifest in a tarball.
///
/// # Errors
/// It is no tarball.
pub fn manifest_in(bytes: &[u8], label: &str) -> Result<Value, AuthorError> {
    let failed = |source| AuthorError::Tarball { package: label.to_owned(), source };
    let unpacked = unpack(bytes, &Limits::default()).map_err(failed)?;
    let text = unpacked.find("package.json").map(|file| file.data.to_vec()).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    Ok(serde_json::from_str(text.trim_start_matches('\u{feff}')).unwrap_or_default())
}

/// Fetches the tarball of a package of a registry.
///
/// # Errors
/// There is no such version, or the registry refuses.
pub fn of_registry(
    session: &Session,
    name: &str,
    spec: &Spec,
    told: &dyn Told,
) -> Result<Tarball, AuthorError> {
    let (name, spec) = match spec {
        Spec::Alias { name, spec } => (name.as_str(), &**spec),
        spec => (name, spec),
    };
    let registry = Registry::of(session, Some(name), "pack", told)?;
    let packument = registry.get(&escaped(name))?;
    let wanted = pick(&packument, spec, &session.config().tag()?);
    let Some(version) = wanted else {
        let wanted = shown(spec);
        return Err(AuthorError::NoVersion { name: name.to_owned(), wanted });
    };
    let dist = &packument["versions"][&version]["dist"];
    let text = |key: &str| dist.get(key).and_then(Value::as_str);
    let address = text("tarball").unwrap_or_default();
    let bytes = registry.fetch(address)?;
    let integrity = match (text("integrity"), text("shasum")) {
        (Some(integrity), _) => Integrity::parse(integrity).ok(),
        (None, Some(shasum)) => Integrity::from_shasum_hex(shasum).ok(),
        (None, None) => None,
    };
    if let Some(integrity) = integrity {
        let package = format!("{name}@{version}");
        integrity
            .verify(&bytes)
            .map_err(|mismatch| AuthorError::Integrity { package, mismatch: Box::new(mismatch) })?;
    }
    Tarball::read(name.to_owned(), version, bytes)
}

/// Returns the version of a packument that a spec means, as npm chooses it.
#[must_use]
pub fn pick(packument: &Value, spec: &Spec, usual_tag: &str) -> Option<String> {
    let versions = packument.get("versions")?.as_object()?;
    let tagged = |tag: &str| {
        let version = packument.get("dist-tags")?.get(tag)?.as_str()?;
        versions.contains_key(version).then(|| version.to_owned())
    };
    match spec {
        Spec::Version(wanted) => versions
            .keys()
            .find(|version| Version::parse_loose(version).is_ok_and(|found| found == *wanted))
            .cloned(),
        Spec::Tag(tag) => tagged(tag),
        Spec::Range(range) => {
            let fits = |range: &Range, text: &str| {
                Version::parse_loose(text).ok().filter(|version| range.satisfies(version))
            };
            if let Some(usual) = tagged(usual_tag)
                && (fits(range, &usual).is_some() || range.is_any())
            {
                return Some(usual);
            }
            let is_deprecated = |value: &Value| value.get("deprecated").is_some();
            let found =
                versions.iter().filter_map(|(text, value)| Some((fits(range, text)?, value, text)));
            let best = found.max_by(|a, b| {
                is_deprecated(b.1).cmp(&is_deprecated(a.1)).then_with(|| a.0.cmp(&b.0))
            });
            best.map(|(_, _, text)| text.clone())
        }
        _ => None,
    }
}

fn shown(spec: &Spec) -> String {
    match spec {
        Spec::Version(version) => version.to_string(),
        Spec::Range(range) => range.to_string(),
        Spec::Tag(tag) => tag.to_string(),
        _ => String::new(),
    }
}

impl Registry<'_> {
    /// Fetches what is at an address, with the registry's credentials where both are of one origin.
    ///
    /// # Errors
    /// There is no answer.
    pub fn fetch(&self, address: &str) -> Result<Vec<u8>, AuthorError> {
        let wrong = || AuthorError::Address { address: address.to_owned() };
        let url = url::Url::parse(address).map_err(|_| wrong())?;
        Ok(self.send_to(&Method::GET, url, None, &Sent::default())?.body.to_vec())
    }
}

/// Returns what an argument names, for callers that look at the words themselves.
///
/// # Errors
/// The word is none.
pub fn argument(word: &str) -> Result<Argument, AuthorError> {
    Ok(Spec::parse_argument(word).map_err(AcquireError::from)?)
}

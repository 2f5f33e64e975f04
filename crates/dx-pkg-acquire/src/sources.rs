//! The rules for where packages may come from: npm's `allow-git`, `allow-remote`, `allow-file` and
//! `allow-directory`.

mod git;

use dx_pkg_compat::npm_registry::OwnAddresses;
use dx_pkg_compat::npmrc::{AllowSource, Config, redact_urls};
use dx_pkg_core::Spec;
use dx_pkg_lock::LockPackage;
use url::Url;

use crate::AcquireError;
use crate::package::{Origin, copied_folder, label, origin, real_name};

pub use git::GitBuilder;
pub(crate) use git::{commit_of, named_commit, subfolder};

/// The rules of one configuration.
#[derive(Debug)]
pub struct SourceRules {
    /// The addresses of npm's registries; `None` where another source answers for registries.
    own: Option<OwnAddresses>,
    remote: AllowSource,
    file: AllowSource,
    directory: AllowSource,
    git: AllowSource,
}

impl SourceRules {
    /// Reads the rules. `default_registry` is the registry that lockfiles name in place of
    /// whichever is configured; `None` where registries are not npm's.
    pub(crate) fn new(config: &Config, default: Option<&Url>) -> Result<Self, AcquireError> {
        let own = default.map(|default| OwnAddresses::new(config.clone(), default)).transpose()?;
        Ok(SourceRules {
            own,
            remote: config.allow_remote()?,
            file: config.allow_file()?,
            directory: config.allow_directory()?,
            git: config.allow_git()?,
        })
    }

    /// Returns why a package must not be taken from where its lockfile entry says; `None` where it
    /// may. `is_direct` tells whether the project or a workspace requires it, `is_named` whether a
    /// requirement names a place outside the registries for it; `None` where that is not known yet.
    pub fn refusal(
        &self,
        package: &LockPackage,
        is_direct: impl FnOnce() -> bool,
        is_named: impl Fn() -> Option<bool>,
    ) -> Option<AcquireError> {
        let (rule, setting, place) = match origin(package) {
            Origin::Registry => return None,
            Origin::Address(url) => {
                // As with npm, an address that is required is one wherever it leads.
                if self.remote == AllowSource::All
                    || self.is_own(package, url) && is_named() != Some(true)
                {
                    return None;
                }
                (self.remote, "allow-remote", url)
            }
            Origin::File(_) | Origin::Other(_) if is_named() == Some(false) => {
                let place = redact_urls(package.resolved.as_deref().unwrap_or_default());
                let (entry, package) = (package.path.clone(), label(package));
                return Some(AcquireError::OriginNotRequired { entry, package, place });
            }
            Origin::File(folder) if copied_folder(package).is_some() => {
                (self.directory, "allow-directory", folder)
            }
            Origin::File(_) => {
                (self.file, "allow-file", package.resolved.as_deref().unwrap_or_default())
            }
            Origin::Other(place) if commit_of(place).is_some() => (self.git, "allow-git", place),
            Origin::Other(place) => {
                let (package, place) = (label(package), redact_urls(place));
                return Some(AcquireError::UnsupportedOrigin { package, place });
            }
        };
        let is_allowed = match rule {
            AllowSource::All => true,
            AllowSource::None => false,
            AllowSource::Root => is_direct(),
        };
        (!is_allowed).then(|| AcquireError::SourceNotAllowed {
            package: label(package),
            place: redact_urls(place),
            setting,
            value: word(rule),
        })
    }

    /// Returns whether a package comes from its registry, so that it may be requested before it is
    /// known which packages require it.
    #[must_use]
    pub fn is_from_registry(&self, package: &LockPackage) -> bool {
        match origin(package) {
            Origin::Registry => true,
            Origin::Address(url) => self.remote == AllowSource::All || self.is_own(package, url),
            Origin::File(_) | Origin::Other(_) => false,
        }
    }

    /// Returns whether a package comes from exactly where its registry has this version of it, as
    /// far as the address tells; `name` and `version` are those of the package.
    #[must_use]
    pub fn is_version(&self, package: &LockPackage, name: &str, version: &str) -> bool {
        match origin(package) {
            Origin::Registry => true,
            Origin::Address(url) => {
                self.own.as_ref().is_none_or(|own| own.is_version(name, version, url))
            }
            Origin::File(_) | Origin::Other(_) => false,
        }
    }

    /// Checks that a dependent may name a place outside the registries. `is_direct` tells whether
    /// it is the project or a workspace.
    ///
    /// # Errors
    /// A setting forbids it.
    pub fn check(
        &self,
        name: Option<&str>,
        spec: &str,
        parsed: &Spec,
        is_direct: bool,
    ) -> Result<(), AcquireError> {
        let (rule, setting) = match parsed {
            Spec::Directory(_) => (self.directory, "allow-directory"),
            Spec::Tarball(_) => (self.file, "allow-file"),
            Spec::Remote(_) => (self.remote, "allow-remote"),
            Spec::Git(_) => (self.git, "allow-git"),
            _ => return Ok(()),
        };
        let is_allowed = match rule {
            AllowSource::All => true,
            AllowSource::None => false,
            AllowSource::Root => is_direct,
        };
        if is_allowed {
            return Ok(());
        }
        let place = redact_urls(spec);
        let package = name.map_or_else(|| place.clone(), str::to_owned);
        Err(AcquireError::SourceNotAllowed { package, place, setting, value: word(rule) })
    }

    /// Returns whether a package comes from an address at which its registry has no tarballs.
    #[must_use]
    pub fn is_elsewhere(&self, package: &LockPackage) -> bool {
        matches!(origin(package), Origin::Address(url) if !self.is_own(package, url))
    }

    fn is_own(&self, package: &LockPackage, url: &str) -> bool {
        self.own.as_ref().is_none_or(|own| own.contain(real_name(package), url))
    }
}

fn word(rule: AllowSource) -> &'static str {
    match rule {
        AllowSource::All => "all",
        AllowSource::None => "none",
        AllowSource::Root => "root",
    }
}

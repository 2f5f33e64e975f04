//! Packages from outside the registries: folders, tarballs and git repositories.
//!
//! Each source has a module. A folder is linked: its manifest is read where it is; or it is packed,
//! with the setting `install-links`. The bytes of any other package are put into the store under
//! their digest, which the lockfile records and demands from then on.

mod file;
mod folder;
pub(crate) mod git;
mod remote;

pub use git::{is_same_revision, packed as git_package};
pub use remote::check_word as check_remote;

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, MutexGuard, PoisonError};

use dx_pkg_compat::npmrc::redact_urls;
use dx_pkg_core::{Integrity, Spec};
use dx_pkg_lock::LockPackage;
use dx_pkg_resolve::{External, Places};
use dx_pkg_store::StoreMode;

use crate::package::{label, real_name};
use crate::{AcquireError, Context, Counters, Downloads};

/// The sources outside the registries, for one project.
pub struct Externals<'a> {
    context: &'a Arc<Context>,
    places: &'a Places,
    downloads: Option<&'a Downloads>,
    counters: &'a Arc<Counters>,
    is_importer: &'a dyn Fn(&str) -> bool,
    locked: &'a LockedEntry<'a>,
    /// Finds the digest that the lockfile has for an address, whoever requires it.
    recorded: &'a RecordedDigest<'a>,
    /// The names that the command chooses anew: everywhere, and for the project and its workspaces.
    renewed: (&'a [String], &'a [String]),
    /// The downloads where the command has none.
    own: OnceCell<Downloads>,
    /// The addresses that the project requires, which are requested together.
    expected: Vec<(String, String)>,
    /// The digests of what came from them.
    arrived: RefCell<HashMap<String, Result<Integrity, AcquireError>>>,
}

/// Finds the lockfile's entry that stands for a requirement: of a folder, for a name, as written.
pub type LockedEntry<'a> = dyn Fn(&str, &str, &str) -> Option<LockPackage> + 'a;

/// Finds the integrity that a lockfile demands of what comes from an address.
pub type RecordedDigest<'a> = dyn Fn(&str) -> Option<String> + 'a;

/// A requirement for a package outside the registries.
pub(crate) struct Wanted<'r> {
    /// The name under which it is required; `None` where only the package itself tells it.
    pub(crate) name: Option<&'r str>,
    /// The requirement as written.
    pub(crate) spec: &'r str,
    /// The dependent's folder, relative to the project's.
    pub(crate) from: &'r str,
    /// The lockfile's entry for it, if there is one.
    pub(crate) locked: Option<LockPackage>,
}

impl<'a> Externals<'a> {
    /// Returns the sources for the project in the folder of `places`. `is_importer` tells whether a
    /// folder, relative to the project's, is the project or a workspace; `locked` finds the
    /// lockfile's entry for a requirement. Without `downloads` packages are fetched for their
    /// manifests alone.
    pub fn new(
        context: &'a Arc<Context>,
        places: &'a Places,
        downloads: Option<&'a Downloads>,
        counters: &'a Arc<Counters>,
        is_importer: &'a dyn Fn(&str) -> bool,
        locked: &'a LockedEntry<'a>,
    ) -> Self {
        Externals {
            context,
            places,
            downloads,
            counters,
            is_importer,
            locked,
            recorded: &|_| None,
            renewed: (&[], &[]),
            own: OnceCell::new(),
            expected: Vec::new(),
            arrived: RefCell::default(),
        }
    }

    /// Sets the digests that a lockfile has for addresses.
    #[must_use]
    pub fn demanding(self, recorded: &'a RecordedDigest<'a>) -> Self {
        Externals { recorded, ..self }
    }

    /// Sets the names that the command chooses anew: those everywhere, and those that it names as
    /// dependencies of the project or of workspaces.
    #[must_use]
    pub fn renewing(self, everywhere: &'a [String], named: &'a [String]) -> Self {
        Externals { renewed: (everywhere, named), ..self }
    }

    /// Returns whether the command chooses anew what meets a requirement.
    fn is_renewed(&self, wanted: &Wanted<'_>) -> bool {
        let (everywhere, named) = self.renewed;
        let is_in = |names: &[String]| names.iter().any(|name| Some(name.as_str()) == wanted.name);
        is_in(everywhere) || is_in(named) && (self.is_importer)(wanted.from)
    }

    /// Sets the project's open requirements: with the first of their addresses that is asked for,
    /// all are requested.
    #[must_use]
    pub fn expecting(self, requirements: &[(String, String)]) -> Self {
        let is_remote =
            |spec: &str| spec.contains("://") && matches!(Spec::parse(spec), Ok(Spec::Remote(_)));
        let expected = requirements.iter().filter(|(_, spec)| is_remote(spec)).cloned().collect();
        Externals { expected, ..self }
    }

    /// Loads the manifest of the package that the requirement `spec` of the folder `from` means,
    /// with `resolved` and, unless it is a folder, `integrity`; the store then has its bytes.
    ///
    /// # Errors
    /// The package is not allowed, missing, or cannot be read.
    pub fn load(&self, name: &str, spec: &str, from: &str) -> Result<External, AcquireError> {
        let locked = (self.locked)(from, name, spec);
        self.load_wanted(&Wanted { name: Some(name), spec, from, locked })
    }

    /// Loads a package of the project's that only its own manifest tells the name of.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn load_nameless(&self, spec: &str) -> Result<External, AcquireError> {
        self.load_wanted(&Wanted { name: None, spec, from: "", locked: None })
    }

    /// Loads the package of a lockfile entry anew, from where the entry says; `None` where that is
    /// a registry. A folder is packed, as the entry is one of a copy. The caller has checked that
    /// it may come from there.
    ///
    /// # Errors
    /// The package is missing, or cannot be read.
    pub fn load_entry(&self, entry: &LockPackage) -> Result<Option<LockPackage>, AcquireError> {
        let Some(resolved) = entry.resolved.as_deref() else { return Ok(None) };
        let (name, from, locked) = (Some(real_name(entry)), "", Some(entry.clone()));
        let wanted = Wanted { name, spec: resolved, from, locked };
        match Spec::parse(resolved)? {
            Spec::Directory(path) => folder::pack(self, &wanted, &path).map(Some),
            parsed => Ok(Some(self.load_parsed(&wanted, &parsed)?.package)),
        }
    }

    /// Loads the manifest of a lockfile entry's package, as [`Self::load_entry`], and `None` too
    /// where other bytes come than the entry demands. Those that the store has are not fetched.
    ///
    /// # Errors
    /// As [`Self::load_entry`].
    pub(crate) fn load_locked(
        &self,
        entry: &LockPackage,
    ) -> Result<Option<LockPackage>, AcquireError> {
        if let Some(Ok(integrity)) = entry.integrity.as_deref().map(Integrity::parse) {
            let kept = self.downloads()?.manifest_of_kept(&label(entry), &integrity);
            if !matches!(kept, Err(AcquireError::NotStored { .. })) {
                return kept.map(Some);
            }
        }
        let demanded =
            |found: &LockPackage| entry.integrity.is_none() || entry.integrity == found.integrity;
        Ok(self.load_entry(entry)?.filter(demanded))
    }

    fn load_wanted(&self, wanted: &Wanted<'_>) -> Result<External, AcquireError> {
        let parsed = Spec::parse(wanted.spec)?;
        let is_direct = (self.is_importer)(wanted.from);
        self.context.sources()?.check(wanted.name, wanted.spec, &parsed, is_direct)?;
        self.load_parsed(wanted, &parsed)
    }

    /// Loads a package. One that was loaded before, by this command, is not loaded again.
    fn load_parsed(&self, wanted: &Wanted<'_>, parsed: &Spec) -> Result<External, AcquireError> {
        let place = match parsed {
            Spec::Directory(path) => return folder::load(self, wanted, path),
            Spec::Tarball(path) => self.on_disk(wanted.from, path).display().to_string(),
            _ => wanted.spec.to_owned(),
        };
        if let Some(package) = self.loaded().get(&place).cloned() {
            return Ok(External { package, folder: None });
        }
        let package = match parsed {
            Spec::Tarball(path) => file::load(self, wanted, path)?,
            Spec::Remote(url) => remote::load(self, wanted, url)?,
            Spec::Git(git) => git::load(self, wanted, git)?,
            _ => return Err(wanted.unsupported()),
        };
        self.loaded().insert(place, package.clone());
        Ok(External { package, folder: None })
    }

    fn loaded(&self) -> MutexGuard<'_, HashMap<String, LockPackage>> {
        self.context.loaded.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn downloads(&self) -> Result<&Downloads, AcquireError> {
        if let Some(downloads) = self.downloads {
            return Ok(downloads);
        }
        if let Some(own) = self.own.get() {
            return Ok(own);
        }
        let offline = self.context.config.offline()?;
        let root = self.places.project.as_deref().unwrap_or(".");
        let own = Downloads::new(self.context, offline, StoreMode::Now, self.counters.clone());
        Ok(self.own.get_or_init(|| own.in_project(root)))
    }

    /// Returns the place on disk that `path`, as written in the folder `from`, means.
    fn on_disk(&self, from: &str, path: &str) -> PathBuf {
        let root = self.places.project.as_deref().unwrap_or(".");
        let place = match (path.strip_prefix('~'), &self.places.home) {
            (Some(rest), Some(home)) if rest.is_empty() || rest.starts_with('/') => {
                PathBuf::from(format!("{home}{rest}"))
            }
            _ => Path::new(root).join(from).join(path),
        };
        without_dots(&place)
    }
}

impl Wanted<'_> {
    /// Returns the requirement for messages, without secrets.
    pub(crate) fn label(&self) -> String {
        let spec = redact_urls(self.spec);
        self.name.map_or_else(|| spec.to_string(), |name| format!("{name}@{spec}"))
    }

    fn unsupported(&self) -> AcquireError {
        let name = self.name.unwrap_or_default().to_owned();
        AcquireError::UnsupportedSource { name, spec: redact_urls(self.spec).to_string() }
    }
}

/// Removes `.` and `..` from a path as text, so that `a/../b` is `b` even where there is no `a`.
fn without_dots(path: &Path) -> PathBuf {
    let mut found = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if found.file_name().is_some() => _ = found.pop(),
            other => found.push(other),
        }
    }
    found
}

//! What registries say about exact versions, for lockfile entries that tell less than installing
//! needs.

use std::cell::OnceCell;
use std::collections::HashSet;
use std::sync::Arc;

use dx_pkg_core::{Spec, Version};
use dx_pkg_format::packument::Packument;
use dx_pkg_lock::{Lock, LockPackage, name_of_path};
use dx_pkg_resolve::pick::PickOptions;
use dx_pkg_resolve::{Override, registry_record};

use crate::metadata::offers::registries;
use crate::metadata::{MetadataPolicy, MetadataProvider};
use crate::package::{Origin, origin, real_name};
use crate::{AcquireError, Context, Counters, ResolverInput};

/// The registries' answers about exact versions, each packument loaded once.
///
/// A version that a lockfile names is never too new.
pub struct ExactVersions<'a> {
    context: &'a Context,
    input: &'a ResolverInput,
    counters: Arc<Counters>,
    provider: MetadataProvider<'a>,
    /// Answers that are newer than the cache, for versions that it lacks.
    current: OnceCell<MetadataProvider<'a>>,
}

impl<'a> ExactVersions<'a> {
    /// Returns the answers under the policy of `input`; nothing is requested yet.
    pub fn new(context: &'a Context, input: &'a ResolverInput, counters: &Arc<Counters>) -> Self {
        let policy = MetadataPolicy { speculative: false, ..input.policy };
        ExactVersions {
            context,
            input,
            counters: counters.clone(),
            provider: provider(context, input, policy, counters),
            current: OnceCell::new(),
        }
    }

    /// Requests what is not cached about these entries, all at once.
    pub fn request<'p>(&self, packages: impl Iterator<Item = &'p LockPackage>) {
        let mut names: Vec<&str> = packages.map(real_name).collect();
        names.sort_unstable();
        names.dedup();
        self.provider.request_all(&names);
    }

    /// Returns what the registry says about an entry's version, as a lockfile entry without path
    /// and flags; `None` if it has no such package or no such version.
    ///
    /// # Errors
    /// The registry does not answer, or `--offline` forbids to ask it.
    pub fn load(&self, package: &LockPackage) -> Result<Option<LockPackage>, AcquireError> {
        let Some(version) = package.version.as_deref() else { return Ok(None) };
        let found = find(self.provider.load(real_name(package)), version)?;
        if found.is_some() || self.input.policy.offline || !self.provider.used_cache() {
            return Ok(found);
        }
        // It may have been published since the packument was cached.
        let policy = MetadataPolicy {
            prefer_offline: false,
            prefer_online: true,
            speculative: false,
            ..self.input.policy
        };
        let current = || provider(self.context, self.input, policy, &self.counters);
        find(self.current.get_or_init(current).load(real_name(package)), version)
    }
}

/// Returns whether the registry of a package offers, for its name and version, the tarball of its
/// lockfile entry: the same bytes or, where these cannot be compared, the same address.
///
/// # Errors
/// The registry does not answer, or `--offline` forbids to ask it.
pub fn is_offered(context: &Context, package: &LockPackage) -> Result<bool, AcquireError> {
    let Some(version) = package.version.as_deref() else { return Ok(false) };
    let policy = MetadataPolicy {
        offline: context.config.offline()?,
        prefer_offline: context.config.prefer_offline()?,
        prefer_online: false,
        full: false,
        speculative: false,
        follows: true,
    };
    let counters = Arc::new(Counters::default());
    let provider = registries(context, PickOptions::default(), policy, &counters);
    let Some(offered) = find(provider.load(real_name(package)), version)? else {
        return Ok(false);
    };
    let algorithm = |text: &str| text.split('-').next().unwrap_or_default().to_owned();
    Ok(match (&package.integrity, &offered.integrity) {
        (Some(own), Some(offered)) if algorithm(own) == algorithm(offered) => own == offered,
        _ => package.resolved.is_some() && package.resolved == offered.resolved,
    })
}

fn provider<'a>(
    context: &'a Context,
    input: &ResolverInput,
    policy: MetadataPolicy,
    counters: &Arc<Counters>,
) -> MetadataProvider<'a> {
    let pick = PickOptions { before: None, ..input.options.pick.clone() };
    registries(context, pick, policy, counters)
}

fn find(
    packument: Result<Packument, AcquireError>,
    version: &str,
) -> Result<Option<LockPackage>, AcquireError> {
    let packument = match packument {
        Err(error) if error.is_not_found() => return Ok(None),
        packument => packument?,
    };
    let by_number = || packument.find(&Version::parse_loose(version).ok()?);
    let index = packument.find_str(version).or_else(by_number);
    Ok(index.map(|index| registry_record(packument.version(index))))
}

/// The names that some requirement takes from outside the registries: a registry is not asked
/// about them.
pub struct Elsewhere<'l>(HashSet<&'l str>);

impl<'l> Elsewhere<'l> {
    /// Collects the names from all requirements of these entries.
    pub fn of(packages: impl Iterator<Item = &'l LockPackage>) -> Self {
        let mut names = HashSet::new();
        for package in packages {
            let declared = package.requirements().filter(|(_, spec)| is_elsewhere(spec));
            names.extend(declared.map(|(name, _)| name));
        }
        Elsewhere(names)
    }

    /// Collects the names from all requirements of a lock and of the manifests that it is for.
    pub fn of_lock(lock: &'l Lock, input: &'l ResolverInput) -> Self {
        let own = std::iter::once(&input.requirements.root).chain(&input.requirements.workspaces);
        Elsewhere::of(lock.packages.iter().chain(own))
    }

    /// Adds the names that overrides take from there.
    #[must_use]
    pub fn with_overrides(mut self, overrides: &'l [Override]) -> Self {
        let mut rules: Vec<&Override> = overrides.iter().collect();
        while let Some(rule) = rules.pop() {
            if rule.value.as_deref().is_some_and(is_elsewhere) {
                // The name in front of a range; that of a scope begins with `@`.
                let end = rule.key.get(1..).and_then(|rest| rest.find('@')).map(|end| end + 1);
                self.0.insert(&rule.key[..end.unwrap_or(rule.key.len())]);
            }
            rules.extend(&rule.children);
        }
        self
    }

    /// Returns the names.
    #[must_use]
    pub fn into_names(self) -> HashSet<String> {
        self.0.into_iter().map(str::to_owned).collect()
    }

    /// Returns whether some requirement takes the package of this entry from there.
    #[must_use]
    pub fn names(&self, package: &LockPackage) -> bool {
        self.0.contains(name_of_path(&package.path))
    }

    /// Returns whether a registry has the package of this entry: neither its source nor a
    /// requirement names another place.
    #[must_use]
    pub fn is_from_registry(&self, package: &LockPackage) -> bool {
        !package.link
            && package.path.contains("node_modules/")
            && package.version.is_some()
            && matches!(origin(package), Origin::Registry | Origin::Address(_))
            && !self.0.contains(name_of_path(&package.path))
    }
}

/// Returns the addresses of tarballs that these entries and overrides require.
pub fn required_addresses<'l>(
    packages: impl Iterator<Item = &'l LockPackage>,
    overrides: &'l [Override],
) -> HashSet<&'l str> {
    let specs = packages.flat_map(|package| package.requirements().map(|(_, spec)| spec));
    let mut found = addresses(specs);
    let mut rules: Vec<&Override> = overrides.iter().collect();
    while let Some(rule) = rules.pop() {
        found.extend(addresses(rule.value.as_deref().into_iter()));
        rules.extend(&rule.children);
    }
    found
}

/// Returns those of these requirements that are addresses of tarballs.
pub fn addresses<'s>(specs: impl Iterator<Item = &'s str>) -> HashSet<&'s str> {
    let is_address =
        |spec: &&str| spec.contains("://") && matches!(Spec::parse(spec), Ok(Spec::Remote(_)));
    specs.filter(is_address).map(str::trim).collect()
}

/// Returns whether a spec names a place other than a registry.
#[must_use]
pub fn is_elsewhere(spec: &str) -> bool {
    // No range or version has one of these; a path without them is one of a tarball.
    (spec.contains([':', '/']) || spec.trim_end().ends_with(['z', 'Z', 'r', 'R']))
        && !matches!(
            Spec::parse(spec),
            Ok(Spec::Alias { .. } | Spec::Range(_) | Spec::Version(_) | Spec::Tag(_))
        )
}

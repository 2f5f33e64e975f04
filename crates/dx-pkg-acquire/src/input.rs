//! Gathers what a resolution works from: requirements, options from settings, and the open
//! requirements.

use std::collections::HashSet;

use dx_pkg_compat::npmrc::{Config, InstallStrategy};
use dx_pkg_core::{Platform, Version};
use dx_pkg_lock::dxl::DxlView;
use dx_pkg_lock::{Lock, LockPackage};
use dx_pkg_resolve::dedupe::Aim;
use dx_pkg_resolve::pick::PickOptions;
use dx_pkg_resolve::{Options, Placing, Requirements};

use crate::AcquireError;
use crate::metadata::MetadataPolicy;
use crate::package::lacks_manifests;

mod release_age;

/// The version of npm whose rules dx follows, for packages and projects that name one in `engines`.
pub const NPM_VERSION: &str = "12.2.0";

/// The input of one resolution.
#[derive(Debug, Clone)]
pub struct ResolverInput {
    /// What the project requires.
    pub requirements: Requirements,
    /// How it is resolved.
    pub options: Options,
    /// How the packument cache may be used.
    pub policy: MetadataPolicy,
    /// Requirements that the lockfile leaves open: names and specs.
    pub open: Vec<(String, String)>,
    /// What is to be as little as possible, where that is searched for.
    pub aim: Option<Aim>,
}

/// A lockfile with at least the entries for the project and its workspaces.
#[derive(Clone, Copy)]
pub enum LockedImporters<'l> {
    /// As plain data.
    Parsed(&'l Lock),
    /// Compiled, of version 2 or later.
    Compiled(&'l DxlView<'l>),
}

impl<'l> LockedImporters<'l> {
    /// Returns the lockfile, where it is plain data.
    #[must_use]
    pub fn parsed(self) -> Option<&'l Lock> {
        match self {
            LockedImporters::Parsed(lock) => Some(lock),
            LockedImporters::Compiled(_) => None,
        }
    }

    /// Returns the requirements of entries, by path.
    fn requirements(self) -> impl Fn(&str) -> Option<Vec<(&'l str, &'l str)>> {
        let index = match self {
            LockedImporters::Parsed(lock) => Some(lock.index()),
            LockedImporters::Compiled(_) => None,
        };
        move |path| match self {
            LockedImporters::Parsed(_) => {
                let entry = index.as_ref()?.get(path)?;
                Some(requirements_of(entry).map(texts).collect())
            }
            LockedImporters::Compiled(view) => {
                let entry = view.get(path)?;
                let sections = [
                    entry.dependencies(),
                    entry.dev_dependencies(),
                    entry.optional_dependencies(),
                    entry.peer_dependencies(),
                ];
                Some(sections.into_iter().flatten().collect())
            }
        }
    }
}

impl ResolverInput {
    /// Reads options and policy from the settings. `node` is the version of Node.js that packages
    /// are chosen for.
    ///
    /// # Errors
    /// A setting that cannot be used.
    pub fn new(
        config: &Config,
        requirements: Requirements,
        node: Option<Version>,
        locked: Option<LockedImporters<'_>>,
    ) -> Result<Self, AcquireError> {
        let options = Options {
            pick: PickOptions {
                default_tag: config.tag()?,
                node,
                npm: Version::parse(NPM_VERSION).ok(),
                ..release_age::rules(config, &requirements)?
            },
            platform: platform(config)?,
            more_platforms: Vec::new(),
            legacy_peer_deps: config.legacy_peer_deps()?,
            strict_peer_deps: config.strict_peer_deps()? && !config.force()?,
            solves_conflicts: config.solve()? && !config.force()?,
            explains_conflicts: false,
            engine_strict: config.engine_strict()? && !config.force()?,
            known_conflicts: Vec::new(),
            prefer_dedupe: config.prefer_dedupe()?,
            placing: match config.install_strategy()? {
                // Settings that are not supported are refused before.
                InstallStrategy::Hoisted | InstallStrategy::Linked => Placing::Hoisted,
                InstallStrategy::Shallow => Placing::Shallow,
                InstallStrategy::Nested => Placing::Nested,
            },
            update: Vec::new(),
            explicit: Vec::new(),
            explicit_in: Vec::new(),
            removed: Vec::new(),
            workspaces: Vec::new(),
            frozen: false,
            install_links: config.install_links()?,
            max_packages: config
                .max_packages()?
                .map_or(Options::MAX_PACKAGES, |most| most as usize),
        };
        let policy = MetadataPolicy {
            offline: config.offline()?,
            prefer_offline: config.prefer_offline()?,
            prefer_online: config.prefer_online()?,
            full: config.package_lock_only()?,
            speculative: config.speculative_fetch()?
                && !config.offline()?
                && !config.prefer_offline()?,
            follows: true,
        };
        let open = open_requirements(&requirements, locked);
        Ok(ResolverInput { requirements, options, policy, open, aim: None })
    }
}

/// Returns the names that the project and its workspaces require, each once.
pub fn direct(requirements: &Requirements) -> impl Iterator<Item = String> {
    let names = own_manifests(requirements).flat_map(requirements_of).map(|(name, _)| name);
    let names: HashSet<&String> = names.collect();
    names.into_iter().cloned()
}

/// Returns whether the project and its workspaces require what they did when the lockfile was
/// written.
pub fn are_unchanged(requirements: &Requirements, locked: &Lock) -> bool {
    let sorted = |record: &LockPackage| -> Vec<(String, String)> {
        let mut asked: Vec<_> = requirements_of(record).cloned().collect();
        asked.sort_unstable();
        asked
    };
    own_manifests(requirements)
        .all(|record| locked.get(&record.path).is_some_and(|known| sorted(known) == sorted(record)))
}

/// Returns the requirements of the project and its workspaces that the lockfile lacks and that no
/// workspace meets.
fn open_requirements(
    requirements: &Requirements,
    locked: Option<LockedImporters<'_>>,
) -> Vec<(String, String)> {
    let names: HashSet<&str> =
        requirements.workspaces.iter().map(LockPackage::package_name).collect();
    let mut open = Vec::new();
    // A lockfile that lacks manifests does not hold the project's own requirements either.
    if let Some(LockedImporters::Parsed(lock)) = locked
        && lacks_manifests(lock)
    {
        let lacks = |name: &str| lock.get(&format!("node_modules/{name}")).is_none();
        let own = own_manifests(requirements)
            .flat_map(|record| requirements_of(record).map(move |asked| (record, asked)));
        return own
            .filter(|(_, (name, _))| !names.contains(name.as_str()) && lacks(name))
            .map(|(record, asked)| in_npms_words(requirements, record, asked))
            .collect();
    }
    let before = locked.map(LockedImporters::requirements);
    for record in own_manifests(requirements) {
        let known = before.as_ref().and_then(|before| before(&record.path)).unwrap_or_default();
        if known.iter().copied().eq(requirements_of(record).map(texts)) {
            continue;
        }
        let known: HashSet<(&str, &str)> = known.into_iter().collect();
        open.extend(
            requirements_of(record)
                .filter(|asked| !known.contains(&texts(asked)) && !names.contains(asked.0.as_str()))
                .map(|asked| in_npms_words(requirements, record, asked)),
        );
    }
    open
}

/// Returns a requirement of a manifest with the meaning that it has there.
fn in_npms_words(
    requirements: &Requirements,
    record: &LockPackage,
    (name, written): &(String, String),
) -> (String, String) {
    (name.clone(), requirements.pins.meaning(&record.path, name, written).to_owned())
}

/// Returns the manifests whose requirements are installed: not those of folders outside the
/// project.
fn own_manifests(requirements: &Requirements) -> impl Iterator<Item = &LockPackage> {
    let folders = requirements.workspaces.iter().filter(|folder| !folder.is_outside());
    std::iter::once(&requirements.root).chain(folders)
}

fn requirements_of(record: &LockPackage) -> impl Iterator<Item = &(String, String)> {
    let sections = [
        &record.dependencies,
        &record.dev_dependencies,
        &record.optional_dependencies,
        &record.peer_dependencies,
    ];
    sections.into_iter().flatten()
}

fn texts((name, spec): &(String, String)) -> (&str, &str) {
    (name, spec)
}

/// Returns the platform that packages are installed for.
///
/// # Errors
/// A setting that cannot be used.
pub fn platform(config: &Config) -> Result<Platform, AcquireError> {
    let mut platform = Platform::host(dx_pkg_os::process::libc_family());
    if let Some(os) = config.os()? {
        platform.os = os.into();
        // This machine's C library says nothing of another system.
        platform.libc = platform.libc.filter(|_| &*platform.os == "linux");
    }
    if let Some(cpu) = config.cpu()? {
        platform.cpu = cpu.into();
    }
    if let Some(libc) = config.libc()? {
        platform.libc = Some(libc.into());
    }
    Ok(platform)
}

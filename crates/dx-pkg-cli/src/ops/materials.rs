//! What resolution works from: requirements, options, and answers about packages outside the registry.

use std::collections::HashSet;
use std::sync::Arc;

use dx_pkg_compat::manifest::Manifest;
use dx_pkg_compat::npmrc::ReleaseCutoff;
use dx_pkg_core::{Platform, Spec, Version};
use dx_pkg_lock::{Lock, LockPackage};
use dx_pkg_resolve::{External, Options, PickOptions, ProviderError, Requirements, Resolution};

use crate::downloads::{Downloads, package_id};
use crate::failure::Failure;
use crate::metadata::{Local, Metadata, Policy};
use crate::ops::install::Change;
use crate::progress::Progress;
use crate::project::{Project, in_file, read, record_of};
use crate::session::{Session, now_ms};
use crate::surroundings::Surroundings;

/// The npm whose rules dx follows; packages that name an npm in `engines` are told this one.
const NPM_VERSION: &str = "12.2.0";

/// How old a version must be to be chosen where nothing is configured, in milliseconds: a day.
const MINIMUM_AGE: u64 = 24 * 60 * 60 * 1000;

/// What one resolution is given.
pub struct Materials {
    /// What the project asks for.
    pub requirements: Requirements,
    /// How to resolve.
    pub options: Options,
    /// How metadata may be used.
    pub policy: Policy,
    /// Requirements that the lockfile cannot settle: names and specs.
    pub open: Vec<(String, String)>,
}

impl Materials {
    /// Reads settings and the machine; `locked` has at least the lockfile's entries for the project and its workspaces.
    pub fn gather(
        surroundings: &Surroundings,
        session: &Session,
        project: &Project,
        requirements: Requirements,
        change: &Change<'_>,
        locked: Option<&Lock>,
        frozen: bool,
    ) -> Result<Self, Failure> {
        let config = &session.config;
        let options = Options {
            pick: PickOptions {
                default_tag: config.tag()?,
                node: node_version(surroundings, session)?,
                npm: Version::parse(NPM_VERSION).ok(),
                before: cutoff(session)?,
                before_excluded: config.release_age_exclude()?,
            },
            platform: platform(session)?,
            legacy_peer_deps: config.legacy_peer_deps()?,
            strict_peer_deps: config.strict_peer_deps()?,
            prefer_dedupe: false,
            update: Vec::new(),
            explicit: change.explicit.clone(),
            workspaces: project.workspaces.iter().map(|(path, _)| path.clone()).collect(),
            frozen,
        };
        let policy = Policy {
            offline: config.offline()?,
            prefer_offline: config.prefer_offline()?,
            prefer_online: config.prefer_online()?,
            full: config.package_lock_only()?,
            speculative: config.speculative_fetch()?
                && !config.offline()?
                && !config.prefer_offline()?,
        };
        let open = open_requirements(&requirements, locked);
        Ok(Materials { requirements, options, policy, open })
    }

    /// The resolver's view of the registries.
    pub fn provider<'a>(
        &self,
        session: &'a Session,
        policy: Policy,
        local: Local<'a>,
        progress: Arc<Progress>,
    ) -> Metadata<'a> {
        let (pick, seeds) = (self.options.pick.clone(), self.open.clone());
        Metadata::new(session, policy, pick, seeds, local, progress)
    }
}

/// Names of what the project and its workspaces require.
pub fn direct(requirements: &Requirements) -> impl Iterator<Item = String> {
    let own = std::iter::once(&requirements.root).chain(&requirements.workspaces);
    own.flat_map(asked_for).map(|(name, _)| name.clone())
}

/// Whether the project and its workspaces require what they did when the lockfile was written.
pub fn are_unchanged(requirements: &Requirements, locked: &Lock) -> bool {
    let sorted = |record: &LockPackage| -> Vec<(String, String)> {
        let mut asked: Vec<_> = asked_for(record).cloned().collect();
        asked.sort_unstable();
        asked
    };
    let mut own = std::iter::once(&requirements.root).chain(&requirements.workspaces);
    own.all(|record| locked.get(&record.path).is_some_and(|known| sorted(known) == sorted(record)))
}

/// The requirements of the project and its workspaces that the lockfile does not have as they are, and that no
/// workspace meets.
fn open_requirements(requirements: &Requirements, locked: Option<&Lock>) -> Vec<(String, String)> {
    let own = || std::iter::once(&requirements.root).chain(&requirements.workspaces);
    let names: HashSet<&str> =
        requirements.workspaces.iter().map(LockPackage::package_name).collect();
    let mut open = Vec::new();
    for record in own() {
        let before = locked.and_then(|lock| lock.get(&record.path));
        let known: HashSet<&(String, String)> = before.into_iter().flat_map(asked_for).collect();
        open.extend(
            asked_for(record)
                .filter(|asked| !known.contains(asked) && !names.contains(asked.0.as_str()))
                .cloned(),
        );
    }
    open
}

fn asked_for(record: &LockPackage) -> impl Iterator<Item = &(String, String)> {
    let sections = [
        &record.dependencies,
        &record.dev_dependencies,
        &record.optional_dependencies,
        &record.peer_dependencies,
    ];
    sections.into_iter().flatten()
}

/// The version of the Node.js that packages are chosen for.
pub fn node_version(
    surroundings: &Surroundings,
    session: &Session,
) -> Result<Option<Version>, Failure> {
    if let Some(text) = session.config.node_version()? {
        let version = Version::parse(&text)?;
        return Ok(Some(version));
    }
    Ok(session.node(surroundings).map(|node| node.version.clone()))
}

fn cutoff(session: &Session) -> Result<Option<u64>, Failure> {
    Ok(match session.config.release_cutoff()? {
        Some(ReleaseCutoff::Before(moment)) => Some(moment),
        Some(ReleaseCutoff::MinimumAge(age)) if age.is_zero() => None,
        Some(ReleaseCutoff::MinimumAge(age)) => {
            Some(now_ms().saturating_sub(u64::try_from(age.as_millis()).unwrap_or(u64::MAX)))
        }
        None => Some(now_ms().saturating_sub(MINIMUM_AGE)),
    })
}

fn platform(session: &Session) -> Result<Platform, Failure> {
    let mut platform = Platform::host(dx_pkg_os::libc_family());
    if let Some(os) = session.config.os()? {
        platform.os = os.into();
    }
    if let Some(cpu) = session.config.cpu()? {
        platform.cpu = cpu.into();
    }
    if let Some(libc) = session.config.libc()? {
        platform.libc = Some(libc.into());
    }
    Ok(platform)
}

/// Refuses to install what cannot run here, as npm does.
pub fn refuse_unfit(session: &Session, resolution: &Resolution) -> Result<(), Failure> {
    let strict = session.config.engine_strict()?;
    let force = session.config.force()?;
    match resolution
        .unfit
        .iter()
        .find(|unfit| (unfit.platform && !force) || (strict && !unfit.platform))
    {
        Some(unfit) => Err(Failure::new(
            "DX_UNSUPPORTED_PLATFORM",
            format!("{} does not run here: it wants {}", unfit.package, unfit.wants),
        )
        .with_hint("remove the dependency, or make it an optional one")),
        None => Ok(()),
    }
}

/// The manifest of a folder; other sources outside the registry are refused for now.
pub fn external(
    project: &Project,
    name: &str,
    spec: &str,
    from: &str,
) -> Result<External, ProviderError> {
    let load = || -> Result<External, Failure> {
        let Spec::Directory(path) = Spec::parse(spec)? else {
            return Err(Failure::new(
                "DX_UNSUPPORTED_SOURCE",
                format!(
                    "{name}@{spec:?}: packages from git, from a URL and from a local tarball are not supported yet"
                ),
            )
            .with_hint("use a version from the registry"));
        };
        let folder = project.root.join(from).join(&*path);
        let file = folder.join("package.json");
        let record = match read(&file)? {
            Some(text) => {
                record_of(&Manifest::parse(&text).map_err(|error| in_file(&file, error.into()))?)
            }
            None if folder.is_dir() => LockPackage::default(),
            None => {
                return Err(Failure::new(
                    "DX_NO_FOLDER",
                    format!("{name}@{spec:?}: there is no folder {}", folder.display()),
                )
                .with_hint("correct the path in package.json"));
            }
        };
        Ok(External { package: record, folder: Some(path.into()) })
    };
    load().map_err(Failure::into_provider_error)
}

/// The packages inside a tarball's own `node_modules`.
pub fn bundled(
    session: &Session,
    downloads: Option<&Downloads>,
    package: &LockPackage,
) -> Result<Vec<LockPackage>, ProviderError> {
    let load = || -> Result<Vec<LockPackage>, Failure> {
        let (Some(downloads), Some(id)) = (downloads, package_id(package)?) else {
            return Ok(Vec::new());
        };
        if let Some((_, failure)) =
            downloads.wait(std::iter::once((id, package)))?.into_iter().next()
        {
            return Err(failure);
        }
        let Some(stored) = session.store.open_package(id)? else { return Ok(Vec::new()) };
        let dxp = stored.dxp();
        let mut found = Vec::new();
        for entry in dxp.entries() {
            let Some(path) =
                entry.path.strip_suffix("/package.json").filter(|path| is_package_folder(path))
            else {
                continue;
            };
            let contents = stored.read(&entry)?;
            let Ok(manifest) = Manifest::parse(&String::from_utf8_lossy(&contents)) else {
                continue;
            };
            let record = LockPackage {
                path: path.to_owned(),
                in_bundle: true,
                dev_dependencies: Vec::new(),
                ..record_of(&manifest)
            };
            found.push(record);
        }
        Ok(found)
    };
    load().map_err(Failure::into_provider_error)
}

/// Whether `path` is `node_modules/a/node_modules/@s/b` and the like.
fn is_package_folder(path: &str) -> bool {
    let mut rest = path;
    loop {
        let Some(after) = rest.strip_prefix("node_modules/") else { return false };
        let name_end = if after.starts_with('@') {
            after.find('/').and_then(|at| after[at + 1..].find('/').map(|end| at + 1 + end))
        } else {
            after.find('/')
        };
        match name_end {
            Some(end) => rest = &after[end + 1..],
            None => return !after.is_empty(),
        }
    }
}

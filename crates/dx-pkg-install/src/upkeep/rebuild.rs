//! Rebuilding what is installed: allowed install scripts run again, and commands are linked again.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dx_pkg_compat::lockfile::npm;
use dx_pkg_core::coded::message_with_causes;
use dx_pkg_core::{PackageId, PackageName, Range, Spec, Version};
use dx_pkg_link::{
    LinkOptions, NoProgress, Placement, PlacementSource, Tree, materialise_difference,
};
use dx_pkg_lock::{Lock, LockPackage, name_of_path};
use dx_pkg_store::Store;

use crate::error::UpkeepError;
use crate::install::part::Part;
use crate::installed::{HIDDEN, complete_record};
use crate::plan::Plan;
use crate::scripts::{DEPENDENCY_EVENTS, Lifecycle, Place};
use crate::seal::Seal;
use crate::{
    Events, InstallError, OpenProject, Session, altered, in_place, own_files, restore, state,
    tree_files,
};

/// A finished rebuild.
#[derive(Debug, Default)]
pub struct Rebuilt {
    /// The number of packages whose commands were linked and whose scripts could run.
    pub packages: usize,
    /// The packages whose scripts were skipped, without having been denied.
    pub scripts_skipped: Vec<String>,
}

/// Runs the allowed install scripts of installed packages again and links their commands again.
/// Without `wanted` those of all packages that the chosen workspaces need, else of those that it
/// names: by name, with a version or range, or by their folder.
///
/// # Errors
/// An argument that names none of these, a script that fails, or a refusal of the system.
pub fn rebuild(
    open: OpenProject,
    wanted: &[String],
    events: &dyn Events,
) -> Result<Rebuilt, InstallError> {
    let OpenProject { session, project, lock: _lock, .. } = open;
    let subjects = wanted
        .iter()
        .map(|argument| Subject::parse(argument, &session.environment.folder))
        .collect::<Result<Vec<_>, _>>()?;
    let (root, store) = (&project.root, session.store());
    let (mut installed, is_own) = installed(store, root);
    installed.packages.retain(|package| root.join(&package.path).symlink_metadata().is_ok());
    let part = match wanted.is_empty() {
        true => Part::of(&session, &project, None)?,
        false => None,
    };
    let part = part.map(|part| part.paths(&project, [&installed, &installed])).transpose()?;
    let is_wanted = |package: &LockPackage| {
        subjects.is_empty() && part.as_ref().is_none_or(|part| part.contains(&package.path))
            || !package.in_bundle && subjects.iter().any(|subject| subject.names(package, root))
    };
    let chosen: HashSet<String> = installed
        .packages
        .iter()
        .filter(|package| is_wanted(package))
        .map(|package| package.path.clone())
        .collect();
    let mut plan = Plan::recorded(installed);
    let lifecycle = Lifecycle::new(&session, &project)?.without_tolerance();
    let scripts_skipped = lifecycle.skipped(&project, &plan)?;
    lifecycle.report_unvouched(events)?;
    if is_own {
        state::forget(root);
        separate(&session, root, &mut plan, |package| {
            chosen.contains(&package.path) && lifecycle.may_run(package)
        })?;
    }
    if session.config().bin_links()? {
        commands(&plan).link_commands(root, store, &|path| chosen.contains(path))?;
    }
    let place = Place { session: &session, project: &project, events, command: "rebuild" };
    lifecycle.run(place, &plan, &chosen)?;
    if is_own {
        complete_record(&project, &plan, Seal::of_store(store))?;
    }
    lifecycle.run_linked(place, &links(&plan, &chosen))?;
    // As with npm, where all scripts are allowed those of the project are among them.
    if wanted.is_empty() && session.config().dangerously_allow_all_scripts()? {
        lifecycle.run_own(place, DEPENDENCY_EVENTS.as_slice())?;
    }
    if is_own && lifecycle.has_run() && altered::separate_written(store, root, &mut plan)? {
        complete_record(&project, &plan, Seal::of_store(store))?;
        let lacking = store.to_fetch_again();
        if !lacking.is_empty()
            && let Err(error) = restore::fetch(&session, root, &plan, &lacking)
        {
            events.warning(&format!(
                "scripts wrote to files that other projects share, and what they should have \
                 could not be fetched: {}",
                message_with_causes(&error)
            ));
        }
    }
    altered::tell(store);
    Ok(Rebuilt { packages: chosen.len(), scripts_skipped })
}

/// What an argument of `dx rebuild` names.
#[derive(Debug)]
enum Subject {
    /// Packages of this name, of all versions or of some.
    Name(PackageName, Option<Range>),
    /// The package in a folder.
    Folder(PathBuf),
}

impl Subject {
    fn parse(argument: &str, from: &Path) -> Result<Self, InstallError> {
        let given = Spec::parse_argument(argument)?;
        match (given.name, given.spec) {
            (Some(name), _) if &*given.raw == "*" => Ok(Self::Name(name, None)),
            (Some(name), Spec::Range(range)) => Ok(Self::Name(name, Some(range))),
            (Some(name), Spec::Version(version)) => {
                Ok(Self::Name(name, Range::parse(&version.to_string()).ok()))
            }
            (_, Spec::Directory(path)) => Ok(Self::Folder(from.join(&*path))),
            _ => Err(UpkeepError::RebuildArgument { argument: argument.to_owned() }.into()),
        }
    }

    fn names(&self, package: &LockPackage, root: &Path) -> bool {
        match self {
            Self::Folder(folder) => {
                let place = root.join(&package.path);
                place
                    .canonicalize()
                    .ok()
                    .is_some_and(|place| folder.canonicalize().is_ok_and(|folder| folder == place))
            }
            Self::Name(name, range) => {
                let version = || Version::parse(package.version.as_deref()?).ok();
                name_of_path(&package.path) == name.as_str()
                    && range.as_ref().is_none_or(|range| {
                        version().is_some_and(|version| range.satisfies(&version))
                    })
            }
        }
    }
}

/// Returns the packages that dx or npm has recorded as installed, and whether dx has.
pub(crate) fn installed(store: &Store, root: &Path) -> (Lock, bool) {
    if let Some((_, lock)) = in_place::recorded_by_dx(store, root) {
        return (lock, true);
    }
    let hidden = own_files::text(root, HIDDEN).ok().and_then(|(text, _)| npm::read(&text).ok());
    let mut lock = hidden.unwrap_or_default();
    lock.normalise();
    (lock, false)
}

/// Gives private copies of their files to the packages that `is_private` selects, so that scripts
/// do not write into files that other projects share.
fn separate(
    session: &Arc<Session>,
    root: &Path,
    plan: &mut Plan,
    is_private: impl Fn(&LockPackage) -> bool,
) -> Result<(), InstallError> {
    let links_commands = session.config().bin_links()?;
    let tree = |plan: &Plan| {
        let mut plan = Plan::recorded(plan.installed.clone());
        if !links_commands {
            plan.leave_out_commands();
        }
        plan.tree()
    };
    let before = tree(plan)?;
    plan.add_private(is_private);
    let after = tree(plan)?;
    if before == after {
        return Ok(());
    }
    let store = session.store();
    let files = tree_files::state_files(&plan.installed, Seal::of_store(store));
    let options = LinkOptions {
        import: session.import_method()?,
        links_outside: true,
        extra_files: &files,
        cancelled: Some(session.context.cancel.flag()),
        compares_bytes: altered::COMPARED,
        ..LinkOptions::default()
    };
    let change = |before: &Tree, after: &Tree| {
        materialise_difference(root, store, before, after, &options, &NoProgress)
    };
    match change(&before, &after) {
        Err(error) if restore::is_due(&error) => {
            restore::all(session, root, plan, &error)?;
            change(&before, &after)?;
        }
        changed => drop(changed?),
    }
    Ok(())
}

/// Returns the commands of a plan, each at the place of its package. Where the files come from does
/// not matter: a package of npm's tree may have no integrity.
fn commands(plan: &Plan) -> Tree {
    let in_modules = |package: &&LockPackage| package.path.contains("node_modules/");
    let entries = plan.installed.packages.iter().filter(in_modules);
    let placement = |package: &LockPackage| {
        let target = package.resolved.clone().unwrap_or_default();
        let folder = plan.installed.get(&target).filter(|_| package.link);
        let source = match package.link {
            true => PlacementSource::Symlink { target },
            false => PlacementSource::Package(PackageId::from_bytes([0; 32])),
        };
        let bins = folder.unwrap_or(package).bin.clone();
        Placement { path: package.path.clone(), source, bins, private_copy: false }
    };
    Tree::new(entries.map(placement).collect())
}

/// Returns the chosen links with the folders that they lead to.
fn links(plan: &Plan, chosen: &HashSet<String>) -> Plan {
    let entries = || plan.installed.packages.iter();
    let links: Vec<LockPackage> = entries()
        .filter(|package| package.link && chosen.contains(&package.path))
        .cloned()
        .collect();
    let targets: HashSet<&str> = links.iter().filter_map(|link| link.resolved.as_deref()).collect();
    let folders = entries().filter(|package| targets.contains(package.path.as_str())).cloned();
    Plan::of(folders.chain(links.iter().cloned()).collect())
}

//! The end of an install: the lockfile's last facts, the link, what is written.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use dx_pkg_compat::lockfile::npm;
use dx_pkg_compat::manifest::Manifest;
use dx_pkg_compat::npmrc;
use dx_pkg_core::{PackageId, PackageName, Spec, Version};
use dx_pkg_link::{Built, ImportMethod, LinkOptions, LinkReport, Placement, materialise};
use dx_pkg_lock::{Lock, LockPackage};
use dx_pkg_os::{Durability, write_atomic};
use dx_pkg_store::{PreparedKey, PreparedTree};

use crate::downloads::{Downloads, package_id, real_name};
use crate::ending;
use crate::failure::Failure;
use crate::metadata::Speculation;
use crate::ops::install::Mode;
use crate::ops::installed;
use crate::ops::prepared;
use crate::plan::Plan;
use crate::progress::Progress;
use crate::project::{Project, record_of};
use crate::session::{Network, Session};
use crate::speculation;

/// Licences on their way: the package, and the licence once it is known.
pub type Licenses = Vec<(PackageId, tokio::task::JoinHandle<Option<String>>)>;

/// Entries of registry packages that are new and tell no licence: abbreviated packuments do not have it.
fn without_license<'l>(
    lock: &'l Lock,
    previous: Option<&'l Lock>,
) -> impl Iterator<Item = &'l LockPackage> {
    let known: HashMap<&str, Option<&str>> = previous
        .iter()
        .flat_map(|lock| &lock.packages)
        .map(|package| (package.path.as_str(), package.integrity.as_deref()))
        .collect();
    lock.packages.iter().filter(move |package| {
        package.license.is_none()
            && !package.link
            && package.integrity.is_some()
            && package.path.contains("node_modules/")
            && known.get(package.path.as_str()) != Some(&package.integrity.as_deref())
    })
}

/// Asks for the licences of packages that will not be fetched, such as those for other platforms, and that no earlier
/// run noted.
pub fn ask_licenses(
    session: &Session,
    lock: &Lock,
    plan: &Plan,
    previous: Option<&Lock>,
) -> Licenses {
    let fetched: HashSet<&str> =
        plan.installed.packages.iter().map(|package| package.path.as_str()).collect();
    let mut asked = Vec::new();
    for package in
        without_license(lock, previous).filter(|package| !fetched.contains(package.path.as_str()))
    {
        let (Ok(name), Ok(Some(id))) =
            (PackageName::parse(real_name(package)), package_id(package))
        else {
            continue;
        };
        if session.store.has(id) || session.store.license(id).is_some() {
            continue;
        }
        let Ok(network) = session.network() else { break };
        let (registry, version) =
            (network.registry.clone(), package.version.clone().unwrap_or_default());
        let answer = network.runtime.spawn(async move { registry.license(&name, &version).await });
        asked.push((id, answer));
    }
    asked
}

/// Fills in the licences: of fetched packages from their own manifests, of others as the registry answers.
pub fn complete(
    session: &Session,
    downloads: &Downloads,
    lock: &mut Lock,
    previous: Option<&Lock>,
    asked: Licenses,
) {
    if let Some(network) = session.network_used() {
        for (id, answer) in asked {
            if let Some(license) = wait_for(network, answer) {
                // What cannot be noted is asked for again.
                let _ = session.store.put_license(id, &license);
            }
        }
    }
    keep_licenses(lock, previous);
    let mut found: HashMap<String, String> = HashMap::new();
    for package in without_license(lock, previous) {
        let Ok(Some(id)) = package_id(package) else { continue };
        let noted = || session.store.license(id).filter(|license| !license.is_empty());
        let told = downloads.license(id);
        let told = told
            .unwrap_or_else(|| stored_manifest(session, id).and_then(|manifest| manifest.license));
        let license = told.or_else(noted);
        found.extend(license.map(|license| (package.path.clone(), license)));
    }
    for package in &mut lock.packages {
        if let Some(license) = found.remove(&package.path) {
            package.license = Some(license);
        }
    }
}

/// What was asked for, unless the command is to end.
fn wait_for(
    network: &Network,
    mut answer: tokio::task::JoinHandle<Option<String>>,
) -> Option<String> {
    while !ending::is_asked() {
        let look = async { tokio::time::timeout(ending::PAUSE, &mut answer).await };
        if let Ok(answer) = network.runtime.block_on(look) {
            return answer.ok().flatten();
        }
    }
    None
}

/// Takes over the licences of packages that stay what they were, but whose metadata was asked for again.
fn keep_licenses(lock: &mut Lock, previous: Option<&Lock>) {
    let known: HashMap<&str, &LockPackage> = previous
        .iter()
        .flat_map(|lock| &lock.packages)
        .map(|package| (package.path.as_str(), package))
        .collect();
    for package in lock
        .packages
        .iter_mut()
        .filter(|package| package.license.is_none() && package.integrity.is_some())
    {
        let before =
            known.get(package.path.as_str()).filter(|before| before.integrity == package.integrity);
        package.license = before.and_then(|before| before.license.clone());
    }
}

fn stored_manifest(session: &Session, id: PackageId) -> Option<Manifest> {
    let stored = session.store.open_package(id).ok()??;
    let dxp = stored.dxp();
    let text = stored.read(&dxp.find("package.json")?).ok()?;
    Manifest::parse(std::str::from_utf8(&text).ok()?).ok()
}

/// Makes the lockfile's entry for the project say what its manifest will.
pub fn record_requirements(lock: &mut Lock, manifest: &Manifest) {
    if let Some(root) = lock.packages.iter_mut().find(|package| package.path.is_empty()) {
        *root = LockPackage { name: root.name.clone(), ..record_of(manifest) };
    }
}

/// Whether the requirements written for what was asked for `explicit`ly let its versions be.
pub fn keeps_versions(lock: &Lock, explicit: &[String]) -> bool {
    let Some(root) = lock.root() else { return false };
    explicit.iter().all(|name| {
        let sections = [
            &root.dependencies,
            &root.dev_dependencies,
            &root.optional_dependencies,
            &root.peer_dependencies,
        ];
        let spec = sections
            .into_iter()
            .flatten()
            .find(|(other, _)| other == name)
            .and_then(|(_, spec)| Spec::parse(spec).ok());
        let version =
            lock.get(&format!("node_modules/{name}")).and_then(|entry| entry.version.as_deref());
        let (Some(mut spec), Some(version)) =
            (spec, version.and_then(|text| Version::parse(text).ok()))
        else {
            return false;
        };
        if let Spec::Alias { spec: inner, .. } = spec {
            spec = *inner;
        }
        match spec {
            Spec::Range(range) => range.satisfies(&version),
            Spec::Version(exact) => exact == version,
            _ => false,
        }
    })
}

/// What [`link`] did.
pub struct Linked {
    /// What was counted.
    pub report: LinkReport,
    /// The paths at which something new lies.
    pub new: HashSet<String>,
    /// The prepared of such trees.
    pub prepared: PreparedKey,
    /// How many packages and links the tree has.
    pub placed: usize,
}

/// What a tree can be made of beside the store.
#[derive(Default)]
pub struct Ready<'r> {
    /// Packages of this command, which may be moved.
    pub movable: &'r [PackageId],
    /// The tree itself, built while packages arrived.
    pub built: Option<Built>,
}

/// Makes `node_modules` what the plan says.
pub fn link(
    session: &Session,
    project: &Project,
    plan: &Plan,
    mode: Mode,
    ready: Ready<'_>,
    progress: &Progress,
) -> Result<Linked, Failure> {
    let (extra_files, tree, previous) = std::thread::scope(|scope| {
        let extra_files = scope.spawn(|| prepared::state_files(&plan.installed));
        let tree = plan.tree();
        let previous = if mode == Mode::Ci { None } else { installed::tree(&project.root) };
        let extra_files =
            extra_files.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        tree.map(|tree| (extra_files, tree, previous))
    })?;
    let key = prepared::key(plan, &extra_files[0].1);
    let placed = tree.placements.len();
    if placed == 0 && previous.is_none() && !project.root.join("node_modules").exists() {
        return Ok(Linked {
            report: LinkReport::default(),
            new: HashSet::new(),
            prepared: key,
            placed,
        });
    }
    progress.link(placed);
    let import = import_method(session)?;
    let prepared = match previous {
        None if import == ImportMethod::Auto && ready.built.is_none() => {
            session.store.take_prepared_tree(key)
        }
        _ => None,
    };
    let options = LinkOptions {
        import,
        keep_foreign: mode == Mode::Install,
        links_outside: true,
        movable: ready.movable,
        prepared: prepared.as_ref().map(PreparedTree::path),
        extra_files: &extra_files,
        cancelled: Some(dx_pkg_os::asked_to_end()),
        ..LinkOptions::default()
    };
    let (root, store) = (&project.root, &session.store);
    let report = match ready.built {
        Some(built) => built.place(root, store, &tree, &options, progress)?,
        None => materialise(root, store, &tree, previous.as_ref(), &options, progress)?,
    };
    let before: HashMap<&str, &Placement> = previous
        .iter()
        .filter(|_| !report.fresh)
        .flat_map(|tree| &tree.placements)
        .map(|placement| (placement.path.as_str(), placement))
        .collect();
    let is_new = |placement: &&Placement| before.get(placement.path.as_str()) != Some(placement);
    let new =
        tree.placements.iter().filter(is_new).map(|placement| placement.path.clone()).collect();
    Ok(Linked { report, new, prepared: key, placed })
}

/// How files get into the tree, as the settings say.
pub fn import_method(session: &Session) -> Result<ImportMethod, Failure> {
    Ok(match session.config.package_import_method()? {
        npmrc::ImportMethod::Auto => ImportMethod::Auto,
        npmrc::ImportMethod::Clone => ImportMethod::Clone,
        npmrc::ImportMethod::CloneOrCopy => ImportMethod::CloneOrCopy,
        npmrc::ImportMethod::Hardlink => ImportMethod::Hardlink,
        npmrc::ImportMethod::Copy => ImportMethod::Copy,
    })
}

/// The lockfile's text as it is to be; `None` where it stays as it is.
pub fn lockfile_text(
    session: &Session,
    project: &Project,
    lock: &Lock,
) -> Result<Option<String>, Failure> {
    if !session.config.package_lock()? {
        return Ok(None);
    }
    let mut lock = Cow::Borrowed(lock);
    if session.config.omit_lockfile_registry_resolved()? {
        omit_resolved(lock.to_mut());
    }
    if lock.name.is_none() {
        lock.to_mut().name =
            project.root.file_name().map(|name| name.to_string_lossy().into_owned());
    }
    let previous = project.locked.as_ref().map(|(text, _)| text.as_str());
    let text = match previous {
        Some(_) => npm::write(&lock, previous),
        None => npm::write_like(&lock, &project.manifest_text),
    };
    Ok(Some(text).filter(|text| previous != Some(text)))
}

/// Writes lockfile and manifest, each whole or not at all, and only where they change.
pub fn save(
    project: &mut Project,
    lockfile: Option<String>,
    manifest: Option<&str>,
    durability: Durability,
) -> Result<(), Failure> {
    if let Some(text) = manifest.filter(|text| *text != project.manifest_text) {
        write(project, "package.json", text, durability)?;
        text.clone_into(&mut project.manifest_text);
    }
    if let Some(text) = lockfile {
        write(project, project.lockfile, &text, durability)?;
        project.set_lockfile_text(text);
    }
    Ok(())
}

/// What is asked of manifest and lockfile: to be on the device when the command ends, unless a background process follows
/// that waits for it in the user's stead.
pub fn durability(session: &Session, lockfile_only: bool) -> Durability {
    if session.trees > 0 && !lockfile_only { Durability::Rename } else { Durability::Fsync }
}

/// Writes a file of the project, whole or not at all.
pub fn write(
    project: &mut Project,
    name: &str,
    text: &str,
    durability: Durability,
) -> Result<(), Failure> {
    let path = project.root.join(name);
    write_atomic(&path, text.as_bytes(), durability)
        .map_err(|error| Failure::io(format!("writing {}", path.display()), &error))?;
    project.wrote(&path);
    Ok(())
}

fn omit_resolved(lock: &mut Lock) {
    for package in lock.packages.iter_mut().filter(|package| !package.link) {
        if package.integrity.is_some()
            && package.resolved.as_deref().is_some_and(|url| url.starts_with("http"))
        {
            package.resolved = None;
        }
    }
}

/// What `--verbose` and `--json` tell.
pub fn statistics(
    session: &Session,
    progress: &Progress,
    done: &LinkReport,
) -> Vec<(&'static str, u64)> {
    let (tarballs, bytes) = progress.downloads();
    let mut statistics = vec![
        ("metadata requests", progress.metadata_requests()),
        ("tarballs", tarballs),
        ("tarball bytes", bytes),
    ];
    if let Some(network) = session.network_used() {
        statistics.extend(network.statistics());
        let Speculation { asked, used, wasted_bytes } = progress.speculation();
        statistics.extend([
            ("speculation table", speculation::table_date()),
            ("speculated", asked),
            ("speculation used", used),
            ("speculation wasted bytes", wasted_bytes),
        ]);
    }
    statistics.extend([
        ("prepared trees", u64::from(done.was_prepared)),
        ("directories", done.directories),
        ("hardlinks", done.hardlinks),
        ("reflinks", done.reflinks),
        ("copies", done.copies),
        ("moves", done.moves),
        ("moved packages", done.packages_moved),
        ("bytes saved", done.bytes_saved),
        ("bytes copied", done.bytes_copied),
    ]);
    statistics
}

/// Removes replaced trees that the store could not take. What stays is removed by the next install.
pub fn remove_leftovers(done: &LinkReport) {
    for path in &done.leftovers {
        let _ = dx_pkg_os::remove_tree(path);
    }
}

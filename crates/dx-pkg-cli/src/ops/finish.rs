//! The end of an install: the lockfile's last facts, the link, what is written.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use dx_pkg_compat::lockfile::npm;
use dx_pkg_compat::manifest::Manifest;
use dx_pkg_compat::npmrc;
use dx_pkg_core::PackageName;
use dx_pkg_fs::{Durability, Map, write_atomic};
use dx_pkg_link::{ImportMethod, LinkOptions, LinkReport, Placement, Tree, materialise};
use dx_pkg_lock::dxl::{self, DxlView};
use dx_pkg_lock::{Lock, LockPackage};

use crate::downloads::{package_id, real_name};
use crate::failure::Failure;
use crate::ops::install::Mode;
use crate::plan::{Plan, tree_of};
use crate::progress::Progress;
use crate::project::{Project, record_of};
use crate::session::Session;
use crate::state::{self, State};

/// The record of what lies in `node_modules`, below it.
const INSTALLED: &str = ".dx/lock.dxl";

/// Licences on their way: path of the entry, and the licence once it is known.
pub type Licenses = Vec<(String, tokio::task::JoinHandle<Option<String>>)>;

/// Entries of registry packages that are new and tell no licence: abbreviated packuments do not have it.
fn without_license<'l>(lock: &'l Lock, previous: Option<&Lock>) -> impl Iterator<Item = &'l LockPackage> {
    let known: HashMap<&str, Option<&str>> = previous
        .iter()
        .flat_map(|lock| &lock.packages)
        .map(|package| (package.path.as_str(), package.integrity.as_deref()))
        .collect();
    let known: HashSet<String> = lock
        .packages
        .iter()
        .filter(|package| known.get(package.path.as_str()) == Some(&package.integrity.as_deref()))
        .map(|package| package.path.clone())
        .collect();
    lock.packages.iter().filter(move |package| {
        package.license.is_none()
            && !package.link
            && package.integrity.is_some()
            && package.path.contains("node_modules/")
            && !known.contains(&package.path)
    })
}

/// Asks for the licences of packages that will not be fetched, such as those for other platforms.
pub fn ask_licenses(session: &Session, lock: &Lock, plan: &Plan, previous: Option<&Lock>) -> Licenses {
    let fetched: HashSet<&str> = plan.installed.packages.iter().map(|package| package.path.as_str()).collect();
    let Some(network) = session.network_used() else { return Vec::new() };
    let mut asked = Vec::new();
    for package in without_license(lock, previous).filter(|package| !fetched.contains(package.path.as_str())) {
        let Ok(name) = PackageName::parse(real_name(package)) else { continue };
        let (registry, version) = (network.registry.clone(), package.version.clone().unwrap_or_default());
        let answer = network.runtime.spawn(async move { registry.license(&name, &version).await });
        asked.push((package.path.clone(), answer));
    }
    asked
}

/// Fills in the licences: of fetched packages from their own manifests, of others as the registry answered.
pub fn complete(session: &Session, lock: &mut Lock, previous: Option<&Lock>, asked: Licenses) {
    let mut found: HashMap<String, String> = HashMap::new();
    for package in without_license(lock, previous) {
        if let Some(license) = stored_manifest(session, package).and_then(|manifest| manifest.license) {
            found.insert(package.path.clone(), license);
        }
    }
    if let Some(network) = session.network_used() {
        for (path, answer) in asked {
            if let Ok(Some(license)) = network.runtime.block_on(answer) {
                found.insert(path, license);
            }
        }
    }
    for package in &mut lock.packages {
        if let Some(license) = found.remove(&package.path) {
            package.license = Some(license);
        }
    }
}

fn stored_manifest(session: &Session, package: &LockPackage) -> Option<Manifest> {
    let id = package_id(package).ok()??;
    let stored = session.store.open_package(id).ok()??;
    let dxp = stored.dxp();
    let text = dxp.read(&dxp.find("package.json")?).ok()?;
    Manifest::parse(std::str::from_utf8(&text).ok()?).ok()
}

/// Makes the lockfile's entry for the project say what its manifest will.
pub fn record_requirements(lock: &mut Lock, manifest: &Manifest) {
    if let Some(root) = lock.packages.iter_mut().find(|package| package.path.is_empty()) {
        *root = LockPackage { name: root.name.clone(), ..record_of(manifest) };
    }
}

/// Makes `node_modules` what the plan says; returns, too, the paths at which something new lies.
pub fn link(
    session: &Session,
    project: &Project,
    plan: &Plan,
    mode: Mode,
    progress: &Progress,
) -> Result<(LinkReport, HashSet<String>), Failure> {
    let tree = plan.tree()?;
    let previous = if mode == Mode::Ci { None } else { what_is_there(&project.root) };
    let record = dxl::encode(&plan.installed, [0; 32]);
    let mut visible = plan.installed.clone();
    for package in &mut visible.packages {
        package.extra.clear();
    }
    let extra_files =
        [(INSTALLED.to_owned(), record), (".package-lock.json".to_owned(), npm::write_hidden(&visible).into_bytes())];
    if tree.placements.is_empty() && previous.is_none() && !project.root.join("node_modules").exists() {
        return Ok((LinkReport::default(), HashSet::new()));
    }
    progress.link(tree.placements.len());
    let options = LinkOptions {
        import: import_method(session)?,
        keep_foreign: mode == Mode::Install,
        links_outside: true,
        threads: None,
        extra_files: &extra_files,
    };
    let report = materialise(&project.root, &session.store, &tree, previous.as_ref(), &options, progress)?;
    let before: HashMap<&str, &Placement> = previous
        .iter()
        .filter(|_| !report.fresh)
        .flat_map(|tree| &tree.placements)
        .map(|placement| (placement.path.as_str(), placement))
        .collect();
    let is_new = |placement: &&Placement| before.get(placement.path.as_str()) != Some(placement);
    let new = tree.placements.iter().filter(is_new).map(|placement| placement.path.clone()).collect();
    Ok((report, new))
}

fn import_method(session: &Session) -> Result<ImportMethod, Failure> {
    Ok(match session.config.package_import_method()? {
        npmrc::ImportMethod::Auto => ImportMethod::Auto,
        npmrc::ImportMethod::Clone | npmrc::ImportMethod::CloneOrCopy => ImportMethod::Clone,
        npmrc::ImportMethod::Hardlink => ImportMethod::Hardlink,
        npmrc::ImportMethod::Copy => ImportMethod::Copy,
    })
}

/// The tree that lies in `node_modules`, where dx put it there and nobody has taken from it since.
fn what_is_there(root: &Path) -> Option<Tree> {
    let map = Map::open(root.join("node_modules").join(INSTALLED)).ok()?;
    let installed = DxlView::open(&map).ok()?.to_lock();
    let tree = tree_of(&installed).ok()?;
    let is_whole = tree.placements.iter().all(|placement| {
        let is_top = placement.path.matches("node_modules/").count() == 1;
        !is_top || root.join(&placement.path).symlink_metadata().is_ok()
    });
    is_whole.then_some(tree)
}

/// Writes lockfile and manifest, each whole or not at all, and only where they change.
pub fn save(session: &Session, project: &Project, lock: &Lock, manifest: Option<&str>) -> Result<(), Failure> {
    let write = |path: &Path, text: &str| {
        write_atomic(path, text.as_bytes(), Durability::Fsync)
            .map_err(|error| Failure::io(format!("writing {}", path.display()), &error))
    };
    if let Some(text) = manifest.filter(|text| *text != project.manifest_text) {
        write(&project.root.join("package.json"), text)?;
    }
    if !session.config.package_lock()? {
        return Ok(());
    }
    let mut lock = lock.clone();
    if session.config.omit_lockfile_registry_resolved()? {
        omit_resolved(&mut lock);
    }
    if lock.name.is_none() {
        lock.name = project.root.file_name().map(|name| name.to_string_lossy().into_owned());
    }
    let previous = project.locked.as_ref().map(|(text, _)| text.as_str());
    let text = npm::write(&lock, previous);
    if previous != Some(text.as_str()) {
        write(&project.root.join(project.lockfile), &text)?;
    }
    Ok(())
}

fn omit_resolved(lock: &mut Lock) {
    for package in lock.packages.iter_mut().filter(|package| !package.link) {
        if package.integrity.is_some() && package.resolved.as_deref().is_some_and(|url| url.starts_with("http")) {
            package.resolved = None;
        }
    }
}

/// Notes by what the next run can tell that nothing has changed.
pub fn note_state(session: &Session, project: &Project, settings: [u8; 32]) -> Result<(), Failure> {
    let mut files = project.inputs();
    files.extend(session.config_files.iter().cloned());
    files.push(project.root.join("node_modules"));
    files.push(project.root.join("npm-shrinkwrap.json"));
    for (path, _) in &project.workspaces {
        files.extend(project.root.join(path).parent().map(Path::to_owned));
        files.push(project.root.join(path).join("node_modules"));
    }
    files.sort();
    files.dedup();
    let path = project.root.join(state::PATH);
    if !path.parent().is_some_and(Path::is_dir) {
        return Ok(());
    }
    let failed = |error: std::io::Error| Failure::io(format!("writing {}", path.display()), &error);
    let state = State::take(&project.root, settings, files).map_err(failed)?;
    write_atomic(&path, &state.encode(), Durability::Rename).map_err(failed)
}

/// What `--verbose` and `--json` tell.
pub fn statistics(session: &Session, progress: &Progress, done: &LinkReport) -> Vec<(&'static str, u64)> {
    let (tarballs, bytes) = progress.downloads();
    let mut statistics =
        vec![("metadata requests", progress.metadata_requests()), ("tarballs", tarballs), ("tarball bytes", bytes)];
    if let Some(network) = session.network_used() {
        let fetched = network.registry.fetcher().statistics();
        statistics.push(("retries", fetched.retried));
        statistics.push(("failed requests", fetched.failed));
    }
    statistics.extend([
        ("directories", done.directories),
        ("hardlinks", done.hardlinks),
        ("reflinks", done.reflinks),
        ("copies", done.copies),
        ("bytes saved", done.bytes_saved),
    ]);
    statistics
}

/// Removes replaced trees that the store could not take. What stays is removed by the next install.
pub fn remove_leftovers(done: &LinkReport) {
    for path in &done.leftovers {
        let _ = dx_pkg_fs::remove_tree(path);
    }
}

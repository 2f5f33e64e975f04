//! Licences for the lockfile, and `workspaces` of packages: abbreviated packuments lack them.

use std::collections::{HashMap, HashSet};

use dx_pkg_acquire::package::{Origin, OwnFields, origin, package_id, real_name};
use dx_pkg_acquire::{Cancel, Downloads, Network};
use dx_pkg_compat::manifest::Manifest;
use dx_pkg_core::{PackageId, PackageName};
use dx_pkg_lock::{Lock, LockPackage};
use dx_pkg_store::fields::{PackageFields, PackageLicense};
use tokio::task::JoinHandle;

use crate::Session;
use crate::plan::Plan;

/// The member of a manifest that has its licence.
const LICENSE: &str = "license";

/// Licences on their way: each package with its answer.
pub(crate) type Licenses = Vec<(PackageId, JoinHandle<Option<String>>)>;

/// Requests the licences of packages that will not be fetched, such as those for other platforms,
/// and that are not cached.
pub(crate) fn request(
    session: &Session,
    lock: &Lock,
    plan: &Plan,
    previous: Option<&Lock>,
) -> Licenses {
    let fetched: HashSet<&str> =
        plan.installed.packages.iter().map(|package| package.path.as_str()).collect();
    let is_fetched = |package: &&LockPackage| fetched.contains(package.path.as_str());
    let known = session.store().package_fields();
    let mut requested = Vec::new();
    // A registry is not asked about what does not come from one.
    let may_be_asked = |package: &&LockPackage| {
        matches!(origin(package), Origin::Registry | Origin::Address(_)) && !is_fetched(package)
    };
    for package in without_license(lock, previous).filter(may_be_asked) {
        let name = PackageName::parse(real_name(package));
        let (Ok(name), Ok(Some(id))) = (name, package_id(package)) else { continue };
        let store = session.store();
        if known.get(id).is_some() || store.has(id) || store.license(id).is_some() {
            continue;
        }
        let Ok(network) = session.context.network() else { break };
        let version = package.version.clone().unwrap_or_default();
        let answer =
            network.runtime.spawn(async move { network.source.license(&name, &version).await });
        requested.push((id, answer));
    }
    requested
}

/// Completes the lock with licences: of fetched packages from their manifests, of others from the
/// registry.
pub(crate) fn complete(
    session: &Session,
    downloads: &Downloads,
    lock: &mut Lock,
    previous: Option<&Lock>,
    requested: Licenses,
) {
    let mut answers = HashMap::new();
    if let Some(network) = session.context.network_used() {
        for (id, answer) in requested {
            answers.extend(wait_for(session, network, answer).map(|license| (id, license)));
        }
    }
    keep_known(lock, previous);
    let known = session.store().package_fields();
    let mut found: HashMap<String, PackageFields> = HashMap::new();
    let mut learnt = Vec::new();
    for package in without_license(lock, previous) {
        let Ok(Some(id)) = package_id(package) else { continue };
        let fields = known.get(id).unwrap_or_else(|| {
            let (fields, is_known) = fields_of(session, downloads, id, answers.get(&id));
            learnt.extend(is_known.then(|| (id, fields.clone())));
            fields
        });
        found.insert(package.path.clone(), fields);
    }
    // What cannot be recorded is looked up again.
    let _ = session.store().put_package_fields(learnt);
    for package in &mut lock.packages {
        let Some(PackageFields { license, workspaces }) = found.remove(&package.path) else {
            continue;
        };
        match license {
            Some(PackageLicense::Text(text)) => package.license = Some(text),
            Some(PackageLicense::Json(json)) => package.extra.push((LICENSE.to_owned(), json)),
            None => {}
        }
        package.workspaces = package.workspaces.take().or(workspaces);
    }
}

/// Returns the fields of a package that are not recorded, from its manifest or as the registry
/// answers, and whether one of them was asked.
fn fields_of(
    session: &Session,
    downloads: &Downloads,
    id: PackageId,
    answer: Option<&String>,
) -> (PackageFields, bool) {
    let OwnFields { license, workspaces } = downloads.own_fields(id).unwrap_or_default();
    if license.is_some() {
        return (PackageFields { license: license.map(PackageLicense::Text), workspaces }, true);
    }
    let stored = stored_fields(session, id);
    let told = answer.cloned().or_else(|| session.store().license(id));
    let is_known = stored.is_some() || told.is_some();
    let PackageFields { license, workspaces: of_manifest } = stored.unwrap_or_default();
    let told = told.filter(|text| !text.is_empty()).map(PackageLicense::Text);
    let fields =
        PackageFields { license: license.or(told), workspaces: workspaces.or(of_manifest) };
    (fields, is_known)
}

/// Returns entries of registry packages that are new and have no licence.
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
        !package.has_license()
            && !package.link
            && package.integrity.is_some()
            && package.path.contains("node_modules/")
            && known.get(package.path.as_str()) != Some(&package.integrity.as_deref())
    })
}

/// Waits for an answer; `None` once the command is cancelled.
fn wait_for(
    session: &Session,
    network: &Network,
    mut answer: JoinHandle<Option<String>>,
) -> Option<String> {
    while !session.context.cancel.is_cancelled() {
        let look = async { tokio::time::timeout(Cancel::POLL_INTERVAL, &mut answer).await };
        if let Ok(answer) = network.runtime.block_on(look) {
            return answer.ok().flatten();
        }
    }
    None
}

/// Takes over the licences of packages that stay the same but whose metadata was requested again.
fn keep_known(lock: &mut Lock, previous: Option<&Lock>) {
    let known: HashMap<&str, &LockPackage> = previous
        .iter()
        .flat_map(|lock| &lock.packages)
        .map(|package| (package.path.as_str(), package))
        .collect();
    for package in lock
        .packages
        .iter_mut()
        .filter(|package| !package.has_license() && package.integrity.is_some())
    {
        let before =
            known.get(package.path.as_str()).filter(|before| before.integrity == package.integrity);
        package.license = before.and_then(|before| before.license.clone());
        let workspaces = || before.and_then(|before| before.workspaces.clone());
        package.workspaces = package.workspaces.take().or_else(workspaces);
        package.extra.extend(before.and_then(|before| before.other_license()).cloned());
    }
}

/// Reads the fields in the manifest of a stored package.
fn stored_fields(session: &Session, id: PackageId) -> Option<PackageFields> {
    let stored = session.store().open_package(id).ok()??;
    let dxp = stored.dxp();
    let text = stored.read(&dxp.find("package.json")?).ok()?;
    let manifest = Manifest::parse(&String::from_utf8_lossy(&text)).ok()?.to_lock_package();
    let other = manifest.other_license().map(|(_, json)| PackageLicense::Json(json.clone()));
    let license = manifest.license.map(PackageLicense::Text).or(other);
    Some(PackageFields { license, workspaces: manifest.workspaces })
}

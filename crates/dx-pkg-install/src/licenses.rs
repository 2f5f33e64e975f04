//! Licences for the lockfile, and `workspaces` of packages: abbreviated packuments lack them.

use std::collections::{HashMap, HashSet};

use dx_pkg_acquire::package::{Origin, OwnFields, origin, package_id, real_name};
use dx_pkg_acquire::{Downloads, Network, POLL_INTERVAL};
use dx_pkg_compat::manifest::Manifest;
use dx_pkg_core::{PackageId, PackageName};
use dx_pkg_lock::{Lock, LockPackage};
use tokio::task::JoinHandle;

use crate::Session;
use crate::plan::Plan;

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
    let mut requested = Vec::new();
    // A registry is not asked about what does not come from one.
    let may_be_asked = |package: &&LockPackage| {
        matches!(origin(package), Origin::Registry | Origin::Address(_)) && !is_fetched(package)
    };
    for package in without_license(lock, previous).filter(may_be_asked) {
        let name = PackageName::parse(real_name(package));
        let (Ok(name), Ok(Some(id))) = (name, package_id(package)) else { continue };
        if session.store().has(id) || session.store().license(id).is_some() {
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
    if let Some(network) = session.context.network_used() {
        for (id, answer) in requested {
            if let Some(license) = wait_for(session, network, answer) {
                // A licence that cannot be stored is requested again.
                let _ = session.store().put_license(id, &license);
            }
        }
    }
    keep_known(lock, previous);
    let mut found: HashMap<String, Found> = HashMap::new();
    for package in without_license(lock, previous) {
        let Ok(Some(id)) = package_id(package) else { continue };
        let mut fields = downloads.own_fields(id).map(Found::from).unwrap_or_default();
        if fields.license.is_none() {
            let stored = stored_fields(session, id).unwrap_or_default();
            let cached = || session.store().license(id).filter(|license| !license.is_empty());
            fields.license = stored.license.or_else(|| cached().map(License::Text));
            fields.workspaces = fields.workspaces.or(stored.workspaces);
        }
        found.insert(package.path.clone(), fields);
    }
    for package in &mut lock.packages {
        let Some(Found { license, workspaces }) = found.remove(&package.path) else { continue };
        match license {
            Some(License::Text(text)) => package.license = Some(text),
            Some(License::Other(member)) => package.extra.push(member),
            None => {}
        }
        package.workspaces = package.workspaces.take().or(workspaces);
    }
}

/// What was found for an entry.
#[derive(Default)]
struct Found {
    license: Option<License>,
    workspaces: Option<String>,
}

impl From<OwnFields> for Found {
    fn from(OwnFields { license, workspaces }: OwnFields) -> Self {
        Found { license: license.map(License::Text), workspaces }
    }
}

/// A licence in a lockfile.
enum License {
    Text(String),
    /// A list or the like: the entry's member with its JSON text.
    Other((String, String)),
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
        let look = async { tokio::time::timeout(POLL_INTERVAL, &mut answer).await };
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
fn stored_fields(session: &Session, id: PackageId) -> Option<Found> {
    let stored = session.store().open_package(id).ok()??;
    let dxp = stored.dxp();
    let text = stored.read(&dxp.find("package.json")?).ok()?;
    let manifest = Manifest::parse(&String::from_utf8_lossy(&text)).ok()?.to_lock_package();
    let other = manifest.other_license().cloned().map(License::Other);
    let license = manifest.license.map(License::Text).or(other);
    Some(Found { license, workspaces: manifest.workspaces })
}

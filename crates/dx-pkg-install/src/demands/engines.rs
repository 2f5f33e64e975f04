//! `engines`, `os`, `cpu`, `libc` and `devEngines` of the project, by npm's rules. dx counts as the
//! npm that it follows.

use dx_pkg_acquire::input::NPM_VERSION;
use dx_pkg_compat::manifest::{CurrentEngines, Manifest};
use dx_pkg_core::{Platform, Range, Version};
use dx_pkg_os::process::libc_family;

use crate::error::DemandError;
use crate::node::Node;
use crate::project::Project;
use crate::{Events, InstallError, Session};

/// Checks `devEngines`; `node` is needed where it names a runtime.
pub(super) fn check_dev_engines(
    manifest: &Manifest,
    node: Option<&Node>,
    force: bool,
    events: &dyn Events,
) -> Result<(), InstallError> {
    if manifest.dev_engines.is_none() {
        return Ok(());
    }
    let mut first = None;
    for unmet in manifest.unmet_dev_engines(&current(node))? {
        let is_error = unmet.is_error && !force;
        let error = DemandError::DevEngines(unmet);
        if !is_error {
            events.warning(&error.to_string());
        } else if first.is_none() {
            first = Some(error);
        }
    }
    first.map_or(Ok(()), |error| Err(error.into()))
}

fn current(node: Option<&Node>) -> CurrentEngines {
    let platform = Platform::host(libc_family());
    let manager = |name: &str, version: &str| (name.to_owned(), version.to_owned());
    CurrentEngines {
        package_managers: vec![
            manager("dx", env!("CARGO_PKG_VERSION")),
            manager("npm", NPM_VERSION),
        ],
        node: node.map(|node| node.version.to_string()),
        os: platform.os.into(),
        os_version: kernel_version(),
        cpu: platform.cpu.into(),
        libc: platform.libc.map(Into::into),
    }
}

/// Returns the version of the kernel, where the system tells it in a file.
fn kernel_version() -> Option<String> {
    let text = std::fs::read_to_string("/proc/sys/kernel/osrelease").ok()?;
    Some(text.trim().to_owned())
}

/// Returns the manifests whose demands count, with how they are called in messages.
fn manifests(project: &Project) -> impl Iterator<Item = (String, &Manifest)> {
    let workspaces =
        project.workspaces.iter().map(|(folder, manifest)| (folder.as_str(), manifest));
    std::iter::once(("the project", &project.manifest)).chain(workspaces).map(
        |(otherwise, manifest)| {
            let Manifest { name, version, .. } = manifest;
            let label = match (name, version) {
                (Some(name), Some(version)) => format!("{name}@{version}"),
                (Some(name), None) => name.clone(),
                _ => otherwise.to_owned(),
            };
            (label, manifest)
        },
    )
}

/// Refuses a project or workspace that is for another platform.
pub(super) fn check_platform(project: &Project) -> Result<(), InstallError> {
    let names_any = |manifest: &Manifest| {
        [&manifest.os, &manifest.cpu, &manifest.libc].iter().any(|list| !list.is_empty())
    };
    if !names_any(&project.manifest)
        && !project.workspaces.iter().any(|(_, manifest)| names_any(manifest))
    {
        return Ok(());
    }
    let here = Platform::host(libc_family());
    for (package, Manifest { os, cpu, libc, .. }) in manifests(project) {
        let lists = [os, cpu, libc].map(|list| list.iter().map(String::as_str).collect::<Vec<_>>());
        if here.accepts(&lists[0], &lists[1], &lists[2]) {
            continue;
        }
        let wants = Platform::required_in_words(&lists[0], &lists[1], &lists[2]);
        let found = here.to_string();
        return Err(DemandError::Machine { package, wants, found, is_platform: true }.into());
    }
    Ok(())
}

/// Returns whether the project or a workspace names engines that are checked.
pub(super) fn are_named(project: &Project) -> bool {
    let mut workspaces = project.workspaces.iter().map(|(_, manifest)| manifest);
    project.manifest.dev_engines.is_none() && !project.manifest.engines.is_empty()
        || workspaces.any(|manifest| !manifest.engines.is_empty())
}

/// Refuses the first engine that is not met.
pub(super) fn refuse(session: &Session, project: &Project) -> Result<(), InstallError> {
    unmet(session, project)?.into_iter().next().map_or(Ok(()), |error| Err(error.into()))
}

/// Returns the engines that are not met. Where the project has `devEngines`, its own `engines` are
/// for those who install it as a package.
pub(super) fn unmet(
    session: &Session,
    project: &Project,
) -> Result<Vec<DemandError>, InstallError> {
    let node = session.node_version()?;
    let npm = Version::parse(NPM_VERSION).ok();
    let mut unmet = Vec::new();
    for (place, (package, manifest)) in manifests(project).enumerate() {
        if place == 0 && manifest.dev_engines.is_some() {
            continue;
        }
        for (engine, current) in [("node", &node), ("npm", &npm)] {
            let range = manifest.engines.iter().find(|(name, _)| name == engine);
            let (Some((_, range)), Some(current)) = (range, current) else { continue };
            let is_met = Range::parse(range)
                .is_ok_and(|range| range.satisfies_including_prerelease(current));
            if range.is_empty() || is_met {
                continue;
            }
            let found = match engine {
                "npm" => format!("dx, which counts as npm {current}"),
                _ => format!("{engine} {current}"),
            };
            let (package, wants) = (package.clone(), format!("{engine} {range}"));
            unmet.push(DemandError::Machine { package, wants, found, is_platform: false });
        }
    }
    Ok(unmet)
}

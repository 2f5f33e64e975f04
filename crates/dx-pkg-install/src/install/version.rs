//! The version of the lockfile: which one is written, and what the user is told of old ones.

use dx_pkg_acquire::package::lacks_manifests;
use dx_pkg_lock::Lock;

use super::Run;
use crate::InstallError;
use crate::project::Project;

/// Gives the lock the version that `lockfile-version` asks for.
pub(super) fn choose(
    run: &Run<'_>,
    project: &Project,
    lock: &mut Lock,
) -> Result<(), InstallError> {
    if let Some(asked) = run.session.config().lockfile_version()? {
        let names = (project.manifest.name.clone(), project.manifest.version.clone());
        lock.ask_format_version(asked.number(), names);
    }
    Ok(())
}

/// Tells the user that the lockfile changes its version because that was asked for.
pub(super) fn report_change(
    run: &Run<'_>,
    project: &Project,
    lock: &Lock,
    previous: Option<&Lock>,
) -> Result<(), InstallError> {
    let config = run.session.config();
    let (lockfile, after) = (project.lockfile, lock.format_version);
    // Of one that lacks manifests, more is said.
    if let Some(before) = previous.filter(|lock| !lacks_manifests(lock))
        && before.format_version != after
        && config.lockfile_version()?.is_some()
        && config.package_lock()?
        && run.writes()
    {
        let tense = if run.dry_run { "would be" } else { "is now" };
        run.events.warning(&format!(
            "{lockfile} was of version {} and {tense} written as version {after}, as \
             lockfile-version asks for",
            before.format_version
        ));
    }
    Ok(())
}

/// Tells the user that the lockfile was completed, and about which packages nothing was found.
pub(super) fn report_upgrade(run: &Run<'_>, project: &Project, lock: &Lock, unknown: &[String]) {
    let (lockfile, version) = (project.lockfile, lock.format_version);
    let after = if run.saves() && !run.dry_run {
        format!("it is now written as version {version}")
    } else {
        format!("dx install writes it as version {version}")
    };
    // Where it stays of version 1, this is so each time.
    if version > 1 {
        run.events.warning(&format!(
            "{lockfile} is of an old npm and lacks what packages say of commands, platforms and scripts: the registry was asked, and {after}"
        ));
    }
    if !unknown.is_empty() {
        run.events.warning(&format!(
            "the registry knows nothing of {}, so only what {lockfile} says is used",
            unknown.join(", ")
        ));
    }
}

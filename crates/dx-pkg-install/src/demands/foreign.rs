//! What the project sets for other package managers.

use dx_pkg_compat::manifest::{ForeignFields, ForeignPin, PnpmWorkspace};
use dx_pkg_compat::npmrc::ForeignOverrides;
use dx_pkg_core::Version;
use dx_pkg_lock::name_of_path;

use crate::error::DemandError;
use crate::project::{Project, read_seen};
use crate::{Events, InstallError, Session};

/// The settings of pnpm beside a project.
const PNPM_WORKSPACE: &str = "pnpm-workspace.yaml";

/// Names the fields that are not carried out in one warning.
///
/// # Errors
/// Versions are pinned in a way that dx does not read.
pub(super) fn check(
    session: &Session,
    project: &mut Project,
    events: &dyn Events,
) -> Result<(), InstallError> {
    let mut fields = ForeignFields::default();
    fields.add_project(&project.manifest);
    for (folder, manifest) in &project.workspaces {
        fields.add_workspace(folder, manifest);
    }
    let mut pins = project.manifest.foreign_pins();
    if let Some(pnpm) = pnpm_workspace(project)? {
        fields.add_pnpm_workspace(&pnpm.keys, project.manifest.workspaces.is_some());
        pins.extend(project.manifest.without_repeated(pnpm.pins));
    }
    if let Some(sentence) = fields.in_words() {
        events.warning(&sentence);
    }
    report_extended_workspaces(project, events)?;
    refuse_pins(session, pins, events)
}

/// Names the workspaces that rules of `packageExtensions` are for: a rule does nothing to them.
fn report_extended_workspaces(project: &Project, events: &dyn Events) -> Result<(), InstallError> {
    let rules = project.manifest.extension_rules()?;
    for (folder, manifest) in &project.workspaces {
        let name = manifest.name.as_deref().unwrap_or_else(|| name_of_path(folder));
        let version = manifest.version.as_deref().and_then(|text| Version::parse_loose(text).ok());
        if let Some(rule) = rules.iter().find(|rule| rule.matches(name, version.as_ref())) {
            events.warning(&format!(
                "{:?} in packageExtensions does nothing to the workspace {name}: change \
                 {folder}/package.json itself",
                rule.selector
            ));
        }
    }
    Ok(())
}

/// Reads the settings of pnpm beside the project. Only where there are any does their file belong
/// to the project's state: looking for it costs an install that has nothing to do a system call.
fn pnpm_workspace(project: &mut Project) -> Result<Option<PnpmWorkspace>, InstallError> {
    let path = project.root.join(PNPM_WORKSPACE);
    if !path.is_file() {
        return Ok(None);
    }
    let text = read_seen(&path, &mut project.seen)?;
    Ok(text.as_deref().map(PnpmWorkspace::parse))
}

fn refuse_pins(
    session: &Session,
    pins: Vec<ForeignPin>,
    events: &dyn Events,
) -> Result<(), InstallError> {
    let rule = session.config().foreign_overrides()?;
    if pins.is_empty() || rule == ForeignOverrides::Ignore {
        return Ok(());
    }
    let error = DemandError::ForeignOverrides { pins };
    if rule == ForeignOverrides::Warn || session.config().force()? {
        events.warning(&error.to_string());
        return Ok(());
    }
    Err(error.into())
}

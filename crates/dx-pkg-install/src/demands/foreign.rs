//! What the project sets for other package managers.

use dx_pkg_compat::homes::{HomeSettings, Manager};
use dx_pkg_compat::manifest::{ForeignFields, ForeignPin};
use dx_pkg_compat::npmrc::ForeignOverrides;
use dx_pkg_core::{Spec, Version};
use dx_pkg_lock::name_of_path;
use serde_json::Value;

use crate::error::DemandError;
use crate::project::home::PNPMFILE;
use crate::project::{Project, ProjectPins};
use crate::{Events, InstallError, Session};

/// Names the fields and settings that are not carried out in one warning.
///
/// # Errors
/// Versions are pinned, or packages changed, in a way that dx does not carry out; or a requirement
/// names what is not there.
pub(super) fn check(
    session: &Session,
    project: &mut Project,
    events: &dyn Events,
) -> Result<(), InstallError> {
    let mut fields = ForeignFields::default();
    fields.add_project(&project.manifest);
    add_home(project, &mut fields);
    for (folder, manifest) in &project.workspaces {
        fields.add_workspace(folder, manifest);
    }
    if let Some(sentence) = fields.in_words() {
        events.warning(&sentence);
    }
    if let Some(sentence) = fields.misspelt_in_words() {
        events.warning(&sentence);
    }
    report_extended_workspaces(project, events)?;
    let rule = session.config().foreign_overrides()?;
    project.ignores_pins = rule == ForeignOverrides::Ignore;
    let is_warned = rule == ForeignOverrides::Warn || session.config().force()?;
    let refuse = |error: DemandError| match rule {
        ForeignOverrides::Ignore => Ok(()),
        _ if is_warned => {
            events.warning(&error.to_string());
            Ok(())
        }
        _ => Err(InstallError::from(error)),
    };
    if let Some(hook) = hook(project) {
        refuse(DemandError::Hook(hook))?;
    }
    let ProjectPins { pins, read, links, patches, .. } = project.pins()?;
    for (name, patch) in &patches.builtin {
        events.warning(&format!(
            "{name} is installed without yarn's builtin patch {patch}: it is for Plug'n'Play, and dx \
             installs into node_modules"
        ));
    }
    project.require_patches(patches)?;
    let left: Vec<ForeignPin> = read.left;
    if !left.is_empty() {
        refuse(DemandError::ForeignOverrides { pins: left })?;
    }
    if let Some(meaning) = pins.meanings.iter().find(|one| one.means.starts_with("npm:@jsr/")) {
        check_jsr(session, &meaning.name, &meaning.written)?;
    }
    for folder in &links {
        let spec = Spec::Directory(folder.as_str().into());
        session.context.sources()?.check(Some(folder), &format!("file:{folder}"), &spec, true)?;
    }
    Ok(())
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

/// Checks that packages of JSR have a registry to come from.
///
/// # Errors
/// They have none.
pub(crate) fn check_jsr(session: &Session, name: &str, spec: &str) -> Result<(), InstallError> {
    if session.config().scoped_registries().any(|(scope, _)| scope == "jsr") {
        return Ok(());
    }
    let (name, spec) = (name.to_owned(), spec.to_owned());
    Err(DemandError::NoJsrRegistry { name, spec }.into())
}

/// Adds the settings of the project's manager that are not carried out, and those of others.
fn add_home(project: &Project, fields: &mut ForeignFields) {
    let home = &project.home;
    if let (Manager::Pnpm, Value::Object(map)) = (home.owner.manager, &home.file) {
        for (key, value) in map {
            fields.add_pnpm_setting(key, HomeSettings::is_other_value(key, value));
        }
    }
    if let Some(file) = home.owner.manager.settings_file() {
        let others = home.settings().others;
        others.iter().for_each(|key| fields.add_other(format!("{key} in {file}")));
    }
    project.unread_homes.iter().for_each(|file| fields.add_other(file.clone()));
    let raw = &project.manifest.raw;
    let has = |value: Option<&Value>| {
        value.is_some_and(|value| value.as_object().is_some_and(|map| !map.is_empty()))
    };
    let is_new_pnpm = home.owner.manager == Manager::Pnpm && !home.reads_pnpm_field();
    let unread = if home.owner.manager == Manager::Yarn || home.owner.manager == Manager::Bun {
        Vec::new()
    } else {
        home.unread_in_pnpm_field(&project.manifest)
    };
    let resolutions = has(raw.get("resolutions")).then(|| "resolutions".to_owned());
    for field in resolutions.into_iter().chain(unread) {
        if home.owner.is_npm() {
            fields.add_other(format!("{field}, as the project belongs to npm"));
        } else if is_new_pnpm {
            let instead = "which pnpm 11 and later read in pnpm-workspace.yaml only";
            fields.add_other(format!("{field}, {instead}"));
        }
    }
}

/// Returns what changes packages with code of the project's, in words.
fn hook(project: &Project) -> Option<&'static str> {
    let home = &project.home;
    let is_filled = |key: &str| match home.get(key) {
        None | Some(Value::Null | Value::Bool(false)) => false,
        Some(Value::Array(list)) => !list.is_empty(),
        Some(Value::Object(map)) => !map.is_empty(),
        Some(_) => true,
    };
    match home.owner.manager {
        Manager::Pnpm if is_filled("pnpmfile") => Some("the pnpmfile in pnpm-workspace.yaml"),
        Manager::Pnpm if project.root.join(PNPMFILE).exists() => Some(PNPMFILE),
        Manager::Pnpm if project.root.join(".pnpmfile.mjs").exists() => Some(".pnpmfile.mjs"),
        Manager::Yarn if is_filled("plugins") => Some("plugins in .yarnrc.yml"),
        Manager::Yarn if home.get("enableConstraintsChecks") == Some(&Value::Bool(true)) => {
            Some("enableConstraintsChecks in .yarnrc.yml")
        }
        _ => None,
    }
}

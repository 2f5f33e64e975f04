//! Taking packages and versions back.

use dx_pkg_core::{Spec, Version};
use dx_pkg_fetch::Method;
use serde_json::{Map, Value, json};
use url::Url;

use super::{Account, Named, Said, usage_error};
use crate::AuthorError;
use crate::members::written_manifest;
use crate::registry::{Registry, escaped};

const USAGE: &str = "dx unpublish PACKAGE@VERSION, or with --force: dx unpublish PACKAGE";

/// Takes back the version that a word names, or the whole package; without a word, the version of
/// the package in the folder.
///
/// # Errors
/// What needs `--force`, words that cannot be understood, or a registry that refuses.
pub fn unpublish(account: &Account<'_>, word: Option<&str>) -> Result<Said, AuthorError> {
    let force = account.config().force()?;
    let whole = || usage_error("this would take back the whole package", USAGE);
    let (name, version) = match word {
        Some(word) => {
            let named = Named::read(word)?;
            let version = match &named.spec {
                Spec::Version(_) => Some(named.raw.clone()),
                _ if named.is_whole() => None,
                _ => {
                    let message = "only one version, or the whole package, can be taken back";
                    return Err(usage_error(message, USAGE));
                }
            };
            (named.name, version)
        }
        None => {
            let name = account.own_name(USAGE)?;
            let manifest = written_manifest(account.folder).unwrap_or_default();
            let version = manifest.get("version").and_then(Value::as_str);
            (name, version.filter(|version| !version.is_empty()).map(str::to_owned))
        }
    };
    if version.is_none() && !force {
        return Err(whole());
    }
    let registry = account.registry(Some(&name))?;
    let path = escaped(&name);
    let packument = registry.get(&format!("{path}?write=true"))?;
    let versions = packument.get("versions").and_then(Value::as_object).cloned();
    let versions = versions.unwrap_or_default();
    let is_last = versions.len() == 1;
    if is_last && version.as_ref().is_some_and(|version| versions.contains_key(version)) && !force {
        let message = format!("this is the only version of {name}, and {name} would be gone");
        return Err(usage_error(message, USAGE));
    }
    let shown = version.as_ref().filter(|_| !is_last).map(|version| format!("@{version}"));
    if !account.config().dry_run()? {
        match version.as_ref().filter(|_| versions.len() > 1) {
            Some(version) if versions.contains_key(version) => {
                take_version(&registry, &path, packument, version)?;
            }
            Some(_) => {}
            None => {
                registry.change(&Method::DELETE, &at_revision(&path, &packument), None)?;
            }
        }
    }
    let json = json!({ "package": name, "version": version });
    Ok(Said::new(format!("- {name}{}", shown.unwrap_or_default()), json))
}

fn at_revision(path: &str, packument: &Value) -> String {
    let revision = packument.get("_rev").and_then(Value::as_str).unwrap_or("undefined");
    format!("{path}/-rev/{revision}")
}

/// Takes one of several versions back: out of the packument, then its tarball.
fn take_version(
    registry: &Registry<'_>,
    path: &str,
    mut packument: Value,
    version: &str,
) -> Result<(), AuthorError> {
    let place = at_revision(path, &packument);
    let tarball = packument["versions"][version]["dist"]["tarball"].as_str().map(str::to_owned);
    if let Some(members) = packument.as_object_mut() {
        members.shift_remove("_revisions");
        members.shift_remove("_attachments");
        let versions = members.get_mut("versions").and_then(Value::as_object_mut);
        let mut highest = None;
        if let Some(versions) = versions {
            versions.shift_remove(version);
            highest = newest(versions);
        }
        if let Some(tags) = members.get_mut("dist-tags").and_then(Value::as_object_mut) {
            let was_latest = tags.get("latest").and_then(Value::as_str) == Some(version);
            tags.retain(|_, tagged| tagged.as_str() != Some(version));
            if let Some(highest) = highest.filter(|_| was_latest) {
                tags.insert("latest".to_owned(), highest.into());
            }
        }
    }
    registry.change(&Method::PUT, &place, Some(&packument))?;
    let now = registry.get(&format!("{path}?write=true"))?;
    if let Some(tarball) = tarball.and_then(|address| Url::parse(&address).ok()) {
        let own = tarball.path().strip_prefix(registry.base.path());
        let own = own.unwrap_or_else(|| tarball.path().trim_start_matches('/'));
        registry.change(&Method::DELETE, &at_revision(own, &now), None)?;
    }
    Ok(())
}

fn newest(versions: &Map<String, Value>) -> Option<String> {
    let parsed = versions.keys().filter_map(|text| Some((Version::parse_loose(text).ok()?, text)));
    parsed.max_by(|a, b| a.0.cmp(&b.0)).map(|(_, text)| text.clone())
}

//! Deprecation of versions.

use dx_pkg_core::{Range, Spec, Version};
use dx_pkg_fetch::Method;
use serde_json::{Value, json};

use super::{Account, Named, Said, usage_error};
use crate::AuthorError;
use crate::registry::escaped;

const USAGE: &str = "dx deprecate PACKAGE[@RANGE] MESSAGE | dx undeprecate PACKAGE[@RANGE]";

/// Deprecates the versions that a word names, with a message; an empty one takes it back.
///
/// # Errors
/// Words that cannot be understood, or a registry that refuses.
pub fn deprecate(account: &Account<'_>, word: &str, message: &str) -> Result<Said, AuthorError> {
    let named = Named::read(word)?;
    let range = match &named.spec {
        Spec::Range(range) => range.clone(),
        Spec::Version(version) => {
            Range::parse(&version.to_string()).unwrap_or_else(|_| Range::any())
        }
        _ => {
            let message = format!("{:?} is neither a version nor a range", named.raw);
            return Err(usage_error(message, USAGE));
        }
    };
    let registry = account.registry(Some(&named.name))?;
    let path = escaped(&named.name);
    let mut packument = registry.get(&format!("{path}?write=true"))?;
    let mut found = Vec::new();
    for (text, manifest) in
        packument.get_mut("versions").and_then(Value::as_object_mut).into_iter().flatten()
    {
        let is_meant = Version::parse_loose(text)
            .is_ok_and(|version| range.is_any() || range.satisfies_including_prerelease(&version));
        if let Some(manifest) = manifest.as_object_mut().filter(|_| is_meant) {
            manifest.insert("deprecated".to_owned(), message.into());
            found.push(text.clone());
        }
    }
    let json = json!({ "package": named.name, "versions": found, "message": message });
    if found.is_empty() {
        account.told.warning(&format!("{} has no version {}", named.name, named.raw));
        return Ok(Said::new("", json));
    }
    for version in &found {
        account.told.notice(&match message {
            "" => format!("undeprecating {}@{version}", named.name),
            _ => format!("deprecating {}@{version} with message \"{message}\"", named.name),
        });
    }
    if !account.config().dry_run()? {
        registry.change(&Method::PUT, &path, Some(&packument))?;
    }
    Ok(Said::new("", json))
}

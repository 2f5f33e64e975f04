//! `dx version`: the next version of a package, in its files and in git.

mod bump;
mod git;
mod list;

use std::path::Path;

use dx_pkg_compat::npmrc::Config;
use dx_pkg_core::Version;
use serde_json::Value;

use crate::script::{Scripts, Told};
use crate::{AuthorError, PackageFile};

pub use crate::error::VersionError;
pub use bump::{next, tagged};
pub use list::versions;

/// A version that a package has got.
#[derive(Clone, Debug)]
pub struct Changed {
    /// The package's name, where it has one.
    pub name: Option<String>,
    /// The version.
    pub version: String,
    /// The version with the prefix of tags.
    pub tag: String,
    /// Whether git has a tag of that name now.
    pub is_tagged: bool,
}

/// Gives the package in `folder` the version that `requested` names.
///
/// # Errors
/// A version that cannot be set, a script or git that fails.
pub fn set(
    folder: &Path,
    requested: &str,
    config: &Config,
    scripts: &Scripts<'_>,
    told: &dyn Told,
) -> Result<Changed, AuthorError> {
    let manifest = PackageFile::read(folder)?.content;
    let name = manifest.get("name").and_then(Value::as_str).map(str::to_owned);
    let current = manifest.get("version").cloned();
    let current = match &current {
        Some(Value::String(text)) if !text.is_empty() => text.clone(),
        _ => "0.0.0".to_owned(),
    };
    let clean = Version::parse(current.trim().trim_start_matches(['=', 'v'])).ok();
    let version = match Version::parse_loose(requested) {
        Ok(version) => version.to_string(),
        Err(_) if requested == "from-git" => {
            let tag = git::last_tag(folder)?;
            tagged(&tag).ok_or(VersionError::Tag { tag })?
        }
        Err(_) => clean
            .as_ref()
            .and_then(|clean| next(clean, requested, &config.preid().unwrap_or_default()))
            .ok_or_else(|| VersionError::Invalid {
                requested: requested.to_owned(),
                current: current.clone(),
            })?,
    };
    let is_same = clean.as_ref().is_some_and(|clean| clean.to_string() == version);
    if is_same && !config.allow_same_version()? {
        return Err(VersionError::Same { version }.into());
    }
    let is_repository = requested == "from-git" || folder.join(".git").exists();
    let uses_git =
        config.git_tag_version()? && is_repository && git::is_ready(folder, config.force()?, told)?;
    let variables = [("npm_old_version", current.as_str()), ("npm_new_version", version.as_str())];
    scripts.run(folder, "preversion", &variables)?;
    let changed = write(folder, &version)?;
    scripts.run(folder, "version", &variables)?;
    if uses_git {
        git::record(folder, &version, &changed, config)?;
    }
    scripts.run(folder, "postversion", &variables)?;
    let tag = format!("{}{version}", config.tag_version_prefix()?);
    Ok(Changed { name, version, tag, is_tagged: uses_git })
}

/// Writes the version into manifest and lockfile, and returns the lockfiles that were changed.
fn write(folder: &Path, version: &str) -> Result<Vec<&'static str>, AuthorError> {
    let file = PackageFile::to_change(folder)?;
    let mut content = file.content.clone();
    if let Value::Object(members) = &mut content {
        members.insert("version".to_owned(), version.into());
        members.shift_remove("_id");
    }
    file.save(&content)?;
    let mut changed = Vec::new();
    for name in ["package-lock.json", "npm-shrinkwrap.json"] {
        // As with npm, a lockfile that cannot be read stays as it is.
        let Ok(Some(file)) = PackageFile::named(folder, name) else { continue };
        let mut content = file.content.clone();
        if let Value::Object(members) = &mut content {
            members.insert("version".to_owned(), version.into());
            if let Some(Value::Object(own)) =
                members.get_mut("packages").and_then(|packages| packages.get_mut(""))
            {
                own.insert("version".to_owned(), version.into());
            }
        }
        file.save(&content)?;
        changed.push(name);
    }
    Ok(changed)
}

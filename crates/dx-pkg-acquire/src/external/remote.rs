//! Tarballs at an `http:` or `https:` address.

use dx_pkg_compat::npmrc::redact_urls;
use dx_pkg_core::{Integrity, PackageName, Spec};
use dx_pkg_lock::LockPackage;

use super::{Externals, Wanted};
use crate::package::package_id;
use crate::{AcquireError, Context, Downloads};

/// Fetches and loads the package in the tarball at `url`.
///
/// # Errors
/// There is no answer, or no package.
pub(super) fn load(
    externals: &Externals<'_>,
    wanted: &Wanted<'_>,
    url: &str,
) -> Result<LockPackage, AcquireError> {
    let downloads = externals.downloads()?;
    if externals.context.config.offline()? {
        return Err(AcquireError::Offline { what: wanted.label(), place: "the lockfile" });
    }
    let name = wanted.name.unwrap_or_else(|| name_in(url));
    let taken = match recorded(externals, wanted, url) {
        Some(integrity) => demand(downloads, name, url, integrity)?,
        None => digest(externals, downloads, name, url)?,
    };
    let package = downloads.manifest_of_kept(&wanted.label(), &taken)?;
    Ok(LockPackage { resolved: Some(url.to_owned()), ..package })
}

/// Returns the digest that the lockfile records for `url`; `None` where the requirement's own entry
/// is from there and the command chooses that anew.
fn recorded(externals: &Externals<'_>, wanted: &Wanted<'_>, url: &str) -> Option<Integrity> {
    let is_from = |entry: &LockPackage| entry.resolved.as_deref() == Some(url);
    if wanted.locked.as_ref().is_some_and(is_from) && externals.is_renewed(wanted) {
        return None;
    }
    (externals.recorded)(url).and_then(|text| Integrity::parse(&text).ok())
}

/// Puts the package at `url` into the store, which must have this digest; returns the digest.
fn demand(
    downloads: &Downloads,
    name: &str,
    url: &str,
    integrity: Integrity,
) -> Result<Integrity, AcquireError> {
    let entry = LockPackage { integrity: Some(integrity.to_string()), ..asked(name, url) };
    let Some(id) = package_id(&entry)? else { return Ok(integrity) };
    match downloads.wait(std::iter::once((id, &entry)))?.pop() {
        Some((_, error)) => Err(error),
        None => Ok(integrity),
    }
}

/// Checks that the settings allow the tarball at `url`, which a word of the user's means.
///
/// # Errors
/// The settings forbid it, or all use of the network.
pub fn check_word(context: &Context, url: &str) -> Result<(), AcquireError> {
    context.sources()?.check(None, url, &Spec::Remote(url.into()), true)?;
    if context.config.offline()? {
        let what = redact_urls(url).to_string();
        return Err(AcquireError::Offline { what, place: "the store" });
    }
    Ok(())
}

/// Returns the digest of what comes from `url`. If the project requires the address itself, its
/// others are requested with it.
fn digest(
    externals: &Externals<'_>,
    downloads: &Downloads,
    name: &str,
    url: &str,
) -> Result<Integrity, AcquireError> {
    if let Some(arrived) = externals.arrived.borrow_mut().remove(url) {
        return arrived;
    }
    let mut due = vec![(name, url)];
    let expected = externals.expected.iter().map(|(name, url)| (name.as_str(), url.trim()));
    let expected: Vec<(&str, &str)> = expected.collect();
    if expected.iter().any(|(_, known)| *known == url) {
        let rules = externals.context.sources()?;
        let is_due = |(name, known): &&(&str, &str)| {
            let remote = Spec::Remote((*known).into());
            *known != url
                && PackageName::parse(name).is_ok()
                && rules.check(Some(name), known, &remote, true).is_ok()
                && !externals.loaded().contains_key(*known)
                && !externals.arrived.borrow().contains_key(*known)
        };
        due.extend(expected.iter().filter(is_due));
        due.sort_unstable_by_key(|(_, url)| *url);
        due.dedup_by_key(|(_, url)| *url);
    }
    let asked: Vec<LockPackage> = due.iter().map(|(name, url)| asked(name, url)).collect();
    let taken = downloads.first(&asked.iter().collect::<Vec<_>>())?;
    let mut arrived = externals.arrived.borrow_mut();
    arrived.extend(due.iter().map(|(_, url)| (*url).to_owned()).zip(taken));
    arrived.remove(url).unwrap_or(Err(AcquireError::Panicked))
}

/// Returns the entry by which a tarball is requested.
fn asked(name: &str, url: &str) -> LockPackage {
    LockPackage {
        path: format!("node_modules/{name}"),
        name: Some(name.to_owned()),
        resolved: Some(url.to_owned()),
        ..LockPackage::default()
    }
}

/// Returns a name for messages from an address: that of the file, without its ending.
fn name_in(url: &str) -> &str {
    let path = url.split(['?', '#']).next().unwrap_or(url);
    let file = path.rsplit('/').next().unwrap_or_default();
    let stem = file.strip_suffix(".tgz").or_else(|| file.strip_suffix(".tar.gz")).unwrap_or(file);
    if PackageName::parse(stem).is_ok() { stem } else { "package" }
}

//! Brings single packages into the store, as `npm cache add` does.

use std::sync::Arc;

use dx_pkg_acquire::package::package_id;
use dx_pkg_acquire::{Counters, Downloads};
use dx_pkg_core::Spec;
use dx_pkg_install::Session;
use dx_pkg_lock::LockPackage;
use dx_pkg_store::StoreMode;

use super::choice::chosen;
use super::{QuestionError, document};

/// Fetches a package of a registry into the store, unless it is there; returns `name@version`.
///
/// # Errors
/// No such package or version, or it cannot be fetched.
pub fn add(session: &Session, spec: &str) -> Result<String, QuestionError> {
    let not_of_registry = || QuestionError::NotOfRegistry { spec: spec.to_owned() };
    let argument = Spec::parse_argument(spec).map_err(|_| not_of_registry())?;
    let (name, wanted) = match (argument.name, argument.spec) {
        (_, Spec::Alias { name, spec }) => (name, *spec),
        (Some(name), spec) if spec.is_registry() => (name, spec),
        _ => return Err(not_of_registry()),
    };
    let packument = document(session, &name)?.json;
    let tag = session.config().tag().map_err(dx_pkg_acquire::AcquireError::from)?;
    let no_version =
        || QuestionError::NoVersion { name: name.to_string(), version: argument.raw.to_string() };
    let version = chosen(&packument, &wanted, &tag).ok_or_else(no_version)?;
    let dist = packument.get("versions").and_then(|all| all.get(&version)?.get("dist"));
    let text = |key: &str| Some(dist?.get(key)?.as_str()?.to_owned());
    let package = LockPackage {
        path: format!("node_modules/{name}"),
        name: Some(name.to_string()),
        version: Some(version.clone()),
        resolved: text("tarball"),
        integrity: text("integrity"),
        ..LockPackage::default()
    };
    let label = format!("{name}@{version}");
    let Some(id) = package_id(&package)? else { return Err(no_version()) };
    let offline = session.config().offline().map_err(dx_pkg_acquire::AcquireError::from)?;
    let counters = Arc::new(Counters::default());
    let downloads = Downloads::new(&session.context, offline, StoreMode::Now, counters);
    match downloads.wait(std::iter::once((id, &package)))?.into_iter().next() {
        Some((_, error)) => Err(error.into()),
        None => Ok(label),
    }
}

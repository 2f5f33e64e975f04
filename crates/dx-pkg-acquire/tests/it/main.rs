//! Resolving and downloading against a registry in this process.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod plan;

use std::path::Path;
use std::sync::Arc;

use dx_pkg_acquire::package::package_id;
use dx_pkg_acquire::{
    AcquireError, Context, ContextOptions, Counters, Downloads, ResolverInput, resolve,
};
use dx_pkg_compat::manifest::Manifest;
use dx_pkg_compat::npmrc::{Config, ConfigSources};
use dx_pkg_core::{Coded, PackageId};
use dx_pkg_lock::{Lock, LockPackage};
use dx_pkg_resolve::Requirements;
use dx_pkg_store::{Store, StoreMode};
use dx_pkg_testkit::{Fault, Registry};

/// Returns a context with a store in `folder`.
fn context(registry: &Registry, folder: &Path, flags: &[(&str, &str)]) -> Arc<Context> {
    let flags: Vec<(String, String)> =
        flags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let sources =
        ConfigSources { default_registry: registry.url(), flags: &flags, ..Default::default() };
    let config = Config::load(&sources).unwrap();
    Arc::new(Context::new(ContextOptions::new(config, Store::open(folder).unwrap())))
}

/// Resolves a project that requires `a@^1`, without a lockfile.
fn resolve_a(context: &Arc<Context>, downloads: Option<&Downloads>) -> Result<Lock, AcquireError> {
    let manifest = Manifest::parse(r#"{ "dependencies": { "a": "^1" } }"#).unwrap();
    let requirements = Requirements { root: manifest.to_lock_package(), ..Requirements::default() };
    let input = ResolverInput::new(&context.config, requirements, None, None)?;
    let resolved =
        resolve(context, Path::new("/project"), &input, None, downloads, &Arc::default(), None)?;
    Ok(resolved.resolution.lock)
}

fn paths(lock: &Lock) -> Vec<&str> {
    lock.packages.iter().map(|package| package.path.as_str()).collect()
}

fn fetched(lock: &Lock) -> impl Iterator<Item = (PackageId, &LockPackage)> {
    let with_id = |package| Some((package_id(package).unwrap()?, package));
    lock.packages.iter().filter_map(with_id)
}

/// Returns a registry with `a`, which requires `b`.
fn registry() -> Registry {
    let registry = Registry::start();
    registry.package("a", "1.5.0").dep("b", "*").publish();
    registry.package("b", "2.0.0").publish();
    registry
}

#[test]
fn packages_are_in_the_store_after_resolving_and_waiting() {
    let (registry, folder) = (registry(), tempfile::tempdir().unwrap());
    let context = context(&registry, folder.path(), &[]);
    let downloads = Downloads::new(&context, false, StoreMode::Now, Arc::new(Counters::default()));
    let lock = resolve_a(&context, Some(&downloads)).unwrap();
    assert_eq!(paths(&lock), ["", "node_modules/a", "node_modules/b"]);
    assert!(downloads.wait(fetched(&lock)).unwrap().is_empty());
    assert_eq!(fetched(&lock).count(), 2);
    assert!(fetched(&lock).all(|(id, _)| context.store.has(id)));
    assert_eq!(registry.tarball_requests(), 2);
}

#[test]
fn resolving_without_downloads_requests_no_tarball() {
    let (registry, folder) = (registry(), tempfile::tempdir().unwrap());
    let lock = resolve_a(&context(&registry, folder.path(), &[]), None).unwrap();
    assert_eq!(paths(&lock), ["", "node_modules/a", "node_modules/b"]);
    assert_eq!(registry.tarball_requests(), 0);
}

#[test]
fn cached_metadata_resolves_offline_to_the_same_lock() {
    let (registry, folder) = (registry(), tempfile::tempdir().unwrap());
    let online = resolve_a(&context(&registry, folder.path(), &[]), None).unwrap();
    registry.clear_requests();
    let context = context(&registry, folder.path(), &[("offline", "true")]);
    assert_eq!(resolve_a(&context, None).unwrap(), online);
    assert_eq!(registry.metadata_requests(), 0);
    assert!(context.network_used().is_none());
}

#[test]
fn empty_cache_cannot_resolve_offline() {
    let (registry, folder) = (registry(), tempfile::tempdir().unwrap());
    let context = context(&registry, folder.path(), &[("offline", "true")]);
    assert_eq!(resolve_a(&context, None).unwrap_err().code(), "DX_OFFLINE");
}

#[test]
fn cancelled_context_ends_downloading() {
    let (registry, folder) = (registry(), tempfile::tempdir().unwrap());
    let context = context(&registry, folder.path(), &[]);
    let lock = resolve_a(&context, None).unwrap();
    context.cancel.cancel();
    let downloads = Downloads::new(&context, false, StoreMode::Now, Arc::new(Counters::default()));
    let waited = downloads.wait(fetched(&lock));
    assert!(matches!(waited, Err(AcquireError::Cancelled)), "{waited:?}");
    assert_eq!(registry.tarball_requests(), 0);
}

#[test]
fn cancelled_context_ends_waiting_for_a_packument() {
    let (registry, folder) = (registry(), tempfile::tempdir().unwrap());
    let _stalled = registry.fault("/b", Fault::Stall);
    let context = context(&registry, folder.path(), &[]);
    context.cancel.cancel();
    assert_eq!(resolve_a(&context, None).unwrap_err().code(), "DX_CANCELLED");
}

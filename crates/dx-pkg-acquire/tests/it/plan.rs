//! A source that resolves by itself: its plan is a proposal, which the resolver checks.

use std::pin::Pin;
use std::sync::Arc;

use dx_pkg_acquire::{Context, ContextOptions};
use dx_pkg_compat::npm_registry::{NpmRegistry, fetch_config};
use dx_pkg_compat::npmrc::{Config, ConfigSources};
use dx_pkg_core::PackageName;
use dx_pkg_fetch::Fetcher;
use dx_pkg_lock::{Lock, LockPackage};
use dx_pkg_registry::{
    PackumentRequest, PackumentSink, Pending, PlanRequest, Source, TarballRequest, TarballSink,
};
use dx_pkg_store::Store;
use dx_pkg_testkit::Registry;

use crate::resolve_a;

/// npm's registry, with a plan that has this version of `a`.
struct Planner {
    registry: NpmRegistry,
    version: &'static str,
}

impl Source for Planner {
    fn packument<'a>(
        &'a self,
        request: PackumentRequest<'a>,
        sink: PackumentSink,
    ) -> Pending<'a, ()> {
        Source::packument(&self.registry, request, sink)
    }

    fn tarball(&self, request: TarballRequest, sink: Arc<dyn TarballSink>) -> Pending<'_, ()> {
        Source::tarball(&self.registry, request, sink)
    }

    fn license<'a>(
        &'a self,
        name: &'a PackageName,
        version: &'a str,
    ) -> Pin<Box<dyn Future<Output = Option<String>> + Send + 'a>> {
        Source::license(&self.registry, name, version)
    }

    fn plan<'a>(&'a self, request: PlanRequest<'a>) -> Option<Pending<'a, Lock>> {
        let package = LockPackage {
            path: "node_modules/a".to_owned(),
            version: Some(self.version.to_owned()),
            ..LockPackage::default()
        };
        let packages = vec![request.requirements.root.clone(), package];
        let lock = Lock { format_version: 3, packages, ..Lock::default() };
        Some(Box::pin(std::future::ready(Ok(lock))))
    }
}

/// Returns the version of `a` that `^1` resolves to, with 1.0.0, 1.5.0 and 2.0.0 published.
fn resolved_with_plan(version: &'static str) -> String {
    let registry = Registry::start();
    for version in ["1.0.0", "1.5.0", "2.0.0"] {
        registry.package("a", version).publish();
    }
    let folder = tempfile::tempdir().unwrap();
    let sources = ConfigSources { default_registry: registry.url(), ..Default::default() };
    let config = Config::load(&sources).unwrap();
    let fetcher = Fetcher::new(fetch_config(&config, "test/1".to_owned(), None).unwrap());
    let npm = NpmRegistry::new(fetcher, config.clone(), config.registry()).unwrap();
    let options = ContextOptions::new(config, Store::open(folder.path()).unwrap());
    let source = Arc::new(Planner { registry: npm, version });
    let context = Arc::new(Context::new(ContextOptions { source: Some(source), ..options }));
    // A plan is only requested where the network is in use.
    context.network().unwrap();
    let lock = resolve_a(&context, None).unwrap();
    lock.get("node_modules/a").unwrap().version.clone().unwrap()
}

#[test]
fn a_plan_that_satisfies_the_requirements_is_kept() {
    assert_eq!(resolved_with_plan("1.0.0"), "1.0.0");
}

#[test]
fn a_plan_that_does_not_satisfy_the_requirements_is_corrected() {
    assert_eq!(resolved_with_plan("2.0.0"), "1.5.0");
}

//! A plan is a proposal: the resolver keeps what satisfies the requirements, and nothing else.

use std::sync::{Arc, mpsc};

use dx_pkg_core::{Coded, PackageName, Platform};
use dx_pkg_fetch::Priority;
use dx_pkg_format::packument::Packument;
use dx_pkg_lock::{Lock, LockPackage};
use dx_pkg_registry::{PackumentAnswer, PackumentForm, PackumentRequest, PlanRequest, Source};
use dx_pkg_resolve::pick::PickOptions;
use dx_pkg_resolve::{External, Options, Provider, ProviderError, Requirements};
use tokio::runtime::{Builder, Runtime};

use super::memory::Memory;

/// The resolver's access to a source.
struct FromSource<'s> {
    source: &'s dyn Source,
    runtime: &'s Runtime,
}

impl Provider for FromSource<'_> {
    fn packument(&self, name: &str) -> Result<Packument, ProviderError> {
        let name = PackageName::parse(name).unwrap();
        let request = PackumentRequest {
            name: &name,
            form: PackumentForm::Abbreviated,
            validator: None,
            priority: Priority::Normal,
        };
        let (send, answers) = mpsc::channel();
        let sink = Box::new(move |answer| send.send(answer).unwrap());
        self.runtime.block_on(self.source.packument(request, sink)).map_err(|error| {
            ProviderError {
                hint: error.hint(),
                ..ProviderError::new(error.code(), error.to_string())
            }
        })?;
        let PackumentAnswer::Modified { bytes, .. } = answers.recv().unwrap() else {
            panic!("there was no validator");
        };
        Ok(Packument::decode(Arc::new(bytes)).unwrap())
    }

    fn manifest(&self, name: &str, _: &str, _: &str) -> Result<External, ProviderError> {
        panic!("{name} is in the registry");
    }

    fn bundled(&self, _: &LockPackage) -> Result<Vec<LockPackage>, ProviderError> {
        Ok(Vec::new())
    }
}

fn options() -> Options {
    Options {
        pick: PickOptions::default(),
        platform: Platform { os: "linux".into(), cpu: "x64".into(), libc: None },
        more_platforms: Vec::new(),
        legacy_peer_deps: false,
        strict_peer_deps: false,
        solves_conflicts: false,
        explains_conflicts: false,
        engine_strict: false,
        known_conflicts: Vec::new(),
        prefer_dedupe: false,
        placing: dx_pkg_resolve::Placing::Hoisted,
        update: Vec::new(),
        explicit: Vec::new(),
        explicit_in: Vec::new(),
        removed: Vec::new(),
        workspaces: Vec::new(),
        frozen: false,
        install_links: false,
        max_packages: dx_pkg_resolve::Options::MAX_PACKAGES,
    }
}

/// Resolves a project with these dependencies from the source's plan, if it has one; returns
/// `path@version` of each package.
fn resolve(source: &dyn Source, dependencies: &[(&str, &str)]) -> Vec<String> {
    let runtime = Builder::new_current_thread().build().unwrap();
    let owned = |&(name, spec): &(&str, &str)| (name.to_owned(), spec.to_owned());
    let root = LockPackage {
        dependencies: dependencies.iter().map(owned).collect(),
        ..LockPackage::default()
    };
    let requirements = Requirements { root, ..Requirements::default() };
    let options = options();
    let request = PlanRequest { requirements: &requirements, options: &options };
    let plan = source.plan(request).map(|plan| runtime.block_on(plan).unwrap());
    let provider = FromSource { source, runtime: &runtime };
    let resolution =
        dx_pkg_resolve::resolve(&requirements, plan.as_ref(), &provider, &options).unwrap();
    let packages = resolution.lock.packages.iter().filter(|package| !package.path.is_empty());
    packages
        .map(|package| format!("{}@{}", package.path, package.version.as_deref().unwrap()))
        .collect()
}

/// A package of a plan: name, version and dependencies.
type Planned<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)]);

/// A plan with the project's requirements and these packages at the top.
fn plan_of(request: PlanRequest<'_>, packages: &[Planned<'_>]) -> Lock {
    let owned = |&(name, spec): &(&str, &str)| (name.to_owned(), spec.to_owned());
    let package = |&(name, version, dependencies): &Planned<'_>| LockPackage {
        path: format!("node_modules/{name}"),
        version: Some(version.to_owned()),
        resolved: Some(format!("memory:{name}@{version}")),
        dependencies: dependencies.iter().map(owned).collect(),
        ..LockPackage::default()
    };
    let root = request.requirements.root.clone();
    let packages = [root].into_iter().chain(packages.iter().map(package)).collect();
    Lock { format_version: 3, packages, ..Lock::default() }
}

fn published() -> Memory {
    Memory::default()
        .publish("a", "1.0.0", &[("b", "^1")])
        .publish("a", "1.1.0", &[("b", "^1")])
        .publish("a", "2.0.0", &[("b", "^1")])
        .publish("b", "1.0.0", &[])
        .publish("b", "1.2.0", &[])
}

#[test]
fn a_source_without_plans_is_asked_for_packuments() {
    let source = published();
    assert_eq!(resolve(&source, &[("a", "^1")]), ["node_modules/a@1.1.0", "node_modules/b@1.2.0"]);
    assert_eq!(source.requested(), ["a", "b"]);
}

#[test]
fn a_plan_that_satisfies_the_requirements_is_obeyed_without_any_packument() {
    let source = published()
        .plans(|request| plan_of(request, &[("a", "1.0.0", &[("b", "^1")]), ("b", "1.0.0", &[])]));
    assert_eq!(resolve(&source, &[("a", "^1")]), ["node_modules/a@1.0.0", "node_modules/b@1.0.0"]);
    assert_eq!(source.requested(), [""; 0]);
}

#[test]
fn a_planned_version_outside_its_range_is_replaced() {
    let source = published()
        .plans(|request| plan_of(request, &[("a", "1.0.0", &[("b", "^1")]), ("b", "1.0.0", &[])]));
    assert_eq!(resolve(&source, &[("a", "^2")]), ["node_modules/a@2.0.0", "node_modules/b@1.0.0"]);
    assert_eq!(source.requested(), ["a"]);
}

#[test]
fn a_package_that_a_plan_forgot_is_added_and_one_too_many_is_dropped() {
    let source = published().publish("unrelated", "1.0.0", &[]).plans(|request| {
        plan_of(request, &[("a", "1.0.0", &[("b", "^1")]), ("unrelated", "1.0.0", &[])])
    });
    assert_eq!(resolve(&source, &[("a", "^1")]), ["node_modules/a@1.0.0", "node_modules/b@1.2.0"]);
    assert_eq!(source.requested(), ["b"]);
}

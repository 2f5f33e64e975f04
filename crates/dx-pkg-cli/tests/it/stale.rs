//! `stale-while-revalidate`: stale packuments are used at once and revalidated meanwhile, if the
//! registry allows it.

use std::fs;
use std::time::Duration;

use dx_pkg_testkit::{Fault, Project, Registry};

use crate::harness::{dx, fails, ok, required};

const STALE: &str = "public, max-age=0, stale-while-revalidate=600";

/// Returns a project of `a` and its dependency `b` whose packuments, with `cache_control`, are
/// cached and nothing else.
fn cached(cache_control: &str) -> (Registry, Project) {
    let registry = Registry::start();
    registry.package("a", "1.0.0").dep("b", "1").publish();
    registry.package("b", "1.0.0").publish();
    registry.cache_control(cache_control);
    let project = Project::new(&registry).dep("a", "^1").create();
    ok(&project, ["install"]);
    forget_the_install(&project);
    registry.clear_requests();
    (registry, project)
}

fn forget_the_install(project: &Project) {
    project.remove("package-lock.json");
    fs::remove_dir_all(project.path().join("node_modules")).unwrap();
    for folder in ["packages", "expanded", "resolutions"] {
        let _ = fs::remove_dir_all(project.store().join("v1").join(folder));
    }
}

#[test]
fn a_stale_packument_is_used_although_the_registry_does_not_answer() {
    let (registry, project) = cached(STALE);
    for name in ["/a", "/b"] {
        registry.fault(name, Fault::Stall);
    }
    let run = ok(&project, ["install"]);
    assert_eq!(run.stderr, "");
    assert_eq!(required(&project, "a"), "a@1.0.0");
}

#[test]
fn each_stale_packument_is_revalidated_once_for_the_next_install() {
    let (registry, project) = cached(STALE);
    registry.package("a", "1.1.0").dep("b", "1").publish();
    registry.cache_control("public, max-age=600");
    // The install lasts longer than the revalidation.
    registry.fault("*.tgz", Fault::Delay(Duration::from_secs(2)));
    ok(&project, ["install"]);
    assert_eq!(required(&project, "a"), "a@1.0.0", "the answer changed the install under way");
    let asked = registry.requests().into_iter().filter(|request| !request.is_tarball());
    let mut asked: Vec<_> = asked
        .map(|request| (request.path.clone(), request.header("if-none-match").is_some()))
        .collect();
    asked.sort();
    assert_eq!(asked, [("/a".to_owned(), true), ("/b".to_owned(), true)]);
    registry.clear_faults();
    forget_the_install(&project);
    registry.clear_requests();
    ok(&project, ["install"]);
    assert_eq!((required(&project, "a"), registry.metadata_requests()), ("a@1.1.0".to_owned(), 0));
}

#[test]
fn without_a_window_or_after_it_the_response_is_awaited() {
    for cache_control in ["public, max-age=0", "public, max-age=0, stale-while-revalidate=0"] {
        let (registry, project) = cached(cache_control);
        registry.package("a", "1.1.0").publish();
        ok(&project, ["install"]);
        assert_eq!(required(&project, "a"), "a@1.1.0", "{cache_control}");
        assert!(registry.metadata_requests() > 0);
    }
}

#[test]
fn prefer_online_waits_for_the_response_and_offline_makes_no_request() {
    let (registry, project) = cached(STALE);
    registry.package("a", "1.1.0").publish();
    project.write(".npmrc", project.read(".npmrc") + "\nprefer-online=true\n");
    ok(&project, ["install"]);
    assert_eq!(required(&project, "a"), "a@1.1.0");
    let (registry, project) = cached(STALE);
    let stderr = fails(dx(&project, ["install", "--offline"]), "DX_OFFLINE");
    assert!(stderr.contains("is not in the store"), "the metadata was not used: {stderr}");
    assert_eq!(registry.requests().len(), 0);
}

#[test]
fn locked_install_requests_no_metadata_however_stale_it_is() {
    let (registry, project) = cached(STALE);
    ok(&project, ["install", "--lockfile-only", "--prefer-offline"]);
    registry.clear_requests();
    ok(&project, ["ci"]);
    assert_eq!((registry.metadata_requests(), registry.tarball_requests()), (0, 2));
}

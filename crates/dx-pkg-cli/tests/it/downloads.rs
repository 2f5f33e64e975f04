//! The order of downloads, and their statistics.

use std::time::Duration;

use dx_pkg_testkit::{Fault, Project, Registry};
use serde_json::Value;

use crate::harness::{dx, fails, ok, required};

/// Returns the packages in the order of their tarball requests.
fn fetched(registry: &Registry) -> Vec<String> {
    let requests = registry.requests();
    let tarballs = requests.iter().filter(|request| request.is_tarball());
    tarballs
        .map(|request| request.path.trim_start_matches('/').split("/-/").next().unwrap().to_owned())
        .collect()
}

#[test]
fn direct_dependencies_are_fetched_first_and_type_packages_last() {
    let registry = Registry::start();
    registry.package("a", "1.0.0").publish();
    for inner in ["m", "n"] {
        registry.package(inner, "1.0.0").publish();
    }
    registry.package("@types/x", "1.0.0").publish();
    registry.package("z", "1.0.0").dep("m", "1").dep("n", "1").publish();
    let builder = || Project::new(&registry).dep("a", "1").dep("z", "1").dev("@types/x", "1");
    let first = builder().create();
    ok(&first, ["install"]);
    registry.clear_requests();
    // All the others are requested while the first response is on its way.
    registry.fault("*.tgz", Fault::Delay(Duration::from_millis(500))).times(1);
    let lock = first.read("package-lock.json");
    let project = builder().npmrc("network-concurrency=1").file("package-lock.json", lock).create();
    ok(&project, ["ci"]);
    let order: Vec<String> = fetched(&registry).into_iter().skip(1).collect();
    let class = |name: &str| match name {
        "a" | "z" => 0,
        "m" | "n" => 1,
        _ => 2,
    };
    assert_eq!(order.len(), 4);
    assert!(order.is_sorted_by_key(|name| class(name)), "{order:?}");
}

#[test]
fn larger_packages_are_fetched_first_if_their_size_is_known() {
    let registry = Registry::start();
    registry.package("a", "1.0.0").publish();
    for (name, size) in [("b", 100), ("c", 30_000), ("d", 5_000)] {
        registry.package(name, "1.0.0").file("data", "x".repeat(size)).publish();
    }
    registry.fault("*.tgz", Fault::Delay(Duration::from_millis(500))).times(1);
    let builder = Project::new(&registry).dep("a", "1").dep("b", "1").dep("c", "1").dep("d", "1");
    let project = builder.npmrc("network-concurrency=1").create();
    ok(&project, ["install"]);
    assert_eq!(fetched(&registry), ["a", "c", "d", "b"]);
}

#[test]
fn every_seventh_response_may_be_broken_and_the_statistics_are_true() {
    let too_many = Fault::status(429).header("retry-after", "0");
    for fault in
        [Fault::Drop, Fault::Truncate, Fault::Stall, Fault::StallBody, Fault::status(503), too_many]
    {
        every_seventh_answer_is(&fault);
    }
}

fn every_seventh_answer_is(fault: &Fault) {
    const PACKAGES: usize = 25;
    let registry = Registry::start();
    // More tries than usual: one request may happen to be the seventh again and again.
    let mut builder =
        Project::new(&registry).npmrc("fetch-retries=20").npmrc("fetch-retry-mintimeout=1");
    builder = builder
        .npmrc("fetch-retry-maxtimeout=5")
        .npmrc("network-concurrency=4")
        .npmrc("fetch-timeout=700");
    for number in 0..PACKAGES {
        let name = format!("p{number}");
        registry.package(&name, "1.0.0").publish();
        builder = builder.dep(&name, "1");
    }
    let broken = registry.fault("*", fault.clone()).every(7);
    let project = builder.create();
    // The question whether the registry speaks DXRP would be one request more.
    let run = ok(&project, ["install", "--json", "--dxrp=off"]);
    let summary: Value = serde_json::from_str(&run.stdout).unwrap();
    let count =
        |name: &str| usize::try_from(summary["statistics"][name].as_u64().unwrap()).unwrap();
    assert!(broken.hits() >= 2 * PACKAGES / 7, "{}", broken.hits());
    assert_eq!(
        (count("requests"), count("completed_requests"), count("failed_requests")),
        (50, 50, 0),
        "{summary}"
    );
    assert_eq!((count("retries"), count("resumed")), (broken.hits(), 0), "{summary}");
    assert_eq!(registry.requests().len(), 2 * PACKAGES + broken.hits());
    assert!(
        count("bytes_received") >= count("tarball_bytes") && count("tarball_bytes") > 0,
        "{summary}"
    );
    for waiting in ["metadata_waiting", "critical_tarballs_waiting", "low_tarballs_waiting"] {
        assert!(summary["statistics"][waiting].is_u64(), "{summary}");
    }
    assert_eq!(required(&project, "p24"), "p24@1.0.0", "{fault:?}");
}

#[test]
fn a_mirror_that_is_dead_is_named() {
    let registry = Registry::start();
    registry.package("a", "1.0.0").publish();
    let mirror = Registry::start();
    registry.tarballs_at(mirror.url());
    mirror.stop();
    let project = Project::new(&registry)
        .dep("a", "1")
        .npmrc("fetch-retry-mintimeout=1")
        .user_npmrc("allow-remote=all")
        .create();
    let stderr = fails(dx(&project, ["install"]), "DX_FETCH_CONNECT");
    assert!(
        stderr.contains(&format!("127.0.0.1:{}", mirror.port())) && stderr.contains("3 tries"),
        "{stderr}"
    );
    assert!(!project.exists("node_modules") && !project.exists("package-lock.json"));
}

#[test]
fn a_tarball_that_is_wrong_once_is_fetched_again() {
    let registry = Registry::start();
    registry.package("a", "1.0.0").file("data", "x".repeat(4000)).publish();
    let wrong = registry.fault("*.tgz", Fault::WrongBytes).times(1);
    let project = Project::new(&registry).dep("a", "1").create();
    ok(&project, ["install"]);
    assert_eq!((wrong.hits(), registry.tarball_requests()), (1, 2));
    assert_eq!(required(&project, "a"), "a@1.0.0");
}

#[test]
fn every_seventh_tarball_may_be_wrong_once() {
    let registry = Registry::start();
    let mut builder = Project::new(&registry);
    for number in 0..20 {
        let name = format!("p{number}");
        registry.package(&name, "1.0.0").file("data", "x".repeat(4000)).publish();
        builder = builder.dep(&name, "1");
    }
    let wrong = registry.fault("*.tgz", Fault::WrongBytes).every(7).times(2);
    let project = builder.create();
    let run = ok(&project, ["install", "--json", "--dxrp=off"]);
    let summary: Value = serde_json::from_str(&run.stdout).unwrap();
    // A wrong body is a response, so it is requested anew instead of retried.
    for (name, expected) in
        [("requests", 42), ("completed_requests", 42), ("failed_requests", 0), ("retries", 0)]
    {
        assert_eq!(summary["statistics"][name], expected, "{name}: {summary}");
    }
    assert_eq!((wrong.hits(), registry.tarball_requests()), (2, 22));
    assert_eq!(required(&project, "p19"), "p19@1.0.0");
}

#[test]
fn no_connection_is_opened_without_need() {
    let registry = Registry::start();
    registry.package("a", "1.0.0").publish();
    let first = Project::new(&registry).dep("a", "1").create();
    ok(&first, ["install"]);
    let before = registry.connections();
    let lock = first.read("package-lock.json");
    let builder = Project::new(&registry).dep("a", "1").file("package-lock.json", lock);
    let second = builder.store(first.store()).create();
    ok(&second, ["ci"]);
    assert_eq!(required(&second, "a"), "a@1.0.0");
    fails(
        dx(&Project::new(&registry).dep("a", "1").create(), ["install", "--offline"]),
        "DX_OFFLINE",
    );
    ok(&Project::new(&registry).create(), ["install"]);
    assert_eq!(registry.connections(), before);
}

#[test]
fn metadata_of_deeper_dependencies_is_requested_in_parallel() {
    const WIDTH: usize = 12;
    let registry = Registry::start();
    let mut middle = registry.package("middle", "1.0.0");
    for number in 0..WIDTH {
        middle = middle.dep(&format!("leaf-{number}"), "1");
        registry.package(&format!("leaf-{number}"), "1.0.0").publish();
    }
    middle.publish();
    registry.package("top", "1.0.0").dep("middle", "1").publish();
    registry.fault("/leaf-*", Fault::Delay(std::time::Duration::from_millis(300)));
    let project = Project::new(&registry).dep("top", "1").create();
    ok(&project, ["install", "--lockfile-only"]);
    assert!(registry.most_in_flight() >= WIDTH / 2, "{} at once", registry.most_in_flight());
}

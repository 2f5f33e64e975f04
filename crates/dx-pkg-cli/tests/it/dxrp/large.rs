//! Packages whose contents are written while they are unpacked, and unpacked while they arrive.

use dx_pkg_testkit::dxrp::{DxrpCarrier, DxrpFault};
use dx_pkg_testkit::{Project, Registry};

use super::served::Served;
use super::tree;
use crate::harness::{dx, impatient, incompressible, ok};

/// Returns so many times bytes that do not compress, each time a little different.
fn bytes(times: usize) -> Vec<u8> {
    let one = incompressible();
    (0..times).flat_map(|time| [one.as_slice(), &time.to_le_bytes()].concat()).collect()
}

fn registry() -> Registry {
    let registry = Registry::start();
    // The second is unpacked while it arrives.
    for (name, times) in [("first", 5), ("second", 15)] {
        registry
            .package(name, "1.0.0")
            .bin(name, "lib/cli.js")
            .file("lib/cli.js", "#!/usr/bin/env node\nconsole.log('cli')")
            .executable("run.sh", "echo")
            .file("binding.gyp", "{}")
            .file("data.bin", bytes(times))
            .file("empty", "")
            .field("license", "ISC")
            .publish();
    }
    registry
}

fn project(registry: &Registry) -> Project {
    impatient(registry).dep("first", "1").dep("second", "1").create()
}

/// Returns a project that was installed over HTTP, and a function that gives another with its
/// lockfile.
fn locked(registry: &Registry) -> (Project, impl Fn() -> Project) {
    let over_http = project(registry);
    ok(&over_http, ["install", "--ignore-scripts", "--dxrp=off"]);
    let lock = over_http.read("package-lock.json");
    registry.clear_requests();
    let another = move || {
        let other = project(registry);
        other.write("package-lock.json", &lock);
        other
    };
    (over_http, another)
}

#[test]
fn they_are_those_that_come_over_http() {
    let registry = registry();
    let (over_http, another) = locked(&registry);
    registry.dxrp(DxrpCarrier::Raw, None);
    for variables in [&[][..], &[("CI", "1")]] {
        let other = another();
        let mut ci = crate::harness::command(&other);
        for (name, value) in variables {
            ci = ci.env(name, value);
        }
        ci.args(["ci", "--ignore-scripts", "--dxrp=required"]).run().success();
        assert_eq!(tree(&other), tree(&over_http), "{variables:?}");
        ok(&other, ["store", "verify"]);
        let listed = |project| ok(project, ["install-scripts", "ls", "--json"]).stdout;
        assert_eq!(listed(&other), listed(&over_http));
        other.remove("node_modules");
        ok(&other, ["ci", "--ignore-scripts", "--offline"]);
        assert_eq!(tree(&other), tree(&over_http), "{variables:?}");
    }
    assert_eq!(registry.tarball_requests(), 0);
    // The licence comes from the package as well.
    let other = project(&registry);
    ok(&other, ["install", "--ignore-scripts"]);
    assert_eq!(other.read("package-lock.json"), over_http.read("package-lock.json"));
}

#[test]
fn what_is_wrong_with_them_changes_nothing() {
    let registry = registry();
    let (over_http, another) = locked(&registry);
    for fault in [
        DxrpFault::Dies,
        DxrpFault::Damages,
        DxrpFault::Forges,
        DxrpFault::OtherRoot,
        DxrpFault::OtherContents,
        DxrpFault::Bomb,
        DxrpFault::Lies,
        DxrpFault::Climbs,
        DxrpFault::OtherId,
        DxrpFault::Replays,
        DxrpFault::Sizes,
    ] {
        registry.dxrp(DxrpCarrier::Raw, Some(fault));
        let other = another();
        let run = ok(&other, ["ci", "--ignore-scripts", "--verbose"]);
        let again = fault == DxrpFault::Dies && run.stderr.contains("is asked for again");
        assert!(again || run.stderr.contains("comes over HTTP"), "{fault:?}: {run}");
        assert_eq!(tree(&other), tree(&over_http), "{fault:?}");
        ok(&other, ["store", "verify"]);
        if fault == DxrpFault::Dies {
            continue;
        }
        let strict = another();
        let run = dx(&strict, ["ci", "--ignore-scripts", "--dxrp=required"]);
        assert_eq!(run.status, Some(1), "{fault:?}: {run}");
        assert!(run.stderr.contains("[DX_DXRP_"), "{fault:?}: {run}");
        assert!(!strict.exists("node_modules"), "{fault:?}");
    }
}

#[test]
fn a_server_sends_packages_of_more_than_64_mib() {
    let registry = Registry::start();
    registry.package("huge", "1.0.0").file("data.bin", bytes(60)).publish();
    let Some(served) = Served::start(&registry) else { return };
    let project = served.project().dep("huge", "1").create();
    ok(&project, ["install", "--dxrp=required"]);
    let found = std::fs::metadata(project.path().join("node_modules/huge/data.bin")).unwrap();
    assert!(found.len() > 64 << 20);
    ok(&project, ["store", "verify"]);
}

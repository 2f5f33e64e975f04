//! `--timing`: the record of a command's requests.

use dx_pkg_testkit::{Fault, Project, Registry};
use serde_json::Value;

use crate::harness::{dx, fails, impatient, ok};

/// Returns a project of `a`, which needs `b`, which needs the peer `c`.
fn chain() -> (Registry, Project) {
    let registry = Registry::start();
    registry.package("a", "1.0.0").dep("b", "1").publish();
    registry.package("b", "1.0.0").peer("@s/c", "1").publish();
    registry.package("@s/c", "1.0.0").publish();
    let project = impatient(&registry).dep("a", "1").create();
    (registry, project)
}

fn find<'t>(timing: &'t Value, kind: &str, name: &str) -> &'t Value {
    let requests = timing["requests"].as_array().unwrap();
    let found = requests.iter().find(|request| request["kind"] == kind && request["name"] == name);
    found.unwrap_or_else(|| panic!("no {kind} of {name}: {timing:#}"))
}

#[test]
fn every_request_is_recorded_with_its_cause() {
    let (registry, project) = chain();
    ok(&project, ["install", "--timing", "timing.json"]);
    let timing = project.json("timing.json");
    assert_eq!(timing["version"], 1);
    assert_eq!(timing["requests"].as_array().unwrap().len(), registry.requests().len());
    // The resolver's own request, which is always urgent, may come before the one that is made
    // ahead of it.
    for (name, cause, ahead) in
        [("a", Value::Null, "critical"), ("b", "a".into(), "normal"), ("@s/c", "b".into(), "high")]
    {
        let told = find(&timing, "metadata", name);
        assert_eq!(told["causedBy"], cause, "{told:#}");
        assert!(told["priority"] == ahead || told["priority"] == "critical", "{told:#}");
        let times = ["queued", "sent", "firstByte", "done"].map(|key| told[key].as_u64().unwrap());
        assert!(times.is_sorted() && times[3] <= timing["ended"].as_u64().unwrap(), "{told:#}");
        assert_eq!(
            (&told["status"], &told["tries"], &told["http"]),
            (&200.into(), &1.into(), &"1.1".into())
        );
    }
    for name in ["a@1.0.0", "b@1.0.0", "@s/c@1.0.0"] {
        let told = find(&timing, "tarball", name);
        assert!(told["bytes"].as_u64().unwrap() > 0 && told["causedBy"].is_string(), "{told:#}");
    }
    let stages: Vec<&str> = timing["stages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|stage| stage["name"].as_str().unwrap())
        .collect();
    assert_eq!(stages, ["resolved", "fetched", "linked"]);
}

#[test]
fn locked_install_waits_for_tarballs_only() {
    let (_registry, project) = chain();
    ok(&project, ["install"]);
    std::fs::remove_dir_all(project.store()).unwrap();
    ok(&project, ["ci", "--timing", "timing.json"]);
    let timing = project.json("timing.json");
    let requests = timing["requests"].as_array().unwrap();
    assert_eq!(requests.len(), 3);
    assert!(
        requests
            .iter()
            .all(|request| request["kind"] == "tarball" && request["causedBy"].is_null()),
        "{timing:#}"
    );
}

#[test]
fn requests_of_a_failed_command_are_recorded() {
    let (registry, project) = chain();
    registry.fault("/b", Fault::status(500));
    fails(dx(&project, ["install", "--timing", "timing.json"]), "DX_FETCH_STATUS");
    let timing = project.json("timing.json");
    let told = find(&timing, "metadata", "b");
    assert_eq!((&told["status"], &told["tries"]), (&Value::Null, &2.into()), "{told:#}");
}

#[test]
fn command_without_requests_records_none() {
    let (_registry, project) = chain();
    ok(&project, ["install"]);
    ok(&project, ["install", "--timing", "timing.json"]);
    assert_eq!(project.json("timing.json")["requests"], Value::Array(Vec::new()));
}

#[test]
fn a_file_that_cannot_be_written_is_an_error() {
    let (_registry, project) = chain();
    fails(dx(&project, ["install", "--timing", "no/such/folder.json"]), "DX_IO");
}

//! Several installs at once.

use std::io::{BufRead, BufReader};
use std::thread;

use dx_pkg_testkit::{Fault, Project, Registry};
use serde_json::json;

use crate::harness::{command, ok, required, stored};

fn registry(packages: usize) -> Registry {
    let registry = Registry::start();
    for number in 0..packages {
        let package = registry
            .package(&format!("p{number}"), "1.0.0")
            .file("data", number.to_string().repeat(2000));
        let package = if number + 1 < packages {
            package.dep(&format!("p{}", number + 1), "1")
        } else {
            package
        };
        package.publish();
    }
    registry
}

#[test]
fn installs_at_once_in_one_project_all_succeed() {
    let registry = registry(12);
    let project = Project::new(&registry).dep("p0", "1").create();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| ok(&project, ["install"]));
        }
    });
    assert_eq!(project.installed().len(), 12);
    assert_eq!(required(&project, "p11"), "p11@1.0.0");
    assert_eq!(registry.tarball_requests(), 12, "who waited found everything there");
}

#[test]
fn additions_at_once_in_one_project_are_all_kept() {
    let registry = registry(3);
    registry.package("x", "1.0.0").publish();
    registry.fault("*", Fault::Delay(std::time::Duration::from_millis(50)));
    let project = Project::new(&registry).create();
    thread::scope(|scope| {
        for name in ["p2", "x"] {
            let project = &project;
            scope.spawn(move || ok(project, ["install", name]));
        }
    });
    assert_eq!(
        project.json("package.json")["dependencies"],
        json!({"p2": "^1.0.0", "x": "^1.0.0"})
    );
    assert_eq!(
        (required(&project, "p2"), required(&project, "x")),
        ("p2@1.0.0".to_owned(), "x@1.0.0".to_owned())
    );
}

#[test]
fn projects_at_once_on_one_empty_store_all_succeed() {
    let registry = registry(12);
    let owner = Project::new(&registry).create();
    let projects: Vec<Project> = (0..6)
        .map(|_| Project::new(&registry).dep("p0", "1").store(owner.store()).create())
        .collect();
    thread::scope(|scope| {
        for project in &projects {
            scope.spawn(|| ok(project, ["install"]));
        }
    });
    for project in &projects {
        assert_eq!(project.installed().len(), 12);
        assert_eq!(required(project, "p11"), "p11@1.0.0");
        assert_eq!(project.read("package-lock.json"), projects[0].read("package-lock.json"));
    }
    let packages = stored(&owner).into_iter().filter(|name| name.ends_with(".dxt"));
    assert_eq!(packages.count(), 12, "each package once");
    ok(&owner, ["store", "verify"]);
}

#[test]
fn install_that_waits_says_so() {
    let registry = registry(1);
    let gate = registry.fault("/p0/-/*", Fault::Stall).times(1);
    let project = Project::new(&registry).dep("p0", "1").create();
    let mut first = command(&project).args(["install"]).spawn();
    while gate.hits() == 0 {
        thread::yield_now();
    }
    let mut second = command(&project).args(["install"]).spawn();
    let mut stderr = String::new();
    BufReader::new(second.stderr.take().unwrap()).read_line(&mut stderr).unwrap();
    assert!(stderr.contains("another install is running"), "{stderr}");
    assert_eq!(registry.tarball_requests(), 1, "the second does nothing before the first is gone");
    first.kill().unwrap();
    first.wait().unwrap();
    assert!(second.wait().unwrap().success());
    assert_eq!(required(&project, "p0"), "p0@1.0.0");
}

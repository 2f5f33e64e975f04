//! Packages from tarballs on servers that fail, lead elsewhere or are gone.

use dx_pkg_testkit::{Fault, Project, ProjectBuilder, Registry};

use crate::harness::{command, dx, fails, locked, ok};

fn server() -> Registry {
    let server = Registry::start();
    server.package("lib", "1.0.0").publish();
    server
}

fn lib(server: &Registry) -> String {
    format!("{}/lib/-/lib-1.0.0.tgz", server.url().trim_end_matches('/'))
}

fn project(registry: &Registry) -> ProjectBuilder {
    Project::new(registry).user_npmrc("allow-remote=all")
}

/// Nothing of a failed install is there.
fn untouched(project: &Project) -> bool {
    !project.exists("node_modules/lib") && !project.exists("package-lock.json")
}

#[test]
fn failure_that_may_pass_is_tried_again() {
    let (server, registry) = (server(), Registry::start());
    server.fault("/lib/-/*", Fault::status(503)).times(2);
    let first = project(&registry).dep("lib", &lib(&server)).create();
    ok(&first, ["install"]);
    assert_eq!(server.tarball_requests(), 3);
    server.clear_requests();
    server.fault("/lib/-/*", Fault::status(503)).every(1);
    for (retries, tries) in [("2", 3), ("0", 1)] {
        let project = project(&registry).dep("lib", &lib(&server)).create();
        let store = tempfile::tempdir().unwrap();
        let install = ["install", "--fetch-retries", retries];
        let run = command(&project).args(install).env("DX_STORE", store.path()).run();
        fails(run, "DX_FETCH_STATUS");
        assert_eq!(server.tarball_requests(), tries, "{:?}", server.requests());
        assert!(untouched(&project));
        server.clear_requests();
    }
}

#[test]
fn server_that_is_gone_is_named_where_the_store_lacks_the_tarball() {
    let (server, registry) = (server(), Registry::start());
    let project = project(&registry).dep("lib", &lib(&server)).create();
    ok(&project, ["install", "--package-lock-only"]);
    let lock = project.read("package-lock.json");
    server.stop();
    for way in ["ci", "install"] {
        let store = tempfile::tempdir().unwrap();
        let run = command(&project).args([way]).env("DX_STORE", store.path()).run();
        let error = run.failure().stderr;
        assert!(error.contains(&lib(&server)), "{error}");
        assert!(!project.exists("node_modules/lib"), "{way}");
        assert_eq!(project.read("package-lock.json"), lock, "{way}");
    }
}

#[test]
fn redirect_to_another_server_takes_no_credentials_there() {
    let (server, registry, other) = (server(), Registry::start(), server());
    server.require_token("secret");
    server.fault("/lib/-/*", Fault::Redirect(other.url().to_owned())).every(1);
    let line = format!("//127.0.0.1:{}/:_authToken=secret", server.port());
    let project = project(&registry).user_npmrc(&line).dep("lib", &lib(&server)).create();
    ok(&project, ["install"]);
    assert_eq!(locked(&project, "node_modules/lib")["resolved"], lib(&server).as_str());
    assert_eq!(other.tarball_requests(), 1);
    assert!(other.requests().iter().all(|request| request.header("authorization").is_none()));
}

#[test]
fn redirect_without_end_is_an_error() {
    let (server, registry) = (server(), Registry::start());
    server.fault("/lib/-/*", Fault::Redirect(server.url().to_owned())).every(1);
    let project = project(&registry).dep("lib", &lib(&server)).create();
    let error = dx(&project, ["install"]).failure().stderr;
    assert!(error.contains("redirect"), "{error}");
    assert!(untouched(&project));
}

//! Tarballs whose bytes change: noticed where npm notices it, and never taken for the locked ones.

use super::*;

fn local(registry: &Registry, version: &str) -> Vec<u8> {
    let says = format!("module.exports = 'local {version}'");
    registry.package("local", version).file("index.js", says).tarball()
}

/// Puts another tarball where that of `lib` was.
fn publish_anew(server: &Registry) {
    server.unpublish("lib", "1.0.0");
    server.package("lib", "1.0.0").file("index.js", "module.exports = 'lib anew'").publish();
}

#[test]
fn changed_file_is_taken_when_it_is_added_again_and_not_before() {
    let registry = Registry::start();
    let project = Project::new(&registry)
        .dep("local", "file:local.tgz")
        .file("local.tgz", local(&registry, "1.0.0"))
        .create();
    ok(&project, ["install"]);
    let lock = project.read("package-lock.json");
    project.write("local.tgz", local(&registry, "2.0.0"));
    // As with npm, the lockfile holds, and the store has its bytes.
    ok(&project, ["install"]);
    project.remove("node_modules");
    ok(&project, ["ci"]);
    assert_eq!(required(&project, "local"), "local 1.0.0");
    assert_eq!(project.read("package-lock.json"), lock);
    for (version, argument) in [("2.0.0", "./local.tgz"), ("3.0.0", "local@file:local.tgz")] {
        project.write("local.tgz", local(&registry, version));
        let run = command(&project).args(["add", argument]).run().success();
        assert!(run.stdout.contains(&format!("-> {version}")), "{run}");
        assert_eq!(required(&project, "local"), format!("local {version}"));
        assert_eq!(locked(&project, "node_modules/local")["version"], json!(version));
    }
}

#[test]
fn changed_file_is_refused_where_the_store_lacks_the_locked_bytes() {
    let registry = Registry::start();
    let first = Project::new(&registry)
        .dep("local", "file:local.tgz")
        .file("local.tgz", local(&registry, "1.0.0"))
        .create();
    ok(&first, ["install"]);
    for command in ["ci", "install"] {
        let other = Project::new(&registry)
            .dep("local", "file:local.tgz")
            .file("local.tgz", local(&registry, "2.0.0"))
            .file("package-lock.json", first.read("package-lock.json"))
            .create();
        fails(dx(&other, [command]), "DX_INTEGRITY_MISMATCH");
        assert!(!other.exists("node_modules"));
    }
}

#[test]
fn result_of_an_install_is_not_used_for_another_tarball() {
    let (server, registry) = (server(), Registry::start());
    let project = project(&registry)
        .dep("lib", &lib(&server))
        .dep("local", "file:local.tgz")
        .file("local.tgz", local(&registry, "1.0.0"))
        .create();
    let again = || {
        project.remove("node_modules");
        project.remove("package-lock.json");
        crate::harness::dx_with_prepared_trees(&project, ["install"]);
    };
    crate::harness::dx_with_prepared_trees(&project, ["install"]);
    again();
    again();
    project.write("local.tgz", local(&registry, "2.0.0"));
    publish_anew(&server);
    again();
    assert_eq!(required(&project, "local"), "local 2.0.0");
    assert_eq!(required(&project, "lib"), "lib anew");
}

#[test]
fn changed_address_is_taken_when_it_is_added_again() {
    let (server, registry) = (server(), Registry::start());
    let url = lib(&server);
    let project = project(&registry).dep("lib", &url).create();
    ok(&project, ["install"]);
    let before = locked(&project, "node_modules/lib");
    publish_anew(&server);
    ok(&project, ["install"]);
    assert_eq!(locked(&project, "node_modules/lib"), before);
    command(&project).args(["add", &url]).run().success();
    assert_eq!(required(&project, "lib"), "lib anew");
    assert_eq!(
        locked(&project, "node_modules/lib")["integrity"],
        json!(server.integrity("lib", "1.0.0"))
    );
}

#[test]
fn digest_of_an_address_counts_for_whoever_requires_it() {
    let (server, registry) = (server(), Registry::start());
    let url = lib(&server);
    let other = json!({"name": "one", "version": "1.0.0", "dependencies": {"lib": url}});
    let project = project(&registry)
        .field("workspaces", json!(["packages/*"]))
        .dep("lib", &address(&server, "lib/-/lib-2.0.0.tgz"))
        .file("packages/one/package.json", other.to_string());
    publish(&server, "2.0.0");
    let project = project.create();
    ok(&project, ["install"]);
    let before = locked(&project, "packages/one/node_modules/lib")["integrity"].clone();
    publish_anew(&server);
    let manifest = project.read("package.json").replace("lib-2.0.0.tgz", "lib-1.0.0.tgz");
    project.write("package.json", &manifest);
    ok(&project, ["install"]);
    assert_eq!(locked(&project, "node_modules/lib")["integrity"], before);
    assert_eq!(required(&project, "lib"), "lib 1.0.0");
}

#[test]
fn digest_of_an_address_counts_for_a_package_that_another_one_displaces() {
    let (server, registry) = (server(), Registry::start());
    let url = lib(&server);
    registry.package("app", "1.0.0").dep("lib", &url).publish();
    publish(&server, "2.0.0");
    let project = Project::new(&registry).user_npmrc("allow-remote=all");
    let project = project.dep("app", "1.0.0").dep("lib", &url).create();
    ok(&project, ["install"]);
    let before = locked(&project, "node_modules/lib")["integrity"].clone();
    publish_anew(&server);
    let manifest = project.read("package.json").replace("lib-1.0.0.tgz", "lib-2.0.0.tgz");
    project.write("package.json", &manifest);
    ok(&project, ["install"]);
    assert_eq!(required(&project, "lib"), "lib 2.0.0");
    assert_eq!(locked(&project, "node_modules/app/node_modules/lib")["integrity"], before);
}

//! Continuous integration: packages are stored as tarballs and unpacked into the project.

use std::fs;
use std::path::PathBuf;

use dx_pkg_testkit::{Command, Project, Registry};

use crate::harness::{command, files, ok, required, share_key, stored, unpacked};

fn registry() -> Registry {
    let registry = Registry::start();
    registry
        .package("a", "1.0.0")
        .dep("b", "1")
        .bin("ay", "cli.js")
        .file("cli.js", "#!/usr/bin/env node\nconsole.log('ay')")
        .file("index.js", "module.exports = 'a with ' + require('b')")
        .publish();
    registry.package("b", "1.0.0").file("index.js", "module.exports = 'b1.0.0'").publish();
    // Placed twice, so that it cannot be moved.
    registry.package("b", "2.0.0").publish();
    registry.package("c", "1.0.0").dep("b", "2").publish();
    registry.package("d", "1.0.0").dep("b", "2").publish();
    registry
}

fn ci(project: &Project) -> Command {
    command(project).env("CI", "true").env("DX_PREPARED_TREES", "")
}

fn project(registry: &Registry) -> Project {
    Project::new(registry).dep("a", "1").dep("b", "1").dep("c", "1").dep("d", "1").create()
}

fn tree(project: &Project) -> std::collections::BTreeMap<String, Vec<u8>> {
    let mut files = files(project);
    files.remove("node_modules/.dx/state");
    files
}

fn tarballs(project: &Project) -> Vec<PathBuf> {
    let shards = fs::read_dir(project.store().join("v1/packages")).unwrap().flatten();
    let files = shards
        .flat_map(|shard| fs::read_dir(shard.path()).unwrap().flatten())
        .map(|file| file.path());
    files.filter(|path| path.extension().is_some_and(|extension| extension == "tgz")).collect()
}

#[test]
fn packages_are_stored_as_tarballs_and_installed_from_them() {
    let registry = registry();
    let usual = project(&registry);
    let project = project(&registry);
    share_key(&[&usual, &project]);
    ok(&usual, ["install"]);
    ci(&project).args(["install"]).run().success();
    assert_eq!(tree(&project), tree(&usual));
    assert_eq!(required(&project, "a"), "a with b1.0.0");
    assert_eq!((tarballs(&project).len(), stored(&project).len()), (5, 5), "nothing but tarballs");
    assert_eq!(unpacked(&project), Vec::<String>::new());
    assert!(fs::read_dir(project.store().join("v1/tmp")).unwrap().next().is_none());
    ok(&project, ["store", "verify"]);

    registry.stop();
    for args in [["ci", "--offline"], ["install", "--offline"]] {
        project.remove("node_modules");
        ci(&project).args(args).run().success();
        assert_eq!(tree(&project), tree(&usual));
        // A store that is used again has them unpacked from then on.
        assert_eq!(tarballs(&project), Vec::<PathBuf>::new());
        assert_eq!((stored(&project).len(), unpacked(&project).len()), (5, 5));
    }
    ok(&project, ["store", "verify"]);
}

#[test]
fn stored_tarballs_become_packages_outside_of_ci() {
    for trees in ["0", "1"] {
        let registry = registry();
        let project = project(&registry);
        ci(&project).args(["install"]).run().success();
        let installed = tree(&project);
        registry.clear_requests();
        project.remove("node_modules");
        command(&project).env("DX_PREPARED_TREES", trees).args(["ci"]).run().success();
        command(&project)
            .env("DX_PREPARED_TREES", trees)
            .args(["store", "maintain"])
            .run()
            .success();
        assert_eq!(registry.tarball_requests(), 0);
        assert_eq!(tree(&project), installed);
        assert_eq!(tarballs(&project), Vec::<PathBuf>::new());
        assert_eq!(stored(&project).iter().filter(|name| name.ends_with(".dxt")).count(), 5);
        ok(&project, ["store", "verify"]);
    }
}

#[test]
fn a_tarball_that_was_damaged_is_fetched_again() {
    let registry = registry();
    let project = project(&registry);
    ci(&project).args(["install"]).run().success();
    let installed = tree(&project);
    for path in tarballs(&project) {
        let bytes = fs::read(&path).unwrap();
        fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
    }
    registry.clear_requests();
    project.remove("node_modules");
    ci(&project).args(["ci"]).run().success();
    assert_eq!(registry.tarball_requests(), 5);
    assert_eq!(tree(&project), installed);
    ok(&project, ["store", "verify"]);
}

#[test]
fn packages_fetched_by_a_failed_install_serve_the_next() {
    let registry = registry();
    let project = project(&registry);
    let fault = registry.fault("/d/-/*", dx_pkg_testkit::Fault::status(404));
    ci(&project).args(["install"]).run().failure();
    fault.clear();
    registry.clear_requests();
    ci(&project).args(["install"]).run().success();
    assert_eq!(registry.tarball_requests(), 1, "{:?}", registry.requests());
}

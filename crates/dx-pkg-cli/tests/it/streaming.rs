//! Large packages, which are unpacked as they arrive.

use std::fs;

use dx_pkg_testkit::{Entry, Fault, Project, Registry};

use crate::harness::{command, files, incompressible, locked, ok, required, stored};

fn registry() -> Registry {
    let registry = Registry::start();
    registry
        .package("large", "1.0.0")
        .field("license", "MIT")
        .bin("run", "./bin/run.js")
        .file("bin/run.js", "#!/usr/bin/env node\nconsole.log('ran')")
        .file("lib/data.bin", incompressible())
        .file("lib/.gitignore", "x")
        .file(
            "index.js",
            "module.exports = 'large ' + require('fs').statSync(__dirname + '/lib/data.bin').size",
        )
        .publish();
    registry.package("small", "1.0.0").publish();
    registry
}

/// The environments in which dx stores packages at once, afterwards, and as tarballs.
const WAYS: [(&str, &str, &str); 3] =
    [("at once", "0", ""), ("afterwards", "1", ""), ("packed", "0", "true")];

fn is_executable(project: &Project, path: &str) -> bool {
    #[cfg(unix)]
    return std::os::unix::fs::PermissionsExt::mode(
        &fs::metadata(project.path().join(path)).unwrap().permissions(),
    ) & 0o111
        != 0;
    #[cfg(not(unix))]
    return project.path().join(path).exists();
}

#[test]
fn a_large_package_is_the_same_however_it_is_stored() {
    for (way, trees, ci) in WAYS {
        let registry = registry();
        let project = Project::new(&registry).dep("large", "1").dep("small", "1").create();
        let dx = |args: &[&str]| {
            command(&project)
                .env("DX_PREPARED_TREES", trees)
                .env("CI", ci)
                .args(args.iter().copied())
                .run()
                .success()
        };
        dx(&["install"]);
        assert_eq!(required(&project, "large"), "large 1200000", "{way}");
        assert!(is_executable(&project, "node_modules/large/bin/run.js"), "{way}");
        let installed = files(&project);
        assert_eq!(
            installed.get("node_modules/large/lib/data.bin"),
            Some(&incompressible()),
            "{way}"
        );
        assert!(installed.contains_key("node_modules/large/lib/.npmignore"), "{way}");
        assert_eq!(locked(&project, "node_modules/large")["license"], "MIT", "{way}");
        let tarballs =
            registry.requests().iter().filter(|request| request.path.ends_with(".tgz")).count();
        assert_eq!(tarballs, 2, "each came once: {way}");

        dx(&["store", "maintain"]);
        dx(&["store", "verify"]);
        let stored: Vec<_> =
            stored(&project).into_iter().filter(|name| !name.ends_with(".files")).collect();
        assert_eq!(stored.len(), 2, "{way}: {stored:?}");
        assert_eq!(fs::read_dir(project.store().join("v1/tmp")).unwrap().count(), 0, "{way}");
        registry.stop();
        project.remove("node_modules");
        dx(&["ci", "--offline"]);
        dx(&["store", "maintain"]);
        assert_eq!(required(&project, "large"), "large 1200000", "{way}");
        assert_eq!(
            files(&project).get("node_modules/large/lib/data.bin"),
            Some(&incompressible()),
            "{way}"
        );
    }
}

#[test]
fn large_package_that_arrives_damaged_or_in_part_is_fetched_again() {
    for (way, trees, ci) in WAYS {
        for fault in [Fault::WrongBytes, Fault::Truncate, Fault::Drop, Fault::status(503)] {
            let registry = registry();
            let project = Project::new(&registry)
                .npmrc("fetch-retry-mintimeout=1")
                .dep("large", "1")
                .create();
            let shown = format!("{fault:?} {way}");
            let fault = registry.fault("/large/-/*", fault).times(1);
            command(&project)
                .env("DX_PREPARED_TREES", trees)
                .env("CI", ci)
                .args(["install"])
                .run()
                .success();
            assert_eq!(fault.hits(), 1, "{shown}");
            assert_eq!(
                files(&project).get("node_modules/large/lib/data.bin"),
                Some(&incompressible()),
                "{shown}"
            );
            command(&project)
                .env("DX_PREPARED_TREES", trees)
                .args(["store", "maintain"])
                .run()
                .success();
            ok(&project, ["store", "verify"]);
            assert_eq!(fs::read_dir(project.store().join("v1/tmp")).unwrap().count(), 0, "{shown}");
        }
    }
}

#[test]
fn an_archive_with_a_path_twice_is_unpacked_as_it_arrives() {
    let registry = Registry::start();
    registry
        .package("large", "1.0.0")
        .raw_entry(Entry::file("package/index.js", "module.exports = 'the first'"))
        .file("data.bin", incompressible())
        .raw_entry(Entry::file("package/index.js", "module.exports = 'the last'"))
        .publish();
    let project = Project::new(&registry).dep("large", "1").create();
    ok(&project, ["install"]);
    assert_eq!(required(&project, "large"), "the last");
    let tarballs: Vec<_> =
        registry.requests().into_iter().filter(|request| request.path.ends_with(".tgz")).collect();
    assert_eq!(tarballs.len(), 1);
    assert_eq!(fs::read_dir(project.store().join("v1/tmp")).unwrap().count(), 0);
}

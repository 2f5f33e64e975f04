//! The setting `install-links`: folders outside the project are copied, as npm packs them.

use dx_pkg_testkit::{Project, ProjectBuilder, Registry};
use serde_json::{Value, json};

use crate::harness::{dx, fails, locked, ok, required};

/// Returns a registry with what the folders require.
fn registry() -> Registry {
    let registry = Registry::start();
    registry.package("a", "1.0.0").publish();
    registry
}

/// Returns a project that requires the folder `../out`, beside which `../deep` is.
fn project(registry: &Registry) -> ProjectBuilder {
    let out = json!({
        "name": "out", "version": "1.0.0", "bin": "cli.js", "files": ["cli.js", "index.js"],
        "dependencies": {"deep": "file:../deep", "a": "1"}, "devDependencies": {"never": "1"}
    });
    Project::new(registry)
        .user_npmrc("install-links=true")
        .dep("out", "file:../out")
        .file("../out/package.json", out.to_string())
        .file("../out/index.js", "module.exports = 'out ' + require('deep')")
        .file("../out/cli.js", "#!/usr/bin/env node\n")
        .file("../out/secret.txt", "not packed")
        .file("../out/node_modules/junk/package.json", r#"{"name":"junk","version":"1.0.0"}"#)
        .file("../deep/package.json", r#"{"name":"deep","version":"2.0.0"}"#)
        .file("../deep/index.js", "module.exports = 'deep'")
}

#[test]
fn folder_outside_is_copied_with_what_it_requires() {
    let registry = registry();
    let project = project(&registry).create();
    ok(&project, ["install"]);
    assert_eq!(required(&project, "out"), "out deep");
    let copy = project.path().join("node_modules/out");
    assert!(!copy.is_symlink() && !copy.join("secret.txt").exists());
    assert!(!copy.join("node_modules").exists());
    assert!(project.exists("node_modules/.bin/out"));
    assert_eq!(
        locked(&project, "node_modules/out"),
        json!({
            "version": "1.0.0", "resolved": "file:../out", "bin": {"out": "cli.js"},
            "dependencies": {"a": "1", "deep": "file:../deep"}
        })
    );
    assert_eq!(
        locked(&project, "node_modules/deep"),
        json!({"version": "2.0.0", "resolved": "file:../deep"})
    );
    ok(&project, ["store", "export", "packages.dxa"]);
    let lock = project.read("package-lock.json");
    let run = ok(&project, ["install"]);
    assert!(run.stdout.contains("Already up to date"), "{run}");
    for args in [["ci", "--no-audit"], ["ci", "--offline"], ["install", "--offline"]] {
        project.remove("node_modules");
        ok(&project, args);
        assert_eq!(required(&project, "out"), "out deep");
        assert_eq!(project.read("package-lock.json"), lock);
    }
}

#[test]
fn each_install_into_an_empty_tree_copies_the_folder_as_it_is() {
    let registry = registry();
    let project = project(&registry).create();
    let again = || {
        project.remove("node_modules");
        crate::harness::dx_with_prepared_trees(&project, ["ci"]);
        required(&project, "out")
    };
    crate::harness::dx_with_prepared_trees(&project, ["install"]);
    assert_eq!((again(), again()), ("out deep".to_owned(), "out deep".to_owned()));
    project.write("../deep/index.js", "module.exports = 'changed'");
    assert_eq!(again(), "out changed");
    // The copy and the folder share nothing.
    std::fs::write(project.path().join("node_modules/deep/index.js"), "module.exports = 0").ok();
    assert!(project.read("../deep/index.js").contains("changed"));
}

#[test]
fn folders_of_the_project_and_workspaces_stay_links() {
    let registry = Registry::start();
    let project = Project::new(&registry)
        .user_npmrc("install-links=true")
        .field("workspaces", json!(["w"]))
        .dep("inside", "file:./inside")
        .dep("bare", "file:inside")
        .file("w/package.json", r#"{"name":"w","version":"1.0.0"}"#)
        .file("inside/package.json", r#"{"name":"inside","version":"1.0.0"}"#)
        .create();
    ok(&project, ["install"]);
    assert_eq!(
        locked(&project, "node_modules/inside"),
        json!({"resolved": "inside", "link": true})
    );
    assert_eq!(locked(&project, "node_modules/w")["link"], json!(true));
    // npm's rule: only a path that is written with a dot is one of the project.
    assert_eq!(
        locked(&project, "node_modules/bare"),
        json!({"name": "inside", "version": "1.0.0", "resolved": "file:inside"})
    );
    let lock = project.read("package-lock.json");
    ok(&project, ["install"]);
    ok(&project, ["ci"]);
    assert_eq!(project.read("package-lock.json"), lock);
}

#[test]
fn setting_turned_on_and_off_changes_link_and_copy() {
    let registry = registry();
    let project = project(&registry).create();
    let link = project.path().join("node_modules/out");
    for (setting, is_link) in [("false", true), ("true", false), ("false", true)] {
        std::fs::write(project.home().join(".npmrc"), format!("install-links={setting}\n"))
            .unwrap();
        ok(&project, ["install"]);
        assert_eq!(link.is_symlink(), is_link, "{setting}");
        assert_eq!(locked(&project, "node_modules/out")["link"].is_null(), !is_link);
        // As with npm, what a linked folder outside requires is left to that folder.
        assert_eq!(project.exists("node_modules/deep"), !is_link);
    }
    assert!(project.exists("../out/secret.txt"), "the folder itself stays");
}

#[test]
fn copies_are_allowed_as_allow_directory_says() {
    let registry = registry();
    for (setting, is_allowed) in [("none", false), ("root", false), ("all", true)] {
        let project = project(&registry).npmrc(&format!("allow-directory={setting}")).create();
        if is_allowed {
            ok(&project, ["install"]);
            project.write(".npmrc", "allow-directory=none\n");
            fails(dx(&project, ["ci"]), "DX_SOURCE_NOT_ALLOWED");
            continue;
        }
        let stderr = fails(dx(&project, ["install"]), "DX_SOURCE_NOT_ALLOWED");
        assert!(stderr.contains(&format!("allow-directory={setting}")), "{stderr}");
        assert!(!project.exists("node_modules"));
    }
}

#[test]
fn missing_folder_is_an_error_and_prepare_is_named() {
    let registry = registry();
    let missing = Project::new(&registry)
        .user_npmrc("install-links=true")
        .dep("out", "file:../no-such-folder")
        .create();
    fails(dx(&missing, ["install"]), "DX_NO_FOLDER");
    let manifest = json!({"name": "out", "version": "1.0.0", "scripts": {"prepare": "exit 1"}});
    let project = project(&registry).file("../out/package.json", manifest.to_string()).create();
    let run = ok(&project, ["install"]);
    assert!(run.stderr.contains("its script prepare was not run"), "{run}");
    assert_eq!(locked(&project, "node_modules/out")["integrity"], Value::Null);
}

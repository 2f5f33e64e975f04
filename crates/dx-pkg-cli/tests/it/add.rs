//! `dx install <package>` and `dx remove`: changes of the manifest, lockfile and tree.

use dx_pkg_testkit::{Project, Registry};
use serde_json::json;

use crate::harness::{dx, fails, files, locked, locked_version, ok, required};

fn registry() -> Registry {
    let registry = Registry::start();
    registry.package("a", "1.0.0").publish();
    registry.package("a", "1.2.0").dep("b", "1").publish();
    registry.package("a", "2.0.0-beta.1").publish();
    registry.dist_tag("a", "latest", "1.2.0");
    registry.dist_tag("a", "next", "2.0.0-beta.1");
    registry.package("b", "1.0.0").publish();
    registry.package("z", "0.3.1").publish();
    registry
}

#[test]
fn each_way_of_adding_saves_as_npm_does() {
    // Arguments, then the section and the requirement that npm 12 writes for them.
    let cases: [(&[&str], &str, &str, &str); 17] = [
        (&["a"], "dependencies", "a", "^1.2.0"),
        (&["a@1.0.0"], "dependencies", "a", "^1.0.0"),
        (&["a@^1"], "dependencies", "a", "^1.2.0"),
        (&["a@~1.0.0"], "dependencies", "a", "~1.0.0"),
        (&["a@1.x <1.2.0"], "dependencies", "a", "1.x <1.2.0"),
        (&["a@*"], "dependencies", "a", "^1.2.0"),
        (&["a@next"], "dependencies", "a", "^2.0.0-beta.1"),
        (&["a@latest"], "dependencies", "a", "^1.2.0"),
        (&["z"], "dependencies", "z", "^0.3.1"),
        (&["x@npm:a"], "dependencies", "x", "npm:a@^1.2.0"),
        (&["x@npm:a@1"], "dependencies", "x", "npm:a@^1.2.0"),
        (&["x@npm:a@1.0.0"], "dependencies", "x", "npm:a@^1.0.0"),
        (&["-D", "a"], "devDependencies", "a", "^1.2.0"),
        (&["-O", "a"], "optionalDependencies", "a", "^1.2.0"),
        (&["--save-peer", "a"], "peerDependencies", "a", "^1.2.0"),
        (&["-E", "a"], "dependencies", "a", "1.2.0"),
        (&["-E", "a@^1"], "dependencies", "a", "1.2.0"),
    ];
    let registry = registry();
    for (arguments, section, name, spec) in cases {
        let project = Project::new(&registry).create();
        crate::harness::command(&project).args(["install"]).args(arguments).run().success();
        let manifest = project.json("package.json");
        assert_eq!(manifest[section], json!({ name: spec }), "{arguments:?}: {manifest}");
        assert_eq!(locked(&project, "")[section], json!({ name: spec }), "{arguments:?}");
        let version = locked_version(&project, &format!("node_modules/{name}"));
        let real = if name == "x" { "a" } else { name };
        assert_eq!(required(&project, name), format!("{real}@{version}"), "{arguments:?}");
    }
}

#[test]
fn add_is_another_name_of_install() {
    let registry = registry();
    let project = Project::new(&registry).create();
    ok(&project, ["add", "a", "z"]);
    assert_eq!(project.json("package.json")["dependencies"], json!({"a": "^1.2.0", "z": "^0.3.1"}));
}

#[test]
fn alias_is_locked_with_the_real_name() {
    let registry = registry();
    let project = Project::new(&registry).create();
    ok(&project, ["install", "x@npm:a@1.0.0"]);
    let entry = locked(&project, "node_modules/x");
    assert_eq!((&entry["name"], &entry["version"]), (&json!("a"), &json!("1.0.0")));
}

#[test]
fn save_prefix_and_save_exact_are_obeyed() {
    let registry = registry();
    let project = Project::new(&registry).npmrc("save-prefix=~").create();
    ok(&project, ["install", "a"]);
    assert_eq!(project.json("package.json")["dependencies"]["a"], "~1.2.0");
    let project = Project::new(&registry).npmrc("save-exact=true").create();
    ok(&project, ["install", "a"]);
    assert_eq!(project.json("package.json")["dependencies"]["a"], "1.2.0");
}

#[test]
fn package_moves_between_sections() {
    let registry = registry();
    let project = Project::new(&registry).dep("a", "^1.0.0").create();
    ok(&project, ["install", "-D", "a"]);
    let manifest = project.json("package.json");
    assert_eq!(manifest["devDependencies"], json!({"a": "^1.2.0"}));
    assert!(manifest.get("dependencies").is_none(), "{manifest}");
    assert_eq!(locked(&project, "node_modules/a")["dev"], true);
    assert_eq!(locked(&project, "node_modules/b")["dev"], true);
    ok(&project, ["install", "-P", "a"]);
    let manifest = project.json("package.json");
    assert_eq!(manifest["dependencies"], json!({"a": "^1.2.0"}));
    assert!(manifest.get("devDependencies").is_none(), "{manifest}");
    assert!(locked(&project, "node_modules/b")["dev"].is_null());
}

#[test]
fn package_stays_in_its_section_unless_told_otherwise() {
    let registry = registry();
    let project = Project::new(&registry).dev("a", "1.0.0").create();
    ok(&project, ["install", "a@latest"]);
    let manifest = project.json("package.json");
    assert_eq!(manifest["devDependencies"], json!({"a": "^1.2.0"}));
    assert!(manifest.get("dependencies").is_none());
}

#[test]
fn no_save_installs_and_writes_neither_manifest_nor_lockfile() {
    let registry = registry();
    let project = Project::new(&registry).dep("z", "*").create();
    ok(&project, ["install"]);
    let (manifest, lock) = (project.read("package.json"), project.read("package-lock.json"));
    ok(&project, ["install", "--no-save", "a"]);
    assert_eq!(required(&project, "a"), "a@1.2.0");
    assert_eq!((project.read("package.json"), project.read("package-lock.json")), (manifest, lock));
    ok(&project, ["install"]);
    assert!(!project.exists("node_modules/a"), "what is in no manifest is not kept");
}

#[test]
fn remove_takes_a_package_and_its_exclusive_dependencies() {
    let registry = registry();
    let project = Project::new(&registry).dep("a", "^1.2.0").dep("z", "*").create();
    ok(&project, ["install"]);
    let run = ok(&project, ["remove", "a"]);
    assert!(run.stdout.contains("Removed 2 packages ("), "{run}");
    assert_eq!(project.json("package.json")["dependencies"], json!({"z": "*"}));
    assert_eq!(project.installed().into_keys().collect::<Vec<_>>(), ["node_modules/z"]);
    let lock = project.json("package-lock.json");
    assert_eq!(
        lock["packages"].as_object().unwrap().keys().collect::<Vec<_>>(),
        ["", "node_modules/z"]
    );
    ok(&project, ["rm", "z"]);
    assert!(project.json("package.json").get("dependencies").is_none());
    assert!(project.installed().is_empty());
}

#[test]
fn removing_an_unknown_package_changes_nothing() {
    let registry = registry();
    let project = Project::new(&registry).dep("z", "*").create();
    ok(&project, ["install"]);
    let before = (project.read("package.json"), project.read("package-lock.json"));
    ok(&project, ["remove", "a"]);
    assert_eq!((project.read("package.json"), project.read("package-lock.json")), before);
}

#[test]
fn flags_that_npm_takes_are_taken_when_removing() {
    let registry = registry();
    for flag in ["-D", "--save-dev", "-S", "--save", "-P", "-O"] {
        let project = Project::new(&registry).dev("a", "^1.2.0").create();
        ok(&project, ["install"]);
        ok(&project, ["remove", flag, "a"]);
        assert!(project.json("package.json").get("devDependencies").is_none(), "{flag}");
    }
    let project = Project::new(&registry).create();
    ok(&project, ["install", "--save", "a"]);
    assert_eq!(project.json("package.json")["dependencies"], json!({"a": "^1.2.0"}));
}

#[test]
fn removing_without_saving_leaves_manifest_and_lockfile() {
    let registry = registry();
    let project = Project::new(&registry).dep("a", "^1.2.0").create();
    ok(&project, ["install"]);
    let before = (project.read("package.json"), project.read("package-lock.json"));
    ok(&project, ["remove", "--no-save", "a"]);
    assert!(!project.exists("node_modules/a"));
    assert_eq!((project.read("package.json"), project.read("package-lock.json")), before);
    ok(&project, ["install"]);
    assert_eq!(required(&project, "a"), "a@1.2.0");
}

#[test]
fn adding_in_a_folder_without_a_manifest_makes_one() {
    let registry = registry();
    let project = Project::new(&registry).create();
    project.remove("package.json");
    ok(&project, ["add", "z"]);
    assert_eq!(
        project.read("package.json"),
        "{\n  \"dependencies\": {\n    \"z\": \"^0.3.1\"\n  }\n}\n"
    );
    assert_eq!(required(&project, "z"), "z@0.3.1");
    ok(&project, ["ci"]);
}

#[test]
fn failed_adding_in_a_folder_without_a_manifest_makes_none() {
    let registry = registry();
    let project = Project::new(&registry).create();
    project.remove("package.json");
    fails(dx(&project, ["add", "nowhere"]), "DX_PACKAGE_NOT_FOUND");
    fails(dx(&project, ["remove", "z"]), "DX_NO_MANIFEST");
    assert!(!project.exists("package.json"));
}

#[test]
fn licence_stays_when_a_package_is_added_again() {
    let registry = registry();
    registry.package("free", "1.0.0").field("license", "MIT").publish();
    let project = Project::new(&registry).dep("free", "1").create();
    ok(&project, ["install"]);
    let before = locked(&project, "node_modules/free");
    assert_eq!(before["license"], "MIT");
    ok(&project, ["install", "free@^1.0.0"]);
    assert_eq!(locked(&project, "node_modules/free"), before);
}

#[test]
fn adding_an_unknown_package_changes_nothing() {
    let registry = registry();
    let project = Project::new(&registry).dep("z", "*").create();
    ok(&project, ["install"]);
    let before = files(&project);
    fails(dx(&project, ["install", "nowhere"]), "DX_PACKAGE_NOT_FOUND");
    let stderr = fails(dx(&project, ["install", "a@9"]), "DX_NO_MATCHING_VERSION");
    assert!(stderr.contains("1.2.0"), "the versions there are: {stderr}");
    fails(dx(&project, ["install", "a@no-such-tag"]), "DX_NO_MATCHING_VERSION");
    assert_eq!(files(&project), before);
}

#[test]
fn invalid_names_are_refused_before_any_request() {
    let registry = registry();
    for name in ["../a", "a/../b", "@s/../../x", ".bin", "node_modules", "a\u{0}b", "A b"] {
        if name.contains('\u{0}') {
            continue; // No argument can hold it.
        }
        let project = Project::new(&registry).create();
        let before = files(&project);
        let run = dx(&project, ["install", name]);
        assert_eq!(run.status, Some(1), "{name:?}: {run}");
        assert_eq!(files(&project), before, "{name:?}");
    }
    assert_eq!(registry.requests().len(), 0);
}

#[test]
fn manifest_keeps_its_formatting() {
    let registry = registry();
    let cases = [
        // Tabs.
        (
            "{\n\t\"name\": \"p\",\n\t\"dependencies\": {\n\t\t\"z\": \"*\"\n\t},\n\t\"private\": true\n}\n",
            "{\n\t\"name\": \"p\",\n\t\"dependencies\": {\n\t\t\"a\": \"^1.2.0\",\n\t\t\"z\": \"*\"\n\t},\n\t\"private\": true\n}\n",
        ),
        // Windows line ends.
        (
            "{\r\n  \"name\": \"p\",\r\n  \"dependencies\": {\r\n    \"z\": \"*\"\r\n  }\r\n}\r\n",
            "{\r\n  \"name\": \"p\",\r\n  \"dependencies\": {\r\n    \"a\": \"^1.2.0\",\r\n    \"z\": \"*\"\r\n  }\r\n}\r\n",
        ),
        // No line end at the end, four spaces.
        (
            "{\n    \"dependencies\": {\n        \"z\": \"*\"\n    },\n    \"name\": \"p\"\n}",
            "{\n    \"dependencies\": {\n        \"a\": \"^1.2.0\",\n        \"z\": \"*\"\n    },\n    \"name\": \"p\"\n}",
        ),
    ];
    for (before, after) in cases {
        let project = Project::new(&registry).package_json(before).create();
        ok(&project, ["install", "a"]);
        assert_eq!(project.read("package.json"), after);
        ok(&project, ["remove", "a"]);
        assert_eq!(project.read("package.json"), before);
    }
}

#[test]
fn install_without_arguments_never_writes_the_manifest() {
    let registry = registry();
    let text = "{\"dependencies\":   {\"z\":\"*\",\n\"a\":\"1\"}}";
    let project = Project::new(&registry).package_json(text).create();
    ok(&project, ["install"]);
    assert_eq!(project.read("package.json"), text);
}

#[test]
fn local_folder_is_added_as_a_link() {
    let registry = registry();
    let project = Project::new(&registry)
        .file("lib/package.json", r#"{"name":"lib","version":"3.0.0","dependencies":{"b":"1"}}"#)
        .file("lib/index.js", "module.exports = 'lib with ' + require('b')")
        .create();
    ok(&project, ["install", "./lib"]);
    assert_eq!(project.json("package.json")["dependencies"], json!({"lib": "file:lib"}));
    assert_eq!(locked(&project, "node_modules/lib"), json!({"resolved": "lib", "link": true}));
    assert_eq!(locked_version(&project, "lib"), "3.0.0");
    assert!(project.path().join("node_modules/lib").is_symlink());
    assert_eq!(required(&project, "lib"), "lib with b@1.0.0");
}

#[test]
fn local_folder_without_a_manifest_has_to_be_named() {
    let registry = Registry::start();
    let project = Project::new(&registry).create();
    project.write("lib/index.js", "");
    let before = project.read("package.json");
    fails(dx(&project, ["add", "./lib"]), "DX_NO_FOLDER");
    fails(dx(&project, ["add", "./missing"]), "DX_NO_FOLDER");
    project.write("broken/package.json", "{");
    assert!(dx(&project, ["add", "./broken"]).failure().stderr.contains("broken/package.json"));
    assert_eq!(project.read("package.json"), before);
    ok(&project, ["add", "lib@./lib"]);
    assert_eq!(project.json("package.json")["dependencies"]["lib"], "file:lib");
}

#[test]
fn local_folder_is_relative_to_the_folder_of_dash_c() {
    let registry = registry();
    let project = Project::new(&registry)
        .file("lib/package.json", r#"{"name":"the-lib","version":"3.0.0"}"#)
        .create();
    let other_folder = project.home();
    let run = crate::harness::command(&project)
        .current_dir(&other_folder)
        .args(["-C", "../project", "add", "./lib"])
        .run();
    run.success();
    assert_eq!(project.json("package.json")["dependencies"], json!({"the-lib": "file:lib"}));
}

#[test]
fn sources_that_are_not_allowed_or_missing_are_errors() {
    let registry = registry();
    for (spec, code) in [
        ("https://127.0.0.1:1/x.tgz", "DX_SOURCE_NOT_ALLOWED"),
        ("git+https://127.0.0.1:1/x.git", "DX_SOURCE_NOT_ALLOWED"),
        ("user/repository", "DX_SOURCE_NOT_ALLOWED"),
        ("./x.tgz", "DX_IO"),
    ] {
        let project = Project::new(&registry).create();
        let before = files(&project);
        fails(dx(&project, ["install", spec]), code);
        assert_eq!(files(&project), before);
    }
}

#[test]
fn adding_in_a_frozen_project_is_refused() {
    let registry = registry();
    let project = Project::new(&registry).dep("z", "*").create();
    ok(&project, ["install"]);
    let before = files(&project);
    fails(dx(&project, ["install", "--frozen-lockfile", "a"]), "DX_LOCKFILE_OUT_OF_DATE");
    assert_eq!(files(&project), before);
}

#[test]
fn a_tag_is_the_version_that_it_names() {
    let registry = Registry::start();
    for version in ["1.0.0", "1.2.0", "3.0.0", "4.0.0-beta.1"] {
        registry.package("a", version).publish();
    }
    registry.dist_tag("a", "latest", "3.0.0");
    registry.dist_tag("a", "next", "4.0.0-beta.1");
    registry.package("d", "1.0.0").peer("a", "^1.0.0").publish();
    // Already there: for the peer only, or for the project too.
    for present in [json!({"d": "1"}), json!({"a": "^1.0.0", "d": "1"})] {
        for flag in ["--solve", "--no-solve"] {
            let project = Project::new(&registry).field("dependencies", present.clone()).create();
            ok(&project, ["install"]);
            assert_eq!(required(&project, "a"), "a@1.2.0");
            ok(&project, ["add", "a@latest", flag]);
            assert_eq!(required(&project, "a"), "a@3.0.0");
            assert_eq!(project.json("package.json")["dependencies"]["a"], "^3.0.0");
            ok(&project, ["add", "a@next", "-E", flag]);
            assert_eq!(required(&project, "a"), "a@4.0.0-beta.1");
            ok(&project, ["add", "x@npm:a@latest", flag]);
            assert_eq!(project.json("package.json")["dependencies"]["x"], "npm:a@^3.0.0");
        }
    }
    let project = Project::new(&registry).create();
    fails(dx(&project, ["add", "a@nothing"]), "DX_NO_MATCHING_VERSION");
    fails(dx(&project, ["add", "nothing@latest"]), "DX_PACKAGE_NOT_FOUND");
    fails(dx(&project, ["add", "d@latest", "--offline"]), "DX_OFFLINE");
}

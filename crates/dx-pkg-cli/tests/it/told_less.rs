//! Lockfiles that hands, merges, other tools and old versions of npm have left with less than they
//! should say, or with it in another form.

use dx_pkg_testkit::{Project, Registry};
use serde_json::{Value, json};

use crate::harness::{dx, ok};
use crate::incomplete::{base, entry, locked, project, version_3};

/// Publishes a tool with a command, and what it depends on.
fn registry() -> Registry {
    let registry = Registry::start();
    registry
        .package("tool", "1.0.0")
        .bin("tool", "index.js")
        .dep("helper", "^1.0.0")
        .file("index.js", "#!/usr/bin/env node\n")
        .publish();
    registry.package("helper", "1.0.0").publish();
    registry.package("helper", "1.1.0").publish();
    registry
}

fn tool() -> Value {
    json!({"tool": "^1.0.0"})
}

fn version_1(registry: &Registry, members: &Value) -> Project {
    let address = |name: &str| format!("{}{name}/-/{name}-1.0.0.tgz", base(registry));
    let one = |name: &str, more: Value| {
        let mut entry = json!({
            "resolved": address(name), "integrity": registry.integrity(name, "1.0.0"),
        });
        let object = entry.as_object_mut().unwrap();
        object.extend(members.as_object().unwrap().clone());
        object.extend(more.as_object().unwrap().clone());
        entry
    };
    let lock = json!({
        "name": "app", "version": "1.0.0", "lockfileVersion": 1, "requires": true,
        "dependencies": {
            "helper": one("helper", json!({})),
            "tool": one("tool", json!({"requires": {"helper": "^1.0.0"}})),
        },
    });
    project(registry, &tool(), lock.to_string())
}

#[cfg(unix)]
#[test]
fn version_1_without_usable_versions_installs_what_the_addresses_name() {
    let versions =
        [json!({}), json!({"version": 1}), json!({"version": null}), json!({"version": "latest"})];
    for members in versions {
        for command in ["ci", "install"] {
            let registry = registry();
            let project = version_1(&registry, &members);
            ok(&project, [command]);
            assert!(project.exists("node_modules/.bin/tool"), "{members} {command}");
            let installed = project.json("node_modules/helper/package.json")["version"].clone();
            assert_eq!(installed, "1.0.0", "{members} {command}");
            if command == "install" {
                assert_eq!(locked(&project, "tool")["version"], "1.0.0", "{members}");
                assert_eq!(locked(&project, "tool")["bin"], json!({"tool": "index.js"}));
            }
        }
    }
}

#[test]
fn version_1_with_another_package_at_an_address_keeps_what_it_says_of_it() {
    for command in ["ci", "install"] {
        let registry = registry();
        registry.package("other", "1.0.0").dep("deep", "^1.0.0").publish();
        registry.package("deep", "1.0.0").publish();
        let lost = json!({
            "version": "1.0.0", "resolved": format!("{}other/-/other-1.0.0.tgz", base(&registry)),
            "integrity": registry.integrity("other", "1.0.0"), "requires": {"deep": "^1.0.0"},
        });
        let deep = json!({
            "version": "1.0.0", "resolved": format!("{}deep/-/deep-1.0.0.tgz", base(&registry)),
            "integrity": registry.integrity("deep", "1.0.0"),
        });
        let lock = json!({
            "name": "app", "version": "1.0.0", "lockfileVersion": 1, "requires": true,
            "dependencies": {"tool": lost, "deep": deep},
        });
        let project = project(&registry, &json!({"tool": "1.0.0"}), lock.to_string());
        let said = ok(&project, [command]);
        assert!(said.stderr.contains("tool@1.0.0 with the digest in the lockfile"), "{said}");
        assert_eq!(project.json("node_modules/tool/package.json")["name"], "other", "{command}");
        assert!(project.exists("node_modules/deep") && !project.exists("node_modules/helper"));
        if command == "install" {
            assert_eq!(locked(&project, "tool")["dependencies"], json!({"deep": "^1.0.0"}));
            ok(&project, ["ci"]);
        }
    }
}

#[cfg(unix)]
#[test]
fn fields_in_the_form_of_a_package_json_count() {
    let registry = registry();
    let entries = json!({
        "node_modules/helper": entry(&registry, "helper", json!({"dependencies": [], "dev": 0})),
        "node_modules/tool": entry(&registry, "tool", json!({
            "dependencies": {"helper": "^1.0.0"}, "bin": "index.js",
        })),
    });
    let lock = version_3(&tool(), entries).replace(": 3,", ": \"3\",");
    for command in ["ci", "install"] {
        let project = project(&registry, &tool(), lock.clone());
        ok(&project, [command]);
        assert!(project.exists("node_modules/.bin/tool"), "{command}");
        assert_eq!(project.json("node_modules/helper/package.json")["version"], "1.0.0");
    }
}

#[test]
fn empty_sources_and_digests_are_asked_for() {
    let registry = registry();
    let empty = json!({"resolved": "", "integrity": ""});
    let entries = json!({
        "node_modules/helper": entry(&registry, "helper", empty.clone()),
        "node_modules/tool": entry(&registry, "tool", json!({
            "dependencies": {"helper": "^1.0.0"}, "resolved": "", "integrity": "",
        })),
    });
    let project = project(&registry, &tool(), version_3(&tool(), entries));
    let before = project.read("package-lock.json");
    ok(&project, ["ci"]);
    assert_eq!(project.json("node_modules/helper/package.json")["version"], "1.0.0");
    assert_eq!(project.read("package-lock.json"), before);
}

/// Publishes a package with a lockfile of its own, which wants an older `helper` from elsewhere.
fn with_shrinkwrap(lock: &str) -> Registry {
    let registry = registry();
    registry
        .package("wrapped", "1.0.0")
        .dep("helper", "^1.0.0")
        .registry_field("_hasShrinkwrap", true)
        .file("npm-shrinkwrap.json", lock)
        .publish();
    registry
}

#[test]
fn lockfile_in_a_package_is_not_read() {
    let locks = [
        r#"{"lockfileVersion":1,"dependencies":{"helper":{"version":"1.0.0"}}}"#,
        r#"{"lockfileVersion":2,"packages":{"node_modules/helper":{"version":"1.0.0"}},
            "dependencies":{"helper":{"version":"1.0.0"}}}"#,
        r#"{"lockfileVersion":3,"packages":{"node_modules/helper":{"version":"1.0.0",
            "resolved":"https://elsewhere.example/helper.tgz"},"../../../x":{"version":"1.0.0"}}}"#,
        "{ damaged",
    ];
    for lock in locks {
        let registry = with_shrinkwrap(lock);
        let project = Project::new(&registry).dep("wrapped", "^1.0.0").create();
        ok(&project, ["install"]);
        let version = project.json("node_modules/helper/package.json")["version"].clone();
        assert_eq!(version, "1.1.0", "{lock}");
        assert_eq!(project.read("node_modules/wrapped/npm-shrinkwrap.json"), lock);
        assert!(locked(&project, "wrapped").get("hasShrinkwrap").is_none(), "{lock}");
        ok(&project, ["ci"]);
        assert_eq!(project.json("node_modules/helper/package.json")["version"], "1.1.0");
    }
}

#[test]
fn packages_that_an_old_npm_locked_below_one_with_a_lockfile_stay() {
    let registry = with_shrinkwrap(r#"{"lockfileVersion":1,"dependencies":{}}"#);
    let dependencies = json!({"wrapped": "^1.0.0"});
    let entries = json!({
        "node_modules/wrapped": entry(&registry, "wrapped", json!({
            "hasShrinkwrap": true, "dependencies": {"helper": "^1.0.0"},
        })),
        "node_modules/wrapped/node_modules/helper": entry(&registry, "helper", json!({})),
    });
    for command in ["ci", "install"] {
        let lock = version_3(&dependencies, entries.clone());
        let project = project(&registry, &dependencies, lock.clone());
        ok(&project, [command]);
        let helper = project.json("node_modules/wrapped/node_modules/helper/package.json");
        assert_eq!(helper["version"], "1.0.0", "{command}");
        assert_eq!(project.read("package-lock.json"), lock, "{command}");
        let again = dx(&project, ["install"]).success();
        assert!(again.stdout.contains("up to date"), "{again}");
    }
}

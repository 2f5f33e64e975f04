//! Packages that the project alters: `packageExtensions`, `patchedDependencies`,
//! `.npm-extension`, and lockfiles of version 4.

use dx_pkg_testkit::{Project, ProjectBuilder, Registry, Run};
use serde_json::{Value, json};

use crate::harness::{command, dx, dx_with_prepared_trees, fails, locked, maintain, ok, required};

const CODE: &str = "exports.first = 1;\nexports.value = 'plain';\nexports.last = 1;\n";
const PATCH: &str = "\
diff --git a/index.js b/index.js
index 1111111..2222222 100644
--- a/index.js
+++ b/index.js
@@ -1,3 +1,3 @@
 exports.first = 1;
-exports.value = 'plain';
+exports.value = 'patched';
 exports.last = 1;
";

fn registry() -> Registry {
    let registry = Registry::start();
    for version in ["1.0.0", "1.1.0"] {
        registry.package("a", version).dep("b", "^1.0.0").file("index.js", CODE).publish();
    }
    registry.package("b", "1.0.0").publish();
    registry.package("c", "2.0.0").publish();
    registry
}

fn project(registry: &Registry) -> ProjectBuilder {
    Project::new(registry).dep("a", "1.0.0")
}

fn extended(registry: &Registry) -> Project {
    let rules = json!({ "a@1": { "dependencies": { "c": "^2.0.0" } } });
    project(registry).field("packageExtensions", rules).create()
}

fn patched(registry: &Registry) -> ProjectBuilder {
    project(registry)
        .field("patchedDependencies", json!({ "a@1.0.0": "patches/a.patch" }))
        .file("patches/a.patch", PATCH)
}

fn set(project: &Project, field: &str, value: Value) {
    let mut manifest = project.json("package.json");
    manifest[field] = value;
    project.write("package.json", serde_json::to_string_pretty(&manifest).unwrap());
}

/// Returns what the installed `a` exports.
fn value(project: &Project) -> String {
    let run = project.node("console.log(require('a').value)").success();
    run.stdout.trim().to_owned()
}

fn is_up_to_date(run: &Run) -> bool {
    run.stdout == "Already up to date\n"
}

#[test]
fn an_extension_adds_a_dependency_and_is_recorded_as_npm_does() {
    let registry = registry();
    let project = extended(&registry);
    ok(&project, ["install"]);
    required(&project, "c");
    let lock = project.json("package-lock.json");
    assert_eq!(lock["lockfileVersion"], 4);
    // As in npm, a new lockfile of version 4 has neither name nor version.
    assert_eq!((&lock["name"], &lock["version"]), (&Value::Null, &Value::Null));
    assert!(lock["packages"][""]["packageExtensionsHash"].as_str().unwrap().starts_with("sha512-"));
    let entry = locked(&project, "node_modules/a");
    assert_eq!(entry["dependencies"], json!({ "b": "^1.0.0", "c": "^2.0.0" }));
    let applied = json!({ "dependencies": ["c"], "selector": "a@1" });
    assert_eq!(entry["packageExtensionsApplied"], applied);
    let hidden = project.json("node_modules/.package-lock.json");
    assert_eq!(hidden["lockfileVersion"], 3);
    assert_eq!(hidden["packages"]["node_modules/a"]["packageExtensionsApplied"], applied);
    let text = project.read("package-lock.json");
    assert!(is_up_to_date(&ok(&project, ["install"])));
    ok(&project, ["ci"]);
    project.remove("node_modules");
    ok(&project, ["install", "--offline"]);
    assert_eq!(project.read("package-lock.json"), text);
    required(&project, "c");
}

#[test]
fn a_changed_extension_is_noticed_everywhere() {
    let registry = registry();
    let project = extended(&registry);
    ok(&project, ["install"]);
    set(&project, "packageExtensions", json!({ "a": { "optionalDependencies": { "c": "2" } } }));
    let stderr = fails(dx(&project, ["ci"]), "DX_LOCKFILE_OUT_OF_DATE");
    assert!(stderr.contains("packageExtensions"), "{stderr}");
    fails(dx(&project, ["install", "--frozen-lockfile"]), "DX_LOCKFILE_OUT_OF_DATE");
    ok(&project, ["install"]);
    let entry = locked(&project, "node_modules/a");
    assert_eq!(entry["optionalDependencies"], json!({ "c": "2" }));
    assert_eq!(entry["dependencies"], json!({ "b": "^1.0.0" }));
    assert_eq!(locked(&project, "node_modules/c")["optional"], true);
    // Without rules the package is as published, and the lockfile stays one of version 4.
    let mut manifest = project.json("package.json");
    manifest.as_object_mut().unwrap().remove("packageExtensions");
    project.write("package.json", manifest.to_string());
    fails(dx(&project, ["ci"]), "DX_LOCKFILE_OUT_OF_DATE");
    ok(&project, ["install"]);
    let lock = project.json("package-lock.json");
    assert_eq!(lock["lockfileVersion"], 4);
    assert!(lock["packages"][""].get("packageExtensionsHash").is_none(), "{lock}");
    assert!(lock["packages"]["node_modules/a"].get("packageExtensionsApplied").is_none());
    assert!(!project.exists("node_modules/c"));
    ok(&project, ["ci"]);
    ok(&project, ["add", "c"]);
    assert_eq!(project.json("package-lock.json")["lockfileVersion"], 4);
}

#[test]
fn an_extension_is_added_to_a_project_that_is_in_place() {
    let registry = registry();
    let project = project(&registry).create();
    ok(&project, ["install"]);
    let before = project.json("package-lock.json");
    set(&project, "packageExtensions", json!({ "a": { "peerDependencies": { "c": "2" } } }));
    ok(&project, ["install"]);
    let lock = project.json("package-lock.json");
    assert_eq!((&lock["lockfileVersion"], &lock["name"]), (&json!(4), &before["name"]));
    assert_eq!(locked(&project, "node_modules/c")["peer"], true);
    // Rules for other packages are recorded by their hash only.
    set(&project, "packageExtensions", json!({ "z": { "dependencies": { "c": "2" } } }));
    ok(&project, ["install"]);
    assert!(!project.exists("node_modules/c"));
    let unused = project.json("package-lock.json");
    assert_ne!(unused["packages"][""], lock["packages"][""]);
    ok(&project, ["ci"]);
}

#[test]
fn extensions_that_cannot_be_applied_change_nothing() {
    let registry = registry();
    for rules in [
        json!({ "a": { "dependencies": { "b": "2" } } }),
        json!({ "a": { "dependencies": { "c": "2" } }, "a@^1": {} }),
        json!({ "a": { "peerDependenciesMeta": { "c": { "optional": true } } } }),
        json!({ "a@latest": {} }),
        json!({ "a": { "scripts": {} } }),
        json!([]),
    ] {
        let project = project(&registry).field("packageExtensions", rules.clone()).create();
        fails(dx(&project, ["install"]), "DX_BAD_PACKAGE_EXTENSIONS");
        assert!(!project.exists("node_modules") && !project.exists("package-lock.json"), "{rules}");
    }
}

#[test]
fn a_patch_is_applied_to_one_project_only() {
    let registry = registry();
    let other = project(&registry).create();
    ok(&other, ["install"]);
    let project = patched(&registry).store(other.store()).create();
    ok(&project, ["install"]);
    assert_eq!(value(&project), "patched");
    assert_eq!(value(&other), "plain");
    let third = self::project(&registry).store(other.store()).create();
    ok(&third, ["install"]);
    assert_eq!(value(&third), "plain");
    let lock = project.json("package-lock.json");
    assert_eq!((&lock["lockfileVersion"], lock.get("name")), (&json!(4), None));
    let recorded = json!({
        "integrity": dx_pkg_core::Integrity::sha512_of(PATCH.as_bytes()).to_string(),
        "path": "patches/a.patch"
    });
    assert_eq!(locked(&project, "node_modules/a")["patched"], recorded);
    let hidden = project.json("node_modules/.package-lock.json");
    assert_eq!(hidden["packages"]["node_modules/a"]["patched"], recorded);
    assert!(is_up_to_date(&ok(&project, ["install"])));
    // The patched package is in the store, and is found there.
    registry.stop();
    for args in [["ci", "--offline"], ["install", "--offline"]] {
        project.remove("node_modules");
        ok(&project, args);
        assert_eq!(value(&project), "patched");
    }
    ok(&project, ["store", "verify"]);
}

#[test]
fn a_changed_patch_is_noticed_everywhere() {
    let registry = registry();
    let project = patched(&registry).create();
    ok(&project, ["install"]);
    let again = PATCH.replace("patched", "again");
    project.write("patches/a.patch", &again);
    let stderr = fails(dx(&project, ["ci"]), "DX_LOCKFILE_OUT_OF_DATE");
    assert!(stderr.contains("a@1.0.0"), "{stderr}");
    assert_eq!(value(&project), "patched");
    ok(&project, ["install"]);
    assert_eq!(value(&project), "again");
    ok(&project, ["ci"]);
    assert_eq!(value(&project), "again");
    let mut manifest = project.json("package.json");
    manifest.as_object_mut().unwrap().remove("patchedDependencies");
    project.write("package.json", manifest.to_string());
    fails(dx(&project, ["ci"]), "DX_LOCKFILE_OUT_OF_DATE");
    ok(&project, ["install"]);
    assert_eq!(value(&project), "plain");
    let lock = project.json("package-lock.json");
    assert!(lock["packages"]["node_modules/a"].get("patched").is_none());
    assert_eq!(lock["lockfileVersion"], 4);
}

#[test]
fn prepared_trees_have_their_patches() {
    let registry = registry();
    let project = patched(&registry).create();
    dx_with_prepared_trees(&project, ["install"]);
    for text in [PATCH.to_owned(), PATCH.replace("patched", "again")] {
        project.write("patches/a.patch", &text);
        for _ in 0..3 {
            project.remove("node_modules");
            dx_with_prepared_trees(&project, ["install"]);
            let expected = if text == PATCH { "patched" } else { "again" };
            assert_eq!(value(&project), expected);
        }
    }
    maintain(&project);
    let other = self::project(&registry).store(project.store()).create();
    for _ in 0..2 {
        dx_with_prepared_trees(&other, ["install"]);
        assert_eq!(value(&other), "plain");
        other.remove("node_modules");
    }
}

#[test]
fn patches_that_fit_nowhere_change_nothing() {
    let registry = registry();
    let refused = |patches: Value, code: &str| {
        let project = project(&registry)
            .field("patchedDependencies", patches.clone())
            .file("patches/a.patch", PATCH)
            .file("patches/other.patch", PATCH.replace("last", "least"))
            .create();
        let stderr = fails(dx(&project, ["install"]), code);
        assert!(!project.exists("package-lock.json"), "{patches}");
        assert!(!project.exists("node_modules/a"), "{patches}");
        stderr
    };
    let unused = refused(json!({ "b@9": "patches/a.patch", "z": "x" }), "DX_UNUSED_PATCH");
    assert!(unused.contains("b@9, z"), "{unused}");
    refused(json!({ "a": "patches/none.patch" }), "DX_NO_PATCH_FILE");
    refused(json!({ "a": "../a.patch" }), "DX_BAD_PATCHED_DEPENDENCIES");
    refused(json!({ "a": 1 }), "DX_BAD_PATCHED_DEPENDENCIES");
    let two = json!({ "a@>=1": "patches/a.patch", "a@<2": "patches/a.patch" });
    refused(two, "DX_BAD_PATCHED_DEPENDENCIES");
    let failed = refused(json!({ "a": "patches/other.patch" }), "DX_PATCH_FAILED");
    assert!(failed.contains("patches/other.patch") && failed.contains("hunk 1"), "{failed}");
    assert!(failed.contains("index.js") && failed.contains("a@1.0.0"), "{failed}");
    // Also where the package could be left out.
    let optional = Project::new(&registry)
        .optional("a", "1.0.0")
        .field("patchedDependencies", json!({ "a": "patches/a.patch" }))
        .file("patches/a.patch", PATCH.replace("last", "least"))
        .create();
    fails(dx(&optional, ["install"]), "DX_PATCH_FAILED");
}

#[test]
fn unused_patches_may_be_allowed_and_go_with_their_packages() {
    let registry = registry();
    let patches = json!({ "a@1.0.0": "patches/a.patch", "z": "patches/a.patch" });
    let project = project(&registry)
        .dep("c", "2.0.0")
        .field("patchedDependencies", patches)
        .file("patches/a.patch", PATCH)
        .create();
    ok(&project, ["install", "--allow-unused-patches"]);
    assert_eq!(value(&project), "patched");
    fails(dx(&project, ["ci", "--allow-unused-patches"]), "DX_UNUSED_PATCH");
    set(&project, "patchedDependencies", json!({ "a@1.0.0": "patches/a.patch" }));
    let run = ok(&project, ["remove", "a"]);
    assert!(run.stderr.contains("a@1.0.0 leaves patchedDependencies"), "{run}");
    assert!(project.json("package.json").get("patchedDependencies").is_none());
    assert!(project.exists("patches/a.patch"));
    ok(&project, ["ci"]);
}

#[test]
fn an_archive_has_packages_as_they_are_published() {
    let registry = registry();
    let project = patched(&registry).create();
    ok(&project, ["install", "--no-background"]);
    ok(&project, ["store", "export", "all.dxa"]);
    let other = patched(&registry).create();
    for name in ["all.dxa", "package-lock.json"] {
        std::fs::copy(project.path().join(name), other.path().join(name)).unwrap();
    }
    registry.stop();
    ok(&other, ["store", "import", "all.dxa"]);
    ok(&other, ["ci", "--offline"]);
    assert_eq!(value(&other), "patched");
}

#[test]
fn workspaces_have_no_patches_and_no_extensions() {
    let registry = registry();
    let project = project(&registry)
        .field("workspaces", json!(["w"]))
        .file("w/package.json", r#"{"name":"w","patchedDependencies":{"a":"a.patch"}}"#)
        .create();
    let stderr = fails(dx(&project, ["install"]), "DX_BAD_PATCHED_DEPENDENCIES");
    assert!(stderr.contains("w/package.json"), "{stderr}");
    let project = self::project(&registry)
        .field("workspaces", json!(["w"]))
        .field("packageExtensions", json!({ "w": { "dependencies": { "c": "2" } } }))
        .file("w/package.json", r#"{"name":"w","version":"1.0.0","packageExtensions":{"a":{}}}"#)
        .create();
    let run = ok(&project, ["install"]);
    assert!(run.stderr.contains("\"w\" in packageExtensions does nothing"), "{run}");
    assert!(run.stderr.contains("packageExtensions in w/package.json"), "{run}");
    assert!(!project.exists("node_modules/c"));
}

#[test]
fn a_lockfile_cannot_name_a_patch_outside_the_project() {
    let registry = registry();
    let project = patched(&registry).create();
    ok(&project, ["install", "--lockfile-only"]);
    std::fs::write(project.home().join("a.patch"), PATCH).unwrap();
    let text = project.read("package-lock.json").replace("patches/a.patch", "../home/a.patch");
    project.write("package-lock.json", text);
    fails(dx(&project, ["ci"]), "DX_LOCKFILE_OUT_OF_DATE");
    assert!(!project.exists("node_modules"));
}

#[test]
fn npms_program_is_not_run_and_its_lockfile_is_obeyed() {
    let registry = registry();
    let program = "export function transformManifest (pkg) { return pkg }\n";
    let project = project(&registry).file(".npm-extension.mjs", program).create();
    let stderr = fails(dx(&project, ["install"]), "DX_NPM_EXTENSION");
    assert!(stderr.contains(".npm-extension.mjs"), "{stderr}");
    ok(&project, ["install", "--ignore-scripts"]);
    assert_eq!(project.json("package-lock.json")["lockfileVersion"], 3);
    fails(dx(&project, ["ci"]), "DX_LOCKFILE_OUT_OF_DATE");
    // As npm writes it.
    let hash =
        dx_pkg_core::Integrity::sha512_of(format!("npm-extension:v1:mjs\n{program}").as_bytes());
    let mut lock = project.json("package-lock.json");
    lock["lockfileVersion"] = json!(4);
    lock["packages"][""]["npmExtensionHash"] = hash.to_string().into();
    project.write("package-lock.json", serde_json::to_string_pretty(&lock).unwrap() + "\n");
    let text = project.read("package-lock.json");
    ok(&project, ["ci"]);
    ok(&project, ["install", "--ignore-scripts"]);
    assert_eq!(project.read("package-lock.json"), text);
    project.write(".npm-extension.mjs", format!("{program}// changed\n"));
    let stderr = fails(dx(&project, ["ci"]), "DX_LOCKFILE_OUT_OF_DATE");
    assert!(stderr.contains(".npm-extension"), "{stderr}");
    project.write(".npm-extension.cjs", program);
    fails(dx(&project, ["ci"]), "DX_NPM_EXTENSION");
}

#[test]
fn a_patch_is_applied_in_continuous_integration() {
    let registry = registry();
    let project = patched(&registry).create();
    ok(&project, ["install", "--lockfile-only"]);
    for _ in 0..2 {
        command(&project).env("CI", "1").args(["ci"]).run().success();
        assert_eq!(value(&project), "patched");
    }
}

#[test]
fn an_accepted_version_stays_in_place() {
    let registry = registry();
    registry.package("b", "1.2.0").publish();
    let project = Project::new(&registry).dep("b", "1.0.0").create();
    ok(&project, ["install"]);
    set(&project, "acceptDependencies", json!({ "b": "1.0.0" }));
    set(&project, "dependencies", json!({ "b": "1.2.0" }));
    ok(&project, ["install"]);
    assert_eq!(locked(&project, "node_modules/b")["version"], "1.0.0");
    ok(&project, ["ci"]);
    set(&project, "acceptDependencies", json!({ "b": "0.9.0" }));
    fails(dx(&project, ["ci"]), "DX_LOCKFILE_OUT_OF_DATE");
    ok(&project, ["install"]);
    assert_eq!(locked(&project, "node_modules/b")["version"], "1.2.0");
}

/// Describes a project of pnpm with these settings.
fn of_pnpm(registry: &Registry, version: &str, settings: Value) -> ProjectBuilder {
    project(registry).field("packageManager", format!("pnpm@{version}")).field("pnpm", settings)
}

#[test]
fn the_fields_of_pnpm_count_for_a_pnpm_that_reads_them() {
    let registry = registry();
    let settings = json!({
        "packageExtensions": {
            "a": { "dependencies": { "b": "9", "c": "^2.0.0" } }, "a@1": { "dependencies": { "c": "1" } }
        },
        "patchedDependencies": { "a": "patches/a.patch", "z": "patches/a.patch" },
        "allowUnusedPatches": true
    });
    let create = |version| {
        of_pnpm(&registry, version, settings.clone()).file("patches/a.patch", PATCH).create()
    };
    let project = create("9.1.0");
    let run = ok(&project, ["install"]);
    assert!(!run.stderr.contains("dx does not carry out"), "{run}");
    assert_eq!(value(&project), "patched");
    let dependencies = json!({ "b": "^1.0.0", "c": "^2.0.0" });
    assert_eq!(locked(&project, "node_modules/a")["dependencies"], dependencies);
    ok(&project, ["ci"]);
    let project = create("12.1.0");
    let run = ok(&project, ["install"]);
    assert!(run.stderr.contains("pnpm.packageExtensions"), "{run}");
    assert_eq!(value(&project), "plain");
}

#[test]
fn exceptions_of_pnpm_are_obeyed() {
    let registry = registry();
    registry.package("c", "1.0.0").publish();
    registry.package("wants", "1.0.0").peer("c", "^1.0.0").optional("left", "1").publish();
    registry.package("left", "1.0.0").publish();
    let settings = json!({
        "peerDependencyRules": { "allowedVersions": { "wants>c": "2" } },
        "ignoredOptionalDependencies": ["le*"]
    });
    let other = Project::new(&registry).dep("wants", "1.0.0").dep("c", "2.0.0").create();
    let run = ok(&other, ["install"]);
    assert!(run.stderr.contains("wants") && other.exists("node_modules/left"), "{run}");
    let project =
        of_pnpm(&registry, "10.0.0", settings).dep("wants", "1.0.0").dep("c", "2.0.0").create();
    let run = ok(&project, ["install", "--strict-peer-deps"]);
    assert_eq!(run.stderr.lines().count(), 1, "{run}");
    assert!(run.stderr.contains("dx takes its place"), "{run}");
    assert!(!project.exists("node_modules/left"));
    ok(&project, ["ci"]);
    assert!(!project.exists("node_modules/left"));
    let odd = json!({ "ignoredOptionalDependencies": "left" });
    let project = of_pnpm(&registry, "10.0.0", odd).create();
    fails(dx(&project, ["install"]), "DX_BAD_PNPM_SETTINGS");
}

#[test]
fn packages_for_further_platforms_are_installed() {
    let registry = registry();
    registry.package("there", "1.0.0").os(["aix"]).publish();
    registry.package("nowhere", "1.0.0").os(["haiku"]).publish();
    let settings = json!({ "supportedArchitectures": { "os": ["aix", "current"] } });
    let names = ["there", "nowhere"];
    let project = names
        .into_iter()
        .fold(of_pnpm(&registry, "9.0.0", settings), |project, name| project.optional(name, "1"))
        .create();
    for _ in 0..2 {
        ok(&project, ["install"]);
        assert!(project.exists("node_modules/there") && !project.exists("node_modules/nowhere"));
        ok(&project, ["ci"]);
        assert!(project.exists("node_modules/there") && !project.exists("node_modules/nowhere"));
        project.remove("node_modules");
    }
}

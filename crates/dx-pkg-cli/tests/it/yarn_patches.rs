//! Yarn's `patch:` requirements, patches that do not fit, and what else of patches differs by
//! where a package comes from.

use dx_pkg_testkit::{Project, ProjectBuilder, Registry};
use serde_json::{Value, json};

use crate::harness::{dx, fails, locked, ok};

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
const FILE: &str = ".yarn/patches/a.patch";

fn registry() -> Registry {
    let registry = Registry::start();
    for version in ["1.0.0", "1.1.0", "2.0.0"] {
        registry.package("a", version).file("index.js", CODE).publish();
    }
    registry.package("b", "1.0.0").dep("a", "^1.0.0").publish();
    registry.package("c", "1.0.0").dep("a", "^2.0.0").publish();
    registry
}

fn yarn(registry: &Registry) -> ProjectBuilder {
    Project::new(registry).field("packageManager", "yarn@4.10.0").file(FILE, PATCH)
}

/// Returns what the installed `package` exports.
fn value(project: &Project, package: &str) -> String {
    let run = project.node(&format!("console.log(require('{package}').value)")).success();
    run.stdout.trim().to_owned()
}

fn set(project: &Project, edit: impl FnOnce(&mut Value)) {
    let mut manifest = project.json("package.json");
    edit(&mut manifest);
    project.write("package.json", serde_json::to_string_pretty(&manifest).unwrap());
}

/// Installs twice and with `ci`: the lockfile stays, and there is nothing to do.
#[track_caller]
fn round_trip(project: &Project) {
    ok(project, ["install"]);
    let lockfile = project.read("package-lock.json");
    assert_eq!(ok(project, ["install"]).stdout, "Already up to date\n");
    ok(project, ["ci"]);
    project.remove("node_modules");
    ok(project, ["install"]);
    assert_eq!(project.read("package-lock.json"), lockfile);
}

#[test]
fn a_patch_is_applied_in_every_form_that_yarn_writes() {
    let registry = registry();
    for (name, spec) in [
        ("a", "patch:a@npm:1.0.0#./.yarn/patches/a.patch"),
        ("a", "patch:a@npm%3A1.0.0#~/.yarn/patches/a.patch"),
        ("a", "patch:a@^1.0.0#./.yarn/patches/a.patch"),
        ("a", "patch:a@npm:1.0.0#optional!./.yarn/patches/a.patch"),
        ("my", "patch:a@npm:1.0.0#./.yarn/patches/a.patch"),
    ] {
        let project = yarn(&registry).dep(name, spec).create();
        round_trip(&project);
        assert_eq!(value(&project, name), "patched", "{spec}");
        let lockfile = project.json("package-lock.json");
        assert_eq!(lockfile["lockfileVersion"], 4);
        assert_eq!(lockfile["packages"][""]["dependencies"][name], spec);
        let entry = locked(&project, &format!("node_modules/{name}"));
        assert_eq!(entry["patched"]["path"], FILE, "{spec}");
    }
    // Whatever the project belongs to: no other manager means anything else by it.
    let spec = "patch:a@npm:1.0.0#./.yarn/patches/a.patch";
    let project = Project::new(&registry).dep("a", spec).file(FILE, PATCH).create();
    round_trip(&project);
    assert_eq!(value(&project, "a"), "patched");
}

#[test]
fn resolutions_overrides_catalogs_and_workspaces_have_patches() {
    let registry = registry();
    let patch = "patch:a@npm%3A1.1.0#~/.yarn/patches/a.patch";
    let by_range = json!({ "a@npm:^1.0.0": patch });
    let project = yarn(&registry).dep("b", "1.0.0").dep("c", "1.0.0");
    let project = project.field("resolutions", by_range).create();
    round_trip(&project);
    let patched = |path: &str| locked(&project, path)["patched"]["path"] == FILE;
    assert!(patched("node_modules/a") && !patched("node_modules/c/node_modules/a"));
    assert_eq!(locked(&project, "node_modules/a")["version"], "1.1.0");
    assert_eq!(value(&project, "a"), "patched");

    let overrides = json!({ "a": patch });
    let project = Project::new(&registry).file(FILE, PATCH).dep("b", "1.0.0");
    let project = project.field("overrides", overrides).create();
    round_trip(&project);
    assert_eq!(value(&project, "a"), "patched");

    let catalog = format!("catalog:\n  a: patch:a@npm:1.1.0#./{FILE}\n");
    let member = |spec: &str| json!({ "name": "w", "dependencies": { "a": spec } }).to_string();
    for (spec, file) in [
        ("catalog:", FILE),
        ("patch:a@npm:1.1.0#../../.yarn/patches/a.patch", FILE),
        ("patch:a@npm:1.1.0#./own.patch", "packages/w/own.patch"),
        ("patch:a@npm:1.1.0#~/.yarn/patches/a.patch", FILE),
    ] {
        let project = yarn(&registry)
            .field("workspaces", json!(["packages/*"]))
            .file(".yarnrc.yml", catalog.as_bytes())
            .file("packages/w/package.json", member(spec))
            .file("packages/w/own.patch", PATCH)
            .create();
        round_trip(&project);
        assert_eq!(locked(&project, "node_modules/a")["patched"]["path"], file, "{spec}");
        assert_eq!(value(&project, "a"), "patched", "{spec}");
    }
}

#[test]
fn a_change_of_the_patch_is_noticed() {
    let registry = registry();
    let spec = format!("patch:a@npm:1.0.0#./{FILE}");
    let project = yarn(&registry).dep("a", &spec).create();
    ok(&project, ["install"]);
    project.write(FILE, PATCH.replace("'patched'", "'again'"));
    fails(dx(&project, ["ci"]), "DX_LOCKFILE_OUT_OF_DATE");
    ok(&project, ["install"]);
    assert_eq!(value(&project, "a"), "again");
    ok(&project, ["add", "b"]);
    assert_eq!(value(&project, "a"), "again");
    set(&project, |manifest| manifest["dependencies"]["a"] = "1.0.0".into());
    ok(&project, ["install"]);
    assert_eq!(value(&project, "a"), "plain");
    assert!(locked(&project, "node_modules/a").get("patched").is_none());
}

#[test]
fn add_takes_a_patch() {
    let registry = registry();
    let spec = format!("patch:a@npm:1.0.0#./{FILE}");
    for argument in [format!("a@{spec}"), spec.clone()] {
        let project = yarn(&registry).create();
        ok(&project, ["add", &argument]);
        assert_eq!(project.json("package.json")["dependencies"]["a"], spec);
        assert_eq!(value(&project, "a"), "patched");
        assert_eq!(ok(&project, ["install"]).stdout, "Already up to date\n");
        project.write(FILE, PATCH.replace("'patched'", "'again'"));
        ok(&project, ["install"]);
        assert_eq!(value(&project, "a"), "again");
        ok(&project, ["remove", "a"]);
    }
}

#[test]
fn patches_that_yarn_brings_are_left_out_with_a_word() {
    let registry = registry();
    let spec = "patch:a@npm%3A^1.0.0#optional!builtin<compat/a>";
    let project = yarn(&registry).dep("a", spec).create();
    let run = ok(&project, ["install"]);
    assert!(run.stderr.contains("a is installed without yarn's builtin patch compat/a"), "{run}");
    assert_eq!(value(&project, "a"), "plain");
    assert_eq!(ok(&project, ["install"]).stdout, "Already up to date\n");
}

#[test]
fn a_patch_that_is_missing_or_elsewhere_or_does_not_fit_is_an_error() {
    let registry = registry();
    let other = PATCH.replace("last", "least");
    for (spec, code, said) in [
        ("patch:a@npm:1.0.0#./no.patch", "DX_NO_PATCH_FILE", "no.patch, the patch for a,"),
        ("patch:a@npm:1.0.0#../a.patch", "DX_BAD_PATCHED_DEPENDENCIES", "outside of the project"),
        ("patch:a@npm:1.0.0", "DX_INVALID", ""),
        ("patch:a@npm:1.0.0#./other.patch", "DX_PATCH_FAILED", "other.patch"),
    ] {
        let project = yarn(&registry).dep("a", spec).file("other.patch", other.as_str()).create();
        let run = dx(&project, ["install"]);
        if said.is_empty() {
            // Without a patch file it is the package as it is.
            run.success();
            assert_eq!(value(&project, "a"), "plain");
            continue;
        }
        let stderr = fails(run, code);
        assert!(stderr.contains(said), "{stderr}");
        assert!(!project.exists("node_modules") && !project.exists("package-lock.json"), "{spec}");
    }
    // What somebody else has published patches nothing.
    registry.package("p", "1.0.0").dep("a", "patch:a@npm:1.0.0#./other.patch").publish();
    let project = yarn(&registry).dep("p", "1.0.0").file("other.patch", PATCH).create();
    fails(dx(&project, ["install"]), "DX_UNSUPPORTED_PROTOCOL");
    let two = yarn(&registry)
        .field("workspaces", json!(["w"]))
        .file("w/package.json", r#"{"name":"w","dependencies":{"a":"patch:a@^1#./w.patch"}}"#)
        .file("w/w.patch", PATCH)
        .dep("a", &format!("patch:a@^1#./{FILE}"));
    let stderr = fails(dx(&two.create(), ["install"]), "DX_BAD_PATCHED_DEPENDENCIES");
    assert!(stderr.contains("are for a@1.1.0"), "{stderr}");
}

#[test]
fn patches_that_do_not_fit_may_be_left_out() {
    let registry = registry();
    let other = PATCH.replace("last", "least");
    let npm = || {
        Project::new(&registry)
            .dep("a", "1.0.0")
            .dep("b", "1.0.0")
            .field("patchedDependencies", json!({ "a@1.0.0": FILE }))
    };
    let project = npm().file(FILE, other.as_str()).create();
    fails(dx(&project, ["install"]), "DX_PATCH_FAILED");
    let run = ok(&project, ["install", "--ignore-patch-failures"]);
    assert!(run.stderr.contains("a@1.0.0 is installed without .yarn/patches/a.patch"), "{run}");
    assert_eq!(value(&project, "a"), "plain");
    // As with npm, the lockfile has no such patch: nothing else takes the tree for patched.
    assert!(locked(&project, "node_modules/a").get("patched").is_none());
    fails(dx(&project, ["ci", "--ignore-patch-failures"]), "DX_LOCKFILE_OUT_OF_DATE");
    fails(dx(&project, ["install"]), "DX_PATCH_FAILED");
    project.write(FILE, PATCH);
    ok(&project, ["install"]);
    assert_eq!(value(&project, "a"), "patched");
    ok(&project, ["install", "--ignore-patch-failures"]);
    assert_eq!(value(&project, "a"), "patched");

    // pnpm 10 has a setting for it, and Yarn a mark of the patch.
    let pnpm = json!({ "patchedDependencies": { "a@1.0.0": FILE }, "ignorePatchFailures": true });
    let pnpm = |version: &str| {
        let project = Project::new(&registry).dep("a", "1.0.0").file(FILE, other.as_str());
        let named = format!("pnpm@{version}");
        project.field("packageManager", named.as_str()).field("pnpm", pnpm.clone()).create()
    };
    let project = pnpm("10.0.0");
    let run = ok(&project, ["install"]);
    assert!(run.stderr.contains("is installed without"), "{run}");
    ok(&project, ["ci"]);
    let marked = format!("patch:a@npm:1.0.0#optional!./{FILE}");
    let project = yarn(&registry).dep("a", &marked).create();
    project.write(FILE, &other);
    let run = ok(&project, ["install"]);
    assert!(run.stderr.contains("is installed without"), "{run}");
    ok(&project, ["ci"]);
    assert_eq!(value(&project, "a"), "plain");
}

#[test]
fn packages_that_are_required_by_address_are_patched_by_yarns_form_only() {
    let registry = registry();
    let address = format!("{}/a/-/a-1.0.0.tgz", registry.url().trim_end_matches('/'));
    let project = || Project::new(&registry).user_npmrc("allow-remote=all").file(FILE, PATCH);
    let npm = project().dep("a", &address).field("patchedDependencies", json!({ "a": FILE }));
    let stderr = fails(dx(&npm.create(), ["install"]), "DX_BAD_PATCHED_DEPENDENCIES");
    assert!(stderr.contains("a in patchedDependencies is for a@1.0.0"), "{stderr}");
    let yarn = project().dep("a", &format!("patch:a@{address}#./{FILE}")).create();
    ok(&yarn, ["install"]);
    assert_eq!(value(&yarn, "a"), "patched");
}

#[test]
fn settings_of_pnpm_count_while_packages_are_added() {
    let registry = registry();
    registry.package("d", "1.0.0").publish();
    let project = Project::new(&registry)
        .field("packageManager", "pnpm@11.0.0")
        .file("pnpm-workspace.yaml", "packageExtensions:\n  b:\n    dependencies:\n      d: '1'\n")
        .create();
    ok(&project, ["add", "b"]);
    assert!(project.exists("node_modules/d"));
    ok(&project, ["add", "c"]);
    assert!(project.exists("node_modules/d"));
    ok(&project, ["remove", "c"]);
    assert!(project.exists("node_modules/d"));
    ok(&project, ["ci"]);
}

#[test]
fn of_a_link_in_a_catalog_nothing_is_installed() {
    let registry = registry();
    let linked = r#"{"name":"lib","version":"1.0.0","dependencies":{"b":"^1"}}"#;
    let member = r#"{"name":"w","dependencies":{"lib":"catalog:"}}"#;
    let project = Project::new(&registry)
        .field("packageManager", "pnpm@11.0.0")
        .file("pnpm-workspace.yaml", "packages: ['packages/*']\ncatalog:\n  lib: link:./lib\n")
        .file("lib/package.json", linked)
        .file("packages/w/package.json", member)
        .dep("lib", "catalog:")
        .create();
    round_trip(&project);
    assert!(project.path().join("node_modules/lib").is_symlink());
    assert!(!project.exists("node_modules/b") && !project.exists("lib/node_modules"));
    let pinned = Project::new(&registry)
        .field("packageManager", "pnpm@11.0.0")
        .file("pnpm-workspace.yaml", "catalog:\n  a: link:./lib\noverrides:\n  a: 'catalog:'\n")
        .file("lib/package.json", linked)
        .dep("b", "1.0.0")
        .create();
    ok(&pinned, ["install"]);
    assert!(pinned.path().join("node_modules/a").is_symlink());
    assert!(!pinned.exists("node_modules/lib") && !pinned.exists("node_modules/a/node_modules"));
    assert!(pinned.json("package-lock.json")["packages"]["lib"].get("dependencies").is_none());
}

#[test]
fn a_dependency_is_optional_where_yarns_meta_says_so() {
    let registry = registry();
    registry.package("far", "1.0.0").os(["none"]).publish();
    let meta = json!({ "far": { "optional": true } });
    let of = |manager: &str| {
        let project = Project::new(&registry).dep("far", "1.0.0").field("packageManager", manager);
        project.field("dependenciesMeta", meta.clone())
    };
    let project = of("yarn@4.10.0").dep("c", "1.0.0").create();
    round_trip(&project);
    assert!(!project.exists("node_modules/far"));
    ok(&project, ["add", "b"]);
    let manifest = project.json("package.json");
    assert_eq!(manifest["dependencies"], json!({ "b": "^1.0.0", "c": "1.0.0", "far": "1.0.0" }));
    assert_eq!(ok(&project, ["install"]).stdout, "Already up to date\n");
    ok(&project, ["ci"]);
    ok(&project, ["add", "far@1.0.0"]);
    assert!(project.json("package.json").get("optionalDependencies").is_none());
    ok(&project, ["ci"]);
    let member =
        json!({ "name": "w", "dependencies": { "far": "1.0.0" }, "dependenciesMeta": meta });
    let workspaces = yarn(&registry)
        .dep("c", "1.0.0")
        .field("workspaces", json!(["w"]))
        .file("w/package.json", member.to_string())
        .create();
    round_trip(&workspaces);
    fails(dx(&of("pnpm@11.0.0").create(), ["install"]), "DX_UNSUPPORTED_PLATFORM");
}

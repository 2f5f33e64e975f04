//! Protocols that pnpm, Yarn and Bun have: `workspace:`, `catalog:`, `jsr:`, `link:`, `portal:`.

use dx_pkg_testkit::{Project, ProjectBuilder, Registry};
use serde_json::{Value, json};

use crate::harness::{command, dx, fails, locked_version, ok};

fn registry() -> Registry {
    let registry = Registry::start();
    for version in ["1.0.0", "1.1.0", "2.0.0"] {
        registry.package("a", version).publish();
    }
    registry.package("b", "1.0.0").dep("a", "^1.0.0").publish();
    registry
}

/// Installs twice and with `ci`: the lockfile stays, and there is nothing to do.
#[track_caller]
fn round_trip(project: &Project) {
    ok(project, ["install"]);
    let lockfile = project.read("package-lock.json");
    assert_eq!(ok(project, ["install"]).stdout, "Already up to date\n");
    ok(project, ["ci"]);
    assert_eq!(project.read("package-lock.json"), lockfile);
    ok(project, ["install"]);
    assert_eq!(project.read("package-lock.json"), lockfile);
    project.remove("node_modules");
    ok(project, ["install"]);
    assert_eq!(project.read("package-lock.json"), lockfile);
}

fn link(project: &Project, path: &str) -> String {
    std::fs::read_link(project.path().join(path)).unwrap().to_string_lossy().replace('\\', "/")
}

fn workspaces(registry: &Registry) -> ProjectBuilder {
    Project::new(registry)
        .field("workspaces", json!(["packages/*"]))
        .file("packages/w/package.json", r#"{"name":"w","version":"1.2.0"}"#)
        .file("packages/u/package.json", r#"{"name":"@s/u","version":"2.0.0-beta.1"}"#)
}

#[test]
fn a_workspace_is_linked_in_every_form() {
    let registry = registry();
    for (name, spec) in [
        ("w", "workspace:*"),
        ("w", "workspace:^"),
        ("w", "workspace:~"),
        ("w", "workspace:1.2.0"),
        ("w", "workspace:^1.0.0"),
        ("w", "workspace:packages/w"),
        ("w", "workspace:./packages/w"),
    ] {
        let project = workspaces(&registry).dep(name, spec).create();
        round_trip(&project);
        assert_eq!(link(&project, "node_modules/w"), "../packages/w");
        let lockfile = project.json("package-lock.json");
        assert_eq!(lockfile["packages"][""]["dependencies"]["w"], spec);
        let entry = json!({ "resolved": "packages/w", "link": true });
        assert_eq!(lockfile["packages"]["node_modules/w"], entry);
    }
    let project = workspaces(&registry).dep("other", "workspace:w@*").create();
    round_trip(&project);
    assert_eq!(link(&project, "node_modules/other"), "../packages/w");
    // Between workspaces, and with a prerelease.
    let of = |spec: &str| json!({ "name": "x", "dependencies": { "@s/u": spec } }).to_string();
    for spec in ["workspace:*", "workspace:../u", "workspace:packages/u", "workspace:^2.0.0-beta.0"]
    {
        let project = workspaces(&registry).file("packages/x/package.json", of(spec)).create();
        round_trip(&project);
        assert_eq!(link(&project, "node_modules/@s/u"), "../../packages/u");
        assert!(!project.exists("packages/x/node_modules"), "{spec}");
    }
}

#[test]
fn a_workspace_that_is_not_there_is_named_with_those_that_are() {
    let registry = registry();
    for (name, spec) in [
        ("w", "workspace:^2"),
        ("v", "workspace:*"),
        ("w", "workspace:../w"),
        ("x", "workspace:v@*"),
        ("a", "workspace:^1.0.0"),
    ] {
        let project = workspaces(&registry).dep(name, spec).create();
        for arguments in [["install"].as_slice(), &["ci"], &["add", "b"]] {
            let run = command(&project).args(arguments).run();
            let stderr = fails(run, "DX_NO_WORKSPACE");
            assert!(stderr.contains("the workspaces are @s/u@2.0.0-beta.1, w@1.2.0"), "{stderr}");
            assert!(stderr.contains(&format!("package.json requires {name}@{spec}")), "{stderr}");
        }
        assert!(!project.exists("node_modules"));
    }
    let project = Project::new(&registry).dep("w", "workspace:*").create();
    let stderr = fails(dx(&project, ["install"]), "DX_NO_WORKSPACE");
    assert!(stderr.contains("the project has no workspaces"), "{stderr}");
}

#[test]
fn workspaces_of_pnpm_are_those_of_its_file() {
    let registry = registry();
    let project = Project::new(&registry)
        .dep("w", "workspace:*")
        .file("pnpm-workspace.yaml", "packages:\n  - '.'\n  - 'packages/**'\n  - '!**/not/**'\n")
        .file(
            "packages/w/package.json",
            r#"{"name":"w","version":"1.0.0","dependencies":{"a":"^1"}}"#,
        )
        .file("packages/not/n/package.json", r#"{"name":"n","dependencies":{"no-such":"1"}}"#)
        .create();
    round_trip(&project);
    assert_eq!(locked_version(&project, "node_modules/a"), "1.1.0");
    // A folder of the project is found from within.
    let inner = project.path().join("packages/w");
    let inner = command(&project).current_dir(&inner).args(["install"]).run().success();
    assert!(inner.stdout.starts_with("Already up to date"), "{inner}");
    assert!(!project.exists("packages/w/package-lock.json"));
    // A new one is noticed, and so is a change of the file.
    project.write("packages/v/package.json", r#"{"name":"v","dependencies":{"b":"1"}}"#);
    ok(&project, ["install"]);
    assert!(project.exists("node_modules/b") && project.exists("node_modules/v"));
    project.write("pnpm-workspace.yaml", "packages: [packages/w]\n");
    ok(&project, ["install"]);
    assert!(!project.exists("node_modules/v") && !project.exists("node_modules/b"));
}

#[test]
fn a_settings_file_that_is_new_is_noticed() {
    let registry = registry();
    for (file, text) in [
        ("pnpm-workspace.yaml", "packages: ['packages/*']\noverrides:\n  a: 1.0.0\n"),
        (".yarnrc.yml", "catalog:\n  a: 1.0.0\n"),
    ] {
        let project = Project::new(&registry).dep("a", "^1.0.0").create();
        ok(&project, ["install"]);
        assert_eq!(ok(&project, ["install"]).stdout, "Already up to date\n");
        project.write(file, text);
        assert_ne!(ok(&project, ["install"]).stdout, "Already up to date\n");
        assert_eq!(ok(&project, ["install"]).stdout, "Already up to date\n");
    }
}

fn homes(catalog: &str, named: &str) -> [(&'static str, String, Value); 4] {
    let yaml = |catalog: &str, named: &str| {
        format!("packages: [p/*]\ncatalog:\n  a: {catalog}\ncatalogs:\n  old:\n    a: {named}\n")
    };
    let json = json!({ "catalog": { "a": catalog }, "catalogs": { "old": { "a": named } } });
    let with_packages = |mut value: Value| {
        value["packages"] = json!(["p/*"]);
        value
    };
    [
        ("pnpm-workspace.yaml", yaml(catalog, named), Value::Null),
        (".yarnrc.yml", yaml(catalog, named), json!({ "workspaces": ["p/*"] })),
        ("", String::new(), json!({ "workspaces": with_packages(json.clone()) })),
        ("", String::new(), {
            let mut top = json;
            top["workspaces"] = json!(["p/*"]);
            top
        }),
    ]
}

fn with_home(registry: &Registry, (file, text, fields): (&str, String, Value)) -> ProjectBuilder {
    let mut builder = Project::new(registry);
    for (key, value) in fields.as_object().into_iter().flatten() {
        builder = builder.field(key, value.clone());
    }
    if file.is_empty() { builder } else { builder.file(file, text) }
}

#[test]
fn catalogs_of_three_homes_hold_in_all_sections() {
    let registry = registry();
    for home in homes("^1.0.0", "1.0.0") {
        let project = with_home(&registry, home)
            .dep("a", "catalog:")
            .file("p/w/package.json", r#"{"name":"w","devDependencies":{"a":"catalog:old"}}"#)
            .file(
                "p/v/package.json",
                r#"{"name":"v","optionalDependencies":{"a":"catalog:default"}}"#,
            )
            .file("p/u/package.json", r#"{"name":"u","peerDependencies":{"a":"catalog:"}}"#)
            .create();
        round_trip(&project);
        assert_eq!(locked_version(&project, "node_modules/a"), "1.1.0");
        assert_eq!(locked_version(&project, "p/w/node_modules/a"), "1.0.0");
        let lockfile = project.json("package-lock.json");
        assert_eq!(lockfile["packages"][""]["dependencies"]["a"], "catalog:");
        assert_eq!(lockfile["packages"]["p/w"]["devDependencies"]["a"], "catalog:old");
    }
}

#[test]
fn catalogs_hold_in_overrides_of_npms_kind() {
    let registry = registry();
    for (overrides, version) in [
        (json!({ "a": "catalog:old" }), "1.0.0"),
        (json!({ "b": { "a": "catalog:old" } }), "1.0.0"),
        (json!({ "b": { "a@^1": "catalog:" } }), "2.0.0"),
    ] {
        for home in homes("^2.0.0", "1.0.0") {
            let project = with_home(&registry, home).field("overrides", overrides.clone());
            let project = project.dep("b", "1.0.0").create();
            round_trip(&project);
            assert_eq!(locked_version(&project, "node_modules/a"), version, "{overrides}");
        }
    }
}

#[test]
fn a_changed_catalog_is_a_change_everywhere() {
    let registry = registry();
    for (before, after) in homes("^1.0.0", "1.0.0").into_iter().zip(homes("^2.0.0", "1.0.0")) {
        let project =
            with_home(&registry, before.clone()).dep("a", "catalog:").dep("b", "1").create();
        ok(&project, ["install"]);
        assert_eq!(locked_version(&project, "node_modules/a"), "1.1.0");
        match after.0 {
            "" => {
                let mut manifest = project.json("package.json");
                for (key, value) in after.2.as_object().unwrap() {
                    manifest[key] = value.clone();
                }
                project.write("package.json", manifest.to_string());
            }
            file => project.write(file, after.1),
        }
        // The lockfile is out of date, which `ci` says and `install` mends.
        fails(dx(&project, ["ci"]), "DX_LOCKFILE_OUT_OF_DATE");
        ok(&project, ["install"]);
        assert_eq!(locked_version(&project, "node_modules/a"), "2.0.0");
        assert_eq!(locked_version(&project, "node_modules/b/node_modules/a"), "1.1.0");
        round_trip(&project);
    }
}

#[test]
fn a_catalog_without_the_package_is_an_error_with_what_it_has() {
    let registry = registry();
    for (spec, hint) in [
        ("catalog:old", "it has a"),
        ("catalog:", "it has a"),
        ("catalog:new", "there are default, old"),
    ] {
        for home in homes("^1.0.0", "1.0.0") {
            let project = with_home(&registry, home).dep("b", spec).create();
            let stderr = fails(dx(&project, ["install"]), "DX_NO_CATALOG_ENTRY");
            assert!(stderr.contains(hint), "{stderr}");
            assert!(!project.exists("node_modules"));
        }
    }
    let project = Project::new(&registry).dep("b", "catalog:").create();
    let stderr = fails(dx(&project, ["install"]), "DX_NO_CATALOG_ENTRY");
    assert!(stderr.contains("pnpm-workspace.yaml, .yarnrc.yml or"), "{stderr}");
}

#[test]
fn packages_of_jsr_come_from_the_registry_of_their_scope() {
    let registry = registry();
    registry.package("@jsr/s__n", "1.0.0").publish();
    registry.package("@jsr/s__n", "1.3.0").publish();
    let project = |name: &str, spec: &str| Project::new(&registry).dep(name, spec);
    let stderr =
        fails(dx(&project("n", "jsr:@s/n@^1").create(), ["install"]), "DX_NO_JSR_REGISTRY");
    assert!(stderr.contains("@jsr:registry="), "{stderr}");
    let line = format!("@jsr:registry={}", registry.url());
    for (name, spec, version) in [
        ("n", "jsr:@s/n@1.0.0", "1.0.0"),
        ("@s/n", "jsr:^1", "1.3.0"),
        ("@s/n", "jsr:@s/n", "1.3.0"),
    ] {
        let project = project(name, spec).npmrc(&line).create();
        round_trip(&project);
        assert_eq!(locked_version(&project, &format!("node_modules/{name}")), version);
        let lockfile = project.json("package-lock.json");
        assert_eq!(lockfile["packages"][format!("node_modules/{name}")]["name"], "@jsr/s__n");
    }
    for (argument, name, saved) in [
        ("jsr:@s/n", "@s/n", "jsr:^1.3.0"),
        ("jsr:@s/n@1.0.0", "@s/n", "jsr:^1.0.0"),
        ("x@jsr:@s/n@^1", "x", "jsr:@s/n@^1.3.0"),
    ] {
        let project = Project::new(&registry).npmrc(&line).create();
        ok(&project, ["add", argument]);
        assert_eq!(project.json("package.json")["dependencies"][name], saved, "{argument}");
        assert_eq!(ok(&project, ["install"]).stdout, "Already up to date\n");
    }
    let bare = Project::new(&registry).create();
    fails(dx(&bare, ["add", "jsr:@s/n"]), "DX_NO_JSR_REGISTRY");
    fails(dx(&bare, ["add", "jsr:n"]), "DX_INVALID_SPEC");
}

#[test]
fn a_linked_folder_is_linked_and_nothing_of_it_installed() {
    let registry = registry();
    let manifest = r#"{"name":"l","version":"1.0.0","dependencies":{"a":"^1"},"bin":"l.js"}"#;
    for place in ["l", "../l"] {
        let project = Project::new(&registry).dep("l", &format!("link:{place}")).create();
        project.write(&format!("{place}/package.json"), manifest);
        project.write(&format!("{place}/l.js"), "#!/usr/bin/env node\n");
        round_trip(&project);
        assert_eq!(link(&project, "node_modules/l"), format!("../{place}"));
        assert!(project.exists("node_modules/.bin/l"));
        assert!(!project.exists("node_modules/a"));
        assert!(!project.exists(&format!("{place}/node_modules")));
    }
    // It may not exist yet.
    let project = Project::new(&registry).dep("l", "link:./later").dep("b", "1.0.0").create();
    round_trip(&project);
    assert_eq!(link(&project, "node_modules/l"), "../later");
    assert!(project.exists("node_modules/b"));
    // And a user may allow none.
    let project =
        Project::new(&registry).dep("l", "link:./l").npmrc("allow-directory=none").create();
    fails(dx(&project, ["install"]), "DX_SOURCE_NOT_ALLOWED");
}

#[test]
fn a_linked_folder_that_another_requirement_installs_has_its_dependencies() {
    let registry = registry();
    let folder = r#"{"name":"l","version":"1.0.0","dependencies":{"a":"^1"}}"#;
    let of =
        |spec: &str| format!(r#"{{"name":"w","version":"1.0.0","dependencies":{{"l":"{spec}"}}}}"#);
    let builder = || Project::new(&registry).file("l/package.json", folder);
    let with_workspace = |own: &str, other: &str| {
        let workspaces = json!(["w"]);
        builder().dep("l", own).field("workspaces", workspaces).file("w/package.json", of(other))
    };
    for builder in [
        builder().dep("l", "link:./l").dep("m", "file:./l"),
        builder().dep("k", "file:l").dep("l", "link:./l"),
        with_workspace("link:./l", "file:../l"),
        with_workspace("file:./l", "link:../l"),
        // A folder that is installed requires it.
        builder().dep("l", "link:./l").dep("w", "file:./w").file("w/package.json", of("file:../l")),
    ] {
        let project = builder.create();
        round_trip(&project);
        assert_eq!(link(&project, "node_modules/l"), "../l");
        assert!(project.exists("node_modules/a") || project.exists("l/node_modules/a"));
    }
    let project = with_workspace("link:./l", "link:../l").create();
    round_trip(&project);
    assert!(!project.exists("node_modules/a") && !project.exists("l/node_modules"));
}

#[test]
fn a_portal_is_of_yarns_and_its_dependencies_are_installed() {
    let registry = registry();
    let builder = || Project::new(&registry).dep("l", "portal:./l");
    let stderr = fails(dx(&builder().create(), ["install"]), "DX_UNSUPPORTED_PROTOCOL");
    assert!(stderr.contains("portal: is a protocol of yarn"), "{stderr}");
    let project = builder()
        .field("packageManager", "yarn@4.10.0")
        .file("l/package.json", r#"{"name":"l","version":"1.0.0","dependencies":{"a":"^1"}}"#)
        .create();
    round_trip(&project);
    assert_eq!(link(&project, "node_modules/l"), "../l");
    assert!(project.exists("node_modules/a") || project.exists("l/node_modules/a"));
}

#[test]
fn protocols_that_are_not_carried_out_are_refused_by_name() {
    let registry = registry();
    for (name, spec, said) in [
        ("x", "exec:./make.js", "exec: is a protocol of yarn"),
        ("node", "runtime:^22.0.0", "runtime: is a protocol of pnpm"),
    ] {
        let project = Project::new(&registry).dep(name, spec).create();
        let stderr = fails(dx(&project, ["install"]), "DX_UNSUPPORTED_PROTOCOL");
        assert!(stderr.contains(said) && stderr.contains("  help: "), "{stderr}");
        assert!(!project.exists("node_modules"));
    }
}

#[test]
fn additions_are_written_as_they_are_given() {
    let registry = registry();
    let catalog = json!({ "packages": ["packages/*"], "catalog": { "a": "^1.0.0" } });
    let project = workspaces(&registry).field("workspaces", catalog).create();
    for (argument, name, saved) in [
        ("w@workspace:*", "w", "workspace:*"),
        ("@s/u@workspace:^", "@s/u", "workspace:^"),
        ("a@catalog:", "a", "catalog:"),
        ("link:./packages/w", "w", "link:packages/w"),
    ] {
        ok(&project, ["add", argument]);
        assert_eq!(project.json("package.json")["dependencies"][name], saved, "{argument}");
    }
    assert_eq!(locked_version(&project, "node_modules/a"), "1.1.0");
    // One that is there stays as it is written.
    ok(&project, ["add", "a"]);
    assert_eq!(project.json("package.json")["dependencies"]["a"], "catalog:");
    let before = project.read("package.json");
    fails(dx(&project, ["add", "b@catalog:"]), "DX_NO_CATALOG_ENTRY");
    fails(dx(&project, ["add", "v@workspace:*"]), "DX_NO_WORKSPACE");
    fails(dx(&project, ["add", "workspace:*"]), "DX_INVALID_SPEC");
    assert_eq!(project.read("package.json"), before);
    ok(&project, ["add", "b"]);
    assert_eq!(project.json("package.json")["dependencies"]["b"], "^1.0.0");
    ok(&project, ["remove", "a"]);
    round_trip(&project);
}

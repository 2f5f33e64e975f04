//! An install into an existing tree changes only what it must.

use std::collections::BTreeMap;
use std::fs;

use dx_pkg_testkit::{Project, Registry, Run};

use crate::harness::{command, incompressible, ok, required, share_key};

fn project() -> (Registry, Project) {
    let registry = Registry::start();
    registry
        .package("a", "1.0.0")
        .bin("a", "a.js")
        .executable("a.js", "#!/usr/bin/env node\n")
        .publish();
    registry.package("@s/b", "1.0.0").dep("c", "1").publish();
    registry.package("c", "1.0.0").publish();
    registry.package("c", "2.0.0").publish();
    registry.package("d", "1.0.0").publish();
    let project = Project::new(&registry).dep("a", "1").dep("@s/b", "1").dep("c", "2").create();
    ok(&project, ["install"]);
    (registry, project)
}

/// Returns the inode of each package's folder, which changes if the folder is created again.
#[cfg(unix)]
fn inodes(project: &Project) -> BTreeMap<String, u64> {
    use std::os::unix::fs::MetadataExt;
    let folders = project.installed().into_keys();
    folders
        .map(|folder| {
            let inode = fs::symlink_metadata(project.path().join(&folder)).unwrap().ino();
            (folder, inode)
        })
        .collect()
}

#[test]
#[cfg(unix)]
fn adding_and_removing_leave_other_packages_untouched() {
    let (_registry, project) = project();
    let before = inodes(&project);
    let run = ok(&project, ["install", "d"]);
    assert!(run.stdout.contains("\nAdded 1 package ("), "{run}");
    let mut with_d = inodes(&project);
    assert!(with_d.remove("node_modules/d").is_some());
    assert_eq!(with_d, before);
    ok(&project, ["remove", "d"]);
    assert_eq!(inodes(&project), before);
}

#[test]
#[cfg(unix)]
fn changed_version_replaces_that_package_only() {
    let (registry, project) = project();
    registry.package("a", "1.1.0").publish(); // After its packument was cached.
    let before = inodes(&project);
    let run = ok(&project, ["install", "a@1.1.0"]);
    assert!(run.stdout.contains("\nChanged 1 package ("), "{run}");
    let after = inodes(&project);
    let changed: Vec<&String> = after
        .iter()
        .filter(|(path, inode)| before.get(*path) != Some(inode))
        .map(|(path, _)| path)
        .collect();
    assert_eq!(changed, ["node_modules/a"]);
    assert_eq!(required(&project, "a"), "a@1.1.0");
}

#[test]
fn commands_come_and_go_with_their_package() {
    let (_registry, project) = project();
    let command = if cfg!(windows) { "node_modules/.bin/a.cmd" } else { "node_modules/.bin/a" };
    assert!(project.exists(command));
    ok(&project, ["remove", "a"]);
    assert!(!project.exists(command));
}

#[test]
fn files_of_other_tools_in_node_modules_survive_install_but_not_ci() {
    let (_registry, project) = project();
    project.write("node_modules/.cache/tool/data", "kept");
    ok(&project, ["install", "d"]);
    assert_eq!(project.read("node_modules/.cache/tool/data"), "kept");
    project.remove("node_modules/.dx");
    ok(&project, ["install"]);
    assert_eq!(project.read("node_modules/.cache/tool/data"), "kept");
    ok(&project, ["ci"]);
    assert!(!project.exists("node_modules/.cache"));
}

#[test]
fn deleted_package_is_restored_by_the_next_install() {
    for path in ["node_modules/a", "node_modules/@s", "node_modules/.bin", "node_modules"] {
        let (_registry, project) = project();
        let before = project.installed();
        project.remove(path);
        let run = ok(&project, ["install"]);
        assert_eq!(project.installed(), before, "{path}: {run}");
        assert!(project.exists(path), "{path}");
    }
}

#[test]
fn deleted_package_of_a_scope_is_restored_by_the_next_change() {
    let (_registry, project) = project();
    project.remove("node_modules/@s/b");
    ok(&project, ["install", "d"]);
    assert_eq!(required(&project, "@s/b"), "@s/b@1.0.0");
}

#[test]
fn what_a_change_has_begun_to_fetch_is_not_fetched_again_by_the_whole_install() {
    let (registry, project) = project();
    let contents = incompressible();
    registry
        .package("tool", "1.0.0")
        .optional("tool-here", "1.0.0")
        .optional("tool-elsewhere", "1.0.0")
        .file("tool.bin", contents.clone())
        .publish();
    registry.package("tool-here", "1.0.0").file("here.bin", contents).publish();
    registry.package("tool-elsewhere", "1.0.0").os(["nowhere"]).publish();
    registry.clear_requests();
    // Packages for other systems take the whole way, which is known when the others are under way.
    ok(&project, ["add", "tool"]);
    assert!(project.exists("node_modules/tool-here/here.bin"));
    let requests = registry.requests();
    for name in ["tool", "tool-here"] {
        let tarball = format!("/{name}/-/{name}-1.0.0.tgz");
        let asked = requests.iter().filter(|request| request.path == tarball).count();
        assert_eq!(asked, 1, "{name}");
    }
}

#[test]
fn package_put_into_node_modules_by_hand_is_removed() {
    let (_registry, project) = project();
    project.write("node_modules/stranger/package.json", r#"{"name":"stranger","version":"1.0.0"}"#);
    ok(&project, ["install"]);
    assert!(!project.exists("node_modules/stranger"));
}

#[test]
fn tree_of_another_tool_is_replaced() {
    let (registry, project) = project();
    let other = Project::new(&registry)
        .dep("a", "1")
        .file("node_modules/a/package.json", r#"{"name":"a","version":"0.0.1"}"#)
        .file("node_modules/old/package.json", r#"{"name":"old","version":"1.0.0"}"#)
        .file("node_modules/.package-lock.json", r#"{"lockfileVersion":3,"packages":{}}"#)
        .create();
    ok(&other, ["install"]);
    assert_eq!(required(&other, "a"), "a@1.0.0");
    assert!(!other.exists("node_modules/old"));
    drop(project);
}

#[test]
fn changed_manifest_is_noticed() {
    let (_registry, project) = project();
    assert_eq!(ok(&project, ["install"]).stdout, "Already up to date\n");
    project.write("package.json", project.read("package.json").replace("\"@s/b\"", "\"d\""));
    ok(&project, ["install"]);
    assert_eq!(required(&project, "d"), "d@1.0.0");
    assert!(!project.exists("node_modules/@s/b"));
}

#[test]
fn changed_setting_is_noticed() {
    let (_registry, project) = project();
    project.write(".npmrc", format!("{}legacy-peer-deps=true\n", project.read(".npmrc")));
    let run = ok(&project, ["install"]);
    assert_ne!(run.stdout, "Already up to date\n");
}

#[test]
fn manifest_changed_while_an_install_runs_is_noticed_by_the_next() {
    let registry = Registry::start();
    registry.package("a", "1.0.0").publish();
    registry.package("b", "1.0.0").publish();
    let add_b = "const fs = require('fs'), m = JSON.parse(fs.readFileSync('package.json')); m.dependencies.b = '1'; \
                 fs.writeFileSync('package.json', JSON.stringify(m))";
    let project = Project::new(&registry)
        .dep("a", "1")
        .script("postinstall", "node change.js")
        .file("change.js", add_b)
        .create();
    ok(&project, ["install"]);
    assert!(!project.exists("node_modules/b"));
    ok(&project, ["install"]);
    assert_eq!(required(&project, "b"), "b@1.0.0");
}

#[test]
fn replaced_file_of_one_project_does_not_reach_another() {
    let (registry, project) = project();
    let other = Project::new(&registry).dep("a", "1").store(project.store()).create();
    let file = project.path().join("node_modules/a/index.js");
    fs::remove_file(&file).unwrap();
    fs::write(&file, "module.exports = 'patched'").unwrap();
    ok(&other, ["install"]);
    assert_eq!(required(&other, "a"), "a@1.0.0");
}

#[test]
fn leftovers_of_a_killed_command_beside_the_manifest_are_removed() {
    let (_registry, project) = project();
    let left = project.path().join(".dx-tmp-0123");
    fs::write(&left, "half a lockf").unwrap();
    ok(&project, ["remove", "a"]);
    assert!(!left.exists());
}

/// Returns all that commands write: manifest, lockfiles, record, packages, commands.
fn written(project: &Project) -> Vec<Vec<u8>> {
    let files = [
        "package.json",
        "package-lock.json",
        "node_modules/.package-lock.json",
        "node_modules/.dx/lock.dxl",
    ];
    let mut written: Vec<Vec<u8>> =
        files.iter().map(|file| fs::read(project.path().join(file)).unwrap()).collect();
    written.push(format!("{:?}", project.installed()).into_bytes());
    let bin = fs::read_dir(project.path().join("node_modules/.bin")).into_iter().flatten();
    let mut commands: Vec<_> = bin.map(|entry| entry.unwrap().file_name()).collect();
    commands.sort();
    written.push(format!("{commands:?}").into_bytes());
    written
}

#[test]
fn incremental_change_writes_the_same_files_as_a_full_install() {
    assert_same_files_are_written("");
}

#[test]
fn incremental_change_of_a_lockfile_without_addresses_writes_the_same_files() {
    assert_same_files_are_written("omit-lockfile-registry-resolved=true");
}

fn assert_same_files_are_written(settings: &str) {
    let registry = Registry::start();
    registry
        .package("a", "1.0.0")
        .bin("tool", "a.js")
        .executable("a.js", "")
        .dep("shared", "^1.0.0")
        .dep("inner", "1")
        .publish();
    registry
        .package("a", "2.0.0")
        .bin("tool", "a.js")
        .executable("a.js", "")
        .dep("shared", "^2.0.0")
        .publish();
    registry
        .package("b", "1.0.0")
        .bin("tool", "b.js")
        .executable("b.js", "")
        .dep("shared", "^1.0.0")
        .publish();
    registry.package("@s/c", "1.0.0").dep("b", "1").dep("shared", "^2.0.0").publish();
    registry.package("@s/d", "1.0.0").dep("shared", "*").publish();
    registry.package("inner", "1.0.0").dep("deep", "1").publish();
    registry.package("deep", "1.0.0").publish();
    registry
        .package("shared", "1.0.0")
        .bin("shared", "shared.js")
        .executable("shared.js", "")
        .publish();
    registry
        .package("shared", "2.0.0")
        .bin("shared", "shared.js")
        .executable("shared.js", "")
        .publish();
    registry.package("host", "1.0.0").publish();
    registry.package("plugin", "1.0.0").peer("host", "1").publish();
    let make = || Project::new(&registry).dep("a", "1").dep("@s/d", "1").npmrc(settings).create();
    let (incremental, whole) = (make(), make());
    share_key(&[&incremental, &whole]);
    let steps: [&[&str]; 15] = [
        &["install"],
        &["install", "@s/c"],
        &["install", "a@2"],
        &["install", "shared@1"],
        &["install", "--save-dev", "b"],
        &["remove", "a"],
        &["install", "plugin"],
        &["remove", "@s/c"],
        &["install", "a@1"],
        &["install", "--save-dev", "a"],
        &["remove", "b", "shared"],
        &["remove", "plugin", "nothing"],
        &["install", "@s/c", "inner"],
        &["remove", "@s/d"],
        &["remove", "@s/c", "inner", "a"],
    ];
    for step in steps {
        // Without the state there is no incremental install.
        let _ = fs::remove_file(whole.path().join("node_modules/.dx/state"));
        let run = |project: &Project| command(project).args(step).run().success();
        let (one, other) = (run(&incremental), run(&whole));
        let counts = |run: &Run| run.stdout.split(" in ").next().map(str::to_owned);
        assert_eq!(counts(&one), counts(&other), "{step:?}");
        for (one, other) in written(&incremental).iter().zip(written(&whole)) {
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            assert_eq!(text(one), text(&other), "{step:?}");
        }
    }
}

#[test]
fn changed_manifest_is_installed_incrementally() {
    let (_registry, project) = project();
    project.write("package.json", project.read("package.json").replace("\"@s/b\"", "\"d\""));
    ok(&project, ["install"]);
    let lockfile = project.read("package-lock.json");
    assert!(
        lockfile.contains("node_modules/d") && !lockfile.contains("node_modules/@s/b"),
        "{lockfile}"
    );
    assert_eq!(ok(&project, ["install"]).stdout, "Already up to date\n");
}

#[test]
fn hand_made_changes_to_records_and_lockfile_are_noticed_by_the_next_change() {
    for file in
        ["node_modules/.package-lock.json", "node_modules/.dx/lock.dxl", "package-lock.json"]
    {
        let (_registry, project) = project();
        let before = project.installed();
        project.write(file, "");
        ok(&project, ["install", "d"]);
        ok(&project, ["remove", "d"]);
        assert_eq!(project.installed(), before, "{file}");
        let hidden = project.read("node_modules/.package-lock.json");
        assert!(
            before.keys().all(|path| hidden.contains(&format!("{path:?}"))),
            "{file}: {hidden}"
        );
    }
}

//! `dx patch` and its parts, with the files that npm 12.2 writes.

use std::fs;
use std::path::PathBuf;

use dx_pkg_testkit::{Project, Registry};
use serde_json::json;

use crate::harness::{command, dx, fails, ok};

fn registry() -> Registry {
    let registry = Registry::start();
    for version in ["1.0.0", "1.1.0", "2.0.0"] {
        let text = format!("// {version}\n1\n2\n3\n4\n5\n6\nmodule.exports = 'one'\n");
        registry.package("one", version).file("lib.js", text).file("a.bin", [0, 1]).publish();
    }
    registry.package("@s/a", "1.0.0").file("gone.js", "1\n").publish();
    registry
}

fn project(registry: &Registry) -> Project {
    let project = Project::new(registry).dep("one", "1.1.0").dep("@s/a", "1.0.0").create();
    ok(&project, ["install"]);
    project
}

/// Makes a copy of a package to edit.
fn edit(project: &Project, package: &str) -> PathBuf {
    let folder = project.home().join(format!("edit-{}", package.replace('/', "+")));
    let words = ["patch", package, "--edit-dir", folder.to_str().unwrap(), "--ignore-existing"];
    let run = command(project).args(words).run().success();
    let place = folder.display();
    let expected = format!(
        "You can now edit the following directory: {place}\n\
         When done, run: dx patch commit {place}\n"
    );
    assert_eq!(run.stdout, expected);
    folder
}

const PATCH: &str = "--- a/lib.js\t\n+++ b/lib.js\t\n@@ -5,4 +5,5 @@\n 4\n 5\n 6\n \
                     module.exports = 'one'\n+// more\n--- /dev/null\t\n+++ \
                     b/new.txt\t\n@@ -0,0 +1,1 @@\n+new\n";

#[test]
fn an_edited_copy_becomes_a_patch_that_is_installed() {
    let registry = registry();
    for words in [["patch", "commit"].as_slice(), &["patch-commit"]] {
        let project = project(&registry);
        let folder = edit(&project, "one");
        let lib = fs::read_to_string(folder.join("lib.js")).unwrap();
        fs::write(folder.join("lib.js"), lib + "// more\n").unwrap();
        fs::write(folder.join("new.txt"), "new\n").unwrap();
        fs::write(folder.join("package.json"), r#"{ "name": "one", "version": "1.1.0" }"#).unwrap();
        fs::create_dir(folder.join("node_modules")).unwrap();
        fs::write(folder.join("node_modules/x"), "").unwrap();
        let run = command(&project).args(words).args([&folder]).run().success();
        assert!(run.stdout.ends_with("Patched one@1.1.0 -> patches/one@1.1.0.patch\n"), "{run}");
        assert!(run.stderr.contains("package.json is not in the patch"), "{run}");
        assert_eq!(project.read("patches/one@1.1.0.patch"), PATCH);
        let entries = &project.json("package.json")["patchedDependencies"];
        assert_eq!(*entries, json!({ "one@1.1.0": "patches/one@1.1.0.patch" }));
        assert!(project.read("node_modules/one/lib.js").ends_with("// more\n"));
        assert_eq!(project.read("node_modules/one/new.txt"), "new\n");
        assert!(!folder.exists());
        let locked = &project.json("package-lock.json")["packages"]["node_modules/one"];
        assert_eq!(locked["patched"]["path"], "patches/one@1.1.0.patch");
        ok(&project, ["ci"]);
        assert_eq!(project.read("node_modules/one/new.txt"), "new\n");
        let list = ok(&project, ["patch", "ls"]).stdout;
        assert_eq!(list, "patches/one@1.1.0.patch\tone@1.1.0\t(1 node)\n");
        // The copy is of the package as it is published.
        assert!(!edit(&project, "one").join("new.txt").exists());
        ok(&project, ["patch-remove", "one"]);
        assert!(!project.exists("patches/one@1.1.0.patch"));
        assert!(!project.exists("node_modules/one/new.txt"));
        assert!(project.json("package.json").get("patchedDependencies").is_none());
    }
}

#[test]
fn nothing_to_keep_is_no_error_and_keeps_the_copy() {
    let registry = registry();
    let project = project(&registry);
    let manifest = project.read("package.json");
    let folder = edit(&project, "one");
    let words = ["patch", "commit", folder.to_str().unwrap()];
    assert!(ok(&project, words).stderr.contains("nothing was changed"));
    fs::write(folder.join("package.json"), r#"{ "name": "one", "version": "1.1.0" }"#).unwrap();
    assert!(ok(&project, words).stderr.contains("only package.json differs"));
    fs::write(folder.join("a.bin"), [0, 2]).unwrap();
    let text = fails(dx(&project, words), "DX_NOT_PATCHABLE");
    assert!(text.contains("a.bin"), "{text}");
    assert!(folder.exists() && !project.exists("patches"));
    assert_eq!(project.read("package.json"), manifest);
    assert_eq!(ok(&project, ["patch", "ls"]).stdout, "");
    assert_eq!(ok(&project, ["patch", "ls", "--json"]).stdout.trim(), "[]");
}

#[test]
fn patches_of_scoped_packages_keep_their_folder_and_go_one_by_one() {
    let registry = registry();
    let project = project(&registry);
    let folder = edit(&project, "@s/a");
    fs::remove_file(folder.join("gone.js")).unwrap();
    let commit = ["patch", "commit", folder.to_str().unwrap(), "--keep-edit-dir", "--json"];
    let run = ok(&project, commit);
    let file = "patches/@s/a@1.0.0.patch";
    assert_eq!(run.stdout.trim(), format!(r#"{{"patch":"@s/a@1.0.0","file":"{file}"}}"#));
    assert_eq!(project.read(file), "--- a/gone.js\t\n+++ /dev/null\t\n@@ -1,1 +0,0 @@\n-1\n");
    assert!(folder.exists() && !project.exists("node_modules/@s/a/gone.js"));
    let other = ["patch", "commit", folder.to_str().unwrap(), "--patches-dir", "fixes"];
    ok(&project, other);
    let entries = &project.json("package.json")["patchedDependencies"];
    assert_eq!(entries["@s/a@1.0.0"], "fixes/@s/a@1.0.0.patch");
    for words in [["patch", "rm", "@s/a@2.0.0"], ["patch", "rm", "one"]] {
        fails(dx(&project, words), "DX_NO_PATCH");
    }
    let run = ok(&project, ["patch", "rm", "@s/a@1.0.0"]);
    assert!(run.stdout.ends_with("Removed patch: @s/a@1.0.0\n"), "{run}");
    assert!(project.exists("node_modules/@s/a/gone.js"));
}

#[test]
fn a_patch_follows_its_package_to_another_version() {
    let registry = registry();
    let project = project(&registry);
    let folder = edit(&project, "one");
    let lib = fs::read_to_string(folder.join("lib.js")).unwrap();
    fs::write(folder.join("lib.js"), lib.clone() + "// more\n").unwrap();
    ok(&project, ["patch-commit", folder.to_str().unwrap()]);
    fails(dx(&project, ["patch", "update", "one"]), "DX_PATCH_UPDATE");
    let run = ok(&project, ["patch", "update", "one", "--to", "2.0.0"]);
    let expected = "Updated one@1.1.0 -> one@2.0.0 (patches/one@2.0.0.patch)\n";
    assert_eq!(run.stdout, expected);
    assert!(run.stderr.contains("one@2.0.0 is not in the lockfile"), "{run}");
    let entries = &project.json("package.json")["patchedDependencies"];
    assert_eq!(*entries, json!({ "one@2.0.0": "patches/one@2.0.0.patch" }));
    assert!(!project.exists("patches/one@1.1.0.patch"));
    fails(dx(&project, ["install"]), "DX_UNUSED_PATCH");
    ok(&project, ["install", "one@2.0.0"]);
    assert!(project.read("node_modules/one/lib.js").starts_with("// 2.0.0\n"));
    assert!(project.read("node_modules/one/lib.js").ends_with("// more\n"));
    // Where both have changed a line, somebody has to decide.
    let folder = edit(&project, "one");
    fs::write(folder.join("lib.js"), lib.replace("// 1.1.0", "// mine")).unwrap();
    ok(&project, ["patch-commit", folder.to_str().unwrap()]);
    let place = folder.to_str().unwrap();
    let words = ["patch", "update", "one", "--to", "1.0.0", "--edit-dir", place];
    let run = ok(&project, words);
    assert!(run.stdout.starts_with("Patch did not apply cleanly to one@1.0.0.\n"), "{run}");
    let merged = fs::read_to_string(folder.join("lib.js")).unwrap();
    assert!(merged.contains("<<<<<<<") && merged.contains("// mine"), "{merged}");
    fs::write(folder.join("lib.js"), lib.replace("// 1.1.0", "// mine, on 1.0.0")).unwrap();
    ok(&project, ["patch-commit", place, "--allow-unused-patches"]);
    let entries = &project.json("package.json")["patchedDependencies"];
    assert_eq!(*entries, json!({ "one@1.0.0": "patches/one@1.0.0.patch" }));
}

#[test]
fn what_cannot_be_patched_is_refused() {
    let registry = registry();
    let project = Project::new(&registry)
        .dep("one", "1.1.0")
        .dep("other", "npm:one@2.0.0")
        .dep("lib", "file:./lib")
        .file("lib/package.json", r#"{ "name": "lib", "version": "1.0.0" }"#)
        .create();
    ok(&project, ["install"]);
    for (package, code) in [
        ("nothere", "DX_NOT_INSTALLED"),
        ("one@5", "DX_NOT_INSTALLED"),
        ("one@5.0.0", "DX_NO_MATCHING_VERSION"),
        ("lib", "DX_NOT_PATCHABLE"),
        ("lib@1.0.0", "DX_NOT_PATCHABLE"),
        ("user/repository", "DX_NOT_PATCHABLE"),
    ] {
        fails(dx(&project, ["patch", package]), code);
    }
    let full = project.home().join("full");
    fs::create_dir_all(&full).unwrap();
    fs::write(full.join("mine"), "").unwrap();
    let place = full.to_str().unwrap();
    fails(dx(&project, ["patch", "one", "--edit-dir", place]), "DX_EDIT_FOLDER");
    assert!(full.join("mine").exists());
    fails(dx(&project, ["patch", "commit", place]), "DX_EDIT_FOLDER");
    for words in [["patch", "commit"].as_slice(), &["patch", "rm"], &["patch", "foo", "bar"]] {
        fails(command(&project).args(words).run(), "DX_PATCH_USAGE");
    }
    let folder = edit(&project, "one@1.0.0");
    fs::write(folder.join("new.js"), "").unwrap();
    let commit = ["patch", "commit", folder.to_str().unwrap(), "--patches-dir", "../x"];
    fails(dx(&project, commit), "DX_PATCH_UPDATE");
    // A patch for what is not installed is refused, and nothing of it stays.
    let commit = ["patch", "commit", folder.to_str().unwrap()];
    fs::write(folder.join("new.js"), "1\n").unwrap();
    fails(dx(&project, commit), "DX_UNUSED_PATCH");
    assert!(!project.exists("patches/one@1.0.0.patch"));
    assert!(project.json("package.json").get("patchedDependencies").is_none());
}

#[test]
fn patch_of_a_name_leaves_a_workspace_of_that_name_as_it_is() {
    let registry = registry();
    registry.package("user", "1.0.0").dep("one", "1.1.0").publish();
    let with = |dependencies: serde_json::Value| {
        Project::new(&registry)
            .field("workspaces", json!(["packages/*"]))
            .field("dependencies", dependencies)
            .field("patchedDependencies", json!({"one": "one.patch"}))
            .file("packages/one/package.json", r#"{"name": "one", "version": "9.0.0"}"#)
            .file("one.patch", PATCH)
            .create()
    };
    let project = with(json!({"user": "1.0.0"}));
    ok(&project, ["install"]);
    assert!(project.exists("node_modules/user/node_modules/one/new.txt"));
    assert!(!project.exists("packages/one/new.txt"));
    ok(&project, ["ci"]);
    let error = fails(dx(&with(json!({})), ["install"]), "DX_BAD_PATCHED_DEPENDENCIES");
    assert!(error.contains("it is a link to a folder"), "{error}");
}

#[test]
fn patches_from_within_a_workspace_reach_the_whole_project() {
    let registry = registry();
    let project = Project::new(&registry)
        .dep("@s/a", "1.0.0")
        .field("workspaces", json!(["w1", "w2"]))
        .file("w1/package.json", r#"{"name": "w1", "dependencies": {"one": "1.0.0"}}"#)
        .file("w2/package.json", r#"{"name": "w2", "dependencies": {"one": "1.1.0"}}"#)
        .create();
    ok(&project, ["install"]);
    let folder = project.path().join("w1");
    let inside =
        |words: &[&str]| command(&project).current_dir(&folder).args(words).run().success();
    for (package, file) in
        [("@s/a@1.0.0", "node_modules/@s/a"), ("one@1.1.0", "w2/node_modules/one")]
    {
        let folder = edit(&project, package);
        fs::write(folder.join("new.txt"), "new\n").unwrap();
        inside(&["patch", "commit", folder.to_str().unwrap()]);
        assert_eq!(project.read(&format!("{file}/new.txt")), "new\n");
        inside(&["patch", "rm", package]);
        assert!(!project.exists(&format!("{file}/new.txt")));
    }
}

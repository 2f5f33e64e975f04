//! What a project, a registry or a folder cannot make the commands beside install do: run a
//! program, change or pack files elsewhere, or put something else on a command line.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use dx_pkg_testkit::{Project, Registry};
use serde_json::json;

use crate::harness::{command, dx, fails, ok};

fn registry() -> Registry {
    let registry = Registry::start();
    let text = "1\n2\n3\n4\n5\n";
    registry.package("one", "1.0.0").file("lib.js", text).publish();
    registry
}

/// Writes a program that leaves its arguments in the file `ran` beside it.
fn program(folder: &Path) -> PathBuf {
    let path = folder.join("program");
    let ran = folder.join("ran");
    fs::write(&path, format!("#!/bin/sh\necho \"$@\" > '{}'\n", ran.display())).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

/// Writes a file that only its owner may read, in the user's home.
fn key(project: &Project) -> PathBuf {
    let folder = project.home().join("secrets");
    fs::create_dir_all(&folder).unwrap();
    let key = folder.join("key");
    fs::write(&key, "SECRET").unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    key
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_project_names_no_program_that_opens_pages() {
    let project = Project::offline()
        .field("homepage", "http://a.example/")
        .field("repository", "http://a.example/r")
        .field("bugs", "http://a.example/b")
        .field("funding", "http://a.example/f")
        .create();
    let own = program(&project.path());
    project.write(".npmrc", format!("browser={}\n", own.display()));
    for words in [["docs", "."], ["repo", "."], ["bugs", "."], ["fund", "."]] {
        let run = command(&project).env("PATH", "/nowhere").args(words).run().success();
        assert!(run.stdout.contains("://a.example/"), "{run}");
        assert!(!project.exists("ran"), "{run}");
    }
}

#[test]
fn the_users_program_gets_addresses_of_pages_only() {
    let project = Project::offline().create();
    let own = program(&project.home());
    fs::write(project.home().join(".npmrc"), format!("browser={}\n", own.display())).unwrap();
    let ran = project.home().join("ran");
    for (address, opened) in [
        (" http://a.example/'`x \n\u{1b}y", Some("http://a.example/%27%60x%20%1By")),
        ("http:a.example", Some("http://a.example/")),
        ("file:///etc/passwd", None),
        ("--version", None),
    ] {
        project.write("package.json", json!({ "name": "p", "funding": address }).to_string());
        let _ = fs::remove_file(&ran);
        dx(&project, ["fund", "."]);
        let found = fs::read_to_string(&ran).ok();
        assert_eq!(found.as_deref().map(str::trim_end), opened, "{address:?}");
    }
}

#[test]
fn what_a_command_leads_to_elsewhere_stays_as_it_is() {
    let prefix = tempfile::tempdir().unwrap();
    let words: [&[&str]; 5] =
        [&["link"], &["install", "-g", "."], &["exec", "x"], &["dlx", "."], &["install"]];
    for words in words {
        for file in ["file", "folder/key"] {
            let project = Project::offline()
                .field("name", "p")
                .field("version", "1.0.0")
                .field("bin", json!({ "x": file }))
                .create();
            let key = key(&project);
            symlink(&key, project.path().join("file")).unwrap();
            symlink(key.parent().unwrap(), project.path().join("folder")).unwrap();
            let own = command(&project).env("npm_config_prefix", prefix.path());
            let run = own.args(words.iter().chain(&["--force"][..usize::from(words[0] == "link")]));
            let run = run.run();
            assert_eq!(mode(&key), 0o600, "{words:?} {file}: {run}");
        }
    }
    let project = Project::offline()
        .field("name", "p")
        .field("version", "1.0.0")
        .field("bin", json!({ "x": "inner" }))
        .file("real.js", "#!/bin/sh\n")
        .create();
    symlink("real.js", project.path().join("inner")).unwrap();
    let own = command(&project).env("npm_config_prefix", prefix.path());
    own.args(["link", "--force"]).run().success();
    assert_eq!(mode(&project.path().join("real.js")) & 0o111, 0o111, "one within is followed");
}

#[test]
fn patches_stay_in_the_project() {
    let registry = registry();
    let project = Project::new(&registry).dep("one", "1.0.0").create();
    ok(&project, ["install"]);
    let manifest = project.read("package.json");
    let edit = project.home().join("edit");
    ok(&project, ["patch", "one", "--edit-dir", edit.to_str().unwrap()]);
    fs::write(edit.join("lib.js"), "1\n2\n3\n4\n6\n").unwrap();
    let key = key(&project);
    let outside = key.parent().unwrap();
    symlink(outside, project.path().join("elsewhere")).unwrap();
    for folder in ["elsewhere", "elsewhere/new/deep"] {
        let setting = format!("--patches-dir={folder}");
        let words = ["patch", "commit", edit.to_str().unwrap(), &setting];
        fails(dx(&project, words), "DX_PATCH_UPDATE");
        assert_eq!(fs::read_dir(outside).unwrap().count(), 1);
        assert_eq!(project.read("package.json"), manifest);
    }
    ok(&project, ["patch", "commit", edit.to_str().unwrap()]);
    let patch = project.path().join("patches/one@1.0.0.patch");
    fs::rename(&patch, outside.join("one@1.0.0.patch")).unwrap();
    fs::remove_dir(project.path().join("patches")).unwrap();
    symlink(outside, project.path().join("patches")).unwrap();
    fails(dx(&project, ["patch", "rm", "one"]), "DX_PATCH_UPDATE");
    assert!(outside.join("one@1.0.0.patch").exists());
}

#[test]
fn an_edited_copy_is_its_users_alone() {
    let registry = registry();
    let project = Project::new(&registry).dep("one", "1.0.0").create();
    ok(&project, ["install"]);
    let temporary = tempfile::tempdir().unwrap();
    // What another user made there counts for nothing.
    fs::create_dir(temporary.path().join("dx-patch")).unwrap();
    let run = command(&project).env("TMPDIR", temporary.path()).args(["patch", "one"]).run();
    run.success();
    let folders = fs::read_dir(temporary.path()).unwrap().flatten();
    let own: Vec<_> = folders.filter(|entry| entry.file_name() != "dx-patch").collect();
    assert_eq!(own.len(), 1);
    assert_eq!(mode(&own[0].path()), 0o700);
    assert_eq!(fs::read_to_string(own[0].path().join("lib.js")).unwrap(), "1\n2\n3\n4\n5\n");
}

#[test]
fn a_bundled_link_packs_no_other_folder() {
    let project = Project::offline()
        .field("name", "p")
        .field("version", "1.0.0")
        .field("dependencies", json!({ "b": "1" }))
        .field("bundleDependencies", json!(["b"]))
        .file("../b/package.json", r#"{ "name": "b", "version": "1.0.0" }"#)
        .file("../c/package.json", r#"{ "name": "c", "version": "1.0.0" }"#)
        .create();
    let key = key(&project);
    fs::create_dir(project.path().join("node_modules")).unwrap();
    let place = project.path().join("node_modules/b");
    let lead = |to: &Path| {
        let _ = fs::remove_file(&place);
        symlink(to, &place).unwrap();
    };
    for folder in [key.parent().unwrap(), &project.path().join("../c")] {
        lead(folder);
        let said = fails(dx(&project, ["pack"]), "DX_PACK_FAILED");
        assert!(said.contains("bundled dependency b"), "{said}");
        assert!(!project.exists("p-1.0.0.tgz"));
    }
    lead(&project.path().join("../b"));
    assert!(ok(&project, ["pack", "--json"]).stdout.contains("node_modules/b/package.json"));
    // What package.json requires by its path may have another name.
    let manifest = json!({ "name": "p", "version": "1.0.0", "dependencies": { "b": "file:../c" },
        "bundleDependencies": ["b"] });
    project.write("package.json", manifest.to_string());
    lead(&project.path().join("../c"));
    ok(&project, ["pack"]);
}

#[test]
fn a_link_of_the_tarballs_name_is_replaced() {
    let project = Project::offline().field("name", "p").field("version", "1.0.0").create();
    let key = key(&project);
    let before = fs::read(&key).unwrap();
    let tarball = project.path().join("p-1.0.0.tgz");
    for target in [key.as_path(), Path::new("nowhere"), Path::new("/dev/null")] {
        let _ = fs::remove_file(&tarball);
        symlink(target, &tarball).unwrap();
        ok(&project, ["pack"]);
        assert!(fs::symlink_metadata(&tarball).unwrap().is_file(), "{}", target.display());
    }
    assert_eq!(fs::read(&key).unwrap(), before);
}

#[test]
fn completion_ends_whatever_a_manifest_is() {
    let project = Project::offline().create();
    let manifest = project.path().join("package.json");
    fs::remove_file(&manifest).unwrap();
    for target in ["/dev/zero", "pipe"] {
        symlink(target, &manifest).unwrap();
        if target == "pipe" {
            fs::remove_file(&manifest).unwrap();
            let made = std::process::Command::new("mkfifo").arg(&manifest).status().unwrap();
            assert!(made.success());
        }
        // It would wait for ever.
        dx(&project, ["__complete", "bash", "dx remove ", " ="]).success();
        let _ = fs::remove_file(&manifest);
    }
}

#[test]
fn hostile_names_are_words_in_bash() {
    let names = ["$(touch ran)", "`touch ran`", "a;touch ran", "b*", "it's \"q\""];
    let scripts: serde_json::Map<_, _> =
        names.iter().map(|name| ((*name).to_owned(), json!("true"))).collect();
    let project = Project::offline().field("scripts", scripts).create();
    let script = project.path().join("try.sh");
    // The words are put on a command line, which bash then runs.
    let text = format!(
        "dx() {{ {dx} \"$@\"; }}\neval \"$({dx} completion bash)\"\n\
         COMP_LINE='dx run ' COMP_POINT=7\n_dx_complete\n\
         for word in \"${{COMPREPLY[@]}}\"; do eval \"printf '%s\\n' $word\"; done\n",
        dx = env!("CARGO_BIN_EXE_dx")
    );
    fs::write(&script, text).unwrap();
    let run = project.command(Path::new("bash")).args(["--norc".into(), script]).run().success();
    let mut offered: Vec<&str> = run.stdout.lines().collect();
    let mut expected = names.to_vec();
    offered.sort_unstable();
    expected.sort_unstable();
    assert_eq!(offered, expected, "{run}");
    assert!(!project.exists("ran"));
}

/// Returns a lockfile of packages `p0`, `p1`, …, each with what it requires.
fn locked(requires: impl Iterator<Item = Vec<usize>>) -> String {
    let mut packages = serde_json::Map::new();
    let root = json!({ "name": "p", "version": "1.0.0", "dependencies": { "p0": "1.0.0" } });
    packages.insert(String::new(), root);
    for (number, required) in requires.enumerate() {
        let names = required.iter().map(|at| (format!("p{at}"), json!("1.0.0")));
        let names: serde_json::Map<_, _> = names.collect();
        let entry = json!({ "version": "1.0.0", "dependencies": names });
        packages.insert(format!("node_modules/p{number}"), entry);
    }
    json!({ "name": "p", "version": "1.0.0", "lockfileVersion": 3, "packages": packages })
        .to_string()
}

#[test]
fn a_chain_without_end_ends_in_an_error() {
    let project = Project::offline().field("name", "p").dep("p0", "1.0.0").create();
    let chain = |length: usize| {
        let last = move |at: usize| if at + 1 < length { vec![at + 1] } else { Vec::new() };
        project.write("package-lock.json", locked((0..length).map(last)));
    };
    chain(900);
    let run = ok(&project, ["ls", "--all", "--package-lock-only"]);
    assert_eq!(run.stdout.lines().filter(|line| line.contains("@1.0.0")).count(), 901, "{run}");
    ok(&project, ["ls", "--all", "--package-lock-only", "--json"]);
    chain(20_000);
    let words = "ls --all --package-lock-only;ls --json --package-lock-only;query * \
                 --package-lock-only;sbom --sbom-format=spdx --package-lock-only;audit";
    for words in words.split(';') {
        let run = command(&project).args(words.split_whitespace()).run().failure();
        let said = format!("{}{}", run.stdout, run.stderr);
        assert!(said.contains("DX_TREE_TOO_DEEP"), "{words}: {run}");
    }
}

#[test]
fn reasons_without_number_are_told_in_part() {
    const LAYERS: usize = 60;
    let project = Project::offline().field("name", "p").dep("p0", "1.0.0").create();
    // Both packages of a layer are required by both of the one above.
    for at in 0..2 * LAYERS {
        let below = 2 * (at / 2 + 1);
        let names: serde_json::Map<_, _> = [below, below + 1]
            .into_iter()
            .filter(|at| *at < 2 * LAYERS)
            .map(|at| (format!("p{at}"), json!("1.0.0")))
            .collect();
        let manifest =
            json!({ "name": format!("p{at}"), "version": "1.0.0", "dependencies": names });
        project.write(&format!("node_modules/p{at}/package.json"), manifest.to_string());
    }
    let last = format!("p{}", 2 * LAYERS - 1);
    for words in [vec!["explain", &last], vec!["explain", &last, "--json"]] {
        let run = command(&project).args(&words).run().success();
        assert!(run.stdout.contains("p0"), "{}", run.stdout.len());
        assert!(run.stdout.len() < 100 << 20, "{}", run.stdout.len());
    }
}

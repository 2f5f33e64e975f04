//! Repositories that the user's git has elsewhere: `url.….insteadOf` with a folder of this machine.

use std::fs;
use std::path::Path;
use std::process::Command;

use dx_pkg_testkit::{Project, Registry};
use serde_json::json;

use crate::harness::{dx, fails, locked, ok};

/// Makes a repository with a package in `folder`.
fn repository(folder: &Path, name: &str) {
    fs::create_dir_all(folder).unwrap();
    let manifest = json!({ "name": name, "version": "1.0.0" }).to_string();
    fs::write(folder.join("package.json"), manifest).unwrap();
    let author = ["-c", "user.name=a", "-c", "user.email=a@localhost"];
    for words in [["init", "-q", "-b", "main"].as_slice(), &["add", "."], &["commit", "-qm", "x"]] {
        let run = Command::new("git").args(author).args(words).current_dir(folder).output();
        assert!(run.unwrap().status.success(), "{words:?}");
    }
}

/// Lets the git of the project's user go to `place` for what begins with one of these.
fn mirror(project: &Project, place: &str, starts: &[&str]) {
    let lines = starts.iter().map(|start| format!("\tinsteadOf = {start}\n")).collect::<String>();
    fs::write(project.home().join(".gitconfig"), format!("[url \"{place}\"]\n{lines}")).unwrap();
}

#[test]
fn a_folder_of_this_machine_stands_for_a_site() {
    let registry = Registry::start();
    let folder = tempfile::tempdir().unwrap();
    repository(&folder.path().join("o/g.git"), "g");
    let site = "git.example";
    for (spec, place) in [
        (format!("git+https://{site}/o/g.git"), format!("file://{}/", folder.path().display())),
        (format!("git+https://{site}/o/g.git#main"), format!("{}/", folder.path().display())),
        (format!("git+ssh://git@{site}/o/g.git"), format!("file://{}/", folder.path().display())),
    ] {
        let project = Project::new(&registry).user_npmrc("allow-git=all").dep("g", &spec).create();
        let starts = [format!("https://{site}/"), format!("ssh://git@{site}/")];
        mirror(&project, &place, &starts.each_ref().map(String::as_str));
        ok(&project, ["install"]);
        assert_eq!(locked(&project, "node_modules/g")["version"], "1.0.0", "{spec}");
        assert!(project.exists("node_modules/g/package.json"), "{spec}");
    }
}

#[test]
fn a_mirror_of_one_site_opens_no_files_to_another() {
    let registry = Registry::start();
    let folder = tempfile::tempdir().unwrap();
    repository(&folder.path().join("o/g.git"), "g");
    let project = Project::new(&registry)
        .user_npmrc("allow-git=all")
        .dep("g", "git+https://127.0.0.1:1/o/g.git")
        .create();
    mirror(&project, &format!("file://{}/", folder.path().display()), &["https://git.example/"]);
    fails(dx(&project, ["install"]), "DX_GIT_FAILED");
}

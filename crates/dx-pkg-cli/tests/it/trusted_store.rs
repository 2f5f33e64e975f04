//! What is believed of a store: whose it is, and what it has written itself. And whether the bytes
//! that are installed are those that were verified.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use dx_pkg_testkit::{Command, Project, Registry, Run};

use crate::harness::{command, dx, fails, maintain, ok, required, stored};

const HONEST: &str = "module.exports = 'honest'\n";
const FORGED: &str = "module.exports = 'forged'\n";
const FILE: &str = "node_modules/v/index.js";

fn registry() -> Registry {
    let registry = Registry::start();
    registry.package("v", "1.0.0").file("index.js", HONEST).publish();
    registry.package("w", "1.0.0").publish();
    registry
}

fn project(registry: &Registry) -> Project {
    Project::new(registry).dep("v", "1").create()
}

/// Returns another project with the same store.
fn beside(registry: &Registry, project: &Project) -> Project {
    Project::new(registry).dep("v", "1").dep("w", "1").store(project.store()).create()
}

fn run(project: &Project, trees: &str, args: &[&str]) -> Run {
    with(project, trees).args(args.iter().copied()).run()
}

fn with(project: &Project, trees: &str) -> Command {
    command(project).env("DX_PREPARED_TREES", trees)
}

/// Writes over a file in place, and sets its time back.
fn forge(path: &Path) {
    let before = fs::metadata(path).unwrap();
    fs::write(path, FORGED).unwrap();
    assert_eq!(before.len(), FORGED.len() as u64);
    set_mtime(path, &before);
}

fn set_mtime(path: &Path, metadata: &fs::Metadata) {
    let file = fs::File::options().write(true).open(path).unwrap();
    file.set_modified(metadata.modified().unwrap()).unwrap();
}

/// Alters the lockfile's integrity of `v`.
fn alter_integrity(registry: &Registry, project: &Project, alter: impl Fn(&str) -> String) {
    let integrity = registry.integrity("v", "1.0.0");
    let text = project.read("package-lock.json");
    project.write("package-lock.json", text.replace(&integrity, &alter(&integrity)));
}

/// Ways to make an integrity another that has the same id: 43 digits of Base64 are 32 bytes, 64 are
/// 48.
fn halves() -> [fn(&str) -> String; 4] {
    const DIGITS: usize = "sha512-".len();
    [
        |integrity| {
            let other = if integrity.ends_with("Q==") { "A==" } else { "Q==" };
            format!("{}{other}", &integrity[..integrity.len() - 3])
        },
        |integrity| format!("{}{}==", &integrity[..DIGITS + 43], "A".repeat(43)),
        |integrity| format!("sha256-{}=", &integrity[DIGITS..DIGITS + 43]),
        |integrity| format!("sha384-{}", &integrity[DIGITS..DIGITS + 64]),
    ]
}

#[test]
fn altered_half_of_an_integrity_is_a_mismatch_wherever_the_package_is() {
    let registry = registry();
    for (number, alter) in halves().into_iter().enumerate() {
        for (trees, ci) in [("0", "false"), ("1", "false"), ("0", "true")] {
            for command in ["ci", "install"] {
                let project = project(&registry);
                let call = |args: &[&str]| {
                    with(&project, trees).env("CI", ci).args(args.iter().copied()).run()
                };
                call(&["install"]).success();
                if trees == "1" {
                    maintain(&project);
                }
                alter_integrity(&registry, &project, alter);
                let lock = project.read("package-lock.json");
                // The tree is in place at first.
                for _ in 0..2 {
                    let case = format!("{number} {trees} {ci} {command}");
                    let error = fails(call(&[command]), "DX_INTEGRITY_MISMATCH");
                    assert!(
                        error.contains("node_modules/v") || error.contains("tarball of v "),
                        "{case}: {error}"
                    );
                    assert_eq!(project.read("package-lock.json"), lock, "{case}");
                    if project.exists("node_modules") {
                        project.remove("node_modules");
                    }
                }
            }
        }
    }
}

#[test]
fn two_entries_with_halves_that_differ_cannot_both_be_right() {
    let registry = registry();
    let project = Project::new(&registry).dep("v", "1").dep("alias", "npm:v@1").create();
    ok(&project, ["install"]);
    let text = project.read("package-lock.json");
    let integrity = registry.integrity("v", "1.0.0");
    // One of the two.
    let altered = text.replacen(&integrity, &halves()[0](&integrity), 1);
    project.write("package-lock.json", altered);
    project.remove("node_modules");
    fails(dx(&project, ["ci"]), "DX_INTEGRITY_MISMATCH");
    let empty = Project::new(&registry)
        .dep("v", "1")
        .dep("alias", "npm:v@1")
        .file("package-lock.json", project.read("package-lock.json"))
        .create();
    fails(dx(&empty, ["ci"]), "DX_INTEGRITY_MISMATCH");
}

#[test]
fn store_that_is_a_link_within_or_not_a_folder_is_not_used() {
    let registry = registry();
    let project = project(&registry);
    let elsewhere = project.home().join("elsewhere");
    fs::create_dir_all(&elsewhere).unwrap();
    fs::create_dir_all(project.store()).unwrap();
    symlink(&elsewhere, project.store().join("v1")).unwrap();
    let error = fails(dx(&project, ["install"]), "DX_STORE_NOT_USED");
    assert!(error.contains("link") && error.contains("DX_STORE="), "{error}");
    assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 0);
    fs::remove_file(project.store().join("v1")).unwrap();
    // The folder that the user named may be a link.
    let link = project.home().join("link");
    symlink(project.store(), &link).unwrap();
    command(&project).env("DX_STORE", &link).args(["install"]).run().success();
    assert_eq!(required(&project, "v"), "honest");
}

#[test]
fn store_whose_folders_are_links_is_not_used() {
    let registry = registry();
    let project = project(&registry);
    let elsewhere = project.home().join("elsewhere");
    fs::create_dir_all(&elsewhere).unwrap();
    let file = elsewhere.join("file");
    fs::write(&file, "of the user").unwrap();
    let long_ago = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000);
    fs::File::options().write(true).open(&file).unwrap().set_modified(long_ago).unwrap();
    for folder in ["resolutions", "locks", "trash", "metadata", "commands", "prepared"] {
        ok(&project, ["install"]);
        let at = project.store().join("v1").join(folder);
        let aside = project.store().join("v1/aside");
        let _ = fs::rename(&at, &aside);
        symlink(&elsewhere, &at).unwrap();
        for args in [&["install"][..], &["ci"], &["store", "prune"], &["store", "maintain"]] {
            let _ = fs::remove_dir_all(project.path().join("node_modules"));
            let run = command(&project).args(args).run();
            assert!(run.stderr.contains("DX_STORE_NOT_USED"), "{folder} {args:?}: {run}");
        }
        fs::remove_file(&at).unwrap();
        let _ = fs::rename(&aside, &at);
        assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 1);
    }
}

#[test]
fn links_in_the_places_of_a_stores_files_are_replaced() {
    let registry = registry();
    let project = project(&registry);
    ok(&project, ["install"]);
    ok(&project, ["store", "maintain"]);
    let kept = project.home().join("kept");
    fs::write(&kept, "of the user").unwrap();
    let v1 = project.store().join("v1");
    for folder in ["", "locks", "prepared/projects", "prepared/jobs"] {
        for entry in fs::read_dir(v1.join(folder)).into_iter().flatten().flatten() {
            if entry.file_type().unwrap().is_file() && entry.file_name() != "key" {
                fs::remove_file(entry.path()).unwrap();
                symlink(&kept, entry.path()).unwrap();
            }
        }
    }
    let _ = fs::remove_dir_all(v1.join("prepared/jobs"));
    fs::create_dir_all(v1.join("prepared")).unwrap();
    symlink(project.home(), v1.join("prepared/jobs")).unwrap();
    project.remove("node_modules");
    for args in [&["install"][..], &["store", "maintain"], &["install", "v"]] {
        // A lock that is a link cannot be taken.
        command(&project).args(args).run();
        assert_eq!(fs::read_to_string(&kept).unwrap(), "of the user", "{args:?}");
    }
}

#[test]
fn pipes_in_the_places_of_a_stores_files_keep_nobody_waiting() {
    let registry = registry();
    let project = project(&registry);
    ok(&project, ["install"]);
    ok(&project, ["store", "maintain"]);
    let mut folders = vec![project.store().join("v1")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
            } else {
                fs::remove_file(entry.path()).unwrap();
                let made = std::process::Command::new("mkfifo").arg(entry.path()).status();
                assert!(made.unwrap().success());
            }
        }
    }
    project.remove("node_modules");
    for args in
        [&["store", "status"][..], &["store", "maintain"], &["store", "prune"], &["install"]]
    {
        let patient = ["20", env!("CARGO_BIN_EXE_dx")];
        let run = project.command(Path::new("timeout")).args(patient).args(args).run();
        assert_ne!(run.status, Some(124), "{args:?}: {run}");
    }
    assert_eq!(required(&project, "v"), "honest");
}

#[test]
fn store_that_others_could_read_is_closed_and_used() {
    let registry = registry();
    let project = project(&registry);
    ok(&project, ["install"]);
    let v1 = project.store().join("v1");
    fs::set_permissions(&v1, fs::Permissions::from_mode(0o755)).unwrap();
    project.remove("node_modules");
    registry.clear_requests();
    ok(&project, ["ci"]);
    assert_eq!(registry.requests().len(), 0);
    assert_eq!(fs::metadata(&v1).unwrap().mode() & 0o777, 0o700);
}

#[test]
fn packages_that_were_put_into_a_store_are_found_and_fetched_again() {
    let registry = registry();
    let project = project(&registry);
    ok(&project, ["install"]);
    // Another store has the package with other files under its id, sealed with its own key.
    let other = Project::new(&registry).dep("v", "1").create();
    ok(&other, ["install"]);
    let copy = |from: &Path, to: &Path| {
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(from, to).unwrap();
    };
    for name in stored(&other) {
        let path =
            |project: &Project| project.store().join("v1/packages").join(&name[..2]).join(&name);
        copy(&path(&other), &path(&project));
    }
    let verified = dx(&project, ["store", "verify"]);
    assert_eq!(verified.status, Some(1), "{verified}");
    assert!(verified.to_string().contains("dx has not put it there"), "{verified}");
    project.remove("node_modules");
    registry.clear_requests();
    ok(&project, ["ci"]);
    assert_eq!(registry.tarball_requests(), 1, "it is fetched again");
    assert_eq!(required(&project, "v"), "honest");
    ok(&project, ["store", "verify"]);
}

/// Returns the only file in the folders of one kind of entry.
fn only(project: &Project, folder: &str) -> PathBuf {
    let list = |path: PathBuf| fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
    list(project.store().join("v1").join(folder)).flat_map(list).next().unwrap()
}

#[test]
fn remembered_results_that_were_put_into_a_store_are_not_believed() {
    let registry = registry();
    let project = project(&registry);
    run(&project, "1", &["install"]).success();
    maintain(&project);
    let lock = project.read("package-lock.json");
    for folder in ["resolutions", "lockfiles"] {
        let path = only(&project, folder);
        let mut bytes = fs::read(&path).unwrap();
        // As a program that knows the format would write it, but for the seal.
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        fs::write(&path, bytes).unwrap();
    }
    project.remove("node_modules");
    ok(&project, ["ci"]);
    assert_eq!(project.read("package-lock.json"), lock);
    assert_eq!(required(&project, "v"), "honest");
}

#[test]
fn file_that_was_changed_in_place_and_set_back_is_restored_after_the_next_install() {
    let registry = registry();
    for trees in ["0", "1"] {
        let first = project(&registry);
        run(&first, trees, &["install"]).success();
        if trees == "1" {
            maintain(&first);
        }
        // Its links are later than the store's record.
        let second = beside(&registry, &first);
        run(&second, trees, &["install"]).success();
        if trees == "1" {
            maintain(&second);
        }
        forge(&second.path().join(FILE));
        let third = beside(&registry, &first);
        run(&third, trees, &["install"]).success();
        if trees == "1" {
            maintain(&third);
        }
        assert_eq!(required(&third, "v"), "honest", "trees: {trees}");
        ok(&third, ["store", "verify"]);
    }
}

#[test]
fn file_changed_in_place_is_not_linked_though_a_background_process_follows() {
    let registry = registry();
    let first = project(&registry);
    run(&first, "1", &["install"]).success();
    maintain(&first);
    let second = beside(&registry, &first);
    run(&second, "1", &["install"]).success();
    maintain(&second);
    let _ = fs::remove_dir_all(first.store().join("v1/prepared"));
    forge(&second.path().join(FILE));
    let third = beside(&registry, &first);
    run(&third, "1", &["install"]).success();
    assert_eq!(required(&third, "v"), "honest");
}

#[test]
fn file_that_was_changed_before_it_was_stored_is_not_stored() {
    let registry = registry();
    let first = project(&registry);
    run(&first, "1", &["install"]).success();
    // The background process has not come yet.
    let path = first.path().join(FILE);
    let before = fs::metadata(&path).unwrap();
    if fs::metadata(&path).unwrap().nlink() == 1 {
        forge(&path);
    }
    assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), before.modified().unwrap());
    maintain(&first);
    let second = beside(&registry, &first);
    run(&second, "1", &["install"]).success();
    assert_eq!(required(&second, "v"), "honest");
    ok(&second, ["store", "verify"]);
}

#[test]
fn copies_are_written_from_verified_contents() {
    let registry = registry();
    for method in ["copy", "clone-or-copy", "hardlink", "auto"] {
        for trees in ["0", "1"] {
            let first = project(&registry);
            run(&first, "0", &["install"]).success();
            let second = beside(&registry, &first);
            let stored = first.path().join(FILE);
            forge(&stored);
            let later = SystemTime::now() + Duration::from_secs(1);
            fs::File::open(&stored).unwrap().set_modified(later).unwrap();
            run(&second, trees, &["install", "--package-import-method", method]).success();
            assert_eq!(required(&second, "v"), "honest", "{method}, trees: {trees}");
        }
    }
}

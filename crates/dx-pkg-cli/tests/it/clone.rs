//! What a clone brings along: links in the tree, records that another machine made, links in the
//! place of the project's files. Nothing beyond the project changes, nothing forged is believed.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use dx_pkg_testkit::{Project, Registry};

use crate::harness::{dx, fails, ok, required};

const UP_TO_DATE: &str = "Already up to date\n";

/// Folders with a file each beside the project, and what they looked like.
struct Outside {
    folder: PathBuf,
}

impl Outside {
    fn of(project: &Project) -> Self {
        let folder = project.home().join("outside");
        for name in ["a", "@s", "@s/one", ".bin", ".dx", "node_modules/n", "n", "one"] {
            fs::create_dir_all(folder.join(name)).unwrap();
            fs::write(folder.join(name).join("kept"), name).unwrap();
        }
        for name in ["file", "state", "lock.dxl", ".dx/state", ".dx/lock.dxl", ".dx/notices"] {
            fs::write(folder.join(name), "kept").unwrap();
        }
        Outside { folder }
    }

    /// Puts a link to something in the folder in the place of an entry of the project.
    fn link(&self, project: &Project, place: &str, target: &str) {
        let place = project.path().join(place);
        remove(&place);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        symlink(self.folder.join(target), place).unwrap();
    }

    /// Returns every entry with its contents and times.
    fn look(&self) -> Vec<String> {
        let mut found = Vec::new();
        look(&self.folder, &mut found);
        found.sort();
        found
    }
}

fn look(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let metadata = path.symlink_metadata().unwrap();
        let text = fs::read_to_string(&path).unwrap_or_default();
        found.push(format!(
            "{} {:?} {:?} {text}",
            path.display(),
            metadata.permissions(),
            metadata.modified().unwrap()
        ));
        if metadata.is_dir() {
            look(&path, found);
        }
    }
}

fn remove(path: &Path) {
    match path.symlink_metadata() {
        Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(path).unwrap(),
        Ok(_) => fs::remove_file(path).unwrap(),
        Err(_) => {}
    }
}

/// Returns a registry and an installed project with a scope, a nested package and commands.
fn installed() -> (Registry, Project) {
    let registry = Registry::start();
    registry.package("a", "1.0.0").bin("a", "index.js").dep("n", "1").publish();
    registry.package("n", "1.0.0").publish();
    registry.package("n", "2.0.0").publish();
    for name in ["@s/one", "@s/two", "more"] {
        registry.package(name, "1.0.0").publish();
    }
    let project = Project::new(&registry).dep("a", "1").dep("n", "2").dep("@s/one", "1").create();
    ok(&project, ["install"]);
    (registry, project)
}

/// Removes all that this machine knows of the project's tree, as for a clone.
fn forget_store(project: &Project) {
    fs::remove_dir_all(project.store()).unwrap();
}

const PLACES: [(&str, &str); 9] = [
    ("node_modules/@s", "@s"),
    ("node_modules/@s", "one"),
    ("node_modules/@s/one", "one"),
    ("node_modules/a", "a"),
    ("node_modules/a/node_modules", "node_modules"),
    ("node_modules/.bin", ".bin"),
    ("node_modules/.dx", ".dx"),
    ("node_modules/.dx/state", "state"),
    ("node_modules/.dx/lock.dxl", "lock.dxl"),
];

#[test]
fn links_in_a_tree_are_replaced_and_what_they_lead_to_stays() {
    let (_registry, project) = installed();
    let outside = Outside::of(&project);
    let before = outside.look();
    // The commands, and whether the store knows the tree.
    let commands: [(&[&str], bool); 5] = [
        (&["install"], false),
        (&["install", "--force"], true),
        (&["install", "more", "@s/two"], true),
        (&["remove", "more", "@s/two"], false),
        (&["ci"], true),
    ];
    for (place, target) in PLACES {
        for (command, is_known) in commands {
            let case = format!("{place} {command:?}, known: {is_known}");
            outside.link(&project, place, target);
            if !is_known {
                forget_store(&project);
            }
            crate::harness::command(&project).args(command).run().success();
            assert_eq!(outside.look(), before, "{case}");
            let place = project.path().join(place);
            assert!(!place.is_symlink(), "{case}");
            let node = "require('@s/one'); console.log(require('a'))";
            assert_eq!(project.node(node).success().stdout, "a@1.0.0\n", "{case}");
            assert!(project.exists("node_modules/a/node_modules/n/package.json"), "{case}");
        }
    }
}

#[test]
fn links_in_the_place_of_own_files_and_other_kinds_are_replaced() {
    let (_registry, project) = installed();
    let outside = Outside::of(&project);
    let before = outside.look();
    let modules = project.path().join("node_modules");
    for name in [".package-lock.json", ".dx/state", ".dx/lock.dxl", ".dx/notices", ".dx"] {
        let place = modules.join(name);
        for kind in ["link", "dangling link", "folder", "file", "pipe"] {
            remove(&place);
            match kind {
                "link" => symlink(outside.folder.join("file"), &place).unwrap(),
                "dangling link" => symlink(outside.folder.join("none"), &place).unwrap(),
                "folder" => fs::create_dir_all(place.join("full/of/folders")).unwrap(),
                "file" => fs::write(&place, "something else").unwrap(),
                _ => {
                    let made = std::process::Command::new("mkfifo").arg(&place).status().unwrap();
                    assert!(made.success());
                }
            }
            let manifest = project.read("package.json");
            project.write("package.json", manifest + "\n");
            ok(&project, ["install", "more"]);
            assert_eq!(outside.look(), before, "{name} {kind}");
            assert_eq!(required(&project, "more"), "more@1.0.0", "{name} {kind}");
            assert_eq!(ok(&project, ["install"]).stdout, UP_TO_DATE, "{name} {kind}");
            ok(&project, ["remove", "more"]);
            assert_eq!(outside.look(), before, "{name} {kind}");
        }
    }
}

#[test]
fn link_in_the_place_of_node_modules_is_replaced() {
    for command in ["install", "ci"] {
        let (_registry, project) = installed();
        let outside = Outside::of(&project);
        let before = outside.look();
        outside.link(&project, "node_modules", ".");
        ok(&project, [command]);
        assert_eq!(outside.look(), before, "{command}");
        assert!(!project.path().join("node_modules").is_symlink(), "{command}");
        assert_eq!(required(&project, "a"), "a@1.0.0", "{command}");
    }
}

#[test]
fn tree_of_another_store_is_built_anew() {
    let (registry, project) = installed();
    let other = Project::new(&registry).dep("a", "1").dep("n", "2").dep("@s/one", "1").create();
    ok(&other, ["install"]);
    fs::remove_dir_all(project.path().join("node_modules")).unwrap();
    // As an archive has it, with its times.
    let copied = std::process::Command::new("cp")
        .arg("-a")
        .args([other.path().join("node_modules"), project.path()])
        .status();
    assert!(copied.unwrap().success());
    let altered = project.path().join("node_modules/a/index.js");
    let modified = altered.metadata().unwrap().modified().unwrap();
    fs::remove_file(&altered).unwrap();
    fs::write(&altered, "module.exports = 'forged'").unwrap();
    fs::File::options().write(true).open(&altered).unwrap().set_modified(modified).unwrap();
    assert_ne!(ok(&project, ["install"]).stdout, UP_TO_DATE);
    assert_eq!(required(&project, "a"), "a@1.0.0");
    assert_eq!(ok(&project, ["install"]).stdout, UP_TO_DATE);
}

#[test]
fn tree_is_believed_where_this_machine_put_it() {
    let (registry, project) = installed();
    assert_eq!(ok(&project, ["install"]).stdout, UP_TO_DATE);
    // A generated file shows whether a package was replaced.
    project.write("node_modules/a/generated.js", "");
    let manifest = project.read("package.json");
    project.write("package.json", manifest.clone() + "\n");
    ok(&project, ["install"]);
    assert!(project.exists("node_modules/a/generated.js"));
    // A moved project keeps its tree, and so does a copied one.
    let copied = std::process::Command::new("cp")
        .args(["-a", "project", "copy"])
        .current_dir(project.path().parent().unwrap())
        .status();
    let place = project.path().with_file_name("copy");
    if copied.unwrap().success() && place.is_dir() {
        let copy = crate::harness::command(&project).current_dir(&place);
        copy.args(["install"]).run().success();
        assert!(place.join("node_modules/a/generated.js").exists());
        let again = crate::harness::command(&project).current_dir(&place);
        assert_eq!(again.args(["install"]).run().success().stdout, UP_TO_DATE);
    }
    // With another store it is built anew, and with the first one again.
    let store = project.home().join("another-store");
    for store in [store.as_path(), project.store()] {
        project.write("node_modules/a/generated.js", "");
        let run = || crate::harness::command(&project).env("DX_STORE", store);
        run().args(["install"]).run().success();
        assert!(!project.exists("node_modules/a/generated.js"));
        assert_eq!(run().args(["install"]).run().success().stdout, UP_TO_DATE);
        assert_eq!(required(&project, "a"), "a@1.0.0");
    }
    drop(registry);
}

#[test]
fn hidden_lockfile_of_a_forged_tree_vouches_for_nothing_newer() {
    let registry = Registry::start();
    registry.package("a", "1.0.0").publish();
    registry.package("a", "2.0.0").publish();
    registry.package("b", "1.0.0").publish();
    let project = Project::new(&registry).dep("a", "2").dep("b", "1").create();
    ok(&project, ["install"]);
    // The lockfile of npm is there alone, older than one folder: then npm reads every manifest.
    fs::remove_dir_all(project.path().join("node_modules/.dx")).unwrap();
    project.write("node_modules/a/package.json", r#"{"name":"a","version":"1.0.0"}"#);
    let hidden = project.path().join("node_modules/.package-lock.json");
    let old = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
    let set = |path: &Path, time| fs::File::open(path).unwrap().set_modified(time).unwrap();
    set(&hidden, old);
    set(&project.path().join("node_modules/a"), old - std::time::Duration::from_secs(60));
    ok(&project, ["install"]);
    assert_eq!(project.json("node_modules/a/package.json")["version"], "2.0.0");
}

#[test]
fn scope_swapped_for_a_link_meanwhile_leads_nowhere() {
    let (_registry, project) = installed();
    let outside = Outside::of(&project);
    let before = outside.look();
    let modules = project.path().join("node_modules");
    symlink(outside.folder.join("@s"), modules.join(".aside-scope")).unwrap();
    symlink(outside.folder.join("a"), modules.join(".aside-package")).unwrap();
    symlink(outside.folder.join(".dx"), modules.join(".aside-dx")).unwrap();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for (name, aside) in [("@s", "scope"), ("a", "package"), (".dx", "dx")] {
            let (place, aside) = (modules.join(name), modules.join(format!(".aside-{aside}")));
            let real = modules.join(format!(".real-{}", name.trim_start_matches(['@', '.'])));
            let stop = &stop;
            scope.spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let _ = fs::rename(&place, &real);
                    let _ = fs::rename(&aside, &place);
                    let _ = fs::rename(&place, &aside);
                    let _ = fs::rename(&real, &place);
                }
            });
        }
        for number in 0..40 {
            let command: &[&str] = match number % 4 {
                0 => &["install", "@s/two"],
                1 => &["install", "more"],
                2 => &["remove", "@s/two", "more"],
                _ => &["install", "--force"],
            };
            // It may fail: the tree changes under it.
            crate::harness::command(&project).args(command).run();
            if outside.look() != before {
                stop.store(true, Ordering::Relaxed);
                panic!("{command:?} changed something outside: {:#?}", outside.look());
            }
        }
        stop.store(true, Ordering::Relaxed);
    });
    for name in [".aside-scope", ".aside-package", ".aside-dx", ".real-s", ".real-a", ".real-dx"] {
        remove(&modules.join(name));
    }
    ok(&project, ["ci"]);
    assert_eq!(required(&project, "a"), "a@1.0.0");
}

#[test]
fn nothing_is_written_through_a_link_that_leads_out_of_the_project() {
    let registry = Registry::start();
    registry.package("a", "1.0.0").publish();
    for (name, contents) in [
        ("package-lock.json", Some("{\"editor\": 12}\n")),
        ("package-lock.json", Some("")),
        ("package-lock.json", None),
        ("npm-shrinkwrap.json", Some("{}")),
        ("package.json", Some("{\"editor\": 12}\n")),
    ] {
        let project = Project::new(&registry).dep("a", "1").create();
        let target = project.home().join("settings.json");
        contents.iter().for_each(|contents| fs::write(&target, contents).unwrap());
        remove(&project.path().join(name));
        symlink(&target, project.path().join(name)).unwrap();
        for command in [&["install", "a"][..], &["install", "a", "--lockfile-only"]] {
            let run = crate::harness::command(&project).args(command).run();
            let stderr = fails(run, "DX_LINKED_FILE");
            assert!(stderr.contains("settings.json") && stderr.contains("help:"), "{stderr}");
            assert_eq!(fs::read_to_string(&target).ok().as_deref(), contents, "{name}");
            assert!(!project.exists("node_modules"), "{name}");
            assert!(project.path().join(name).is_symlink());
        }
    }
}

#[test]
fn link_to_a_file_in_the_project_is_followed_and_stays() {
    let registry = Registry::start();
    registry.package("a", "1.0.0").publish();
    let project = Project::new(&registry).create();
    fs::create_dir(project.path().join("config")).unwrap();
    for name in ["package.json", "package-lock.json"] {
        let place = project.path().join(name);
        if place.exists() {
            fs::rename(&place, project.path().join("config").join(name)).unwrap();
        }
        symlink(Path::new("config").join(name), place).unwrap();
    }
    ok(&project, ["install", "a"]);
    for name in ["package.json", "package-lock.json"] {
        assert!(project.path().join(name).is_symlink(), "{name}");
        assert!(project.read(&format!("config/{name}")).contains("\"a\""), "{name}");
    }
    assert_eq!(ok(&project, ["install"]).stdout, UP_TO_DATE);
}

#[test]
fn file_outside_is_read_where_nothing_is_written() {
    let registry = Registry::start();
    registry.package("a", "1.0.0").publish();
    let project = Project::new(&registry).dep("a", "1").create();
    ok(&project, ["install"]);
    for name in ["package.json", "package-lock.json"] {
        let target = project.home().join(name);
        fs::rename(project.path().join(name), &target).unwrap();
        symlink(target, project.path().join(name)).unwrap();
    }
    for command in ["install", "ci"] {
        fs::remove_dir_all(project.path().join("node_modules")).unwrap();
        ok(&project, [command]);
        assert_eq!(required(&project, "a"), "a@1.0.0");
    }
}

#[test]
fn settings_that_are_a_link_out_of_the_project_are_not_shown() {
    let registry = Registry::start();
    registry.package("a", "1.0.0").publish();
    let project = Project::new(&registry).dep("a", "1").create();
    let secret = project.home().join("id_rsa");
    let own = project.read(".npmrc");
    fs::write(&secret, format!("SECRETKEY-7f3a\n{own}MORE = SECRETKEY-7f3b\n")).unwrap();
    remove(&project.path().join(".npmrc"));
    symlink(&secret, project.path().join(".npmrc")).unwrap();
    let run = dx(&project, ["install"]).success();
    assert!(!format!("{run}").contains("SECRETKEY"), "{run}");
    assert!(run.stderr.contains("2 lines") && run.stderr.contains("id_rsa"), "{run}");
    // A file in the project may be shown.
    fs::remove_file(project.path().join(".npmrc")).unwrap();
    fs::write(project.path().join("npmrc"), format!("{own}not-a-setting = 1\n")).unwrap();
    symlink("npmrc", project.path().join(".npmrc")).unwrap();
    let run = dx(&project, ["install"]).success();
    assert!(run.stderr.contains("not-a-setting"), "{run}");
}

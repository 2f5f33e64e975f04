//! Manifest and lockfile as files of the user: what they are stays, and nothing is half done.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::Path;

use dx_pkg_testkit::require::{self, Need};
use dx_pkg_testkit::{Project, Registry};

use crate::harness::{command, dx, fails, files, ok, required};

const FILES: [&str; 2] = ["package.json", "package-lock.json"];

fn registry() -> Registry {
    let registry = Registry::start();
    for name in ["a", "b"] {
        registry.package(name, "1.0.0").publish();
    }
    registry
}

/// A project with `a` in its lockfile and in place.
fn installed(registry: &Registry) -> Project {
    let project = Project::new(registry).dep("a", "1").create();
    ok(&project, ["install"]);
    project
}

fn has_b(project: &Project) {
    for name in FILES {
        assert!(project.read(name).contains("\"b\""), "{name}");
    }
    assert_eq!(required(project, "b"), "b@1.0.0");
}

#[test]
fn file_that_is_a_mount_is_written() {
    let registry = registry();
    for name in FILES {
        let project = installed(&registry);
        let outside = project.home().join(name);
        fs::copy(project.path().join(name), &outside).unwrap();
        let script = format!(
            "mount --bind '{}' '{}' && exec '{}' install b",
            outside.display(),
            project.path().join(name).display(),
            env!("CARGO_BIN_EXE_dx"),
        );
        let may_mount = require::output("unshare", ["-m", "true"]);
        if require::met(Need::Mounts, may_mount).is_none() {
            return;
        }
        let run = project
            .command(Path::new("unshare"))
            .env("DX_PREPARED_TREES", "0")
            .args(["-m", "sh", "-c", &script])
            .run()
            .success();
        assert!(fs::read_to_string(&outside).unwrap().contains("\"b\""), "{name}: {run}");
        assert!(project.exists("node_modules/b"));
    }
}

#[test]
fn owner_group_and_mode_stay() {
    let registry = registry();
    let project = installed(&registry);
    for name in FILES {
        let path = project.path().join(name);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        // Only root may give files away; whose they are then must stay in any case.
        let _ = chown(&path, Some(1234), Some(1235));
    }
    let state = |name: &str| {
        let found = fs::metadata(project.path().join(name)).unwrap();
        (found.uid(), found.gid(), found.mode())
    };
    let before = FILES.map(state);
    ok(&project, ["install", "b"]);
    assert_eq!(FILES.map(state), before);
    has_b(&project);
}

#[test]
fn links_stay() {
    let registry = registry();
    let project = installed(&registry);
    for name in FILES {
        let real = format!("kept/{name}");
        project.write(&real, project.read(name));
        fs::remove_file(project.path().join(name)).unwrap();
        symlink(&real, project.path().join(name)).unwrap();
        let second = project.home().join(format!("{name}.second"));
        fs::hard_link(project.path().join(&real), second).unwrap();
    }
    ok(&project, ["install", "b"]);
    has_b(&project);
    for name in FILES {
        assert!(project.path().join(name).is_symlink(), "{name}");
        let second = fs::read_to_string(project.home().join(format!("{name}.second"))).unwrap();
        assert_eq!(second, project.read(name));
    }
}

#[test]
fn what_cannot_be_written_is_told_before_anything_changes() {
    let registry = registry();
    for name in FILES {
        let project = installed(&registry);
        // A link that leads nowhere it could be made stands for any file that cannot be written.
        let path = project.path().join(name);
        let text = fs::read(&path).unwrap();
        let unwritable = project.path().join("no-such-folder").join(name);
        if name == "package.json" {
            if !require::unprivileged() {
                continue;
            }
            fs::set_permissions(&path, fs::Permissions::from_mode(0o444)).unwrap();
        } else {
            fs::remove_file(&path).unwrap();
            symlink(&unwritable, &path).unwrap();
        }
        let before = files(&project);
        let stderr = fails(dx(&project, ["install", "b"]), "DX_IO");
        assert!(stderr.contains(name), "{stderr}");
        assert_eq!(files(&project), before);
        assert!(!text.is_empty());
    }
}

#[test]
fn file_that_does_not_change_need_not_be_writable() {
    if !require::unprivileged() {
        return;
    }
    let registry = registry();
    let project = installed(&registry);
    for name in FILES {
        let path = project.path().join(name);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o444)).unwrap();
    }
    project.remove("node_modules");
    ok(&project, ["install"]);
    assert_eq!(required(&project, "a"), "a@1.0.0");
}

#[test]
fn no_save_leaves_the_lockfile_as_it_is() {
    let registry = registry();
    let old = "{\n  \"name\": \"project\",\n  \"lockfileVersion\": 3,\n  \"packages\": {}\n}\n";
    for (flags, line) in [(vec!["--no-save"], ""), (vec![], "save=false")] {
        let install =
            |project: &Project| command(project).args(["install"]).args(&flags).run().success();
        let project = Project::new(&registry).dep("a", "1").npmrc(line).create();
        install(&project);
        assert!(!project.exists("package-lock.json"));
        let project = Project::new(&registry)
            .dep("a", "1")
            .npmrc(line)
            .file("package-lock.json", old)
            .create();
        install(&project);
        assert_eq!(project.read("package-lock.json"), old);
        assert_eq!(required(&project, "a"), "a@1.0.0");
        // The lockfile is still to be written.
        project.write(".npmrc", format!("registry={}\n", registry.url()));
        ok(&project, ["install"]);
        assert!(project.read("package-lock.json").contains("node_modules/a"));
        // Where nothing would be written, the tree is up to date as after any install.
        project.remove("node_modules");
        install(&project);
        assert_eq!(install(&project).stdout, "Already up to date\n");
    }
}

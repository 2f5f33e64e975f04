//! Scripts of the project itself: what they change in `package.json`, and when they run again.

use dx_pkg_testkit::{Project, ProjectBuilder, Registry};
use serde_json::json;

use crate::harness::{command, ok};

/// Changes `package.json`: requires `two` and adds a script.
const CHANGE: &str = "node -e \"const fs = require('fs'); \
    const manifest = JSON.parse(fs.readFileSync('package.json')); \
    manifest.dependencies.two = '1.0.0'; \
    manifest.scripts.postprepare = 'echo late >> ran'; \
    fs.writeFileSync('package.json', JSON.stringify(manifest))\"";

fn registry() -> Registry {
    let registry = Registry::start();
    registry.package("one", "1.0.0").publish();
    registry.package("two", "1.0.0").publish();
    registry
}

fn project(registry: &Registry) -> ProjectBuilder {
    Project::new(registry).dep("one", "1")
}

fn ran(project: &Project) -> usize {
    let text = if project.exists("ran") { project.read("ran") } else { String::new() };
    project.write("ran", "");
    text.lines().count()
}

#[test]
fn what_preinstall_changes_in_package_json_is_installed() {
    let registry = registry();
    let project = project(&registry).script("preinstall", CHANGE).create();
    ok(&project, ["install"]);
    let installed: Vec<String> = project.installed().into_keys().collect();
    assert_eq!(installed, ["node_modules/one", "node_modules/two"]);
    assert!(project.json("package-lock.json")["packages"]["node_modules/two"].is_object());
    assert_eq!(project.json("package.json")["dependencies"]["two"], "1.0.0");
    assert_eq!(ran(&project), 1, "the script that it added");
    assert_eq!(ok(&project, ["install"]).stdout, "Already up to date\n");
}

#[test]
fn what_later_scripts_change_is_installed_next_time() {
    let registry = registry();
    for event in ["install", "postinstall", "prepublish", "preprepare", "prepare", "dependencies"] {
        let project = project(&registry).script(event, CHANGE).create();
        ok(&project, ["install"]);
        assert!(!project.exists("node_modules/two"), "{event}");
        assert_eq!(ran(&project), 1, "{event}: the script that it added");
        ok(&project, ["install"]);
        assert!(project.exists("node_modules/two"), "{event}");
    }
}

#[test]
fn ci_installs_what_the_files_said_before_preinstall_as_npm_does() {
    let registry = registry();
    let project = project(&registry).create();
    ok(&project, ["install"]);
    let mut manifest = project.json("package.json");
    manifest["scripts"] = json!({ "preinstall": CHANGE });
    project.write("package.json", manifest.to_string());
    ok(&project, ["ci"]);
    assert!(!project.exists("node_modules/two"));
    assert!(project.json("package-lock.json")["packages"]["node_modules/two"].is_null());
    ok(&project, ["install"]);
    assert!(project.exists("node_modules/two"));
}

#[test]
fn preinstall_may_write_lockfile_and_workspaces() {
    let registry = registry();
    registry.package("one", "1.1.0").publish();
    let locked = Project::new(&registry).dep("one", "1.0.0").create();
    ok(&locked, ["install"]);
    let lock = locked.read("package-lock.json").replace("\"one\": \"1.0.0\"", "\"one\": \"1\"");
    let generate = "mv saved package-lock.json; mkdir -p w; \
                    echo '{\"name\":\"w\",\"version\":\"1.0.0\"}' > w/package.json";
    let project = project(&registry)
        .field("workspaces", json!(["w"]))
        .script("preinstall", generate)
        .file("saved", lock)
        .create();
    ok(&project, ["install"]);
    assert_eq!(project.installed()["node_modules/one"], "one@1.0.0");
    assert!(project.exists("node_modules/w/package.json"));
}

#[test]
fn own_scripts_run_again_with_force_or_the_setting_only() {
    let registry = registry();
    let project = project(&registry)
        .script("prepare", "echo x >> ran")
        .file("w/package.json", r#"{"name":"w","scripts":{"prepare":"echo w >> ../ran"}}"#)
        .field("workspaces", json!(["w"]))
        .create();
    let runs = |args: &[&str], variable: Option<&str>| {
        let command = command(&project);
        let command = match variable {
            Some(variable) => command.env(variable, "true"),
            None => command,
        };
        command.args(args).run().success();
        ran(&project)
    };
    assert_eq!(runs(&["install"], None), 2);
    assert_eq!(runs(&["install"], None), 0);
    assert_eq!(runs(&["install", "--always-run-scripts"], None), 2);
    assert_eq!(runs(&["install", "--always-run-scripts"], None), 2, "each time");
    assert_eq!(runs(&["install"], Some("npm_config_always_run_scripts")), 2);
    assert_eq!(runs(&["install", "--force"], None), 2);
    assert_eq!(runs(&["install"], Some("npm_config_force")), 2);
    runs(&["install"], None);
    assert_eq!(runs(&["install"], None), 0);
    project.write(".npmrc", format!("{}\nforce=true\n", project.read(".npmrc")));
    for _ in 0..2 {
        let run = command_of(&project).success();
        assert_ne!(run.stdout, "Already up to date\n");
        assert_eq!(ran(&project), 2);
    }
    project.write(".npmrc", project.read(".npmrc").replace("force", "always-run-scripts"));
    for _ in 0..2 {
        command_of(&project).success();
        assert_eq!(ran(&project), 2);
    }
}

fn command_of(project: &Project) -> dx_pkg_testkit::Run {
    command(project).args(["install"]).run()
}

/// Runs dx, which must not wait for itself.
fn in_time(project: &Project, args: &[&str]) {
    // The inner install would wait for the outer one's lock for ever.
    let mut child = command(project).args(args).spawn();
    for _ in 0..1200 {
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success(), "{status}");
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    panic!("dx waits for itself");
}

#[test]
fn script_may_install_in_the_same_project_by_npm_execpath() {
    let registry = registry();
    registry.package("native", "1.0.0").script("install", "true").publish();
    let nested = "test -n \"$INNER\" || INNER=1 \"$npm_execpath\" install two";
    for event in ["preinstall", "postinstall", "dependencies"] {
        let project = project(&registry)
            .dep("native", "1")
            .field("allowScripts", json!({ "native": true }))
            .script(event, nested)
            .create();
        in_time(&project, &["install"]);
        let all = ["node_modules/native", "node_modules/one", "node_modules/two"];
        assert_eq!(project.installed().into_keys().collect::<Vec<_>>(), all, "{event}");
        assert_eq!(project.json("package.json")["dependencies"]["two"], "^1.0.0", "{event}");
        let lock = project.json("package-lock.json");
        assert!(all.iter().all(|path| lock["packages"][path].is_object()), "{event}: {lock}");
        // What is not recorded is looked at again, and found right.
        let again = command(&project).env("INNER", "1").args(["ci"]).run().success();
        assert!(again.stdout.contains("3 packages"), "{event}: {again}");
    }
}

#[test]
fn package_that_an_inner_install_does_not_save_goes_with_the_next() {
    let registry = registry();
    let nested = "test -n \"$INNER\" || INNER=1 \"$npm_execpath\" install --no-save two";
    let project = project(&registry).script("postinstall", nested).create();
    in_time(&project, &["install"]);
    assert!(project.exists("node_modules/two"));
    command(&project).env("INNER", "1").args(["install"]).run().success();
    assert!(!project.exists("node_modules/two"));
}

#[test]
fn npm_execpath_runs_other_scripts() {
    let registry = registry();
    let project = project(&registry)
        .script("outer", "\"$npm_execpath\" run inner && \"$npm_execpath\" --version")
        .script("inner", "echo ran by $npm_lifecycle_event")
        .create();
    let run = ok(&project, ["run", "--silent", "outer"]);
    assert!(run.stdout.starts_with("ran by inner\ndx "), "{run}");
}

#[test]
fn script_shell_and_user_agent_can_be_set_everywhere() {
    let registry = registry();
    let shell = "#!/bin/sh\necho \"shell $npm_config_user_agent\" >> \"$INIT_CWD/ran\"\n";
    registry.package("native", "1.0.0").script("install", "true").publish();
    let project = project(&registry)
        .dep("native", "1")
        .field("allowScripts", json!({ "native": true }))
        .script("prepare", "true")
        .script("x", "true")
        .file("sh", shell)
        .create();
    let path = project.path().join("sh");
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let path = path.display().to_string();
    let flags = ["--script-shell", &path, "--user-agent=npm/{npm-version} x"];
    for command_line in [&["install"][..], &["run", "x"]] {
        let first: Vec<&str> = command_line[..1].iter().chain(&flags).copied().collect();
        let all = first.into_iter().chain(command_line[1..].iter().copied());
        command(&project).args(all).run().success();
    }
    assert_eq!(project.read("ran"), "shell npm/? x\n".repeat(3));
    let settings = format!("script-shell={path}\nuser-agent=other/1\n");
    std::fs::write(project.home().join(".npmrc"), settings).unwrap();
    ok(&project, ["ci"]);
    ok(&project, ["run", "x"]);
    assert!(project.read("ran").ends_with(&"shell other/1\n".repeat(3)));
}

//! What lies outside of the project: only a manifest leads there, and nothing there is changed.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use dx_pkg_testkit::{Project, Registry};
use serde_json::json;

use crate::harness::{dx, fails, ok};

const TOOL: &str = "#!/bin/sh\r\necho ran\n";

fn registry() -> Registry {
    let registry = Registry::start();
    registry.package("a", "1.0.0").publish();
    registry.package("t", "1.0.0").dep("a", "1").publish();
    registry
}

fn mode(file: &Path) -> u32 {
    fs::metadata(file).unwrap().permissions().mode() & 0o777
}

/// Writes a file that only its owner may read.
fn private(project: &Project, path: &str, text: &str) -> std::path::PathBuf {
    project.write(path, text);
    let file = project.path().join(path);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    file
}

#[test]
fn commands_of_a_folder_outside_are_linked_and_their_files_left_as_they_are() {
    let registry = registry();
    let project = Project::new(&registry).dep("out", "file:../out").create();
    project.write("../out/package.json", r#"{"name":"out","bin":{"tool":"tool.sh","y":"y"}}"#);
    let tool = private(&project, "../out/tool.sh", TOOL);
    project.write("../out/y", "#!/bin/sh\necho ran\n");
    fs::set_permissions(project.path().join("../out/y"), fs::Permissions::from_mode(0o755))
        .unwrap();
    let run = ok(&project, ["install"]);
    assert!(run.stderr.contains("the command tool cannot be started: "), "{run}");
    assert!(run.stderr.contains("is not executable") && !run.stderr.contains("command y"), "{run}");
    assert_eq!((mode(&tool), fs::read_to_string(&tool).unwrap().as_str()), (0o600, TOOL));
    assert!(project.exists("node_modules/.bin/tool"));
    fs::set_permissions(&tool, fs::Permissions::from_mode(0o700)).unwrap();
    let run = ok(&project, ["ci"]);
    assert!(run.stderr.contains("carriage return after its first line"), "{run}");
    assert_eq!((mode(&tool), fs::read_to_string(&tool).unwrap().as_str()), (0o700, TOOL));
}

#[test]
fn command_that_a_link_leads_out_of_the_project_is_left_as_it_is() {
    let registry = registry();
    let project = Project::new(&registry)
        .dep("lib", "file:./lib")
        .file("lib/package.json", r#"{"name":"lib","bin":{"x":"x.sh","own":"own.sh"}}"#)
        .file("lib/own.sh", TOOL)
        .create();
    let secret = private(&project, "../home/id_rsa", TOOL);
    symlink("../../home/id_rsa", project.path().join("lib/x.sh")).unwrap();
    ok(&project, ["install"]);
    assert_eq!((mode(&secret), fs::read_to_string(&secret).unwrap().as_str()), (0o600, TOOL));
    let own = project.path().join("lib/own.sh");
    assert_eq!(
        (mode(&own) & 0o111, fs::read_to_string(&own).unwrap().contains('\r')),
        (0o111, false)
    );
}

/// A lockfile whose entry `node_modules/a` is a link to a folder outside.
fn lock_with_link(target: &str, root: &serde_json::Value) -> String {
    let lock = json!({
        "name": "project", "version": "1.0.0", "lockfileVersion": 3, "requires": true,
        "packages": {
            "": root,
            target: { "name": "a", "version": "1.0.0", "bin": { "x": "id_rsa" } },
            "node_modules/a": { "resolved": target, "link": true },
        },
    });
    lock.to_string()
}

#[test]
fn lockfile_alone_does_not_lead_out_of_the_project() {
    let registry = registry();
    let root = json!({ "name": "project", "version": "1.0.0", "dependencies": { "a": "1.0.0" } });
    let project = Project::new(&registry).package_json(&root.to_string()).create();
    let secret = private(&project, "../home/id_rsa", "secret");
    project.write("../home/package.json", r#"{"name":"a","version":"1.0.0"}"#);
    let lock = lock_with_link("../home", &root);
    for command in ["ci", "install"] {
        project.write("package-lock.json", &lock);
        let message = fails(dx(&project, [command]), "DX_LOCK_LEAVES_PROJECT");
        assert!(message.contains("node_modules/a to ../home"), "{message}");
        assert!(!project.exists("node_modules/a"));
        assert_eq!((mode(&secret), project.read("package-lock.json")), (0o600, lock.clone()));
    }
}

#[test]
fn lockfile_may_link_where_any_manifest_of_the_project_leads() {
    let registry = registry();
    let cases = [
        json!({ "dependencies": { "a": "file:../home" } }),
        json!({ "devDependencies": { "a": "file:./../x/../home" } }),
        json!({ "dependencies": { "t": "1" }, "overrides": { "t": { "a": "file:../home" } } }),
        json!({ "dependencies": { "lib": "file:lib" } }),
        json!({ "workspaces": ["../home"] }),
    ];
    for manifest in cases {
        let project = Project::new(&registry)
            .package_json(&manifest.to_string())
            .file("lib/package.json", r#"{"name":"lib","dependencies":{"a":"file:../../home"}}"#)
            .create();
        project.write("../home/package.json", r#"{"name":"a","version":"1.0.0"}"#);
        ok(&project, ["install"]);
        ok(&project, ["ci"]);
        let target = fs::read_link(project.path().join("node_modules/a")).unwrap();
        assert_eq!(target.to_str(), Some("../../home"), "{manifest}");
    }
}

#[test]
fn workspace_that_a_link_leads_out_of_the_project_is_refused() {
    let registry = registry();
    for pattern in ["packages/a", "packages/*", "**"] {
        let project = Project::new(&registry)
            .field("workspaces", json!([pattern]))
            .file("packages/b/package.json", r#"{"name":"b"}"#)
            .create();
        project.write("../out/package.json", r#"{"name":"out","dependencies":{"a":"1"}}"#);
        symlink("../../out", project.path().join("packages/a")).unwrap();
        fails(dx(&project, ["install"]), "DX_WORKSPACE_OUTSIDE");
        assert!(!project.exists("../out/node_modules") && !project.exists("node_modules"));
    }
    // A folder on the way may be the link, too.
    let project = Project::new(&registry).field("workspaces", json!(["packages/*"])).create();
    project.write("../all/a/package.json", r#"{"name":"out"}"#);
    symlink("../all", project.path().join("packages")).unwrap();
    fails(dx(&project, ["install"]), "DX_WORKSPACE_OUTSIDE");
}

#[test]
fn scripts_of_a_workspace_outside_are_run_where_they_are_allowed() {
    let registry = registry();
    let manifest = r#"{"name":"out","scripts":{"prepare":"echo ran > ran"}}"#;
    let project = Project::new(&registry)
        .field("workspaces", json!(["../out", "in"]))
        .file("in/package.json", manifest.replace("out", "in"))
        .create();
    project.write("../out/package.json", manifest);
    let run = ok(&project, ["install"]);
    assert!(run.stderr.contains("\"file:../out\": true"), "{run}");
    assert!(project.exists("in/ran") && !project.exists("../out/ran"));
    project.write(
        "package.json",
        r#"{"workspaces":["../out","in"],"allowScripts":{"file:../out":true}}"#,
    );
    ok(&project, ["ci"]);
    assert!(project.exists("../out/ran"));
}

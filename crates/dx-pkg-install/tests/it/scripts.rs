//! Scripts in the environment made for them.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use dx_pkg_install::scripts::{
    LockFacts, Output, ScriptCommand, ScriptEnvironment, SharedFacts, environment, run,
};

/// Writes the command `name`, which prints `text`, into the commands of `folder`.
fn command(folder: &Path, name: &str, text: &str) {
    let bin = folder.join("node_modules/.bin");
    fs::create_dir_all(&bin).unwrap();
    let path = bin.join(name);
    fs::write(&path, format!("#!/bin/sh\necho {text}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_script_finds_the_commands_around_it() {
    let project = tempfile::tempdir().unwrap();
    let folder = project.path().join("node_modules/a");
    command(project.path(), "where", "outer");
    command(project.path(), "outer", "outer");
    command(&folder, "where", "inner");
    let environment = environment(
        std::env::vars(),
        &ScriptEnvironment {
            event: "postinstall",
            script: "where && outer && echo $npm_package_name:$npm_lifecycle_event:$INIT_CWD",
            package: &folder,
            name: Some("a"),
            version: Some("1.0.0"),
            fields: &[],
            lock: Some(LockFacts::default()),
            project: project.path(),
            called_from: Path::new("/called"),
            command: "install",
            shared: &SharedFacts::default(),
            executable: Path::new("/dx"),
        },
    );
    let outcome = run(&ScriptCommand {
        script: &environment["npm_lifecycle_script"],
        arguments: &["it's".into(), "$HOME *".into()],
        folder: &folder,
        environment: &environment,
        shell: None,
        output: Output::Capture,
    })
    .unwrap();
    assert!(outcome.success(), "{}", String::from_utf8_lossy(&outcome.output));
    assert_eq!(
        String::from_utf8(outcome.output).unwrap(),
        "inner\nouter\na:postinstall:/called it's $HOME *\n"
    );
}

//! `dx-registry test`: what the command that it runs can reach, and what is left afterwards.

use crate::server::command;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

/// Returns `dx-registry test … -- COMMAND` with a folder of its own for temporary files.
fn test(folder: &Path, program: &[&str]) -> Command {
    let temporary = folder.join("temporary");
    fs::create_dir_all(&temporary).unwrap();
    let mut command = command(folder);
    command.current_dir(folder).env("TMPDIR", temporary);
    command.args(["test", "--upstream", "none", "--"]).args(program);
    command
}

#[test]
fn command_gets_neither_the_users_credentials_nor_his_registries() {
    let folder = tempfile::tempdir().unwrap();
    let npmrc = "registry=https://production.example/\n@acme:registry=https://production.example/\n\
                 //production.example/:_authToken=SECRET\n_auth=SECRET\n_password = SECRET\n\
                 ignore-scripts=true\n\"//x.example/:_authToken\"=SECRET\nkey=SECRET\ncert=SECRET\n\
                 https-proxy=http://user:SECRET@proxy.example/\n[section]\n_authToken=SECRET\n";
    fs::write(folder.path().join(".npmrc"), npmrc).unwrap();
    let show = "const fs = require('fs');
        const { npm_config_userconfig, npm_config_globalconfig } = process.env;
        console.log(fs.readFileSync(npm_config_userconfig, 'utf8'));
        console.log(fs.readFileSync(npm_config_globalconfig, 'utf8'));
        const names = Object.keys(process.env).filter(name => /^npm_config_/i.test(name));
        console.log(names.map(name => name + '=' + process.env[name]).join('\\n'));";
    let output = test(folder.path(), &["node", "-e", show])
        .env("npm_config_//production.example/:_authToken", "SECRET")
        .env("npm_config_@acme:registry", "https://production.example/")
        .env("NPM_CONFIG__AUTH", "SECRET")
        .env("NPM_CONFIG_REGISTRY", "https://production.example/")
        .output()
        .unwrap();
    let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert!(output.status.success(), "{text}");
    assert!(!text.contains("SECRET") && !text.contains("production"), "{text}");
    assert!(text.contains("ignore-scripts=true"), "other settings stay: {text}");
    assert!(text.contains(":_authToken=dxr_"), "{text}");
}

#[test]
fn settings_of_the_project_that_lead_elsewhere_are_overridden_and_told() {
    let folder = tempfile::tempdir().unwrap();
    let project = folder.path().join("project/inner");
    fs::create_dir_all(&project).unwrap();
    let npmrc = "@acme:registry=https://production.example/\n";
    fs::write(folder.path().join("project/.npmrc"), npmrc).unwrap();
    let manifest = r#"{ "publishConfig": { "registry": "https://publish.example/" } }"#;
    fs::write(project.join("package.json"), manifest).unwrap();
    let show =
        "console.log(process.env['npm_config_@acme:registry'] === process.env.DX_TEST_REGISTRY)";
    let output = test(folder.path(), &["node", "-e", show]).current_dir(&project).output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap().trim(), "true");
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("@acme to https://production.example/"), "{told}");
    assert!(told.contains("publishConfig") && told.contains("https://publish.example/"), "{told}");
}

#[cfg(unix)]
#[test]
fn nothing_is_left_when_the_command_is_ended_by_a_signal() {
    for (signal, code) in [("TERM", 143), ("HUP", 143)] {
        let folder = tempfile::tempdir().unwrap();
        let mut child = test(folder.path(), &["sh", "-c", "echo ready $$; exec sleep 60"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let sleeping = line.trim().strip_prefix("ready ").unwrap();
        let kill = |signal: &str, process: &str| {
            Command::new("kill")
                .args([&format!("-{signal}"), process])
                .stderr(Stdio::null())
                .status()
        };
        assert!(kill(signal, &child.id().to_string()).unwrap().success());
        assert_eq!(child.wait().unwrap().code(), Some(code), "{signal}");
        assert!(!kill("0", sleeping).unwrap().success(), "the command has ended too");
        let left = fs::read_dir(folder.path().join("temporary")).unwrap().count();
        assert_eq!(left, 0, "{signal}");
    }
    let folder = tempfile::tempdir().unwrap();
    let killed = test(folder.path(), &["sh", "-c", "kill -KILL $$"]).status().unwrap();
    assert_eq!(killed.code(), Some(137));
}

//! What `dx pkg` and `dx version` say and leave behind, beside what npm 12.2.2 did in the same
//! projects.
//!
//! `authors.json` has small projects, and invocations with npm's output, the manifests that npm
//! changed, and its commits and tags.

mod provenance;
mod registry;
mod server;

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

/// Runs a command in a project with a home of its own.
fn run(program: &str, words: &[&str], folder: &Path, home: &Path) -> Output {
    Command::new(program)
        .args(words)
        .current_dir(folder)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", home)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("LC_ALL", "C.UTF-8")
        .output()
        .unwrap()
}

/// Writes a project, as a git repository with one commit where it is one.
fn write_project(project: &Value, root: &Path, home: &Path) {
    for (path, text) in project["files"].as_object().unwrap() {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text.as_str().unwrap()).unwrap();
    }
    if project["git"] == true {
        for words in
            [&["init", "-q", "-b", "main"][..], &["add", "-A"], &["commit", "-qm", "first"]]
        {
            let output = run("git", words, root, home);
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }
    }
}

/// Returns the lines of a text that are not empty, without spaces at their ends.
fn lines(text: &str) -> Vec<String> {
    text.lines().map(|line| line.trim_end().to_owned()).filter(|line| !line.is_empty()).collect()
}

/// Returns how the end of an invocation differs from what npm left behind.
fn differences(
    case: &Value,
    project: &Value,
    output: &Output,
    root: &Path,
    home: &Path,
) -> Vec<String> {
    let mut found = Vec::new();
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() == case["failed"].as_bool().unwrap() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        found.push(format!("{}: {stderr}", output.status));
    }
    if let Some(text) = case["text"].as_str()
        && lines(text) != lines(&stdout)
    {
        found.push(format!("npm:\n{text}\ndx:\n{stdout}"));
    }
    if let Some(json) = case.get("json") {
        let own: Value = serde_json::from_str(&stdout).unwrap_or_default();
        if own != *json {
            found.push(format!("npm: {json}\ndx: {own}"));
        }
    }
    if let Some(changed) = case.get("pkg") {
        for (path, before) in project["files"].as_object().unwrap() {
            if !path.ends_with("package.json") {
                continue;
            }
            let expected = changed.get(path).unwrap_or(before).as_str().unwrap();
            let own = std::fs::read_to_string(root.join(path)).unwrap();
            if own.trim_end_matches('\n') != expected.trim_end_matches('\n') {
                found.push(format!("{path}, npm:\n{expected}\ndx:\n{own}"));
            }
        }
    }
    if let Some(git) = case.get("git") {
        let log = run("git", &["log", "--format=%s%n%b"], root, home);
        let tags = [
            "for-each-ref",
            "--format=%(refname:short) %(objecttype) %(contents:subject)",
            "refs/tags",
        ];
        let tags = run("git", &tags, root, home);
        for (key, own) in [("log", log), ("tags", tags)] {
            let own = lines(&String::from_utf8_lossy(&own.stdout));
            let expected: Vec<String> = git[key]
                .as_array()
                .unwrap()
                .iter()
                .map(|line| line.as_str().unwrap().trim_end().to_owned())
                .filter(|line| !line.is_empty())
                .collect();
            if own != expected {
                found.push(format!("{key}, npm: {expected:?}, dx: {own:?}"));
            }
        }
    }
    found
}

#[test]
fn manifests_and_versions_change_as_with_npm() {
    let table: Value = serde_json::from_str(include_str!("authors.json")).unwrap();
    let mut different = Vec::new();
    let runs = table["runs"].as_array().unwrap();
    for case in runs {
        let folder = tempfile::tempdir().unwrap();
        let top = folder.path().canonicalize().unwrap();
        let (root, home) = (top.join("p"), top.join("home"));
        std::fs::create_dir(&root).unwrap();
        std::fs::create_dir(&home).unwrap();
        let config = "[user]\nname = T\nemail = t@example.test\n";
        std::fs::write(home.join(".gitconfig"), config).unwrap();
        let project = &table["projects"][case["project"].as_u64().unwrap() as usize];
        write_project(project, &root, &home);
        let words = case["words"].as_array().unwrap();
        let words: Vec<&str> = words.iter().map(|word| word.as_str().unwrap()).collect();
        let from = root.join(case["cwd"].as_str().unwrap_or("."));
        let output = run(env!("CARGO_BIN_EXE_dx"), &words, &from, &home);
        crate::schemas::check(&words, &String::from_utf8_lossy(&output.stdout));
        for difference in differences(case, project, &output, &root, &home) {
            different.push(format!("{}: {difference}", case["name"]));
        }
    }
    assert!(different.is_empty(), "{} differ:\n{}", different.len(), different.join("\n"));
    assert!(runs.len() > 150);
}

#[test]
fn commit_of_a_repository_is_packed_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let (repository, home) = (folder.path().join("repository"), folder.path().join("home"));
    let out = folder.path().join("out");
    for folder in [&repository.join("lib"), &home, &out] {
        std::fs::create_dir_all(folder).unwrap();
    }
    std::fs::write(home.join(".gitconfig"), "[user]\nname = a\nemail = a@b.test\n").unwrap();
    let manifest = r#"{"name":"tool","version":"1.0.0","files":["lib"],"scripts":{"prepare":"touch lib/ran"}}"#;
    std::fs::write(repository.join("package.json"), manifest).unwrap();
    std::fs::write(repository.join("lib/index.js"), "1").unwrap();
    std::fs::write(repository.join("other.js"), "2").unwrap();
    for words in [
        &["init", "-q", "-b", "main"][..],
        &["add", "-A"],
        &["commit", "-qm", "first"],
        &["tag", "v1"],
        &["rm", "-q", "lib/index.js"],
        &["commit", "-qm", "second"],
    ] {
        let output = run("git", words, &repository, &home);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let spec = format!("git+file://{}#v1", repository.display());
    let dx = env!("CARGO_BIN_EXE_dx");
    let refused = run(dx, &["pack", &spec, "--allow-git=none"], &out, &home);
    assert_eq!(refused.status.code(), Some(1));
    let output = run(dx, &["pack", &spec, "--allow-git=all", "--json"], &out, &home);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    let packed: Value = serde_json::from_slice(&output.stdout).unwrap();
    let files = packed["tool"]["files"].as_array().unwrap().iter();
    let files: Vec<&str> = files.map(|file| file["path"].as_str().unwrap()).collect();
    assert_eq!(files, ["lib/index.js", "package.json"]);
    assert!(out.join("tool-1.0.0.tgz").is_file());
    let output = run(dx, &["pack", &spec, "--allow-git=all"], &out, &home);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("is packed as it is"), "{stderr}");
    let missing = format!("git+file://{}#v2", repository.display());
    let output = run(dx, &["pack", &missing, "--allow-git=all"], &out, &home);
    assert_eq!(output.status.code(), Some(1));
}

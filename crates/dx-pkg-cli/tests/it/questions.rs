//! What `dx ls` and `dx explain` say, beside what npm 12.2.2 said of the same trees.
//!
//! `questions.json` has small trees with the output of npm's own commands. Paths of the project are
//! `<root>` in it.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// Writes a tree of `questions.json` into `root`.
fn write_tree(case: &Value, root: &Path) {
    for (path, text) in case["files"].as_object().unwrap() {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text.as_str().unwrap()).unwrap();
    }
    for (path, target) in case["links"].as_object().unwrap() {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(target.as_str().unwrap(), path).unwrap();
    }
}

/// Returns the lines of a text. npm explains what it read from disk in the order it came.
fn lines(text: &str, in_order: bool) -> Vec<&str> {
    let mut lines: Vec<&str> = text.trim_end().lines().collect();
    if !in_order {
        lines.sort_unstable();
    }
    lines
}

/// Returns a value with its lists sorted, for the same reason.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Array(items) => {
            let mut items: Vec<Value> = items.iter().map(sorted).collect();
            items.sort_by_key(ToString::to_string);
            items.into()
        }
        Value::Object(members) => {
            let mut members: Vec<(String, Value)> =
                members.iter().map(|(key, value)| (key.clone(), sorted(value))).collect();
            members.sort_by(|a, b| a.0.cmp(&b.0));
            members.into_iter().collect()
        }
        other => other.clone(),
    }
}

#[test]
fn questions_have_npms_answers() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("questions.json")).unwrap();
    let mut different = Vec::new();
    for case in &cases {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap().join(case["name"].as_str().unwrap());
        std::fs::create_dir(&root).unwrap();
        write_tree(case, &root);
        for run in case["runs"].as_array().unwrap() {
            let words = run["arguments"].as_str().unwrap();
            let output = Command::new(env!("CARGO_BIN_EXE_dx"))
                .args(words.split(' '))
                .current_dir(root.join(case["folder"].as_str().unwrap()))
                .env_clear()
                .env("HOME", &root)
                .env("LC_ALL", "C.UTF-8")
                .output()
                .unwrap();
            let text = String::from_utf8(output.stdout).unwrap();
            crate::schemas::check(&words.split(' ').collect::<Vec<_>>(), &text);
            let text = text.replace(root.to_str().unwrap(), "<root>");
            let in_order = !words.starts_with("explain");
            let (is_same, shown) = match &run["output"] {
                Value::String(expected) => {
                    (lines(expected, in_order) == lines(&text, in_order), expected.clone())
                }
                // npm's error has no code here; dx's has the package that was asked for.
                expected if expected.get("error").is_some() && words.contains("nothing") => {
                    (text.contains("\"error\""), String::new())
                }
                expected => {
                    let found: Value = serde_json::from_str(&text).unwrap_or_default();
                    (
                        sorted(&found) == sorted(expected),
                        serde_json::to_string_pretty(expected).unwrap(),
                    )
                }
            };
            if !is_same || i64::from(output.status.code().unwrap()) != run["code"] {
                let name = &case["name"];
                let code = output.status;
                let errors = String::from_utf8_lossy(&output.stderr);
                different
                    .push(format!("{name} {words}: {code}\n{errors}npm:\n{shown}\ndx:\n{text}"));
            }
        }
    }
    assert!(different.is_empty(), "{} differ:\n{}", different.len(), different.join("\n"));
}

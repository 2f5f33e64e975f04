//! The crates that may use `unsafe`, files, network, clock, environment and the terminal.

use super::Tree;
use super::dependencies::PURE;
use super::source::{Source, word_positions};

/// The crate that holds all `unsafe` code of programs.
const UNSAFE: &str = "dx-pkg-os";
/// The file of tests that does what has no safe form: no crate of the workspace is used by test
/// parts.
const UNSAFE_IN_TESTS: &str = "crates/dx-pkg-testkit/src/inject/seccomp.rs";
/// The crates that are programs or parts of tests.
const PROGRAMS: [&str; 4] = ["dx-pkg-cli", "dx-pkg-server", "dx-pkg-testkit", "xtask"];

/// Paths barred from the pure crates, and why.
const IMPURE: [(&str, &str); 12] = [
    ("std::fs", "this crate does no input or output"),
    ("std::net", "this crate does no input or output"),
    ("std::os", "this crate does no input or output"),
    ("std::io::stdin", "this crate does no input or output"),
    ("std::process", "this crate starts and ends no process"),
    ("std::thread", "this crate starts no threads"),
    ("std::env", "this crate reads no environment"),
    ("std::time::Instant", "this crate reads no clock"),
    ("std::time::SystemTime", "this crate reads no clock"),
    ("Instant::now", "this crate reads no clock"),
    ("SystemTime::now", "this crate reads no clock"),
    ("File::open", "this crate does no input or output"),
];

/// Paths and macros barred from every library, and why.
const OUTSIDE_PROGRAMS: [(&str, &str); 8] = [
    ("println!", "only programs print"),
    ("eprintln!", "only programs print"),
    ("print!", "only programs print"),
    ("eprint!", "only programs print"),
    ("std::io::stdout", "only programs print"),
    ("std::io::stderr", "only programs print"),
    ("std::env", "only programs read the environment"),
    ("std::process::exit", "only programs end the process"),
];

/// The items of barred modules that touch nothing outside the program.
const HARMLESS: [&str; 3] = ["std::env::consts", "std::env::join_paths", "std::env::split_paths"];

/// Checks every Rust file, tests excepted.
pub(super) fn check(tree: &Tree) -> Vec<String> {
    let mut violations = Vec::new();
    for source in &tree.sources {
        let package = source.package();
        let mut report = |line: usize, what: &str, why: &str| {
            violations.push(format!("{}:{line}: {what}: {why}", source.path));
        };
        if package != UNSAFE && source.path != UNSAFE_IN_TESTS {
            for (line, code) in source.code_outside_tests() {
                if !word_positions(code, "unsafe").is_empty() {
                    report(line, "unsafe", "all unsafe code is in dx-pkg-os");
                }
            }
        }
        let mut rules: Vec<(&str, &str)> = Vec::new();
        if PURE.contains(&package) {
            rules.extend(IMPURE);
        }
        if !PROGRAMS.contains(&package) {
            rules.extend(
                OUTSIDE_PROGRAMS
                    .iter()
                    .filter(|(path, _)| !rules.iter().any(|(known, _)| known == path))
                    .copied()
                    .collect::<Vec<_>>(),
            );
        }
        for (line, path) in paths(source) {
            if HARMLESS.iter().any(|harmless| begins_with(&path, harmless)) {
                continue;
            }
            if let Some((rule, why)) = rules.iter().find(|(rule, _)| begins_with(&path, rule)) {
                report(line, rule, why);
            }
        }
    }
    violations
}

/// Returns whether a path is the rule's or leads below it; a rule without `std::` may also be a
/// path's end.
fn begins_with(path: &str, rule: &str) -> bool {
    let below = |path: &str| {
        path.strip_prefix(rule).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
    };
    below(path) || (!rule.starts_with("std::") && path.ends_with(&format!("::{rule}")))
}

/// Every path and macro outside tests with its line; the groups of `use` are written out.
fn paths(source: &Source) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut statement: Option<(usize, String)> = None;
    for (line, code) in source.code_outside_tests() {
        let trimmed = code.trim_start();
        let visible = trimmed
            .strip_prefix("pub ")
            .or_else(|| trimmed.strip_prefix("pub(crate) "))
            .unwrap_or(trimmed);
        if statement.is_none() && visible.starts_with("use ") {
            statement = Some((line, String::new()));
        }
        let Some((start, text)) = &mut statement else {
            found.extend(words(code).into_iter().map(|path| (line, path)));
            continue;
        };
        text.push_str(code);
        if let Some(end) = text.find(';') {
            let body = text[..end].split_once("use ").map_or("", |(_, body)| body);
            let mut expanded = Vec::new();
            expand("", &body.split_whitespace().collect::<Vec<_>>().join(" "), &mut expanded);
            found.extend(expanded.into_iter().map(|path| (*start, path)));
            statement = None;
        }
    }
    found
}

/// The paths of one line of code; a macro keeps its `!`.
fn words(code: &str) -> Vec<String> {
    let mut paths = Vec::new();
    let mut path = String::new();
    for char in code.chars().chain([' ']) {
        if char.is_alphanumeric() || char == '_' || char == ':' {
            path.push(char);
            continue;
        }
        if char == '!' && !path.is_empty() {
            path.push('!');
        }
        if !path.is_empty() {
            paths.push(std::mem::take(&mut path).trim_matches(':').to_owned());
        }
    }
    paths
}

/// Writes out a `use` tree: `std::{fs, io::{self, Read}}` becomes `std::fs`, `std::io`,
/// `std::io::Read`.
fn expand(prefix: &str, tree: &str, paths: &mut Vec<String>) {
    let tree = tree.trim();
    let Some(open) = tree.find('{') else {
        let name = tree.split(" as ").next().unwrap_or(tree).trim();
        match (prefix, name) {
            (_, "") => {}
            (prefix, "self") => paths.push(prefix.to_owned()),
            ("", name) => paths.push(name.to_owned()),
            (prefix, name) => paths.push(format!("{prefix}::{name}")),
        }
        return;
    };
    let head = tree[..open].trim_end_matches(':');
    let prefix = match (prefix, head) {
        (prefix, "") => prefix.to_owned(),
        ("", head) => head.to_owned(),
        (prefix, head) => format!("{prefix}::{head}"),
    };
    let inner = tree[open + 1..].strip_suffix('}').unwrap_or(&tree[open + 1..]);
    let (mut depth, mut from) = (0usize, 0);
    for (at, char) in inner.char_indices() {
        match char {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                expand(&prefix, &inner[from..at], paths);
                from = at + 1;
            }
            _ => {}
        }
    }
    expand(&prefix, &inner[from..], paths);
}

//! Limits to the length of files and functions, and to the lines of the binary's crate.

use super::Tree;

/// The most lines of a file.
const FILE: usize = 500;
/// The most lines of a function, from `fn` to its closing brace.
const FUNCTION: usize = 100;
/// The most lines of the binary's sources without its commands, and of the module of one command:
/// it parses arguments and shows results, and what could be in a library is.
const BINARY: usize = 2_200;
const COMMAND: usize = 250;
/// The folder of the binary's sources, and that of its commands.
const BINARY_SOURCES: &str = "crates/dx-pkg-cli/src/";
const COMMANDS: &str = "crates/dx-pkg-cli/src/commands/";

/// Checks every Rust file, tests included.
pub(super) fn check(tree: &Tree) -> Vec<String> {
    let mut violations = Vec::new();
    for source in &tree.sources {
        let lines = source.code.len();
        if lines > FILE && tree.allowed.file(&source.path).is_none_or(|limit| lines > limit) {
            violations.push(format!(
                "{}: {lines} lines; {FILE} are allowed: split it by what it does",
                source.path
            ));
        }
        for function in source.functions() {
            if function.lines > FUNCTION
                && tree
                    .allowed
                    .function(&source.path, &function.name)
                    .is_none_or(|limit| function.lines > limit)
            {
                violations.push(format!(
                    "{}:{}: {} has {} lines; {FUNCTION} are allowed",
                    source.path, function.line, function.name, function.lines
                ));
            }
        }
    }
    violations.extend(binary(tree));
    violations
}

/// Checks the lines of the binary's sources.
fn binary(tree: &Tree) -> Vec<String> {
    let sources = tree.sources.iter().filter(|source| source.path.starts_with(BINARY_SOURCES));
    let (commands, others): (Vec<_>, Vec<_>) =
        sources.partition(|source| source.path.starts_with(COMMANDS));
    let lines: usize = others.iter().map(|source| source.code.len()).sum();
    let others = (lines > BINARY).then(|| {
        format!("{BINARY_SOURCES}: {lines} lines; {BINARY} are allowed: move logic to a library")
    });
    let long = commands.iter().filter(|source| source.code.len() > COMMAND).map(|source| {
        let lines = source.code.len();
        format!("{}: {lines} lines; {COMMAND} are allowed: move logic to a library", source.path)
    });
    others.into_iter().chain(long).collect()
}

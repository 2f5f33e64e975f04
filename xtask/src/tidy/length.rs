//! How long files and functions may be.

use super::Tree;

/// The most lines of a file.
const FILE: usize = 500;
/// The most lines of a function, from `fn` to its closing brace.
const FUNCTION: usize = 100;

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
    violations
}

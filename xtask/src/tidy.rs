//! `cargo xtask tidy`: the invariants of the source tree that no compiler checks.
//!
//! Each check is a function from a [`Tree`] to the violations it found; it never changes a file.

mod allowed;
mod dependencies;
mod documents;
mod hosts;
mod length;
mod lines;
mod names;
mod purity;
mod rings;
mod source;
mod usage;

use crate::workspace;
use allowed::Allowed;
use source::Source;
use std::path::{Path, PathBuf};

/// The input of the checks: the tracked files, and the Rust ones with comments and strings told
/// apart.
pub(crate) struct Tree {
    root: PathBuf,
    files: Vec<String>,
    sources: Vec<Source>,
    crates: Vec<dependencies::Manifest>,
    allowed: Allowed,
}

impl Tree {
    /// Reads the tree below `root`.
    fn read(root: &Path) -> Result<Tree, String> {
        let files = workspace::files(root)?;
        let ours = |path: &&String| path.starts_with("crates/") || path.starts_with("xtask/");
        let sources = files
            .iter()
            .filter(ours)
            .filter(|path| path.ends_with(".rs"))
            .map(|path| Ok(Source::new(path, &workspace::read(&root.join(path))?)))
            .collect::<Result<_, String>>()?;
        let crates = files
            .iter()
            .filter(ours)
            .filter(|path| path.ends_with("/Cargo.toml"))
            .map(|path| dependencies::Manifest::parse(path, &workspace::read(&root.join(path))?))
            .collect::<Result<_, String>>()?;
        let allow_list = root.join("xtask/tidy-allow.txt");
        let allowed = if allow_list.exists() {
            Allowed::parse(&workspace::read(&allow_list)?)?
        } else {
            Allowed::default()
        };
        Ok(Tree { root: root.to_owned(), files, sources, crates, allowed })
    }
}

/// Runs every check below `root` and prints what they found; the error counts the violations.
pub(crate) fn run(root: &Path) -> Result<(), String> {
    let violations = check(root)?;
    for violation in &violations {
        println!("{violation}");
    }
    match violations.len() {
        0 => Ok(()),
        count => Err(format!("tidy: {count} violations")),
    }
}

/// The violations of every check, in the order of the checks.
fn check(root: &Path) -> Result<Vec<String>, String> {
    let tree = Tree::read(root)?;
    let mut violations = dependencies::check(&tree);
    violations.extend(purity::check(&tree));
    violations.extend(length::check(&tree));
    violations.extend(lines::check(&tree));
    violations.extend(names::check(&tree));
    violations.extend(rings::check(&tree));
    violations.extend(usage::check(&tree)?);
    violations.extend(documents::check(&tree)?);
    violations.extend(hosts::check(&tree));
    violations.extend(crate::known::check(root));
    violations.extend(tree.allowed.unused());
    Ok(violations)
}

#[cfg(test)]
mod tests;

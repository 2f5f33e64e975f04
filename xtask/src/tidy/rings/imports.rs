//! The modules of a crate and the paths in them that lead to other modules.

use crate::tidy::source::{Source, is_word, word_positions};
use std::collections::{BTreeMap, BTreeSet};

/// The path of a module from the root of its crate.
type ModulePath = Vec<String>;

/// The most re-exports that are followed for one path.
const MOST_RE_EXPORTS: usize = 8;

/// The modules of one crate.
#[derive(Debug, Default)]
pub(super) struct Modules {
    /// Every module that is a file, and those above it.
    known: BTreeSet<ModulePath>,
    /// The paths in each module as they are written, without the leading `crate` or `super`.
    written: BTreeMap<ModulePath, Vec<ModulePath>>,
    /// The imports of each module: a name, and the path it stands for.
    imported: BTreeMap<ModulePath, BTreeMap<String, ModulePath>>,
}

impl Modules {
    /// Reads the sources below `<folder>src/`; programs of `src/bin/` are crates of their own.
    pub(super) fn new(folder: &str, sources: &[&Source]) -> Modules {
        let mut modules = Modules::default();
        for source in sources {
            let path = source.path.trim_start_matches(folder).trim_start_matches("src/");
            if path.starts_with("bin/") {
                continue;
            }
            let mut module: ModulePath =
                path.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
            if matches!(module[..], [ref root] if root == "lib" || root == "main") {
                module.clear();
            }
            for length in 0..=module.len() {
                modules.known.insert(module[..length].to_vec());
            }
            modules.read(module, source);
        }
        modules
    }

    fn read(&mut self, module: ModulePath, source: &Source) {
        let lines: Vec<&str> = source.code_outside_tests().map(|(_, line)| line).collect();
        let text = lines.join("\n");
        let written = self.written.entry(module.clone()).or_default();
        for at in word_positions(&text, "crate") {
            let mut paths = Vec::new();
            read_tail(&text[at + "crate".len()..], &[], &mut paths);
            written.extend(paths.into_iter().map(|(path, _)| path));
        }
        for at in word_positions(&text, "super") {
            let before = text[..at].trim_end();
            if before.ends_with("super::") {
                continue;
            }
            let (above, rest) = climb(&module, &text[at..]);
            let mut paths = Vec::new();
            read_tail(rest, &above, &mut paths);
            written.extend(paths.into_iter().map(|(path, _)| path));
        }
        let imported = self.imported.entry(module.clone()).or_default();
        for at in word_positions(&text, "use") {
            let mut paths = Vec::new();
            let rest = text[at + "use".len()..].trim_start();
            if let Some(rest) = rest.strip_prefix("crate") {
                read_tail(rest, &[], &mut paths);
            } else if rest.starts_with("super") {
                let (above, rest) = climb(&module, rest);
                read_tail(rest, &above, &mut paths);
            } else {
                read_tree(rest.strip_prefix("self::").unwrap_or(rest), &module, &mut paths);
            }
            imported.extend(paths.into_iter().filter_map(|(path, name)| Some((name?, path))));
        }
    }

    /// Returns every pair of a module and another that it refers to.
    pub(super) fn references(&self) -> Vec<(ModulePath, ModulePath)> {
        let mut references = Vec::new();
        for (from, paths) in &self.written {
            for path in paths {
                references.push((from.clone(), self.resolve(path, MOST_RE_EXPORTS)));
            }
        }
        references
    }

    /// Returns the module that a path leads to, through the re-exports on the way.
    fn resolve(&self, path: &ModulePath, re_exports: usize) -> ModulePath {
        let known = (0..=path.len()).rev().find(|length| self.known.contains(&path[..*length]));
        let length = known.unwrap_or(0);
        let module = path[..length].to_vec();
        let imported = path.get(length).and_then(|name| self.imported.get(&module)?.get(name));
        match imported {
            Some(target) if re_exports > 0 => {
                let target = [target, &path[length + 1..]].concat();
                self.resolve(&target, re_exports - 1)
            }
            _ => module,
        }
    }
}

/// Returns the module that the `super::super…` at the start of a text leads to, and the rest.
fn climb<'a>(module: &[String], text: &'a str) -> (ModulePath, &'a str) {
    let (mut above, mut rest) = (module.to_vec(), text);
    while let Some(after) = rest.trim_start_matches("::").strip_prefix("super") {
        above.pop();
        rest = after;
    }
    (above, rest)
}

/// Reads what follows a first segment: `::` and a tree of paths, or nothing.
fn read_tail(text: &str, prefix: &[String], paths: &mut Vec<(ModulePath, Option<String>)>) {
    if let Some(rest) = text.strip_prefix("::") {
        read_tree(rest, prefix, paths);
    }
}

/// Reads a path or a tree of them as in `a::{b, c::D as E}`, with the names they import; returns
/// the rest of the text.
fn read_tree<'a>(
    text: &'a str,
    prefix: &[String],
    paths: &mut Vec<(ModulePath, Option<String>)>,
) -> &'a str {
    let mut rest = text.trim_start();
    let mut path = prefix.to_vec();
    loop {
        if let Some(group) = rest.strip_prefix('{') {
            rest = group.trim_start();
            while !rest.is_empty() && !rest.starts_with('}') {
                let after = read_tree(rest, &path, paths);
                rest = after.trim_start().trim_start_matches(',').trim_start();
                if rest.len() == after.len() && !rest.starts_with('}') {
                    return "";
                }
            }
            return rest.strip_prefix('}').unwrap_or(rest);
        }
        let end = rest.find(|char| !is_word(char)).unwrap_or(rest.len());
        let name = &rest[..end];
        rest = &rest[end..];
        if !name.is_empty() && name != "self" {
            path.push(name.to_owned());
        }
        match rest.strip_prefix("::") {
            Some(after) if !name.is_empty() => rest = after,
            _ => break,
        }
    }
    rest = rest.strip_prefix('*').unwrap_or(rest);
    let mut name = path.last().cloned();
    if let Some(alias) = rest.trim_start().strip_prefix("as ") {
        let end = alias.find(|char| !is_word(char)).unwrap_or(alias.len());
        name = Some(alias[..end].to_owned());
        rest = &alias[end..];
    }
    paths.push((path, name));
    rest
}

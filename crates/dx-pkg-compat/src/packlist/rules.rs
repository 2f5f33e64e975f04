//! The rules of one folder, in their order.

use std::path::Path;
use std::rc::Rc;

use serde_json::Value;

use super::PackError;
use super::rule::{Entry, Rule};
use super::selected::Selected;
use crate::manifest::Manifest;

/// What is not packed, unless the package names it.
const USUAL: &str = ".npmignore\n.gitignore\n**/.git\n**/.svn\n**/.hg\n**/CVS\n**/.git/**\n\
**/.svn/**\n**/.hg/**\n**/CVS/**\n/.lock-wscript\n/.wafpickle-*\n/build/config.gypi\n\
npm-debug.log\n**/.npmrc\n.*.swp\n.DS_Store\n**/.DS_Store/**\n._*\n**/._*/**\n*.orig\n\
/archived-packages/**";

/// What is packed, and what is not, whatever a package says.
const STRICT: &str = "/.git\n!/package.json\n!/readme{,.*[^~$]}\n!/copying{,.*[^~$]}\n\
!/license{,.*[^~$]}\n!/licence{,.*[^~$]}\n/.git\n/node_modules\n.npmrc\n/package-lock.json\n\
/npm-shrinkwrap.json\n/yarn.lock\n/pnpm-lock.yaml\n/bun.lockb\n/bun.lock\n/.npm-extension.mjs\n\
/.npm-extension.cjs";

/// What is not packed from folders below, whatever a package says.
const STRICT_BELOW: &str = "/.git";

/// The most bytes of an ignore file.
pub(super) const MAX_IGNORE_FILE: u64 = 1024 * 1024;

/// The rules of one folder.
#[derive(Debug, Default)]
pub(super) struct Rules {
    pub(super) usual: Rc<[Rule]>,
    /// `files` of the manifest.
    pub(super) selected: Option<Selected>,
    /// The ignore file.
    pub(super) ignored: Vec<Rule>,
    pub(super) strict: Rc<[Rule]>,
}

impl Rules {
    /// Applies the rules to an entry that is included or not before them.
    pub(super) fn apply(&self, included: bool, entry: Entry<'_>) -> bool {
        let last = |rules: &[Rule]| {
            let found = rules.iter().rev().find(|rule| rule.matches(entry));
            found.map(|rule| rule.includes)
        };
        if let Some(includes) = last(&self.strict).or_else(|| last(&self.ignored)) {
            return includes;
        }
        match &self.selected {
            // `files` decides on everything.
            Some(selected) => selected.includes(entry),
            None => last(&self.usual).unwrap_or(included),
        }
    }
}

/// Returns the rules for what is usually left out.
pub(super) fn usual() -> Rc<[Rule]> {
    lines(USUAL).into()
}

/// Returns the rules of folders below that nothing overrides.
pub(super) fn strict_below() -> Rc<[Rule]> {
    lines(STRICT_BELOW).into()
}

/// Returns the rules of a package's folder that nothing overrides. `is_root` tells whether the
/// package itself is packed, rather than bundled.
pub(super) fn strict(manifest: &Manifest, is_root: bool) -> Rc<[Rule]> {
    let mut rules = lines(STRICT);
    let include = |path: String| format!("!/{path}");
    let named = ["browser", "main"].map(|key| manifest.raw.get(key).and_then(as_text));
    let commands = manifest.bin.iter().map(|(_, path)| path.clone());
    let mut extra: Vec<String> = named.into_iter().flatten().chain(commands).map(include).collect();
    let patches = manifest.raw.get("patchedDependencies").and_then(Value::as_object);
    if let Some(patches) = patches.filter(|_| is_root) {
        // Patches of a project are never published, though its other files may be.
        for patch in patches.values().filter_map(Value::as_str) {
            let patch = patch.replace('\\', "/");
            let patch = patch.strip_prefix('.').filter(|p| p.starts_with('/')).unwrap_or(&patch);
            let patch = patch.strip_prefix('/').unwrap_or(patch).trim_end_matches('/');
            let leaves = patch.starts_with('/') || patch.split('/').any(|part| part == "..");
            if !patch.is_empty() && !leaves {
                extra.push(format!("/{patch}"));
            }
        }
    }
    // One that is no pattern includes nothing.
    rules.extend(extra.iter().filter_map(|line| Rule::parse(line).ok().flatten()));
    rules.into()
}

/// Returns a value as JavaScript writes it into a text.
fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()).filter(|text| !text.is_empty()),
        Value::Object(_) => Some("[object Object]".to_owned()),
        _ => None,
    }
}

/// Reads an ignore file.
///
/// # Errors
/// It cannot be read, or has a pattern that cannot be used.
pub(super) fn ignore_file(file: &Path) -> Result<Vec<Rule>, PackError> {
    let bytes = dx_pkg_os::files::read_bounded(file, MAX_IGNORE_FILE);
    let bytes = bytes.map_err(|error| PackError::io(file, error))?;
    let text = String::from_utf8_lossy(&bytes);
    let parsed = text.lines().map(Rule::parse);
    let parsed: Result<Vec<Option<Rule>>, String> = parsed.collect();
    let rules = parsed.map_err(|pattern| PackError::pattern(file, &pattern))?;
    Ok(rules.into_iter().flatten().collect())
}

/// Returns the rules of an ignore file's text; lines that cannot be used are none.
pub(super) fn lines(text: &str) -> Vec<Rule> {
    text.lines().filter_map(|line| Rule::parse(line).ok().flatten()).collect()
}

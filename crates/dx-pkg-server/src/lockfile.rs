//! Lockfiles: the versions of packages that they have from registries. All versions of npm's
//! `package-lock.json` are read; lockfiles of other managers are told apart, to say so.

use dx_pkg_core::PackageName;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The most versions of packages.
const MOST: usize = 50_000;
/// The bytes at the beginning that tell one kind of lockfile from another.
const HEAD: usize = 4096;

/// What a lockfile names.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Locked {
    /// The versions that come from a registry, by package.
    pub(crate) packages: BTreeMap<PackageName, BTreeSet<String>>,
    /// The entries that do not.
    pub(crate) elsewhere: Vec<String>,
}

impl Locked {
    /// Returns the number of versions from a registry.
    pub(crate) fn count(&self) -> usize {
        self.packages.values().map(BTreeSet::len).sum()
    }

    fn add(&mut self, path: &str, name: Option<&str>, entry: &Value) {
        let flag = |name: &str| entry.get(name) == Some(&Value::Bool(true));
        // What is linked or bundled is no package of its own.
        if flag("link") || flag("inBundle") || flag("bundled") {
            return;
        }
        let text = |field: &str| entry.get(field).and_then(Value::as_str);
        let is_fetched = text("resolved").is_none_or(|address| address.starts_with("http"));
        let version = text("version").filter(|version| !version.contains([':', '/']));
        match (name.map(PackageName::parse), version) {
            (Some(Ok(name)), Some(version)) if is_fetched => {
                self.packages.entry(name).or_default().insert(version.to_owned());
            }
            _ => self.elsewhere.push(path.to_owned()),
        }
    }
}

/// Reads a lockfile.
///
/// # Errors
/// A text that says what the bytes are instead, and what to do.
pub(crate) fn read(bytes: &[u8]) -> Result<Locked, String> {
    if let Some(kind) = of_another_manager(bytes) {
        return Err(format!(
            "this is a {kind}, and only npm's package-lock.json can be read: make one of the same \
             project with `npm install --package-lock-only`"
        ));
    }
    let document: Map<String, Value> = serde_json::from_slice(bytes)
        .map_err(|error| format!("this is no package-lock.json: {error}"))?;
    let mut locked = Locked::default();
    if let Some(packages) = document.get("packages").and_then(Value::as_object) {
        for (path, entry) in packages {
            if let Some((_, folder)) = path.rsplit_once("node_modules/") {
                let name = entry.get("name").and_then(Value::as_str).unwrap_or(folder);
                locked.add(path, Some(name), entry);
            }
        }
    } else if let Some(dependencies) = document.get("dependencies").and_then(Value::as_object) {
        let mut open = vec![dependencies];
        while let Some(dependencies) = open.pop() {
            for (name, entry) in dependencies {
                locked.add(name, Some(name), entry);
                open.extend(entry.get("dependencies").and_then(Value::as_object));
            }
        }
    } else {
        let text = "this is no package-lock.json: it has neither packages nor dependencies";
        return Err(text.to_owned());
    }
    if locked.count() > MOST {
        return Err(format!("the lockfile has more than {MOST} packages"));
    }
    Ok(locked)
}

/// Reads a lockfile from disk.
///
/// # Errors
/// As for [`read`], with the file's path.
pub(crate) fn open(file: &Path) -> Result<Locked, String> {
    let told = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
    let bytes = std::fs::read(file).map_err(|error| told(&error))?;
    read(&bytes).map_err(|error| told(&error))
}

/// Returns the file's usual name if it is the lockfile of pnpm, Yarn or Bun.
fn of_another_manager(bytes: &[u8]) -> Option<&'static str> {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(HEAD)]);
    let has_line = |start: &str| head.lines().any(|line| line.starts_with(start));
    if head.starts_with("#!/usr/bin/env bun") {
        Some("bun.lockb")
    } else if has_line("lockfileVersion:") {
        Some("pnpm-lock.yaml")
    } else if has_line("# yarn lockfile v1") || has_line("__metadata:") {
        Some("yarn.lock")
    } else if head.trim_start().starts_with('{')
        && head.contains("\"workspaces\": {")
        && !head.contains("\"requires\"")
        && head.contains("\"lockfileVersion\": ")
        && !head.contains("\"node_modules/")
    {
        Some("bun.lock")
    } else {
        None
    }
}

#[cfg(test)]
mod tests;

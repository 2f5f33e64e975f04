//! Lockfiles: the versions of packages that they have from registries. All versions of npm's
//! `package-lock.json` are read, and the text lockfiles of pnpm, Yarn and Bun.

mod bun;
mod pnpm;
mod source;
mod yaml;
mod yarn;

pub(crate) use source::{Judgement, Source};

use crate::values::check_values;
use dx_pkg_core::{PackageName, Version};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::path::Path;

/// The most versions of packages.
const MOST: usize = 50_000;

/// What a lockfile names.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Locked {
    /// The versions that come from a registry, or may, by package.
    pub(crate) packages: BTreeMap<PackageName, BTreeMap<String, Vec<Source>>>,
    /// The entries that do not.
    pub(crate) elsewhere: Vec<String>,
}

impl Locked {
    /// Returns the number of versions from a registry.
    pub(crate) fn count(&self) -> usize {
        self.packages.values().map(BTreeMap::len).sum()
    }

    /// Returns a sentence about each entry that comes from elsewhere.
    pub(crate) fn skipped(&self) -> Vec<String> {
        let reason = |entry: &String| format!("{entry}: it does not come from a registry");
        self.elsewhere.iter().map(reason).collect()
    }

    /// Adds a version that comes from a registry, with the digest of its tarball and its address;
    /// what is no name and version comes from elsewhere.
    fn add(
        &mut self,
        entry: &str,
        (name, version): (&str, &str),
        integrity: Option<&str>,
        address: Option<&str>,
    ) {
        let (Ok(parsed), Ok(_)) = (PackageName::parse(name), Version::parse_loose(version)) else {
            self.elsewhere.push(entry.to_owned());
            return;
        };
        let integrity = integrity.filter(|text| !text.is_empty()).map(str::to_owned);
        let address = address.filter(|address| !source::names_version(address, name, version));
        let address = address.map(str::to_owned);
        let versions = self.packages.entry(parsed).or_default();
        let sources = versions.entry(version.to_owned()).or_default();
        if !sources.iter().any(|one| one.integrity == integrity && one.address == address) {
            sources.push(Source { entry: entry.to_owned(), integrity, address });
        }
    }

    /// Adds an entry of npm's lockfile.
    fn add_npm(&mut self, path: &str, name: &str, entry: &Value) {
        let flag = |name: &str| entry.get(name) == Some(&Value::Bool(true));
        // What is linked or bundled is no package of its own.
        if flag("link") || flag("inBundle") || flag("bundled") {
            return;
        }
        let text = |field: &str| entry.get(field).and_then(Value::as_str);
        let address = text("resolved");
        let is_fetched = address.is_none_or(|address| address.starts_with("http"));
        let version = text("version").filter(|_| is_fetched).unwrap_or_default();
        self.add(path, (name, version), text("integrity"), address);
    }
}

/// Returns a sentence about a source that turned out to be elsewhere.
pub(crate) fn skipped(source: &Source) -> String {
    let address = source.address.as_deref().unwrap_or_default();
    let address = dx_pkg_compat::npmrc::redact_urls(address);
    format!("{}: it comes from {address}, which is not the registry's tarball", source.entry)
}

/// Reads a lockfile.
///
/// # Errors
/// A text that says what the bytes are instead, and what to do.
pub(crate) fn read(bytes: &[u8]) -> Result<Locked, String> {
    if bytes.starts_with(b"#!/usr/bin/env bun") {
        return Err("this is a bun.lockb, which only Bun can read: make a bun.lock of it with \
                    `bun install --save-text-lockfile --lockfile-only`"
            .to_owned());
    }
    let text = std::str::from_utf8(bytes).map_err(|_| NONE.to_owned())?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let has_line = |start: &str| text.lines().any(|line| line.starts_with(start));
    let mut locked = Locked::default();
    if text.trim_start().starts_with('{') {
        read_json(text, &mut locked)?;
    } else if has_line("# yarn lockfile v1") {
        yarn::read_first(text, &mut locked);
    } else if has_line("__metadata:") {
        yarn::read_later(text, &mut locked)?;
    } else if has_line("lockfileVersion:") {
        pnpm::read(text, &mut locked)?;
    } else {
        return Err(NONE.to_owned());
    }
    if locked.count() > MOST {
        return Err(format!("the lockfile has more than {MOST} packages"));
    }
    Ok(locked)
}

/// What is said of a text that is none.
const NONE: &str =
    "this is no package-lock.json, and no lockfile of pnpm, Yarn or Bun that can be read";

/// Reads the lockfile of npm or of Bun.
fn read_json(text: &str, locked: &mut Locked) -> Result<(), String> {
    check_values(text.as_bytes())?;
    let parsed = serde_json::from_str::<Map<String, Value>>(text);
    let document = match parsed {
        Ok(document) => document,
        Err(error) => serde_json::from_str(&bun::without_last_commas(text))
            .map_err(|_| format!("{NONE}: {error}"))?,
    };
    if bun::is_one(&document) {
        bun::read(&document, locked);
    } else if let Some(packages) = document.get("packages").and_then(Value::as_object) {
        for (path, entry) in packages {
            if let Some((_, folder)) = path.rsplit_once("node_modules/") {
                let name = entry.get("name").and_then(Value::as_str).unwrap_or(folder);
                locked.add_npm(path, name, entry);
            }
        }
    } else if let Some(dependencies) = document.get("dependencies").and_then(Value::as_object) {
        let mut open = vec![dependencies];
        while let Some(dependencies) = open.pop() {
            for (name, entry) in dependencies {
                locked.add_npm(name, name, entry);
                open.extend(entry.get("dependencies").and_then(Value::as_object));
            }
        }
    } else {
        return Err(format!("{NONE}: it has neither packages nor dependencies"));
    }
    Ok(())
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

#[cfg(test)]
mod tests;

//! A digest of the graph a lock describes.
//!
//! It covers what decides which files end up where and how they are bound together. Formatting, the order of keys
//! and entries, and what merely informs (licences, engines, funding, deprecation messages, the project's own name
//! and version) are left out.

use blake3::Hasher;

use crate::{Lock, LockPackage};

/// Begins the digest's input, so that a later definition cannot be mistaken for this one.
const DOMAIN: &[u8] = b"dx graph 1\n";

/// BLAKE3 over the entries in byte order of their paths.
#[must_use]
pub fn graph_digest(lock: &Lock) -> [u8; 32] {
    let mut packages: Vec<&LockPackage> = lock.packages.iter().collect();
    packages.sort_by(|a, b| a.path.cmp(&b.path));
    let mut input = Input { bytes: Vec::with_capacity(512 * packages.len()) };
    input.bytes.extend_from_slice(DOMAIN);
    for package in packages {
        input.package(package);
    }
    let mut hasher = Hasher::new();
    hasher.update(&input.bytes);
    *hasher.finalize().as_bytes()
}

/// The unambiguous serial form that is hashed: every text and list carries its length.
struct Input {
    bytes: Vec<u8>,
}

impl Input {
    fn package(&mut self, package: &LockPackage) {
        let is_project = package.path.is_empty();
        self.text(&package.path);
        self.optional(package.name.as_deref().filter(|_| !is_project));
        self.optional(package.version.as_deref().filter(|_| !is_project));
        self.optional(package.resolved.as_deref());
        self.optional(package.integrity.as_deref());
        for flag in [
            package.link,
            package.dev,
            package.optional,
            package.dev_optional,
            package.peer,
            package.in_bundle,
            package.extraneous,
            package.has_install_script,
            package.has_shrinkwrap,
        ] {
            self.bytes.push(u8::from(flag));
        }
        for list in [&package.os, &package.cpu, &package.libc, &package.bundle_dependencies] {
            let mut list: Vec<&str> = list.iter().map(String::as_str).collect();
            list.sort_unstable();
            self.length(list.len());
            list.iter().for_each(|text| self.text(text));
        }
        for list in [
            &package.bin,
            &package.dependencies,
            &package.dev_dependencies,
            &package.optional_dependencies,
            &package.peer_dependencies,
            &package.extra,
        ] {
            self.pairs(list.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect());
        }
        let meta = &package.peer_dependencies_meta;
        self.pairs(
            meta.iter()
                .map(|(name, optional)| (name.as_str(), if *optional { "1" } else { "" }))
                .collect(),
        );
    }

    fn pairs(&mut self, mut pairs: Vec<(&str, &str)>) {
        pairs.sort_unstable();
        self.length(pairs.len());
        for (key, value) in pairs {
            self.text(key);
            self.text(value);
        }
    }

    fn optional(&mut self, text: Option<&str>) {
        self.bytes.push(u8::from(text.is_some()));
        self.text(text.unwrap_or_default());
    }

    fn text(&mut self, text: &str) {
        self.length(text.len());
        self.bytes.extend_from_slice(text.as_bytes());
    }

    fn length(&mut self, length: usize) {
        self.bytes.extend_from_slice(&(length as u64).to_le_bytes());
    }
}

#[cfg(test)]
mod tests;

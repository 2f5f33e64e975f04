//! pnpm's `pnpm-lock.yaml`, of lockfile versions 5 to 9. Where a pnpm is pinned, the file is two
//! documents, and the second one is the project's.

use super::{Locked, yaml};
use serde_json::{Map, Value};

/// Reads the packages of all documents.
pub(super) fn read(text: &str, locked: &mut Locked) -> Result<(), String> {
    for document in documents(text) {
        let document = yaml::parse(&document)
            .map_err(|reason| format!("this is no pnpm-lock.yaml that can be read: {reason}"))?;
        let packages = document.get("packages").and_then(Value::as_object);
        for (key, entry) in packages.into_iter().flatten() {
            add(key, entry.as_object(), locked);
        }
    }
    Ok(())
}

/// Splits a file into its documents.
fn documents(text: &str) -> Vec<String> {
    let mut documents = vec![String::new()];
    for line in text.lines() {
        match documents.last_mut() {
            Some(document) if line.trim_end() != "---" => {
                document.push_str(line);
                document.push('\n');
            }
            _ => documents.push(String::new()),
        }
    }
    documents.retain(|document| !document.trim().is_empty());
    documents
}

fn add(key: &str, entry: Option<&Map<String, Value>>, locked: &mut Locked) {
    let text = |field: &str| entry.and_then(|entry| entry.get(field)).and_then(Value::as_str);
    let resolution = entry.and_then(|entry| entry.get("resolution"));
    if resolution.is_some_and(|own| own.get("directory").is_some()) {
        // A part of the project.
        return;
    }
    let of_tarball =
        |field: &str| resolution.and_then(|own| own.get(field)).and_then(Value::as_str);
    let named = match (text("name"), text("version")) {
        // Said where the key does not: of what comes from elsewhere, or from another registry.
        (Some(name), Some(version)) => {
            let is_registry = resolution
                .is_some_and(|own| own.get("integrity").is_some() && own.get("tarball").is_none());
            (name, if is_registry { version } else { "" })
        }
        _ => name_and_version(key),
    };
    locked.add(key, named, of_tarball("integrity"), of_tarball("tarball"));
}

/// Splits a key: `@s/n@1.0.0`, `/@s/n@1.0.0(peer@2.0.0)`, `/@s/n/1.0.0_peer@2.0.0`.
fn name_and_version(key: &str) -> (&str, &str) {
    let (own, has_slash) = match key.strip_prefix('/') {
        Some(rest) => (rest, true),
        None => (key, false),
    };
    let own = own.split('(').next().unwrap_or_default();
    let bare = own.find('/').filter(|_| own.starts_with('@')).map_or(0, |slash| slash + 1);
    let at = own[bare..].find('@').map(|at| bare + at).filter(|at| *at > 0);
    let slash = own[bare..].find('/').map(|slash| bare + slash).filter(|_| has_slash);
    match (at, slash) {
        (at, Some(slash)) if at.is_none_or(|at| slash < at) => {
            let version = &own[slash + 1..];
            (&own[..slash], version.split('_').next().unwrap_or_default())
        }
        (Some(at), _) => (&own[..at], &own[at + 1..]),
        _ => (own, ""),
    }
}

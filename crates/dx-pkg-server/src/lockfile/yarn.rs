//! Yarn's `yarn.lock`: that of version 1, in a format of its own, and that of later versions, YAML.

use super::{Locked, yaml};
use dx_pkg_core::Integrity;
use serde_json::Value;
use url::form_urlencoded;

/// An entry of Yarn 1, as far as it was read.
#[derive(Default)]
struct First<'a> {
    pattern: &'a str,
    version: &'a str,
    resolved: Option<&'a str>,
    integrity: Option<&'a str>,
}

/// Reads the file of Yarn 1.
pub(super) fn read_first(text: &str, locked: &mut Locked) {
    let mut entry = First::default();
    for line in text.lines() {
        let value = |key: &str| Some(line.strip_prefix(key)?.trim().trim_matches('"'));
        if let Some(version) = value("  version ") {
            entry.version = version;
        } else if let Some(resolved) = value("  resolved ") {
            entry.resolved = Some(resolved);
        } else if let Some(integrity) = value("  integrity ") {
            entry.integrity = Some(integrity);
        } else if !line.starts_with(['#', ' ']) && !line.trim().is_empty() {
            add_first(&entry, locked);
            // Several patterns are of one package.
            let pattern = first_pattern(line.trim_end().trim_end_matches(':'));
            entry = First { pattern, ..First::default() };
        }
    }
    add_first(&entry, locked);
}

/// Returns the first pattern of an entry's line: `"a@^1.0.0", a@^1.1.0`.
fn first_pattern(line: &str) -> &str {
    match line.strip_prefix('"') {
        Some(rest) => rest.split('"').next().unwrap_or_default(),
        None => line.split(',').next().unwrap_or_default().trim(),
    }
}

fn add_first(entry: &First<'_>, locked: &mut Locked) {
    let First { pattern, version, resolved, integrity } = *entry;
    if pattern.is_empty() || version.is_empty() {
        return;
    }
    let (mut name, mut range) = split(pattern);
    if let Some(real) = range.strip_prefix("npm:") {
        (name, range) = split(real);
    }
    // A range has neither a colon nor a slash; an address and a repository have.
    if range.contains([':', '/']) {
        locked.elsewhere.push(pattern.to_owned());
    } else {
        // Older files have the SHA-1 behind the address only.
        let shasum = resolved.and_then(|resolved| resolved.split_once('#'));
        let shasum = shasum.and_then(|(_, shasum)| Integrity::from_shasum_hex(shasum).ok());
        let shasum = shasum.map(|shasum| shasum.to_string());
        locked.add(pattern, (name, version), integrity.or(shasum.as_deref()), resolved);
    }
}

/// Reads the file of Yarn 2 and later.
pub(super) fn read_later(text: &str, locked: &mut Locked) -> Result<(), String> {
    let document = yaml::parse(text)
        .map_err(|reason| format!("this is no yarn.lock that can be read: {reason}"))?;
    for (key, entry) in document.as_object().into_iter().flatten() {
        let Some(locator) = entry.get("resolution").and_then(Value::as_str) else {
            continue;
        };
        let (name, reference) = split(locator);
        // `a@npm:1.0.0::__archiveUrl=…`. The checksum is that of an archive of Yarn's own.
        let (reference, bindings) = reference.split_once("::").unwrap_or((reference, ""));
        let mut bindings = form_urlencoded::parse(bindings.as_bytes());
        let address = bindings.find(|(key, _)| key == "__archiveUrl").map(|(_, value)| value);
        match reference.split_once(':') {
            Some(("npm", version)) => locked.add(key, (name, version), None, address.as_deref()),
            // Parts of the project; what a patch is made for has an entry of its own.
            Some(("workspace" | "link" | "portal" | "patch", _)) => {}
            _ => locked.elsewhere.push(key.clone()),
        }
    }
    Ok(())
}

/// Splits `name@rest`, where the name may begin with a scope.
pub(super) fn split(text: &str) -> (&str, &str) {
    let at = text.char_indices().skip(1).find(|(_, c)| *c == '@').map(|(at, _)| at);
    at.map_or((text, ""), |at| (&text[..at], &text[at + 1..]))
}

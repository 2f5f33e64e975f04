//! Splicing: writing a lockfile that differs in a few entries from its previous text, by copying
//! the others.
//!
//! Works only on texts with the layout that [`super::write`] gives them, entry by entry; for any
//! other layout the functions return `None`.

use std::borrow::Cow;
use std::fmt::Write;

use dx_pkg_lock::dxl::DxlView;
use dx_pkg_lock::{LockPackage, locale_compare};

use super::super::json::{Format, quote};
use super::write::entry_text;

const TAIL: &str = "\n  }\n}\n";

/// Returns the text that [`super::write`] would write: `previous`, the text that `locked` was
/// compiled from, without the entries at `removed`, and with `changed` added or replacing entries
/// at the same path. `changed` is in npm's order.
#[must_use]
pub fn splice(
    previous: &str,
    locked: &DxlView<'_>,
    removed: &[&str],
    changed: &[LockPackage],
) -> Option<String> {
    spliced(previous, locked, removed, changed, true)
}

/// Returns the text that [`super::write_hidden`] would write to `node_modules/.package-lock.json`
/// for `installed` changed in the same way.
#[must_use]
pub fn splice_hidden(
    previous: &str,
    installed: &DxlView<'_>,
    removed: &[&str],
    changed: &[LockPackage],
) -> Option<String> {
    spliced(previous, installed, removed, changed, false)
}

fn spliced(
    previous: &str,
    locked: &DxlView<'_>,
    removed: &[&str],
    changed: &[LockPackage],
    keeps_spelling: bool,
) -> Option<String> {
    // The hidden lockfile is of version 3 beside one of version 4 too.
    let version = if keeps_spelling { locked.format_version() } else { 3 };
    let head = head(locked, version)?;
    let mut out = String::with_capacity(previous.len() + 1024 * changed.len());
    out.push_str(previous.get(..head.len()).filter(|start| *start == head)?);
    let mut rest = &previous[head.len()..];
    let mut new = changed.iter().peekable();
    for package in locked.packages() {
        let path = package.path();
        let entry = Entry::first(rest, path)?;
        rest = entry.rest;
        let is_before = |other: &&LockPackage| {
            locale_compare(&other.path, path).then_with(|| other.path.as_str().cmp(path)).is_lt()
        };
        while let Some(package) = new.next_if(is_before) {
            put(&mut out, &head, package, None);
        }
        if let Some(package) = new.next_if(|other| other.path == path) {
            put(&mut out, &head, package, Some(entry.value).filter(|_| keeps_spelling));
        } else if !removed.contains(&path) {
            separate(&mut out, &head);
            out.push_str(entry.whole);
        }
    }
    new.for_each(|package| put(&mut out, &head, package, None));
    // An empty object is written on one line.
    if rest != TAIL || out.len() == head.len() {
        return None;
    }
    out.push_str(TAIL);
    Some(out)
}

/// Returns everything before the first entry.
fn head(locked: &DxlView<'_>, version: u8) -> Option<String> {
    let mut head = String::from("{\n");
    for (key, text) in [("name", locked.name()), ("version", locked.version())] {
        if let Some(text) = text {
            write!(head, "  \"{key}\": ").ok()?;
            quote(&mut head, text);
            head.push_str(",\n");
        }
    }
    writeln!(head, "  \"lockfileVersion\": {version},").ok()?;
    head.push_str("  \"requires\": true,\n  \"packages\": {");
    matches!(version, 3 | 4).then_some(head)
}

fn separate(out: &mut String, head: &str) {
    out.push_str(if out.len() == head.len() { "\n    " } else { ",\n    " });
}

fn put(out: &mut String, head: &str, package: &LockPackage, before: Option<&str>) {
    separate(out, head);
    quote(out, &package.path);
    out.push_str(": ");
    let text: Cow<'_, str> = entry_text(package, before, Format::default());
    out.push_str(&text);
}

/// An entry as it is written, and the text after it.
struct Entry<'t> {
    /// Key and value.
    whole: &'t str,
    value: &'t str,
    rest: &'t str,
}

impl<'t> Entry<'t> {
    /// Splits off the first entry of `text`, which must be the one at `path`.
    fn first(text: &'t str, path: &str) -> Option<Self> {
        let text = text.strip_prefix(',').unwrap_or(text).strip_prefix("\n    ")?;
        // Few paths have characters that are escaped.
        let plain = || text.strip_prefix('"')?.strip_prefix(path)?.strip_prefix("\": ");
        let value = plain().or_else(|| {
            let mut key = String::with_capacity(path.len() + 2);
            quote(&mut key, path);
            text.strip_prefix(key.as_str())?.strip_prefix(": ")
        })?;
        let length = end_of(value)?;
        let whole = text.get(..text.len() - value.len() + length)?;
        Some(Entry { whole, value: value.get(..length)?, rest: value.get(length..)? })
    }
}

/// Returns the length of the object that `text` begins with, whose lines are indented by more than
/// four spaces.
fn end_of(text: &str) -> Option<usize> {
    if text.starts_with("{}") {
        return Some(2);
    }
    let mut from = text.strip_prefix("{\n      ").map(|_| 1)?;
    loop {
        let brace = from + memchr::memchr(b'}', text.as_bytes().get(from..)?)?;
        if text.get(..brace)?.ends_with("\n    ") {
            return Some(brace + 1);
        }
        from = brace + 1;
    }
}

#[cfg(test)]
mod tests;

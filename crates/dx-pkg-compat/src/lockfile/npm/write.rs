//! Writing: from [`Lock`] to text, byte for byte as npm 12 does.

mod legacy;

use std::borrow::Cow;

use dx_pkg_lock::{ALTERATIONS, Lock, LockPackage, Patched};
use serde_json::value::RawValue;

use super::super::json::{Format, Object, Value, canonical};
use super::read::{member_text, read_entry};
use super::source::Source;

/// Writes a lockfile of the lock's version, 2 to 4; a lock that was read from an older one, or from
/// none, gives one of version 3.
///
/// `previous`, the lockfile that is replaced, provides the indentation, the line endings, members
/// that dx does not know, and the exact text of every entry that has not changed. If nothing has
/// changed, `previous` is returned as it is.
#[must_use]
pub fn write(lock: &Lock, previous: Option<&str>) -> String {
    let packages = filled(lock).collect();
    match previous.and_then(Previous::parse) {
        Some(previous) => {
            render(lock, packages, &previous).unwrap_or_else(|| previous.text.to_owned())
        }
        None => {
            // One with the markers of a merge still shows its layout.
            let format = previous.map(Format::of).unwrap_or_default();
            let layout = Previous { format, ..Previous::default() };
            render(lock, packages, &layout).unwrap_or_default()
        }
    }
}

/// Writes a new lockfile of the lock's version, as [`write`] does, with the indentation and line
/// endings of `manifest`, the project's `package.json`.
#[must_use]
pub fn write_like(lock: &Lock, manifest: &str) -> String {
    let layout = Previous { format: Format::of(manifest), ..Previous::default() };
    render(lock, filled(lock).collect(), &layout).unwrap_or_default()
}

/// Writes a lockfile of version 1 in the place of `previous`, or with the layout of `manifest`, the
/// project's `package.json`.
#[must_use]
pub fn write_version_1(lock: &Lock, previous: Option<&str>, manifest: &str) -> String {
    let parsed = previous.and_then(Previous::parse).unwrap_or_default();
    let format = Format::of(previous.unwrap_or(manifest));
    let layout = Previous { format, fixed: Some(1), ..parsed };
    render(lock, filled(lock).collect(), &layout).unwrap_or_default()
}

/// Returns the entries; a project's own is left out where its manifest is empty.
fn filled(lock: &Lock) -> impl Iterator<Item = &LockPackage> {
    lock.packages
        .iter()
        .filter(|package| !package.path.is_empty() || **package != LockPackage::default())
}

/// Writes `node_modules/.package-lock.json`, which has no entry for the project itself and is of
/// version 3 beside a lockfile of any version.
///
/// `lock` must hold installed packages only.
#[must_use]
pub fn write_hidden(lock: &Lock) -> String {
    let packages = lock.packages.iter().filter(|package| !package.path.is_empty()).collect();
    let hidden = Previous { fixed: Some(3), ..Previous::default() };
    render(lock, packages, &hidden).unwrap_or_default()
}

/// The lockfile that is replaced, as source text.
#[derive(Default)]
struct Previous<'a> {
    text: &'a str,
    format: Format<'a>,
    members: Object<'a>,
    entries: Object<'a>,
    /// Its version; 0 without one.
    version: u8,
    /// The version that is written whatever the lock's is.
    fixed: Option<u8>,
}

impl<'a> Previous<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let members = Object::parse(text.strip_prefix('\u{feff}').unwrap_or(text)).ok()?;
        let written = members.get("lockfileVersion").map_or("0", |raw| raw.get());
        let version = written.trim_matches('"').parse().unwrap_or(0);
        let entries = members
            .get("packages")
            .and_then(|raw| Object::parse(raw.get()).ok())
            .unwrap_or_default();
        let format = Format::of(text);
        Some(Self { text, format, members, entries, version, fixed: None })
    }

    /// Returns the version to be written.
    fn next_version(&self, lock: &Lock) -> u8 {
        self.fixed.unwrap_or(match lock.format_version {
            version @ (2 | 4) => version,
            _ => 3,
        })
    }

    /// Returns the text of the version to be written. As with npm, `"3"` stays text.
    fn version_text(&self, version: u8) -> Value<'a> {
        let written = self.members.get("lockfileVersion").map(RawValue::get);
        match written.filter(|_| self.version == version) {
            Some(written) => Value::Literal(Cow::Borrowed(written)),
            None => Value::Literal(version.to_string().into()),
        }
    }

    /// Returns whether it is a current lockfile of the same project with as many entries.
    fn frames(&self, lock: &Lock, entries: usize) -> bool {
        self.version == self.next_version(lock)
            && self.members.get("packages").is_some()
            && self.members.get("requires").is_some_and(|raw| raw.get() == "true")
            && self.entries.0.len() == entries
            && member_text(&self.members, "name") == lock.name
            && member_text(&self.members, "version") == lock.version
    }
}

/// Returns the text; `None` when it has nothing that `previous` does not have.
fn render(lock: &Lock, packages: Vec<&LockPackage>, previous: &Previous<'_>) -> Option<String> {
    const OWN: [&str; 6] =
        ["name", "version", "lockfileVersion", "requires", "packages", "dependencies"];
    let mut unchanged = previous.frames(lock, packages.len());
    let mut entries = Vec::with_capacity(packages.len());
    for package in packages {
        let entry = render_entry(package, previous);
        unchanged &= matches!(entry, Value::Source(Cow::Borrowed(_)));
        entries.push((Cow::Borrowed(package.path.as_str()), entry));
    }
    let version = previous.next_version(lock);
    let dependencies = (version < 3).then(|| legacy::dependencies(lock)).flatten();
    let before = previous.members.get("dependencies");
    if unchanged && legacy::is_same(dependencies.as_ref(), before) {
        return None;
    }
    let mut members: Vec<(Cow<'_, str>, Value<'_>)> = vec![
        ("lockfileVersion".into(), previous.version_text(version)),
        ("requires".into(), Value::TRUE),
    ];
    if version > 1 {
        members.push(("packages".into(), Value::Object(entries)));
    }
    for (key, text) in [("name", &lock.name), ("version", &lock.version)] {
        members.extend(text.iter().map(|text| (key.into(), Value::string(text))));
    }
    members.extend(dependencies.map(|value| ("dependencies".into(), value)));
    let others = previous.members.0.iter().filter(|(key, _)| !OWN.contains(&key.as_ref()));
    members.extend(others.map(|(key, raw)| (key.clone(), Value::parse(raw.get()))));

    let mut value = Value::Object(members);
    value.sort();
    let mut out = String::with_capacity(600 * lock.packages.len() + 200);
    value.write(&mut out, previous.format, 0);
    out.push_str(previous.format.newline);
    Some(out)
}

/// Returns the entry's text, borrowed from `previous` where it has not changed.
fn render_entry<'a>(package: &LockPackage, previous: &Previous<'a>) -> Value<'a> {
    let before = previous.entries.get(&package.path).map(RawValue::get);
    Value::Source(entry_text(package, before, previous.format))
}

/// Returns the entry's text: `before` where it has not changed.
pub(super) fn entry_text<'a>(
    package: &LockPackage,
    before: Option<&'a str>,
    format: Format<'_>,
) -> Cow<'a, str> {
    let mut value = entry(package);
    value.sort();
    let mut text = String::with_capacity(600);
    value.write(&mut text, format, 2);
    match before {
        Some(before) if before == text || is_unchanged(package, before) => Cow::Borrowed(before),
        _ => Cow::Owned(text),
    }
}

/// Returns whether the entry `before` can stay: it differs at most in spelling and in members that
/// dx does not know.
fn is_unchanged(package: &LockPackage, before: &str) -> bool {
    let Ok(mut before) = read_entry(Source::new(before), &package.path, before) else {
        return false;
    };
    let package = normalised(package);
    if package.extra.is_empty()
        && !before.extra.iter().any(|(key, _)| ALTERATIONS.contains(&key.as_str()))
    {
        before.extra.clear();
    }
    package == before
}

/// Returns the entry in the order and spelling in which reading gives it.
fn normalised(package: &LockPackage) -> LockPackage {
    let mut package = package.clone();
    package.normalise();
    if package.is_from_git() {
        package.integrity = None;
    }
    for json in
        [&mut package.engines, &mut package.funding, &mut package.workspaces].into_iter().flatten()
    {
        *json = canonical(json);
    }
    package.extra.iter_mut().for_each(|(_, json)| *json = canonical(json));
    package
}

fn entry<'a>(package: &'a LockPackage) -> Value<'a> {
    // As with npm, a commit is its own proof: what is packed of it is nothing that others have.
    let integrity = if package.is_from_git() { &None } else { &package.integrity };
    let mut members: Vec<(Cow<'a, str>, Value<'a>)> = Vec::new();
    let mut add = |key: &'static str, value: Option<Value<'a>>| {
        members.extend(value.map(|value| (Cow::Borrowed(key), value)))
    };
    for (key, text) in [
        ("name", &package.name),
        ("version", &package.version),
        ("resolved", &package.resolved),
        ("integrity", integrity),
        ("deprecated", &package.deprecated),
        ("license", &package.license),
    ] {
        add(key, text.as_deref().map(Value::string));
    }
    for (key, set) in [
        ("link", package.link),
        ("dev", package.dev),
        ("optional", package.optional),
        ("devOptional", package.dev_optional),
        ("peer", package.peer),
        ("inBundle", package.in_bundle),
        ("extraneous", package.extraneous),
        ("hasInstallScript", package.has_install_script),
        ("hasShrinkwrap", package.has_shrinkwrap),
    ] {
        add(key, set.then_some(Value::TRUE));
    }
    for (key, json) in [
        ("engines", &package.engines),
        ("funding", &package.funding),
        ("workspaces", &package.workspaces),
    ] {
        add(key, json.as_deref().map(Value::parse));
    }
    for (key, texts) in [
        ("os", &package.os),
        ("cpu", &package.cpu),
        ("libc", &package.libc),
        ("bundleDependencies", &package.bundle_dependencies),
    ] {
        let array = || Value::Array(texts.iter().map(|text| Value::string(text)).collect());
        add(key, (!texts.is_empty()).then(array));
    }
    for (key, pairs) in [
        ("bin", &package.bin),
        ("dependencies", &package.dependencies),
        ("devDependencies", &package.dev_dependencies),
        ("optionalDependencies", &package.optional_dependencies),
        ("peerDependencies", &package.peer_dependencies),
    ] {
        add(key, (!pairs.is_empty()).then(|| Value::strings(pairs)));
    }
    let patch = |patch: &'a Patched| {
        let text = |key, text| (Cow::Borrowed(key), Value::string(text));
        Value::Object(vec![text("integrity", &patch.integrity), text("path", &patch.path)])
    };
    add("patched", package.patched.as_ref().map(patch));
    let meta = &package.peer_dependencies_meta;
    add("peerDependenciesMeta", (!meta.is_empty()).then(|| peer_meta(meta)));
    // What is recorded as it was written takes the place of what was read of it.
    let is_extra = |key: &str| package.extra.iter().any(|(other, _)| other == key);
    members.retain(|(key, _)| !is_extra(key));
    members.extend(
        package.extra.iter().map(|(key, json)| (Cow::Borrowed(key.as_str()), Value::parse(json))),
    );
    Value::Object(members)
}

fn peer_meta(meta: &[(String, bool)]) -> Value<'_> {
    let optional = |set: bool| {
        if set { Value::TRUE } else { Value::Literal(Cow::Borrowed("false")) }
    };
    let member = |(name, set): &'_ (String, bool)| {
        (Cow::Owned(name.clone()), Value::Object(vec![(Cow::Borrowed("optional"), optional(*set))]))
    };
    Value::Object(meta.iter().map(member).collect())
}

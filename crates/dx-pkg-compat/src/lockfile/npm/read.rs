//! Reading: from text to [`Lock`].

use std::collections::HashSet;

use dx_pkg_core::PackageName;
use dx_pkg_lock::{Lock, LockPackage, Patched, locale_compare};
use serde_json::value::RawValue;

use super::super::LockfileError;
use super::super::json::{Object, canonical};
use super::source::{Place, Source, is_number, is_set, is_string, peer_meta};
use super::{legacy, path};
use crate::json_size;
use crate::surrogates::without_lone;

/// The most values that a lockfile may have, names included, and the most packages: five times
/// those of the largest known.
const MOST_VALUES: usize = 3_000_000;
const MOST_ENTRIES: usize = 100_000;

/// Reads a `package-lock.json`, an `npm-shrinkwrap.json` or the hidden lockfile of `node_modules`.
///
/// Entries come sorted, so the order of keys in the text makes no difference. Paths and names that
/// could lead a write elsewhere, merge conflicts and unknown versions are refused. A version 1
/// lockfile does not hold the project's own dependencies: its root entry has none.
pub fn read(text: &str) -> Result<Lock, LockfileError> {
    read_within(text, MOST_VALUES, MOST_ENTRIES)
}

/// Reads a lockfile of at most so many values and entries.
pub(super) fn read_within(
    text: &str,
    most_values: usize,
    most_entries: usize,
) -> Result<Lock, LockfileError> {
    if !json_size::has_at_most(text, most_values) {
        return Err(LockfileError::TooLarge { limit: most_values, what: "values" });
    }
    let text = without_lone(text.strip_prefix('\u{feff}').unwrap_or(text));
    let source = Source::new(&text);
    let members = match source.text {
        "" => Object::default(),
        text => Object::parse(text).map_err(|error| syntax_error(text, &error))?,
    };
    let place = Place { source, entry: None };
    let string = |key| members.get(key).map_or(Ok(None), |raw| place.string(key, raw));
    let mut lock = Lock {
        name: string("name")?,
        version: string("version")?,
        format_version: format_version(&members, place)?,
        ..Lock::default()
    };
    if let (Some(version), Some(raw)) = (&lock.version, members.get("version"))
        && !path::version_is_safe(version)
    {
        return Err(place.error("version", raw.get(), "is not a version"));
    }
    let filled = |key| members.get(key).filter(|raw| raw.get() != "null");
    match (filled("packages"), filled("dependencies")) {
        (Some(packages), _) => lock.packages = read_entries(packages, place, most_entries)?,
        (None, Some(dependencies)) => lock.packages = legacy::upgrade(&lock, dependencies, source)?,
        (None, None) => {}
    }
    check_count(lock.packages.len(), most_entries)?;
    lock.packages.retain(|package| !is_left_out(package));
    lock.packages
        .sort_by(|a, b| locale_compare(&a.path, &b.path).then_with(|| a.path.cmp(&b.path)));
    check_paths(&lock, source)?;
    Ok(lock)
}

fn read_entries(
    packages: &RawValue,
    place: Place<'_, '_>,
    most: usize,
) -> Result<Vec<LockPackage>, LockfileError> {
    let entries = place.members("packages", packages)?.0;
    check_count(entries.len(), most)?;
    entries.into_iter().map(|(path, raw)| read_entry(place.source, &path, raw.get())).collect()
}

fn check_count(entries: usize, most: usize) -> Result<(), LockfileError> {
    match entries > most {
        true => Err(LockfileError::TooLarge { limit: most, what: "packages" }),
        false => Ok(()),
    }
}

/// Returns whether an entry is only the place of an optional package that npm could not load: it
/// has marks and nothing else.
pub(super) fn is_left_out(package: &LockPackage) -> bool {
    if !package.optional || package.version.is_some() || !path::is_in_modules(&package.path) {
        return false;
    }
    let LockPackage { path, dev, peer, .. } = package.clone();
    *package == LockPackage { path, optional: true, dev, peer, ..LockPackage::default() }
}

fn check_paths(lock: &Lock, source: Source<'_>) -> Result<(), LockfileError> {
    let links = lock.packages.iter().filter(|package| package.link);
    let targets: HashSet<&str> = links.filter_map(|package| package.resolved.as_deref()).collect();
    for package in &lock.packages {
        let refuse = |path: &str, rule| LockfileError::Path {
            line: source.line_of(path),
            path: path.to_owned(),
            rule,
        };
        path::check(&package.path, package.extraneous, |folder| targets.contains(folder))
            .map_err(|rule| refuse(&package.path, rule))?;
        if !package.link {
            continue;
        }
        let target = package
            .resolved
            .as_deref()
            .ok_or_else(|| refuse(&package.path, "it is a link to nothing"))?;
        path::check_target(target).map_err(|rule| refuse(target, rule))?;
        if !path::is_in_modules(&package.path) {
            return Err(refuse(&package.path, "it is a link outside any `node_modules`"));
        }
    }
    Ok(())
}

/// Returns whether a lock that was not read from a lockfile has the paths and versions that one
/// may have.
#[must_use]
pub fn is_safe(lock: &Lock) -> bool {
    let versions = lock.packages.iter().filter_map(|package| package.version.as_deref());
    versions.chain(lock.version.as_deref()).all(path::version_is_safe)
        && check_paths(lock, Source::new("")).is_ok()
}

/// Returns the string member of this key, if there is one.
pub(super) fn member_text(members: &Object<'_>, key: &str) -> Option<String> {
    serde_json::from_str(members.get(key)?.get()).ok()
}

fn format_version(members: &Object<'_>, place: Place<'_, '_>) -> Result<u8, LockfileError> {
    match members.get("lockfileVersion").map(RawValue::get) {
        Some("1" | "\"1\"") => Ok(1),
        Some("2" | "\"2\"") => Ok(2),
        Some("3" | "\"3\"") => Ok(3),
        Some("4" | "\"4\"") => Ok(4),
        None | Some("null" | "0" | "false" | "\"\"")
            if members.get("packages").is_none() && members.get("dependencies").is_none() =>
        {
            Ok(3)
        }
        None | Some("null" | "0" | "false" | "\"\"") => Ok(1),
        Some(found) if found.parse::<f64>().is_ok() => {
            Err(LockfileError::Version { found: found.to_owned() })
        }
        Some(_) => {
            let raw = members.get("lockfileVersion");
            Err(place.error("lockfileVersion", raw.map_or("", RawValue::get), "is not a number"))
        }
    }
}

fn syntax_error(text: &str, error: &serde_json::Error) -> LockfileError {
    let mut lines = text.lines().enumerate();
    if let Some((line, _)) =
        lines.find(|(_, line)| line.starts_with("<<<<<<<") || line.starts_with(">>>>>>>"))
    {
        return LockfileError::Conflict { line: line + 1 };
    }
    let message = error.to_string();
    let reason = message.rsplit_once(" at line ").map_or(message.as_str(), |(reason, _)| reason);
    LockfileError::Syntax { line: error.line(), column: error.column(), reason: reason.to_owned() }
}

/// Reads the entry at `path`, whose text `raw` is part of `source`.
pub(super) fn read_entry(
    source: Source<'_>,
    path: &str,
    raw: &str,
) -> Result<LockPackage, LockfileError> {
    let place = Place { source, entry: Some(path) };
    let members = Object::parse(raw)
        .map_err(|_| Place { entry: None, ..place }.error(path, raw, "is not an object"))?;
    let mut package = LockPackage { path: path.to_owned(), ..LockPackage::default() };
    for (key, value) in &members.0 {
        read_member(&mut package, place, key, value)?;
    }
    // An empty one tells nothing, but of a link to the project itself.
    if !package.link {
        package.resolved.take_if(|resolved| resolved.is_empty());
    }
    if let Some(bin) = members.get("bin") {
        package.bin = place.commands("bin", bin, package.package_name())?;
    }
    if let (Some(name), true) = (&package.name, path.contains("node_modules/"))
        && PackageName::parse(name).is_err()
    {
        return Err(place.error("name", raw, "is not a package name"));
    }
    if package.version.as_deref().is_some_and(|version| !path::version_is_safe(version)) {
        return Err(place.error("version", raw, "is not a version"));
    }
    // The digest of a tarball that some npm packed, which npm does not look at either.
    if package.is_from_git() {
        package.integrity = None;
    }
    package.normalise();
    Ok(package)
}

/// Reads the patch of an entry. Whatever else stands there would be installed unpatched.
fn read_patch(place: Place<'_, '_>, raw: &RawValue) -> Result<Patched, LockfileError> {
    let refuse = |reason| place.error("patched", raw.get(), reason);
    let members = Object::parse(raw.get()).map_err(|_| refuse("is not an object"))?;
    let text = |key| member_text(&members, key).filter(|text| !text.is_empty());
    match (text("path"), text("integrity")) {
        (Some(path), Some(integrity)) => Ok(Patched { path, integrity }),
        _ => Err(refuse("does not name a patch file and its integrity")),
    }
}

fn read_member(
    package: &mut LockPackage,
    place: Place<'_, '_>,
    key: &str,
    raw: &RawValue,
) -> Result<(), LockfileError> {
    match key {
        "name" => package.name = place.string(key, raw)?,
        // A number is no version, and tells no more than none.
        "version" if is_number(raw) => package.version = None,
        "version" => package.version = place.string(key, raw)?,
        "resolved" => package.resolved = place.string(key, raw)?,
        "integrity" => package.integrity = place.filled_string(key, raw)?,
        "link" => package.link = is_set(raw),
        "dev" => package.dev = is_set(raw),
        "optional" => package.optional = is_set(raw),
        "devOptional" => package.dev_optional = is_set(raw),
        "peer" => package.peer = is_set(raw),
        "inBundle" => package.in_bundle = is_set(raw),
        "extraneous" => package.extraneous = is_set(raw),
        "hasInstallScript" => package.has_install_script = is_set(raw),
        "hasShrinkwrap" => package.has_shrinkwrap = is_set(raw),
        "engines" => package.engines = Some(canonical(raw.get())),
        "funding" => package.funding = Some(canonical(raw.get())),
        "workspaces" => package.workspaces = Some(canonical(raw.get())),
        "os" | "cpu" | "libc" => {
            let names = place.strings(key, raw)?;
            match key {
                "os" => package.os = names,
                "cpu" => package.cpu = names,
                _ => package.libc = names,
            }
            if is_string(raw) {
                package.extra.push((key.to_owned(), canonical(raw.get())));
            }
        }
        "dependencies" => package.dependencies = place.pairs(key, raw)?,
        "devDependencies" => package.dev_dependencies = place.pairs(key, raw)?,
        "optionalDependencies" => package.optional_dependencies = place.pairs(key, raw)?,
        "peerDependencies" => package.peer_dependencies = place.pairs(key, raw)?,
        "peerDependenciesMeta" => {
            let (meta, is_usual) = peer_meta(raw);
            package.peer_dependencies_meta = meta;
            if !is_usual {
                package.extra.push((key.to_owned(), canonical(raw.get())));
            }
        }
        "patched" => package.patched = Some(read_patch(place, raw)?),
        "deprecated" if is_string(raw) => package.deprecated = place.string(key, raw)?,
        "license" if is_string(raw) => package.license = place.string(key, raw)?,
        "bin" => {} // read last, as it may mean the name
        "bundleDependencies" if raw.get().starts_with('[') => {
            package.bundle_dependencies = place.strings(key, raw)?
        }
        _ => package.extra.push((key.to_owned(), canonical(raw.get()))),
    }
    Ok(())
}

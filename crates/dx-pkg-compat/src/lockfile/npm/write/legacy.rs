//! The `dependencies` of lockfiles of version 1, and of version 2 for npm 6: the tree, nested.

use std::borrow::Cow;
use std::collections::BTreeMap;

use dx_pkg_core::Spec;
use dx_pkg_lock::{Lock, LockIndex, LockPackage, locale_compare, name_of_path};
use rustc_hash::FxHashMap;
use serde_json::value::RawValue;

use super::super::super::json::{Value, canonical};

const MODULES: &str = "node_modules/";

/// Returns the tree of everything below the project's `node_modules`; `None` when that is empty.
pub(super) fn dependencies(lock: &Lock) -> Option<Value<'_>> {
    let mut children: BTreeMap<&str, Vec<&LockPackage>> = BTreeMap::new();
    for package in lock.packages.iter().chain(&lock.left_out) {
        if let Some(folder) = parent(&package.path) {
            children.entry(folder).or_default().push(package);
        }
    }
    let replaced = lock.overridden.iter();
    let overridden =
        replaced.map(|one| ((one.dependent.as_str(), one.name.as_str()), one.spec.as_str()));
    let overridden = overridden.collect();
    let index = lock.index();
    let dependents = dependents(lock, &index, &overridden);
    let tree = Tree { index, children, dependents, overridden };
    tree.nested("", &mut Vec::new())
}

/// Returns whether a lockfile that has `before` there says what `now` does.
pub(super) fn is_same(now: Option<&Value<'_>>, before: Option<&RawValue>) -> bool {
    match (now, before) {
        (Some(now), Some(before)) => now.clone().into_canonical() == canonical(before.get()),
        (now, before) => now.is_none() && before.is_none(),
    }
}

/// The dependents of each entry, and the specifiers by which they require it.
type Dependents<'a> = FxHashMap<&'a str, Vec<(&'a str, &'a str)>>;

/// The specifiers that overrides put in the place of a dependent's own: by its path and by name.
type Overrides<'a> = FxHashMap<(&'a str, &'a str), &'a str>;

struct Tree<'a> {
    index: LockIndex<'a>,
    children: BTreeMap<&'a str, Vec<&'a LockPackage>>,
    dependents: Dependents<'a>,
    overridden: Overrides<'a>,
}

impl<'a> Tree<'a> {
    /// Returns the contents of the `node_modules` of `folder`. `above` are the folders that contain
    /// it.
    fn nested(&self, folder: &'a str, above: &mut Vec<&'a str>) -> Option<Value<'a>> {
        let children = self.children.get(folder).into_iter().flatten();
        // Following a link back to a folder that contains it would never end.
        let followed: Vec<&LockPackage> =
            children.copied().filter(|package| !above.contains(&real_folder(package))).collect();
        above.push(folder);
        let member = |package: &&'a LockPackage| {
            (Cow::Borrowed(name_of_path(&package.path)), self.entry(package, above))
        };
        let members: Vec<_> = followed.iter().map(member).collect();
        above.pop();
        (!members.is_empty()).then_some(Value::Object(members))
    }

    fn entry(&self, package: &'a LockPackage, above: &mut Vec<&'a str>) -> Value<'a> {
        let mut members: Vec<(Cow<'a, str>, Value<'a>)> = Vec::new();
        let mut add =
            |key: &'static str, value: Value<'a>| members.push((Cow::Borrowed(key), value));
        let origin = self.origin(package);
        if let Some(version) = origin.version {
            add("version", Value::String(version));
        }
        if let Some(from) = origin.from {
            add("from", Value::String(Cow::Owned(from)));
        }
        if let (true, Some(resolved)) = (origin.from_registry, &package.resolved) {
            add("resolved", Value::string(resolved));
        }
        if let Some(integrity) = &package.integrity
            && !package.is_from_git()
        {
            add("integrity", Value::string(integrity));
        }
        for (key, set) in [
            ("bundled", self.is_bundled(package)),
            ("extraneous", package.extraneous),
            ("peer", package.peer),
            ("devOptional", package.dev_optional),
            ("dev", package.dev),
            ("optional", package.optional),
        ] {
            if set {
                add(key, Value::TRUE);
            }
        }
        let folder = real_folder(package);
        let target = if package.link { self.index.get(folder) } else { Some(package) };
        if let Some(requires) = target.and_then(|target| requires(target, &self.overridden)) {
            add("requires", requires);
        }
        if let Some(nested) = self.nested(folder, above) {
            add("dependencies", nested);
        }
        Value::Object(members)
    }

    /// Returns whether the package is in another one's tarball. What the project itself bundles is
    /// not marked here.
    fn is_bundled(&self, package: &LockPackage) -> bool {
        let mut inside = package;
        while inside.in_bundle {
            match parent(&inside.path).and_then(|folder| self.index.get(folder)) {
                Some(around) if !around.path.is_empty() => inside = around,
                _ => return false,
            }
        }
        !std::ptr::eq(inside, package)
    }

    fn origin(&self, package: &'a LockPackage) -> Origin<'a> {
        if package.link {
            let target = package.resolved.as_deref().unwrap_or_default();
            return Origin {
                version: Some(Cow::Owned(format!("file:{target}"))),
                ..Origin::default()
            };
        }
        let name = name_of_path(&package.path);
        let resolved = package.resolved.as_deref().unwrap_or_default();
        // An entry that nothing requires tells its source itself.
        let spec = self.specifier(&package.path).or(package.resolved.as_deref());
        let asked = spec.and_then(|spec| Spec::parse(spec).ok());
        // As its dependent writes it, whose folder the path begins in.
        let written = match &asked {
            Some(Spec::Tarball(path)) => {
                Some(Cow::Owned(plain(&format!("file:{path}")).into_owned()))
            }
            Some(Spec::Remote(_)) => spec.map(Cow::Borrowed),
            _ => None,
        };
        if package.is_from_git() {
            let is_required = self.dependents.contains_key(package.path.as_str());
            let at_name = if is_required { format!("{name}@") } else { String::new() };
            let from = spec.map(|spec| format!("{at_name}{spec}"));
            return Origin {
                version: package.resolved.as_deref().map(Cow::Borrowed),
                from,
                from_registry: false,
            };
        }
        if written.is_some() {
            return Origin { version: written, ..Origin::default() };
        }
        let version = match (&package.name, &package.version) {
            (Some(real), Some(version)) if real != name => {
                Some(Cow::Owned(format!("npm:{real}@{version}")))
            }
            (_, version) => version.as_deref().map(Cow::Borrowed),
        };
        Origin { version, from: None, from_registry: !resolved.starts_with("file:") }
    }

    /// Returns the specifier by which the dependent nearest to the project requires the entry at
    /// `path`.
    fn specifier(&self, path: &str) -> Option<&'a str> {
        let depth = |from: &str| from.matches("node_modules").count();
        let last = |from: &'a str| from.rsplit("node_modules").next().unwrap_or_default();
        let dependents = self.dependents.get(path)?.iter();
        let nearest = dependents.min_by(|(a, _), (b, _)| {
            depth(a).cmp(&depth(b)).then_with(|| locale_compare(last(a), last(b)))
        });
        nearest.map(|(_, spec)| *spec)
    }
}

/// Returns the fields that version 2 writes in `dependencies` for a package's source.
#[derive(Default)]
struct Origin<'a> {
    version: Option<Cow<'a, str>>,
    from: Option<String>,
    from_registry: bool,
}

/// Returns the package whose `node_modules` the entry at `path` is directly in.
fn parent(path: &str) -> Option<&str> {
    let at = path.len() - name_of_path(path).len();
    let folder = path[..at].strip_suffix(MODULES)?;
    Some(folder.strip_suffix('/').unwrap_or(folder))
}

/// Returns the folder of the package's files: a link's target, or its own.
fn real_folder(package: &LockPackage) -> &str {
    match &package.resolved {
        Some(target) if package.link => target,
        _ => &package.path,
    }
}

fn dependents<'a>(
    lock: &'a Lock,
    index: &LockIndex<'a>,
    overridden: &Overrides<'a>,
) -> Dependents<'a> {
    let mut dependents = Dependents::default();
    for package in lock.packages.iter().filter(|package| !package.link) {
        for (name, spec) in edges(package).chain(peers(package)) {
            let spec = overridden.get(&(package.path.as_str(), name)).copied().unwrap_or(spec);
            if let Some(found) = index.resolve(&package.path, name)
                && can_meet(found, spec)
            {
                dependents.entry(&found.path).or_default().push((&package.path, spec));
            }
        }
    }
    dependents
}

/// Returns whether an entry may be what a requirement means: one without a version, as a hand or a
/// merge leaves it, meets no range.
fn can_meet(entry: &LockPackage, spec: &str) -> bool {
    let is_versioned = entry.version.is_some() || entry.link;
    is_versioned
        || !match Spec::parse(spec) {
            Ok(Spec::Version(_)) => true,
            Ok(Spec::Range(range)) => !range.is_any(),
            _ => false,
        }
}

/// Returns the package's dependencies apart from its peers.
fn edges(package: &LockPackage) -> impl Iterator<Item = (&str, &str)> {
    let lists = [&package.dependencies, &package.optional_dependencies, &package.dev_dependencies];
    lists.into_iter().flatten().map(|(name, spec)| (name.as_str(), spec.as_str()))
}

fn peers(package: &LockPackage) -> impl Iterator<Item = (&str, &str)> {
    package.peer_dependencies.iter().map(|(name, spec)| (name.as_str(), spec.as_str()))
}

/// Returns a requirement as npm writes it: the path of a file or folder without `.` and needless
/// `..`.
fn plain(spec: &str) -> Cow<'_, str> {
    let Some(path) = spec.strip_prefix("file:").filter(|path| !path.starts_with(['/', '~'])) else {
        return Cow::Borrowed(spec);
    };
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    Cow::Owned(format!("file:{}", parts.join("/")))
}

/// Present but empty for a package that has only peer dependencies.
fn requires<'a>(package: &'a LockPackage, overridden: &Overrides<'a>) -> Option<Value<'a>> {
    let applied = |(name, spec): (&'a str, &'a str)| {
        (name, overridden.get(&(package.path.as_str(), name)).copied().unwrap_or(spec))
    };
    // As with npm, of names that differ only in their case the last one counts.
    let folded = |(name, spec): (&'a str, &'a str)| (name.to_lowercase(), applied((name, spec)));
    let members: BTreeMap<String, (&str, &str)> = edges(package).map(folded).collect();
    if members.is_empty() && package.peer_dependencies.is_empty() {
        return None;
    }
    Some(Value::Object(
        members
            .into_values()
            .map(|(name, spec)| (Cow::Borrowed(name), Value::String(plain(spec))))
            .collect(),
    ))
}

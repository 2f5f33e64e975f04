//! The manifests of packages as npm shows them: those on disk, or entries of the lockfile, with the
//! changes that npm makes in memory.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::Path;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};

use dx_pkg_acquire::files::read_text;
use dx_pkg_compat::manifest::{base_name, clean_path};
use dx_pkg_resolve::graph::{Kind, Requirement};
use serde_json::{Value, json};

pub(crate) use crate::outline::Members;
use crate::outline::Outline;
use crate::{Source, View};

/// The number of packages for which no thread is started.
const FEW: usize = 64;
/// The most threads: more wait for the disk together.
const THREADS: usize = 8;
/// The parts of the work for each thread, so that none is left with the last one.
const PARTS: usize = 4;

/// The members that npm changes or looks at when it shows a package, and those that it sets.
const READ: [&str; 24] = [
    "name",
    "version",
    "bundledDependencies",
    "bundleDependencies",
    "dependencies",
    "optionalDependencies",
    "peerDependencies",
    "peerDependenciesMeta",
    "overrides",
    "scripts",
    "funding",
    "bin",
    "pkgid",
    "location",
    "path",
    "realpath",
    "resolved",
    "from",
    "to",
    "dev",
    "inBundle",
    "deduped",
    "overridden",
    "queryContext",
];

/// The manifests of a project's packages, each read once.
pub(crate) struct Manifests<'v> {
    origin: Origin<'v>,
    known: RefCell<HashMap<usize, Rc<Members>>>,
}

/// Where manifests are read.
struct Origin<'v> {
    view: &'v View,
    /// The entries of a lockfile, where manifests are its entries.
    locked: Option<Members>,
    /// Whether those of folders outside `node_modules` are its entries too.
    has_folders: bool,
}

impl<'v> Manifests<'v> {
    /// Returns the manifests that are on disk.
    pub(crate) fn installed(view: &'v View) -> Self {
        Self::new(view, None, false)
    }

    fn new(view: &'v View, locked: Option<Members>, has_folders: bool) -> Self {
        let origin = Origin { view, locked, has_folders };
        Manifests { origin, known: RefCell::default() }
    }

    /// Returns the manifests as npm knows them after it has read what is installed: where its
    /// record of the tree holds, they are entries of that.
    pub(crate) fn recorded(view: &'v View) -> Self {
        if !view.is_recorded {
            return Self::of_view(view);
        }
        let locked = Some(entries(&view.root.join("node_modules/.package-lock.json")));
        Self::new(view, locked, true)
    }

    /// Returns the manifests of what a view was read from.
    pub(crate) fn of_view(view: &'v View) -> Self {
        let locked = match view.source {
            Source::Installed => None,
            Source::Locked => Some(entries(&view.root.join(&view.lockfile))),
        };
        Self::new(view, locked, false)
    }

    /// Returns the manifest of a package; of a link, that of the folder it leads to.
    pub(crate) fn of(&self, place: usize) -> Rc<Members> {
        let place = target_of(self.origin.view, place);
        if let Some(known) = self.known.borrow().get(&place) {
            return known.clone();
        }
        let members = Rc::new(self.origin.read(place));
        self.known.borrow_mut().insert(place, members.clone());
        members
    }

    /// Returns what `make` makes of each of these places and its manifest, in their order; of none
    /// where there is no place. Of manifests that are not known only what `make` may look at is
    /// read ([`READ`]), on several threads where there are many.
    pub(crate) fn each<T: Send>(
        &self,
        places: Vec<Option<usize>>,
        make: impl Fn(usize, Option<Outline>) -> T + Sync,
    ) -> Vec<T> {
        let (origin, known) = (&self.origin, self.known.borrow());
        let view = origin.view;
        let known: Vec<Option<&Members>> = places
            .iter()
            .map(|place| known.get(&target_of(view, (*place)?)).map(|members| &**members))
            .collect();
        let one = |at: usize| {
            let outline = places[at].map(|place| match known[at] {
                Some(members) => Outline::whole(members.clone()),
                None => origin.outline(target_of(view, place)),
            });
            make(at, outline)
        };
        let threads = dx_pkg_os::process::processors().min(THREADS);
        if places.len() < FEW || threads < 2 {
            return (0..places.len()).map(one).collect();
        }
        let part = places.len().div_ceil(threads * PARTS);
        let starts: Vec<usize> = (0..places.len()).step_by(part).collect();
        let next = AtomicUsize::new(0);
        let work = || {
            let mut made: Vec<(usize, Vec<T>)> = Vec::new();
            while let Some(start) = starts.get(next.fetch_add(1, Ordering::Relaxed)) {
                let end = (start + part).min(places.len());
                made.push((*start, (*start..end).map(&one).collect()));
            }
            made
        };
        let mut made = std::thread::scope(|scope| {
            let workers: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
            let mut made = work();
            for worker in workers {
                made.extend(worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
            }
            made
        });
        made.sort_by_key(|(start, _)| *start);
        made.into_iter().flat_map(|(_, part)| part).collect()
    }
}

impl Origin<'_> {
    /// Reads what is looked at of the manifest of a package or folder.
    fn outline(&self, place: usize) -> Outline {
        if self.locked.is_none() {
            let is_top = self.view.graph.packages[place].parent.is_none();
            let is_read = |key: &str| READ.contains(&key) || is_top && key == "devDependencies";
            let text = manifest_text(self.view, place).unwrap_or_default();
            let outline = Outline::of_text(text.trim_start_matches('\u{feff}'), is_read);
            if let Some(mut outline) = outline {
                normalise(&mut outline.members);
                return outline;
            }
        }
        Outline::whole(self.read(place))
    }

    /// Reads the manifest of a package or folder.
    fn read(&self, place: usize) -> Members {
        let package = &self.view.graph.packages[place];
        // Folders of the project are read from disk in any case.
        let entry = match &self.locked {
            Some(locked) if package.parent.is_some() || self.has_folders && place != 0 => {
                locked.get(&package.path)
            }
            _ => None,
        };
        let mut members = match entry {
            Some(Value::Object(members)) => {
                let mut members = members.clone();
                if !members.get("name").is_some_and(is_true) {
                    members.insert("name".into(), package.name.clone().into());
                }
                members
            }
            _ => self.folder(place),
        };
        normalise(&mut members);
        members
    }

    /// Returns the manifest in a folder; its entry of the lockfile where the folder has none.
    fn folder(&self, place: usize) -> Members {
        let found = on_disk(self.view, place);
        let entry = self.locked.as_ref().filter(|_| found.is_empty());
        match entry.and_then(|locked| locked.get(&self.view.graph.packages[place].path)) {
            Some(Value::Object(members)) => members.clone(),
            _ => found,
        }
    }
}

/// Returns where a package is: of a link, the folder it leads to.
fn target_of(view: &View, place: usize) -> usize {
    view.graph.packages[place].target.unwrap_or(place)
}

/// Returns the entries of a lockfile.
fn entries(path: &Path) -> Members {
    let text = read_text(path).ok().flatten().unwrap_or_default();
    let mut value: Value = serde_json::from_str(&text).unwrap_or_default();
    match value.get_mut("packages").map(Value::take) {
        Some(Value::Object(members)) => members,
        _ => Members::new(),
    }
}

fn manifest_text(view: &View, place: usize) -> Option<String> {
    read_text(&view.folder(place).join("package.json")).ok().flatten()
}

fn on_disk(view: &View, place: usize) -> Members {
    let text = manifest_text(view, place);
    match text.and_then(|text| serde_json::from_str(text.trim_start_matches('\u{feff}')).ok()) {
        Some(Value::Object(members)) => members,
        _ => Members::new(),
    }
}

/// Returns whether JavaScript takes a value for true.
pub(crate) fn is_true(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(value) => *value,
        Value::String(text) => !text.is_empty(),
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::Array(_) | Value::Object(_) => true,
    }
}

/// Makes the changes that npm makes in every manifest that it reads.
fn normalise(members: &mut Members) {
    members.retain(|key, _| !key.starts_with('_'));
    let text = |key: &str| members.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    if let Some((name, version)) = text("name").zip(text("version")) {
        let id = format!("{name}@{version}");
        members.insert("_id".into(), id.into());
    }
    bundled(members);
    let is_override = |value: &Value| value.as_object().is_some_and(|all| !all.is_empty());
    if members.get("overrides").is_some_and(|value| !is_override(value)) {
        members.shift_remove("overrides");
    }
    let optional = members.get("optionalDependencies").and_then(Value::as_object);
    let optional: Vec<String> = optional.into_iter().flat_map(|all| all.keys().cloned()).collect();
    if let Some(Value::Object(all)) = members.get_mut("dependencies")
        && !optional.is_empty()
    {
        all.retain(|name, _| !optional.contains(name));
        if all.is_empty() {
            members.shift_remove("dependencies");
        }
    }
    match members.get_mut("scripts") {
        Some(Value::Object(all)) => all.retain(|_, script| script.is_string()),
        Some(Value::Array(_)) | None => {}
        Some(_) => {
            members.shift_remove("scripts");
        }
    }
    if let Some(Value::String(url)) = members.get("funding").filter(|funding| is_true(funding)) {
        let funding = json!({ "url": url });
        members.insert("funding".into(), funding);
    }
    commands(members);
}

/// Brings `bundleDependencies` into the form of a list.
fn bundled(members: &mut Members) {
    if let Some(list) = members.shift_remove("bundledDependencies")
        && !members.contains_key("bundleDependencies")
    {
        members.insert("bundleDependencies".into(), list);
    }
    let keys = |value: Option<&Value>| -> Value {
        let all = value.and_then(Value::as_object).into_iter().flat_map(Members::keys);
        all.map(|name| Value::from(name.clone())).collect()
    };
    let list = match members.get("bundleDependencies") {
        None | Some(Value::Array(_)) => return,
        Some(Value::Bool(false)) => Value::Array(Vec::new()),
        Some(Value::Bool(true)) => keys(members.get("dependencies")),
        Some(object @ Value::Object(_)) => keys(Some(object)),
        Some(_) => {
            members.shift_remove("bundleDependencies");
            return;
        }
    };
    members.insert("bundleDependencies".into(), list);
}

/// Brings `bin` into the form of an object.
fn commands(members: &mut Members) {
    let Some(bin) = members.get("bin") else { return };
    let name = members.get("name").and_then(Value::as_str).filter(|name| !name.is_empty());
    let given: Vec<(String, String)> = match (bin, name) {
        (Value::String(path), Some(name)) if !path.is_empty() => {
            vec![(name.to_owned(), path.clone())]
        }
        (Value::Array(list), _) => list
            .iter()
            .filter_map(Value::as_str)
            .map(|path| (base_name(path).to_owned(), path.to_owned()))
            .collect(),
        (Value::Object(all), _) => all
            .iter()
            .filter_map(|(command, path)| Some((command.clone(), path.as_str()?.to_owned())))
            .collect(),
        _ => Vec::new(),
    };
    let mut found = Members::new();
    for (command, path) in given {
        let (command, path) = (inside(&command), inside(&path));
        let command = base_name(&command);
        if !command.is_empty() && !path.is_empty() {
            found.insert(command.to_owned(), path.into());
        }
    }
    if found.is_empty() {
        members.shift_remove("bin");
    } else {
        members.insert("bin".into(), found.into());
    }
}

/// Returns a path below a package's folder: no part of it leads out.
fn inside(path: &str) -> String {
    clean_path(path).trim_end_matches('/').to_owned()
}

/// Returns the requirements of a package in npm's order: that of its manifest, peers first.
pub(crate) fn in_order<'v>(
    view: &'v View,
    manifests: &Manifests<'_>,
    place: usize,
) -> Vec<&'v Requirement> {
    match view.graph.packages[place].requires.len() {
        0 | 1 => view.requirements_of(place).collect(),
        _ => ordered(view, &manifests.of(place), place),
    }
}

/// Returns the requirements of a package with this manifest in npm's order.
pub(crate) fn ordered<'v>(
    view: &'v View,
    manifest: &Members,
    place: usize,
) -> Vec<&'v Requirement> {
    let mut found: Vec<&Requirement> = view.requirements_of(place).collect();
    if found.len() < 2 {
        return found;
    }
    let section = |key: &str| manifest.get(key).and_then(Value::as_object).into_iter().flatten();
    let is_optional = |name: &str| {
        let meta = manifest.get("peerDependenciesMeta").and_then(|meta| meta.get(name));
        meta.and_then(|meta| meta.get("optional")).is_some_and(is_true)
    };
    let peers = |optional: bool| {
        let names = section("peerDependencies").map(|(name, _)| name.as_str());
        names.filter(move |name| is_optional(name) == optional)
    };
    let mut order: HashMap<&str, usize> = HashMap::new();
    let sections = ["dependencies", "optionalDependencies", "devDependencies"];
    let others = sections.iter().flat_map(|key| section(key).map(|(name, _)| name.as_str()));
    for name in peers(false).chain(peers(true)).chain(others) {
        let next = order.len();
        order.entry(name).or_insert(next);
    }
    let is_workspace = |one: &&Requirement| one.kind == Kind::Workspace;
    let workspaces = match found.iter().copied().filter(is_workspace).count() > 1 {
        true => view.workspace_order(),
        false => &[],
    };
    let of_workspace = |one: &Requirement| {
        let path = one.spec.strip_prefix("file:").unwrap_or(&one.spec);
        workspaces.iter().position(|folder| folder == path).unwrap_or(usize::MAX)
    };
    found.sort_by_key(|one| match one.kind {
        Kind::Workspace => (0, of_workspace(one)),
        _ => (1, order.get(one.name.as_str()).copied().unwrap_or(usize::MAX)),
    });
    found
}

/// Returns which packages came inside others, or are there for packages that did.
pub(crate) fn bundled_places(view: &View) -> Vec<bool> {
    let packages = &view.graph.packages;
    let mut bundlers: Vec<Option<usize>> = vec![None; packages.len()];
    for (place, package) in packages.iter().enumerate() {
        let lists =
            |parent: &usize| packages[*parent].entry.bundle_dependencies.contains(&package.name);
        let parents = package.parent.filter(lists);
        bundlers[place] = parents;
    }
    let mut is_changed = bundlers.iter().any(Option::is_some);
    while is_changed {
        is_changed = false;
        for (place, package) in packages.iter().enumerate() {
            let Some(parent) = package.parent.filter(|_| bundlers[place].is_none()) else {
                continue;
            };
            let of_dependent = || {
                let mut from = view.dependents_of(place).map(|required| bundlers[required.from]);
                from.any(|bundler| bundler == Some(parent)).then_some(parent)
            };
            let found = bundlers[parent].or_else(of_dependent);
            is_changed |= found.is_some();
            bundlers[place] = found;
        }
    }
    bundlers.iter().zip(packages).map(|(one, package)| one.is_some() || package.in_bundle).collect()
}

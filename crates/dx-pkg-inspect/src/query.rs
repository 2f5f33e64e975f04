//! Packages that a selector names, as `npm query` finds them.

mod matching;
mod parse;
mod pseudo;
pub(crate) mod select;
mod versions;

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use dx_pkg_install::Session;
use dx_pkg_lock::locale_compare;
use serde_json::{Value, json};

use crate::manifests::{Manifests, Members, ordered};
use crate::outline::Outline;
pub use crate::query_error::QueryError;
use crate::{InspectError, View};
use select::Select;

/// Something that a query finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Item {
    /// A package, link or folder of the graph.
    Place(usize),
    /// What a requirement does not find.
    Missing(usize),
}

/// What was found out about packages on the way, which npm shows with them.
pub(crate) type Contexts = HashMap<Item, Members>;

/// What a query found.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// The packages, each as JSON with a member in each line, as it stands in a list.
    packages: Vec<String>,
}

impl Found {
    /// Returns how many packages were found.
    #[must_use]
    pub fn count(&self) -> usize {
        self.packages.len()
    }

    /// Returns the packages as a list in JSON, with a member in each line.
    #[must_use]
    pub fn json(&self) -> String {
        match self.packages.is_empty() {
            true => "[]".to_owned(),
            false => format!("[\n{}\n]", self.packages.join(",\n")),
        }
    }
}

/// Finds packages. With selected workspaces the query is asked of each of them; `with_root` adds
/// the project.
///
/// # Errors
/// The query cannot be read, or a registry that it needs cannot be asked.
pub fn query(
    view: &View,
    session: &Session,
    text: &str,
    with_root: bool,
) -> Result<Found, InspectError> {
    let manifests = Manifests::of_view(view);
    let mut targets: Vec<usize> = view.selected.clone();
    if targets.is_empty() || with_root {
        targets.insert(0, 0);
    }
    let mut select = Select::new(view, session, &manifests);
    let mut seen: HashSet<usize> = HashSet::new();
    let mut found = Vec::new();
    for target in targets {
        for item in items(&mut select, text, target)? {
            let is_new = match item {
                Item::Place(place) => {
                    seen.insert(view.graph.packages[place].target.unwrap_or(place))
                }
                Item::Missing(_) => true,
            };
            if is_new {
                found.push(item);
            }
        }
    }
    let bundled = select.bundled().to_vec();
    let contexts = select.contexts;
    let places = found.iter().map(|item| match item {
        Item::Place(place) => Some(*place),
        Item::Missing(_) => None,
    });
    let shown = |at: usize, outline: Option<Outline>| {
        let context = contexts.get(&found[at]).cloned().unwrap_or_default();
        let outline = match (found[at], outline) {
            (Item::Place(place), Some(mut outline)) => {
                let bundled = bundled.get(place).copied();
                complete(view, &mut outline.members, place, context, bundled);
                outline
            }
            (Item::Missing(at), _) | (Item::Place(at), None) => Outline::whole(missing(view, at)),
        };
        outline.in_list()
    };
    Ok(Found { packages: manifests.each(places.collect(), shown) })
}

/// Returns what a query finds, sorted by place.
pub(crate) fn items(
    select: &mut Select<'_>,
    text: &str,
    target: usize,
) -> Result<Vec<Item>, InspectError> {
    let selectors = parse::parse(text)?;
    let everything = select.everything();
    let mut found = select.all(&selectors, &everything, Some(target))?;
    let view = select.view;
    let path = |item: &Item| match item {
        Item::Place(place) => view.graph.packages[*place].path.as_str(),
        // As npm sorts what has no place.
        Item::Missing(_) => "undefined",
    };
    found.sort_by(|a, b| locale_compare(path(a), path(b)));
    Ok(found)
}

/// Returns what npm shows of a requirement that finds nothing.
fn missing(view: &View, at: usize) -> Members {
    let required = &view.graph.requirements[at];
    let spec = view.required_spec(required);
    let id = format!("{}@{spec}", required.name);
    let from = &view.graph.packages[required.from].path;
    let shown = json!({
        "name": required.name, "version": spec, "_id": id, "pkgid": id,
        "path": null, "realpath": null, "resolved": null, "from": [from], "to": [],
        "dev": true, "inBundle": false, "deduped": false, "overridden": false,
        "queryContext": { "missing": true },
    });
    shown.as_object().cloned().unwrap_or_default()
}

/// Completes the manifest of a package by what else npm shows of it.
fn complete(
    view: &View,
    members: &mut Members,
    place: usize,
    context: Members,
    bundled: Option<bool>,
) {
    let target = view.graph.packages[place].target.unwrap_or(place);
    let package = &view.graph.packages[target];
    let id = id_of(view, members, target);
    let path = |at: usize| Value::from(view.graph.packages[at].path.clone());
    let to = ordered(view, members, target).into_iter().filter_map(|one| one.to.map(path));
    let to: Value = to.collect();
    let folder = view.folder(target).display().to_string();
    let mut set = |key: &str, value: Value| members.insert(key.to_owned(), value);
    set("pkgid", id.into());
    set("location", package.path.clone().into());
    set("path", folder.clone().into());
    set("realpath", folder.into());
    let resolved = view.resolved(target).filter(|_| package.parent.is_some());
    set("resolved", resolved.map(Cow::into_owned).into());
    set("from", view.dependents_of(target).map(|required| path(required.from)).collect());
    set("to", to);
    set("dev", package.dev.into());
    set("inBundle", bundled.unwrap_or(package.in_bundle).into());
    set("deduped", false.into());
    set("overridden", view.graph.packages[place].is_overridden.into());
    set("queryContext", context.into());
}

/// Returns `name@version` as npm has it, with the name of the folder and, where that differs, the
/// package's own.
pub(crate) fn package_id(view: &View, manifests: &Manifests<'_>, place: usize) -> String {
    id_of(view, &manifests.of(place), place)
}

/// Returns the id of a package with this manifest.
fn id_of(view: &View, members: &Members, place: usize) -> String {
    let text = |key: &str| members.get(key).and_then(Value::as_str).unwrap_or_default();
    let (name, version) = (text("name"), text("version"));
    let folder = folder_name(view, place);
    if place == 0 {
        let name = if name.is_empty() { folder.as_str() } else { name };
        return format!("{name}@{version}");
    }
    if name.is_empty() || name == folder {
        return format!("{folder}@{version}");
    }
    format!("{folder}@npm:{name}@{version}")
}

/// Returns the name of a package's folder, with its scope.
pub(crate) fn folder_name(view: &View, place: usize) -> String {
    let folder = view.folder(place);
    let name = |path: &std::path::Path| {
        path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    };
    let own = name(&folder);
    match folder.parent().map(name) {
        Some(scope) if scope.starts_with('@') => format!("{scope}/{own}"),
        _ => own,
    }
}

//! Packages that a selector names, as `npm query` finds them.

mod matching;
mod parse;
mod pseudo;
pub(crate) mod select;
mod versions;

use std::collections::{HashMap, HashSet};

use dx_pkg_install::Session;
use dx_pkg_lock::locale_compare;
use serde_json::{Value, json};

use crate::manifests::{Manifests, Members, in_order};
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
) -> Result<Vec<Value>, InspectError> {
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
    manifests.read_ahead(found.iter().filter_map(|item| match item {
        Item::Place(place) => Some(*place),
        Item::Missing(_) => None,
    }));
    let bundled = select.bundled().to_vec();
    let contexts = select.contexts;
    let shown = |item| shown(view, &manifests, item, &contexts, &bundled);
    Ok(found.into_iter().map(shown).collect())
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

/// Returns what npm shows of a package.
fn shown(
    view: &View,
    manifests: &Manifests<'_>,
    item: Item,
    contexts: &Contexts,
    bundled: &[bool],
) -> Value {
    let context = contexts.get(&item).cloned().unwrap_or_default();
    let place = match item {
        Item::Missing(at) => {
            let required = &view.graph.requirements[at];
            let id = format!("{}@{}", required.name, required.spec);
            let from = &view.graph.packages[required.from].path;
            return json!({
                "name": required.name, "version": required.spec, "_id": id, "pkgid": id,
                "path": null, "realpath": null, "resolved": null, "from": [from], "to": [],
                "dev": true, "inBundle": false, "deduped": false, "overridden": false,
                "queryContext": { "missing": true },
            });
        }
        Item::Place(place) => place,
    };
    let target = view.graph.packages[place].target.unwrap_or(place);
    let package = &view.graph.packages[target];
    let is_bundled = bundled.get(target).copied().unwrap_or(package.in_bundle);
    let mut object = (*manifests.of(place)).clone();
    let folder = view.folder(target).display().to_string();
    let path = |at: usize| Value::from(view.graph.packages[at].path.clone());
    let mut set = |key: &str, value: Value| object.insert(key.to_owned(), value);
    set("pkgid", package_id(view, manifests, target).into());
    set("location", package.path.clone().into());
    set("path", folder.clone().into());
    set("realpath", folder.into());
    let resolved = package.entry.resolved.clone().filter(|_| package.parent.is_some());
    set("resolved", resolved.into());
    set("from", view.dependents_of(target).map(|required| path(required.from)).collect());
    let required = in_order(view, manifests, target);
    set("to", required.into_iter().filter_map(|one| one.to.map(path)).collect());
    set("dev", package.dev.into());
    set("inBundle", is_bundled.into());
    set("deduped", false.into());
    set("overridden", view.graph.packages[place].is_overridden.into());
    set("queryContext", context.into());
    Value::Object(object)
}

/// Returns `name@version` as npm has it, with the name of the folder and, where that differs, the
/// package's own.
pub(crate) fn package_id(view: &View, manifests: &Manifests<'_>, place: usize) -> String {
    let members = manifests.of(place);
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

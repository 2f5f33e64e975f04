//! Who looks for funding among the installed packages, as `npm fund` tells it.

use std::collections::{HashMap, HashSet};

use dx_pkg_acquire::ResolverInput;
use dx_pkg_acquire::metadata::offers::packuments;
use dx_pkg_core::{Spec, Version};
use dx_pkg_install::Session;
use dx_pkg_resolve::Requirements;
use dx_pkg_resolve::pick::Picker;
use serde_json::{Map, Value};
use url::Url;

use crate::drawing::Branch;
use crate::manifests::{Manifests, is_true};
use crate::view::DEEPEST;
use crate::{InspectError, View};

/// The packages that look for funding, as a tree of who requires them.
#[derive(Debug)]
pub struct Funding {
    json: Map<String, Value>,
}

/// Where a package is funded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FundingSource {
    /// The kind of funding, in the package's own word.
    pub kind: Option<String>,
    /// The address.
    pub url: String,
}

impl FundingSource {
    /// Returns what npm says in front of the address.
    #[must_use]
    pub fn title(&self) -> String {
        let kind = self.kind.as_deref();
        let what = kind.map_or_else(|| "Funding".to_owned(), |kind| format!("{kind} funding"));
        format!("{what} available at the following URL")
    }
}

/// Lists who looks for funding; with selected workspaces, among what these need.
#[must_use]
pub fn funding(view: &View) -> Funding {
    let mut walk =
        Walk { view, selected: view.needed_by_selected(), seen: HashSet::new(), count: 0 };
    let dependencies = walk.dependencies(0, 0).merged();
    let own = Manifests::installed(view).of(0);
    let mut json = Map::new();
    json.insert("length".into(), walk.count.into());
    json.insert("name".into(), view.project_name().into());
    if let Some(version) = own.get("version").filter(|version| is_true(version)) {
        json.insert("version".into(), version.clone());
    }
    if let Some(funding) = own.get("funding").filter(|funding| is_true(funding)) {
        json.insert("funding".into(), normalised(funding));
    }
    json.insert("dependencies".into(), dependencies.into());
    Funding { json }
}

/// Returns `funding` of a manifest with an object for each address.
fn normalised(funding: &Value) -> Value {
    let one = |item: &Value| match item {
        Value::String(url) => serde_json::json!({ "url": url }),
        other => other.clone(),
    };
    match funding {
        Value::Array(items) => items.iter().map(one).collect(),
        other => one(other),
    }
}

/// Returns whether `funding` of a manifest is what npm shows: web addresses only.
fn is_valid(funding: &Value) -> bool {
    match funding {
        Value::Array(items) => items.iter().all(|item| !item.is_array() && is_valid(item)),
        other => {
            let url = other.get("url").filter(|url| is_true(url)).unwrap_or(other);
            let url = url.as_str().and_then(|text| Url::parse(text).ok());
            url.is_some_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
        }
    }
}

struct Walk<'v> {
    view: &'v View,
    selected: Option<HashSet<usize>>,
    /// Names with versions that were met.
    seen: HashSet<(String, Option<String>)>,
    count: usize,
}

/// What a package requires: those that are funded, and what stands below those that are not.
#[derive(Default)]
struct Level {
    own: Map<String, Value>,
    trailing: Map<String, Value>,
}

impl Level {
    fn merged(mut self) -> Map<String, Value> {
        self.own.extend(self.trailing);
        self.own
    }
}

impl Walk<'_> {
    /// Walks what a package requires. What is further from the project than any install brings it
    /// is left out.
    fn dependencies(&mut self, place: usize, depth: usize) -> Level {
        if depth > DEEPEST {
            return Level::default();
        }
        let view = self.view;
        let mut found = Vec::new();
        for required in view.requirements_of(place) {
            let Some(to) = required.to else { continue };
            let to = view.graph.packages[to].target.unwrap_or(to);
            if self.selected.as_ref().is_some_and(|selected| !selected.contains(&to)) {
                continue;
            }
            let entry = &view.graph.packages[to].entry;
            let name = view.package_name(to).to_owned();
            if !self.seen.insert((name.clone(), entry.version.clone())) {
                continue;
            }
            let mut item = Map::new();
            if let Some(version) = &entry.version {
                item.insert("version".into(), version.clone().into());
            }
            let funding = entry.funding.as_deref();
            let funding = funding.and_then(|text| serde_json::from_str::<Value>(text).ok());
            let funding = funding.filter(|funding| is_true(funding) && is_valid(funding));
            if let Some(funding) = &funding {
                item.insert("funding".into(), normalised(funding));
                self.count += 1;
            }
            found.push((to, name, item, funding.is_some()));
        }
        let mut level = Level::default();
        for (to, name, mut item, is_funded) in found {
            let below = self.dependencies(to, depth + 1).merged();
            if is_funded {
                if !below.is_empty() {
                    item.insert("dependencies".into(), below.into());
                }
                level.own.insert(name, item.into());
            } else {
                level.trailing.extend(below);
            }
        }
        level
    }
}

impl Funding {
    /// Returns the list as JSON, in npm's form.
    #[must_use]
    pub fn json(&self) -> Value {
        Value::Object(self.json.clone())
    }

    /// Returns the addresses as a tree, each once with all its packages.
    #[must_use]
    pub fn tree(&self, in_unicode: bool) -> String {
        let mut labels: Vec<String> = Vec::new();
        let mut known: HashMap<String, usize> = HashMap::new();
        let name = self.json.get("name").and_then(Value::as_str).unwrap_or_default();
        let root = shape(name, &self.json, &mut labels, &mut known, in_unicode);
        root.map(|root| root.branch(&labels).draw(in_unicode)).unwrap_or_default()
    }
}

/// A line of the tree, before all packages of its address are known.
struct Shape {
    label: usize,
    below: Vec<Shape>,
}

impl Shape {
    fn branch(&self, labels: &[String]) -> Branch {
        let below = self.below.iter().map(|shape| shape.branch(labels)).collect();
        Branch { label: labels[self.label].clone(), below }
    }
}

/// Returns the line of a package; `None` where its address has one already.
fn shape(
    name: &str,
    item: &Map<String, Value>,
    labels: &mut Vec<String>,
    known: &mut HashMap<String, usize>,
    in_unicode: bool,
) -> Option<Shape> {
    let version = item.get("version").and_then(Value::as_str);
    let package = version.map_or_else(|| name.to_owned(), |version| format!("{name}@{version}"));
    let url = item.get("funding").and_then(|funding| sources(funding).into_iter().next());
    let label = match url.map(|source| source.url) {
        None => {
            labels.push(package);
            Some(labels.len() - 1)
        }
        Some(url) => match known.get(&url) {
            Some(at) => {
                labels[*at].push_str(&format!(", {package}"));
                None
            }
            None => {
                let tree = Branch { label: url.clone(), below: vec![Branch::new(package)] };
                labels.push(tree.draw(in_unicode).trim_end().to_owned());
                known.insert(url, labels.len() - 1);
                Some(labels.len() - 1)
            }
        },
    };
    let dependencies = item.get("dependencies").and_then(Value::as_object);
    let mut below = Vec::new();
    for (name, item) in dependencies.into_iter().flatten() {
        let Some(item) = item.as_object() else { continue };
        below.extend(shape(name, item, labels, known, in_unicode));
    }
    label.map(|label| Shape { label, below })
}

/// Returns where a package is funded, as far as these are web addresses.
fn sources(funding: &Value) -> Vec<FundingSource> {
    let all = match normalised(funding) {
        Value::Array(items) => items,
        other => vec![other],
    };
    let valid = all.iter().filter(|item| is_true(item) && is_valid(item));
    valid
        .filter_map(|item| {
            let kind = item.get("type").and_then(Value::as_str);
            let kind = kind.filter(|kind| !kind.is_empty()).map(str::to_owned);
            Some(FundingSource { kind, url: item.get("url")?.as_str()?.to_owned() })
        })
        .collect()
}

/// Returns where one package is funded: an installed one, the project or a workspace by its folder,
/// or one of a registry.
///
/// # Errors
/// It is not funded, or a registry cannot be reached.
pub fn of_package(
    view: &View,
    session: &Session,
    asked: &str,
) -> Result<Vec<FundingSource>, InspectError> {
    let funding = match installed(view, asked) {
        Some(place) => Manifests::installed(view).of(place).get("funding").cloned(),
        None => published(session, asked)?,
    };
    let found = funding.map(|funding| sources(&funding)).unwrap_or_default();
    if found.is_empty() {
        return Err(InspectError::NoFunding { package: asked.to_owned() });
    }
    Ok(found)
}

/// Returns the installed package that a word names, the newest of several.
fn installed(view: &View, asked: &str) -> Option<usize> {
    let argument = Spec::parse_argument(asked).ok()?;
    if let (None, Spec::Directory(_)) = (&argument.name, &argument.spec) {
        let folder = view.asked_from.join(asked).canonicalize().ok()?;
        let places = 0..view.graph.packages.len();
        let is_there = |place: &usize| {
            let found = view.folder(*place).canonicalize();
            found.is_ok_and(|found| found == folder)
        };
        return places.into_iter().find(is_there);
    }
    let name = argument.name?;
    let named = (0..view.graph.packages.len()).filter_map(|place| {
        let package = &view.graph.packages[place];
        let version = view.facts(place).entry.version.as_deref()?;
        let version = Version::parse_loose(version).ok()?;
        (package.name == name.as_str()).then_some((version, place))
    });
    named.max_by(|(a, _), (b, _)| a.cmp(b)).map(|(_, place)| place)
}

/// Returns `funding` of the version that a registry has for a word.
fn published(session: &Session, asked: &str) -> Result<Option<Value>, InspectError> {
    let Ok(argument) = Spec::parse_argument(asked) else { return Ok(None) };
    let Some(name) = argument.name.filter(|_| argument.spec.is_registry()) else {
        return Ok(None);
    };
    let input = ResolverInput::new(session.config(), Requirements::default(), None, None)?;
    let pick = &input.options.pick;
    let names = [name.as_str().to_owned()];
    let found = packuments(&session.context, (input.policy, pick), &names)?.pop().flatten();
    let Some(packument) = found else { return Ok(None) };
    let index = Picker::new(pick.clone()).pick(&packument, &argument.spec);
    let funding =
        index.and_then(|index| packument.version(index).funding_json().map(str::to_owned));
    Ok(funding.and_then(|text| serde_json::from_str(&text).ok()))
}

//! The walk through a query's parts.

use std::cell::OnceCell;
use std::collections::HashSet;
use std::rc::Rc;

use dx_pkg_install::Session;
use dx_pkg_resolve::graph::{Kind, Package, Requirement};
use serde_json::Value;

use super::parse::{Part, Selector};
use super::{Contexts, Item, QueryError, folder_name, matching};
use crate::fund::is_true;
use crate::manifests::{Manifests, Members, bundled_places};
use crate::{InspectError, View};

/// What queries are asked of.
pub(crate) struct Select<'v> {
    pub(crate) view: &'v View,
    pub(super) session: &'v Session,
    pub(super) manifests: &'v Manifests<'v>,
    pub(super) contexts: Contexts,
    /// The advisories that `:vuln` asked for.
    pub(super) advisories: Option<Rc<Value>>,
    /// The versions that `:outdated` asked for, by name.
    pub(super) versions: std::collections::HashMap<String, Rc<Vec<String>>>,
    /// For each top of a tree but the project, the package whose folder it is in.
    around: OnceCell<Vec<Option<usize>>>,
    bundled: OnceCell<Vec<bool>>,
}

impl<'v> Select<'v> {
    pub(crate) fn new(view: &'v View, session: &'v Session, manifests: &'v Manifests<'v>) -> Self {
        Select {
            view,
            session,
            manifests,
            contexts: Contexts::new(),
            advisories: None,
            versions: std::collections::HashMap::new(),
            around: OnceCell::new(),
            bundled: OnceCell::new(),
        }
    }

    /// Returns which packages came inside others, by place.
    pub(super) fn bundled(&self) -> &[bool] {
        self.bundled.get_or_init(|| bundled_places(self.view))
    }

    /// Returns all packages, links and folders.
    pub(super) fn everything(&self) -> Vec<Item> {
        (0..self.view.graph.packages.len()).map(Item::Place).collect()
    }

    /// Returns what any of the selectors finds, beginning with `initial`. `target` is what `:scope`
    /// means, if anything.
    pub(super) fn all(
        &mut self,
        selectors: &[Selector],
        initial: &[Item],
        target: Option<usize>,
    ) -> Result<Vec<Item>, InspectError> {
        let mut found: Vec<Item> = Vec::new();
        let mut seen: HashSet<Item> = HashSet::new();
        for (number, selector) in selectors.iter().enumerate() {
            // Like npm, only the first selector may begin with what stands between packages.
            let before = if number == 0 { initial.to_vec() } else { Vec::new() };
            let own = self.one(selector, initial, before, target)?;
            found.extend(own.into_iter().filter(|item| seen.insert(*item)));
        }
        Ok(found)
    }

    fn one(
        &mut self,
        selector: &Selector,
        initial: &[Item],
        mut current: Vec<Item>,
        target: Option<usize>,
    ) -> Result<Vec<Item>, InspectError> {
        let mut between: Option<char> = None;
        for (number, part) in selector.iter().enumerate() {
            if let Part::Between(sign) = part {
                between = Some(*sign);
                continue;
            }
            let follows = number > 0 && matches!(selector[number - 1], Part::Between(_));
            let base = match (number, follows) {
                (0, _) => initial.to_vec(),
                (_, true) => self.everything(),
                (_, false) => current.clone(),
            };
            let next = self.part(part, &base, target)?;
            current = match between.take() {
                Some('>') => self.children(&current, next),
                Some(' ') => self.descendants(&current, next),
                Some('~') => self.siblings(&current, next),
                _ => next,
            };
        }
        Ok(current)
    }

    fn part(
        &mut self,
        part: &Part,
        base: &[Item],
        target: Option<usize>,
    ) -> Result<Vec<Item>, InspectError> {
        let keep = |test: &dyn Fn(Item) -> bool| -> Vec<Item> {
            base.iter().copied().filter(|item| test(*item)).collect()
        };
        Ok(match part {
            Part::Any | Part::Between(_) => base.to_vec(),
            Part::Name(name) => keep(&|item| {
                self.name(item) == *name
                    || self.manifest(item).get("name").is_some_and(|own| own == name.as_str())
            }),
            Part::Member(matcher) => {
                keep(&|item| matching::holds(matcher, &Value::Object(self.manifest(item))))
            }
            Part::Kind(kind) => match kind.as_str() {
                "prod" => keep(&|item| !self.flag(item, |one| one.dev)),
                "dev" => keep(&|item| self.is_of_kind(item, Kind::Development, |one| one.dev)),
                "optional" => {
                    keep(&|item| self.is_of_kind(item, Kind::Optional, |one| one.optional))
                }
                "peer" => keep(&|item| self.is_of_kind(item, Kind::Peer, |one| one.peer)),
                "workspace" => keep(
                    &|item| matches!(item, Item::Place(at) if self.view.graph.packages[at].is_workspace && at != 0),
                ),
                "bundled" => {
                    keep(&|item| matches!(item, Item::Place(place) if self.bundled()[place]))
                }
                _ => return Err(QueryError::NoKind { kind: kind.clone() }.into()),
            },
            Part::Pseudo(name, arguments) => {
                return self.pseudo(name, arguments.as_deref(), base, target);
            }
        })
    }

    /// Returns the name of an item's folder.
    pub(super) fn name(&self, item: Item) -> String {
        match item {
            Item::Place(0) => folder_name(self.view, 0),
            Item::Place(place) => match self.view.graph.packages[place].parent {
                Some(_) => self.view.graph.packages[place].name.clone(),
                None => folder_name(self.view, place),
            },
            Item::Missing(at) => self.view.graph.requirements[at].name.clone(),
        }
    }

    pub(super) fn manifest(&self, item: Item) -> Members {
        match item {
            Item::Place(place) => (*self.manifests.of(place)).clone(),
            Item::Missing(at) => {
                let required = &self.view.graph.requirements[at];
                let mut members = Members::new();
                members.insert("name".into(), required.name.clone().into());
                members.insert("version".into(), required.spec.clone().into());
                members
            }
        }
    }

    pub(super) fn version(&self, item: Item) -> String {
        let version = self.manifest(item).get("version").and_then(Value::as_str).map(str::to_owned);
        version.unwrap_or_default()
    }

    pub(super) fn is_private(&self, item: Item) -> bool {
        self.manifest(item).get("private").is_some_and(is_true)
    }

    /// Returns a flag of an item; what is missing has all.
    fn flag(&self, item: Item, flag: impl Fn(&Package) -> bool) -> bool {
        match item {
            Item::Place(place) => flag(&self.view.graph.packages[place]),
            Item::Missing(_) => true,
        }
    }

    /// Returns the requirements that lead to an item.
    pub(super) fn dependents(&self, item: Item) -> Vec<&'v Requirement> {
        match item {
            Item::Place(place) => self.view.dependents_of(place).collect(),
            Item::Missing(at) => vec![&self.view.graph.requirements[at]],
        }
    }

    /// Returns whether an item, or a package above it, is needed by this kind of requirement.
    fn is_of_kind(&self, item: Item, kind: Kind, flag: impl Fn(&Package) -> bool) -> bool {
        if self.flag(item, &flag) {
            return true;
        }
        let mut seen: HashSet<usize> = HashSet::new();
        let mut queue = self.dependents(item);
        while let Some(required) = queue.pop() {
            if required.kind == kind || flag(&self.view.graph.packages[required.from]) {
                return true;
            }
            if seen.insert(required.from) {
                queue.extend(self.view.dependents_of(required.from));
            }
        }
        false
    }

    /// Returns the package whose folder holds that of a package which is in no `node_modules`.
    fn around(&self, place: usize) -> Option<usize> {
        let find = || {
            let packages = &self.view.graph.packages;
            let around = |package: &Package| {
                if package.path.is_empty() || package.parent.is_some() {
                    return None;
                }
                let mut path = package.path.as_str();
                while let Some((folder, _)) = path.rsplit_once('/') {
                    if let Some(at) = self.view.at(folder) {
                        return Some(at);
                    }
                    path = folder;
                }
                (!package.path.starts_with("..")).then_some(0)
            };
            packages.iter().map(around).collect()
        };
        self.around.get_or_init(find)[place]
    }

    /// Returns the items that one of `above` requires.
    fn children(&self, above: &[Item], items: Vec<Item>) -> Vec<Item> {
        let above = self.places(above);
        items.into_iter().filter(|item| self.is_child(*item, &above)).collect()
    }

    /// Returns the places of items, folders in place of links.
    fn places(&self, items: &[Item]) -> HashSet<usize> {
        let place = |item: &Item| match item {
            Item::Place(place) => Some(self.view.graph.packages[*place].target.unwrap_or(*place)),
            Item::Missing(_) => None,
        };
        items.iter().filter_map(place).collect()
    }

    fn is_child(&self, item: Item, above: &HashSet<usize>) -> bool {
        let packages = &self.view.graph.packages;
        if let Item::Place(place) = item
            && let Some(around) = self.around(place).filter(|around| above.contains(around))
            && packages[place].links.iter().any(|link| packages[*link].parent == Some(around))
        {
            return true;
        }
        self.dependents(item).iter().any(|required| above.contains(&required.from))
    }

    /// Returns the items that are anywhere below one of `above`.
    fn descendants(&self, above: &[Item], items: Vec<Item>) -> Vec<Item> {
        let packages = &self.view.graph.packages;
        let above = self.places(above);
        let mut below: HashSet<usize> =
            (0..packages.len()).filter(|at| self.is_child(Item::Place(*at), &above)).collect();
        let mut queue: Vec<usize> = below.iter().copied().collect();
        let mut inside: Vec<Vec<usize>> = vec![Vec::new(); packages.len()];
        for place in 0..packages.len() {
            if let Some(around) = self.around(place) {
                inside[around].push(place);
            }
        }
        while let Some(place) = queue.pop() {
            let required = self.view.requirements_of(place).filter_map(|one| one.to);
            let next: Vec<usize> = required
                .chain(packages[place].target)
                .chain(inside[place].iter().copied())
                .collect();
            queue.extend(next.into_iter().filter(|place| below.insert(*place)));
        }
        let is_below = |item: &Item| match item {
            Item::Place(place) => below.contains(place),
            Item::Missing(at) => {
                let from = self.view.graph.requirements[*at].from;
                above.contains(&from) || below.contains(&from)
            }
        };
        items.into_iter().filter(is_below).collect()
    }

    /// Returns the items that something requires which also requires one of `beside`.
    fn siblings(&self, beside: &[Item], items: Vec<Item>) -> Vec<Item> {
        let from = beside.iter().flat_map(|item| self.dependents(*item));
        let above: HashSet<usize> = from.map(|required| required.from).collect();
        let is_one = |item: &Item| !beside.contains(item) && self.is_child(*item, &above);
        items.into_iter().filter(is_one).collect()
    }
}

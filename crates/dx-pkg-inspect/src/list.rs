//! The list of what is installed, as `npm ls` makes it: a walk by levels over what packages
//! require, on which each package is shown in full where it is met first.

mod forms;

use std::cell::OnceCell;
use std::collections::{HashMap, HashSet, VecDeque};

use dx_pkg_lock::locale_compare;
use dx_pkg_resolve::graph::{Kind, Requirement, State};

use crate::View;
use crate::manifests::Manifests;

/// What is listed.
#[derive(Clone, Debug, Default)]
pub struct ListOptions {
    /// The packages that are looked for: names, or names with ranges; all where there are none.
    pub asked: Vec<String>,
    /// How many levels below the direct dependencies are shown.
    pub depth: Option<usize>,
    /// Whether all levels are shown.
    pub all: bool,
    /// Whether only links are shown among the direct dependencies.
    pub links_only: bool,
    /// Kinds of direct dependencies that are left out.
    pub omitted: Vec<Omitted>,
    /// Whether descriptions and paths are shown as well.
    pub long: bool,
    /// Whether the project's own dependencies are listed beside those of selected workspaces.
    pub with_root: bool,
    /// Whether workspaces are left out.
    pub without_workspaces: bool,
}

/// A kind of dependencies that is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Omitted {
    /// `devDependencies`.
    Development,
    /// `optionalDependencies`, and optional peers.
    Optional,
    /// `peerDependencies`.
    Peer,
}

/// A list of what is installed.
pub struct List<'v> {
    view: &'v View,
    options: &'v ListOptions,
    items: Vec<Item>,
    /// The manifests that `--long` shows.
    manifests: OnceCell<Manifests<'v>>,
    /// What is wrong, in the order in which it was found, each once.
    pub problems: Vec<String>,
}

/// A line of the list.
#[derive(Clone, Debug)]
struct Item {
    /// The package; `None` where something is missing.
    place: Option<usize>,
    /// The name of its folder, or of what is missing.
    name: String,
    label: String,
    /// The label of the package that requires what is missing.
    missing_from: Option<String>,
    /// The specifier that is required.
    required: Option<String>,
    kind: Option<Kind>,
    /// Requirements that the package does not meet.
    invalid: String,
    /// Whether it is shown in full elsewhere.
    is_deduped: bool,
    /// Whether it, or something below it, is looked for.
    is_included: bool,
    /// Whether it is what is looked for.
    is_asked: bool,
    parent: Option<usize>,
    depth: usize,
    problems: Vec<String>,
}

/// What requirements, as far as they were walked, say of a package.
#[derive(Clone, Debug, Default)]
struct Noted {
    required: Option<String>,
    kind: Option<Kind>,
    invalid: String,
}

/// Lists what is installed.
#[must_use]
pub fn list<'v>(view: &'v View, options: &'v ListOptions) -> List<'v> {
    let mut walk =
        Walk { view, options, noted: HashMap::new(), seen: HashSet::from([0]), has_missing: false };
    let manifests = OnceCell::new();
    let mut list = List { view, options, items: Vec::new(), manifests, problems: Vec::new() };
    let is_all = options.asked.is_empty();
    let root = Item { is_included: is_all, is_asked: is_all, ..walk.item(0) };
    let mut queue = VecDeque::from([root]);
    while let Some(mut item) = queue.pop_front() {
        if let Some(noted) = item.place.filter(|_| !item.is_deduped).map(|place| walk.noted(place))
        {
            (item.required, item.kind, item.invalid) = (noted.required, noted.kind, noted.invalid);
        }
        item.problems = problems(view, &item);
        let at = list.items.len();
        if item.is_included {
            for problem in &item.problems {
                if !list.problems.contains(problem) {
                    list.problems.push(problem.clone());
                }
            }
            let mut above = item.parent;
            while let Some(parent) = above {
                list.items[parent].is_included = true;
                above = list.items[parent].parent;
            }
        }
        queue.extend(walk.below(&item, at));
        list.items.push(item);
    }
    list
}

struct Walk<'v> {
    view: &'v View,
    options: &'v ListOptions,
    noted: HashMap<usize, Noted>,
    seen: HashSet<usize>,
    /// Whether something missing was met before.
    has_missing: bool,
}

impl Walk<'_> {
    fn noted(&self, place: usize) -> Noted {
        self.noted.get(&place).cloned().unwrap_or_default()
    }

    /// Returns a package as an item without its place in the list.
    fn item(&self, place: usize) -> Item {
        Item {
            place: Some(place),
            name: self.view.graph.packages[place].name.clone(),
            label: self.view.label(place),
            missing_from: None,
            required: None,
            kind: None,
            invalid: String::new(),
            is_deduped: false,
            is_included: false,
            is_asked: false,
            parent: None,
            depth: 0,
            problems: Vec::new(),
        }
    }

    /// Returns the items below `item`, which stands at `at` in the list.
    fn below(&mut self, item: &Item, at: usize) -> Vec<Item> {
        let Some(place) = item.place.filter(|_| !item.is_deduped) else { return Vec::new() };
        let package = &self.view.graph.packages[place];
        let depth = if package.is_workspace { 0 } else { item.depth };
        let deepest = match (self.options.all || !self.options.asked.is_empty(), self.options.depth)
        {
            (_, Some(depth)) => depth,
            (true, None) => usize::MAX,
            (false, None) => 0,
        };
        if depth > deepest {
            return Vec::new();
        }
        let view = self.view;
        let shown = view
            .requirements(place)
            .filter(|required| self.is_selected(required))
            .filter(|required| depth > 0 || self.is_of_kind(required));
        let mut found: Vec<Item> = Vec::new();
        let mut here: HashSet<usize> = HashSet::new();
        for required in shown.collect::<Vec<_>>() {
            here.extend(required.to);
            found.push(self.note(required));
        }
        let extraneous = package.children.iter().copied();
        let extraneous = extraneous
            .filter(|child| view.graph.packages[*child].extraneous && !here.contains(child));
        found.extend(extraneous.map(|child| self.item(child)).collect::<Vec<_>>());
        found.sort_by(|a, b| locale_compare(&a.label, &b.label));
        for child in &mut found {
            self.set_in_place(child, at, depth + 1);
        }
        found
    }

    /// Notes what a requirement says of the package that it finds; returns that, or what is
    /// missing.
    fn note(&mut self, required: &Requirement) -> Item {
        let whole = self.view.required_spec(required);
        let spec = if whole.is_empty() { "*" } else { &*whole };
        let Some(to) = required.to else {
            return Item {
                place: None,
                name: required.name.clone(),
                label: format!("{}@{whole}", required.name),
                missing_from: Some(self.view.label(required.from)),
                required: Some(spec.to_owned()),
                kind: Some(required.kind),
                ..self.item(0)
            };
        };
        let noted = self.noted.entry(to).or_default();
        (noted.required, noted.kind) = (Some(spec.to_owned()), Some(required.kind));
        if required.state == State::Invalid {
            let from = &self.view.graph.packages[required.from].path;
            let from = if from.is_empty() { "the root project" } else { from };
            if !noted.invalid.is_empty() {
                noted.invalid.push_str(", ");
            }
            noted.invalid.push_str(&format!("{spec:?} from {from}"));
        }
        self.item(to)
    }

    /// Sets an item below the one at `parent`. One that is in the list already is shown without
    /// what is below it.
    fn set_in_place(&mut self, item: &mut Item, parent: usize, depth: usize) {
        match item.place {
            Some(place) if !self.seen.insert(place) => {
                let noted = self.noted(place);
                (item.kind, item.invalid) = (noted.kind, noted.invalid);
                item.is_deduped = true;
            }
            None if std::mem::replace(&mut self.has_missing, true) => item.required = None,
            _ => {}
        }
        let asked = &self.options.asked;
        let is_asked = |place| asked.iter().any(|asked| self.view.matches(place, asked));
        item.is_asked = asked.is_empty() || item.place.is_some_and(is_asked);
        item.is_included = item.is_asked;
        (item.parent, item.depth) = (Some(parent), depth);
    }

    /// Returns whether a requirement belongs to what the selected workspaces have.
    fn is_selected(&self, required: &Requirement) -> bool {
        let (view, selected) = (self.view, &self.view.selected);
        let is_of_root = required.from == 0;
        let to = required.to.map(|to| &view.graph.packages[to]);
        let is_workspace = to.is_some_and(|to| to.is_workspace);
        if self.options.without_workspaces && is_of_root && is_workspace {
            return false;
        }
        if selected.is_empty() || !is_of_root {
            return true;
        }
        if self.options.with_root && to.is_some() && !is_workspace {
            return true;
        }
        is_workspace && to.and_then(|to| to.target).is_some_and(|folder| selected.contains(&folder))
    }

    /// Returns whether a direct dependency is of a kind that is listed.
    fn is_of_kind(&self, required: &Requirement) -> bool {
        let omitted = self.options.omitted.iter().any(|kind| match kind {
            Omitted::Development => required.kind == Kind::Development,
            Omitted::Optional => matches!(required.kind, Kind::Optional | Kind::OptionalPeer),
            Omitted::Peer => matches!(required.kind, Kind::Peer | Kind::OptionalPeer),
        });
        let is_link =
            || required.to.is_some_and(|to| self.view.graph.packages[to].target.is_some());
        !omitted && (!self.options.links_only || is_link())
    }
}

impl Item {
    fn is_optional(&self) -> bool {
        matches!(self.kind, Some(Kind::Optional | Kind::OptionalPeer))
    }
}

fn is_extraneous(view: &View, item: &Item) -> bool {
    item.place.is_some_and(|place| !item.is_deduped && view.graph.packages[place].extraneous)
}

/// Returns what is wrong with an item.
fn problems(view: &View, item: &Item) -> Vec<String> {
    let mut found = Vec::new();
    if let Some(from) = item.missing_from.as_ref().filter(|_| !item.is_optional()) {
        found.push(format!("missing: {}, required by {from}", item.label));
    }
    let path = || item.place.map(|place| view.folder(place).display().to_string());
    let path = path().unwrap_or_default();
    if !item.invalid.is_empty() {
        found.push(format!("invalid: {} {path}", item.label));
    }
    if is_extraneous(view, item) {
        found.push(format!("extraneous: {} {path}", item.label));
    }
    found
}

impl List<'_> {
    /// Returns whether anything that was looked for is installed.
    #[must_use]
    pub fn found_any(&self) -> bool {
        self.items.first().is_some_and(|root| root.is_included)
    }

    /// Returns whether something is wrong besides packages that nothing needs.
    #[must_use]
    pub fn has_faults(&self) -> bool {
        !self.problems.iter().all(|problem| problem.starts_with("extraneous:"))
    }
}

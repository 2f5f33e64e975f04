//! Why packages are installed, as `npm explain` tells it: which requirements find a package, and
//! why the packages that have these are there.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use dx_pkg_core::{PackageName, Range, Version};
use dx_pkg_resolve::graph::{Kind, State};
use serde_json::{Map, Value, json};

use crate::manifests::bundled_places;
use crate::view::DEEPEST;
use crate::{InspectError, View};

/// The number of packages after which reasons that were told are not told again. npm tells them at
/// each place, which grows with the number of ways, and fails where there are too many.
const MOST_REPEATED: usize = 50_000;

/// Why packages are there.
pub struct Explanation<'v> {
    view: &'v View,
    /// The number of packages told so far.
    count: Cell<usize>,
    /// How far from what is explained an object of JSON is, whose lines are as far to the right.
    distance: Cell<usize>,
    /// The places of the packages told so far.
    told: RefCell<HashSet<usize>>,
    /// Which packages are bundled, by place.
    bundled: Vec<bool>,
    /// The packages that were asked for.
    asked: Vec<(usize, Rc<Why>)>,
}

/// Why a package is there.
#[derive(Debug)]
struct Why {
    place: usize,
    /// Whether the reasons are told further up.
    is_told: bool,
    /// Whether it is found on the way of requirements. As with npm, a link that leads to what is
    /// asked for is told without its flags.
    is_required: bool,
    dependents: Vec<Rc<Because>>,
    links: Vec<Rc<Why>>,
}

/// A requirement that finds a package.
#[derive(Debug)]
struct Because {
    requirement: usize,
    from: Rc<Why>,
}

/// Explains the packages that `asked` names: by their names, places, or names with ranges.
///
/// # Errors
/// No package is one of these.
pub fn explain<'v>(view: &'v View, asked: &[String]) -> Result<Explanation<'v>, InspectError> {
    let filter = view.needed_by_selected();
    let mut places: Vec<usize> = Vec::new();
    for word in asked {
        for place in named(view, word) {
            let is_shown = filter.as_ref().is_none_or(|filter| filter.contains(&place));
            if is_shown && !places.contains(&place) {
                places.push(place);
            }
        }
    }
    if places.is_empty() {
        return Err(InspectError::NoMatch { asked: asked.join(", ") });
    }
    let mut reasons = Reasons { view, told: HashMap::new(), edges: HashMap::new() };
    let asked = places.into_iter().map(|place| (place, reasons.of(place, &mut Vec::new())));
    let (count, distance, told) = (Cell::new(0), Cell::new(0), RefCell::default());
    let (bundled, asked) = (bundled_places(view), asked.collect());
    Ok(Explanation { view, count, distance, told, bundled, asked })
}

/// Returns the packages that a word names.
fn named(view: &View, word: &str) -> Vec<usize> {
    let all = 0..view.graph.packages.len();
    if PackageName::parse(word).is_ok() {
        return all.filter(|place| view.package_name(*place) == word).collect();
    }
    let path = word.replace('\\', "/");
    let path = path.trim_end_matches('/');
    let absolute = view.asked_from.join(path);
    let below = absolute.strip_prefix(&view.root).ok().map(|path| path.to_string_lossy());
    if let Some(place) = view.at(path).or_else(|| view.at(&below?.replace('\\', "/"))) {
        return vec![place];
    }
    let Some(at) = word.char_indices().skip(1).find(|(_, c)| *c == '@').map(|(at, _)| at) else {
        return Vec::new();
    };
    let Ok(range) = Range::parse(&word[at + 1..]) else { return Vec::new() };
    let fits = |place: &usize| {
        let version = view.facts(*place).entry.version.as_deref();
        let version = version.and_then(|text| Version::parse_loose(text).ok());
        view.package_name(*place) == &word[..at]
            && version.is_some_and(|version| range.satisfies(&version))
    };
    all.filter(fits).collect()
}

/// Finds reasons. A package's are found once; where they lead back to it they are not told again.
struct Reasons<'v> {
    view: &'v View,
    told: HashMap<usize, Rc<Why>>,
    edges: HashMap<usize, Rc<Because>>,
}

impl Reasons<'_> {
    fn of(&mut self, place: usize, above: &mut Vec<usize>) -> Rc<Why> {
        if let Some(told) = self.told.get(&place) {
            return Rc::clone(told);
        }
        let why = self.find(place, above, true);
        self.told.insert(place, Rc::clone(&why));
        why
    }

    fn find(&mut self, place: usize, above: &mut Vec<usize>, is_required: bool) -> Rc<Why> {
        let none = |is_told| {
            let (dependents, links) = (Vec::new(), Vec::new());
            Why { place, is_told, is_required, dependents, links }
        };
        if place == 0 || above.len() > DEEPEST || above.contains(&place) {
            return Rc::new(none(place != 0));
        }
        let view = self.view;
        let package = &view.graph.packages[place];
        above.push(place);
        let mut why = none(false);
        for at in package.required_by.iter().copied() {
            let requirement = &view.graph.requirements[at];
            if requirement.state == State::Met || requirement.from == 0 {
                let because = match self.edges.get(&at) {
                    Some(known) => Rc::clone(known),
                    None => {
                        let from = self.of(requirement.from, above);
                        let because = Rc::new(Because { requirement: at, from });
                        self.edges.insert(at, Rc::clone(&because));
                        because
                    }
                };
                why.dependents.push(because);
            }
        }
        why.links = package.links.iter().map(|link| self.find(*link, above, false)).collect();
        above.pop();
        Rc::new(why)
    }
}

impl Explanation<'_> {
    fn is_asked(&self, why: &Why) -> bool {
        !why.is_told && why.is_required && self.asked.iter().any(|(place, _)| *place == why.place)
    }

    /// Forgets what was told.
    fn begin(&self) {
        self.count.set(0);
        self.told.borrow_mut().clear();
    }

    /// Returns the explanations in words.
    #[must_use]
    pub fn text(&self) -> String {
        self.begin();
        let mut texts = Vec::new();
        for (_, why) in &self.asked {
            texts.push(self.node(why, &mut HashSet::new()));
        }
        texts.join("\n\n")
    }

    /// Notes that a package is told; returns whether that is to be short, as its reasons were told
    /// and there is no end of ways.
    fn is_repeated(&self, why: &Why) -> bool {
        /// The distance that counts for as much as a package.
        const STEP: usize = 8;
        self.count.set(self.count.get() + 1 + self.distance.get() / STEP);
        !self.told.borrow_mut().insert(why.place) && self.count.get() > MOST_REPEATED
    }

    fn node(&self, why: &Why, above: &mut HashSet<usize>) -> String {
        let mut text = self.name(why);
        if self.is_repeated(why) && !why.is_told {
            text.push_str("\n(reasons: see above)");
            return text;
        }
        let dependents: Vec<String> =
            why.dependents.iter().map(|because| self.because(because, above)).collect();
        let links: Vec<String> = why.links.iter().map(|link| self.node(link, above)).collect();
        for part in [dependents, links].iter().filter(|part| !part.is_empty()) {
            text.push_str(&format!("\n{}", part.join("\n")).replace('\n', "\n  "));
        }
        text
    }

    /// Returns name, version, flags and place of a package.
    fn name(&self, why: &Why) -> String {
        let (view, place) = (self.view, why.place);
        let package = &view.graph.packages[place];
        let mut text = name_and_version(view, place);
        if self.is_asked(why) {
            let is_needed = !package.extraneous;
            for (flag, word) in [
                (package.extraneous, "extraneous"),
                (is_needed && package.dev, "dev"),
                (is_needed && package.optional, "optional"),
                (is_needed && package.peer, "peer"),
                (is_needed && self.bundled[place], "bundled"),
                (is_needed && package.is_overridden, "overridden"),
            ] {
                if flag {
                    text.push_str(&format!(" {word}"));
                }
            }
        }
        if !why.is_told && !package.path.is_empty() {
            text.push_str(&format!("\n{}", package.path));
        }
        text
    }

    fn because(&self, because: &Because, above: &mut HashSet<usize>) -> String {
        let view = self.view;
        let requirement = &view.graph.requirements[because.requirement];
        let mut text = match kind_word(requirement.kind) {
            "prod" => String::new(),
            word => format!("{word} "),
        };
        if self.is_bundled(because) {
            text.push_str("bundled ");
        }
        if requirement.kind == Kind::Workspace {
            text.push_str(requirement.spec.trim_start_matches("file:"));
        } else if requirement.spec == requirement.declared {
            text.push_str(&format!("{}@\"{}\"", requirement.name, requirement.spec));
        } else {
            let (name, spec) = (&requirement.name, &requirement.spec);
            let declared = &requirement.declared;
            text.push_str(&format!("overridden {name}@\"{spec}\" (was \"{declared}\")"));
        }
        text.push_str(" from ");
        text.push_str(&self.from(&because.from, above));
        for (member, title) in ALTERATIONS {
            if let Some((selector, section)) = self.alteration(because, member) {
                let change = if title == ".npm-extension" { "changed" } else { "added" };
                let name = &requirement.name;
                text.push_str(&match change {
                    "added" => format!(" (added by {title}[\"{selector}\"].{section}.{name})"),
                    _ => format!(" (changed by {title} {selector} {section}.{name})"),
                });
            }
        }
        text
    }

    fn from(&self, why: &Why, above: &mut HashSet<usize>) -> String {
        if why.place == 0 {
            return "the root project".to_owned();
        }
        if above.contains(&why.place) && !why.is_told {
            return self.name(why);
        }
        let is_new = !why.is_told && above.insert(why.place);
        let text = self.node(why, above);
        if is_new {
            above.remove(&why.place);
        }
        text
    }

    fn is_bundled(&self, because: &Because) -> bool {
        let requirement = &self.view.graph.requirements[because.requirement];
        let bundle = &self.view.facts(requirement.from).entry.bundle_dependencies;
        bundle.contains(&requirement.name)
    }

    /// Returns who changed this requirement, and the section it is in.
    fn alteration(&self, because: &Because, member: &str) -> Option<(String, &'static str)> {
        let requirement = &self.view.graph.requirements[because.requirement];
        let extra = &self.view.facts(requirement.from).entry.extra;
        let (_, json) = extra.iter().find(|(key, _)| key == member)?;
        let applied: Value = serde_json::from_str(json).ok()?;
        let names = |section: &&&str| {
            let list = applied.get(**section).and_then(Value::as_array);
            list.is_some_and(|list| list.iter().any(|name| *name == *requirement.name))
        };
        let section = SECTIONS.iter().find(names)?;
        let by = if member == "npmExtensionApplied" { "extensionPoint" } else { "selector" };
        Some((applied.get(by)?.as_str()?.to_owned(), section))
    }

    /// Returns the explanations as JSON, in npm's form.
    #[must_use]
    pub fn json(&self) -> Value {
        self.begin();
        self.asked.iter().map(|(_, why)| self.node_json(why)).collect()
    }

    fn node_json(&self, why: &Why) -> Value {
        let (view, place) = (self.view, why.place);
        if place == 0 {
            return json!({ "location": view.root.display().to_string() });
        }
        let package = &view.graph.packages[place];
        let mut object = Map::new();
        object.insert("name".into(), name_of(view, place).into());
        if let Some(version) = &view.facts(place).entry.version {
            object.insert("version".into(), version.clone().into());
        }
        if self.is_repeated(why) || why.is_told {
            return Value::Object(object);
        }
        object.insert("location".into(), package.path.clone().into());
        object.insert("isWorkspace".into(), package.is_workspace.into());
        let dependents = why.dependents.iter().map(|because| self.because_json(because));
        object.insert("dependents".into(), dependents.collect());
        if !why.links.is_empty() {
            let links = why.links.iter().map(|link| self.node_json(link));
            object.insert("linksIn".into(), links.collect());
        }
        if self.is_asked(why) {
            if package.extraneous {
                object.insert("extraneous".into(), true.into());
            } else {
                for (key, flag) in [
                    ("dev", package.dev),
                    ("optional", package.optional),
                    ("devOptional", package.dev_optional),
                    ("peer", package.peer),
                    ("bundled", self.bundled[place]),
                    ("overridden", package.is_overridden),
                ] {
                    object.insert(key.into(), flag.into());
                }
            }
        }
        Value::Object(object)
    }

    fn because_json(&self, because: &Because) -> Value {
        let requirement = &self.view.graph.requirements[because.requirement];
        let mut object = Map::new();
        object.insert("type".into(), kind_word(requirement.kind).into());
        object.insert("name".into(), requirement.name.clone().into());
        object.insert("spec".into(), self.spec(&requirement.spec, requirement.kind).into());
        if requirement.spec != requirement.declared {
            object.insert("rawSpec".into(), requirement.declared.clone().into());
            object.insert("overridden".into(), true.into());
        }
        if self.is_bundled(because) {
            object.insert("bundled".into(), true.into());
        }
        let error = match requirement.state {
            State::Met => None,
            State::Missing => Some("MISSING"),
            State::Invalid => Some("INVALID"),
            State::PeerLocal => Some("PEER LOCAL"),
        };
        if let Some(error) = error {
            object.insert("error".into(), error.into());
        }
        let distance = self.distance.replace(self.distance.get() + 1);
        object.insert("from".into(), self.node_json(&because.from));
        self.distance.set(distance);
        for (member, _) in ALTERATIONS {
            let Some((by, section)) = self.alteration(because, member) else { continue };
            let (key, value) = if member == "npmExtensionApplied" {
                ("npmExtension", json!({ "extensionPoint": by, "field": section }))
            } else {
                ("packageExtensions", json!({ "selector": by, "field": section }))
            };
            object.insert(key.into(), value);
        }
        Value::Object(object)
    }

    /// Returns a specifier as npm has it: that of a workspace is absolute.
    fn spec(&self, spec: &str, kind: Kind) -> String {
        match spec.strip_prefix("file:").filter(|_| kind == Kind::Workspace) {
            Some(folder) => format!("file:{}", self.view.root.join(folder).display()),
            None => spec.to_owned(),
        }
    }
}

/// The members of an entry that tell which requirements the project altered.
const ALTERATIONS: [(&str, &str); 2] =
    [("packageExtensionsApplied", "packageExtensions"), ("npmExtensionApplied", ".npm-extension")];

const SECTIONS: [&str; 4] =
    ["dependencies", "optionalDependencies", "peerDependencies", "peerDependenciesMeta"];

/// Returns npm's word for a kind of requirement.
fn kind_word(kind: Kind) -> &'static str {
    match kind {
        Kind::Production => "prod",
        Kind::Development => "dev",
        Kind::Optional => "optional",
        Kind::Peer => "peer",
        Kind::OptionalPeer => "peerOptional",
        Kind::Workspace => "workspace",
    }
}

/// Returns the name that a package is explained by: its own where it is a folder.
fn name_of(view: &View, place: usize) -> &str {
    let package = &view.graph.packages[place];
    let own = view.package_name(place);
    if package.parent.is_none() && !own.is_empty() { own } else { &package.name }
}

fn name_and_version(view: &View, place: usize) -> String {
    let version = view.facts(place).entry.version.as_deref();
    let name = name_of(view, place);
    version.map_or_else(|| name.to_owned(), |version| format!("{name}@{version}"))
}

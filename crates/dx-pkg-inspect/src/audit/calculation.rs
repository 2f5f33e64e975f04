//! The walk from advisories to everything that is vulnerable because of them.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use dx_pkg_acquire::metadata::MetadataPolicy;
use dx_pkg_acquire::metadata::offers::packuments;
use dx_pkg_core::{PackageName, Range, Spec, Version};
use dx_pkg_install::Session;
use dx_pkg_resolve::pick::PickOptions;
use serde_json::Value;

use super::advisory::{Advisory, Versions, simplified};
use super::fix::Pickers;
use super::{Fix, SEVERITIES};
use crate::view::DEEPEST;
use crate::{InspectError, View};

/// A package that is vulnerable.
pub(super) struct Found {
    pub(super) name: String,
    /// Its reasons, in the order in which they were found.
    pub(super) advisories: Vec<Rc<Advisory>>,
    /// The installed packages that are vulnerable.
    pub(super) nodes: Vec<usize>,
    /// What helps; the same object where several packages have it from one.
    pub(super) fix: Rc<Fix>,
    pub(super) too_new: Option<(String, u64)>,
    /// The project, workspaces and folders that keep it from being fixed.
    tops: HashSet<usize>,
}

impl Found {
    /// Returns the known versions of the package.
    pub(super) fn versions(&self) -> &[(String, Version)] {
        self.advisories.first().map_or(&[], |advisory| &advisory.versions.all)
    }

    fn range(&self) -> String {
        let ranges = self.advisories.iter().map(|advisory| advisory.range.as_str());
        ranges.collect::<Vec<_>>().join(" || ")
    }

    /// Returns its vulnerable versions in few words.
    pub(super) fn simple_range(&self) -> String {
        simplified(self.versions(), &self.range())
    }

    /// Returns the worst severity of its reasons.
    pub(super) fn severity(&self) -> Option<String> {
        let known = |word: &str| SEVERITIES.iter().position(|(known, _)| *known == word);
        let all = self.advisories.iter().filter_map(|one| known(&one.severity));
        all.max().map(|worst| SEVERITIES[worst].0.to_owned())
    }

    /// Returns whether a requirement allows vulnerable versions only.
    fn is_all_of(&self, spec: &Spec) -> bool {
        let range = Range::parse(&self.range()).ok();
        let vulnerable = |version: &Version| {
            range.as_ref().is_some_and(|range| range.satisfies_including_prerelease(version))
        };
        let allows = |version: &Version| match spec {
            Spec::Alias { spec, .. } => satisfies(spec, version),
            spec => satisfies(spec, version),
        };
        !self.versions().iter().any(|(_, version)| allows(version) && !vulnerable(version))
    }
}

fn satisfies(spec: &Spec, version: &Version) -> bool {
    match spec {
        Spec::Range(range) => range.satisfies(version),
        Spec::Version(wanted) => wanted == version,
        _ => false,
    }
}

/// The most advisories that follow from those of registries.
const MOST: usize = 20_000;

/// The advisories and versions that were looked at.
pub(super) struct Calculation<'c> {
    view: &'c View,
    session: &'c Session,
    policy: MetadataPolicy,
    pick: &'c PickOptions,
    versions: HashMap<String, Rc<Versions>>,
    derived: HashMap<(String, String), Rc<Advisory>>,
}

impl<'c> Calculation<'c> {
    pub(super) fn new(
        view: &'c View,
        session: &'c Session,
        (policy, pick): (MetadataPolicy, &'c PickOptions),
    ) -> Self {
        let (versions, derived) = (HashMap::new(), HashMap::new());
        Calculation { view, session, policy, pick, versions, derived }
    }

    /// Returns everything that is vulnerable by these advisories.
    pub(super) fn run(
        &mut self,
        told: &[(String, Vec<Value>)],
        audited: &HashSet<usize>,
        pickers: &Pickers,
    ) -> Result<Vec<Found>, InspectError> {
        self.load(told.iter().map(|(name, _)| name.clone()).collect())?;
        let mut advisories: Vec<Rc<Advisory>> = Vec::new();
        for (name, list) in told {
            for one in list {
                let advisory = Advisory::of_registry(name, one, self.versions_of(name));
                advisories.push(Rc::new(advisory));
            }
        }
        let mut by_name: HashMap<&str, Vec<usize>> = HashMap::new();
        let mut places: Vec<usize> = audited.iter().copied().collect();
        places.sort_unstable();
        for place in places {
            by_name.entry(self.view.package_name(place)).or_default().push(place);
        }
        let mut found: Vec<Found> = Vec::new();
        let mut seen: HashSet<(String, String)> = HashSet::new();
        let mut next = 0;
        while let Some(advisory) = advisories.get(next).cloned() {
            next += 1;
            let at = found.iter().position(|one| one.name == advisory.name);
            let at = at.unwrap_or_else(|| {
                found.push(Found::new(&advisory.name));
                found.len() - 1
            });
            found[at].advisories.push(advisory.clone());
            if seen.insert((advisory.name.clone(), advisory.range.clone())) {
                let nodes = by_name.get(advisory.name.as_str()).cloned().unwrap_or_default();
                let more = self.spread(&mut found[at], &advisory, &nodes, pickers)?;
                let is_new =
                    |one: &Rc<Advisory>| !advisories.iter().any(|known| Rc::ptr_eq(known, one));
                let more: Vec<Rc<Advisory>> = more.into_iter().filter(is_new).collect();
                for one in more {
                    if !advisories.iter().any(|known| Rc::ptr_eq(known, &one)) {
                        advisories.push(one);
                    }
                }
            }
            if found[at].nodes.is_empty() {
                found.remove(at);
                continue;
            }
            let version = |place: &usize| self.view.graph.packages[*place].entry.version.as_deref();
            let nodes: Vec<&str> = found[at].nodes.iter().filter_map(version).collect();
            found[at].advisories.retain(|one| nodes.iter().any(|node| one.concerns(node, None)));
        }
        pass_on(&mut found);
        Ok(found)
    }

    /// Finds the packages that an advisory is about, and returns what follows for those above.
    fn spread(
        &mut self,
        found: &mut Found,
        advisory: &Rc<Advisory>,
        nodes: &[usize],
        pickers: &Pickers,
    ) -> Result<Vec<Rc<Advisory>>, InspectError> {
        let view = self.view;
        let version = |place: usize| view.graph.packages[place].entry.version.as_deref();
        let is_new = |place: &usize| {
            !found.nodes.contains(place)
                && version(*place).is_some_and(|version| advisory.concerns(version, None))
        };
        let concerned: Vec<usize> = nodes.iter().copied().filter(is_new).collect();
        let is_top = |place: usize| view.graph.packages[place].parent.is_none();
        let above = concerned.iter().flat_map(|place| view.dependents_of(*place));
        let above: Vec<_> = above.filter(|required| !is_top(required.from)).collect();
        self.load(above.iter().map(|one| view.package_name(one.from).to_owned()).collect())?;
        let mut more = Vec::new();
        for place in concerned {
            found.nodes.push(place);
            for required in view.dependents_of(place) {
                let from = required.from;
                if is_top(from) {
                    if !found.tops.contains(&from) {
                        self.judge(found, from, &required.spec, pickers);
                    }
                    continue;
                }
                let derived = self.derived(view.package_name(from), advisory)?;
                let Some(version) = version(from) else { continue };
                if derived.concerns(version, Some(&required.spec)) {
                    more.push(derived);
                }
            }
        }
        Ok(more)
    }

    /// Finds out what helps where the project, or a folder, requires a vulnerable package.
    fn judge(&self, found: &mut Found, from: usize, spec: &str, pickers: &Pickers) {
        let spec = Spec::parse(spec).ok().filter(Spec::is_registry);
        let range = Range::parse(&found.range()).ok();
        let is_vulnerable = |version: &Version| {
            range.as_ref().is_some_and(|range| range.satisfies_including_prerelease(version))
        };
        let Some(spec) = spec else {
            found.fix = Rc::new(Fix::Nothing);
            found.tops.insert(from);
            return;
        };
        let versions = self.versions_of(&found.name);
        if !found.is_all_of(&spec) {
            found.fix = Rc::new(Fix::Allowed);
            found.too_new = pickers.too_new(&versions, &spec, &is_vulnerable);
            return;
        }
        found.fix = Rc::new(match pickers.beyond(&versions, &spec, &is_vulnerable) {
            None => Fix::Nothing,
            Some(other) => Fix::Forced {
                name: found.name.clone(),
                version: other.version,
                is_major: other.is_major,
            },
        });
        found.tops.insert(from);
    }

    /// Returns what follows from an advisory for the dependent `name`.
    ///
    /// # Errors
    /// There is no end to what follows.
    fn derived(&mut self, name: &str, source: &Rc<Advisory>) -> Result<Rc<Advisory>, InspectError> {
        let key = (name.to_owned(), format!("{}\0{}", source.name, source.id));
        if let Some(known) = self.derived.get(&key) {
            return Ok(known.clone());
        }
        if source.depth >= DEEPEST {
            return Err(InspectError::TooDeep { package: name.to_owned(), limit: DEEPEST });
        }
        if self.derived.len() >= MOST {
            let registry = dx_pkg_fetch::redact_url(self.session.config().registry());
            let why = format!("more than {MOST} vulnerabilities follow from them");
            return Err(InspectError::AuditUnreadable { registry, why });
        }
        let (versions, number) = (self.versions_of(name), self.derived.len());
        let derived = Rc::new(Advisory::of_dependent(name, source, versions, number));
        self.derived.insert(key, derived.clone());
        Ok(derived)
    }

    fn versions_of(&self, name: &str) -> Rc<Versions> {
        self.versions.get(name).cloned().unwrap_or_else(|| Versions::of(None))
    }

    /// Asks registries for the versions of packages that were not looked at yet.
    fn load(&mut self, mut names: Vec<String>) -> Result<(), InspectError> {
        names.sort();
        names.dedup();
        let is_open =
            |name: &String| !self.versions.contains_key(name) && PackageName::parse(name).is_ok();
        names.retain(is_open);
        if names.is_empty() {
            return Ok(());
        }
        let found = packuments(&self.session.context, (self.policy, self.pick), &names)?;
        self.versions.extend(names.into_iter().zip(found.into_iter().map(Versions::of)));
        Ok(())
    }
}

impl Found {
    fn new(name: &str) -> Self {
        Found {
            name: name.to_owned(),
            advisories: Vec::new(),
            nodes: Vec::new(),
            fix: Rc::new(Fix::Allowed),
            too_new: None,
            tops: HashSet::new(),
        }
    }
}

/// Passes what helps on to the packages below: a new version of a direct dependency also ends what
/// makes it vulnerable.
fn pass_on(found: &mut [Found]) {
    let position = |found: &[Found], name: &str| found.iter().position(|one| one.name == name);
    let mut via: Vec<Vec<usize>> = vec![Vec::new(); found.len()];
    for at in 0..found.len() {
        for advisory in found[at].advisories.clone() {
            let below = advisory.is_derived.then(|| position(found, &advisory.dependency));
            let Some(below) = below.flatten() else { continue };
            if !via[at].contains(&below) {
                via[at].push(below);
            }
            pass(found, &via, at);
        }
    }
}

/// Passes the fix of one package on.
fn pass(found: &mut [Found], via: &[Vec<usize>], from: usize) {
    let mut queue = vec![from];
    while let Some(at) = queue.pop() {
        let fix = found[at].fix.clone();
        for below in &via[at] {
            let known = found[*below].fix.clone();
            let is_same = Rc::ptr_eq(&known, &fix)
                || matches!((&*known, &*fix), (Fix::Allowed, Fix::Allowed))
                || matches!((&*known, &*fix), (Fix::Nothing, Fix::Nothing));
            let is_stricter = match (&*fix, &*known) {
                _ if is_same => false,
                (Fix::Nothing, _) | (_, Fix::Allowed) => true,
                (Fix::Forced { .. }, Fix::Nothing) => true,
                (Fix::Forced { .. }, Fix::Forced { is_major, .. }) => !is_major,
                (Fix::Allowed, _) => false,
            };
            if is_stricter {
                found[*below].fix = fix.clone();
                queue.push(*below);
            }
        }
    }
}

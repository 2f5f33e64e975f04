//! What the project alters of requirements, as far as the solver sees them: overrides, pins,
//! extensions of manifests, and exceptions.

use std::cell::RefCell;

use dx_pkg_core::Version;
use dx_pkg_lock::LockPackage;

use crate::Requirements;
use crate::extensions::Joining;
use crate::intern::{Interner, NameId};
use crate::overrides::{RuleId, Rules};
use crate::pins::{Asked as Written, Outcome, PinTable};

/// The peer requirement of a version, as it counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) name: String,
    pub(super) spec: String,
    /// The same before overrides, by which their keys are chosen.
    pub(super) declared: String,
    pub(super) is_optional: bool,
    /// A further range that the project accepts.
    pub(super) accepts: Option<String>,
    /// The key's range of the override that puts `spec` in place: as for npm, what is declared is
    /// met too by a version that is not in it.
    pub(super) overridden: Option<String>,
    /// The package, named likewise, whose presence makes this requirement meaningless: it is about
    /// the copy that is found where that one is not there.
    pub(super) unless: Option<String>,
    /// The overrides that the dependent passes on to it, where that depends on its own.
    pub(super) rules: Option<RuleId>,
}

/// A version of a package that the importer finds.
pub(super) struct Dependent<'d> {
    /// The name under which it is installed.
    pub(super) name: &'d str,
    /// The name that the registry knows it by.
    pub(super) registry_name: &'d str,
    /// The importer's requirement; `*` where there is none.
    pub(super) spec: &'d str,
    pub(super) version: &'d Version,
}

/// The alterations of a project.
pub(super) struct Alterations<'r> {
    requirements: &'r Requirements,
    interner: RefCell<Interner>,
    rules: Rules,
    root: Option<RuleId>,
    pins: PinTable,
}

impl<'r> Alterations<'r> {
    pub(super) fn new(requirements: &'r Requirements) -> Self {
        let mut interner = Interner::default();
        let pins = PinTable::new(&requirements.pins, &mut interner);
        let (rules, root) = Rules::new(&requirements.overrides, &mut interner);
        Alterations { requirements, interner: RefCell::new(interner), rules, root, pins }
    }

    /// Returns whether nothing is altered of what packages have as peers.
    pub(super) fn are_idle(&self) -> bool {
        let Requirements { extensions, exceptions, .. } = self.requirements;
        self.root.is_none()
            && self.pins.is_idle(None)
            && extensions.is_empty()
            && exceptions.has_no_peers()
    }

    /// Returns the importer's requirement for `name` as it counts; `None` where it is removed. The
    /// project's own requirements are never overridden.
    pub(super) fn own(&self, folder: &str, name: &str, written: &str) -> Option<String> {
        let spec = match self.pins.is_idle(Some(folder)) {
            true => written.to_owned(),
            false => self.pinned(Some(folder), (None, None), (name, written, false))?,
        };
        let root = self.root.filter(|_| !folder.is_empty());
        match root.and_then(|root| self.overridden(root, name, &spec)) {
            // One for some versions leaves the others.
            Some((value, None)) => Some(value),
            _ => Some(spec),
        }
    }

    /// Returns the range that an override puts in place of `*` for a package that is there only as
    /// a peer.
    pub(super) fn for_peer_only(&self, name: &str) -> String {
        let root = self.root.and_then(|root| self.overridden(root, name, "*"));
        root.map_or_else(|| "*".to_owned(), |(value, _)| value)
    }

    /// Returns the peer requirements of a version as they count.
    pub(super) fn applied(&self, dependent: &Dependent<'_>, mut peers: Vec<Asked>) -> Vec<Asked> {
        self.extend(dependent, &mut peers);
        let rules = self.root.map(|root| self.rules_of(root, dependent));
        let mut kept = Vec::with_capacity(peers.len());
        for mut asked in peers {
            if !self.pins.is_idle(None) {
                let name = self.interner.borrow_mut().name(dependent.registry_name);
                let of = (Some(name), Some(dependent.version));
                match self.pinned(None, of, (&asked.name, &asked.spec, true)) {
                    Some(spec) => (asked.spec, asked.declared) = (spec.clone(), spec),
                    None => continue,
                }
            }
            if let Some((spec, key)) =
                rules.and_then(|rules| self.overridden(rules, &asked.name, &asked.spec))
            {
                (asked.spec, asked.overridden) = (spec, key);
            }
            asked.accepts = self.requirements.exceptions.accepted(dependent.name, &asked.name);
            kept.push(asked);
        }
        kept
    }

    /// Adds the peers that extensions give a version.
    fn extend(&self, dependent: &Dependent<'_>, peers: &mut Vec<Asked>) {
        for extension in &self.requirements.extensions {
            if !extension.matches(dependent.registry_name, Some(dependent.version)) {
                continue;
            }
            for (name, spec) in &extension.peer_dependencies {
                match peers.iter_mut().find(|asked| asked.name == *name) {
                    Some(known) if extension.joining == Joining::Strict => {
                        known.spec.clone_from(spec);
                        known.declared.clone_from(spec);
                    }
                    Some(_) => {}
                    None => peers.push(Asked {
                        name: name.clone(),
                        spec: spec.clone(),
                        declared: spec.clone(),
                        ..Asked::default()
                    }),
                }
            }
            for (name, is_optional) in &extension.peer_dependencies_meta {
                if let Some(known) = peers.iter_mut().find(|asked| asked.name == *name) {
                    known.is_optional = *is_optional;
                }
            }
        }
    }

    fn pinned(
        &self,
        folder: Option<&str>,
        package: (Option<NameId>, Option<&Version>),
        (name, spec, is_peer): (&str, &str, bool),
    ) -> Option<String> {
        let mut interner = self.interner.borrow_mut();
        let asked = Written { name: interner.name(name), spec: interner.spec(spec), is_peer };
        match self.pins.outcome(folder, package, asked, &interner) {
            Outcome::Removed => None,
            Outcome::Means(spec) | Outcome::Pinned { spec, .. } => {
                Some(interner.spec_text(spec).to_owned())
            }
        }
    }

    /// Returns the rule set of a package that an importer requires.
    fn rules_of(&self, root: RuleId, dependent: &Dependent<'_>) -> RuleId {
        let mut interner = self.interner.borrow_mut();
        let (name, spec) = (interner.name(dependent.name), interner.spec(dependent.spec));
        let of_edge = self.rules.for_edge(root, name, spec, &interner);
        self.rules.for_package(of_edge, name, dependent.version, &interner)
    }

    /// Returns the rule set of an importer, where the rules of packages depend on their dependents.
    pub(super) fn rules_of_importer(&self, importer: &LockPackage) -> Option<RuleId> {
        let root = self.root.filter(|_| self.rules.are_nested())?;
        let version = importer.version.as_deref().and_then(|text| Version::parse(text).ok());
        let (Some(name), Some(version), false) =
            (&importer.name, version, importer.path.is_empty())
        else {
            return Some(root);
        };
        let mut interner = self.interner.borrow_mut();
        let name = interner.name(name);
        Some(self.rules.for_package(root, name, &version, &interner))
    }

    /// Returns the rule set that a requirement has, and its package after it.
    pub(super) fn onward(&self, rules: RuleId, name: &str, declared: &str) -> RuleId {
        let mut interner = self.interner.borrow_mut();
        let (name, spec) = (interner.name(name), interner.spec(declared));
        self.rules.for_edge(rules, name, spec, &interner)
    }

    /// Returns whether a package with the rules `own` can have a dependent that brings `incoming`.
    pub(super) fn suits(&self, own: RuleId, incoming: RuleId) -> bool {
        self.rules.suits(own, incoming, &self.interner.borrow())
    }

    /// Returns the same requirement as it counts for a dependent with these rules.
    pub(super) fn under(&self, rules: RuleId, asked: &Asked) -> Asked {
        let value = self.overridden(rules, &asked.name, &asked.declared);
        let (spec, overridden) = value.unwrap_or_else(|| (asked.declared.clone(), None));
        Asked {
            spec,
            overridden,
            rules: Some(self.onward(rules, &asked.name, &asked.declared)),
            ..asked.clone()
        }
    }

    /// Returns the requirement that the rules put in place of another, and the range of their key
    /// where it has one.
    fn overridden(
        &self,
        rules: RuleId,
        name: &str,
        spec: &str,
    ) -> Option<(String, Option<String>)> {
        let mut interner = self.interner.borrow_mut();
        let (name, spec) = (interner.name(name), interner.spec(spec));
        let rule = self.rules.for_edge(rules, name, spec, &interner);
        if self.rules.is_root(rule) || self.rules.name(rule) != Some(name) {
            return None;
        }
        let value = interner.spec_text(self.rules.value(rule));
        let key = interner.spec_text(self.rules.key_spec(rule));
        let key = (key != "*").then(|| key.to_owned());
        let value = match value.strip_prefix('$') {
            _ if value == "*" => None,
            None => Some(value.to_owned()),
            Some(reference) => {
                let root = &self.requirements.root;
                let sections = [
                    &root.dev_dependencies,
                    &root.optional_dependencies,
                    &root.dependencies,
                    &root.peer_dependencies,
                ];
                let mut own = sections.into_iter().flatten();
                own.find(|(known, _)| known == reference).map(|(_, spec)| spec.clone())
            }
        };
        value.map(|value| (value, key))
    }
}

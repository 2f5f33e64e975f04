//! The project's `overrides`, Arborist's `OverrideSet`: the rule that applies to each dependency,
//! at any depth.
//!
//! Rules form a tree as written in `package.json`. Each node of the dependency tree carries its
//! innermost rule set. The rules visible from a rule set are its children, its ancestors' children,
//! and itself.

use dx_pkg_core::{Range, Spec, Version};

use crate::intern::{Interner, NameId, SpecId, index, registry_range};

/// One entry of the project's `overrides`, as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Override {
    /// The key: a name, or a name with a range (`foo@^1`).
    pub key: String,
    /// The requirement that replaces others: `.` of an object, or the string itself.
    pub value: Option<String>,
    /// Overrides for the dependencies of this package, at any depth.
    pub children: Vec<Override>,
}

/// A rule set in [`Rules`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct RuleId(u32);

struct Rule {
    parent: Option<RuleId>,
    name: Option<NameId>,
    key: Box<str>,
    key_range: Option<Range>,
    key_spec: SpecId,
    value: SpecId,
    children: Vec<RuleId>,
}

/// All rules of a project; the first is the root set, which overrides nothing itself.
#[derive(Default)]
pub(crate) struct Rules {
    items: Vec<Rule>,
}

impl Rules {
    /// Builds the rules; the root set is `None` if the project has none.
    pub(crate) fn new(overrides: &[Override], interner: &mut Interner) -> (Self, Option<RuleId>) {
        let mut rules = Rules::default();
        if overrides.is_empty() {
            return (rules, None);
        }
        let any = interner.spec("*");
        let root = rules.push(Rule {
            parent: None,
            name: None,
            key: "".into(),
            key_range: None,
            key_spec: any,
            value: any,
            children: Vec::new(),
        });
        for child in overrides {
            rules.add(root, child, interner);
        }
        (rules, Some(root))
    }

    fn push(&mut self, rule: Rule) -> RuleId {
        self.items.push(rule);
        RuleId(index(self.items.len() - 1))
    }

    fn add(&mut self, parent: RuleId, written: &Override, interner: &mut Interner) {
        let (name, key_spec) = split_key(&written.key);
        let value = match written.value.as_deref() {
            Some("") => "*",
            Some(value) => value,
            None => key_spec,
        };
        let key_range = Range::parse(key_spec).ok();
        let rule = Rule {
            parent: Some(parent),
            name: Some(interner.name(name)),
            key: written.key.as_str().into(),
            key_range,
            key_spec: interner.spec(key_spec),
            value: interner.spec(value),
            children: Vec::new(),
        };
        let id = self.push(rule);
        self.items[parent.0 as usize].children.push(id);
        for child in &written.children {
            self.add(id, child, interner);
        }
    }

    /// Returns whether there are no rules, so that none has to be passed on.
    pub(crate) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Returns whether any rule is below another one, so that it depends on the dependents.
    pub(crate) fn are_nested(&self) -> bool {
        self.items.iter().any(|rule| rule.parent.is_some() && !rule.children.is_empty())
    }

    /// Returns whether a package with the rule set `own` can have a dependent that brings
    /// `incoming`: one that is within its own would take its place.
    pub(crate) fn suits(&self, own: RuleId, incoming: RuleId, interner: &Interner) -> bool {
        let combined = self.combine(own, incoming, interner);
        combined.is_some_and(|combined| combined == own || combined != incoming)
    }

    /// Returns whether any rule is for packages of this name.
    pub(crate) fn mentions(&self, name: NameId) -> bool {
        self.items.iter().any(|rule| rule.name == Some(name))
    }

    fn rule(&self, id: RuleId) -> &Rule {
        &self.items[id.0 as usize]
    }

    pub(crate) fn name(&self, id: RuleId) -> Option<NameId> {
        self.rule(id).name
    }

    pub(crate) fn value(&self, id: RuleId) -> SpecId {
        self.rule(id).value
    }

    pub(crate) fn key_spec(&self, id: RuleId) -> SpecId {
        self.rule(id).key_spec
    }

    /// Returns whether this is the root set.
    pub(crate) fn is_root(&self, id: RuleId) -> bool {
        self.rule(id).parent.is_none()
    }

    /// Returns the rules visible from `id`, innermost first; an inner rule hides an outer one with
    /// the same key.
    fn visible(&self, id: RuleId) -> Vec<RuleId> {
        let mut seen: Vec<RuleId> = Vec::new();
        let mut at = Some(id);
        while let Some(current) = at {
            let rule = self.rule(current);
            let own = (!self.is_root(current)).then_some(current);
            for candidate in rule.children.iter().copied().chain(own) {
                if !seen.iter().any(|known| self.rule(*known).key == self.rule(candidate).key) {
                    seen.push(candidate);
                }
            }
            at = rule.parent;
        }
        seen
    }

    /// Returns the rule set for a dependency `name@spec` of a package with the rule set `id`.
    pub(crate) fn for_edge(
        &self,
        id: RuleId,
        name: NameId,
        spec: SpecId,
        interner: &Interner,
    ) -> RuleId {
        self.visible(id)
            .into_iter()
            .find(|rule| self.rule(*rule).name == Some(name) && self.matches(*rule, spec, interner))
            .unwrap_or(id)
    }

    /// Returns the rule set for a package by its own name and version, whatever depends on it.
    pub(crate) fn for_package(
        &self,
        id: RuleId,
        name: NameId,
        version: &Version,
        interner: &Interner,
    ) -> RuleId {
        let names = |rule: &RuleId| {
            let rule = self.rule(*rule);
            let in_range = |spec| {
                interner
                    .parsed(spec)
                    .ok()
                    .and_then(registry_range)
                    .is_some_and(|range| range.contains(version))
            };
            rule.name == Some(name) && (in_range(rule.key_spec) || in_range(rule.value))
        };
        self.visible(id).into_iter().find(names).unwrap_or(id)
    }

    /// Returns whether the key's range, if it has one, can include a version of the requirement.
    fn matches(&self, id: RuleId, spec: SpecId, interner: &Interner) -> bool {
        let Some(key) = &self.rule(id).key_range else { return true };
        if key.is_any() {
            return true;
        }
        let Ok(mut parsed) = interner.parsed(spec) else { return true };
        while let Spec::Alias { spec, .. } = parsed {
            parsed = spec;
        }
        match parsed {
            Spec::Range(range) => range.intersects(key),
            Spec::Version(version) => meets(key, version),
            Spec::Git(git) => git.semver.as_ref().is_some_and(|range| range.intersects(key)),
            _ => true,
        }
    }

    /// Returns the inner of two rule sets if one is within the other, else their nearest common
    /// ancestor; `None` if they contradict each other.
    pub(crate) fn combine(
        &self,
        first: RuleId,
        second: RuleId,
        interner: &Interner,
    ) -> Option<RuleId> {
        if self.is_within(second, first) {
            return Some(second);
        }
        if self.is_within(first, second) {
            return Some(first);
        }
        if self.contradict(first, second, interner) {
            return None;
        }
        self.ancestry(second).find(|ancestor| self.is_within(first, *ancestor))
    }

    fn ancestry(&self, id: RuleId) -> impl Iterator<Item = RuleId> {
        std::iter::successors(Some(id), |id| self.rule(*id).parent)
    }

    fn is_within(&self, inner: RuleId, outer: RuleId) -> bool {
        self.ancestry(inner).any(|ancestor| ancestor == outer)
    }

    /// Returns whether rules with the same key, one visible from each set, have values that exclude
    /// each other.
    fn contradict(&self, first: RuleId, second: RuleId, interner: &Interner) -> bool {
        let others = self.visible(second);
        self.visible(first).into_iter().any(|a| {
            others.iter().any(|b| {
                a != *b
                    && self.rule(a).key == self.rule(*b).key
                    && !self.values_meet(a, *b, interner)
            })
        })
    }

    fn values_meet(&self, a: RuleId, b: RuleId, interner: &Interner) -> bool {
        match (interner.parsed(self.value(a)), interner.parsed(self.value(b))) {
            (Ok(a), Ok(b)) => specs_meet(a, b),
            _ => true,
        }
    }
}

/// Returns whether a version could satisfy both requirements, as far as that can be told.
pub(crate) fn specs_meet(a: &Spec, b: &Spec) -> bool {
    match (a, b) {
        (Spec::Range(a), Spec::Range(b)) => a.intersects(b),
        (Spec::Range(range), Spec::Version(version))
        | (Spec::Version(version), Spec::Range(range)) => meets(range, version),
        (Spec::Version(a), Spec::Version(b)) => a == b,
        _ => true,
    }
}

/// Returns whether `version` is between the bounds of `range`, a prerelease too.
fn meets(range: &Range, version: &Version) -> bool {
    Range::parse(&version.to_string()).is_ok_and(|exact| range.intersects(&exact))
}

/// Splits `foo@^1` and `@scope/foo@^1` into name and requirement, `*` by default.
fn split_key(key: &str) -> (&str, &str) {
    match key.char_indices().skip(1).find(|(_, c)| *c == '@') {
        Some((at, _)) if at + 1 < key.len() => (&key[..at], &key[at + 1..]),
        Some((at, _)) => (&key[..at], "*"),
        None => (key, "*"),
    }
}

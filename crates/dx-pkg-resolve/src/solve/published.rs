//! What is published of a package, as problems ask for it: each is worked out once.

use std::cell::RefCell;
use std::rc::Rc;

use dx_pkg_core::{Spec, Version};
use dx_pkg_format::packument::{Packument, VersionIndex, VersionView};
use rustc_hash::{FxHashMap, FxHashSet};

use super::alterations::Asked;
use super::problem::major;
use crate::intern::registry_range;
use crate::pick::Picker;

/// The versions of a package, in ascending order, with what is known of each.
#[derive(Debug, Default)]
pub(super) struct Published {
    pub(super) versions: Vec<Version>,
    /// Whether each may be chosen: not prereleases, nor what is too new or for another Node.js.
    pub(super) is_available: Vec<bool>,
    pub(super) is_deprecated: Vec<bool>,
    /// The dist-tags, which a peer requirement can name.
    tags: Vec<(String, Version)>,
    /// The peer requirements of each, as they are published.
    asked: RefCell<Vec<Option<Rc<[Asked]>>>>,
    /// What requirements allow, by their ranges.
    verdicts: RefCell<FxHashMap<Ranges, Rc<Verdict>>>,
}

/// The ranges of a requirement: as it counts, that of an exception, and what it declares with the
/// key of the override.
type Ranges = (String, Option<String>, Option<(String, String)>);

/// What a requirement allows of the published versions of a package.
#[derive(Debug)]
pub(super) struct Verdict {
    /// The positions of the versions that it allows, in ascending order.
    pub(super) allowed: Vec<usize>,
    /// The highest version that it allows.
    pub(super) highest: Option<Version>,
    /// The major versions of which it allows some.
    pub(super) majors: FxHashSet<(u64, u64)>,
}

impl Published {
    pub(super) fn of(packument: &Packument, picker: &Picker) -> Self {
        let versions: Vec<Version> = packument.versions().map(VersionView::version).collect();
        let is_available = |(view, version): (VersionView<'_>, &Version)| {
            !version.is_prerelease()
                && !picker.is_excluded(packument.name(), version)
                && picker.is_in_time(packument, &view)
                && picker.fits(&view)
        };
        let is_deprecated =
            |view: VersionView<'_>| view.deprecated().is_some_and(|text| !text.is_empty());
        let tags = packument.dist_tags();
        Published {
            is_available: packument.versions().zip(&versions).map(is_available).collect(),
            is_deprecated: packument.versions().map(is_deprecated).collect(),
            tags: tags
                .filter_map(|(tag, version)| Some((tag.to_owned(), Version::parse(version).ok()?)))
                .collect(),
            asked: RefCell::new(vec![None; versions.len()]),
            versions,
            ..Published::default()
        }
    }

    /// What is of no registry.
    pub(super) fn local(version: &Version) -> Self {
        Published { versions: vec![version.clone()], ..Published::default() }
    }

    /// Returns the position of a version.
    pub(super) fn position(&self, version: &Version) -> Option<usize> {
        self.versions.binary_search(version).ok().filter(|at| self.versions[*at] == *version)
    }

    /// Returns the peer requirements of the version at a position, as they are published.
    pub(super) fn asked(&self, packument: &Packument, at: usize) -> Rc<[Asked]> {
        let mut all = self.asked.borrow_mut();
        let own = all[at].get_or_insert_with(|| {
            let index = u32::try_from(at).unwrap_or(u32::MAX);
            let view = packument.version(VersionIndex(index));
            let is_optional = view.optional_peers();
            let asked = view.peer_dependencies().map(|(name, spec)| Asked {
                name: name.to_owned(),
                spec: spec.to_owned(),
                declared: spec.to_owned(),
                is_optional: is_optional(name),
                ..Asked::default()
            });
            asked.collect()
        });
        Rc::clone(own)
    }

    /// Returns what tells whether a peer requirement allows a version of this package.
    pub(super) fn allowing(&self, asked: &Asked) -> impl Fn(&Version) -> bool {
        let specs = [Some(asked.spec.as_str()), asked.accepts.as_deref()];
        let parsed: Vec<Option<Spec>> =
            specs.into_iter().flatten().map(|spec| Spec::parse(spec).ok()).collect();
        let declared = asked.overridden.as_deref();
        let declared =
            declared.map(|key| [&*asked.declared, key].map(|spec| Spec::parse(spec).ok()));
        move |version| {
            let fits = |spec: &Option<Spec>| match spec {
                Some(Spec::Tag(tag)) => {
                    self.tags.iter().any(|(known, tagged)| **known == **tag && tagged == version)
                }
                Some(spec) => registry_range(spec).is_none_or(|range| range.satisfied_by(version)),
                None => true,
            };
            parsed.iter().any(fits)
                || declared.as_ref().is_some_and(|[own, key]| fits(own) && !fits(key))
        }
    }

    /// Returns the position of the only version that a peer requirement can allow, where it is
    /// exact.
    fn exact(&self, asked: &Asked) -> Option<usize> {
        match Spec::parse(&asked.spec) {
            Ok(Spec::Version(version)) if asked.accepts.is_none() && asked.overridden.is_none() => {
                self.position(&version)
            }
            _ => None,
        }
    }

    /// Returns what a peer requirement allows.
    pub(super) fn verdict(&self, asked: &Asked) -> Rc<Verdict> {
        let declared = asked.overridden.clone().map(|key| (asked.declared.clone(), key));
        let key = (asked.spec.clone(), asked.accepts.clone(), declared);
        if let Some(known) = self.verdicts.borrow().get(&key) {
            return Rc::clone(known);
        }
        let allows = self.allowing(asked);
        let has_prereleases = allows_prereleases(asked);
        let can_be = |version: &Version| has_prereleases || !version.is_prerelease();
        let is_allowed = |at: &usize| {
            let version = &self.versions[*at];
            can_be(version) && allows(version)
        };
        let allowed: Vec<usize> = match self.exact(asked) {
            Some(at) => Some(at).filter(is_allowed).into_iter().collect(),
            None => (0..self.versions.len()).filter(is_allowed).collect(),
        };
        let versions = || allowed.iter().map(|at| &self.versions[*at]);
        let verdict = Rc::new(Verdict {
            highest: versions().next_back().cloned(),
            majors: versions().map(major).collect(),
            allowed,
        });
        self.verdicts.borrow_mut().insert(key, Rc::clone(&verdict));
        verdict
    }
}

/// Returns whether a peer requirement can allow prereleases. There can be thousands of them, and
/// most requirements allow none.
fn allows_prereleases(asked: &Asked) -> bool {
    let excludes_prereleases = |spec: &str| {
        let parsed = Spec::parse(spec);
        let range = parsed.as_ref().ok().and_then(registry_range);
        range.is_some_and(|range| !range.is_star()) && !spec.contains('-')
    };
    let declared = asked.overridden.as_ref().map(|_| &asked.declared);
    let mut all = std::iter::once(&asked.spec).chain(&asked.accepts).chain(declared);
    !all.all(|spec| excludes_prereleases(spec))
}

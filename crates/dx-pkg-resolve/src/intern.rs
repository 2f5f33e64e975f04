//! Interned names and requirements: both are a `u32` in the resolver.

use std::sync::Arc;

use dx_pkg_core::{Range, Spec, SpecError, Version};
use rustc_hash::FxHashMap;

/// A package or dependency name.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(crate) struct NameId(u32);

/// A requirement: its text with its parsed form.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(crate) struct SpecId(u32);

/// The names and requirements of one resolution.
#[derive(Default)]
pub(crate) struct Interner {
    names: Vec<Arc<str>>,
    /// For each name, its lower-case form, or itself.
    folded: Vec<NameId>,
    name_ids: FxHashMap<Arc<str>, NameId>,
    specs: Vec<InternedSpec>,
    spec_ids: FxHashMap<Arc<str>, SpecId>,
}

struct InternedSpec {
    raw: Arc<str>,
    parsed: Result<Spec, SpecError>,
}

impl Interner {
    pub(crate) fn name(&mut self, name: &str) -> NameId {
        if let Some(id) = self.name_ids.get(name) {
            return *id;
        }
        let id = NameId(index(self.names.len()));
        let text: Arc<str> = name.into();
        self.names.push(text.clone());
        self.name_ids.insert(text, id);
        self.folded.push(id);
        if name.bytes().any(|byte| byte.is_ascii_uppercase() || !byte.is_ascii()) {
            let lower = name.to_lowercase();
            if lower != name {
                self.folded[id.index()] = self.name(&lower);
            }
        }
        id
    }

    pub(crate) fn find_name(&self, name: &str) -> Option<NameId> {
        self.name_ids.get(name).copied()
    }

    pub(crate) fn name_text(&self, id: NameId) -> &str {
        &self.names[id.0 as usize]
    }

    /// Returns the name in lower case: some file systems have one folder for names that differ in
    /// case only.
    pub(crate) fn fold(&self, id: NameId) -> NameId {
        self.folded[id.index()]
    }

    pub(crate) fn name_count(&self) -> usize {
        self.names.len()
    }

    pub(crate) fn spec(&mut self, raw: &str) -> SpecId {
        if let Some(id) = self.spec_ids.get(raw) {
            return *id;
        }
        let id = SpecId(index(self.specs.len()));
        let text: Arc<str> = raw.into();
        self.specs.push(InternedSpec { raw: text.clone(), parsed: Spec::parse(raw) });
        self.spec_ids.insert(text, id);
        id
    }

    pub(crate) fn spec_text(&self, id: SpecId) -> &str {
        &self.specs[id.0 as usize].raw
    }

    pub(crate) fn parsed(&self, id: SpecId) -> Result<&Spec, &SpecError> {
        self.specs[id.0 as usize].parsed.as_ref()
    }
}

impl NameId {
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

/// Returns a length as an arena index; no project reaches 2^32 names.
pub(crate) fn index(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

/// Returns the range of a registry requirement, that of an alias's target included; `None` for
/// tags, git, files and folders.
pub(crate) fn registry_range(spec: &Spec) -> Option<SpecRange<'_>> {
    match spec {
        Spec::Range(range) => Some(SpecRange::Range(range)),
        Spec::Version(version) => Some(SpecRange::Exact(version)),
        Spec::Alias { spec, .. } => registry_range(spec),
        _ => None,
    }
}

/// A range or an exact version.
#[derive(Clone, Copy)]
pub(crate) enum SpecRange<'a> {
    Range(&'a Range),
    Exact(&'a Version),
}

impl SpecRange<'_> {
    /// Returns whether a package in the tree satisfies this; a requirement written as `*` accepts
    /// prereleases too.
    pub(crate) fn satisfied_by(self, version: &Version) -> bool {
        self.is_star() || self.contains(version)
    }

    /// Returns whether `version` is in the range by semver's rules.
    pub(crate) fn contains(self, version: &Version) -> bool {
        match self {
            SpecRange::Range(range) => range.satisfies(version),
            SpecRange::Exact(exact) => exact == version,
        }
    }

    pub(crate) fn is_star(self) -> bool {
        matches!(self, SpecRange::Range(range) if matches!(range.text(), "" | "*"))
    }
}

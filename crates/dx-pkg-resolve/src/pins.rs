//! Requirements that are not taken as they are written: those of the project with a meaning of
//! their own, such as `catalog:`, and pins, by which other package managers replace a requirement
//! in the manifests of all packages.
//!
//! Both change what a manifest declares, whatever way leads to its package. So they have nothing of
//! npm's `overrides`, whose rules are inherited along the tree. The lockfile keeps each requirement
//! as it is written.

use dx_pkg_core::{Range, Spec, Version};
use rustc_hash::FxHashMap;

use crate::intern::{Interner, NameId, SpecId};

/// The meaning of a requirement of the project or one of its workspaces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meaning {
    /// The folder of the manifest that has it, relative to the project; the project's is empty.
    pub from: String,
    /// The name of the dependency.
    pub name: String,
    /// The requirement as it is written.
    pub written: String,
    /// The requirement that it stands for, in npm's words.
    pub means: String,
}

/// A rule that replaces requirements for a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pin {
    /// The only package whose requirement is replaced, with the range of its versions; `None` for
    /// all packages and the project itself.
    pub parent: Option<(String, Option<String>)>,
    /// The name of the dependency.
    pub name: String,
    /// The requirements that are replaced.
    pub which: Which,
    /// The requirement in their place, in npm's words; `None` removes the dependency. A folder is
    /// relative to the project.
    pub value: Option<String>,
    /// Whether peer requirements are replaced too.
    pub peers: bool,
}

/// The requirements that a pin replaces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// All of them.
    All,
    /// Those that some version in the range would meet.
    Meeting(String),
    /// Those that are written like this.
    Written(String),
}

/// What the project says about requirements, besides `overrides`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pins {
    /// The meanings of its own requirements.
    pub meanings: Vec<Meaning>,
    /// Its pins; the first that concerns a requirement counts.
    pub pins: Vec<Pin>,
}

impl Pins {
    /// Returns whether every requirement is taken as it is written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.meanings.is_empty() && self.pins.is_empty()
    }

    /// Returns what a requirement of the manifest in the folder `from` means.
    #[must_use]
    pub fn meaning<'s>(&'s self, from: &str, name: &str, written: &'s str) -> &'s str {
        let is_it = |one: &&Meaning| one.written == written && one.name == name && one.from == from;
        self.meanings.iter().find(is_it).map_or(written, |meaning| &meaning.means)
    }
}

/// The pins of a resolution, by the names that they concern.
#[derive(Default)]
pub(crate) struct PinTable {
    /// By the folder of the manifest.
    meanings: FxHashMap<String, FxHashMap<(NameId, SpecId), SpecId>>,
    pins: FxHashMap<NameId, Vec<ReadPin>>,
}

struct ReadPin {
    parent: Option<(NameId, Option<Range>)>,
    which: ReadWhich,
    value: Option<SpecId>,
    peers: bool,
}

enum ReadWhich {
    All,
    Meeting(Range),
    Written(SpecId),
    /// A range that cannot be read meets nothing.
    None,
}

impl PinTable {
    pub(crate) fn new(written: &Pins, interner: &mut Interner) -> Self {
        let mut table = Self::default();
        for Meaning { from, name, written, means } in &written.meanings {
            let key = (interner.name(name), interner.spec(written));
            let means = interner.spec(means);
            table.meanings.entry(from.clone()).or_default().insert(key, means);
        }
        for pin in &written.pins {
            let parent = pin.parent.as_ref().map(|(name, range)| {
                (interner.name(name), range.as_deref().and_then(|text| Range::parse(text).ok()))
            });
            let which = match &pin.which {
                Which::All => ReadWhich::All,
                Which::Meeting(range) => {
                    Range::parse(range).map_or(ReadWhich::None, ReadWhich::Meeting)
                }
                Which::Written(text) => ReadWhich::Written(interner.spec(text)),
            };
            let value = pin.value.as_deref().map(|value| interner.spec(value));
            let read = ReadPin { parent, which, value, peers: pin.peers };
            table.pins.entry(interner.name(&pin.name)).or_default().push(read);
        }
        table
    }

    /// Returns whether every requirement of the manifest in `folder`, or of a package where it is
    /// `None`, is taken as it is written.
    pub(crate) fn is_idle(&self, folder: Option<&str>) -> bool {
        self.pins.is_empty() && folder.is_none_or(|folder| !self.meanings.contains_key(folder))
    }

    /// Returns what becomes of a requirement of a package; `folder` is that of the manifest, where
    /// it is one of the project's own.
    pub(crate) fn outcome(
        &self,
        folder: Option<&str>,
        package: (Option<NameId>, Option<&Version>),
        asked: Asked,
        interner: &Interner,
    ) -> Outcome {
        let meanings = folder.and_then(|folder| self.meanings.get(folder));
        let means = meanings.and_then(|known| known.get(&(asked.name, asked.spec)));
        let means = means.copied().unwrap_or(asked.spec);
        let is_below = |(parent, range): &(NameId, Option<Range>)| {
            let (name, version) = package;
            let is_in = |range: &Range| version.is_some_and(|version| range.satisfies(version));
            name == Some(*parent) && range.as_ref().is_none_or(is_in)
        };
        let concerns = |pin: &&ReadPin| {
            (pin.peers || !asked.is_peer)
                && pin.parent.as_ref().is_none_or(is_below)
                && pin.which.concerns(asked.spec, means, interner)
        };
        let pins = self.pins.get(&asked.name).map(Vec::as_slice).unwrap_or_default();
        match pins.iter().find(concerns) {
            None => Outcome::Means(means),
            Some(ReadPin { value: None, .. }) => Outcome::Removed,
            Some(ReadPin { value: Some(value), .. }) => Outcome::Pinned {
                spec: *value,
                is_of_registry: interner.parsed(*value).is_ok_and(Spec::is_registry),
            },
        }
    }
}

/// A requirement as it is written.
#[derive(Clone, Copy)]
pub(crate) struct Asked {
    pub(crate) name: NameId,
    pub(crate) spec: SpecId,
    pub(crate) is_peer: bool,
}

/// What becomes of a requirement.
pub(crate) enum Outcome {
    /// It is this one.
    Means(SpecId),
    /// A pin puts this one in its place.
    Pinned { spec: SpecId, is_of_registry: bool },
    /// A pin removes it.
    Removed,
}

impl ReadWhich {
    /// Returns whether a requirement is among them, which is `written` so and `means` that.
    fn concerns(&self, written: SpecId, means: SpecId, interner: &Interner) -> bool {
        match self {
            Self::All => true,
            Self::None => false,
            Self::Written(text) => *text == written,
            Self::Meeting(range) => match interner.parsed(means) {
                Ok(Spec::Range(own)) => own.intersects(range),
                Ok(Spec::Version(version)) => range.satisfies(version),
                _ => false,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_requirement_without_a_meaning_is_taken_as_written() {
        let meaning = |from: &str, name: &str, means: &str| Meaning {
            from: from.to_owned(),
            name: name.to_owned(),
            written: "catalog:".to_owned(),
            means: means.to_owned(),
        };
        let meanings = vec![meaning("", "a", "^1.0.0"), meaning("w", "b", "2")];
        let pins = Pins { meanings, pins: Vec::new() };
        assert_eq!(pins.meaning("", "a", "catalog:"), "^1.0.0");
        assert_eq!(pins.meaning("w", "b", "catalog:"), "2");
        assert_eq!(pins.meaning("", "b", "catalog:"), "catalog:");
        assert_eq!(pins.meaning("", "a", "^3"), "^3");
        assert!(!pins.is_empty() && Pins::default().is_empty());
    }
}

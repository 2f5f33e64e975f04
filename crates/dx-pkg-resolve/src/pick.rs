//! The choice of a version for a requirement, as npm's `npm-pick-manifest` makes it.
//!
//! The default tag's version is picked if it is in range, its engines match and it is not
//! deprecated. Otherwise the highest version in range is, of the first of these groups that has
//! any: engines match and not deprecated, engines match, not deprecated, any other.

use std::cell::RefCell;

use dx_pkg_core::{Range, Spec, Version};
use dx_pkg_format::packument::{Packument, VersionIndex, VersionView};
use rustc_hash::FxHashMap;

use crate::intern::{SpecRange, registry_range};

/// The settings for choosing versions.
#[derive(Clone, Debug)]
pub struct PickOptions {
    /// The dist-tag that is preferred within a range, `latest` unless configured.
    pub default_tag: String,
    /// The version of Node to check `engines` with; `None` skips the check.
    pub node: Option<Version>,
    /// The version of npm to check `engines` with; `None` skips the check.
    pub npm: Option<Version>,
    /// The time, in milliseconds since 1970, after which published versions are too new.
    pub before: Option<u64>,
    /// Packages that `before` does not apply to: names, or `@scope/*`.
    pub before_excluded: Vec<String>,
    /// The only packages that `before` applies to, where it does not apply to all.
    pub before_only: Option<Vec<String>>,
    /// Versions that `before` does not apply to.
    pub before_exempt: Vec<(String, Version)>,
    /// Whether a version counts as old enough where its packument has no time for it.
    pub allows_missing_times: bool,
    /// Names with the version that is taken wherever it is in range, the first that is.
    pub pins: Vec<(String, Version)>,
    /// Names with versions that no range and no exact requirement chooses.
    pub excluded: Vec<(String, Version)>,
    /// Names with versions that a range chooses only where it allows no other.
    pub avoided: Vec<(String, Version)>,
}

impl PickOptions {
    /// Returns whether they choose the same versions as others.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        let Self {
            default_tag,
            node,
            npm,
            before,
            before_excluded,
            before_only,
            before_exempt,
            allows_missing_times,
            pins,
            excluded,
            avoided,
        } = self;
        *default_tag == other.default_tag
            && *node == other.node
            && *npm == other.npm
            && *before == other.before
            && *before_excluded == other.before_excluded
            && *before_only == other.before_only
            && *before_exempt == other.before_exempt
            && *allows_missing_times == other.allows_missing_times
            && *pins == other.pins
            && *excluded == other.excluded
            && *avoided == other.avoided
    }
}

impl Default for PickOptions {
    fn default() -> Self {
        PickOptions {
            default_tag: "latest".into(),
            node: None,
            npm: None,
            before: None,
            before_excluded: Vec::new(),
            before_only: None,
            before_exempt: Vec::new(),
            allows_missing_times: false,
            pins: Vec::new(),
            excluded: Vec::new(),
            avoided: Vec::new(),
        }
    }
}

/// Picks versions; caches which engine ranges match.
pub struct Picker {
    options: PickOptions,
    engine_fits: RefCell<FxHashMap<Box<str>, (bool, bool)>>,
}

impl Picker {
    /// Returns a picker for one resolution.
    #[must_use]
    pub fn new(options: PickOptions) -> Self {
        Picker { options, engine_fits: RefCell::default() }
    }

    /// Returns the options it was made with.
    #[must_use]
    pub fn options(&self) -> &PickOptions {
        &self.options
    }

    /// Returns the version of `packument` for `spec`; `None` if none is in range.
    #[must_use]
    pub fn pick(&self, packument: &Packument, spec: &Spec) -> Option<VersionIndex> {
        let before = self.before_for(packument.name());
        let in_time = |view: &VersionView<'_>| self.is_in_time_of(packument, view, before);
        match spec {
            Spec::Alias { spec, .. } => self.pick(packument, spec),
            Spec::Tag(tag) => {
                let index = packument.tag(tag)?;
                let view = packument.version(index);
                if in_time(&view) {
                    Some(index)
                } else {
                    self.best(packument, in_time, |other| other.version() <= view.version())
                }
            }
            Spec::Version(version) => {
                let found = packument.find(version);
                found.filter(|index| {
                    in_time(&packument.version(*index))
                        && !self.is_excluded(packument.name(), version)
                })
            }
            _ => {
                let range = registry_range(spec)?;
                if let Some(pinned) = self.pinned(packument, range) {
                    return Some(pinned);
                }
                let name = packument.name();
                let has = |list: &[(String, Version)]| list.iter().any(|(known, _)| known == name);
                let has_excluded = has(&self.options.excluded);
                let in_time = |view: &VersionView<'_>| {
                    in_time(view) && !(has_excluded && self.is_excluded(name, &view.version()))
                };
                if has(&self.options.avoided) {
                    let safe = |view: &VersionView<'_>| {
                        in_time(view) && !self.is_avoided(name, &view.version())
                    };
                    if let Some(index) = self.pick_in_range(packument, range, safe) {
                        return Some(index);
                    }
                }
                self.pick_in_range(packument, range, in_time)
            }
        }
    }

    /// Returns the best version in a range, of those that `in_time` accepts.
    fn pick_in_range(
        &self,
        packument: &Packument,
        range: SpecRange<'_>,
        in_time: impl Fn(&VersionView<'_>) -> bool,
    ) -> Option<VersionIndex> {
        if let Some(index) = packument.tag(&self.options.default_tag) {
            let view = packument.version(index);
            let preferred = range.satisfied_by(&view.version())
                && in_time(&view)
                && view.deprecated().is_none_or(str::is_empty)
                && self.fits(&view);
            if preferred {
                return Some(index);
            }
        }
        if names_prereleases(range) {
            return self.best(packument, in_time, |view| range.contains(&view.version()));
        }
        self.best(packument, in_time, |view| {
            let (major, minor, patch) = view.numbers();
            !view.is_prerelease() && range.contains(&Version::new(major, minor, patch))
        })
    }

    fn pinned(&self, packument: &Packument, range: SpecRange<'_>) -> Option<VersionIndex> {
        let pins = self.options.pins.iter().filter(|(name, _)| name == packument.name());
        let mut in_range = pins.filter(|(_, version)| range.satisfied_by(version));
        in_range.find_map(|(_, version)| packument.find(version))
    }

    /// Returns whether a version is chosen only where a range allows no other.
    pub(crate) fn is_avoided(&self, name: &str, version: &Version) -> bool {
        self.options.avoided.iter().any(|(known, exact)| known == name && exact == version)
    }

    /// Returns whether a version is not to be chosen, but for a tag.
    pub(crate) fn is_excluded(&self, name: &str, version: &Version) -> bool {
        let excluded = &self.options.excluded;
        excluded.iter().any(|(known, exact)| known == name && exact == version)
    }

    /// Returns the version that `pick` would give if none were too new.
    pub(crate) fn too_new(&self, packument: &Packument, spec: &Spec) -> Option<VersionIndex> {
        self.before_for(packument.name())?;
        Picker::new(PickOptions { before: None, ..self.options.clone() }).pick(packument, spec)
    }

    /// Returns the best version of those in time and in range; see the module's rule.
    fn best(
        &self,
        packument: &Packument,
        in_time: impl Fn(&VersionView<'_>) -> bool,
        in_range: impl Fn(&VersionView<'_>) -> bool,
    ) -> Option<VersionIndex> {
        let mut best: Option<(u8, VersionIndex)> = None;
        for view in packument.versions().rev() {
            let index = view.index();
            if !in_range(&view) || !in_time(&view) {
                continue;
            }
            let maintained = view.deprecated().is_none_or(str::is_empty);
            let fits = self.fits(&view);
            let rank =
                u8::from(maintained && fits) << 2 | u8::from(fits) << 1 | u8::from(maintained);
            if best.is_none_or(|(known, _)| rank > known) {
                best = Some((rank, index));
            }
            if rank == 0b111 {
                break;
            }
        }
        best.map(|(_, index)| index)
    }

    /// Returns whether the engines of a version match.
    pub(crate) fn fits(&self, view: &VersionView<'_>) -> bool {
        view.engines().all(|(name, range)| self.engine_fits(name, range))
    }

    /// Returns whether the version of `engine`, `node` or `npm`, is in `range`; other engines are
    /// not checked.
    pub(crate) fn engine_fits(&self, engine: &str, range: &str) -> bool {
        let current = match engine {
            "node" => &self.options.node,
            "npm" => &self.options.npm,
            _ => return true,
        };
        if current.is_none() || range.is_empty() {
            return true;
        }
        let mut known = self.engine_fits.borrow_mut();
        let (node, npm) = *known.entry(range.into()).or_insert_with(|| {
            let parsed = Range::parse(range).ok();
            let fits = |version: &Option<Version>| match (version, &parsed) {
                (Some(version), Some(range)) => range.satisfies_including_prerelease(version),
                _ => false,
            };
            (fits(&self.options.node), fits(&self.options.npm))
        });
        if engine == "node" { node } else { npm }
    }

    /// Returns the time after which versions of `name` are too new.
    #[must_use]
    pub fn before_for(&self, name: &str) -> Option<u64> {
        let names = |patterns: &[String]| {
            patterns.iter().any(|pattern| match pattern.strip_suffix('*') {
                Some(prefix) => name.starts_with(prefix),
                None => pattern == name,
            })
        };
        let PickOptions { before, before_excluded, before_only, .. } = &self.options;
        let applies = before_only.as_deref().is_none_or(names) && !names(before_excluded);
        before.filter(|_| applies)
    }

    /// Returns whether a version is not too new.
    pub(crate) fn is_in_time(&self, packument: &Packument, view: &VersionView<'_>) -> bool {
        self.is_in_time_of(packument, view, self.before_for(packument.name()))
    }

    fn is_in_time_of(
        &self,
        packument: &Packument,
        view: &VersionView<'_>,
        before: Option<u64>,
    ) -> bool {
        before.is_none_or(|before| {
            self.is_old_enough(packument, view, before)
                || self.is_exempt(packument.name(), &view.version())
        })
    }

    /// Returns whether a version was published by `before`. Without a time of its own it was if
    /// nothing of the package has changed since.
    fn is_old_enough(&self, packument: &Packument, view: &VersionView<'_>, before: u64) -> bool {
        let untouched = || packument.modified().is_some_and(|modified| modified <= before);
        match view.published() {
            Some(published) => published <= before,
            None => self.options.allows_missing_times || untouched(),
        }
    }

    /// Returns whether only its missing time keeps `pick` from giving a version.
    pub(crate) fn lacks_time(&self, packument: &Packument, spec: &Spec) -> bool {
        let options = PickOptions { allows_missing_times: true, ..self.options.clone() };
        Picker::new(options).pick(packument, spec).is_some()
    }

    fn is_exempt(&self, name: &str, version: &Version) -> bool {
        let exempt = &self.options.before_exempt;
        exempt.iter().any(|(known, exact)| known == name && exact == version)
    }
}

/// Returns whether a range may be about prereleases: only then are they in it, and most packuments
/// have more of them than releases.
fn names_prereleases(range: SpecRange<'_>) -> bool {
    match range {
        SpecRange::Exact(_) => true,
        SpecRange::Range(range) => range.text().bytes().any(|byte| {
            byte == b'-'
                || (byte.is_ascii_alphabetic() && !matches!(byte.to_ascii_lowercase(), b'x' | b'v'))
        }),
    }
}

//! Known vulnerabilities of what is locked, as `npm audit` reports them: the advisories that
//! registries have of the packages, what follows from these for dependents, and what would help.

mod advisory;
mod bulk;
mod calculation;
mod fix;
mod forms;
pub mod signatures;

use std::collections::{HashMap, HashSet};

use dx_pkg_acquire::ResolverInput;
use dx_pkg_core::Version;
use dx_pkg_install::Session;
use dx_pkg_lock::locale_compare;
use dx_pkg_resolve::Requirements;
use serde_json::Value;

use crate::scope::Scope;
use crate::{InspectError, View};
use bulk::{Advice, advice};
use calculation::{Calculation, Found};
use fix::Pickers;

pub(crate) use bulk::PATH as BULK_PATH;
pub use bulk::Refused;
pub(crate) use forms::iso_time;

/// The least severity that makes `dx audit` fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Level {
    /// Any.
    Info,
    /// Low and above.
    #[default]
    Low,
    /// Moderate and above.
    Moderate,
    /// High and above.
    High,
    /// Critical.
    Critical,
    /// None fails.
    None,
}

impl Level {
    /// Returns a level by npm's word for it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "info" => Level::Info,
            "low" => Level::Low,
            "moderate" => Level::Moderate,
            "high" => Level::High,
            "critical" => Level::Critical,
            "none" => Level::None,
            _ => return None,
        })
    }
}

/// What helps against a vulnerability.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fix {
    /// Another version that is allowed already.
    Allowed,
    /// Another version of a direct dependency than the project allows.
    Forced {
        /// The direct dependency.
        name: String,
        /// The version.
        version: String,
        /// Whether it is outside the line of compatible versions.
        is_major: bool,
    },
    /// Nothing.
    Nothing,
}

/// Why a package is vulnerable.
#[derive(Clone, Debug)]
pub enum Via {
    /// A registry's advisory, in npm's form.
    Advisory(Value),
    /// A vulnerable package that it requires.
    Package(String),
}

/// A vulnerable package.
#[derive(Clone, Debug)]
pub struct Vulnerability {
    /// Its name.
    pub name: String,
    /// The worst severity of its reasons, in the registry's word; `None` where it has none that is
    /// known.
    pub severity: Option<String>,
    /// Whether the project or a workspace requires it.
    pub is_direct: bool,
    /// Why it is vulnerable.
    pub via: Vec<Via>,
    /// The packages that are vulnerable because of it.
    pub effects: Vec<String>,
    /// Its vulnerable versions.
    pub range: String,
    /// Where it is: paths relative to the project.
    pub nodes: Vec<String>,
    /// What helps.
    pub fix: Fix,
    /// A version that would help and is newer than the settings allow, with the time they allow.
    pub too_new: Option<(String, u64)>,
    /// Versions that are vulnerable, of those that the registry has.
    pub(crate) versions: Vec<Version>,
}

/// The result of an audit.
#[derive(Clone, Debug, Default)]
pub struct Audit {
    /// The vulnerable packages, sorted by name.
    pub vulnerabilities: Vec<Vulnerability>,
    /// The registries that have no advisories, with the number of packages that were not audited.
    pub refused: Vec<Refused>,
    /// Packages of the tree by kind: production, development, optional, peer.
    pub kinds: [usize; 4],
    /// The number of packages in the tree, the project included.
    pub total: usize,
}

/// Asks registries for the vulnerabilities of what is locked.
///
/// # Errors
/// The default registry does not answer, or a setting cannot be used.
pub fn audit(view: &View, session: &Session, scope: &Scope) -> Result<Audit, InspectError> {
    let audited = audited(view, scope);
    let Advice { advisories, refused } = advice(view, session, &audited)?;
    let mut result = Audit { refused, total: view.graph.packages.len(), ..Audit::default() };
    for package in &view.graph.packages {
        let kinds = [package.dev, package.optional, package.peer];
        result.kinds[0] += usize::from(kinds == [false; 3]);
        for (at, is_one) in kinds.into_iter().enumerate() {
            result.kinds[at + 1] += usize::from(is_one);
        }
    }
    if advisories.is_empty() {
        return Ok(result);
    }
    let mut input = ResolverInput::new(session.config(), Requirements::default(), None, None)?;
    input.options.pick.node = session.node_version()?;
    let pickers = Pickers::new(input.options.pick.clone());
    let mut calculation = Calculation::new(view, session, (input.policy, &input.options.pick));
    let found = calculation.run(&advisories, &audited, &pickers)?;
    let mut vulnerabilities: Vec<Vulnerability> =
        found.iter().map(|one| vulnerability(view, one, &found)).collect();
    vulnerabilities.sort_by(|a, b| locale_compare(&a.name, &b.name));
    result.vulnerabilities = vulnerabilities;
    Ok(result)
}

/// Returns the packages that are audited: those that came from somewhere and have a version.
fn audited(view: &View, scope: &Scope) -> HashSet<usize> {
    let selected = scope.selected(view);
    let is_audited = |place: &usize| {
        let package = &view.graph.packages[*place];
        *place != 0
            && package.target.is_none()
            && package.links.is_empty()
            && package.entry.version.is_some()
            && !view.package_name(*place).is_empty()
            && selected.as_ref().is_none_or(|set| set.is_empty() || set.contains(place))
            && !scope.omits(view, *place)
    };
    (0..view.graph.packages.len()).filter(is_audited).collect()
}

/// Returns what is reported of a package.
fn vulnerability(view: &View, found: &Found, all: &[Found]) -> Vulnerability {
    let mut nodes: Vec<String> =
        found.nodes.iter().map(|place| view.graph.packages[*place].path.clone()).collect();
    nodes.sort_by(|a, b| locale_compare(a, b));
    let is_importer = |place: usize| place == 0 || view.graph.packages[place].is_workspace;
    let is_direct = found
        .nodes
        .iter()
        .any(|place| view.dependents_of(*place).any(|required| is_importer(required.from)));
    let mut via: Vec<(String, Via)> = found
        .advisories
        .iter()
        .map(|advisory| match advisory.is_derived {
            true => (advisory.dependency.clone(), Via::Package(advisory.dependency.clone())),
            false => {
                let source = advisory.told.get("id").map(plain).unwrap_or_default();
                (source, Via::Advisory(forms::advisory_json(advisory)))
            }
        })
        .collect();
    via.sort_by(|(a, _), (b, _)| locale_compare(a, b));
    let mut effects: Vec<String> = all
        .iter()
        .filter(|other| other.advisories.iter().any(|one| is_from(one, &found.name)))
        .map(|other| other.name.clone())
        .collect();
    effects.sort_by(|a, b| locale_compare(a, b));
    let range = found.simple_range();
    let vulnerable = dx_pkg_core::Range::parse(&range).ok();
    let versions = found.versions().iter().map(|(_, version)| version);
    let versions = versions.filter(|version| {
        vulnerable.as_ref().is_some_and(|range| range.satisfies_including_prerelease(version))
    });
    Vulnerability {
        name: found.name.clone(),
        severity: found.severity(),
        is_direct,
        via: via.into_iter().map(|(_, via)| via).collect(),
        effects,
        versions: versions.cloned().collect(),
        range,
        nodes,
        fix: found.fix.as_ref().clone(),
        too_new: found.too_new.clone(),
    }
}

fn is_from(advisory: &advisory::Advisory, name: &str) -> bool {
    advisory.is_derived && advisory.dependency == name
}

/// Returns a JSON value as JavaScript's `String` writes it.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The severities that npm counts, the least first.
pub(crate) const SEVERITIES: [(&str, Level); 5] = [
    ("info", Level::Info),
    ("low", Level::Low),
    ("moderate", Level::Moderate),
    ("high", Level::High),
    ("critical", Level::Critical),
];

impl Audit {
    /// Returns whether something is found that is at least this severe.
    #[must_use]
    pub fn reaches(&self, level: Level) -> bool {
        let counts = self.counts();
        SEVERITIES.iter().any(|(word, of)| *of >= level && counts[word] > 0)
    }

    /// Returns how many vulnerabilities there are of each severity.
    fn counts(&self) -> HashMap<&'static str, usize> {
        let count = |word: &'static str| {
            let is_one = |one: &&Vulnerability| one.severity.as_deref() == Some(word);
            (word, self.vulnerabilities.iter().filter(is_one).count())
        };
        SEVERITIES.iter().map(|(word, _)| count(word)).collect()
    }

    /// Returns the vulnerable versions that are to be avoided where others are allowed.
    #[must_use]
    pub fn avoided(&self) -> Vec<(String, Version)> {
        let all = self.vulnerabilities.iter();
        let pairs = all
            .flat_map(|one| one.versions.iter().map(|version| (one.name.clone(), version.clone())));
        pairs.collect()
    }

    /// Returns the direct dependencies that a forced fix changes: name and version, each once.
    #[must_use]
    pub fn forced(&self) -> Vec<(String, String, bool)> {
        let mut found: Vec<(String, String, bool)> = Vec::new();
        for one in &self.vulnerabilities {
            if let Fix::Forced { name, version, is_major } = &one.fix
                && !found.iter().any(|(known, ..)| known == name)
            {
                found.push((name.clone(), version.clone(), *is_major));
            }
        }
        found
    }

    /// Returns what a forced fix changes, by the folder of the project or workspace that requires
    /// it: names with versions.
    #[must_use]
    pub fn forced_by_importer(&self, view: &View) -> Vec<(String, Vec<String>)> {
        let mut found: Vec<(String, Vec<String>)> = Vec::new();
        for (name, version, _) in self.forced() {
            let named = self.vulnerabilities.iter().filter(|one| one.name == name);
            let nodes: HashSet<&String> = named.flat_map(|one| &one.nodes).collect();
            let requires = |place: usize| {
                view.requirements_of(place).any(|one| {
                    let to = one.to.filter(|_| one.name == name);
                    to.is_some_and(|to| nodes.contains(&view.graph.packages[to].path))
                })
            };
            for (place, package) in view.graph.packages.iter().enumerate() {
                let is_importer = place == 0 || package.is_workspace && package.target.is_none();
                if !is_importer || !requires(place) {
                    continue;
                }
                let spec = format!("{name}@{version}");
                match found.iter_mut().find(|(folder, _)| *folder == package.path) {
                    Some((_, specs)) => specs.push(spec),
                    None => found.push((package.path.clone(), vec![spec])),
                }
            }
        }
        found
    }
}

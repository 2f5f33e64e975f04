//! Bills of materials, with npm's content: CycloneDX 1.5 and SPDX 2.3.

mod cyclonedx;
mod licenses;
mod spdx;

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dx_pkg_compat::hosted::percent;
use dx_pkg_core::Spec;
use dx_pkg_install::Session;
use dx_pkg_resolve::graph::{Kind, Requirement, State};
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::list::Omitted;
use crate::manifests::{Manifests, Members, bundled_places, in_order, is_true};
use crate::query::select::Select;
use crate::query::{Item, folder_name, items, package_id};
use crate::scope::Scope;
use crate::{InspectError, Source, View};

/// The form of a bill of materials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SbomFormat {
    /// CycloneDX, version 1.5.
    CycloneDx,
    /// SPDX, version 2.3.
    Spdx,
}

/// What a bill of materials says.
#[derive(Clone, Debug)]
pub struct SbomOptions {
    /// The form.
    pub format: SbomFormat,
    /// What the project is: `library`, `application` or `framework`.
    pub kind: String,
    /// Kinds of packages that are left out, and workspaces.
    pub scope: Scope,
    /// The time at which it is made, in milliseconds since 1970.
    pub time: u64,
}

/// Returns the bill of materials of a project: JSON with a member in each line.
///
/// # Errors
/// Something that is required is missing or of another version.
pub fn sbom(view: &View, session: &Session, options: &SbomOptions) -> Result<String, InspectError> {
    let manifests = Manifests::of_view(view);
    let mut select = Select::new(view, session, &manifests);
    let found = items(&mut select, &selector(view, &options.scope), 0)?;
    let places: Vec<usize> = found
        .into_iter()
        .filter_map(|item| match item {
            Item::Place(place) => Some(place),
            Item::Missing(_) => None,
        })
        .collect();
    let problems = problems(view, &manifests, &places);
    if !problems.is_empty() {
        return Err(InspectError::SbomProblems { problems: problems.join("\n") });
    }
    let bill = Bill::new(view, &manifests, places);
    let document = match options.format {
        SbomFormat::CycloneDx => cyclonedx::document(&bill, options),
        SbomFormat::Spdx => spdx::document(&bill, options),
    };
    // All keys are texts, and memory is written to.
    Ok(document.unwrap_or_default())
}

/// A list that is made while it is written, so that a bill is in memory once.
struct Each<F>(F);

impl<T: Serialize, I: Iterator<Item = T>, F: Fn() -> I> Serialize for Each<F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq((self.0)())
    }
}

/// Returns npm's selector for what a bill of materials lists.
fn selector(view: &View, scope: &Scope) -> String {
    let omits: String = scope
        .omitted
        .iter()
        .map(|kind| match kind {
            Omitted::Development => ":not(.dev)",
            Omitted::Optional => ":not(.optional)",
            Omitted::Peer => ":not(.peer)",
        })
        .collect();
    let below = if scope.without_workspaces {
        format!(":root > :not(.workspace){omits},:root > :not(.workspace) *{omits},:extraneous")
    } else if view.selected.is_empty() {
        format!(":root *{omits},:extraneous")
    } else {
        let name = |place: &usize| folder_name(view, *place).replace('.', "\\.");
        let own = view.selected.iter().map(name);
        own.map(|name| format!("#{name},#{name} *{omits}")).collect::<Vec<_>>().join(",")
    };
    format!(":root,{below}")
}

/// Returns what is missing or of another version than is required, each once.
fn problems(view: &View, manifests: &Manifests<'_>, places: &[usize]) -> Vec<String> {
    let (mut found, mut seen) = (Vec::new(), HashSet::new());
    let id = |place: usize| package_id(view, manifests, place);
    for required in places.iter().flat_map(|place| in_order(view, manifests, *place)) {
        let Requirement { from, to, name, spec, .. } = required;
        let is_optional = matches!(required.kind, Kind::Optional | Kind::OptionalPeer);
        let problem = match (required.state, to) {
            (State::Missing, _) if !is_optional => {
                format!("missing: {name}@{spec}, required by {}", id(*from))
            }
            (State::Invalid, Some(to)) => {
                let spec = if spec.is_empty() { "*" } else { spec };
                format!("invalid: {}, {spec} required by {}", id(*to), id(*from))
            }
            _ => continue,
        };
        if seen.insert(problem.clone()) {
            found.push(problem);
        }
    }
    found
}

/// The packages of a bill of materials.
struct Bill<'b> {
    view: &'b View,
    source: &'b Manifests<'b>,
    /// Which packages are bundled, by place.
    bundled: Vec<bool>,
    /// All that are listed, links included, by place.
    places: Vec<usize>,
    listed: HashSet<usize>,
    /// The packages and folders, each name with a version once.
    unique: Vec<usize>,
    manifests: HashMap<usize, Rc<Members>>,
}

impl<'b> Bill<'b> {
    fn new(view: &'b View, source: &'b Manifests<'b>, places: Vec<usize>) -> Self {
        let listed: HashSet<usize> = places.iter().copied().collect();
        let manifests = places.iter().map(|place| (*place, source.of(*place))).collect();
        let (bundled, unique) = (bundled_places(view), Vec::new());
        let mut bill = Bill { view, source, bundled, places, listed, unique, manifests };
        let mut seen: HashSet<String> = HashSet::new();
        let is_one = |place: &usize| *place != 0 && view.graph.packages[*place].target.is_none();
        let all: Vec<usize> = bill.places.iter().copied().filter(is_one).collect();
        let unique = all.into_iter().filter(|place| seen.insert(bill.reference(*place)));
        bill.unique = unique.collect();
        bill
    }

    fn member(&self, place: usize, key: &str) -> Option<&Value> {
        self.manifests.get(&place)?.get(key).filter(|value| is_true(value))
    }

    fn text(&self, place: usize, key: &str) -> Option<&str> {
        self.member(place, key)?.as_str()
    }

    /// Returns the name in the manifest.
    fn name(&self, place: usize) -> &str {
        self.text(place, "name").unwrap_or("null")
    }

    fn version(&self, place: usize) -> &str {
        self.text(place, "version").unwrap_or_default()
    }

    /// Returns `name@version`.
    fn reference(&self, place: usize) -> String {
        format!("{}@{}", self.name(place), self.version(place))
    }

    /// Returns the requirements of a package that lead to something listed.
    fn requirements(&self, place: usize) -> impl Iterator<Item = (&'b Requirement, usize)> {
        let all = in_order(self.view, self.source, place).into_iter();
        all.filter_map(|one| Some((one, one.to?))).filter(|(_, to)| self.listed.contains(to))
    }

    /// Returns the source of a package, where it is known.
    fn resolved(&self, place: usize) -> Option<Cow<'_, str>> {
        let package = &self.view.graph.packages[place];
        self.view.resolved(place).filter(|_| package.parent.is_some())
    }

    /// Returns the package URL.
    fn purl(&self, place: usize) -> String {
        let name = self.name(place).replacen('@', "%40", 1);
        let git = self.resolved(place).filter(|text| matches!(Spec::parse(text), Ok(Spec::Git(_))));
        let git = git.map(|text| format!("?vcs_url={}", percent(&text)));
        format!("pkg:npm/{name}@{}{}", self.version(place), git.unwrap_or_default())
    }

    /// Returns the licence, several of the old form joined by `OR`.
    fn license(&self, place: usize) -> Option<String> {
        let kind = |value: &Value| match value {
            Value::String(text) => Some(text.clone()),
            other => other.get("type").and_then(Value::as_str).map(str::to_owned),
        };
        if let Some(license) = self.member(place, "license") {
            return kind(license);
        }
        let list = self.member(place, "licenses")?.as_array()?;
        Some(list.iter().filter_map(kind).collect::<Vec<_>>().join(" OR "))
    }

    /// Returns the strongest digest of a package: its algorithm, and the digest in hexadecimal.
    fn digest(&self, place: usize) -> Option<(&str, String)> {
        let integrity = self.view.graph.packages[place].entry.integrity.as_deref()?;
        let all = integrity.split_whitespace().filter_map(|one| one.split_once('-'));
        let order = ["sha1", "sha256", "sha384", "sha512"];
        let rank = |algorithm: &str| order.iter().position(|known| *known == algorithm);
        let (algorithm, digest) = all.max_by_key(|(algorithm, _)| rank(algorithm))?;
        let bytes = STANDARD.decode(digest.split('?').next()?).ok()?;
        let hex = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        Some((algorithm, hex))
    }

    fn is_locked(&self) -> bool {
        self.view.source == Source::Locked
    }
}

/// Returns a random UUID; zeros where the system has no randomness.
fn uuid() -> String {
    let mut bytes = [0u8; 16];
    let _ = getrandom::fill(&mut bytes);
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let (a, b, c, d, e) = (&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]);
    format!("{a}-{b}-{c}-{d}-{e}")
}

//! Whether registries have signed what is installed, as `npm audit signatures` checks it: the
//! signature of name, version and integrity by a key that the registry shows.
//!
//! Attestations are checked as far as registries' keys go: the subject of each, and the signature
//! of those that name a key. The certificates of provenance attestations are not.

mod attestations;
mod forms;
mod keys;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use dx_pkg_compat::json_size::{PACKUMENT_VALUES, parse};
use dx_pkg_core::{Integrity, PackageName, Spec};
use dx_pkg_install::Session;
use dx_pkg_resolve::graph::{Kind, Requirement, State};
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use crate::asked::{self, Asked};
use crate::scope::Scope;
use crate::{InspectError, View};
use keys::Key;

/// The abbreviated form of a packument.
const ABBREVIATED: &str =
    "application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8, */*";

/// A package whose signature was looked at.
#[derive(Clone, Debug)]
pub struct Signed {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its path relative to the project.
    pub location: String,
    /// The registry that it came from.
    pub registry: String,
    /// The section of the requirement by which it was found.
    pub section: &'static str,
    /// The integrity that the registry has.
    pub integrity: Option<String>,
    /// The address of its tarball.
    pub resolved: Option<String>,
}

/// A package with a signature or an attestation that does not hold.
#[derive(Clone, Debug)]
pub struct Invalid {
    /// The package.
    pub package: Signed,
    /// npm's code: `EINTEGRITYSIGNATURE` or `EATTESTATIONVERIFY`.
    pub code: &'static str,
    /// What does not hold.
    pub message: String,
    /// The key that it names.
    pub key: Option<String>,
    /// The signature.
    pub signature: Option<String>,
}

/// What was found of the signatures.
#[derive(Clone, Debug, Default)]
pub struct Signatures {
    /// How many packages are of a registry that shows keys.
    pub audited: usize,
    /// How many have signatures that hold.
    pub verified: usize,
    /// Packages whose signature or attestation does not hold.
    pub invalid: Vec<Invalid>,
    /// Packages without a signature, of a registry that shows keys.
    pub missing: Vec<Signed>,
    /// Packages with attestations.
    pub attested: Vec<(Signed, Value, Value)>,
}

/// A packument, as far as signatures go.
#[derive(Deserialize)]
struct Document {
    #[serde(default)]
    versions: HashMap<String, VersionDocument>,
    #[serde(default)]
    time: HashMap<String, Value>,
}

#[derive(Deserialize)]
struct VersionDocument {
    #[serde(default)]
    dist: Dist,
}

/// What a registry says of a version's files.
#[derive(Clone, Default, Deserialize)]
struct Dist {
    integrity: Option<String>,
    shasum: Option<String>,
    tarball: Option<String>,
    #[serde(default)]
    signatures: Vec<Signature>,
    attestations: Option<Value>,
}

#[derive(Clone, Deserialize)]
struct Signature {
    #[serde(default)]
    keyid: String,
    #[serde(default)]
    sig: String,
}

/// Checks the signatures of what is installed.
///
/// # Errors
/// Nothing is installed from a registry that shows keys, a registry cannot be reached, or a
/// signature is by a key that the registry does not show, or that was out of date.
pub fn signatures(
    view: &View,
    session: &Session,
    scope: &Scope,
) -> Result<Signatures, InspectError> {
    let packages = candidates(view, session, scope)?;
    let registries: BTreeSet<&Url> = packages.iter().map(|(_, registry)| registry).collect();
    let keys = keys::of_registries(session, registries.into_iter().cloned().collect())?;
    let mut names: BTreeMap<(String, &Url), Vec<String>> = BTreeMap::new();
    for (package, registry) in &packages {
        names.entry((package.name.clone(), registry)).or_default().push(package.version.clone());
    }
    let dists = dists(session, &names, &keys)?;
    let mut result = Signatures::default();
    for (mut package, registry) in packages {
        let known = keys.get(&registry).map_or(&[][..], Vec::as_slice);
        result.audited += usize::from(!known.is_empty());
        let key = (package.name.clone(), package.version.clone());
        let Some((dist, published)) = dists.get(&key) else {
            let Signed { name, version, .. } = package;
            return Err(InspectError::NotPublished { package: format!("{name}@{version}") });
        };
        package.integrity = integrity(dist);
        package.resolved.clone_from(&dist.tarball);
        judge(view, &mut result, package, (dist, *published), known)?;
    }
    attestations::check(session, &mut result, &keys)?;
    if result.audited == 0 && result.attested.is_empty() {
        return Err(InspectError::NothingSigned);
    }
    result.missing.sort_by(|a, b| dx_pkg_lock::locale_compare(&a.name, &b.name));
    result.invalid.sort_by(|a, b| dx_pkg_lock::locale_compare(&a.package.name, &b.package.name));
    Ok(result)
}

/// Returns the packages that were installed from registries, with these.
fn candidates(
    view: &View,
    session: &Session,
    scope: &Scope,
) -> Result<Vec<(Signed, Url)>, InspectError> {
    let selected = scope.selected(view).filter(|set| !set.is_empty());
    let target = |place: usize| view.graph.packages[place].target.unwrap_or(place);
    let all: Vec<&Requirement> = view
        .graph
        .requirements
        .iter()
        .filter(|one| selected.as_ref().is_none_or(|set| set.contains(&target(one.from))))
        .collect();
    if all.is_empty() {
        return Err(InspectError::NothingInstalled);
    }
    let mut seen: HashSet<usize> = HashSet::new();
    let mut found = Vec::new();
    for required in all {
        let section = section(required.kind);
        if required.state == State::Missing && section != "dependencies" {
            continue;
        }
        let Some((name, registry)) = origin(session, required) else { continue };
        let Some(place) = required.to else { continue };
        let package = &view.graph.packages[place];
        let Some(version) = view.facts(place).entry.version.clone() else { continue };
        if package.is_workspace || scope.omits_flag(view, place) || !seen.insert(place) {
            continue;
        }
        let package = Signed {
            name,
            version,
            location: package.path.clone(),
            registry: registry.to_string(),
            section,
            integrity: None,
            resolved: None,
        };
        found.push((package, registry));
    }
    Ok(found)
}

/// Returns the registry that a requirement is about, and the name of the package there; `None`
/// where it is about none.
fn origin(session: &Session, required: &Requirement) -> Option<(String, Url)> {
    let name = match Spec::parse(&required.spec).ok()? {
        Spec::Alias { name, .. } => name.as_str().to_owned(),
        spec if spec.is_registry() => required.name.clone(),
        _ => return None,
    };
    let parsed = PackageName::parse(&name).ok()?;
    let registry = session.config().registry_for(&parsed).clone();
    Some((name, registry))
}

fn section(kind: Kind) -> &'static str {
    match kind {
        Kind::Optional | Kind::OptionalPeer => "optionalDependencies",
        Kind::Peer => "peerDependencies",
        Kind::Development => "devDependencies",
        Kind::Production | Kind::Workspace => "dependencies",
    }
}

/// Returns the integrity that a registry has of a version.
fn integrity(dist: &Dist) -> Option<String> {
    let shasum = || Integrity::from_shasum_hex(dist.shasum.as_deref()?).ok();
    dist.integrity.clone().or_else(|| Some(shasum()?.to_string()))
}

/// What registries say of versions, with when they were published.
type Dists = HashMap<(String, String), (Dist, Option<u64>)>;

/// Asks registries about versions. Times of publication are asked for only where a key of the
/// registry is out of date now.
fn dists(
    session: &Session,
    names: &BTreeMap<(String, &Url), Vec<String>>,
    keys: &HashMap<Url, Vec<Key>>,
) -> Result<Dists, InspectError> {
    let mut found = Dists::new();
    let mut failed = None;
    let mut asked: Vec<(&(String, &Url), &Vec<String>, bool)> =
        names.iter().map(|(key, versions)| (key, versions, false)).collect();
    while !asked.is_empty() {
        let requests = asked.iter().map(|((name, registry), _, is_full)| Asked {
            url: asked::below(registry, &name.replace('/', "%2f")),
            body: None,
            accept: (!is_full).then_some(ABBREVIATED),
        });
        let mut again = Vec::new();
        asked::each(session, requests.collect(), |at, answer| {
            let (key, versions, is_full) = asked[at];
            let document: Document = match answer {
                Ok(text) => match parse(&text, PACKUMENT_VALUES) {
                    Ok(document) => document,
                    Err(_) => return,
                },
                Err(error) => {
                    failed.get_or_insert(error);
                    return;
                }
            };
            let expiring = keys.get(key.1).map_or(&[][..], Vec::as_slice);
            for version in versions {
                let Some(dist) = document.versions.get(version).map(|one| one.dist.clone()) else {
                    continue;
                };
                let by_old = |one: &Signature| expiring.iter().any(|key| key.expires_for(one));
                if !is_full && dist.signatures.iter().any(by_old) {
                    again.push((key, versions, true));
                    break;
                }
                let time = document.time.get(version).and_then(Value::as_str);
                let time = time.and_then(keys::milliseconds);
                found.insert((key.0.clone(), version.clone()), (dist, time));
            }
        })?;
        if let Some(error) = failed {
            return Err(InspectError::RegistryRefused { source: Box::new(error) });
        }
        asked = again;
    }
    Ok(found)
}

/// Checks the signatures of one package.
fn judge(
    view: &View,
    result: &mut Signatures,
    package: Signed,
    (dist, published): (&Dist, Option<u64>),
    known: &[Key],
) -> Result<(), InspectError> {
    let label = format!("{}@{}", package.name, package.version);
    let integrity = package.integrity.clone().unwrap_or_default();
    let invalid = |message: String, signature: Option<&Signature>| Invalid {
        package: package.clone(),
        code: "EINTEGRITYSIGNATURE",
        message,
        key: signature.map(|one| one.keyid.clone()),
        signature: signature.map(|one| one.sig.clone()),
    };
    // What is installed must be what the registry signed.
    let installed = view.at(&package.location).and_then(|place| {
        Integrity::parse(view.graph.packages[place].entry.integrity.as_deref()?).ok()
    });
    let signed = Integrity::parse(&integrity).ok();
    if let Some((installed, signed)) = installed.zip(signed)
        && !installed.agrees_with(&signed)
    {
        let message = format!("{label} is installed with another integrity than the registry has");
        result.invalid.push(invalid(message, None));
        return Ok(());
    }
    for signature in &dist.signatures {
        let Some(key) = known.iter().find(|key| key.id == signature.keyid) else {
            return Err(InspectError::NoKey { package: label, key: signature.keyid.clone() });
        };
        if !key.was_valid(published) {
            return Err(InspectError::OldKey { package: label, key: signature.keyid.clone() });
        }
        if !key.verifies(&format!("{label}:{integrity}"), &signature.sig) {
            let message = format!(
                "{label} has an invalid registry signature with keyid: {} and signature: {}",
                signature.keyid, signature.sig
            );
            result.invalid.push(invalid(message, Some(signature)));
            return Ok(());
        }
    }
    if !dist.signatures.is_empty() {
        result.verified += 1;
    } else if !known.is_empty() {
        result.missing.push(package.clone());
    }
    if let Some(attestations) = &dist.attestations {
        result.attested.push((package, attestations.clone(), Value::Null));
    }
    Ok(())
}

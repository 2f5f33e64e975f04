//! Explanations of conflicts between importers.
//!
//! Each of them has versions that agree, and together they have none: they find the same copy of a
//! package, and what one asks of it contradicts what another one asks. It is told by the
//! requirements that meet at that copy.

use dx_pkg_core::Spec;
use dx_pkg_lock::{LockPackage, name_of_path};

use super::helpful::{Trial, requirement_of};
use super::packages::{Source, is_met_by};
use crate::explain::THE_PROJECT;
use crate::explanation::{
    Change, Explanation, Fact, Finding, MOST_FACTS, Need, Party, Statement, Wanted,
};
use crate::{Requirements, Resolution};

/// A requirement that the copy which its importer finds does not meet.
struct Unmet<'u> {
    /// The position of the importer.
    importer: usize,
    dependent: Party,
    /// What the dependent asks for: the importer's own requirement, or that of a package.
    wants: String,
    need: Option<Need>,
    found: &'u LockPackage,
}

/// Returns the explanations of what is unmet in a resolution, where versions of each importer by
/// itself agree. `trial` tells whether other requirements would help.
pub(super) fn between(
    sources: &[Source<'_>],
    left: &Resolution,
    requirements: &Requirements,
    trial: &Trial<'_>,
) -> Vec<Explanation> {
    let tree = left.lock.index();
    let after: Vec<Source<'_>> =
        sources.iter().map(|source| Source { tree: &tree, ..*source }).collect();
    let mut told: Vec<(String, String)> = Vec::new();
    let mut explanations = Vec::new();
    let own = after.iter().enumerate().flat_map(|(importer, source)| own(importer, source));
    for unmet in own.chain(of_packages(&after, left)) {
        let pair = (unmet.dependent.name.clone(), unmet.found.package_name().to_owned());
        if !told.contains(&pair) {
            told.push(pair);
            explanations.push(explained(&unmet, &after, requirements, trial));
        }
    }
    explanations
}

/// Returns the importer's own requirements that the copies it finds do not meet.
fn own<'u>(importer: usize, source: &Source<'u>) -> Vec<Unmet<'u>> {
    let record = source.importer;
    let dependent = Party {
        name: record.name.clone().unwrap_or_else(|| THE_PROJECT.to_owned()),
        version: record.version.clone().filter(|_| !record.path.is_empty()),
    };
    let unmet = source.direct().into_iter().filter_map(|(name, own)| {
        let found = source.found(&name)?;
        let is_met = Spec::parse(&own.spec).map_or(true, |spec| is_met_by(&spec, found));
        let is_package = found.path.contains("node_modules/");
        (is_package && !is_met).then(|| Unmet {
            importer,
            dependent: dependent.clone(),
            wants: own.written,
            need: None,
            found,
        })
    });
    unmet.collect()
}

/// Returns the conflicts of packages that an importer finds.
fn of_packages<'u>(sources: &[Source<'u>], left: &'u Resolution) -> Vec<Unmet<'u>> {
    let unmet = left.conflicts.iter().filter_map(|conflict| {
        let dependent = left.lock.get(&conflict.path)?;
        let name = name_of_path(&dependent.path);
        let is_user = |source: &Source<'_>| match &conflict.used_by {
            Some(folder) => source.importer.path == *folder,
            None => source.found(name).is_some_and(|one| one.path == dependent.path),
        };
        let importer = sources.iter().position(is_user)?;
        let from = conflict.used_by.as_ref().unwrap_or(&dependent.path);
        let found = sources[importer].tree.resolve(from, &conflict.name)?;
        let meta = &dependent.peer_dependencies_meta;
        let is_peer = |(known, _): &&(String, String)| *known == conflict.name;
        let (peer, range) = dependent.peer_dependencies.iter().find(is_peer)?;
        let need = Need {
            versions: dependent.version.clone().unwrap_or_default(),
            peer: peer.clone(),
            range: range.clone(),
            is_optional: meta.iter().any(|(known, is_optional)| known == peer && *is_optional),
            note: None,
        };
        Some(Unmet {
            importer,
            dependent: Party { name: name.to_owned(), version: dependent.version.clone() },
            wants: range.clone(),
            need: Some(need),
            found,
        })
    });
    unmet.collect()
}

fn explained(
    unmet: &Unmet<'_>,
    sources: &[Source<'_>],
    requirements: &Requirements,
    trial: &Trial<'_>,
) -> Explanation {
    let importer = sources[unmet.importer].importer;
    let name = unmet.found.package_name();
    // Those that find the same copy, and what they ask for.
    let asking: Vec<(&LockPackage, &str)> = sources
        .iter()
        .enumerate()
        .filter(|(at, _)| *at != unmet.importer || unmet.need.is_some())
        .filter(|(_, source)| source.found(name).is_some_and(|one| one.path == unmet.found.path))
        .filter_map(|(_, source)| {
            let (_, range) = requirement_of(source.importer, name)?;
            Some((source.importer, range))
        })
        .collect();
    let fact = |of: &LockPackage, package: &str, range: Option<&str>, needs: Option<Need>| Fact {
        importer: of.path.clone(),
        package: package.to_owned(),
        range: range.map(str::to_owned),
        is_added: false,
        needs,
    };
    let dependent = unmet.dependent.name.as_str();
    let first = match &unmet.need {
        Some(need) => {
            let range = requirement_of(importer, dependent).map(|(_, range)| range);
            fact(importer, dependent, range, Some(need.clone()))
        }
        None => fact(importer, name, Some(unmet.wants.as_str()), None),
    };
    let others = asking.iter().map(|(of, range)| fact(of, name, Some(range), None));
    let peer = Party { name: name.to_owned(), version: unmet.found.version.clone() };
    let own = unmet.need.is_none().then_some((importer, found_range(unmet.found)));
    let asking = asking.iter().map(|(of, _)| (*of, Some(unmet.wants.clone())));
    let changes = own.into_iter().chain(asking);
    Explanation {
        importer: importer.path.clone(),
        finding: Finding::NoSolution,
        parties: vec![unmet.dependent.clone(), peer.clone()],
        statement: Statement::NotAccepted,
        facts: std::iter::once(first).chain(others).take(MOST_FACTS).collect(),
        likewise: Vec::new(),
        changes: changes
            .filter_map(|(of, range)| change(requirements, of, (name, range?), trial))
            .collect(),
        exception: Vec::new(),
        is_refused_by_npm: false,
        pairs: vec![(dependent.to_owned(), name.to_owned())],
        peers: vec![peer],
    }
}

/// Returns the range of what is compatible with the version of an entry.
fn found_range(found: &LockPackage) -> Option<String> {
    found.version.as_ref().map(|version| format!("^{version}"))
}

/// Returns the change of an importer's requirement, where it helps.
fn change(
    requirements: &Requirements,
    importer: &LockPackage,
    (name, range): (&str, String),
    trial: &Trial<'_>,
) -> Option<Change> {
    let (section, _) = requirement_of(importer, name)?;
    let mut changed = requirements.clone();
    let importers = std::iter::once(&mut changed.root).chain(&mut changed.workspaces);
    for record in importers.filter(|record| record.path == importer.path) {
        let sections = [
            &mut record.dependencies,
            &mut record.dev_dependencies,
            &mut record.optional_dependencies,
            &mut record.peer_dependencies,
        ];
        let own = sections.into_iter().flatten().filter(|(known, _)| known == name);
        own.for_each(|(_, written)| written.clone_from(&range));
    }
    let unmet = trial(&changed, &[name.to_owned()])?;
    let is_exact = matches!(Spec::parse(&range), Ok(Spec::Version(_)));
    Some(Change {
        importer: importer.path.clone(),
        requirements: vec![Wanted { name: name.to_owned(), range, section, is_exact }],
        further: Vec::new(),
        is_offer: false,
        caution: None,
        unmet,
    })
}

//! Solves the peer conflicts of a resolution and resolves again with the versions that were found;
//! explains those that stay.

use std::cell::{Cell, OnceCell};
use std::rc::Rc;

use dx_pkg_core::Version;
use dx_pkg_lock::{Lock, LockPackage};

use super::alterations::Alterations;
use super::between::between;
use super::helpful::Search;
use super::input::Input;
use super::joint::{Reach, Users, jointly};
use super::offer::{offer, offer_all, offer_jointly, peers};
use super::packages::{Loaded, Source, keep_first};
use super::search::{Part, search};
use super::taken::{Rejected, install, install_jointly, is_accepted, is_refused};
use super::told::{Contradiction, given_up};
use crate::explanation::{Explanation, Finding, MOST_CHANGES, Party, Statement};
use crate::peers::Conflict;
use crate::pick::Picker;
use crate::{Options, Provider, Requirements, Resolution, ResolveError};

/// The most times that the conflicts of a solution are added to the problem, or a version is left
/// out with which the solution cannot be installed.
const MOST_ROUNDS: usize = 12;
/// The most explanations of one resolution.
const MOST_EXPLANATIONS: usize = 5;
/// The most packages that are placed to try changes, in all explanations of one resolution. It is a
/// count, so that what is told does not depend on the machine.
const MOST_TRIED: usize = 40_000;

/// The outcome of a search for versions that agree.
#[derive(Default)]
pub(crate) struct Remedy {
    /// A resolution without the conflicts, or with fewer; `None` where none may be taken without
    /// asking, or where the versions that were found cannot be installed.
    pub(crate) solved: Option<Resolution>,
    /// The conflicts that stay.
    pub(crate) explanations: Vec<Explanation>,
}

/// Looks for versions without the conflicts of `refused`, and explains those that stay.
pub(crate) fn remedy(refused: &Resolution, input: Input<'_>) -> Remedy {
    remedied(refused, input, Aim::Explained, Loaded::default())
}

/// What a search is made for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Aim<'a> {
    /// A solution, and explanations of what has none.
    Explained,
    /// A solution alone; that of the importer with this path where there is one.
    Solved(Option<&'a str>),
}

fn remedied(refused: &Resolution, input: Input<'_>, aim: Aim<'_>, loaded: Loaded) -> Remedy {
    let picker = Picker::new(input.options.pick.clone());
    let alterations = Alterations::new(input.requirements);
    let tree = refused.lock.index();
    let before = input.previous.map(Lock::index);
    let importers: Vec<&LockPackage> = input.importers().collect();
    let mut more: Vec<Vec<String>> = importers.iter().map(|one| displaced(refused, one)).collect();
    let mut banned: Vec<(String, Version)> = Vec::new();
    let mut parts: Vec<Rc<Part>> = Vec::new();
    let mut unbanned: Vec<Rc<Part>> = Vec::new();
    let is_meant = |importer: &LockPackage| match aim {
        Aim::Solved(Some(path)) => importer.path == path,
        Aim::Solved(None) | Aim::Explained => true,
    };
    // Those of importers whose problem was changed are searched again.
    let mut is_stale = vec![true; importers.len()];
    let is_alone = importers.len() == 1 || matches!(aim, Aim::Solved(Some(_)));
    let mut joint: Option<Joint> = None;
    let fresh: OnceCell<Option<Resolution>> = OnceCell::new();
    let mut improved: Option<Resolution> = None;
    for round in 1.. {
        let unlocked = fresh.get().and_then(Option::as_ref).map(|fresh| fresh.lock.index());
        let sources: Vec<Source<'_>> = importers
            .iter()
            .zip(&more)
            .map(|(importer, more)| Source {
                importer,
                tree: &tree,
                previous: before.as_ref(),
                unlocked: unlocked.as_ref(),
                provider: input.provider,
                picker: &picker,
                alterations: &alterations,
                more,
                loaded: &loaded,
            })
            .collect();
        let part = |(at, source): (usize, &Source<'_>)| match parts.get(at) {
            Some(part) if !is_stale[at] => Rc::clone(part),
            _ if is_meant(source.importer) => Rc::new(search(source, &banned)),
            _ => Rc::default(),
        };
        parts = sources.iter().enumerate().map(part).collect();
        if parts.iter().any(|part| part.is_incomplete) {
            break;
        }
        // What npm would choose without the lockfile is no reason to ask.
        if fresh.get().is_none()
            && parts.iter().any(|part| part.offer.is_some())
            && fresh.get_or_init(|| without_lock(input)).is_some()
        {
            is_stale = parts.iter().map(|part| part.offer.is_some()).collect();
            continue;
        }
        let installed = install(&parts, &sources, refused, input);
        if let Err(rejected) = &installed {
            let found = rejected.resolution.as_ref().filter(|_| rejected.is_improvement);
            improved = improved.or_else(|| found.cloned());
        }
        if let Err(rejected) = &installed
            && round < MOST_ROUNDS
        {
            // The conflicts of what was found are added to the problem.
            let extended = extended(&more, &unmet_in(rejected, &sources));
            let ban = rejected.culprit.clone().filter(|one| !banned.contains(one));
            if extended != more {
                is_stale = extended.iter().zip(&more).map(|(new, old)| new != old).collect();
                more = extended;
                continue;
            }
            if !is_alone && joint.is_none() {
                let found = together((&parts, &unbanned), &sources, refused, input);
                if let Joint::Solved(solved) = found {
                    return Remedy { solved: Some(*solved), explanations: Vec::new() };
                }
                joint = Some(found);
            }
            if let Some(ban) = ban {
                is_stale = parts.iter().map(|part| part.has(&ban.0)).collect();
                banned.push(ban);
                if unbanned.is_empty() {
                    unbanned.clone_from(&parts);
                }
                continue;
            }
        }
        let found = (installed.unwrap_or(None), improved, joint);
        return concluded((&parts, &unbanned), &sources, found, refused, input, (aim, is_alone));
    }
    Remedy::default()
}

/// Returns the remedy after the last round: what each importer's own solution led to, or all
/// together, or fewer conflicts, and explanations of what has no solution.
fn concluded(
    (parts, unbanned): (&[Rc<Part>], &[Rc<Part>]),
    sources: &[Source<'_>],
    (solved, improved, joint): (Option<Resolution>, Option<Resolution>, Option<Joint>),
    refused: &Resolution,
    input: Input<'_>,
    (aim, is_alone): (Aim<'_>, bool),
) -> Remedy {
    let is_whole = solved.is_some() && parts.iter().all(|part| part.is_settled());
    let joint = match joint {
        Some(joint) => joint,
        None if is_whole || is_alone => Joint::None,
        None => together((parts, unbanned), sources, refused, input),
    };
    let joint = match joint {
        Joint::Solved(solved) => {
            return Remedy { solved: Some(*solved), explanations: Vec::new() };
        }
        Joint::Offered(parts) => parts,
        Joint::None => Vec::new(),
    };
    let solved = solved.or(improved);
    let parts = true_parts(parts, unbanned);
    let outcome = (refused, solved.as_ref());
    let explanations = match aim {
        Aim::Explained => explained((&parts, &joint), sources, outcome, input),
        Aim::Solved(_) => Vec::new(),
    };
    with_verdict(Remedy { solved, explanations }, refused, input)
}

/// The outcome of a search for all importers together.
enum Joint {
    None,
    /// A resolution without conflicts.
    Solved(Box<Resolution>),
    /// Versions that agree, about which the project is asked.
    Offered(Vec<Vec<Rc<Part>>>),
}

/// Looks for versions on which all importers agree.
fn together(
    (parts, others): (&[Rc<Part>], &[Rc<Part>]),
    sources: &[Source<'_>],
    refused: &Resolution,
    input: Input<'_>,
) -> Joint {
    let mut names: Vec<String> = parts.iter().chain(others).flat_map(|part| part.names()).collect();
    let conflicts = refused.conflicts.iter().map(pair_of);
    names.extend(conflicts.flat_map(|(dependent, peer)| [dependent, peer]));
    keep_first(&mut names);
    let mut offered = Vec::new();
    let wide = (Users::All, Reach::Everywhere);
    for range in [(Users::Direct, Reach::Everywhere), (Users::Direct, Reach::Beside), wide] {
        if range == wide && !offered.is_empty() {
            break;
        }
        let Some(found) = jointly(&names, sources, range) else { continue };
        if found.iter().all(|part| part.offer.is_none())
            && let Some(solved) = install_jointly(&found, sources, refused, input)
        {
            return Joint::Solved(Box::new(solved));
        }
        // npm's rules do not come to these versions by themselves; other requirements may.
        offered.push(found.iter().map(|part| Rc::new(part.as_offer())).collect());
    }
    if offered.is_empty() { Joint::None } else { Joint::Offered(offered) }
}

/// Returns the parts as far as they tell of conflicts: what was left out to find another solution
/// is no reason for one. `unbanned` are those before anything was.
fn true_parts(parts: &[Rc<Part>], unbanned: &[Rc<Part>]) -> Vec<Rc<Part>> {
    let true_part = |(at, part): (usize, &Rc<Part>)| match unbanned.get(at) {
        Some(whole) if !whole.is_settled() => Rc::clone(whole),
        Some(_) if !part.contradictions.is_empty() => Rc::new(part.without_contradictions()),
        _ => Rc::clone(part),
    };
    parts.iter().enumerate().map(true_part).collect()
}

/// Returns what npm makes of the project without its lockfile.
fn without_lock(input: Input<'_>) -> Option<Resolution> {
    input.previous?;
    let options = Options {
        update: Vec::new(),
        strict_peer_deps: false,
        frozen: false,
        ..input.options.clone()
    };
    Input { previous: None, options: &options, ..input }.resolve().ok()
}

/// Returns the packages of an importer at which npm stopped although no peer is unmet in the end.
fn displaced(refused: &Resolution, importer: &LockPackage) -> Vec<String> {
    if !refused.conflicts.is_empty() {
        return Vec::new();
    }
    let sections =
        [&importer.dependencies, &importer.dev_dependencies, &importer.optional_dependencies];
    let is_own = |name: &String| sections.into_iter().flatten().any(|(own, _)| own == name);
    let names = refused.moves.iter().map(|step| step.name.clone());
    names.filter(is_own).collect()
}

/// Returns each importer's pairs of dependent and peer that a rejected solution leaves unmet.
fn unmet_in(rejected: &Rejected, sources: &[Source<'_>]) -> Vec<Vec<(String, String)>> {
    let Some(resolution) = &rejected.resolution else { return Vec::new() };
    let tree = resolution.lock.index();
    let after = sources.iter().map(|source| Source { tree: &tree, ..*source });
    after.map(|source| source.unmet_pairs()).collect()
}

/// Returns the names of each importer's problem, with those of further conflicts.
fn extended(more: &[Vec<String>], found: &[Vec<(String, String)>]) -> Vec<Vec<String>> {
    let mut extended = more.to_vec();
    for (more, pairs) in extended.iter_mut().zip(found) {
        more.extend(pairs.iter().flat_map(|(of, peer)| [of.clone(), peer.clone()]));
        keep_first(more);
    }
    extended
}

/// Adds to the explanations whether npm refuses the lockfile.
fn with_verdict(mut remedy: Remedy, refused: &Resolution, input: Input<'_>) -> Remedy {
    if !remedy.explanations.is_empty() {
        let is_refused = is_refused(remedy.solved.as_ref().unwrap_or(refused), input);
        for explanation in &mut remedy.explanations {
            // npm ci lets an optional peer pass.
            let mut needs = explanation.facts.iter().filter_map(|fact| fact.needs.as_ref());
            let is_optional = needs.next().is_some_and(|need| need.is_optional)
                && needs.all(|need| need.is_optional);
            explanation.is_refused_by_npm = is_refused && !is_optional;
        }
    }
    remedy
}

/// Returns the explanations of the conflicts that stay.
fn explained(
    (parts, joint): (&[Rc<Part>], &[Vec<Rc<Part>>]),
    sources: &[Source<'_>],
    (refused, solved): (&Resolution, Option<&Resolution>),
    input: Input<'_>,
) -> Vec<Explanation> {
    // A command would start from what is installed now.
    let after = Input { previous: Some(&solved.unwrap_or(refused).lock), ..input };
    let is_solved = solved.is_some();
    let clusters: Vec<Vec<Vec<&Contradiction>>> =
        parts.iter().map(|part| clusters(&part.contradictions)).collect();
    let is_sole = clusters.iter().map(Vec::len).sum::<usize>() == 1;
    let mut explanations = Vec::new();
    let left = Cell::new(MOST_TRIED);
    for ((part, source), clusters) in parts.iter().zip(sources).zip(&clusters) {
        let room = MOST_EXPLANATIONS.saturating_sub(explanations.len());
        if room == 0 {
            break;
        }
        if let Some(packages) = part.given_up {
            explanations.push(given_up(&source.importer.path, Statement::TooHard { packages }));
        }
        let mut own = Vec::new();
        for (position, cluster) in clusters.iter().enumerate().take(room) {
            let rest = clusters.iter().enumerate().filter(|(other, _)| *other != position);
            let others: Vec<(String, String)> =
                rest.flat_map(|(_, cluster)| cluster).flat_map(|one| one.named_pairs()).collect();
            let mut pairs: Vec<(String, String)> =
                cluster.iter().flat_map(|one| one.named_pairs()).collect();
            keep_first(&mut pairs);
            let trial = |requirements: &Requirements, renewed: &[String]| {
                let (tried, ended) = (Input { requirements, ..after }, (pairs.as_slice(), is_sole));
                spend(&left, refused, input.provider)?;
                ends(refused, (tried, source.loaded), (Some(&source.importer.path), renewed), ended)
            };
            let search = Search {
                source,
                requirements: input.requirements,
                contradictions: cluster,
                others: &others,
                trial: &trial,
            };
            let Some(first) = cluster.first() else { continue };
            let mut explanation = first.explained(source, &input.options.explicit);
            let offer = offer(part, &search, &pairs);
            if offer.is_some() {
                explanation.finding = Finding::Offered;
            }
            explanation.changes = offer.into_iter().chain(search.changes()).collect();
            explanation.changes.truncate(MOST_CHANGES);
            explanation.likewise = likewise(cluster, source);
            explanation.exception = search.exception();
            explanation.peers = peers(source, &pairs);
            explanation.pairs = pairs;
            own.push(explanation);
        }
        let is_sole = parts.iter().all(|other| Rc::ptr_eq(other, part) || other.is_settled());
        let pairs = source.unmet_pairs();
        let trial = |requirements: &Requirements, renewed: &[String]| {
            let (tried, ended) = (Input { requirements, ..after }, (pairs.as_slice(), is_sole));
            spend(&left, refused, input.provider)?;
            ends(refused, (tried, source.loaded), (Some(&source.importer.path), renewed), ended)
        };
        if !part.is_settled() || !is_solved {
            offer_all(part, source, input.requirements, &trial, &mut own);
        }
        explanations.append(&mut own);
    }
    let Some(first) = sources.first() else { return explanations };
    for joint in joint {
        let mut pairs: Vec<_> = sources.iter().flat_map(|source| source.unmet_pairs()).collect();
        keep_first(&mut pairs);
        let trial = |requirements: &Requirements, renewed: &[String]| {
            spend(&left, refused, input.provider)?;
            let tried = Input { requirements, ..after };
            ends(refused, (tried, first.loaded), (None, renewed), (&pairs, true))
        };
        offer_jointly(joint, sources, input.requirements, &trial, &mut explanations);
    }
    let left_over = solved.unwrap_or(refused);
    if explanations.is_empty() && !left_over.conflicts.is_empty() {
        let pairs: Vec<_> = left_over.conflicts.iter().map(pair_of).collect();
        let trial = |requirements: &Requirements, renewed: &[String]| {
            spend(&left, refused, input.provider)?;
            let tried = Input { requirements, ..after };
            ends(refused, (tried, first.loaded), (None, renewed), (&pairs, true))
        };
        explanations = between(sources, left_over, input.requirements, &trial);
    }
    explanations.truncate(MOST_EXPLANATIONS);
    explanations
}

/// Returns a pair of dependent and peer for each dependent that the first contradiction does not
/// name.
fn likewise(cluster: &[&Contradiction], source: &Source<'_>) -> Vec<(Party, Party)> {
    let dependents = |one: &Contradiction| one.named_pairs().into_iter().map(|(of, _)| of);
    let mut named: Vec<String> = cluster.iter().take(1).flat_map(|one| dependents(one)).collect();
    let mut found = Vec::new();
    for (dependent, peer) in cluster.iter().skip(1).filter_map(|one| one.likewise(source)) {
        if !named.contains(&dependent.name) {
            named.push(dependent.name.clone());
            found.push((dependent, peer));
        }
    }
    found
}

/// Takes a trial's share of what explanations may try; `None` where none is left, or wanted.
fn spend(left: &Cell<usize>, refused: &Resolution, provider: &dyn Provider) -> Option<()> {
    let rest = left.get().checked_sub(refused.lock.packages.len());
    left.set(rest.unwrap_or(0));
    rest.filter(|_| !provider.is_cancelled()).map(|_| ())
}

/// Returns the contradictions that have packages in common, together.
fn clusters(contradictions: &[Contradiction]) -> Vec<Vec<&Contradiction>> {
    let mut clusters: Vec<(Vec<String>, Vec<&Contradiction>)> = Vec::new();
    for contradiction in contradictions {
        let pairs = contradiction.named_pairs().into_iter();
        let mut names: Vec<String> = pairs.flat_map(|(of, peer)| [of, peer]).collect();
        let mut joined = Vec::new();
        clusters.retain_mut(|(known, members)| {
            let is_joined = known.iter().any(|name| names.contains(name));
            if is_joined {
                names.append(known);
                joined.append(members);
            }
            !is_joined
        });
        joined.push(contradiction);
        clusters.push((names, joined));
    }
    clusters.into_iter().map(|(_, members)| members).collect()
}

/// Returns the names of the dependent and the peer of a conflict.
fn pair_of(conflict: &Conflict) -> (String, String) {
    let (name, _) = conflict.dependent.rsplit_once('@').unwrap_or((&conflict.dependent, ""));
    (name.to_owned(), conflict.name.clone())
}

/// Returns the number of peer requirements that stay unmet if the conflicts about `pairs` end with
/// other requirements, and no other begins; where it is the sole conflict, if npm then accepts the
/// tree. What other explanations tell of is not counted. `renewed` are the names whose requirement
/// by the importer with this path is new.
fn ends(
    refused: &Resolution,
    (input, loaded): (Input<'_>, &Loaded),
    (path, renewed): (Option<&str>, &[String]),
    (pairs, is_sole): (&[(String, String)], bool),
) -> Option<usize> {
    let is_strict = input.options.strict_peer_deps;
    let mut options = Options { strict_peer_deps: false, frozen: false, ..input.options.clone() };
    options.update.extend_from_slice(renewed);
    let input = Input { options: &options, ..input };
    let first = match input.resolve() {
        // Solved from the tree without peers, as a resolution of its own would be.
        Err(ResolveError::Endless { .. }) if !is_strict => {
            let legacy = Options { legacy_peer_deps: true, ..options.clone() };
            let plain = Input { options: &legacy, ..input }.resolve();
            plain.ok().and_then(|plain| {
                let loaded = loaded.for_others();
                remedied(&plain, input, Aim::Solved(None), loaded).solved
            })
        }
        first => first.ok(),
    };
    let mut resolution = first?;
    // What is new concerns one importer, unless it is an override.
    let aim = Aim::Solved(path.filter(|_| !renewed.is_empty()));
    if resolution.refused_by_npm
        && let Some(solved) = remedied(&resolution, input, aim, loaded.for_others()).solved
    {
        resolution = solved;
    }
    let known: Vec<(String, String)> = refused.conflicts.iter().map(pair_of).collect();
    let mut left = resolution.conflicts.iter().map(pair_of);
    if is_sole {
        // What npm accepts besides is no conflict of the project's own.
        let ends = is_accepted(&resolution, input) && left.all(|pair| !pairs.contains(&pair));
        return ends.then_some(resolution.conflicts.len());
    }
    left.all(|pair| known.contains(&pair) && !pairs.contains(&pair)).then_some(0)
}

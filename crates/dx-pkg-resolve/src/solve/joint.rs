//! The problems of several importers, solved together.
//!
//! Importers share copies: what lies in the project's `node_modules` is found by all that have none
//! of their own, and the peers of a workspace are never below it. An importer's best versions can
//! therefore move what another one uses. Here a package is one version for all importers that use
//! it, as long as that contradicts nothing; then it is one for each, but for those that share it in
//! any case: the project, and the workspaces that have it as a peer.

use std::collections::BTreeSet;
use std::rc::Rc;

use dx_pkg_core::Version;
use rustc_hash::FxHashSet;

use super::alterations::Asked;
use super::consent::{Asking, asking, is_excluded};
use super::encode::Fact;
use super::gather::{Gathered, gather};
use super::order::{Outcome, Solution, solve};
use super::packages::{Known, Source, keep_first};
use super::search::Part;

/// The most questions; each splits a package, or leaves out what the project is asked about.
const MOST_STEPS: usize = 40;
/// The most packages of all importers together.
const MOST_PACKAGES: usize = 600;

/// The importers of a joint solution.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Users {
    /// Those that require a package of the problems themselves.
    Direct,
    /// Those of whose dependencies one is a peer, too.
    All,
}

/// Which copies the peers of a package have to suit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Reach {
    /// Those of each importer that uses the package.
    Everywhere,
    /// Those that lie beside it. That is all that npm looks at; what a workspace requires itself
    /// counts besides.
    Beside,
}

/// The part of an importer in a joint solution.
struct Member {
    /// The position of its source.
    source: usize,
    gathered: Gathered,
    /// For each of its packages, whether the importer can use it.
    uses: Vec<bool>,
}

/// Packages that are one version: pairs of member and position.
type Copies = Vec<(usize, usize)>;

/// Returns, for the problems of these packages, a part for each source: with versions on which all
/// importers agree, or with such that the project is to be asked about; `None` where there are
/// none.
pub(super) fn jointly(
    names: &[String],
    sources: &[Source<'_>],
    (users, reach): (Users, Reach),
) -> Option<Vec<Rc<Part>>> {
    let mut members = members(names, sources, users)?;
    let mut groups = together(&members, sources);
    let mut offer: Option<Vec<Rc<Part>>> = None;
    for _ in 0..MOST_STEPS {
        let whole = merged((&members, &groups, sources), reach);
        let chosen = match solve(&whole.problem) {
            Outcome::GivenUp => return offer,
            Outcome::Contradiction(core) => {
                match split(&mut groups, &core, &whole, &members, sources) {
                    true => continue,
                    false => return offer,
                }
            }
            Outcome::Solved(solution) => solution,
        };
        let own: Vec<Solution> = members
            .iter()
            .enumerate()
            .map(|(at, one)| own(at, one, &groups, &whole, &chosen))
            .collect();
        let mut asked: Vec<Asking> =
            members.iter().zip(&own).map(|(member, own)| asking(&member.gathered, own)).collect();
        // A copy can be an escape beside one that another importer uses.
        let escapes = asking(&whole, &chosen).escapes;
        for (of, at) in escapes.iter().flat_map(|group| groups[*group].iter().copied()) {
            if !asked[of].escapes.contains(&at) && own[of].chosen[at].is_some() {
                asked[of].escapes.push(at);
            }
        }
        let is_free = asked.iter().all(Asking::is_empty);
        if is_free || offer.is_none() {
            let found = parts_of(&members, &own, asked.clone(), sources.len());
            if is_free {
                return Some(found);
            }
            offer = Some(found);
        }
        for ((member, own), asked) in members.iter_mut().zip(&own).zip(&asked) {
            let gathered = &member.gathered;
            member.gathered = gathered.without(|package, at| {
                let is_asked = asked.escapes.contains(&package) && own.chosen[package] == Some(at);
                is_asked || is_excluded(gathered, (own, asked), package, at)
            });
        }
    }
    offer
}

/// Returns the importers that can use what the problems are about; `None` where fewer than two do,
/// or where there is too much of it.
fn members(names: &[String], sources: &[Source<'_>], users: Users) -> Option<Vec<Member>> {
    let mut names = names.to_vec();
    keep_first(&mut names);
    loop {
        let known = names.len();
        let mut members = Vec::new();
        let mut total = 0;
        for (at, source) in sources.iter().enumerate() {
            let is_user =
                source.requires_any(&names) || users == Users::All && source.visits_any(&names);
            if !is_user {
                continue;
            }
            let source = Source { more: &names, ..*source };
            let gathered = gather(&source, &[]).ok()??;
            total += gathered.known.len();
            if total > MOST_PACKAGES || gathered.known.iter().any(|known| known.is_unreachable) {
                return None;
            }
            let uses = used(&gathered);
            members.push(Member { source: at, gathered, uses });
        }
        let mut more = names.clone();
        for member in &members {
            more.extend(member.gathered.known.iter().map(|known| known.name.clone()));
        }
        keep_first(&mut more);
        if more.len() == known {
            return Some(members).filter(|members| members.len() > 1);
        }
        names = more;
    }
}

/// Returns which packages an importer can use: what it requires, and the peers of their versions.
fn used(gathered: &Gathered) -> Vec<bool> {
    let problem = &gathered.problem;
    let mut uses: Vec<bool> = gathered.known.iter().map(|known| known.direct.is_some()).collect();
    let mut waiting: Vec<usize> = (0..uses.len()).filter(|at| uses[*at]).collect();
    while let Some(at) = waiting.pop() {
        let peers = problem.packages[at].candidates.iter().flat_map(|candidate| &candidate.peers);
        for peer in peers.filter(|peer| !peer.is_optional) {
            let to = problem.ranges[peer.range].package;
            if !uses[to] {
                uses[to] = true;
                waiting.push(to);
            }
        }
    }
    uses
}

/// Returns the packages by name: one version for all importers.
fn together(members: &[Member], sources: &[Source<'_>]) -> Vec<Copies> {
    let mut groups: Vec<(String, Copies)> = Vec::new();
    for (of, member) in members.iter().enumerate() {
        for (at, known) in member.gathered.known.iter().enumerate() {
            if !member.uses[at] {
                continue;
            }
            match groups.iter_mut().find(|(name, _)| *name == known.name) {
                Some((_, copies)) => copies.push((of, at)),
                None => groups.push((known.name.clone(), vec![(of, at)])),
            }
        }
    }
    // What is no package of a registry, or another one by the same name, is one for each importer.
    let is_local = |copies: &Copies| {
        let first = &known(members, copies[0]).registry_name;
        let mut all = copies.iter().map(|copy| known(members, *copy));
        all.any(|known| !known.is_of_registry || known.registry_name != *first)
    };
    groups
        .into_iter()
        .flat_map(|(_, copies)| match is_local(&copies) {
            true => apart(&copies, members, sources),
            false => vec![copies],
        })
        .collect()
}

/// Splits a package: those importers that find the project's copy in any case keep one.
fn apart(copies: &Copies, members: &[Member], sources: &[Source<'_>]) -> Vec<Copies> {
    let is_shared = |copy: &(usize, usize)| is_of_project(*copy, members, sources);
    let (shared, own): (Copies, Copies) = copies.iter().copied().partition(is_shared);
    let own = own.into_iter().map(|copy| vec![copy]);
    std::iter::once(shared).filter(|shared| !shared.is_empty()).chain(own).collect()
}

/// Returns whether an importer finds the project's copy in any case.
fn is_of_project((of, at): (usize, usize), members: &[Member], sources: &[Source<'_>]) -> bool {
    let importer = sources[members[of].source].importer;
    let name = &members[of].gathered.known[at].name;
    importer.path.is_empty() || importer.peer_dependencies.iter().any(|(peer, _)| peer == name)
}

fn known(members: &[Member], (of, at): (usize, usize)) -> &Known {
    &members[of].gathered.known[at]
}

/// Returns the problem in which each group is one package, named by its position.
fn merged(
    (members, groups, sources): (&[Member], &[Copies], &[Source<'_>]),
    reach: Reach,
) -> Gathered {
    let label = |at: usize| format!("{}\0{at}", known(members, groups[at][0]).name);
    let package = |(position, copies): (usize, &Copies)| {
        let first = copies.iter().find(|copy| known(members, **copy).direct.is_some());
        let mut package = known(members, *first.unwrap_or(&copies[0])).clone();
        let is_everywhere = |version: &Version| {
            copies.iter().all(|copy| {
                let own = known(members, *copy);
                own.candidates[..own.in_range].iter().any(|(one, _)| one == version)
            })
        };
        let kept: Vec<bool> = (0..package.candidates.len())
            .map(|at| at < package.in_range && is_everywhere(package.version(at)))
            .collect();
        package.retain(|at| kept[at]);
        for (_, asked) in &mut package.candidates {
            *asked = asked
                .iter()
                .flat_map(|asked| {
                    let found = found(asked, copies, (members, groups, sources), reach);
                    found.into_iter().map(|(at, unless)| {
                        let unless = unless.map(label);
                        Asked { name: label(at), unless, ..asked.clone() }
                    })
                })
                .collect();
        }
        package.name = label(position);
        package
    };
    let suits = members.iter().find_map(|member| member.gathered.suits());
    Gathered::of(groups.iter().enumerate().map(package).collect(), suits)
}

/// Returns the groups of a peer that copies of its dependent are to suit, each with the group that
/// is found instead where it is there: a workspace finds the project's copy where it has none.
fn found(
    asked: &Asked,
    copies: &Copies,
    (members, groups, sources): (&[Member], &[Copies], &[Source<'_>]),
    reach: Reach,
) -> BTreeSet<(usize, Option<usize>)> {
    let is_meant = |(of, at): (usize, usize)| known(members, (of, at)).name == asked.name;
    let all = || groups.iter().enumerate().filter(|(_, group)| is_meant(group[0]));
    let of = |member: usize| {
        let own = |group: &Copies| group.iter().any(|(of, _)| *of == member);
        all().find(|(_, group)| own(group)).map(|(at, _)| at)
    };
    let is_project = |member: usize| members[member].source == 0;
    let of_project = (0..members.len()).find(|member| is_project(*member)).and_then(of);
    // A workspace's peer lies beside the project's packages.
    let is_beside = copies.iter().any(|copy| is_of_project(*copy, members, sources));
    let users = copies.iter().map(|(member, _)| *member);
    let alone = |at: usize| (at, None);
    // Where an optional peer is not there, that of the project is found.
    let behind = |own: usize| {
        let project = of_project.filter(|project| asked.is_optional && *project != own);
        project.map(|project| (project, Some(own)))
    };
    match reach {
        Reach::Everywhere => {
            let own: BTreeSet<usize> = users.clone().filter_map(of).collect();
            let mut found: BTreeSet<_> = own.iter().copied().map(alone).collect();
            if asked.is_optional && (is_beside || users.clone().any(|user| of(user).is_none())) {
                // What others use can lie there.
                let others = || all().map(|(at, _)| alone(at)).collect();
                let project = of_project.map(|own| BTreeSet::from([alone(own)]));
                found.append(&mut project.unwrap_or_else(others));
            } else {
                found.extend(own.into_iter().filter_map(behind));
            }
            found
        }
        Reach::Beside if is_beside => {
            let requires = |member: &usize| {
                let own = &members[*member].gathered.known;
                !asked.is_optional
                    && own.iter().any(|one| one.name == asked.name && one.direct.is_some())
            };
            users.filter(requires).filter_map(of).chain(of_project).map(alone).collect()
        }
        Reach::Beside => {
            let own: BTreeSet<usize> = users.filter_map(|user| of(user).or(of_project)).collect();
            own.iter().copied().map(alone).chain(own.iter().copied().filter_map(behind)).collect()
        }
    }
}

/// Splits one of the packages of a contradiction; returns whether there is one.
fn split(
    groups: &mut Vec<Copies>,
    core: &[Fact],
    whole: &Gathered,
    members: &[Member],
    sources: &[Source<'_>],
) -> bool {
    let positions = core.iter().flat_map(|fact| match fact {
        Fact::Required(at) => vec![*at],
        Fact::Peer { dependent, peer } => {
            vec![whole.problem.ranges[peer.range].package, *dependent]
        }
    });
    let mut positions: Vec<usize> = positions.collect();
    keep_first(&mut positions);
    let required = |at: &usize| {
        let own = groups[*at].iter().filter(|copy| known(members, **copy).direct.is_some());
        own.count()
    };
    // First what importers require in different ranges.
    positions.sort_by_key(|at| (!whole.known[*at].candidates.is_empty(), required(at) < 2));
    for at in positions {
        let parts = apart(&groups[at], members, sources);
        if parts.len() > 1 {
            groups.splice(at..=at, parts);
            return true;
        }
    }
    false
}

/// Returns a member's own part of a joint solution.
fn own(
    of: usize,
    member: &Member,
    groups: &[Copies],
    whole: &Gathered,
    joint: &Solution,
) -> Solution {
    let choice = |at: usize| {
        let group = groups.iter().position(|copies| copies.contains(&(of, at)))?;
        let chosen = joint.chosen[group]?;
        let version = whole.known[group].version(chosen);
        let rules = whole.known[group].rules.get(chosen);
        let own = &member.gathered.known[at];
        let mut alike =
            (0..own.candidates.len()).filter(|candidate| own.version(*candidate) == version);
        alike.clone().find(|candidate| own.rules.get(*candidate) == rules).or(alike.next())
    };
    let chosen: Vec<Option<usize>> = (0..member.gathered.known.len()).map(choice).collect();
    let has_escapes = chosen.iter().enumerate().any(|(at, candidate)| {
        let problem = &member.gathered.problem;
        candidate.is_some_and(|candidate| problem.escaped((at, candidate), &chosen).is_some())
    });
    Solution { chosen, has_escapes }
}

/// Returns the members' solutions as parts of all importers.
fn parts_of(
    members: &[Member],
    own: &[Solution],
    asked: Vec<Asking>,
    importers: usize,
) -> Vec<Rc<Part>> {
    let is_free = asked.iter().all(Asking::is_empty);
    let mut parts: Vec<Rc<Part>> = (0..importers).map(|_| Rc::default()).collect();
    for ((member, own), asked) in members.iter().zip(own).zip(asked) {
        let (gathered, own) = (member.gathered.clone(), own.clone());
        parts[member.source] = Rc::new(match is_free {
            true => Part { solution: Some((gathered, own)), ..Part::default() },
            false => Part { offer: Some((gathered, own, asked)), ..Part::default() },
        });
    }
    parts
}

impl Part {
    /// Returns the same with its solution as one that the project is asked about.
    pub(super) fn as_offer(&self) -> Part {
        let solved = self.solution.clone();
        let solved = solved.map(|(gathered, solution)| (gathered, solution, Asking::default()));
        Part { offer: self.offer.clone().or(solved), ..Part::default() }
    }

    /// Returns the names of the packages of its problem.
    pub(super) fn names(&self) -> Vec<String> {
        let solved = self.solution.iter().map(|(gathered, _)| gathered);
        let offered = self.offer.iter().map(|(gathered, ..)| gathered);
        let others = self.contradictions.iter().map(|one| &one.gathered);
        let all = solved.chain(offered).chain(others).flat_map(|gathered| &gathered.known);
        let names: FxHashSet<&String> = all.map(|known| &known.name).collect();
        let mut names: Vec<String> = names.into_iter().cloned().collect();
        names.sort_unstable();
        names
    }
}

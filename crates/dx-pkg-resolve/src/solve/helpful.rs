//! The changes of requirements that would end a conflict, and the override that would.
//!
//! Changes are found by solving the same problem with more candidates: first of one package, then,
//! where that contradicts the requirement for another, of both. Each is tried before it is told.

use dx_pkg_core::{Range, Spec, Version};
use dx_pkg_lock::LockPackage;

use super::consent::{Asking, asking, is_excluded};
use super::encode::Grain;
use super::gather::{Gathered, gather};
use super::order::{Outcome, Solution, solve_with};
use super::packages::{Known, Source, keep_first};
use super::told::{Contradiction, required_in};
use crate::explanation::{Change, Exception, MOST_CHANGES, Section, Wanted};
use crate::{Override, Requirements};

/// The most sets of packages for which other versions are looked at.
const MOST_SEARCHES: usize = 12;
/// The most packages that change together.
const MOST_TOGETHER: usize = 8;

/// Tries requirements in a resolution; the names are those whose requirement is new. Where the
/// conflict has ended it returns the number of peer requirements that npm accepts unmet.
pub(super) type Trial<'t> = dyn Fn(&Requirements, &[String]) -> Option<usize> + 't;

/// A solution with more candidates, with the positions of what needs another requirement.
type Found = (Gathered, Solution, Vec<usize>);

/// The search for changes that end a conflict.
pub(super) struct Search<'s> {
    pub(super) source: &'s Source<'s>,
    pub(super) requirements: &'s Requirements,
    /// The contradictions that are to end.
    pub(super) contradictions: &'s [&'s Contradiction],
    /// The pairs of dependent and peer of other conflicts, which may stay.
    pub(super) others: &'s [(String, String)],
    pub(super) trial: &'s Trial<'s>,
}

impl Search<'_> {
    /// Returns the changes that end the conflict, nearest first: dependents move before their
    /// peers, few packages before many. Those after which a peer requirement is still unmet come
    /// last.
    pub(super) fn changes(&self) -> Vec<Change> {
        let pairs: Vec<(String, String)> =
            self.contradictions.iter().flat_map(|one| one.named_pairs()).collect();
        let is_target = |name: &String| {
            pairs.iter().any(|(_, peer)| peer == name) && !pairs.iter().any(|(of, _)| of == name)
        };
        let mut found = self.solutions(&is_target);
        let key = |(gathered, _, moved): &Found| {
            let has_target = moved.iter().any(|at| is_target(&gathered.known[*at].name));
            (has_target, moved.len())
        };
        found.sort_by_key(key);
        let changes = found
            .iter()
            .filter_map(|(gathered, solution, moved)| self.change(gathered, solution, moved, false))
            .take(MOST_CHANGES);
        let mut changes: Vec<Change> = changes.collect();
        changes.dedup();
        changes.sort_by_key(|change| change.unmet > 0);
        changes
    }

    /// Solves the problem with more candidates: of each package of the contradictions; of all that
    /// have a peer together, and of all peers; then of those that a further contradiction names.
    fn solutions(&self, is_target: &dyn Fn(&String) -> bool) -> Vec<Found> {
        let mut required: Vec<String> =
            self.contradictions.iter().flat_map(|one| one.required()).collect();
        keep_first(&mut required);
        required.sort_by_key(is_target);
        let (targets, mut dependents): (Vec<String>, Vec<String>) =
            required.iter().cloned().partition(is_target);
        dependents.sort_unstable();
        let mut waiting: Vec<Vec<String>> = required.into_iter().map(|name| vec![name]).collect();
        let mut further: Vec<Vec<String>> = Vec::new();
        for together in [dependents, targets] {
            if together.len() > 1 && together.len() <= MOST_TOGETHER {
                waiting.push(together);
            }
        }
        let mut found: Vec<Found> = Vec::new();
        // The packages that had to move, or could.
        let mut enough: Vec<Vec<String>> = Vec::new();
        let mut tried: Vec<Vec<String>> = Vec::new();
        while tried.len() < MOST_SEARCHES && found.len() < MOST_CHANGES {
            let mut next = waiting.iter().chain(&further);
            let Some(widened) = next.find(|set| !tried.contains(*set)).cloned() else { break };
            tried.push(widened.clone());
            let covers = |known: &Vec<String>| known.iter().all(|name| widened.contains(name));
            if enough.iter().any(covers) {
                continue;
            }
            let Ok(Some(gathered)) = gather(self.source, &widened) else { continue };
            let gathered = match self.others {
                [] => gathered,
                others => gathered.relaxed(others),
            };
            let (gathered, outcome) = without_escapes(gathered);
            match outcome {
                Outcome::Solved(solution) if !solution.has_escapes => {
                    let moved = changed(&gathered, &solution);
                    let names = names_at(&gathered, &moved);
                    if moved.is_empty() {
                        enough.push(widened);
                    } else if !enough.contains(&names) {
                        enough.push(names);
                        found.push((gathered, solution, moved));
                    }
                }
                Outcome::Contradiction(core) => {
                    let mut more = required_in(&core, &gathered);
                    more.retain(|name| !widened.contains(name));
                    let with = |names: &[String]| {
                        let mut all = [widened.as_slice(), names].concat();
                        all.sort_unstable();
                        all
                    };
                    further.extend(more.iter().map(|name| with(std::slice::from_ref(name))));
                    let others: Vec<String> =
                        more.into_iter().filter(|name| !is_target(name)).collect();
                    waiting.push(with(&others));
                    waiting.retain(|set| set.len() <= MOST_TOGETHER);
                }
                _ => {}
            }
        }
        found
    }

    /// Returns the change that asks for the versions of a solution at these positions.
    pub(super) fn change(
        &self,
        gathered: &Gathered,
        solution: &Solution,
        moved: &[usize],
        is_offer: bool,
    ) -> Option<Change> {
        if moved.is_empty() {
            return None;
        }
        let wanted = self.wanted(gathered, solution, moved);
        wanted.into_iter().find_map(|requirements| {
            let mut changed = self.requirements.clone();
            self.change_in(&mut changed, &requirements);
            let names: Vec<String> = requirements.iter().map(|one| one.name.clone()).collect();
            (self.trial)(&changed, &names).map(|unmet| Change {
                importer: self.source.importer.path.clone(),
                requirements,
                further: Vec::new(),
                is_offer,
                caution: is_offer.then(|| caution(gathered, solution, moved)).flatten(),
                unmet,
            })
        })
    }

    /// Returns the requirements that ask for the versions of a solution at these positions, the
    /// widest ones first.
    pub(super) fn wanted(
        &self,
        gathered: &Gathered,
        solution: &Solution,
        moved: &[usize],
    ) -> Vec<Vec<Wanted>> {
        let styles: Vec<Vec<(String, bool)>> =
            moved.iter().map(|at| styles(gathered, solution, *at, moved)).collect();
        let most = styles.iter().map(Vec::len).max().unwrap_or_default();
        let of_level = |level: usize| {
            let wanted = moved.iter().zip(&styles).map(|(at, styles)| {
                let (range, is_exact) = styles.get(level).or_else(|| styles.last())?.clone();
                let name = gathered.known[*at].name.clone();
                let section = section_of(self.source.importer, &name);
                let section = section.unwrap_or_else(|| self.new_section());
                Some(Wanted { name, range, section, is_exact })
            });
            wanted.collect()
        };
        (0..most).filter_map(of_level).collect()
    }

    /// Returns the section for a peer that gets a requirement.
    fn new_section(&self) -> Section {
        let importer = self.source.importer;
        if importer.dependencies.is_empty() { Section::Dev } else { Section::Prod }
    }

    /// Puts new requirements into the importer's manifest.
    pub(super) fn change_in(&self, changed: &mut Requirements, wanted: &[Wanted]) {
        let path = &self.source.importer.path;
        let importers = std::iter::once(&mut changed.root).chain(&mut changed.workspaces);
        for importer in importers.filter(|importer| importer.path == *path) {
            for one in wanted {
                let section = match one.section {
                    Section::Prod => &mut importer.dependencies,
                    Section::Dev => &mut importer.dev_dependencies,
                    Section::Optional => &mut importer.optional_dependencies,
                    Section::Peer => &mut importer.peer_dependencies,
                };
                match section.iter_mut().find(|(name, _)| *name == one.name) {
                    Some((_, spec)) => spec.clone_from(&one.range),
                    None => section.push((one.name.clone(), one.range.clone())),
                }
            }
        }
    }

    /// Returns the overrides that let the dependents accept the peers that are there, where that
    /// ends the conflict.
    pub(super) fn exception(&self) -> Vec<Exception> {
        let mut pairs: Vec<(String, String)> =
            self.contradictions.iter().flat_map(|one| one.named_pairs()).collect();
        keep_first(&mut pairs);
        if pairs.is_empty() || pairs.len() > 2 {
            return Vec::new();
        }
        let mut changed = self.requirements.clone();
        let mut exceptions = Vec::new();
        for (dependent, peer) in pairs {
            let value = self.value_for(&peer);
            let Some(value) = value else { return Vec::new() };
            let child =
                Override { key: peer.clone(), value: Some(value.clone()), children: Vec::new() };
            match changed.overrides.iter_mut().find(|rule| rule.key == dependent) {
                Some(rule) if rule.children.iter().any(|known| known.key == peer) => {
                    return Vec::new();
                }
                Some(rule) => rule.children.push(child),
                None => changed.overrides.push(Override {
                    key: dependent.clone(),
                    value: None,
                    children: vec![child],
                }),
            }
            exceptions.push(Exception { dependent, peer, value });
        }
        (self.trial)(&changed, &[]).map(|_| exceptions).unwrap_or_default()
    }

    /// Returns the value of an override for a peer: the project's own requirement, else that of the
    /// workspace, else the version that is there.
    fn value_for(&self, peer: &str) -> Option<String> {
        if section_of(&self.requirements.root, peer).is_some() {
            let is_own = self.source.importer.path.is_empty();
            if is_own {
                return Some(format!("${peer}"));
            }
        }
        let written = requirement_of(self.source.importer, peer).map(|(_, spec)| spec.to_owned());
        written.or_else(|| self.source.found(peer)?.version.clone())
    }
}

/// Solves a problem, without the candidates of packages that its solution would have as escapes.
fn without_escapes(gathered: Gathered) -> (Gathered, Outcome) {
    let outcome = solve_with(&gathered.problem, Grain::Pairs);
    let Outcome::Solved(solution) = &outcome else { return (gathered, outcome) };
    if !solution.has_escapes {
        return (gathered, outcome);
    }
    let escapes = Asking { escapes: asking(&gathered, solution).escapes, ..Asking::default() };
    let rest =
        gathered.without(|package, at| is_excluded(&gathered, (solution, &escapes), package, at));
    let outcome = solve_with(&rest.problem, Grain::Pairs);
    (rest, outcome)
}

/// Returns the direct dependencies of a solution that need another requirement.
fn changed(gathered: &Gathered, solution: &Solution) -> Vec<usize> {
    let is_outside = |at: &usize| {
        let package = &gathered.known[*at];
        package.direct.is_some()
            && solution.chosen[*at].is_some_and(|candidate| candidate >= package.in_range)
    };
    let mut moved: Vec<usize> = (0..gathered.known.len()).filter(is_outside).collect();
    if !moved.is_empty() {
        moved.extend(asking(gathered, solution).all());
        moved.sort_unstable();
        moved.dedup();
        moved.retain(|at| gathered.known[*at].direct.is_some());
        moved.sort_by(|a, b| gathered.known[*a].name.cmp(&gathered.known[*b].name));
    }
    moved
}

/// Returns the names of the packages at these positions, in ascending order.
fn names_at(gathered: &Gathered, positions: &[usize]) -> Vec<String> {
    let mut names: Vec<String> =
        positions.iter().map(|at| gathered.known[*at].name.clone()).collect();
    names.sort_unstable();
    names
}

/// Returns the section of a manifest that requires a package, and the requirement.
pub(super) fn requirement_of<'m>(
    importer: &'m LockPackage,
    name: &str,
) -> Option<(Section, &'m str)> {
    let sections = [
        (Section::Dev, &importer.dev_dependencies),
        (Section::Optional, &importer.optional_dependencies),
        (Section::Prod, &importer.dependencies),
        (Section::Peer, &importer.peer_dependencies),
    ];
    sections.into_iter().find_map(|(section, list)| {
        list.iter().find(|(known, _)| known == name).map(|(_, spec)| (section, spec.as_str()))
    })
}

fn section_of(importer: &LockPackage, name: &str) -> Option<Section> {
    requirement_of(importer, name).map(|(section, _)| section)
}

/// Returns the requirements that ask for the chosen version of a package, the widest first, each
/// with whether it is an exact version. A pinned requirement stays pinned. What is `moved` with the
/// package goes along with it within its range.
fn styles(
    gathered: &Gathered,
    solution: &Solution,
    at: usize,
    moved: &[usize],
) -> Vec<(String, bool)> {
    let package = &gathered.known[at];
    let Some(candidate) = solution.chosen[at] else { return Vec::new() };
    let version = package.version(candidate);
    let written = package.direct.as_ref().map(|direct| direct.written.as_str());
    let (start, range) = match written.filter(|written| written.starts_with("npm:")) {
        Some(written) => (format!("npm:{}@", package.registry_name), written.rsplit('@').next()),
        None => (String::new(), package.direct.as_ref().map(|direct| direct.spec.as_str())),
    };
    let range = range.unwrap_or_default();
    let exact = (format!("{start}{version}"), true);
    if package.is_exact() {
        return vec![exact];
    }
    let asked: Vec<&str> = asked_of(gathered, solution, &package.name, None);
    let last = u64::from(u32::MAX);
    let caret = match (version.major(), version.minor()) {
        (0, 0) => version.clone(),
        (0, minor) => Version::new(0, minor, last),
        (major, _) => Version::new(major, last, last),
    };
    let tilde = Version::new(version.major(), version.minor(), last);
    let is_lower =
        package.in_range > 0 && (0..package.in_range).all(|at| package.version(at) > version);
    let mut styles = Vec::new();
    for others in [asked_of(gathered, solution, &package.name, Some(moved)), asked.clone()] {
        let is_safe = |last: &Version| {
            let suits = |spec: &&str| Range::parse(spec).map_or(true, |own| own.satisfies(last));
            let newest = (0..package.candidates.len())
                .filter(|at| (version..=last).contains(&package.version(*at)))
                .max_by_key(|at| package.version(*at));
            others.iter().all(suits)
                && newest.is_none_or(|newest| is_fit(gathered, solution, (at, newest), moved))
        };
        if !range.starts_with('~') && is_safe(&caret) {
            let mut own = asked.iter().filter(|_| is_lower);
            let own = own.find_map(|spec| in_own_words(spec, version));
            let text = own.unwrap_or_else(|| format!("^{version}"));
            styles.push((format!("{start}{text}"), false));
        }
        if is_safe(&tilde) {
            styles.push((format!("{start}~{version}"), false));
        }
    }
    styles.push(exact);
    keep_first(&mut styles);
    styles
}

/// Returns whether a candidate accepts the direct dependencies of a solution that stay as they are.
fn is_fit(
    gathered: &Gathered,
    solution: &Solution,
    (at, candidate): (usize, usize),
    moved: &[usize],
) -> bool {
    let others = gathered.known.iter().zip(&solution.chosen).enumerate();
    let mut others =
        others.filter(|(other, (known, _))| known.direct.is_some() && !moved.contains(other));
    others.all(|(_, (known, choice))| {
        let asked = gathered.known[at].asked(candidate, &known.name);
        let pair = asked.zip(*choice);
        pair.is_none_or(|(asked, choice)| known.published.allowing(asked)(known.version(choice)))
    })
}

/// Returns what the chosen versions ask of a package, but for those of packages at `moved`, and of
/// others that are released with it: they go along with it.
fn asked_of<'g>(
    gathered: &'g Gathered,
    solution: &Solution,
    name: &str,
    moved: Option<&[usize]>,
) -> Vec<&'g str> {
    let chosen = gathered.known.iter().zip(&solution.chosen).enumerate();
    let asked = chosen.filter_map(|(at, (package, choice))| {
        let spec = package.asked((*choice)?, name)?.spec.as_str();
        let is_pinned = matches!(Spec::parse(spec), Ok(Spec::Version(_)));
        let own = package.version((*choice)?);
        let is_released_with = is_pinned && *spec == own.to_string() && !package.is_exact();
        let goes_along = |moved: &[usize]| moved.contains(&at) || is_released_with;
        (!moved.is_some_and(goes_along)).then_some(spec)
    });
    asked.collect()
}

/// Returns the alternative of a peer requirement that allows a version, where it is a caret with a
/// minor version: so the reader finds it in the fact.
fn in_own_words(spec: &str, version: &Version) -> Option<String> {
    spec.split("||").map(str::trim).find_map(|one| {
        let numbers: Vec<u64> =
            one.strip_prefix('^')?.split('.').map(str::parse).collect::<Result<_, _>>().ok()?;
        let is_meant = matches!(numbers.as_slice(), [_, minor, ..] if *minor > 0)
            && Range::parse(one).is_ok_and(|range| range.satisfies(version));
        let patch = numbers.get(2).copied().unwrap_or_default();
        is_meant.then(|| format!("^{}.{}.{patch}", numbers[0], numbers[1]))
    })
}

/// Returns what is to be known of a solution before it is taken; with the package's name, where it
/// is not the only one at `moved`.
pub(super) fn caution(gathered: &Gathered, solution: &Solution, moved: &[usize]) -> Option<String> {
    let asked = asking(gathered, solution);
    let escape = asked.escapes.first().and_then(|at| {
        let package = &gathered.known[*at];
        let candidate = solution.chosen[*at]?;
        let (peer, other) = gathered.problem.escaped((*at, candidate), &solution.chosen)?;
        let words = escape_in_words(package, candidate, &gathered.known[peer], other);
        Some(if moved == [*at] { words } else { format!("{} {words}", package.name) })
    });
    escape.or_else(|| {
        let at = *asked.other_major.first()?;
        let package = &gathered.known[at];
        let pick = package.version(package.pick.unwrap_or(0));
        let named = match moved == [at] {
            true => String::new(),
            false => format!("{} {} is ", package.name, package.version(solution.chosen[at]?)),
        };
        Some(format!(
            "{named}another major version than {pick}, which {} allows",
            package.direct.as_ref()?.written
        ))
    })
}

fn escape_in_words(package: &Known, candidate: usize, peer: &Known, other: usize) -> String {
    let version = package.version(candidate);
    let own = package
        .asked(candidate, &peer.name)
        .map(|asked| format!("it asks for {} {}", peer.name, asked.spec));
    let own = own.unwrap_or_else(|| format!("it says nothing of {}", peer.name));
    let newer = (0..candidate).find_map(|at| {
        let asked = package.asked(at, &peer.name)?;
        let restricts =
            package.version(at) > version && !peer.published.allowing(asked)(peer.version(other));
        restricts.then(|| {
            format!("; the newer {} restricts itself to {}", package.version(at), asked.spec)
        })
    });
    format!("{version} is accepted only because {own}{}", newer.unwrap_or_default())
}

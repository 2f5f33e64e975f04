//! Small generated projects of further shapes against brute force: workspaces, lockfiles, optional
//! peers, tags, prereleases, several conflicts at once. Where any choice of versions
//! within the project's ranges gives a tree that npm accepts, the solver takes or offers one, and
//! what it takes without asking stays within major versions and is no escape where that can be.
//!
//! In workspaces, which share copies, a few are not found.
//!
//! `RESOLVE_SHAPES=<first>-<last>` runs other projects than the default ones.

use std::collections::BTreeMap;

use dx_pkg_core::{Range, Version};
use dx_pkg_format::packument::Packument;
use dx_pkg_lock::{Lock, LockPackage};
use dx_pkg_resolve::peers::Finding;
use dx_pkg_resolve::{
    External, Options, Provider, ProviderError, Requirements, Resolution, resolve,
};

use crate::brute::Numbers;
use crate::world::{Package, World, package, project, tree, world};

const NAMES: [&str; 4] = ["a", "b", "c", "d"];
const VERSIONS: [&str; 4] = ["1.0.0", "1.1.0", "2.0.0", "3.0.0-rc.1"];
const PEERS: [&str; 9] = [
    "^1.0.0",
    "^2.0.0",
    "^1.0.0 || ^2.0.0",
    "~1.0.0",
    "1.1.0",
    "2.0.0",
    "*",
    ">=1.1.0",
    "^1.1.0 || ^3.0.0-rc",
];
const DIRECT: [&str; 8] =
    ["*", ">=1", "^1.0.0", "^2.0.0", "1.1.0", "^1.0.0 || ^2.0.0", "latest", "~1.0.0"];

/// A project with what it starts from.
struct Case {
    world: World,
    requirements: Requirements,
    previous: Option<Lock>,
}

fn importers(requirements: &Requirements) -> impl Iterator<Item = &LockPackage> {
    std::iter::once(&requirements.root).chain(&requirements.workspaces)
}

fn generated(seed: u64) -> Case {
    let mut numbers = Numbers::new(seed ^ 0x5f0e_1ab3);
    let mut packages = Vec::new();
    for (place, name) in NAMES.iter().enumerate() {
        for version in VERSIONS {
            let mut one = package(&format!("{name}@{version}"));
            for (other, peer) in NAMES.iter().enumerate() {
                let is_meant =
                    other != place && numbers.next(if other > place { 2 } else { 9 }) == 0;
                let range = numbers.pick(&PEERS);
                if is_meant && numbers.next(3) == 0 {
                    one = one.optional_peer(&format!("{peer}@{range}"));
                } else if is_meant {
                    one = one.peer(&format!("{peer}@{range}"));
                }
            }
            packages.push(one);
        }
    }
    let mut world = world(packages);
    if numbers.next(4) == 0 {
        // What is above `latest` comes last.
        world = world.tag(NAMES[numbers.next(NAMES.len())], "latest", "1.1.0");
    }
    let most = if numbers.next(2) == 0 { 1 } else { 2 + numbers.next(2) };
    let mut manifests: Vec<Package> = Vec::new();
    for importer in 0..most {
        let mut direct = Vec::new();
        for name in NAMES {
            if numbers.next(if most == 1 { 4 } else { 2 }) > 0 {
                direct.push(format!("{name}@{}", numbers.pick(&DIRECT)));
            }
        }
        let direct: Vec<&str> = direct.iter().map(String::as_str).collect();
        let manifest = if importer == 0 {
            project(&direct)
        } else {
            direct.iter().fold(package(&format!("w{importer}@1.0.0")), |one, dependency| {
                let is_peer = numbers.next(5) == 0 && !dependency.ends_with("latest");
                if is_peer { one.peer(dependency) } else { one.needs(dependency) }
            })
        };
        manifests.push(manifest);
    }
    for (importer, manifest) in manifests.iter().enumerate().skip(1) {
        world = world.workspace(&format!("packages/w{importer}"), manifest.clone());
    }
    let requirements = world.requirements(&manifests[0]);
    // A lockfile of the same project with other requirements, as bots leave it.
    let previous = (numbers.next(3) == 0).then(|| {
        let mut before = requirements.clone();
        let every = std::iter::once(&mut before.root).chain(&mut before.workspaces);
        for spec in every.flat_map(|one| &mut one.dependencies) {
            if numbers.next(2) == 0 {
                numbers.pick(&DIRECT[2..6]).clone_into(&mut spec.1);
            }
        }
        resolve(&before, None, &Registry::new(&world), &world.options).map(|found| found.lock)
    });
    Case { requirements, previous: previous.and_then(Result::ok), world }
}

/// Packuments that are encoded once.
struct Registry(BTreeMap<&'static str, Packument>);

impl Registry {
    fn new(world: &World) -> Self {
        Registry(NAMES.iter().map(|name| (*name, world.packument(name).unwrap())).collect())
    }
}

impl Provider for Registry {
    fn packument(&self, name: &str) -> Result<Packument, ProviderError> {
        let missing = || ProviderError {
            code: "DX_PACKAGE_NOT_FOUND",
            message: format!("{name} is not there"),
            hint: None,
        };
        self.0.get(name).cloned().ok_or_else(missing)
    }

    fn manifest(&self, name: &str, _: &str, _: &str) -> Result<External, ProviderError> {
        panic!("{name} is of no registry")
    }

    fn bundled(&self, package: &LockPackage) -> Result<Vec<LockPackage>, ProviderError> {
        panic!("{} bundles nothing", package.path)
    }
}

/// What brute force knows of a tree.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Quality {
    /// Within the major versions that npm's rules or the lockfile choose, and no escape.
    Plain,
    /// Some direct dependency is of another major version.
    OtherMajor,
    /// Some package fits only because an older range is looser.
    Escape,
}

impl Case {
    /// Prints the project, its registry and npm's tree.
    fn describe(&self, plain: &Resolution) {
        for name in NAMES {
            let packument = self.world.packument(name).unwrap();
            for view in packument.versions() {
                let peer = |(peer, range): (&str, &str)| {
                    format!(
                        "{peer}@{range}{}",
                        if view.peer_optional(peer) { " (optional)" } else { "" }
                    )
                };
                let peers: Vec<String> = view.peer_dependencies().map(peer).collect();
                println!("  {name}@{}: {}", view.version(), peers.join(", "));
            }
            println!("  {:?}", packument.dist_tags().collect::<Vec<_>>());
        }
        for one in importers(&self.requirements) {
            println!("  '{}' {:?} peers {:?}", one.path, one.dependencies, one.peer_dependencies);
        }
        println!("  lock {:?}", self.previous.as_ref().map(versions_of));
        println!("  npm {:?}", tree(plain));
        plain.conflicts.iter().for_each(|conflict| println!("    {conflict}"));
    }

    fn is_clean(&self, registry: &Registry, found: &Resolution) -> bool {
        let is_clean = |found: &Resolution| !found.refused_by_npm && found.conflicts.is_empty();
        let options = Options { solves_conflicts: false, ..self.world.options.clone() };
        is_clean(found)
            || resolve(&self.requirements, Some(&found.lock), registry, &options)
                .is_ok_and(|again| is_clean(&again) && !again.changed)
    }

    /// Returns the best quality of all trees that npm accepts: each direct dependency of each
    /// importer is any version in its range, each other package any version at all.
    fn best(&self, registry: &Registry, usual: &Lock) -> Option<(Quality, Vec<String>)> {
        let mut places: Vec<(String, Vec<Version>)> = Vec::new();
        let mut owners: Vec<(usize, usize)> = Vec::new();
        for (importer, manifest) in importers(&self.requirements).enumerate() {
            for (position, (name, spec)) in manifest.dependencies.iter().enumerate() {
                let range = Range::parse(if spec == "latest" { "*" } else { spec }).unwrap();
                let mut versions: Vec<Version> =
                    versions().filter(|version| range.satisfies(version)).collect();
                if spec == "latest" {
                    let packument = &registry.0[name.as_str()];
                    let latest = packument.dist_tags().find(|(tag, _)| *tag == "latest");
                    versions = vec![Version::parse(latest.unwrap().1).unwrap()];
                }
                places.push((name.clone(), versions));
                owners.push((importer, position));
            }
        }
        let others = NAMES.iter().filter(|name| places.iter().all(|(known, _)| known != *name));
        let others: Vec<&str> = others.copied().collect();
        places.extend(others.iter().map(|name| ((*name).to_owned(), versions().collect())));
        let total: usize = places.iter().map(|(_, versions)| versions.len()).product();
        let mut best: Option<(Quality, Vec<String>)> = None;
        for mut number in 0..total {
            let chosen: Vec<&Version> = places
                .iter()
                .map(|(_, versions)| {
                    let version = &versions[number % versions.len()];
                    number /= versions.len();
                    version
                })
                .collect();
            let mut options = Options { solves_conflicts: false, ..self.world.options.clone() };
            let mut exact = self.requirements.clone();
            for ((importer, position), version) in owners.iter().zip(&chosen) {
                let one = match importer {
                    0 => &mut exact.root,
                    other => &mut exact.workspaces[other - 1],
                };
                one.dependencies[*position].1 = version.to_string();
            }
            for ((name, _), version) in places.iter().zip(&chosen) {
                options.pick.pins.push((name.clone(), (*version).clone()));
            }
            let Ok(found) = resolve(&exact, None, registry, &options) else { continue };
            let quality = self.quality(registry, usual, &found.lock);
            let versions = found.lock.packages.iter().filter_map(|entry| entry.version.as_deref());
            if versions.filter_map(|text| Version::parse(text).ok()).any(|one| one.is_prerelease())
            {
                continue;
            }
            let is_better = best.as_ref().is_none_or(|(best, _)| quality < *best);
            if !is_better || !found.conflicts.is_empty() {
                continue;
            }
            // The same tree is one for the ranges of the project.
            let options = Options { solves_conflicts: false, ..self.world.options.clone() };
            let again = resolve(&self.requirements, Some(&found.lock), registry, &options);
            if again.is_ok_and(|again| {
                !again.refused_by_npm
                    && again.conflicts.is_empty()
                    && versions_of(&again.lock) == versions_of(&found.lock)
            }) {
                best = Some((quality, tree(&found)));
                if quality == Quality::Plain {
                    break;
                }
            }
        }
        best
    }

    /// Returns the quality of a tree.
    fn quality(&self, registry: &Registry, usual: &Lock, tree: &Lock) -> Quality {
        let found = |lock: &Lock, path: &str, name: &str| {
            let index = lock.index();
            let entry = index.resolve(path, name)?;
            Version::parse(entry.version.as_deref()?).ok()
        };
        let mut quality = Quality::Plain;
        for manifest in importers(&self.requirements) {
            let path = manifest.path.as_str();
            for name in NAMES {
                let Some(own) = found(tree, path, name) else { continue };
                let direct = manifest.dependencies.iter().find(|(known, _)| known == name);
                let spec = direct.map_or("*", |(_, spec)| spec);
                let picks = [Some(usual), self.previous.as_ref()].into_iter().flatten();
                let mut picks = picks.filter_map(|lock| found(lock, path, name));
                let is_usual = picks.any(|pick| pick.major() == own.major());
                if direct.is_some() && !is_usual && spec != "*" && !spec.contains("||") {
                    quality = quality.max(Quality::OtherMajor);
                }
                for peer in NAMES {
                    let Some(beside) = found(tree, path, peer) else { continue };
                    if is_escape(registry, (name, spec, &own), (peer, &beside)) {
                        quality = Quality::Escape;
                    }
                }
            }
        }
        quality
    }
}

/// Returns whether a version fits only because a newer one in the range is stricter with a peer
/// that is newer than all that it knew.
fn is_escape(
    registry: &Registry,
    (name, spec, version): (&str, &str, &Version),
    (peer, beside): (&str, &Version),
) -> bool {
    let packument = &registry.0[name];
    let ranges = |version: &Version| {
        let view = packument.version(packument.find(version).unwrap());
        let mut peers = view.peer_dependencies().filter(|(known, _)| *known == peer);
        peers.next().map(|(_, range)| Range::parse(range).unwrap())
    };
    let whole = Range::parse(if spec == "latest" { "*" } else { spec }).unwrap();
    let own = ranges(version);
    if !own.as_ref().is_none_or(|range| range.satisfies(beside)) {
        return false;
    }
    let says_nothing = own.is_none_or(|range| range.is_any());
    let newer = versions().filter(|newer| newer > version && whole.satisfies(newer));
    newer.filter_map(|newer| Some((ranges(&newer)?, newer))).any(|(range, newer)| {
        let allowed: Vec<Version> = versions().filter(|one| range.satisfies(one)).collect();
        let is_too_new = allowed.iter().all(|one| one < beside);
        let is_other = allowed.iter().all(|one| one.major() != beside.major());
        !range.satisfies(beside)
            && !allowed.is_empty()
            && (is_too_new || says_nothing && is_other && newer.major() == version.major())
    })
}

fn versions() -> impl Iterator<Item = Version> + Clone {
    VERSIONS.iter().map(|text| Version::parse(text).unwrap()).filter(|one| !one.is_prerelease())
}

fn versions_of(lock: &Lock) -> BTreeMap<String, Option<String>> {
    lock.packages.iter().map(|entry| (entry.path.clone(), entry.version.clone())).collect()
}

#[test]
fn whatever_can_be_had_within_the_ranges_is_taken_or_offered() {
    let chosen = std::env::var("RESOLVE_SHAPES").ok();
    let (first, last) = chosen
        .as_deref()
        .and_then(|text| text.split_once('-'))
        .map_or((1, 150), |(first, last)| (first.parse().unwrap(), last.parse().unwrap()));
    let (mut refused, mut taken, mut offered, mut clean, mut endless) = (0, 0, 0, 0, 0);
    let mut wrong: Vec<String> = Vec::new();
    let mut wrong_in_workspaces = 0;
    for seed in first..=last {
        let case = generated(seed);
        let registry = Registry::new(&case.world);
        let resolved = |solves_conflicts: bool| {
            let options = Options { solves_conflicts, ..case.world.options.clone() };
            resolve(&case.requirements, case.previous.as_ref(), &registry, &options)
        };
        let Ok(plain) = resolved(false) else {
            endless += 1;
            continue;
        };
        let solved = resolved(true).unwrap();
        if !plain.refused_by_npm {
            assert_eq!(solved.lock, plain.lock, "{seed}");
            assert!(solved.moves.is_empty() && solved.explanations.is_empty(), "{seed}");
            continue;
        }
        refused += 1;
        for one in &solved.explanations {
            let lines = one.lines(dx_pkg_resolve::peers::Ending::Installed, &|_, _| None);
            assert!(lines.len() <= 8, "{seed}: {lines:#?}");
        }
        let is_taken = solved.explanations.is_empty() && case.is_clean(&registry, &solved);
        let is_offered = solved.explanations.iter().any(|one| one.finding == Finding::Offered);
        taken += usize::from(is_taken);
        offered += usize::from(is_offered && !is_taken);
        let known = wrong.len();
        let unlocked = resolve(
            &case.requirements,
            None,
            &registry,
            &Options { solves_conflicts: false, ..case.world.options.clone() },
        );
        let best = case.best(&registry, unlocked.as_ref().map_or(&plain.lock, |found| &found.lock));
        clean += usize::from(best.is_some());
        match best.as_ref().map(|(quality, _)| *quality) {
            Some(best) if !is_taken && !is_offered => {
                wrong.push(format!("{seed} missed ({best:?})"));
            }
            Some(Quality::Plain) if !is_taken => wrong.push(format!("{seed} is asked about")),
            // npm refuses some trees although no peer is unmet in them.
            None if is_taken && !plain.conflicts.is_empty() => {
                wrong.push(format!("{seed} is taken, brute force finds nothing"));
            }
            _ => {}
        }
        if wrong.len() > known {
            case.describe(&plain);
            wrong_in_workspaces += usize::from(!case.requirements.workspaces.is_empty());
            println!("  brute force {best:?}");
            println!("  found {:?} {:?}", tree(&solved), solved.moves);
            for one in &solved.explanations {
                println!(
                    "{:#?}",
                    one.lines(dx_pkg_resolve::peers::Ending::Installed, &|_, _| None)
                );
            }
        }
    }
    let counts = format!(
        "refused {refused}, clean {clean}, taken {taken}, offered {offered}, without end {endless}"
    );
    println!("{counts}, wrong in workspaces {wrong_in_workspaces}");
    assert_eq!(wrong.len(), wrong_in_workspaces, "{wrong:#?} ({counts})");
    assert!(wrong_in_workspaces * 4 <= clean.max(4), "{wrong:#?} ({counts})");
}

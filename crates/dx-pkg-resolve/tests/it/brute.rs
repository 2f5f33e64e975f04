//! Small generated projects with peer conflicts against brute force: where any choice of versions
//! within the project's ranges gives a tree that npm accepts, the solver takes or offers one.

use dx_pkg_core::Version;
use dx_pkg_format::packument::Packument;
use dx_pkg_lock::{Lock, LockPackage};
use dx_pkg_resolve::peers::{Explanation, Finding};
use dx_pkg_resolve::{External, Provider, ProviderError, Resolution, resolve};

use crate::world::{Package, World, package, project, world};

/// A generator of numbers (xorshift), so that a seed is the same project everywhere.
pub(crate) struct Numbers(u64);

impl Numbers {
    pub(crate) fn new(seed: u64) -> Self {
        Numbers(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % below as u64).unwrap()
    }

    pub(crate) fn pick<'t>(&mut self, from: &[&'t str]) -> &'t str {
        from[self.next(from.len())]
    }
}

const NAMES: [&str; 5] = ["a", "b", "c", "d", "e"];
const VERSIONS: [&str; 3] = ["1.0.0", "1.1.0", "2.0.0"];
const PEERS: [&str; 7] = ["^1.0.0", "^2.0.0", "^1.0.0 || ^2.0.0", "~1.0.0", "1.1.0", "2.0.0", "*"];
const DIRECT: [&str; 6] = ["*", ">=1", "^1.0.0", "^2.0.0", "1.1.0", "^1.0.0 || ^2.0.0"];

/// Returns a registry and a project.
fn generated(seed: u64) -> (World, Package) {
    let mut numbers = Numbers::new(seed);
    let mut packages = Vec::new();
    for (place, name) in NAMES.iter().enumerate() {
        for version in VERSIONS {
            let mut one = package(&format!("{name}@{version}"));
            for (other, peer) in NAMES.iter().enumerate() {
                // Mostly of later names, so that there are few cycles.
                let is_meant =
                    other != place && numbers.next(if other > place { 2 } else { 12 }) == 0;
                if is_meant && numbers.next(4) == 0 {
                    one = one.optional_peer(&format!("{peer}@{}", numbers.pick(&PEERS)));
                } else if is_meant {
                    one = one.peer(&format!("{peer}@{}", numbers.pick(&PEERS)));
                }
            }
            packages.push(one);
        }
    }
    let mut direct = Vec::new();
    for name in NAMES {
        if numbers.next(3) > 0 {
            direct.push(format!("{name}@{}", numbers.pick(&DIRECT)));
        }
    }
    let direct: Vec<&str> = direct.iter().map(String::as_str).collect();
    (world(packages), project(&direct))
}

/// Returns whether some choice of one version for each name gives a tree without conflicts.
fn has_clean_tree(world: &World, project: &Package) -> bool {
    let registry = Registry(NAMES.map(|name| (name, world.packument(name).unwrap())));
    let requirements = world.requirements(project);
    let mut options = world.options.clone();
    let combinations = VERSIONS.len().pow(u32::try_from(NAMES.len()).unwrap());
    (0..combinations).any(|mut number| {
        options.pick.pins.clear();
        for name in NAMES {
            let version = Version::parse(VERSIONS[number % VERSIONS.len()]).unwrap();
            options.pick.pins.push((name.to_owned(), version));
            number /= VERSIONS.len();
        }
        let resolution = resolve(&requirements, None, &registry, &options);
        resolution.is_ok_and(|found| !found.refused_by_npm && found.conflicts.is_empty())
    })
}

/// Packuments that are encoded once.
struct Registry([(&'static str, Packument); NAMES.len()]);

impl Provider for Registry {
    fn packument(&self, name: &str) -> Result<Packument, ProviderError> {
        Ok(self.0.iter().find(|(known, _)| *known == name).unwrap().1.clone())
    }

    fn manifest(&self, name: &str, _: &str, _: &str) -> Result<External, ProviderError> {
        panic!("{name} is of no registry")
    }

    fn bundled(&self, package: &LockPackage) -> Result<Vec<LockPackage>, ProviderError> {
        panic!("{} bundles nothing", package.path)
    }
}

#[test]
fn whatever_brute_force_finds_is_taken_or_offered() {
    let (mut refused, mut clean, mut taken, mut offered) = (0, 0, 0, 0);
    let (mut missed, mut unhelpful) = (Vec::new(), Vec::new());
    for seed in 1..=250 {
        let (mut world, project) = generated(seed);
        let Ok(plain) = world.try_install(&project, None) else { continue };
        world.options.solves_conflicts = true;
        let solved = world.install(&project);
        if !plain.refused_by_npm {
            // Where npm has no conflict, its result stays.
            assert_eq!(solved.lock, plain.lock, "{seed}");
            assert!(solved.moves.is_empty() && solved.explanations.is_empty(), "{seed}");
            continue;
        }
        refused += 1;
        let is_taken = solved.conflicts.is_empty() && npm_accepts(&world, &project, &solved.lock);
        let is_offered = solved.explanations.iter().any(|one| one.finding == Finding::Offered);
        for one in &solved.explanations {
            let is_offer = one.finding == Finding::Offered && solved.explanations.len() == 1;
            if is_offer && !helps(&world, &project, &solved, one) {
                unhelpful.push(seed);
            }
        }
        // What is taken or offered is such a tree.
        let is_clean =
            is_taken || is_offered || has_clean_tree(&world_without_solver(&world), &project);
        taken += usize::from(is_taken);
        offered += usize::from(is_offered);
        clean += usize::from(is_clean);
        if is_clean && !is_taken && !is_offered {
            missed.push(seed);
        }
    }
    let found = format!("refused {refused}, clean {clean}, taken {taken}, offered {offered}");
    assert!(missed.is_empty(), "missed: {missed:?} ({found})");
    assert!(unhelpful.is_empty(), "unhelpful: {unhelpful:?} ({found})");
    assert!(refused >= 50 && clean >= 20, "{found}");
}

/// Returns whether npm installs a lock as it is.
fn npm_accepts(world: &World, project: &Package, lock: &Lock) -> bool {
    let again = world_without_solver(world).install_from(project, lock);
    !again.refused_by_npm && !again.changed && again.conflicts.is_empty()
}

/// Returns whether the first change of an explanation, carried out, gives a tree that npm accepts.
fn helps(world: &World, project: &Package, solved: &Resolution, offered: &Explanation) -> bool {
    let mut world = world.clone();
    let mut project = world.requirements(project);
    for wanted in &offered.changes[0].requirements {
        let own = &mut project.root.dependencies;
        match own.iter_mut().find(|(name, _)| *name == wanted.name) {
            Some((_, spec)) => spec.clone_from(&wanted.range),
            None => own.push((wanted.name.clone(), wanted.range.clone())),
        }
        world.options.update.push(wanted.name.clone());
    }
    let changed = resolve(&project, Some(&solved.lock), &world, &world.options).unwrap();
    world = world_without_solver(&world);
    world.options.update.clear();
    let again = resolve(&project, Some(&changed.lock), &world, &world.options).unwrap();
    changed.conflicts.is_empty() && !again.refused_by_npm && !again.changed
}

fn world_without_solver(world: &World) -> World {
    let mut world = world.clone();
    world.options.solves_conflicts = false;
    world
}

/// Five packages of any version with a hundred optional peers on each other and on more: the
/// answer comes, and is a tree.
#[test]
fn a_hundred_optional_peers_are_answered() {
    let mut packages = Vec::new();
    let names: Vec<String> = (0..5).map(|number| format!("chain-{number}")).collect();
    for (place, name) in names.iter().enumerate() {
        for version in 0..120 {
            let mut one = package(&format!("{name}@1.{version}.0"));
            for peer in 0..100 {
                one = one.optional_peer(&format!("extra-{peer}@^1.{}.0", (version + peer) % 7));
            }
            for other in names.iter().skip(place + 1) {
                one = one.peer(&format!("{other}@~1.{}.0", version.min(100)));
            }
            packages.push(one);
        }
    }
    for peer in 0..100 {
        for version in 0..8 {
            packages.push(package(&format!("extra-{peer}@1.{version}.0")));
        }
    }
    let mut world = world(packages);
    world.options.solves_conflicts = true;
    let mut direct: Vec<String> = names.iter().map(|name| format!("{name}@*")).collect();
    direct.extend(["extra-1@1.3.0", "extra-2@1.2.0"].map(str::to_owned));
    let direct: Vec<&str> = direct.iter().map(String::as_str).collect();
    let resolution = world.install(&project(&direct));
    assert!(!resolution.lock.packages.is_empty());
    assert!(!resolution.refused_by_npm || !resolution.explanations.is_empty());
}

#[test]
fn nonsense_and_cycles_of_peers_are_answered() {
    let packages = vec![
        package("a@1.0.0").peer("b@not a range!").peer("c@^1"),
        package("b@1.0.0").peer("a@^1").peer("c@>=1 <"),
        package("c@1.0.0").peer("a@^1").peer("b@^1"),
        package("c@2.0.0").peer("a@^2").peer("b@||"),
    ];
    let mut world = world(packages);
    world.options.solves_conflicts = true;
    for direct in [["a@*", "b@*", "c@*"], ["c@^2", "b@*", "a@*"], ["c@^2", "a@^1", "b@^9"]] {
        // Whatever it is, it is an answer.
        let _ = world.try_install(&project(&direct), None);
    }
}

//! Incremental resolution: a changed complete lock is the lock that a full resolution gives.

use dx_pkg_lock::dxl::{self, DxlView};
use dx_pkg_lock::{Lock, LockPackage};
use dx_pkg_resolve::change::{Change, change};
use dx_pkg_resolve::peers::Conflict;
use dx_pkg_resolve::{Options, Provider, Requirements, Resolution, ResolveError, resolve};

use crate::oracle::{differences, fixture};
use crate::whole::assert_same_whole;
use crate::world::{Package, World, package, project, world};

/// A generator of pseudorandom numbers, the same ones for a seed every time.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap() % sides
    }

    pub(crate) fn one<'t>(&mut self, of: &[&'t str]) -> &'t str {
        of[self.roll(of.len())]
    }
}

pub(crate) const NAMES: [&str; 12] =
    ["a", "b", "c", "d", "e", "f", "g", "h", "@s/i", "@s/j", "a-k", "l"];
const VERSIONS: [&str; 5] = ["1.0.0", "1.1.0", "2.0.0", "2.1.0", "3.0.0"];
const RANGES: [&str; 7] = ["*", "^1.0.0", "^1.1.0", "^2.0.0", "^2.1.0", "3", ">=1.1.0"];

pub(crate) fn requirement(dice: &mut Dice) -> String {
    format!("{}@{}", dice.one(&NAMES), dice.one(&RANGES))
}

/// A registry of packages with random dependencies of every kind, few of them peers, and some for
/// other platforms.
pub(crate) fn random_world(dice: &mut Dice) -> World {
    let peers = dice.roll(3) == 0;
    let mut packages = Vec::new();
    for name in NAMES {
        for version in VERSIONS {
            if dice.roll(3) == 0 {
                continue;
            }
            let mut next = package(&format!("{name}@{version}"));
            for _ in 0..dice.roll(4) {
                let asked = requirement(dice);
                next = match dice.roll(12) {
                    0 => next.optional(&asked),
                    1 if peers => next.peer(&asked),
                    2 if peers => next.optional_peer(&asked),
                    _ => next.needs(&asked),
                };
            }
            if dice.roll(60) == 0 {
                next = next.os("other");
            }
            if dice.roll(60) == 0 {
                next = next.node(">=99");
            }
            packages.push(next);
        }
    }
    world(packages)
}

/// The requirements of a project, each with its section.
pub(crate) type Asked = Vec<(usize, String)>;

pub(crate) fn asking(manifest: Package, asked: &Asked) -> Package {
    asked.iter().fold(manifest, |manifest, (section, requirement)| match section {
        0 => manifest.dev(requirement),
        1 => manifest.optional(requirement),
        _ => manifest.needs(requirement),
    })
}

fn manifest(asked: &Asked) -> Package {
    asking(project(&[]), asked)
}

pub(crate) fn name_of(requirement: &str) -> &str {
    &requirement[..requirement.rfind('@').unwrap()]
}

pub(crate) fn ask(asked: &mut Asked, section: usize, requirement: String) {
    asked.retain(|(_, other)| name_of(other) != name_of(&requirement));
    asked.push((section, requirement));
}

/// The results of incremental and full resolution; `None` where only the full one gives a result.
/// The first is of the part that a change can touch where the lock is complete and `of_part`.
pub(crate) fn both(
    requirements: &Requirements,
    before: &Resolution,
    provider: &dyn Provider,
    options: &Options,
    of_part: bool,
) -> Option<(Change, Resolution)> {
    let encode = |lock: &Lock| dxl::encode(lock, [0; 32]);
    let mut installed = before.lock.clone();
    let mut flags = before.installed.iter();
    installed.packages.retain(|_| *flags.next().unwrap());
    let (locked, installed) = (encode(&before.lock), encode(&installed));
    let (locked, installed) = (DxlView::open(&locked).unwrap(), DxlView::open(&installed).unwrap());
    let names = |conflicts: &Vec<Conflict>| -> Vec<String> {
        conflicts.iter().map(|conflict| conflict.name.clone()).collect()
    };
    let disputed = before.accepted_conflicts.as_ref().filter(|_| of_part).map(names);
    let disputed = disputed.as_deref();
    let change = change(requirements, &locked, &installed, disputed, provider, options)?;
    Some((change, resolve(requirements, Some(&before.lock), provider, options).unwrap()))
}

/// The lock with the change made to it; the project's own entry is taken from `after`.
pub(crate) fn changed(before: &Lock, change: &Change, after: &Lock) -> Lock {
    let mut lock = before.clone();
    let replaced =
        |package: &LockPackage| change.entries.iter().any(|entry| entry.path == package.path);
    lock.packages.retain(|package| {
        !package.path.is_empty() && !change.removed.contains(&package.path) && !replaced(package)
    });
    lock.packages.extend(change.entries.iter().cloned());
    lock.packages.extend(after.root().cloned());
    lock.normalise();
    lock
}

fn assert_same(before: &Resolution, change: &Change, after: &Resolution, label: &str) {
    let changed = changed(&before.lock, change, &after.lock);
    assert_eq!(differences(&after.lock, &changed), Vec::<String>::new(), "{label}: {change:?}");
    for removed in &change.removed {
        assert!(before.lock.get(removed).is_some(), "{label}: {removed} was not there");
    }
    for entry in &change.entries {
        let place =
            after.lock.packages.iter().position(|package| package.path == entry.path).unwrap();
        assert!(after.installed[place], "{label}: {} is not installed", entry.path);
        let same = before.lock.get(&entry.path).is_some_and(|known| {
            let (mut known, mut entry) = (known.clone(), entry.clone());
            known.normalise();
            entry.normalise();
            known == entry
        });
        assert!(!same, "{label}: {} has not changed", entry.path);
    }
    let inert = |resolution: &Resolution| -> Vec<String> {
        let all = resolution.lock.packages.iter().zip(&resolution.installed);
        all.filter(|(_, installed)| !**installed).map(|(package, _)| package.path.clone()).collect()
    };
    assert_eq!(inert(before), inert(after), "{label}");
    let unfit = |resolution: &Resolution| {
        let mut packages: Vec<String> =
            resolution.unfit.iter().map(|unfit| unfit.package.clone()).collect();
        packages.sort();
        packages
    };
    assert_eq!(unfit(before), unfit(after), "{label}");
    let words =
        |conflicts: &[Conflict]| conflicts.iter().map(ToString::to_string).collect::<Vec<_>>();
    let standing = before.accepted_conflicts.as_deref().map(words);
    assert_eq!(standing.as_ref(), Some(&words(&after.conflicts)), "{label}");
    assert_eq!(standing, after.accepted_conflicts.as_deref().map(words), "{label}");
    assert!(after.skipped.is_empty(), "{label}");
}

/// Changes a random project step by step. Returns the number of steps, how many of them were
/// resolved incrementally, and the error that ended it early.
fn walk(seed: u64) -> (usize, usize, Option<ResolveError>) {
    let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let mut world = random_world(&mut dice);
    let mut asked = Asked::new();
    for _ in 0..=dice.roll(5) {
        let section = dice.roll(4);
        ask(&mut asked, section, requirement(&mut dice));
    }
    let mut before = match world.try_install(&manifest(&asked), None) {
        Ok(before) => before,
        Err(error) => return (0, 0, Some(error)),
    };
    let (mut steps, mut told) = (0, 0);
    for step in 0..6 {
        world.options.explicit.clear();
        match dice.roll(4) {
            0 if !asked.is_empty() => drop(asked.remove(dice.roll(asked.len()))),
            1 if !asked.is_empty() => {
                let at = dice.roll(asked.len());
                asked[at].0 = dice.roll(4);
            }
            kind => {
                let (section, requirement) = (dice.roll(4), requirement(&mut dice));
                if kind != 2 {
                    world.options.explicit.push(name_of(&requirement).to_owned());
                }
                ask(&mut asked, section, requirement);
            }
        }
        let requirements = world.requirements(&manifest(&asked));
        let label = format!("seed {seed}, step {step}");
        if before.accepted_conflicts.is_some() {
            steps += 1;
            if let Some((change, after)) =
                both(&requirements, &before, &world, &world.options, true)
            {
                if change.findings.is_none() {
                    told += 1;
                    assert_same(&before, &change, &after, &label);
                } else {
                    assert_same_whole(&before, &change, &after, &label);
                }
            }
        }
        match resolve(&requirements, Some(&before.lock), &world, &world.options) {
            Ok(after) => before = after,
            Err(error) => return (steps, told, Some(error)),
        }
    }
    (steps, told, None)
}

/// The seed of a registry in which a package that depends on another version of itself is replaced;
/// npm then loses it.
const LOSES_ITSELF: u64 = 15_459;
/// The seed of a registry in which two packages displace each other as peers without end.
const PEERS_WITHOUT_END: u64 = 31_786;

#[test]
fn peers_that_displace_each_other_without_end_are_an_error() {
    let (.., ended) = walk(PEERS_WITHOUT_END);
    assert!(matches!(ended, Some(ResolveError::Endless { .. })), "{ended:?}");
}

#[test]
fn incremental_and_full_resolution_give_the_same_lock() {
    let worlds = std::env::var("RESOLVE_WORLDS").ok().map_or(600, |number| number.parse().unwrap());
    let (mut steps, mut told) = (0, 0);
    for seed in (1..=worlds).chain([LOSES_ITSELF]) {
        let (more, of_these, _) = walk(seed);
        (steps, told) = (steps + more, told + of_these);
    }
    println!("{told} of {steps} changes told from themselves");
    // Giving up nearly always would make it useless.
    assert!(told * 2 > steps, "{told} of {steps}");
}

#[test]
fn packages_that_npm_added_and_removed_are_added_and_removed_incrementally() {
    let mut told = 0;
    for case in fixture() {
        for pair in case.steps().windows(2) {
            let options = case.options(&pair[0]);
            let Ok(before) = resolve(&case.requirements(&pair[0]), None, case, &options) else {
                continue;
            };
            if before.accepted_conflicts.is_some()
                && let Some((change, after)) =
                    both(&case.requirements(&pair[1]), &before, case, &case.options(&pair[1]), true)
                && change.findings.is_none()
            {
                assert_same(&before, &change, &after, &case.label());
                told += 1;
            }
        }
    }
    assert!(told > 0);
}

#[test]
fn complete_lock_is_kept_as_it_is() {
    for seed in 1..200 {
        let mut dice = Dice(seed);
        let world = random_world(&mut dice);
        let asked: Asked = (0..4).map(|_| (2, requirement(&mut dice))).collect();
        let Ok(first) = world.try_install(&manifest(&asked), None) else { continue };
        if first.accepted_conflicts.is_some() {
            world.closed.set(true);
            let again = world.install_from(&manifest(&asked), &first.lock);
            assert!(!again.changed, "seed {seed}");
        }
    }
}

#[test]
fn unrelated_packuments_are_not_requested() {
    let world = world([
        package("a@1.0.0").needs("shared@1").needs("old@1"),
        package("shared@1.0.0"),
        package("old@1.0.0").needs("shared@1"),
        package("old@2.0.0"),
        package("new@1.0.0").needs("shared@1").needs("old@2"),
    ]);
    let before = world.install(&project(&["a@1"]));
    let requirements = world.requirements(&project(&["a@1", "new@1"]));
    let options = Options { explicit: vec!["new".into()], ..world.options.clone() };
    world.asked.borrow_mut().clear();
    let (change, _) = {
        let lock = dxl::encode(&before.lock, [0; 32]);
        let view = DxlView::open(&lock).unwrap();
        (change(&requirements, &view, &view, Some(&[]), &world, &options).unwrap(), ())
    };
    let paths: Vec<&str> = change.entries.iter().map(|entry| entry.path.as_str()).collect();
    assert_eq!(paths, ["node_modules/new", "node_modules/new/node_modules/old"]);
    let mut asked = world.asked.borrow().clone();
    asked.sort();
    asked.dedup();
    assert_eq!(asked, ["new", "old"]);
}

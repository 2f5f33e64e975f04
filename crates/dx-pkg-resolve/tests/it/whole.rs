//! Incremental resolution of repositories with workspaces, conflicts, overrides, links and bundles:
//! the changed entries are those in which a full resolution differs from the lock.

use std::collections::HashSet;

use dx_pkg_lock::Lock;
use dx_pkg_resolve::change::Change;
use dx_pkg_resolve::{Resolution, resolve};

use crate::change::requirement;
use crate::change::{Asked, Dice, NAMES, ask, asking, both, changed, name_of, random_world};
use crate::oracle::differences;
use crate::world::{World, package, project, world};

/// The folders of the workspaces; one is nested in another.
const FOLDERS: [&str; 5] = ["packages/p", "packages/q", "packages/q/inner", "tools/r", "t"];

pub(crate) fn assert_same_whole(
    before: &Resolution,
    change: &Change,
    after: &Resolution,
    label: &str,
) {
    let found = change.findings.as_ref().unwrap();
    let lock = changed(&before.lock, change, &after.lock);
    assert_eq!(differences(&after.lock, &lock), Vec::<String>::new(), "{label}: {change:?}");
    for removed in &change.removed {
        assert!(before.lock.get(removed).is_some(), "{label}: {removed} was not there");
    }
    let normalised = |lock: &Lock, path: &str| {
        let mut entry = lock.get(path)?.clone();
        entry.normalise();
        Some(entry)
    };
    for entry in &change.entries {
        let before = normalised(&before.lock, &entry.path);
        assert_ne!(before, normalised(&after.lock, &entry.path), "{label}: {}", entry.path);
    }
    let installed = |resolution: &Resolution| -> HashSet<String> {
        let all = resolution.lock.packages.iter().zip(&resolution.installed);
        all.filter(|(_, installed)| **installed).map(|(entry, _)| entry.path.clone()).collect()
    };
    let mut expected = installed(before);
    expected.retain(|path| !change.removed.contains(path));
    expected.extend(change.entries.iter().map(|entry| entry.path.clone()));
    assert_eq!(expected, installed(after), "{label}");
    assert_eq!(found.conflicts, after.conflicts, "{label}");
    let unfit = |unfit: &[dx_pkg_resolve::Unfit]| {
        let mut paths: Vec<String> = unfit.iter().map(|unfit| unfit.path.clone()).collect();
        paths.sort();
        paths
    };
    assert_eq!(unfit(&found.unfit), unfit(&after.unfit), "{label}");
    assert_eq!(found.authors_folders, after.authors_folders, "{label}");
    assert!(after.skipped.is_empty(), "{label}");
    if found.is_complete {
        assert_eq!(after.accepted_conflicts.as_deref(), Some(&[][..]), "{label}");
    }
}

/// A repository whose manifests change.
#[derive(Clone)]
struct Repository {
    world: World,
    own: Asked,
    folders: Vec<(&'static str, Asked)>,
}

impl Repository {
    fn random(dice: &mut Dice) -> Self {
        let mut world = random_world(dice);
        let mut folders = Vec::new();
        for folder in FOLDERS {
            let mut asked = Asked::new();
            for _ in 0..dice.roll(5) {
                ask(&mut asked, dice.roll(4), any(dice));
            }
            world.options.workspaces.push(folder.to_owned());
            folders.push((folder, asked));
        }
        if dice.roll(4) == 0 {
            world = world.overriding(dice.one(&NAMES), dice.one(&["1.0.0", "2.0.0", "^2.0.0"]));
        }
        world = world.folder("linked", package("linked@1.0.0").needs(&any(dice)));
        let mut own = Asked::new();
        for _ in 0..dice.roll(4) {
            ask(&mut own, dice.roll(4), any(dice));
        }
        let mut repository = Repository { world, own, folders };
        repository.apply();
        repository
    }

    /// Gives the workspaces their requirements.
    fn apply(&mut self) {
        for (folder, asked) in &self.folders {
            let manifest = asking(package(&format!("{}@1.0.0", name_of_folder(folder))), asked);
            self.world.set_folder(folder, manifest);
        }
    }

    /// Changes some manifest, most often that of a workspace.
    fn change(&mut self, dice: &mut Dice) {
        self.world.options.explicit.clear();
        for _ in 0..=dice.roll(2) {
            let at = dice.roll(self.folders.len() + 1);
            let is_own = at == self.folders.len();
            let asked = if is_own { &mut self.own } else { &mut self.folders[at].1 };
            match dice.roll(4) {
                0 | 1 if !asked.is_empty() => drop(asked.remove(dice.roll(asked.len()))),
                2 if !asked.is_empty() => {
                    let at = dice.roll(asked.len());
                    asked[at].0 = dice.roll(4);
                }
                _ => {
                    let (section, requirement) = (dice.roll(4), any(dice));
                    if is_own && dice.roll(2) == 0 {
                        self.world.options.explicit.push(name_of(&requirement).to_owned());
                    }
                    ask(asked, section, requirement);
                }
            }
        }
        self.apply();
    }
}

fn name_of_folder(folder: &str) -> &str {
    folder.rsplit('/').next().unwrap()
}

/// A requirement of a package of the registry, a workspace or a linked folder.
fn any(dice: &mut Dice) -> String {
    match dice.roll(12) {
        0 => format!("{}@*", name_of_folder(dice.one(&FOLDERS))),
        1 => "linked@file:linked".to_owned(),
        2..=6 => format!("{}@*", dice.one(&NAMES)),
        _ => requirement(dice),
    }
}

/// Changes a random repository step by step; returns the number of steps, and how many of them were
/// resolved incrementally.
fn walk(seed: u64) -> (usize, usize) {
    let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    // In most, something requires a version that there is not.
    let found = (0..30).find_map(|_| {
        let repository = Repository::random(&mut dice);
        let manifest = asking(project(&[]), &repository.own);
        let before = repository.world.try_install(&manifest, None).ok()?;
        Some((repository, before))
    });
    let Some((mut repository, mut before)) = found else { return (0, 0) };
    let (mut steps, mut told) = (0, 0);
    for step in 0..8 {
        let unchanged = repository.clone();
        repository.change(&mut dice);
        let requirements = repository.world.requirements(&asking(project(&[]), &repository.own));
        let (world, label) = (&repository.world, format!("seed {seed}, step {step}"));
        let Ok(after) = resolve(&requirements, Some(&before.lock), world, &world.options) else {
            repository = unchanged;
            continue;
        };
        steps += 1;
        if let Some((change, after)) = both(&requirements, &before, world, &world.options, false) {
            told += 1;
            assert_same_whole(&before, &change, &after, &label);
        }
        before = after;
    }
    (steps, told)
}

#[test]
fn changed_repository_has_the_entries_of_a_full_resolution() {
    let worlds = std::env::var("RESOLVE_WORLDS").ok().map_or(60, |number| number.parse().unwrap());
    let (mut steps, mut told) = (0, 0);
    for seed in 1..=worlds {
        let (more, of_these) = walk(seed);
        (steps, told) = (steps + more, told + of_these);
    }
    println!("{told} of {steps} changes told from themselves");
    // Where a requirement stays unmet, the whole is resolved until a frozen install takes it.
    assert!(told * 3 > steps, "{told} of {steps}");
}

#[test]
fn bundles_stay_as_they_are() {
    let mut world = world([
        package("a@1.0.0").needs("in@1").bundles("in"),
        package("in@1.0.0"),
        package("b@1.0.0").needs("in@1"),
    ])
    .bundle("a", &["in@1.0.0"])
    .workspace("w", package("w@1.0.0").needs("a@1"));
    let before = world.install(&project(&[]));
    world.set_folder("w", package("w@1.0.0").needs("a@1").needs("b@1"));
    let requirements = world.requirements(&project(&[]));
    let (change, after) = both(&requirements, &before, &world, &world.options, false).unwrap();
    assert_same_whole(&before, &change, &after, "bundles");
    let paths: Vec<&str> = change.entries.iter().map(|entry| entry.path.as_str()).collect();
    assert_eq!(paths, ["node_modules/b", "node_modules/in", "w"]);
}

#[test]
fn platform_of_another_machine_is_left_to_a_full_resolution() {
    let mut world = world([package("a@1.0.0"), package("b@1.0.0").os("other")])
        .workspace("w", package("w@1.0.0").needs("a@1"));
    let before = world.install(&project(&[]));
    world.set_folder("w", package("w@1.0.0").needs("a@1").optional("b@1"));
    let requirements = world.requirements(&project(&[]));
    assert!(both(&requirements, &before, &world, &world.options, false).is_none());
}

//! What an install writes, a frozen install takes: of random projects with peers that contradict
//! each other, aliases, workspaces and overlapping overrides, and of cases in which npm leaves out
//! what is required.

use dx_pkg_lock::{Lock, LockPackage, locale_compare};
use dx_pkg_resolve::{Override, ResolveError, resolve, resolve_upgraded};

use crate::change::{Dice, NAMES, random_world, requirement};
use crate::world::{Package, World, package, project, rule, tree, world};

/// The lock as it is read from disk, where requirements are in the order of names.
fn as_read(lock: &Lock) -> Lock {
    let mut lock = lock.clone();
    for entry in &mut lock.packages {
        for section in [
            &mut entry.dependencies,
            &mut entry.dev_dependencies,
            &mut entry.optional_dependencies,
            &mut entry.peer_dependencies,
        ] {
            section.sort_by(|(a, _), (b, _)| locale_compare(a, b));
        }
    }
    lock
}

/// The refusal of a frozen install of `lock`, if it is one.
fn refusal(world: &World, project: &Package, lock: &Lock) -> Option<String> {
    let mut frozen = world.clone();
    frozen.options.frozen = true;
    match frozen.try_install(project, Some(&as_read(lock))) {
        Err(error @ ResolveError::Frozen { .. }) => Some(error.to_string()),
        _ => None,
    }
}

fn random_rules(dice: &mut Dice, depth: usize) -> Vec<Override> {
    let number = dice.roll(3);
    let rules = (0..number).map(|_| {
        let key = if dice.roll(2) == 0 { requirement(dice) } else { dice.one(&NAMES).to_owned() };
        let value = ["1.0.0", "2.1.0", ">=1.0.0", "*"][dice.roll(4)];
        let children = if depth > 0 { random_rules(dice, depth - 1) } else { Vec::new() };
        rule(&key, (dice.roll(3) > 0).then_some(value), children)
    });
    rules.collect()
}

fn random_project(dice: &mut Dice) -> Package {
    let number = 1 + dice.roll(4);
    (0..number).fold(project(&[]), |project, _| match dice.roll(6) {
        0 => {
            let (name, other) = (dice.one(&NAMES), requirement(dice));
            project.needs_as(name, &format!("npm:{other}"))
        }
        1 => project.dev(&requirement(dice)),
        2 => project.optional(&requirement(dice)),
        _ => project.needs(&requirement(dice)),
    })
}

#[test]
fn lock_of_a_random_project_is_taken() {
    let (mut compared, mut told, mut missed) = (0, 0, Vec::new());
    for seed in 1..=1500u64 {
        let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        let mut world = random_world(&mut dice);
        if dice.roll(2) == 0 {
            world.overrides = random_rules(&mut dice, 1);
        }
        let mut lock: Option<Lock> = None;
        for step in 0..2 {
            let project = random_project(&mut dice);
            let world = if dice.roll(3) == 0 {
                world.clone().workspace("packages/one", random_project(&mut dice))
            } else {
                world.clone()
            };
            let read = lock.as_ref().map(as_read);
            let Ok(made) =
                resolve(&world.requirements(&project), read.as_ref(), &world, &world.options)
            else {
                break;
            };
            compared += 1;
            let refused = refusal(&world, &project, &made.lock);
            told += usize::from(made.refused.is_some());
            if let Some(reason) = refused.filter(|_| made.refused.is_none()) {
                missed.push(format!("seed {seed}, step {step}: {reason}"));
            }
            lock = Some(made.lock);
        }
    }
    assert!(compared > 400, "{compared}");
    assert!(told * 20 < compared, "{told} of {compared} are refused");
    // Entries that nothing needs stay where an optional package could not be loaded.
    assert!(missed.len() * 200 < compared, "{missed:#?} of {compared}");
}

#[test]
fn alias_that_requires_its_own_name_takes_the_place_of_another_package() {
    let world = world([package("e@1.0.0"), package("d@2.0.0").needs("e@^1")]);
    let lock = world.install(&project(&["e@^1"])).lock;
    let project = project(&[]).needs_as("e", "npm:d@2.0.0");
    let resolution = world.install_from(&project, &lock);
    assert_eq!(tree(&resolution), ["e@2.0.0", "e > e@1.0.0"]);
    assert_eq!(refusal(&world, &project, &resolution.lock), None);
}

#[test]
fn names_that_differ_in_case_only_are_checked() {
    let world = world([
        package("alpha@1.0.0"),
        package("Alpha@1.0.0"),
        package("Alpha@2.0.0").needs("b@1"),
        package("b@1.0.0").needs("alpha@1").needs("Alpha@^1"),
    ]);
    for requirements in [&["alpha@1", "Alpha@2"], &["Alpha@2", "alpha@1"]] {
        let project = project(requirements);
        let made = world.install(&project);
        let refused = refusal(&world, &project, &made.lock);
        assert_eq!(refused.is_some(), made.refused.is_some(), "{refused:?}");
    }
}

#[test]
fn version_that_the_package_does_not_have_is_corrected() {
    let world = world([package("a@1.0.0").needs("b@1"), package("b@1.0.0")]);
    let project = project(&["a@1"]);
    for version in [Some("9.9.9".to_owned()), None] {
        let mut lock = world.install(&project).lock;
        let entry = lock.packages.iter_mut().find(|entry| entry.path == "node_modules/b").unwrap();
        entry.version = version;
        let resolution = world.install_from(&project, &lock);
        assert_eq!(tree(&resolution), ["a@1.0.0", "b@1.0.0"]);
        assert_eq!(refusal(&world, &project, &resolution.lock), None);
    }
}

/// The lock as npm 6 writes it: without peers, and without manifests.
fn of_npm_6(lock: &Lock) -> (Lock, Lock) {
    let mut full = lock.clone();
    full.packages.retain(|entry| !entry.peer);
    let bare = full.packages.iter().map(|entry| LockPackage {
        path: entry.path.clone(),
        version: entry.version.clone(),
        resolved: entry.resolved.clone(),
        ..LockPackage::default()
    });
    (Lock { packages: bare.collect(), ..full.clone() }, full)
}

#[test]
fn peers_that_an_old_lockfile_lacks_are_placed() {
    let world = world([package("a@1.0.0").peer("p@^1"), package("p@1.0.0")]);
    let project = project(&["a@1"]);
    let (bare, full) = of_npm_6(&world.install(&project).lock);
    let requirements = world.requirements(&project);
    let upgraded = resolve_upgraded(&requirements, (&bare, &full), &world, &world.options).unwrap();
    assert_eq!(tree(&upgraded), ["a@1.0.0", "p@1.0.0"]);
    assert!(upgraded.changed);
    assert_eq!(refusal(&world, &project, &upgraded.lock), None);
}

#[test]
fn what_the_project_requires_and_nobody_has_is_not_left_out() {
    let world = world([
        package("a@3.0.0").peer("b@^2"),
        package("b@2.0.0").peer("e@^2.1.0").peer("d@^1 || ^2"),
        package("d@2.1.0").needs("b@*"),
        package("d@3.0.0").needs("a@^3").needs("e@^1 || ^2"),
        package("e@2.0.0"),
        package("e@2.1.0").needs("a@>=3").needs("d@*").needs("g@^1 || ^2"),
        package("g@2.1.0").needs("a@^1 || ^2").needs("e@^2.1.0"),
    ])
    .tag("d", "latest", "2.1.0")
    .tag("e", "latest", "2.0.0");
    let left = vec![
        package("a@3.0.0").peer("b@^2").record("node_modules/e/node_modules/a"),
        package("b@2.0.0")
            .peer("e@^2.1.0")
            .peer("d@^1 || ^2")
            .record("node_modules/e/node_modules/b"),
        package("d@2.1.0").needs("b@*").record("node_modules/e/node_modules/d"),
    ];
    let lock = Lock { format_version: 3, packages: left, ..Lock::default() };
    let project = project(&["d@^3", "a@^1 || ^2"]).peer("g@<2.1.0 || 2");
    let error = world.try_install(&project, Some(&lock)).unwrap_err();
    let expected = "no version of a matches \"^1 || ^2\", required by project";
    assert!(error.to_string().starts_with(expected), "{error}");
}

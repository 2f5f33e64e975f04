//! Plans: the lock of a resolution is taken as it is, and a wrong one is not.

use dx_pkg_lock::Lock;
use std::collections::BTreeSet;

use dx_pkg_lock::dxl::{self, DxlView};
use dx_pkg_resolve::change::accept;
use dx_pkg_resolve::{Options, Provider, Requirements, Resolution, resolve};

use crate::change::{Dice, asking, name_of, random_world, requirement};
use crate::oracle::{differences, fixture};
use crate::world::{package, project, world};

/// The lock as a plan has it.
fn plan_of(lock: &Lock) -> Lock {
    DxlView::open(&dxl::encode(lock, [0; 32])).unwrap().to_lock()
}

/// Asserts that the lock of a resolution is taken as a plan, and that the outcome is the same.
fn assert_taken(
    requirements: &Requirements,
    provider: &dyn Provider,
    options: &Options,
    label: &str,
) -> Option<Resolution> {
    let resolved = resolve(requirements, None, provider, options).ok()?;
    let is_declared = |target: &String| options.workspaces.contains(target);
    let mut links = resolved.lock.packages.iter().filter(|package| package.link);
    if links.any(|link| !link.resolved.as_ref().is_some_and(is_declared)) {
        // What only a linked folder needs stays as npm locked it. No plan has such folders.
        return None;
    }
    let taken = accept(requirements, (None, &plan_of(&resolved.lock)), provider, options);
    let taken =
        taken.unwrap_or_else(|refusal| panic!("{label}: {refusal:?} {:#?}", resolved.conflicts));
    assert_eq!(differences(&resolved.lock, &taken.lock), Vec::<String>::new(), "{label}");
    let installed = |one: &Resolution| -> Vec<(String, bool)> {
        let paths = one.lock.packages.iter().map(|package| package.path.clone());
        paths.zip(one.installed.iter().copied()).collect()
    };
    assert_eq!(installed(&taken), installed(&resolved), "{label}");
    assert_eq!(taken.conflicts, resolved.conflicts, "{label}");
    let unfit = |one: &Resolution| {
        let mut unfit = one.unfit.clone();
        unfit.sort_by(|a, b| a.path.cmp(&b.path));
        unfit
    };
    assert_eq!(unfit(&taken), unfit(&resolved), "{label}");
    // Of several dependents, the first that is met is named.
    let skipped = |one: &Resolution| {
        let what = one.skipped.iter().map(|text| text.split(", required by").next().unwrap());
        what.map(str::to_owned).collect::<BTreeSet<String>>()
    };
    // What was displaced in the end is not met again.
    assert!(skipped(&taken).is_subset(&skipped(&resolved)), "{label}");
    Some(resolved)
}

#[test]
fn the_lock_of_every_resolution_is_taken_as_it_is() {
    let (mut conflicts, mut skipped) = (0, 0);
    for case in fixture() {
        let step = &case.steps()[0];
        let (requirements, options) = (case.requirements(step), case.options(step));
        if let Some(taken) = assert_taken(&requirements, case, &options, &case.label()) {
            conflicts += usize::from(!taken.conflicts.is_empty());
            skipped += usize::from(!taken.skipped.is_empty());
        }
    }
    for seed in 1..=400_u64 {
        let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let world = random_world(&mut dice);
        let mut asked = Vec::new();
        for _ in 0..1 + dice.roll(6) {
            let one = requirement(&mut dice);
            if !asked.iter().any(|(_, other): &(usize, String)| name_of(other) == name_of(&one)) {
                asked.push((dice.roll(6), one));
            }
        }
        let requirements = world.requirements(&asking(project(&[]), &asked));
        let label = format!("seed {seed}");
        if let Some(taken) = assert_taken(&requirements, &world, &world.options, &label) {
            conflicts += usize::from(!taken.conflicts.is_empty());
            skipped += usize::from(!taken.skipped.is_empty());
        }
    }
    assert!(conflicts >= 5 && skipped > 20, "{conflicts} with conflicts, {skipped} with gaps");
}

#[test]
fn a_plan_that_is_wrong_is_not_taken() {
    let world = world([
        package("a@1.0.0").needs("b@^1"),
        package("a@2.0.0"),
        package("b@1.0.0"),
        package("b@1.1.0").optional("c@1"),
        package("b@2.0.0"),
        package("c@1.0.0"),
    ]);
    let requirements = world.requirements(&project(&["a@^1"]));
    let plan = plan_of(&resolve(&requirements, None, &world, &world.options).unwrap().lock);
    let accepts = |plan: &Lock| accept(&requirements, (None, plan), &world, &world.options).is_ok();
    assert!(accepts(&plan));
    let with = |change: &dyn Fn(&mut Lock)| {
        let mut plan = plan.clone();
        change(&mut plan);
        plan
    };
    let entry = |id: &str, path: &str| package(id).record(path);
    let at = |plan: &Lock, path: &str| {
        plan.packages.iter().position(|package| package.path == path).unwrap()
    };
    let wrong: [(&str, Lock); 6] = [
        (
            "a version that is not wanted",
            with(&|plan| {
                let at = at(plan, "node_modules/a");
                plan.packages[at] = entry("a@2.0.0", "node_modules/a");
            }),
        ),
        (
            "a package that is missing",
            with(&|plan| {
                plan.packages.retain(|package| package.path != "node_modules/b");
            }),
        ),
        (
            "an optional package that is there and left out",
            with(&|plan| {
                plan.packages.retain(|package| package.path != "node_modules/c");
            }),
        ),
        (
            "a package that nothing requires",
            with(&|plan| {
                plan.packages.push(entry("b@2.0.0", "node_modules/a/node_modules/q"));
            }),
        ),
        (
            "two packages that only require each other",
            with(&|plan| {
                let mut one = entry("b@1.0.0", "node_modules/x");
                one.dependencies = vec![("y".into(), "*".into())];
                let mut other = entry("c@1.0.0", "node_modules/y");
                other.dependencies = vec![("x".into(), "*".into())];
                plan.packages.extend([one, other]);
            }),
        ),
        (
            "a flag",
            with(&|plan| {
                let at = at(plan, "node_modules/b");
                plan.packages[at].dev = true;
            }),
        ),
    ];
    for (what, plan) in wrong {
        assert!(!accepts(&plan), "{what}");
    }
}

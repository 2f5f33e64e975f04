//! Properties of resolutions of random projects: those of `fixtures/oracle.jsonl`, with their
//! sections shuffled.
//!
//! The order of keys in the project's manifest and in every package's means nothing but in one
//! case, which is npm's too: `dependencies` that are also peers are looked at in the order of
//! sections, never of keys.

use dx_pkg_lock::{Lock, LockPackage};
use dx_pkg_resolve::{Requirements, resolve};
use proptest::prelude::*;

use crate::oracle::{differences, fixture};

/// The same list in another order; `seed` decides which.
fn shuffled<T>(list: &mut [T], seed: &mut u64) {
    for at in (1..list.len()).rev() {
        *seed ^= *seed << 13;
        *seed ^= *seed >> 7;
        *seed ^= *seed << 17;
        list.swap(at, usize::try_from(*seed % (at as u64 + 1)).unwrap());
    }
}

fn shuffle_manifest(manifest: &mut LockPackage, seed: &mut u64) {
    shuffled(&mut manifest.dependencies, seed);
    shuffled(&mut manifest.dev_dependencies, seed);
    shuffled(&mut manifest.optional_dependencies, seed);
    shuffled(&mut manifest.peer_dependencies, seed);
    shuffled(&mut manifest.peer_dependencies_meta, seed);
}

fn shuffle_requirements(requirements: &mut Requirements, mut seed: u64) {
    shuffle_manifest(&mut requirements.root, &mut seed);
    shuffled(&mut requirements.workspaces, &mut seed);
    for workspace in &mut requirements.workspaces {
        shuffle_manifest(workspace, &mut seed);
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(200)
    })]

    #[test]
    fn the_order_of_keys_never_changes_a_result(
        number in any::<prop::sample::Index>(),
        seed in 1u64..,
    ) {
        let case = number.get(fixture());
        let step = &case.steps()[0];
        let (requirements, options) = (case.requirements(step), case.options(step));
        let mut other = requirements.clone();
        shuffle_requirements(&mut other, seed);
        let same_registry = case.with_shuffled_registry(seed);
        let one = resolve(&requirements, None, case, &options);
        let two = resolve(&other, None, &same_registry, &options);
        match (one, two) {
            (Ok(one), Ok(two)) => {
                prop_assert_eq!(differences(&one.lock, &two.lock), Vec::<String>::new());
                prop_assert_eq!(one.conflicts, two.conflicts);
            }
            (one, two) => prop_assert_eq!(one.is_ok(), two.is_ok()),
        }
    }
}

#[test]
fn installing_from_ones_own_lockfile_changes_nothing() {
    for case in fixture() {
        let step = &case.steps()[0];
        let (requirements, options) = (case.requirements(step), case.options(step));
        let Ok(first) = resolve(&requirements, None, case, &options) else { continue };
        if !first.skipped.is_empty() || !first.conflicts.is_empty() {
            continue;
        }
        let again = resolve(&requirements, Some(&first.lock), case, &options).unwrap();
        if step["stable"] == true {
            assert_eq!(
                differences(&first.lock, &again.lock),
                Vec::<String>::new(),
                "{}",
                case.label()
            );
            assert!(!again.changed, "{}", case.label());
        }
        let third = resolve(&requirements, Some(&again.lock), case, &options).unwrap();
        assert_eq!(differences(&again.lock, &third.lock), Vec::<String>::new(), "{}", case.label());
        let asked = case.questions();
        let fourth = resolve(&requirements, Some(&third.lock), case, &options).unwrap();
        assert!(!fourth.changed, "{}", case.label());
        assert_eq!(
            case.questions(),
            asked,
            "{} asks again {:?} {:?}",
            case.label(),
            fourth.skipped,
            fourth.conflicts
        );
    }
}

/// The dependencies of `entry` that are missing or out of range, apart from reported conflicts.
fn unmet<'l>(lock: &'l Lock, entry: &'l LockPackage) -> impl Iterator<Item = &'l str> {
    let index = lock.index();
    let is_optional =
        |name: &str| entry.optional_dependencies.iter().any(|(other, _)| other == name);
    entry
        .dependencies
        .iter()
        .filter(move |(name, _)| !is_optional(name))
        .filter(move |(name, _)| index.resolve(&entry.path, name).is_none())
        .map(|(name, _)| name.as_str())
}

#[test]
fn every_required_dependency_is_found_where_node_looks_for_it() {
    for case in fixture() {
        let step = &case.steps()[0];
        let Ok(resolution) = resolve(&case.requirements(step), None, case, &case.options(step))
        else {
            continue;
        };
        let inert = |path: &str| {
            let position =
                resolution.lock.packages.iter().position(|entry| entry.path == path).unwrap();
            !resolution.installed[position]
        };
        for entry in
            resolution.lock.packages.iter().filter(|entry| !entry.link && !inert(&entry.path))
        {
            let missing: Vec<&str> = unmet(&resolution.lock, entry).collect();
            assert!(missing.is_empty(), "{}: {} lacks {missing:?}", case.label(), entry.path);
        }
    }
}

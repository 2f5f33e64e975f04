//! What is said of peer conflicts is true of the tree: the dependent is in it, the version is the
//! one that it finds, and the range does not include that.

use dx_pkg_core::{Spec, Version};
use dx_pkg_lock::{LockIndex, LockPackage};
use dx_pkg_resolve::peers::Conflict;
use dx_pkg_resolve::{Resolution, ResolveError};

use crate::change::Dice;
use crate::oracle::fixture;
use crate::world::{Package, World, package, project, rule, tree, world};

/// Returns the version that a package at `path` gets for `name`; through a link too.
fn version_at<'l>(index: &LockIndex<'l>, path: &str, name: &str) -> Option<&'l str> {
    let found = index.resolve(path, name)?;
    let target = found.resolved.as_deref().filter(|_| found.link);
    let found = target.map_or(Some(found), |target| index.get(target))?;
    found.version.as_deref()
}

fn satisfies(version: &str, range: &str) -> bool {
    fn fits(version: &Version, spec: Spec) -> bool {
        match spec {
            Spec::Range(range) => range.satisfies(version),
            Spec::Version(exact) => exact == *version,
            Spec::Tag(_) => true,
            Spec::Alias { spec, .. } => fits(version, *spec),
            other => panic!("{other:?}"),
        }
    }
    fits(&Version::parse(version).unwrap(), Spec::parse(range).unwrap())
}

fn all_requirements(entry: &LockPackage) -> impl Iterator<Item = &(String, String)> {
    entry
        .dependencies
        .iter()
        .chain(&entry.dev_dependencies)
        .chain(&entry.optional_dependencies)
        .chain(&entry.peer_dependencies)
}

/// Checks every conflict against the lock; `overridden` if requirements differ from the manifests'.
#[track_caller]
fn assert_true(resolution: &Resolution, overridden: bool, label: &str) {
    let index = resolution.lock.index();
    for conflict in &resolution.conflicts {
        let label = format!("{label}: {conflict} {:?}", tree(resolution));
        let position = index.position(&conflict.path).unwrap_or_else(|| panic!("{label}"));
        assert!(resolution.installed[position], "{label}");
        let entry = &resolution.lock.packages[position];
        let name = dx_pkg_lock::name_of_path(&entry.path);
        let version = entry.version.as_deref().unwrap_or("?");
        let own = entry.name.clone().unwrap_or_else(|| "the project".to_owned());
        let labels = [format!("{name}@{version}"), format!("{own}@{version}"), own];
        assert!(labels.contains(&conflict.dependent), "{label}");
        let requirement = (conflict.name.clone(), conflict.wants.clone());
        assert!(overridden || entry.peer_dependencies.contains(&requirement), "{label}");
        let at = conflict.used_by.as_deref().unwrap_or(&conflict.path);
        let found = version_at(&index, at, &conflict.name);
        assert_eq!(found, conflict.found.as_deref(), "{label}");
        assert!(!found.is_some_and(|found| satisfies(found, &conflict.wants)), "{label}");
        if let Some(folder) = &conflict.used_by {
            let importer = index.get(folder).unwrap();
            let mut own = all_requirements(importer);
            assert!(own.any(|(name, _)| *name == conflict.name), "{label}");
        }
        if let Some(because) = &conflict.found_because {
            let (who, what) = because.split_once(" requires ").unwrap();
            let is_who = |entry: &&LockPackage| {
                let version = entry.version.as_deref().unwrap_or("?");
                let name = dx_pkg_lock::name_of_path(&entry.path);
                [format!("{}@{version}", entry.package_name()), format!("{name}@{version}")]
                    .iter()
                    .any(|label| label == who)
                    || entry.path.is_empty()
            };
            let name = &conflict.name;
            let range = what.strip_prefix(&format!("{name}@")).unwrap();
            let requires = |entry: &LockPackage| {
                overridden || all_requirements(entry).any(|pair| pair.0 == *name && pair.1 == range)
            };
            let mut requirers = resolution.lock.packages.iter().filter(is_who);
            assert!(requirers.any(requires), "{label}");
            assert!(satisfies(conflict.found.as_deref().unwrap(), range), "{label}");
        }
    }
    let texts: Vec<String> = resolution.conflicts.iter().map(Conflict::to_string).collect();
    let mut once = texts.clone();
    once.sort();
    once.dedup();
    assert_eq!(once.len(), texts.len(), "{label}: {texts:?}");
}

/// Checks that every peer that finds an unfit version is told of.
#[track_caller]
fn assert_complete(resolution: &Resolution, label: &str) {
    let index = resolution.lock.index();
    let packages = resolution.lock.packages.iter().zip(&resolution.installed);
    for (entry, _) in packages.filter(|(entry, installed)| **installed && !entry.in_bundle) {
        for (name, range) in &entry.peer_dependencies {
            let Some(found) = version_at(&index, &entry.path, name) else { continue };
            // What is required in another section too is no peer.
            if all_requirements(entry).filter(|(other, _)| other == name).count() > 1 {
                continue;
            }
            let is_told = resolution.conflicts.iter().any(|conflict| {
                (&conflict.name, &conflict.wants) == (name, range)
                    && (conflict.path == entry.path || conflict.places > 1)
                    && conflict.found.as_deref() == Some(found)
                    && conflict.used_by.is_none()
            });
            let text = format!("{label}: {} needs {name}@{range}, {found}", entry.path);
            assert_eq!(!satisfies(found, range), is_told, "{text}");
        }
    }
}

const NAMES: [&str; 7] = ["pine", "birch", "cedar", "sorb", "alder", "@s/elm", "@s/oak"];
const VERSIONS: [&str; 4] = ["1.0.0", "2.0.0", "2.1.0", "3.0.0"];
const RANGES: [&str; 7] = ["*", "^1.0.0", "^2.0.0", "^2.1.0", "3", ">=2.0.0", "1 || 3"];

fn requirement(dice: &mut Dice) -> String {
    format!("{}@{}", dice.one(&NAMES), dice.one(&RANGES))
}

/// Returns a registry in which every other requirement is a peer.
fn peers(dice: &mut Dice) -> World {
    let mut packages = Vec::new();
    for name in NAMES {
        for version in VERSIONS {
            let mut next = package(&format!("{name}@{version}"));
            for _ in 0..dice.roll(3) {
                let asked = requirement(dice);
                next = match dice.roll(6) {
                    0 => next.needs(&asked),
                    1 => next.optional(&asked),
                    2 => next.optional_peer(&asked),
                    _ => next.peer(&asked),
                };
            }
            packages.push(next);
        }
    }
    world(packages)
}

fn importer(dice: &mut Dice, id: &str) -> Package {
    (0..1 + dice.roll(4)).fold(package(id), |next, _| {
        let asked = requirement(dice);
        match dice.roll(8) {
            0 => next.dev(&asked),
            1 => next.peer(&asked),
            _ => next.needs(&asked),
        }
    })
}

#[test]
fn what_is_said_is_true_in_generated_projects() {
    let (mut told, mut resolved, mut of_workspaces) = (0, 0, 0);
    for seed in 1..1500_u64 {
        let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        let mut world = peers(&mut dice);
        for folder in ["packages/w-a", "packages/w-b"] {
            if dice.roll(2) == 0 {
                let name = folder.strip_prefix("packages/").unwrap();
                let manifest = importer(&mut dice, &format!("{name}@1.0.0"));
                world = world.workspace(folder, manifest);
            }
        }
        let overridden = dice.roll(4) == 0;
        if overridden {
            let (name, version) = (dice.one(&NAMES), dice.one(&VERSIONS));
            world.overrides.push(rule(name, Some(version), Vec::new()));
        }
        let project = importer(&mut dice, "project@1.0.0");
        let label = format!("seed {seed}");
        let Ok(first) = world.try_install(&project, None) else { continue };
        resolved += 1;
        told += first.conflicts.len();
        of_workspaces += first.conflicts.iter().filter(|one| one.used_by.is_some()).count();
        assert_true(&first, overridden, &label);
        if !overridden {
            assert_complete(&first, &label);
        }
        let again = world.try_install(&project, Some(&first.lock)).unwrap();
        assert_true(&again, overridden, &label);
        if !again.changed {
            assert_eq!(first.conflicts, again.conflicts, "{label}");
        }
        world.options.strict_peer_deps = true;
        match world.try_install(&project, None) {
            Err(ResolveError::PeerConflict(conflicts)) => assert!(!conflicts.is_empty(), "{label}"),
            Err(_) => {}
            Ok(strict) => assert!(!strict.refused_by_npm, "{label}"),
        }
    }
    assert!(
        resolved > 800 && told > 500 && of_workspaces > 20,
        "{resolved} {told} {of_workspaces}"
    );
}

#[test]
fn what_is_said_is_true_in_npms_own_cases() {
    let mut told = 0;
    for case in fixture() {
        let step = &case.steps()[0];
        let options = case.options(step);
        let requirements = case.requirements(step);
        let outcome = dx_pkg_resolve::resolve(&requirements, None, case, &options);
        let Ok(resolution) = outcome else { continue };
        told += resolution.conflicts.len();
        assert_true(&resolution, !requirements.overrides.is_empty(), &case.label());
    }
    assert!(told > 5, "{told}");
}

fn eslint() -> World {
    world([
        package("eslint@8.57.1"),
        package("eslint@9.39.1"),
        package("@ts/parser@7.18.0").peer("eslint@^8.56.0"),
    ])
}

#[test]
fn a_workspace_that_uses_another_version_than_its_plugin_is_named() {
    let world = eslint()
        .workspace("packages/a", package("a@1.0.0").needs("eslint@^9.9.0"))
        .workspace("packages/b", package("b@1.0.0").needs("@ts/parser@^7"))
        .workspace("packages/c", package("c@1.0.0").needs("eslint@^9.9.0").needs("@ts/parser@^7"));
    let resolution = world.install(&project(&[]));
    assert_true(&resolution, false, "workspaces");
    let texts: Vec<String> = resolution.conflicts.iter().map(Conflict::to_string).collect();
    let told = "@ts/parser@7.18.0 needs eslint@^8.56.0, but packages/c uses it with eslint@9.39.1";
    assert_eq!(texts, [told], "{:?}", tree(&resolution));
}

/// Returns a plugin that needs an older host than the newest.
fn hosts() -> World {
    world([package("host@1.0.0"), package("host@2.0.0"), package("plugin@1.0.0").peer("host@^1")])
}

#[test]
fn an_override_that_settles_a_peer_leaves_nothing_to_say() {
    let told = |world: &World| {
        let first = world.install(&project(&["plugin@1", "host@^2"]));
        let again = world.install_from(&project(&["plugin@1", "host@^2"]), &first.lock);
        assert_eq!(first.conflicts, again.conflicts);
        first.conflicts.len()
    };
    assert_eq!(told(&hosts()), 1);
    assert_eq!(told(&hosts().overriding("host", "$host")), 0);
    // Also where the lockfile is older than the override.
    let before = hosts().install(&project(&["plugin@1", "host@^2"]));
    let world = hosts().overriding("host", "$host");
    let after = world.install_from(&project(&["plugin@1", "host@^2"]), &before.lock);
    assert!(after.conflicts.is_empty(), "{:?}", after.conflicts);
    let mut nested = hosts();
    nested.overrides.push(rule("plugin", None, vec![rule("host", Some("^2"), Vec::new())]));
    assert_eq!(told(&nested), 0);
}

#[test]
fn a_nested_dependent_is_named_with_its_folder() {
    let world = world([
        package("host@1.0.0"),
        package("host@2.0.0"),
        package("tool@1.0.0").needs("plugin@1").peer("host@^2"),
        package("plugin@1.0.0").peer("host@^1"),
        package("plugin@2.0.0"),
    ]);
    let resolution = world.install(&project(&["tool@1", "host@^2", "plugin@2"]));
    assert_true(&resolution, false, "nested");
    let texts: Vec<String> = resolution.conflicts.iter().map(Conflict::to_string).collect();
    let told = "plugin@1.0.0 (in node_modules/tool) needs host@^1, but found host@2.0.0 \
                (project requires host@^2)";
    assert_eq!(texts, [told], "{:?}", tree(&resolution));
}

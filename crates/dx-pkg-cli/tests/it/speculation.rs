//! Speculative requests change the times of an install, never its result.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use dx_pkg_testkit::{Fault, Project, ProjectBuilder, Registry};
use proptest::prelude::*;
use serde_json::Value;

use crate::harness::{dx, impatient, ok, tree};

/// A delay after which all speculative requests have been sent.
const LATE: Fault = Fault::Delay(Duration::from_millis(500));

/// Returns a chain of dependencies from `a` to `e`, whose packuments are stale at once.
fn registry() -> Registry {
    let registry = Registry::start();
    registry.cache_control("max-age=0");
    for pair in ["ab", "bc", "cd", "de"] {
        registry.package(&pair[..1], "1.0.0").dep(&pair[1..], "^1").publish();
    }
    registry.package("e", "1.0.0").publish();
    registry
}

fn requests_for(registry: &Registry, name: &str) -> usize {
    registry.requests().iter().filter(|request| request.path == format!("/{name}")).count()
}

/// Returns a project that installed `a` once, so that its store predicts requests but has
/// no packument for others.
fn teacher_of(registry: &Registry) -> Project {
    let teacher = Project::new(registry).dep("a", "^1").create();
    ok(&teacher, ["install"]);
    registry.clear_requests();
    teacher
}

fn pupil(registry: &Registry, teacher: &Project) -> ProjectBuilder {
    impatient(registry).dep("a", "^1").store(teacher.store())
}

#[test]
fn predicted_packuments_are_requested_before_the_first_response() {
    let registry = registry();
    let teacher = teacher_of(&registry);
    // Without a response, only the prediction names dependencies of `a`.
    registry.fault("/a", Fault::Stall);
    let project = pupil(&registry, &teacher).create();
    assert_eq!(dx(&project, ["install"]).status, Some(1));
    for name in ["b", "c", "d", "e"] {
        assert_eq!(requests_for(&registry, name), 1, "{name}");
    }
}

#[test]
fn nothing_is_requested_ahead_if_the_settings_forbid_it() {
    for setting in ["speculative-fetch=false", "prefer-offline=true"] {
        let registry = registry();
        let teacher = teacher_of(&registry);
        forget_packuments(&teacher);
        registry.fault("/a", Fault::Stall);
        let project = pupil(&registry, &teacher).npmrc(setting).create();
        assert_eq!(dx(&project, ["install"]).status, Some(1));
        assert!(requests_for(&registry, "a") > 0);
        for name in ["b", "c", "d", "e"] {
            assert_eq!(requests_for(&registry, name), 0, "{setting}: {name}");
        }
    }
}

fn metadata_files(project: &Project) -> Vec<PathBuf> {
    let folders = fs::read_dir(project.store().join("v1/metadata")).unwrap();
    folders
        .filter_map(|folder| fs::read_dir(folder.unwrap().path()).ok())
        .flatten()
        .map(|file| file.unwrap().path())
        .collect()
}

fn forget_packuments(project: &Project) {
    for file in metadata_files(project).iter().filter(|file| !file.ends_with("chain.dxc")) {
        fs::remove_file(file).unwrap();
    }
}

#[test]
fn locked_install_requests_no_metadata() {
    let registry = registry();
    let teacher = teacher_of(&registry);
    let lock = teacher.read("package-lock.json");
    let project = pupil(&registry, &teacher).file("package-lock.json", lock).create();
    ok(&project, ["install"]);
    assert_eq!(registry.metadata_requests(), 0);
}

#[test]
fn failed_prediction_that_is_not_needed_is_ignored() {
    for fault in
        [Fault::status(404), Fault::status(500), Fault::Drop, Fault::bad_json(), Fault::Stall]
    {
        let registry = registry();
        let teacher = teacher_of(&registry);
        registry.package("a", "1.1.0").publish();
        registry.fault("/a", LATE);
        let faulty = registry.fault("/b", fault.clone());
        let project = pupil(&registry, &teacher).create();
        let run = ok(&project, ["install"]);
        assert_eq!(run.stderr, "", "{fault:?}");
        assert_eq!(project.installed(), tree([("a", "a@1.1.0")]));
        assert!(faulty.hits() > 0, "{fault:?} did not strike");
    }
}

#[test]
fn failed_prediction_that_is_needed_fails_the_install() {
    let registry = registry();
    let teacher = teacher_of(&registry);
    registry.fault("/d", Fault::status(404));
    let run = dx(&pupil(&registry, &teacher).create(), ["install"]);
    assert_eq!(run.status, Some(1));
    assert!(run.stderr.contains("[DX_PACKAGE_NOT_FOUND]"), "{run}");
}

#[test]
fn statistics_count_requests_ahead_and_unused_ones() {
    let registry = registry();
    let teacher = teacher_of(&registry);
    let statistics = |project: &Project| {
        let report: Value =
            serde_json::from_str(&ok(project, ["install", "--json"]).stdout).unwrap();
        ["speculated", "speculation_used", "speculation_wasted_bytes"].map(|name| {
            report["statistics"][name].as_u64().unwrap_or_else(|| panic!("no {name}: {report}"))
        })
    };
    registry.fault("/a", LATE);
    assert_eq!(statistics(&pupil(&registry, &teacher).create()), [4, 4, 0]);
    // `a` has no dependency any more, and `b` has changed, so that its response has a body.
    registry.package("a", "1.1.0").publish();
    registry.package("b", "1.0.1").publish();
    let [speculated, used, wasted] = statistics(&pupil(&registry, &teacher).create());
    assert_eq!((speculated, used), (4, 0));
    assert!(wasted > 100, "{wasted}");
}

#[test]
fn packages_of_another_registry_are_never_requested_ahead() {
    let (registry, private) = (registry(), Registry::start());
    private.package("@private/inner", "1.0.0").publish();
    private.package("@private/outer", "1.0.0").dep("@private/inner", "^1").publish();
    let scoped = format!("@private:registry={}", private.url());
    let teacher =
        Project::new(&registry).dep("@private/outer", "^1").dep("a", "^1").npmrc(&scoped).create();
    ok(&teacher, ["install"]);
    registry.clear_requests();
    registry.fault("/@private/outer", Fault::Stall);
    let project = pupil(&registry, &teacher).dep("@private/outer", "^1").create();
    assert_eq!(dx(&project, ["install"]).status, Some(1));
    assert_eq!(requests_for(&registry, "@private/inner"), 0);
}

#[test]
fn damaged_chain_is_ignored() {
    let registry = registry();
    let teacher = teacher_of(&registry);
    let chains: Vec<_> =
        metadata_files(&teacher).into_iter().filter(|file| file.ends_with("chain.dxc")).collect();
    assert_eq!(chains.len(), 1);
    let mut bytes = fs::read(&chains[0]).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&chains[0], &bytes).unwrap();
    ok(&pupil(&registry, &teacher).create(), ["install"]);
    assert_ne!(fs::read(&chains[0]).unwrap(), bytes, "it is learnt anew");
}

/// The versions of each package, each with its dependencies.
type World = BTreeMap<String, Vec<Vec<(String, u8)>>>;

const NAMES: [&str; 7] = ["a", "b", "c", "d", "e", "f", "gone"];

fn worlds() -> impl Strategy<Value = World> {
    let dependency = (proptest::sample::select(&NAMES[..]), 1u8..4)
        .prop_map(|(name, major)| (name.to_owned(), major));
    let versions = proptest::collection::vec(proptest::collection::vec(dependency, 0..3), 1..4);
    proptest::collection::btree_map(
        proptest::sample::select(&NAMES[..6]).prop_map(str::to_owned),
        versions,
        3..7,
    )
}

fn publish(registry: &Registry, world: &World) {
    for (name, versions) in world {
        for (number, dependencies) in versions.iter().enumerate() {
            let mut package = registry.package(name, &format!("{}.0.0", number + 1));
            for (dependency, major) in dependencies {
                package = match major {
                    3 => package.optional(dependency, "*"),
                    major => package.dep(dependency, &format!("^{major}")),
                };
            }
            package.publish();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn install_has_the_same_result_with_and_without_speculation(
        before in worlds(),
        after in worlds(),
        roots in proptest::sample::subsequence(&NAMES[..6], 1..4),
    ) {
        let outcome = |registry: &Registry, store: Option<&Project>, setting: &str| {
            let mut builder = impatient(registry).npmrc(setting);
            for root in &roots {
                builder = builder.dep(root, "*");
            }
            if let Some(store) = store {
                builder = builder.store(store.store());
            }
            let project = builder.create();
            let run = dx(&project, ["install"]);
            let lock = project.exists("package-lock.json").then(|| project.json("package-lock.json")["packages"].clone());
            let messages: Vec<String> = run.stderr.lines().map(str::to_owned).collect();
            (project, run.status, lock, messages)
        };
        // The predictions of one world are used in another, at the same address: the packages of
        // the first are gone.
        let registry = Registry::start();
        registry.cache_control("max-age=0");
        publish(&registry, &before);
        let (teacher, ..) = outcome(&registry, None, "speculative-fetch=true");
        for (name, versions) in &before {
            (1..=versions.len()).for_each(|number| registry.unpublish(name, &format!("{number}.0.0")));
        }
        publish(&registry, &after);
        let (_, status, lock, messages) = outcome(&registry, Some(&teacher), "speculative-fetch=true");
        let (_, expected_status, expected_lock, expected_messages) = outcome(&registry, None, "speculative-fetch=false");
        prop_assert_eq!(status, expected_status);
        prop_assert_eq!(lock, expected_lock);
        prop_assert_eq!(messages, expected_messages);
    }
}

use dx_pkg_format::chain::Chain;
use dx_pkg_lock::{Lock, LockPackage};

use super::*;

/// A resolution: each package with what it depends on.
/// A package, its major version, and what it asks for.
type Told<'a, 'l> = (&'a str, u32, &'l [(&'a str, u32)]);

fn resolution<'a>(packages: &[Told<'a, '_>]) -> Vec<Observation<'a>> {
    packages
        .iter()
        .map(|(name, major, next)| Observation { name, major: *major, next: next.to_vec() })
        .collect()
}

/// A chain that has learnt these, one after the other.
fn learnt(resolutions: &[Vec<Observation<'_>>]) -> Vec<u8> {
    resolutions.iter().fold(Vec::new(), |bytes, resolution| {
        learn(Chain::decode(&bytes).ok(), resolution, 1_700_000_000_000).unwrap()
    })
}

fn predicted(chains: &[&[u8]], seeds: &[(&str, Option<u32>)], least: u32) -> Vec<String> {
    let chains: Vec<Chain<'_>> = chains.iter().map(|bytes| Chain::decode(bytes).unwrap()).collect();
    let seeds: Vec<Seed> = seeds
        .iter()
        .map(|(name, major)| Seed { name: (*name).to_owned(), major: *major })
        .collect();
    predict(&chains, &seeds, least)
        .into_iter()
        .map(|prediction| prediction.name.to_owned())
        .collect()
}

#[test]
fn the_whole_closure_is_predicted_the_nearest_first() {
    let once = resolution(&[
        ("a", 1, &[("b", 1), ("z", 1)]),
        ("b", 1, &[("c", 2)]),
        ("c", 2, &[("a", 1)]),
        ("z", 1, &[]),
        ("other", 1, &[("unrelated", 1)]),
        ("unrelated", 1, &[]),
    ]);
    let bytes = learnt(&[once]);
    assert_eq!(predicted(&[&bytes], &[("a", Some(1))], 1), ["b", "z", "c"]);
    assert_eq!(predicted(&[&bytes], &[("b", Some(1)), ("c", Some(2))], 1), ["a", "z"]);
    assert!(predicted(&[&bytes], &[("unknown", None)], 1).is_empty());
}

#[test]
fn what_was_seen_half_the_time_is_half_as_likely() {
    let with = resolution(&[
        ("a", 1, &[("b", 1), ("c", 1)]),
        ("b", 1, &[]),
        ("c", 1, &[("d", 1)]),
        ("d", 1, &[]),
    ]);
    let without = resolution(&[("a", 1, &[("b", 1)]), ("b", 1, &[])]);
    let bytes = learnt(&[with, without]);
    let chain = Chain::decode(&bytes).unwrap();
    assert_eq!(chain.resolutions(), 2);
    let seeds = [Seed::of("a", "^1").unwrap()];
    let likelihoods: Vec<_> = predict(&[chain], &seeds, 1)
        .iter()
        .map(|found| (found.name, found.likelihood * 100 / CERTAIN))
        .collect();
    assert_eq!(likelihoods, [("b", 100), ("c", 50), ("d", 50)]);
    assert_eq!(predicted(&[&bytes], &[("a", Some(1))], CERTAIN * 6 / 10), ["b"]);
}

#[test]
fn a_dependency_that_is_gone_is_forgotten_after_a_while() {
    let with = resolution(&[("a", 1, &[("b", 1)]), ("b", 1, &[])]);
    let without = resolution(&[("a", 1, &[])]);
    let mut resolutions = vec![with];
    let mut forgotten = None;
    for count in 1..100 {
        resolutions.push(without.clone());
        if predicted(&[&learnt(&resolutions)], &[("a", Some(1))], 0).is_empty() {
            forgotten = Some(count);
            break;
        }
    }
    assert!(forgotten.is_some_and(|count| count > 3), "{forgotten:?}");
}

#[test]
fn each_major_leads_its_own_way_and_an_unknown_one_that_of_the_nearest() {
    let bytes = learnt(&[
        resolution(&[("a", 1, &[("old", 1)]), ("old", 1, &[])]),
        resolution(&[("a", 4, &[("new", 1)]), ("new", 1, &[])]),
    ]);
    assert_eq!(predicted(&[&bytes], &[("a", Some(1))], 1), ["old"]);
    assert_eq!(predicted(&[&bytes], &[("a", Some(4))], 1), ["new"]);
    assert_eq!(predicted(&[&bytes], &[("a", None)], 1), ["new"]);
    assert_eq!(predicted(&[&bytes], &[("a", Some(5))], 1), ["new"]);
    assert_eq!(predicted(&[&bytes], &[("a", Some(2))], 1), ["old"]);
    assert!(
        predicted(&[&bytes], &[("a", Some(2))], CERTAIN * 9 / 10).is_empty(),
        "it is less likely"
    );
}

#[test]
fn the_first_chain_that_knows_a_package_tells_and_others_tell_the_rest() {
    let own = learnt(&[resolution(&[("a", 1, &[("b", 1)]), ("b", 1, &[])])]);
    let others = learnt(&[resolution(&[
        ("a", 1, &[("x", 1)]),
        ("x", 1, &[]),
        ("c", 1, &[("y", 1)]),
        ("y", 1, &[]),
    ])]);
    assert_eq!(predicted(&[&own, &others], &[("a", Some(1)), ("c", Some(1))], 1), ["b", "y"]);
    assert_eq!(predicted(&[&others, &own], &[("a", Some(1))], 1), ["x"]);
}

#[test]
fn the_order_of_a_resolution_makes_no_difference() {
    let packages = resolution(&[
        ("a", 1, &[("b", 1), ("c", 1)]),
        ("b", 1, &[]),
        ("a", 1, &[("d", 1)]),
        ("c", 1, &[]),
        ("d", 2, &[]),
    ]);
    let reversed: Vec<_> = packages.iter().rev().cloned().collect();
    assert_eq!(learnt(&[packages]), learnt(&[reversed]));
}

#[test]
fn a_chain_stays_bounded_and_keeps_what_was_seen_last() {
    let names: Vec<String> = (0..9000).map(|number| format!("package-{number}")).collect();
    let (before, after) = names.split_at(5000);
    let all = |names: &'static [String]| -> Vec<Observation<'static>> {
        names.iter().map(|name| Observation { name, major: 1, next: vec![("shared", 1)] }).collect()
    };
    let bytes = learnt(&[all(before.to_vec().leak()), all(after.to_vec().leak())]);
    let chain = Chain::decode(&bytes).unwrap();
    assert_eq!(chain.len(), 8192);
    assert!(after.iter().all(|name| chain.find(name, 1).is_some()));
    assert!(bytes.len() < 600_000, "{}", bytes.len());
}

#[test]
fn a_lock_tells_packages_of_registries_with_what_they_find() {
    let package = |path: &str, version: &str, dependencies: &[&str]| LockPackage {
        path: path.to_owned(),
        version: Some(version.to_owned()),
        dependencies: dependencies
            .iter()
            .map(|name| ((*name).to_owned(), "*".to_owned()))
            .collect(),
        ..LockPackage::default()
    };
    let from = |resolved: &str, path: &str| LockPackage {
        resolved: Some(resolved.to_owned()),
        ..package(path, "1.0.0", &[])
    };
    let mut peer = package("node_modules/a", "1.2.3", &["b", "missing", "private", "local"]);
    peer.peer_dependencies =
        vec![("p".to_owned(), "*".to_owned()), ("q".to_owned(), "*".to_owned())];
    peer.peer_dependencies_meta = vec![("q".to_owned(), true)];
    let lock = Lock {
        packages: vec![
            package("", "1.0.0", &["a"]),
            package("packages/own", "1.0.0", &["a"]),
            peer,
            package("node_modules/a/node_modules/b", "2.0.0", &[]),
            package("node_modules/b", "1.0.0", &[]),
            package("node_modules/p", "0.3.0", &[]),
            package("node_modules/q", "1.0.0", &[]),
            package("node_modules/private", "1.0.0", &[]),
            LockPackage { in_bundle: true, ..package("node_modules/inside", "1.0.0", &[]) },
            from("git+ssh://git@example.com/a.git#0123456", "node_modules/repository"),
            from("file:lib.tgz", "node_modules/local"),
        ],
        ..Lock::default()
    };
    // Names of what comes from elsewhere may be private.
    let told = observations(&lock, |name| name != "private");
    let expected = [
        ("a", 1, vec![("b", 2), ("p", 0)]),
        ("b", 2, vec![]),
        ("b", 1, vec![]),
        ("p", 0, vec![]),
        ("q", 1, vec![]),
    ];
    assert_eq!(told, expected.map(|(name, major, next)| Observation { name, major, next }));
}

#[test]
fn a_requirement_tells_the_newest_major_it_lets_through() {
    let seed = |spec: &str| Seed::of("a", spec).map(|seed| (seed.name, seed.major));
    for (spec, major) in [
        ("^1.2.3", Some(1)),
        ("~2.0", Some(2)),
        ("3.x", Some(3)),
        ("=4.5.6", Some(4)),
        ("1.0.0-rc.1", Some(1)),
        ("^16 || ^18.2 || 17", Some(18)),
        ("1 - 2", Some(1)),
        ("^0.5", Some(0)),
        ("*", None),
        ("", None),
        (">=3", None),
        ("^1 || *", None),
        ("<9", None),
        ("latest", None),
        ("99999999999999", None),
    ] {
        assert_eq!(seed(spec), Some(("a".to_owned(), major)), "{spec}");
    }
    assert_eq!(seed("npm:b@^7"), Some(("b".to_owned(), Some(7))));
    for spec in
        ["file:../a", "git+ssh://git@example.com/a.git", "workspace:*", "https://example.com/a.tgz"]
    {
        assert_eq!(seed(spec), None, "{spec}");
    }
}

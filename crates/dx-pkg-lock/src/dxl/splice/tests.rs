use proptest::prelude::*;

use super::super::tests::sample;
use super::super::{DxlView, encode};
use super::splice;
use crate::{Lock, LockPackage};

/// Few names and few texts, so that entries share most of their strings.
fn entry() -> impl Strategy<Value = LockPackage> {
    let text = || prop::sample::select(vec!["", "a", "b", "^1.0.0", "MIT", "node_modules/a", "é"]);
    let pairs = || prop::collection::vec((text(), text()), 0..3);
    (
        (prop::sample::select(vec!["a", "b", "c-d", "c", "@s/e"]), 0..3_usize),
        (prop::option::of(text()), prop::option::of(text()), any::<bool>(), any::<bool>()),
        (pairs(), pairs(), pairs(), prop::collection::vec((text(), any::<bool>()), 0..3)),
    )
        .prop_map(
            |((name, depth), (version, license, dev, script), (bin, dependencies, extra, meta))| {
                let owned = |pairs: Vec<(&str, &str)>| {
                    pairs.into_iter().map(|(a, b)| (a.to_owned(), b.to_owned())).collect::<Vec<_>>()
                };
                LockPackage {
                    path: format!("{}node_modules/{name}", "node_modules/a/".repeat(depth)),
                    version: version.map(str::to_owned),
                    license: license.map(str::to_owned),
                    dev,
                    has_install_script: script,
                    bin: owned(bin),
                    dependencies: owned(dependencies),
                    extra: owned(extra),
                    peer_dependencies_meta: meta
                        .into_iter()
                        .map(|(name, set)| (name.to_owned(), set))
                        .collect(),
                    ..LockPackage::default()
                }
            },
        )
}

fn entries() -> impl Strategy<Value = Vec<LockPackage>> {
    prop::collection::vec(entry(), 0..8).prop_map(|packages| {
        let mut lock = Lock { packages, ..Lock::default() };
        lock.normalise();
        lock.packages.dedup_by(|a, b| a.path == b.path);
        lock.packages
    })
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(if cfg!(miri) { 4 } else { 512 })
    })]

    #[test]
    fn a_spliced_file_is_the_one_that_would_be_encoded(
        before in entries(),
        changed in entries(),
        gone in any::<u8>(),
    ) {
        let lock = |packages: Vec<LockPackage>| {
            Lock { name: Some("a".into()), format_version: 3, packages, ..Lock::default() }
        };
        let is_gone = |at: usize, package: &LockPackage| {
            gone & (1 << at) != 0 && changed.iter().all(|other| other.path != package.path)
        };
        let removed: Vec<&str> = before
            .iter()
            .enumerate()
            .filter(|(at, package)| is_gone(*at, package))
            .map(|(_, package)| package.path.as_str())
            .collect();
        let stays = |package: &&LockPackage| {
            !removed.contains(&package.path.as_str())
                && changed.iter().all(|other| other.path != package.path)
        };
        let after = before.iter().filter(stays).chain(&changed).cloned().collect();
        let bytes = encode(&lock(before.clone()), [1; 32]);
        let view = DxlView::open(&bytes).unwrap();
        prop_assert!(splice(&view, &removed, &changed, [2; 32]) == encode(&lock(after), [2; 32]));
    }
}

#[test]
fn every_field_is_carried_over() {
    let bytes = encode(&sample(), [1; 32]);
    let spliced = splice(&DxlView::open(&bytes).unwrap(), &[], &[], [3; 32]);
    assert!(spliced == encode(&sample(), [3; 32]));
    let mut other = sample();
    other.packages[1].version = Some("9.9.9".into());
    let spliced = splice(&DxlView::open(&bytes).unwrap(), &[], &other.packages[1..2], [3; 32]);
    assert!(spliced == encode(&other, [3; 32]));
}

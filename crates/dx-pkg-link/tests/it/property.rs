//! A changed tree equals a freshly built one.

use std::collections::BTreeMap;

use dx_pkg_link::{LinkOptions, Placement, PlacementSource, Tree};
use proptest::prelude::*;

use crate::world::{WithBins, World, link, package};

const NAMES: [&str; 5] = ["a", "b", "a-b", "@s/a", "@s/c"];
const IMPORTERS: [&str; 2] = ["", "packages/w/"];

/// The possible entries at one path.
#[derive(Clone, Copy, Debug)]
struct Choice {
    importer: usize,
    names: [usize; 3],
    depth: usize,
    kind: usize,
    bins: usize,
    private: bool,
}

fn choice() -> impl Strategy<Value = Choice> {
    (
        0..2_usize,
        [0..5_usize, 0..5, 0..5],
        1..=3_usize,
        0..5_usize,
        0..4_usize,
        prop::bool::weighted(0.1),
    )
        .prop_map(|(importer, names, depth, kind, bins, private)| Choice {
            importer,
            names,
            depth,
            kind,
            bins,
            private,
        })
}

fn tree(world: &World, choices: &[Choice]) -> Tree {
    let mut placements = BTreeMap::<String, Placement>::new();
    for choice in choices {
        let mut path = format!("{}node_modules", IMPORTERS[choice.importer]);
        for (level, name) in choice.names[..choice.depth].iter().enumerate() {
            path = format!("{path}/{}", NAMES[*name]);
            let last = level + 1 == choice.depth;
            let kind = if last { choice.kind } else { 0 };
            let mut placement = match kind {
                4 => link(&path, "packages/w"),
                3 => package(&path, bundling(world)),
                kind => package(&path, world.module(&format!("version-{kind}"))),
            };
            if last {
                let bins = [("x", "cli.js"), ("y", "cli.js"), ("z", "lib/index.js")];
                placement = placement.bins(&bins[..choice.bins]);
                placement.private_copy = choice.private;
            }
            let linked = matches!(placement.source, PlacementSource::Symlink { .. });
            let entry = placements.entry(path.clone()).or_insert(placement);
            if linked || matches!(entry.source, PlacementSource::Symlink { .. }) {
                break;
            }
            path += "/node_modules";
        }
    }
    let links: Vec<String> = placements
        .values()
        .filter(|placement| matches!(placement.source, PlacementSource::Symlink { .. }))
        .map(|placement| format!("{}/", placement.path))
        .collect();
    placements.retain(|path, _| !links.iter().any(|link| path.starts_with(link)));
    Tree::new(placements.into_values().collect())
}

fn bundling(world: &World) -> dx_pkg_core::PackageId {
    world.publish(
        "bundling",
        &[
            ("package.json", "{}"),
            ("cli.js", "1"),
            ("node_modules/a/lib/x.js", "2"),
            ("node_modules/q/y.js", "3"),
        ],
    )
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 64,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_changed_tree_equals_a_fresh_one(
        before in prop::collection::vec(choice(), 0..12),
        after in prop::collection::vec(choice(), 0..12),
        shared in prop::collection::vec(choice(), 0..8),
    ) {
        let world = World::in_memory();
        world.write("packages/w/cli.js", "#!/bin/sh\n");
        world.write("packages/w/lib/index.js", "");
        let before = tree(&world, &[shared.clone(), before].concat());
        let after = tree(&world, &[shared, after].concat());
        let files = [(".package-lock.json".to_owned(), b"{}".to_vec())];
        let options = LinkOptions { extra_files: &files, ..LinkOptions::default() };

        world.link(&before, None, &options);
        world.link(&after, Some(&before), &options);
        let changed = world.snapshot();
        world.link(&after, None, &LinkOptions { keep_foreign: false, ..options });
        let fresh = world.snapshot();
        prop_assert_eq!(changed, fresh);
    }
}

//! Trees built while their packages arrive.

use dx_pkg_core::PackageId;
use dx_pkg_link::{Built, LinkOptions, LinkReport, NoProgress, Tree};
use dx_pkg_store::Arrival;
use proptest::prelude::*;

use crate::world::{WithBins, World, link, package};

const STATE: &str = ".dx/state";

/// Packages of this process, one that the store has, one at two places, packages within packages,
/// commands and a link.
fn tree(world: &World) -> (Tree, Vec<PackageId>) {
    let (a1, a2, b) = (world.own_module("a1"), world.own_module("a2"), world.own_module("b"));
    let (stored, twice) = (world.module("stored"), world.own_module("twice"));
    let tree = Tree::new(vec![
        package("node_modules/a", a1).bins(&[("ay", "cli.js")]),
        package("node_modules/b", b).bins(&[("bee", "cli.js")]),
        package("node_modules/b/node_modules/a", a2).bins(&[("ay", "cli.js")]),
        package("node_modules/b/node_modules/@s/c", twice),
        package("node_modules/@s/c", twice),
        package("node_modules/stored", stored),
        link("node_modules/w", "packages/w"),
    ]);
    (tree, vec![a1, a2, b, stored, twice])
}

fn build(world: &World, tree: &Tree, arrived: &[PackageId]) -> Built {
    let arrivals = arrived.iter().map(|id| Arrival { id: *id, is_own: world.store.is_own(*id) });
    Built::ahead(&world.project, &world.store, tree, &LinkOptions::default(), arrivals).unwrap()
}

fn place(world: &World, tree: &Tree, built: Built, movable: &[PackageId]) -> LinkReport {
    let state = [(STATE.to_owned(), b"state".to_vec())];
    let options = LinkOptions { movable, extra_files: &state, ..LinkOptions::default() };
    built.place(&world.project, &world.store, tree, &options, &NoProgress).unwrap()
}

fn expected(world: &World, tree: &Tree) -> std::collections::BTreeMap<String, String> {
    let state = [(STATE.to_owned(), b"state".to_vec())];
    world.link(tree, None, &LinkOptions { extra_files: &state, ..LinkOptions::default() });
    world.snapshot()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn any_order_and_any_number_of_arrivals_make_the_same_tree(
        order in Just((0..5_usize).collect::<Vec<_>>()).prop_shuffle(),
        arrived in 0..6_usize,
    ) {
        let world = World::in_memory();
        world.write("packages/w/index.js", "");
        let (tree, ids) = tree(&world);
        let first: Vec<PackageId> = order.iter().take(arrived).map(|index| ids[*index]).collect();
        let built = build(&world, &tree, &first);
        prop_assert!(!world.exists("node_modules"), "nothing is visible before it is placed");
        let report = place(&world, &tree, built, &ids);
        prop_assert!(report.fresh);
        prop_assert_eq!(report.added, 7);
        let other = World::in_memory();
        other.write("packages/w/index.js", "");
        let (same, _) = self::tree(&other);
        prop_assert_eq!(world.snapshot(), expected(&other, &same));
    }
}

#[test]
fn packages_of_this_process_are_moved_and_those_of_the_store_are_linked() {
    let world = World::new();
    world.write("packages/w/index.js", "");
    let (tree, ids) = tree(&world);
    let built = build(&world, &tree, &ids);
    let report = place(&world, &tree, built, &[]);
    assert_eq!(report.packages_moved, 3, "a1, a2 and b");
    assert_eq!(report.hardlinks, 12, "the stored one, and twice the one that lies at two places");
    assert!(world.store.has(ids[3]), "the store keeps its own");
    assert_eq!(world.execute("node_modules/.bin/ay"), "a1");
    assert_eq!(world.execute("node_modules/b/node_modules/.bin/ay"), "a2");
}

#[test]
fn packages_left_out_meanwhile_are_removed_with_their_commands() {
    let world = World::new();
    world.write("packages/w/index.js", "");
    let (whole, ids) = tree(&world);
    let built = build(&world, &whole, &ids);
    let gone = ["node_modules/a", "node_modules/b/node_modules/a"];
    let kept = whole.placements.iter().filter(|placement| !gone.contains(&placement.path.as_str()));
    let reduced = Tree::new(kept.cloned().collect());
    place(&world, &reduced, built, &ids);
    assert!(gone.iter().all(|path| !world.exists(path)));
    assert!(
        !world.exists("node_modules/.bin/ay") && !world.exists("node_modules/b/node_modules/.bin")
    );
    assert_eq!(world.execute("node_modules/.bin/bee"), "b");
    assert!(world.exists("node_modules/b/node_modules/@s/c/cli.js"));
}

#[test]
fn a_failed_command_moves_packages_back_and_leaves_no_tree() {
    let world = World::new();
    world.write("packages/w/index.js", "");
    let (tree, ids) = tree(&world);
    let before = world.snapshot();
    build(&world, &tree, &ids).give_back(&world.project, &world.store);
    assert_eq!(world.snapshot(), before);
    let again =
        Tree::new(vec![package("node_modules/a", ids[0]), package("node_modules/c", ids[4])]);
    let report = world.install(&again);
    assert_eq!(report.files(), 8);
    assert_eq!(world.node("", "console.log(require('a'), require('c'))"), "a1 twice");
}

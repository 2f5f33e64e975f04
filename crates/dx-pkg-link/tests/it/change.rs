//! Trees changed by their difference.

use std::fs;
use std::os::unix::fs::MetadataExt;

use dx_pkg_link::{LinkOptions, Tree};

use crate::world::{WithBins, World, link, package};

#[test]
fn only_the_difference_is_touched() {
    let world = World::new();
    let ids: Vec<_> = ["a1", "a2", "b", "c", "d"].map(|label| world.module(label)).into();
    let before = Tree::new(vec![
        package("node_modules/a", ids[0]).bins(&[("a", "cli.js")]),
        package("node_modules/b", ids[2]),
        package("node_modules/b/node_modules/@s/c", ids[3]),
        package("node_modules/@t/d", ids[4]),
    ]);
    world.install(&before);
    let kept = |path: &str| fs::metadata(world.project.join(path)).unwrap().ino();
    let (b, modules) = (kept("node_modules/b"), kept("node_modules"));
    let after = Tree::new(vec![
        package("node_modules/a", ids[1]).bins(&[("aa", "cli.js")]),
        package("node_modules/b", ids[2]),
        package("node_modules/@u/c", ids[3]),
    ]);
    let report = world.link(&after, Some(&before), &LinkOptions::default());
    assert!(!report.fresh);
    assert_eq!((report.added, report.replaced, report.removed), (1, 1, 2));
    assert_eq!(report.hardlinks, 8);
    assert_eq!((kept("node_modules/b"), kept("node_modules")), (b, modules));
    assert_eq!(
        world.node("", "console.log(require('a'), require('b'), require('@u/c'))"),
        "a2 b c"
    );
    assert_eq!(world.execute("node_modules/.bin/aa"), "a2");
    for gone in ["node_modules/@t", "node_modules/b/node_modules", "node_modules/.bin/a"] {
        assert!(!world.exists(gone), "{gone}");
    }
    assert_eq!(fs::read_dir(&world.project).unwrap().count(), 1, "no staging folder stays");
}

#[test]
fn a_replaced_package_takes_nested_ones_along() {
    let world = World::new();
    let [p1, p2, c, d, e1, e2] =
        ["p1", "p2", "c", "d", "e1", "e2"].map(|label| world.module(label));
    let nested = |p, e| {
        vec![
            package("node_modules/p", p),
            package("node_modules/p/node_modules/@s/c", c).bins(&[("c", "cli.js")]),
            package("node_modules/p/node_modules/@s/c/node_modules/d", d).bins(&[("d", "cli.js")]),
            package("node_modules/p/node_modules/e", e),
            package("node_modules/p/node_modules/e/node_modules/d", d),
        ]
    };
    let (before, mut after) = (Tree::new(nested(p1, e1)), nested(p2, e2));
    after.push(package("node_modules/p/node_modules/f", e1));
    let after = Tree::new(after);
    world.install(&before);
    let inode = |path: &str| {
        fs::metadata(world.project.join("node_modules/p/node_modules").join(path)).unwrap().ino()
    };
    let kept = [inode("@s/c"), inode("e/node_modules/d")];
    let report = world.link(&after, Some(&before), &LinkOptions::default());
    assert_eq!((report.added, report.replaced, report.removed), (1, 2, 0));
    assert_eq!([inode("@s/c"), inode("e/node_modules/d")], kept);
    assert_eq!(
        world.node("node_modules/p", "console.log(require('./'), require('e'), require('f'))"),
        "p2 e2 e1"
    );
    assert_eq!(world.execute("node_modules/p/node_modules/.bin/c"), "c");
    assert_eq!(world.execute("node_modules/p/node_modules/@s/c/node_modules/.bin/d"), "d");
}

#[test]
fn a_link_and_a_package_replace_each_other() {
    let world = World::new();
    world.write("packages/w/index.js", "module.exports = 'linked'");
    let (a, b) = (world.module("a"), world.module("b"));
    let packages =
        Tree::new(vec![package("node_modules/w", a), package("node_modules/w/node_modules/b", b)]);
    let linked = Tree::new(vec![link("node_modules/w", "packages/w")]);
    world.install(&packages);
    world.link(&linked, Some(&packages), &LinkOptions::default());
    assert_eq!(world.node("", "console.log(require('w'))"), "linked");
    world.link(&packages, Some(&linked), &LinkOptions::default());
    assert_eq!(world.node("", "console.log(require('w'))"), "a");
    assert_eq!(world.read("packages/w/index.js"), "module.exports = 'linked'");
}

#[test]
fn an_unexpected_entry_is_replaced() {
    let world = World::new();
    let (a, b) = (world.module("a"), world.module("b"));
    let before = Tree::new(vec![package("node_modules/a", a)]);
    world.install(&before);
    world.write("node_modules/b/by/hand.js", "");
    world.write("node_modules/.bin/b", "by hand");
    let after = Tree::new(vec![
        package("node_modules/a", a),
        package("node_modules/b", b).bins(&[("b", "cli.js")]),
    ]);
    world.link(&after, Some(&before), &LinkOptions::default());
    assert!(!world.exists("node_modules/b/by"));
    assert_eq!(world.execute("node_modules/.bin/b"), "b");
}

#[test]
fn without_the_previous_tree_in_place_everything_is_built() {
    let world = World::new();
    let tree = Tree::new(vec![package("node_modules/a", world.module("a"))]);
    let report = world.link(&tree, Some(&tree), &LinkOptions::default());
    assert!(report.fresh);
    assert_eq!(world.node("", "console.log(require('a'))"), "a");
}

#[test]
fn an_emptied_workspace_loses_its_node_modules() {
    let world = World::new();
    world.write("packages/w/index.js", "");
    let a = world.module("a");
    let before = Tree::new(vec![
        link("node_modules/w", "packages/w"),
        package("packages/w/node_modules/a", a).bins(&[("a", "cli.js")]),
    ]);
    let after = Tree::new(vec![link("node_modules/w", "packages/w")]);
    world.install(&before);
    assert!(world.exists("packages/w/node_modules/.bin/a"));
    world.link(&after, Some(&before), &LinkOptions::default());
    assert!(!world.exists("packages/w/node_modules"));
}

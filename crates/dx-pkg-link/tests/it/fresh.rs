//! Trees built from nothing.

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};

use dx_pkg_core::{Coded, PackageId};
use dx_pkg_link::{LinkOptions, NoProgress, Progress, Tree, materialise};

use crate::world::{WithBins, World, link, package};

fn nested_tree(world: &World) -> Tree {
    let (a1, a2, b, scoped) =
        (world.module("a1"), world.module("a2"), world.module("b"), world.module("scoped"));
    Tree::new(vec![
        package("node_modules/a", a1),
        package("node_modules/b", b).bins(&[("bee", "cli.js")]),
        package("node_modules/b/node_modules/a", a2).bins(&[("ay", "cli.js")]),
        package("node_modules/b/node_modules/@s/c", scoped),
        package("node_modules/@s/c", scoped),
        package("packages/w/node_modules/a", a2),
        link("node_modules/@s/w", "packages/w"),
    ])
}

#[test]
fn node_finds_nested_scoped_and_linked_packages() {
    let world = World::new();
    world.write("packages/w/index.js", "module.exports = 'w:' + require('a') + require('b')");
    let report = world.install(&nested_tree(&world));
    assert!(report.fresh);
    assert_eq!(report.added, 7);
    assert_eq!(report.hardlinks, 24);
    assert_eq!(
        world.node("", "console.log(require('a'), require('b'), require('@s/c'))"),
        "a1 b scoped"
    );
    assert_eq!(
        world.node("node_modules/b", "console.log(require('a'), require('@s/c'))"),
        "a2 scoped"
    );
    assert_eq!(world.node("", "console.log(require('@s/w'))"), "w:a2b");
    assert_eq!(world.execute("node_modules/.bin/bee"), "b");
    assert_eq!(world.execute("node_modules/b/node_modules/.bin/ay"), "a2");
    assert_eq!(
        fs::read_link(world.project.join("node_modules/@s/w")).unwrap().to_str(),
        Some("../../packages/w")
    );
}

#[test]
fn one_thread_and_many_build_the_same_tree() {
    let world = World::new();
    world.write("packages/w/index.js", "");
    let tree = nested_tree(&world);
    let mut snapshots = [1, 2, 7].map(|threads| {
        world.link(
            &tree,
            None,
            &LinkOptions {
                threads: std::num::NonZeroUsize::new(threads),
                ..LinkOptions::default()
            },
        );
        world.snapshot()
    });
    assert!(snapshots[0].len() > 40);
    snapshots.sort();
    assert_eq!(snapshots[0], snapshots[2]);
}

#[test]
fn nothing_of_the_old_tree_stays_but_the_users_own_entries() {
    let world = World::new();
    for path in [
        "old/index.js",
        ".cache/x",
        ".vite/y",
        ".bin/old",
        ".pnpm/z",
        ".yarn-integrity",
        "plain.txt",
    ] {
        world.write(&format!("node_modules/{path}"), "old");
    }
    let tree = Tree::new(vec![package("node_modules/a", world.module("a"))]);
    let report = world.install(&tree);
    let mut names: Vec<String> = fs::read_dir(world.project.join("node_modules"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, [".cache", ".vite", "a", "plain.txt"]);
    assert_eq!(report.leftovers, Vec::<std::path::PathBuf>::new());
    assert_eq!(
        fs::read_dir(&world.project).unwrap().count(),
        1,
        "the old tree went into the store's trash"
    );

    world.link(&tree, None, &LinkOptions { keep_foreign: false, ..LinkOptions::default() });
    assert!(!world.exists("node_modules/.cache"));
}

#[test]
fn state_files_are_newer_than_every_folder() {
    let world = World::new();
    world.write("node_modules/.cache/x", "");
    let files = [
        (".dx/lock.dxl".to_owned(), b"lock".to_vec()),
        (".package-lock.json".to_owned(), b"{}".to_vec()),
    ];
    let options = LinkOptions { extra_files: &files, ..LinkOptions::default() };
    let tree = nested_tree(&world);
    fs::create_dir_all(world.project.join("packages/w")).unwrap();
    world.link(&tree, None, &options);
    let check = |world: &World| {
        let time = |path: &str| fs::metadata(world.project.join(path)).unwrap().modified().unwrap();
        assert_eq!(world.read("node_modules/.package-lock.json"), "{}");
        assert_eq!(world.read("node_modules/.dx/lock.dxl"), "lock");
        for (path, kind) in world.snapshot() {
            if kind == "folder" && path.starts_with("node_modules") {
                assert!(time("node_modules/.package-lock.json") >= time(&path), "{path} is newer");
            }
        }
    };
    check(&world);
    let mut smaller = tree.clone();
    smaller.placements.retain(|placement| placement.path != "node_modules/a");
    world.link(&smaller, Some(&tree), &options);
    check(&world);
}

#[test]
fn a_workspace_without_packages_of_its_own_loses_its_old_ones() {
    let world = World::new();
    world.write("packages/w/node_modules/old/index.js", "");
    world.write("packages/v/node_modules/old/index.js", "");
    world.write("packages/v/node_modules/.cache/x", "");
    world.install(&Tree::new(vec![
        link("node_modules/w", "packages/w"),
        link("node_modules/v", "packages/v"),
    ]));
    assert!(!world.exists("packages/w/node_modules"));
    assert!(!world.exists("packages/v/node_modules/old"));
    assert!(world.exists("packages/v/node_modules/.cache/x"));
}

#[test]
fn a_package_of_the_tree_takes_the_place_of_a_bundled_one() {
    let world = World::new();
    let bundling = world.publish(
        "bundling",
        &[
            ("index.js", "module.exports = [require('x'), require('y')].join()"),
            ("node_modules/x/index.js", "module.exports = 'bundled x'"),
            ("node_modules/x/extra.js", ""),
            ("node_modules/y/index.js", "module.exports = 'bundled y'"),
        ],
    );
    let x = world.module("x");
    let tree = Tree::new(vec![
        package("node_modules/a", bundling),
        package("node_modules/a/node_modules/x", x),
    ]);
    world.install(&tree);
    assert_eq!(world.node("", "console.log(require('a'))"), "x,bundled y");
    assert!(!world.exists("node_modules/a/node_modules/x/extra.js"));
}

#[test]
fn a_package_below_a_bundled_one_is_placed() {
    let world = World::new();
    let bundling = world.publish(
        "bundling",
        &[
            ("index.js", "module.exports = require('x')"),
            ("node_modules/x/index.js", "module.exports = require('y')"),
        ],
    );
    let y = world.module("y");
    world.install(&Tree::new(vec![
        package("node_modules/a", bundling),
        package("node_modules/a/node_modules/x/node_modules/y", y),
    ]));
    assert_eq!(world.node("", "console.log(require('a'))"), "y");
}

#[test]
fn a_missing_package_fails_before_the_old_tree_is_touched() {
    let world = World::new();
    world.write("node_modules/old/index.js", "");
    let tree = Tree::new(vec![package("node_modules/a", PackageId::from_bytes([7; 32]))]);
    let error = materialise(
        &world.project,
        &world.store,
        &tree,
        None,
        &LinkOptions::default(),
        &NoProgress,
    )
    .unwrap_err();
    assert_eq!(error.code(), "DX_PACKAGE_NOT_STORED");
    assert!(error.to_string().contains("node_modules/a"));
    assert_eq!(world.snapshot().len(), 3, "nothing but the old tree is there");
}

#[test]
fn state_files_stay_within_node_modules() {
    let world = World::new();
    for name in ["../x", "/x", "x", ".dx/../../x", ".bin/x", ".dx\\x"] {
        let files = [(name.to_owned(), Vec::new())];
        let options = LinkOptions { extra_files: &files, ..LinkOptions::default() };
        let error = materialise(
            &world.project,
            &world.store,
            &Tree::default(),
            None,
            &options,
            &NoProgress,
        )
        .unwrap_err();
        assert_eq!(error.code(), "DX_UNSAFE_PATH", "{name}");
    }
}

#[test]
fn progress_counts_every_placement() {
    struct Count(AtomicUsize);
    impl Progress for Count {
        fn linked(&self, packages: usize) {
            self.0.fetch_add(packages, Ordering::Relaxed);
        }
    }
    let world = World::new();
    fs::create_dir_all(world.project.join("packages/w")).unwrap();
    let count = Count(AtomicUsize::new(0));
    let tree = nested_tree(&world);
    materialise(&world.project, &world.store, &tree, None, &LinkOptions::default(), &count)
        .unwrap();
    assert_eq!(count.0.into_inner(), 7);
}

#[test]
fn a_workspace_that_is_a_link_out_of_the_project_is_refused() {
    let world = World::new();
    let other = world.folder.path().join("other/node_modules/precious");
    fs::create_dir_all(&other).unwrap();
    std::os::unix::fs::symlink("../other", world.project.join("w")).unwrap();
    let tree = Tree::new(vec![package("w/node_modules/a", world.module("a"))]);
    let error = materialise(
        &world.project,
        &world.store,
        &tree,
        None,
        &LinkOptions::default(),
        &NoProgress,
    )
    .unwrap_err();
    assert_eq!(error.code(), "DX_UNSAFE_PATH");
    assert!(other.exists());
}

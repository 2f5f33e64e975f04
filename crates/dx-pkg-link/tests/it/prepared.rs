//! Prepared trees.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use dx_pkg_core::{Coded, PackageId};
use dx_pkg_format::dxp::{FileEntry, FileMode};
use dx_pkg_link::{LinkOptions, NoProgress, Tree, materialise, place_prepared};

use crate::world::{WithBins, World, link, package};

fn state() -> [(String, Vec<u8>); 1] {
    [(".dx/state".to_owned(), b"state".to_vec())]
}

fn tree(world: &World) -> Tree {
    let (a, b) = (world.module("a"), world.module("b"));
    Tree::new(vec![
        package("node_modules/a", a).bins(&[("ay", "cli.js")]),
        package("packages/w/node_modules/b", b),
        link("node_modules/w", "packages/w"),
    ])
}

/// Builds the tree in a folder of the store, as the background process does.
fn prepare(world: &World, tree: &Tree) -> PathBuf {
    let prepared = world.store.tmp_dir().unwrap().join("prepared");
    fs::create_dir_all(prepared.join("packages/w")).unwrap();
    let options = LinkOptions { extra_files: &state(), ..LinkOptions::default() };
    materialise(&prepared, &world.store, tree, None, &options, &NoProgress).unwrap();
    prepared
}

#[test]
fn a_prepared_tree_is_the_tree_that_would_be_built() {
    let world = World::new();
    world.write("packages/w/index.js", "");
    let tree = tree(&world);
    let options = LinkOptions { extra_files: &state(), ..LinkOptions::default() };
    world.link(&tree, None, &options);
    let built = world.snapshot();
    world.write("node_modules/left/index.js", "");

    let prepared = prepare(&world, &tree);
    let report = world.link(&tree, None, &LinkOptions { prepared: Some(&prepared), ..options });
    assert!(report.was_prepared && report.fresh);
    assert_eq!((report.added, report.files()), (3, 0));
    assert_eq!(world.snapshot(), built);
    assert_eq!(world.execute("node_modules/.bin/ay"), "a");
    assert_eq!(fs::read_dir(prepared.join("packages/w")).unwrap().count(), 0, "moved, not copied");
}

#[test]
fn a_prepared_tree_replaces_an_old_one_and_keeps_the_users_entries() {
    let world = World::new();
    world.write("packages/w/index.js", "");
    world.write("node_modules/.cache/mine", "kept");
    world.write("node_modules/old/index.js", "");
    let prepared = prepare(&world, &tree(&world));
    let options = LinkOptions { extra_files: &state(), ..LinkOptions::default() };
    let report =
        place_prepared(&world.project, &world.store, &prepared, &["packages/w", ""], &options)
            .unwrap();
    assert!(report.is_some());
    assert!(world.project.join("node_modules/a/package.json").exists());
    assert!(world.project.join("packages/w/node_modules/b/package.json").exists());
    assert!(world.project.join("node_modules/.cache/mine").exists());
    assert!(!world.project.join("node_modules/old").exists());
}

#[test]
fn a_prepared_tree_that_lacks_a_part_is_not_used() {
    let world = World::new();
    world.write("packages/w/index.js", "");
    let tree = tree(&world);
    let prepared = prepare(&world, &tree);
    fs::remove_dir_all(prepared.join("packages/w/node_modules")).unwrap();
    let options =
        LinkOptions { extra_files: &state(), prepared: Some(&prepared), ..LinkOptions::default() };
    let report = world.link(&tree, None, &options);
    assert!(!report.was_prepared);
    assert!(world.project.join("packages/w/node_modules/b/package.json").exists());
}

#[test]
fn building_ends_when_it_is_cancelled_and_leaves_nothing() {
    let world = World::new();
    world.write("packages/w/index.js", "");
    let cancelled = AtomicBool::new(true);
    let options = LinkOptions { cancelled: Some(&cancelled), ..LinkOptions::default() };
    let error =
        materialise(&world.project, &world.store, &tree(&world), None, &options, &NoProgress)
            .unwrap_err();
    assert_eq!(error.code(), "DX_CANCELLED");
    let names: Vec<_> =
        fs::read_dir(&world.project).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["packages"]);
}

#[test]
fn packages_that_were_moved_into_a_tree_which_is_cancelled_are_the_stores_again() {
    struct Once(AtomicBool);
    impl dx_pkg_link::Progress for Once {
        fn linked(&self, _packages: usize) {
            self.0.store(true, std::sync::atomic::Ordering::Relaxed);
        }
    }
    let entries = |text: &'static str| {
        ["index.js", "lib/x.js"].map(|path| FileEntry {
            path,
            mode: FileMode::PLAIN,
            data: text.as_bytes(),
        })
    };
    for before in [None, Some(Tree::default())] {
        let world = World::new();
        let ids = [1, 2].map(|number| PackageId::from_bytes([number; 32]));
        world.store.insert_deferred(ids[0], None, &entries("one")).unwrap();
        world.store.insert_deferred(ids[1], None, &entries("two")).unwrap();
        let places = [("node_modules/a", ids[0]), ("node_modules/a/node_modules/b", ids[1])];
        let tree = Tree::new(places.map(|(path, id)| package(path, id)).into());
        if let Some(before) = &before {
            fs::create_dir_all(world.project.join("node_modules")).unwrap();
            world.link(before, None, &LinkOptions::default());
        }
        let progress = Once(AtomicBool::new(false));
        let options = LinkOptions {
            cancelled: Some(&progress.0),
            movable: &ids,
            threads: std::num::NonZeroUsize::new(1),
            ..LinkOptions::default()
        };
        // In a fresh tree both are one job: a failure there stands in for a cancellation.
        if before.is_none() {
            fs::remove_dir_all(pending_folder(&world).join("02".repeat(32))).unwrap();
        }
        materialise(&world.project, &world.store, &tree, before.as_ref(), &options, &progress)
            .unwrap_err();
        assert_eq!(world.store.record_pending(&world.project).unwrap(), 2);
        let record = &world.store.pending_records().unwrap()[0];
        for (id, tables) in &record.packages {
            let is_there = world.store.complete(record, *id, tables, &[]).unwrap();
            assert_eq!(is_there, before.is_some() || *id == ids[0], "{id}");
        }
    }
}

fn pending_folder(world: &World) -> std::path::PathBuf {
    let mut folders = fs::read_dir(world.store.folder(dx_pkg_store::Folder::Tmp)).unwrap();
    folders.next().unwrap().unwrap().path()
}

//! Import of files from the store into the tree.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;

use dx_pkg_core::Coded;
use dx_pkg_link::{ImportMethod, LinkOptions, NoProgress, Tree, materialise};
use dx_pkg_store::Store;
use dx_pkg_testkit::{Device, require};
use tempfile::TempDir;

use crate::world::{WithBins, World, package};

fn inode(path: &Path) -> u64 {
    fs::metadata(path).unwrap().ino()
}

/// A world whose store is on another file system, where the machine has two.
fn divided() -> Option<(World, TempDir)> {
    let other = require::shared_memory()?;
    let folder = TempDir::new().unwrap();
    let world = World::with_store_in(folder, Some(&other.path().join("store")));
    Some((world, other))
}

#[test]
fn a_store_elsewhere_is_copied_from() {
    let Some((world, _other)) = divided() else { return };
    let a = world.module("a");
    let tree = Tree::new(vec![package("node_modules/a", a).bins(&[("a", "cli.js")])]);
    world.write("node_modules/old/index.js", "");
    let report = world.install(&tree);
    assert_eq!((report.hardlinks, report.copies), (0, 4));
    assert_eq!(world.execute("node_modules/.bin/a"), "a");
    assert!(report.bytes_copied > 0);
    assert_eq!(report.bytes_saved, 0);
}

#[test]
fn a_method_the_file_systems_refuse_is_an_error() {
    let Some((world, _other)) = divided() else { return };
    let tree = Tree::new(vec![package("node_modules/a", world.module("a"))]);
    for import in [ImportMethod::Hardlink, ImportMethod::Clone] {
        let options = LinkOptions { import, ..LinkOptions::default() };
        let error = materialise(&world.project, &world.store, &tree, None, &options, &NoProgress)
            .unwrap_err();
        assert_eq!(error.code(), "DX_IMPORT_METHOD_UNSUPPORTED");
        assert_eq!(
            fs::read_dir(&world.project).unwrap().count(),
            0,
            "nothing is left of the attempt"
        );
    }
}

#[test]
fn clone_or_copy_copies_where_blocks_cannot_be_shared() {
    let Some((world, _other)) = divided() else { return };
    let tree = Tree::new(vec![package("node_modules/a", world.module("a"))]);
    let options = LinkOptions { import: ImportMethod::CloneOrCopy, ..LinkOptions::default() };
    let report = world.link(&tree, None, &options);
    assert_eq!((report.hardlinks, report.reflinks, report.copies), (0, 0, 4));
    assert_eq!(world.node("", "console.log(require('a'))"), "a");
}

#[test]
fn between_subvolumes_blocks_are_shared_as_files_cannot_be() {
    let Some(device) = Device::btrfs() else { return };
    let folder = TempDir::new_in(device.path()).unwrap();
    let subvolume = folder.path().join("elsewhere");
    let made = Command::new("btrfs").args(["subvolume", "create"]).arg(&subvolume).status();
    assert!(made.unwrap().success());
    let store = folder.path().join("elsewhere/store");
    let world = World::with_store_in(folder, Some(&store));
    let a = world.module("a");
    let tree = Tree::new(vec![package("node_modules/a", a).bins(&[("a", "cli.js")])]);
    let report = world.install(&tree);
    assert_eq!((report.hardlinks, report.reflinks, report.copies), (0, 4, 0));
    assert_eq!(world.execute("node_modules/.bin/a"), "a");
    world.write("node_modules/a/lib/index.js", "");
    assert_eq!(
        fs::read_to_string(world.store.file_path(a, "lib/index.js").unwrap()).unwrap(),
        "module.exports = 'a'\n"
    );
}

#[test]
fn where_blocks_can_be_shared_private_packages_and_clones_share_them() {
    let Some(device) = Device::btrfs() else { return };
    let world = World::with_store_in(TempDir::new_in(device.path()).unwrap(), None);
    let id = world.module("a");
    let mut private = package("node_modules/a", id);
    private.private_copy = true;
    let tree = Tree::new(vec![private, package("node_modules/b", id)]);
    let report = world.install(&tree);
    assert_eq!((report.hardlinks, report.reflinks, report.copies), (4, 4, 0));
    for import in [ImportMethod::Clone, ImportMethod::CloneOrCopy] {
        let report = world.link(&tree, None, &LinkOptions { import, ..LinkOptions::default() });
        assert_eq!((report.hardlinks, report.reflinks, report.copies), (0, 8, 0), "{import:?}");
    }
}

#[test]
fn private_packages_share_nothing_with_the_store() {
    let world = World::new();
    let id = world.module("a");
    let mut private = package("node_modules/a", id);
    private.private_copy = true;
    let report = world.install(&Tree::new(vec![private, package("node_modules/b", id)]));
    assert_eq!((report.copies + report.reflinks, report.hardlinks), (4, 4));
    let stored = inode(&world.store.file_path(id, "cli.js").unwrap());
    assert_ne!(inode(&world.project.join("node_modules/a/cli.js")), stored);
    assert_eq!(inode(&world.project.join("node_modules/b/cli.js")), stored);
    assert_ne!(
        fs::metadata(world.project.join("node_modules/a/cli.js")).unwrap().mode() & 0o111,
        0
    );
}

#[test]
fn copy_shares_nothing() {
    let world = World::new();
    let id = world.module("a");
    let tree = Tree::new(vec![package("node_modules/a", id)]);
    let report = world.link(
        &tree,
        None,
        &LinkOptions { import: ImportMethod::Copy, ..LinkOptions::default() },
    );
    assert_eq!((report.copies, report.hardlinks, report.reflinks), (4, 0, 0));
    assert_ne!(
        inode(&world.store.file_path(id, "cli.js").unwrap()),
        inode(&world.project.join("node_modules/a/cli.js"))
    );
}

#[test]
fn a_package_that_lost_a_file_counts_as_missing_and_is_linked_once_it_is_back() {
    let world = World::new();
    let id = world.module("a");
    fs::remove_file(world.store.file_path(id, "lib/index.js").unwrap()).unwrap();
    // As the next process sees it.
    let later = Store::open(world.store.root().parent().unwrap()).unwrap();
    let tree = Tree::new(vec![package("node_modules/a", id)]);
    let options = LinkOptions::default();
    let error =
        materialise(&world.project, &later, &tree, None, &options, &NoProgress).unwrap_err();
    assert_eq!(error.code(), "DX_PACKAGE_NOT_STORED", "{error}");
    assert!(!later.has(id) && !world.project.join("node_modules").exists());
    world.module("a");
    let report = world.install(&tree);
    assert_eq!((report.hardlinks, report.copies), (4, 0));
    assert_eq!(world.node("", "console.log(require('a'))"), "a");
}

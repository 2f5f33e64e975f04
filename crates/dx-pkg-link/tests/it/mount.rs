//! Places where `node_modules` itself cannot be renamed, as in containers.

use std::fs;

use dx_pkg_link::{LinkOptions, Tree};
use dx_pkg_testkit::Device;

use crate::world::{World, package};

fn install_change_and_replace(world: &World) {
    let [a1, a2, b] = ["a1", "a2", "b"].map(|label| world.module(label));
    let nested = package("node_modules/a/node_modules/b", b);
    let before = Tree::new(vec![package("node_modules/a", a1), nested.clone()]);
    let after = Tree::new(vec![package("node_modules/a", a2), nested]);
    let files = [(".package-lock.json".to_owned(), b"{}".to_vec())];
    let options = LinkOptions { extra_files: &files, ..LinkOptions::default() };
    for (tree, previous) in [(&before, None), (&after, Some(&before)), (&before, None)] {
        world.link(tree, previous, &options);
        let version = if tree == &before { "a1" } else { "a2" };
        assert_eq!(world.node("", "console.log(require('a'))"), version);
        assert_eq!(world.node("node_modules/a", "console.log(require('b'))"), "b");
        assert!(!world.exists("node_modules/old"));
        assert_eq!(world.read("node_modules/.cache/mine"), "kept");
        assert_eq!(world.read("node_modules/.package-lock.json"), "{}");
        let mut names: Vec<_> = fs::read_dir(world.project.join("node_modules"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        names.retain(|name| !name.to_str().unwrap().starts_with(".dx-trash-"));
        assert_eq!(names.len(), 3, "{names:?}");
    }
}

#[test]
fn a_mounted_node_modules_is_filled() {
    let world = World::new();
    let modules = world.project.join("node_modules");
    fs::create_dir(&modules).unwrap();
    let Some(_mounted) = Device::memory_at(&modules, "size=8m") else { return };
    world.write("node_modules/old/index.js", "");
    world.write("node_modules/.cache/mine", "kept");
    install_change_and_replace(&world);
}

#[test]
fn a_tree_in_a_lower_layer_is_replaced() {
    let mut world = World::in_memory();
    world.write("node_modules/old/index.js", "");
    world.write("node_modules/.cache/mine", "kept");
    let [upper, work, merged] =
        ["upper", "work", "merged"].map(|name| world.folder.path().join(name));
    for folder in [&upper, &work, &merged] {
        fs::create_dir(folder).unwrap();
    }
    let options = format!(
        "redirect_dir=off,lowerdir={},upperdir={},workdir={}",
        world.project.display(),
        upper.display(),
        work.display()
    );
    let Some(_mounted) = Device::overlay_at(&merged, &options) else { return };
    world.project = merged;
    install_change_and_replace(&world);
}

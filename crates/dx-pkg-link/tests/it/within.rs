//! Packages of the tree that are nested in a folder that is none of it, such as files of a tarball.

use std::fs;
use std::os::unix::fs::MetadataExt;

use dx_pkg_link::{LinkOptions, Tree};

use crate::world::{World, package};

#[test]
fn a_package_in_the_place_of_a_tarballs_folder_leaves_what_is_nested_there() {
    let world = World::new();
    let p = world.publish(
        "p",
        &[
            ("package.json", r#"{ "name": "p", "version": "1.0.0" }"#),
            ("index.js", "module.exports = 'p'"),
            ("node_modules/q/index.js", "module.exports = 'in the tarball'"),
        ],
    );
    let [q, d] = ["q", "d"].map(|label| world.module(label));
    const NESTED: &str = "node_modules/p/node_modules/q/node_modules/d";
    let before = Tree::new(vec![package("node_modules/p", p), package(NESTED, d)]);
    world.install(&before);
    let inode = || fs::metadata(world.project.join(NESTED)).unwrap().ino();
    let kept = inode();
    let after = Tree::new(vec![
        package("node_modules/p", p),
        package("node_modules/p/node_modules/q", q),
        package(NESTED, d),
    ]);
    let report = world.link(&after, Some(&before), &LinkOptions::default());
    assert_eq!((report.added, report.replaced, report.removed), (0, 1, 0));
    assert_eq!(world.node("node_modules/p", "console.log(require('q'))"), "q");
    assert_eq!(inode(), kept);
    world.link(&before, Some(&after), &LinkOptions::default());
    assert_eq!(world.node("node_modules/p", "console.log(require('q'))"), "in the tarball");
    assert!(world.exists(NESTED));
}

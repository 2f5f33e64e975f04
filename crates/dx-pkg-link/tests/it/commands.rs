//! `.bin`.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use dx_pkg_link::{LinkOptions, Tree};

use crate::world::{WithBins, World, link, package};

fn target(world: &World, name: &str) -> String {
    let link = fs::read_link(world.project.join("node_modules/.bin").join(name)).unwrap();
    link.to_str().unwrap().to_owned()
}

#[test]
fn names_and_files_cannot_escape() {
    let world = World::new();
    let a = world.module("a");
    world.install(&Tree::new(vec![package("node_modules/a", a).bins(&[
        ("../../escape", "cli.js"),
        ("sub/dir", "./lib/../cli.js"),
        ("dots", "../../../cli.js"),
        ("..", "cli.js"),
        ("absolute", "/cli.js"),
        ("folder", "lib"),
        ("missing", "nope.js"),
        ("outside", "../../../../../../etc/passwd"),
    ])]));
    let mut names: Vec<String> = fs::read_dir(world.project.join("node_modules/.bin"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["absolute", "dir", "dots", "escape", "folder"]);
    assert_eq!(target(&world, "dots"), "../a/cli.js");
    assert_eq!(target(&world, "folder"), "../a/lib");
    assert_eq!(world.execute("node_modules/.bin/dir"), "a");
}

#[test]
fn the_lowest_path_wins_a_name_unless_its_file_is_missing() {
    let world = World::new();
    let (a, z, s) = (world.module("a"), world.module("z"), world.module("s"));
    let bins = [("x", "cli.js")];
    world.install(&Tree::new(vec![
        package("node_modules/z", z).bins(&bins),
        package("node_modules/a", a).bins(&bins),
        package("node_modules/@s/b", s).bins(&[("x", "gone.js"), ("y", "cli.js")]),
    ]));
    assert_eq!(target(&world, "x"), "../a/cli.js");
    assert_eq!(target(&world, "y"), "../@s/b/cli.js");
    world.install(&Tree::new(vec![
        package("node_modules/a", a).bins(&bins),
        package("node_modules/@s/b", s).bins(&bins),
    ]));
    assert_eq!(target(&world, "x"), "../@s/b/cli.js");
}

#[test]
fn files_are_made_runnable_without_altering_the_store() {
    let world = World::new();
    let files = [
        ("plain.js", "#!/usr/bin/env node\nconsole.log('plain')\n"),
        ("crlf.js*", "#!/usr/bin/env node\r\nconsole.log('crlf')\r\n"),
        ("fine.js*", "#!/usr/bin/env node\nconsole.log('fine')\n"),
        ("library.js", "1"),
    ];
    let id = world.publish("a", &files);
    let bins = [("plain", "plain.js"), ("crlf", "crlf.js"), ("fine", "fine.js")];
    let report = world.install(&Tree::new(vec![package("node_modules/a", id).bins(&bins)]));
    for name in ["plain", "crlf", "fine"] {
        assert_eq!(world.execute(&format!("node_modules/.bin/{name}")), name);
    }
    assert_eq!(
        world.read("node_modules/a/crlf.js"),
        "#!/usr/bin/env node\nconsole.log('crlf')\r\n"
    );
    assert_eq!((report.hardlinks, report.copies), (2, 2));
    let stored = |path| world.store.file_path(id, path).unwrap();
    assert_eq!(fs::read_to_string(stored("crlf.js")).unwrap(), files[1].1);
    assert_eq!(fs::metadata(stored("plain.js")).unwrap().permissions().mode() & 0o111, 0);
    let inode = |path: &std::path::Path| fs::metadata(path).unwrap().ino();
    assert_eq!(inode(&stored("fine.js")), inode(&world.project.join("node_modules/a/fine.js")));
}

#[test]
fn commands_of_a_linked_folder_are_made_runnable_in_place() {
    let world = World::new();
    world.write("packages/w/cli.js", "#!/usr/bin/env node\r\nconsole.log('w')\r\n");
    world.install(&Tree::new(vec![
        link("node_modules/@s/w", "packages/w").bins(&[("w", "cli.js"), ("missing", "nope.js")]),
    ]));
    assert_eq!(world.execute("node_modules/.bin/w"), "w");
    assert_eq!(target(&world, "w"), "../@s/w/cli.js");
    assert_eq!(world.read("packages/w/cli.js"), "#!/usr/bin/env node\nconsole.log('w')\r\n");
    assert!(!world.exists("node_modules/.bin/missing"));
}

#[test]
fn a_removed_winner_leaves_its_name_to_the_next() {
    let world = World::new();
    let bins = [("x", "cli.js")];
    let (a, b) = (
        package("node_modules/a", world.module("a")).bins(&bins),
        package("node_modules/b", world.module("b")).bins(&bins),
    );
    let both = Tree::new(vec![a.clone(), b.clone()]);
    world.install(&both);
    let (only_a, only_b) = (Tree::new(vec![a]), Tree::new(vec![b]));
    world.link(&only_b, Some(&both), &LinkOptions::default());
    assert_eq!(world.execute("node_modules/.bin/x"), "b");
    world.link(&both, Some(&only_b), &LinkOptions::default());
    assert_eq!(world.execute("node_modules/.bin/x"), "a");
    world.link(&only_a, Some(&both), &LinkOptions::default());
    assert_eq!(world.execute("node_modules/.bin/x"), "a");
    world.link(&Tree::default(), Some(&only_a), &LinkOptions::default());
    assert!(!world.exists("node_modules/.bin"));
}

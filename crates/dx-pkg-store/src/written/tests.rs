use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::PathBuf;

use dx_pkg_core::{Integrity, PackageId};
use dx_pkg_format::dxp::{FileEntry, FileMode};
use dx_pkg_os::files::{Dir, identity};

use crate::Store;
use crate::expanded::Checked;

const FILES: [(&str, FileMode, &[u8]); 3] = [
    ("index.js", FileMode::PLAIN, b"module.exports = 1"),
    ("lib/a.js", FileMode::PLAIN, b"a"),
    ("run.sh", FileMode::EXECUTABLE, b"#!/bin/sh"),
];

struct World {
    folder: tempfile::TempDir,
    store: Store,
    id: PackageId,
    copies: [PathBuf; 2],
}

/// A stored package, and the copies of two projects that share its files.
fn world() -> World {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("store")).unwrap();
    let integrity = Integrity::sha512_of(b"a tarball");
    let id = PackageId::from_integrity(&integrity);
    let files = FILES.map(|(path, mode, data)| FileEntry { path, mode, data });
    store.insert(id, Some(&integrity), &files).unwrap();
    let store = Store::open(&folder.path().join("store")).unwrap();
    let copies = ["one", "two"].map(|name| folder.path().join(name));
    for copy in &copies {
        fs::create_dir_all(copy.join("lib")).unwrap();
        for (path, _, _) in FILES {
            fs::hard_link(store.file_path(id, path).unwrap(), copy.join(path)).unwrap();
        }
    }
    World { folder, store, id, copies }
}

impl World {
    /// Returns the time after which a change is one of the script.
    fn now(&self) -> i64 {
        let clock = self.store.root().join("clock");
        fs::write(&clock, b"").unwrap();
        std::thread::sleep(std::time::Duration::from_millis(20));
        identity(&clock).unwrap().unwrap().mtime_ns
    }

    fn separate(&self, since: i64) -> Vec<String> {
        self.store.separate(self.id, &Dir::open(&self.copies[0]).unwrap(), since).unwrap()
    }

    /// Inserts the package as fetched again.
    fn insert(&self) {
        let files = FILES.map(|(path, mode, data)| FileEntry { path, mode, data });
        self.store.insert(self.id, Some(&Integrity::sha512_of(b"a tarball")), &files).unwrap();
    }

    /// Returns whether the store's files are as they should be.
    fn is_stored(&self) -> bool {
        let path = |path| self.store.file_path(self.id, path).unwrap();
        self.store.verify(false).unwrap().damage.is_empty()
            && FILES.iter().all(|(name, _, data)| fs::read(path(name)).unwrap() == *data)
    }

    fn is_sound(&self, copy: &std::path::Path) -> bool {
        FILES.iter().all(|(path, mode, data)| {
            let metadata = fs::metadata(copy.join(path)).unwrap();
            fs::read(copy.join(path)).unwrap() == *data
                && metadata.permissions().mode() & 0o7777 == mode.bits()
        })
    }
}

#[test]
fn files_that_a_script_wrote_to_become_those_of_its_project_alone() {
    type Change = fn(&std::path::Path);
    let changes: [(&str, Change, &str); 5] = [
        ("longer", |path| fs::write(path, b"module.exports = 1 // patched").unwrap(), "index.js"),
        ("of the same size", |path| fs::write(path, b"module.exports = 2").unwrap(), "index.js"),
        ("emptied", |path| fs::write(path, b"").unwrap(), "index.js"),
        (
            "executable",
            |path| fs::set_permissions(path, PermissionsExt::from_mode(0o755)).unwrap(),
            "lib/a.js",
        ),
        (
            "of the same time",
            |path| {
                let time = fs::metadata(path).unwrap().modified().unwrap();
                fs::write(path, b"b").unwrap();
                fs::File::options().write(true).open(path).unwrap().set_modified(time).unwrap();
            },
            "lib/a.js",
        ),
    ];
    for (what, change, path) in changes {
        let world = world();
        let since = world.now();
        change(&world.copies[0].join(path));
        let changed = (
            fs::read(world.copies[0].join(path)).unwrap(),
            fs::metadata(world.copies[0].join(path)).unwrap().mode(),
        );
        assert_eq!(world.separate(since), [path], "{what}");
        let own = fs::metadata(world.copies[0].join(path)).unwrap();
        assert_eq!((fs::read(world.copies[0].join(path)).unwrap(), own.mode()), changed, "{what}");
        assert_eq!(own.nlink(), 1, "{what}");
        // Only the registry has the contents.
        assert_eq!(world.store.to_fetch_again(), [world.id], "{what}");
        assert!(!world.store.has(world.id), "{what}");
        world.insert();
        assert_eq!(world.store.to_fetch_again(), [], "{what}");
        assert!(world.is_sound(&world.copies[1]), "{what}: the other project");
        assert!(world.is_stored(), "{what}: the store");
        let shared = |path: &std::path::Path| fs::metadata(path).unwrap().ino();
        let stored = world.store.file_path(world.id, path).unwrap();
        assert_eq!(shared(&stored), shared(&world.copies[1].join(path)), "{what}: still shared");
        assert!(world.store.written().contains(&world.id), "{what}");
        let later = Store::open(&world.folder.path().join("store")).unwrap();
        let unaltered = Checked { altered: vec![], is_complete: true };
        assert_eq!(later.repair_expanded(world.id, None).unwrap(), unaltered, "{what}");
        assert_eq!(world.separate(since), [path], "{what}: it is still the project's own");
    }
}

#[test]
fn a_file_made_anew_or_removed_is_nobody_elses() {
    let world = world();
    let since = world.now();
    let file = world.copies[0].join("index.js");
    fs::remove_file(&file).unwrap();
    fs::remove_file(world.copies[0].join("lib/a.js")).unwrap();
    fs::write(&file, b"new").unwrap();
    assert_eq!(world.separate(since), ["index.js"]);
    assert!(!world.copies[0].join("lib/a.js").exists());
    assert!(world.is_sound(&world.copies[1]) && world.is_stored());
}

#[test]
fn a_link_to_a_file_of_the_user_is_left_alone() {
    let world = world();
    let since = world.now();
    let (source, file) = (world.copies[0].join("source"), world.copies[0].join("index.js"));
    fs::write(&source, b"the user's").unwrap();
    fs::remove_file(&file).unwrap();
    fs::hard_link(&source, &file).unwrap();
    world.separate(since);
    assert_eq!(fs::read(&source).unwrap(), b"the user's");
    assert_eq!(fs::metadata(&file).unwrap().ino(), fs::metadata(&source).unwrap().ino());
    assert!(world.is_sound(&world.copies[1]) && world.is_stored());
}

#[test]
fn a_package_that_nobody_wrote_to_is_not_marked() {
    let world = world();
    let since = world.now();
    fs::hard_link(world.copies[0].join("index.js"), world.copies[0].join("link")).unwrap();
    assert_eq!(world.separate(since), [""; 0]);
    assert!(world.store.written().is_empty());
}

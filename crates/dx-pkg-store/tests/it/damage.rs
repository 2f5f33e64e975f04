//! Detection and repair of damage, and stores that cannot be written.

use std::fs;
use std::path::Path;

use dx_pkg_core::PackageId;
use dx_pkg_store::StoreError;

use crate::{Fixture, files, identify};

impl Fixture {
    /// Returns the damaged packages with their damage, and checks that `fix` repairs them all.
    fn damage(&self) -> Vec<(PackageId, String)> {
        let found = self.store.verify(false).unwrap().damage;
        assert!(found.iter().all(|damage| !damage.fixed));
        let fixed = self.store.verify(true).unwrap().damage;
        assert!(fixed.iter().all(|damage| damage.fixed), "{fixed:?}");
        assert_eq!(self.store.verify(false).unwrap().damage, []);
        found.into_iter().map(|damage| (damage.id, damage.what)).collect()
    }
}

/// A name for a package, and the damage to its manifest or its folder.
type FolderChange = (&'static str, fn(&Path, &Path));
/// A name for a package, and the damage to its record or DXP file.
type FileChange = (&'static str, fn(&mut Vec<u8>));

fn alter(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).unwrap();
    change(&mut bytes);
    fs::write(path, bytes).unwrap();
}

#[test]
fn a_sound_store_has_no_damage() {
    let fixture = Fixture::new();
    for name in ["a", "b", "c"] {
        fixture.insert(name);
    }
    fixture.pack("d");
    let report = fixture.store.verify(false).unwrap();
    assert_eq!((report.packages, report.files, report.damage.len()), (4, 12, 0));
}

#[test]
fn a_package_with_changed_added_or_missing_files_is_removed_so_that_it_is_fetched_again() {
    let fixture = Fixture::new();
    let changes: [FolderChange; 5] = [
        ("same size", |path, _| alter(path, |bytes| bytes[0] = b'[')),
        ("other size", |path, _| alter(path, Vec::clear)),
        ("added", |_, root| fs::write(root.join("new.js"), "").unwrap()),
        ("folder added", |_, root| {
            fs::create_dir(root.join("new"))
                .and_then(|()| fs::write(root.join("new/file"), ""))
                .unwrap()
        }),
        ("missing", |path, _| fs::remove_file(path).unwrap()),
    ];
    for (name, change) in changes {
        let id = fixture.insert(name);
        let manifest = fixture.store.file_path(id, "package.json").unwrap();
        change(&manifest, &fixture.store.expanded(id));
        let found = fixture.damage();
        assert_eq!(found.iter().map(|(id, _)| *id).collect::<Vec<_>>(), [id], "{name}");
        assert!(!fixture.store.has(id), "{name}");
        fixture.insert(name);
        assert!(fixture.store.has(id), "{name}");
        assert_eq!(fixture.store.verify(false).unwrap().damage, [], "{name}");
    }
}

/// Kinds of damage to a package's file.
const DAMAGE: [FileChange; 4] = [
    ("contents", |bytes| *bytes.last_mut().unwrap() ^= 1),
    ("tables", |bytes| bytes[100] ^= 1),
    ("cut", |bytes| bytes.truncate(bytes.len() - 1)),
    ("empty", Vec::clear),
];

#[test]
fn a_damaged_package_is_removed_whichever_form_it_has() {
    let fixture = Fixture::new();
    for (name, change) in DAMAGE {
        for packed in [false, true] {
            let (id, path) = if packed {
                fixture.pack(name)
            } else {
                let id = fixture.insert(name);
                (id, fixture.path(id, "dxt"))
            };
            alter(&path, change);
            assert_eq!(fixture.damage().len(), 1, "{name}, {packed}");
            assert!(!fixture.store.has(id));
            assert!(fixture.store.open_package(id).unwrap().is_none());
        }
    }
}

#[test]
fn a_package_under_the_name_of_another_is_found() {
    let fixture = Fixture::new();
    let (a, b) = (fixture.insert("a"), fixture.insert("b"));
    fs::copy(fixture.path(a, "dxt"), fixture.path(b, "dxt")).unwrap();
    let ((_, c), (d, other)) = (fixture.pack("c"), fixture.pack("d"));
    fs::copy(c, other).unwrap();
    let mut expected = [b, d];
    expected.sort();
    assert_eq!(fixture.damage().iter().map(|(id, _)| *id).collect::<Vec<_>>(), expected);
    assert!(fixture.store.has(a));
    assert!(!fixture.store.has(b));
}

#[test]
fn files_without_their_record_are_removed() {
    let fixture = Fixture::new();
    let id = fixture.insert("a");
    fs::remove_file(fixture.path(id, "dxt")).unwrap();
    assert_eq!(fixture.damage().len(), 1);
    assert!(!fixture.store.has(id));
}

#[test]
fn a_damaged_package_is_never_expanded() {
    let fixture = Fixture::new();
    for (name, change) in DAMAGE {
        let (id, path) = fixture.pack(name);
        alter(&path, change);
        assert!(!fixture.store.ensure_expanded(id).unwrap(), "{name}");
        assert!(!fixture.store.has(id), "{name}");
        assert!(fixture.store.open_package(id).unwrap().is_none(), "{name}: it is out of the way");
        assert_eq!(fixture.garbage(), 0, "{name}");
    }
}

#[test]
fn unfinished_entries_of_a_killed_process_are_not_visible() {
    let fixture = Fixture::new();
    let tmp = fixture.store.tmp_dir().unwrap();
    let id = identify("a").0;
    fs::create_dir_all(tmp.join("half/lib")).unwrap();
    fs::write(tmp.join("half.dxp"), "DXP").unwrap();
    assert!(!fixture.store.has(id));
    assert!(fixture.store.open_package(id).unwrap().is_none());
    fixture.insert("a");
    assert_eq!(fixture.store.verify(false).unwrap().damage, []);
}

#[cfg(unix)]
#[test]
fn a_store_this_user_may_not_write_says_so() {
    use std::os::unix::fs::PermissionsExt;
    if !dx_pkg_testkit::require::unprivileged() {
        return;
    }
    let fixture = Fixture::new();
    let id = fixture.insert("a");
    let tmp = fixture.store.tmp_dir().unwrap();
    fs::set_permissions(&tmp, fs::Permissions::from_mode(0o500)).unwrap();
    let (other, _) = identify("b");
    let result = fixture.store.insert(other, None, &files("{}"));
    fs::set_permissions(&tmp, fs::Permissions::from_mode(0o700)).unwrap();
    assert!(matches!(result, Err(StoreError::Forbidden { .. })));
    assert!(fixture.store.has(id));
    assert!(!fixture.store.has(other));
}

//! Detection and repair of damage, and stores that cannot be written.

use std::fs;
use std::path::{Path, PathBuf};

use dx_pkg_core::PackageId;
use dx_pkg_store::{Folder, StoreError};

use crate::{Fixture, files, identify};

impl Fixture {
    fn package_file(&self, id: PackageId) -> PathBuf {
        let hex = id.to_string();
        self.store.folder(Folder::Packages).join(&hex[..2]).join(format!("{hex}.dxp"))
    }

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

/// A name for a package, and the damage to its folder.
type FolderChange = (&'static str, fn(&Path));
/// A name for a package, and the damage to its DXP file.
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
    let report = fixture.store.verify(false).unwrap();
    assert_eq!((report.packages, report.files, report.damage.len()), (3, 12, 0));
}

#[test]
fn changed_added_and_missing_files_are_found_and_made_again() {
    let fixture = Fixture::new();
    let changes: [FolderChange; 5] = [
        ("same size", |root| alter(&root.join("package.json"), |bytes| bytes[0] = b'[')),
        ("other size", |root| alter(&root.join("package.json"), Vec::clear)),
        ("added", |root| fs::write(root.join("lib/new.js"), "").unwrap()),
        ("missing", |root| fs::remove_file(root.join("lib/empty.js")).unwrap()),
        ("folder missing", |root| fs::remove_dir_all(root.join("lib")).unwrap()),
    ];
    for (name, change) in changes {
        let id = fixture.insert(name);
        change(&fixture.store.expanded(id));
        let found = fixture.damage();
        assert_eq!(found.iter().map(|(id, _)| *id).collect::<Vec<_>>(), [id], "{name}");
        assert!(fixture.store.has(id), "{name}");
        let manifest = fs::read_to_string(fixture.store.expanded(id).join("package.json")).unwrap();
        assert!(manifest.contains(name));
    }
}

#[test]
fn a_damaged_package_is_removed_so_that_it_is_fetched_again() {
    let fixture = Fixture::new();
    let changes: [FileChange; 4] = [
        ("contents", |bytes| *bytes.last_mut().unwrap() ^= 1),
        ("tables", |bytes| bytes[100] ^= 1),
        ("cut", |bytes| bytes.truncate(bytes.len() - 1)),
        ("empty", Vec::clear),
    ];
    for (name, change) in changes {
        let id = fixture.insert(name);
        alter(&fixture.package_file(id), change);
        assert_eq!(fixture.damage().len(), 1, "{name}");
        assert!(!fixture.store.has(id));
        assert!(fixture.store.open_package(id).unwrap().is_none());
        fixture.insert(name);
        assert!(fixture.store.has(id));
    }
}

#[test]
fn a_package_under_the_name_of_another_is_found() {
    let fixture = Fixture::new();
    let (a, b) = (fixture.insert("a"), fixture.insert("b"));
    fs::copy(fixture.package_file(a), fixture.package_file(b)).unwrap();
    assert_eq!(fixture.damage().iter().map(|(id, _)| *id).collect::<Vec<_>>(), [b]);
    assert!(fixture.store.has(a));
    assert!(!fixture.store.has(b));
}

#[test]
fn files_without_their_package_are_removed() {
    let fixture = Fixture::new();
    let id = fixture.insert("a");
    fs::remove_file(fixture.package_file(id)).unwrap();
    assert_eq!(fixture.damage().len(), 1);
    assert!(!fixture.store.has(id));
}

#[test]
fn a_damaged_package_is_never_expanded() {
    let fixture = Fixture::new();
    let id = fixture.insert("a");
    fs::remove_dir_all(fixture.store.expanded(id)).unwrap();
    let manifest = b"{\"name\":\"a\"}";
    alter(&fixture.package_file(id), |bytes| {
        let at = bytes.windows(manifest.len()).position(|window| window == manifest).unwrap();
        bytes[at] ^= 1;
    });
    assert!(!fixture.store.ensure_expanded(id).unwrap());
    assert!(!fixture.store.has(id));
    assert!(
        fixture.store.open_package(id).unwrap().is_none(),
        "the damaged file is out of the way"
    );
    assert_eq!(fixture.garbage(), 0);
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

use std::collections::HashMap;
use std::fs;
use std::time::{Duration, SystemTime};

use dx_pkg_core::{Integrity, PackageId};

use crate::prune::PruneLimits;
use crate::{Folder, Store};

fn store() -> (tempfile::TempDir, Store, PackageId) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let id = PackageId::from_integrity(&Integrity::sha512_of(b"tarball"));
    store.put_tarball(id, b"tarball").unwrap();
    (folder, store, id)
}

#[test]
fn a_tarball_is_had_as_it_was_kept() {
    let (_folder, store, id) = store();
    assert!(store.has_tarball(id) && !store.has(id) && store.open_package(id).unwrap().is_none());
    assert_eq!(store.tarball(id).unwrap(), b"tarball");
    store.remove_tarball(id).unwrap();
    assert!(!store.has_tarball(id) && store.tarball(id).is_none());
    store.remove_tarball(id).unwrap();
}

#[test]
fn a_tarball_that_arrives_in_pieces_is_there_once_it_is_kept() {
    let (_folder, store, _) = store();
    let id = PackageId::from_integrity(&Integrity::sha512_of(b"another"));
    let receive = || {
        let mut incoming = store.receive_tarball().unwrap();
        [&b"an"[..], b"other"].iter().for_each(|piece| incoming.write(piece).unwrap());
        incoming
    };
    drop(receive());
    assert!(!store.has_tarball(id));
    receive().keep(id).unwrap();
    assert_eq!(store.tarball(id).unwrap(), b"another");
    assert_eq!(fs::read_dir(store.folder(Folder::Tmp)).unwrap().count(), 0);
}

#[test]
fn a_damaged_tarball_counts_as_missing() {
    let (_folder, store, id) = store();
    fs::write(store.package_path(id).with_extension("tgz"), b"tarbell").unwrap();
    assert_eq!(store.verify(false).unwrap().damage.len(), 1);
    assert!(store.tarball(id).is_none() && !store.has_tarball(id));
    assert_eq!(store.verify(false).unwrap().damage.len(), 0);
    store.put_tarball(id, b"tarbell").unwrap();
    assert!(store.verify(true).unwrap().damage[0].fixed);
    assert!(!store.has_tarball(id));
}

#[test]
fn tarballs_are_counted_verified_and_pruned_as_packages() {
    let (_folder, store, id) = store();
    let (_, usage) =
        store.usage().unwrap().into_iter().find(|(folder, _)| *folder == Folder::Packages).unwrap();
    assert_eq!(usage.entries, 1);
    let verified = store.verify(false).unwrap();
    assert_eq!((verified.packages, verified.damage.len()), (1, 0));
    let hour = Duration::from_secs(3600);
    let used = HashMap::new();
    let young =
        PruneLimits { unused_since: SystemTime::now() - hour, max_bytes: None, used: &used };
    assert_eq!(store.prune(&young).unwrap().packages, 0);
    assert_eq!(
        store
            .prune(&PruneLimits { unused_since: SystemTime::now() + hour, ..young })
            .unwrap()
            .packages,
        1
    );
    assert!(!store.has_tarball(id));
}

use std::collections::HashMap;
use std::fs;
use std::time::{Duration, SystemTime};

use dx_pkg_core::{Integrity, PackageId};
use dx_pkg_format::dxp::{FileEntry, FileMode};

use super::PruneLimits;
use crate::{Folder, Store};

/// Creates a store with three packages of one file of `size` bytes each.
fn store(size: usize) -> (tempfile::TempDir, Store, Vec<PackageId>) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let mut ids = Vec::new();
    for name in ["a", "b", "c"] {
        let integrity = Integrity::sha512_of(name.as_bytes());
        let id = PackageId::from_integrity(&integrity);
        let data = vec![name.as_bytes()[0]; size];
        store
            .insert(
                id,
                Some(&integrity),
                &[FileEntry { path: "file", mode: FileMode::PLAIN, data: &data }],
            )
            .unwrap();
        ids.push(id);
    }
    (folder, store, ids)
}

fn present(store: &Store, ids: &[PackageId]) -> Vec<bool> {
    ids.iter().map(|id| store.open_package(*id).unwrap().is_some()).collect()
}

fn ago(seconds: u64) -> SystemTime {
    SystemTime::now() - Duration::from_secs(seconds)
}

#[test]
fn usage_counts_each_byte_once() {
    let (_folder, store, ids) = store(100_000);
    store.record_prepared([1; 32], b"record", std::path::Path::new("/p")).unwrap();
    let tree = store.tmp_dir().unwrap().join("tree");
    fs::create_dir(&tree).unwrap();
    fs::hard_link(store.file_path(ids[0], "file").unwrap(), tree.join("file")).unwrap();
    store.offer_prepared_tree([1; 32], &tree).unwrap();
    let usage: Vec<_> = store.usage().unwrap();
    let of = |wanted: Folder| usage.iter().find(|(folder, _)| *folder == wanted).unwrap().1;
    assert_eq!(of(Folder::Packages).entries, 3);
    assert_eq!(of(Folder::Expanded).entries, 3);
    assert!(of(Folder::Expanded).bytes >= 300_000);
    assert_eq!(of(Folder::Prepared).entries, 1);
    assert!(of(Folder::Prepared).bytes < 100_000, "its file is counted with the package");
    assert!(usage.iter().all(|(_, usage)| usage.shared == 0), "the store has all its names");
}

#[cfg(unix)]
#[test]
fn usage_tells_what_projects_share() {
    let (folder, store, ids) = store(100_000);
    for name in ["a project's", "another's"] {
        let project = folder.path().join(name);
        fs::hard_link(store.file_path(ids[0], "file").unwrap(), project).unwrap();
    }
    let of = |wanted: Folder| {
        let usage = store.usage().unwrap();
        usage.into_iter().find(|(folder, _)| *folder == wanted).unwrap().1
    };
    let expanded = of(Folder::Expanded);
    assert!((100_000..200_000).contains(&expanded.shared), "{expanded:?}");
    assert_eq!(of(Folder::Packages).shared, 0);
    // A prepared tree has names too, which go with the store.
    store.record_prepared([1; 32], b"record", std::path::Path::new("/p")).unwrap();
    let tree = store.tmp_dir().unwrap().join("tree");
    fs::create_dir(&tree).unwrap();
    for (at, id) in ids.iter().enumerate() {
        fs::hard_link(store.file_path(*id, "file").unwrap(), tree.join(at.to_string())).unwrap();
    }
    store.offer_prepared_tree([1; 32], &tree).unwrap();
    assert_eq!((of(Folder::Expanded), of(Folder::Prepared).shared), (expanded, 0));
}

#[test]
fn used_and_shared_packages_stay() {
    let (folder, store, ids) = store(10);
    fs::hard_link(store.file_path(ids[0], "file").unwrap(), folder.path().join("a project's"))
        .unwrap();
    let used = HashMap::from([(ids[1], SystemTime::now() + Duration::from_secs(60))]);
    let limits = PruneLimits {
        unused_since: SystemTime::now() + Duration::from_secs(1),
        max_bytes: None,
        used: &used,
    };
    let pruned = store.prune(&limits).unwrap();
    assert_eq!(pruned.packages, 1);
    assert_eq!(present(&store, &ids), [true, true, false]);
    assert!(!store.has(ids[2]));
    assert!(store.verify(false).unwrap().damage.is_empty());
}

#[test]
fn nothing_young_goes_unless_the_store_is_too_large() {
    let (_folder, store, ids) = store(100_000);
    let used = HashMap::from([
        (ids[0], ago(0) + Duration::from_secs(50)),
        (ids[1], ago(0) + Duration::from_secs(99)),
    ]);
    let limits = PruneLimits { unused_since: ago(1000), max_bytes: None, used: &used };
    assert_eq!(store.prune(&limits).unwrap().packages, 0);
    let total: u64 = store.usage().unwrap().iter().map(|(_, usage)| usage.bytes).sum();
    let pruned = store.prune(&PruneLimits { max_bytes: Some(total - 1000), ..limits }).unwrap();
    assert_eq!(pruned.packages, 1);
    assert_eq!(present(&store, &ids), [true, true, false], "the least recently used");
}

#[test]
fn old_documents_go() {
    let (_folder, store, _) = store(10);
    store.put_resolution([1; 32], b"graph").unwrap();
    store.put_compiled_lock([2; 32], b"lock").unwrap();
    let used = HashMap::new();
    let young = PruneLimits { unused_since: ago(1000), max_bytes: None, used: &used };
    assert_eq!(store.prune(&young).unwrap().documents, 0);
    let old = PruneLimits { unused_since: SystemTime::now() + Duration::from_secs(1), ..young };
    assert_eq!(store.prune(&old).unwrap().documents, 2);
    assert!(store.resolution([1; 32]).is_none());
}

#[test]
fn old_marks_of_conflicts_go() {
    let (_folder, store, _) = store(10);
    store.mark_conflict("a@1.0.0 needs b@^1.0.0").unwrap();
    let used = HashMap::new();
    let young = PruneLimits { unused_since: ago(1000), max_bytes: None, used: &used };
    store.prune(&young).unwrap();
    assert!(store.knows_conflict("a@1.0.0 needs b@^1.0.0"));
    let old = PruneLimits { unused_since: SystemTime::now() + Duration::from_secs(1), ..young };
    store.prune(&old).unwrap();
    assert!(!store.knows_conflict("a@1.0.0 needs b@^1.0.0"));
}

#[test]
fn prepared_trees_go_before_packages_and_the_least_recently_used_first() {
    let (_folder, store, ids) = store(100_000);
    for (key, id) in [(1, ids[0]), (2, ids[1])] {
        store.record_prepared([key; 32], b"record", std::path::Path::new("/p")).unwrap();
        let tree = store.tmp_dir().unwrap().join("tree");
        fs::create_dir_all(tree.join("node_modules")).unwrap();
        fs::hard_link(store.file_path(id, "file").unwrap(), tree.join("node_modules/file"))
            .unwrap();
        fs::write(tree.join("node_modules/own"), vec![key; 100_000]).unwrap();
        store.offer_prepared_tree([key; 32], &tree).unwrap();
        std::thread::sleep(Duration::from_millis(10));
    }
    let total = || -> u64 { store.usage().unwrap().iter().map(|(_, usage)| usage.bytes).sum() };
    let used = HashMap::new();
    let limits = |most| PruneLimits { unused_since: ago(1000), max_bytes: Some(most), used: &used };
    let before = total();
    let pruned = store.prune(&limits(before - 1000)).unwrap();
    assert_eq!((pruned.trees, pruned.packages), (1, 0));
    assert_eq!(pruned.bytes, before - total());
    assert!(store.take_prepared_tree([1; 32]).is_none() && store.prepared_entries().len() == 2);
    let pruned = store.prune(&limits(0)).unwrap();
    assert_eq!((pruned.trees, pruned.packages), (1, 3), "what no tree shares any more goes too");
    assert_eq!(present(&store, &ids), [false; 3]);
}

#[test]
fn prepared_entries_unused_for_long_are_removed() {
    let (_folder, store, ids) = store(10);
    store.record_prepared([1; 32], b"record", std::path::Path::new("/p")).unwrap();
    let used = HashMap::from([(ids[0], SystemTime::now())]);
    let young = PruneLimits { unused_since: ago(1000), max_bytes: None, used: &used };
    store.prune(&young).unwrap();
    assert_eq!(store.prepared_entries().len(), 1);
    store
        .prune(&PruneLimits { unused_since: SystemTime::now() + Duration::from_secs(1), ..young })
        .unwrap();
    assert!(store.prepared_entries().is_empty());
}

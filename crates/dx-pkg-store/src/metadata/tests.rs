//! What several processes, killed ones and older versions leave in the cache.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use dx_pkg_format::packument::{PackumentData, VersionData};

use super::*;
use crate::packuments::record;

const REGISTRY: &str = "registry.example";

fn packument(name: &str, version: &str) -> Packument {
    let versions = vec![VersionData { version: version.into(), ..VersionData::default() }];
    let data = PackumentData { name: name.into(), versions, ..PackumentData::default() };
    Packument::decode(Arc::new(data.encode().unwrap())).unwrap()
}

/// A store on disk, opened by one process after the other.
struct Disk(tempfile::TempDir);

impl Disk {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// Opens the store as another process does.
    fn process(&self) -> Store {
        Store::open(self.0.path()).unwrap()
    }

    fn folder(&self) -> PathBuf {
        self.0.path().join("v1/metadata").join(REGISTRY)
    }

    fn names(&self, end: &str) -> Vec<String> {
        let entries = fs::read_dir(self.folder()).into_iter().flatten();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.retain(|name| name.ends_with(end));
        names.sort_unstable();
        names
    }

    fn packs(&self) -> Vec<String> {
        self.names(".pack")
    }
}

fn put(store: &Store, name: &str, version: &str, fetched_ms: u64) {
    let record = MetadataRecord {
        packument: &packument(name, version),
        form: Form::Abbreviated,
        etag: Some(version),
        last_modified: None,
        fetched_ms,
        fresh_until_ms: fetched_ms + 1,
        stale_until_ms: fetched_ms + 2,
        credential: 3,
    };
    store.put_metadata(REGISTRY, &PackageName::parse(name).unwrap(), &record).unwrap();
}

fn cached(store: &Store, name: &str) -> Option<(String, u64)> {
    let name = PackageName::parse(name).unwrap();
    let cached = store.metadata(REGISTRY, &name, Form::Abbreviated)?;
    let version = cached.packument.versions().next()?.version_str().to_owned();
    assert_eq!(cached.etag.as_deref(), Some(&*version));
    Some((version, cached.fetched_ms))
}

fn found(version: &str, fetched_ms: u64) -> Option<(String, u64)> {
    Some((version.to_owned(), fetched_ms))
}

/// Writes a packument as versions of dx before packs did.
fn write_single(folder: &Path, name: &str, version: &str, fetched_ms: u64) {
    let answer = Answer { etag: Some(version), fetched_ms, ..Answer::default() };
    let bytes = [&*record::encode(&answer), packument(name, version).as_bytes()].concat();
    fs::create_dir_all(folder).unwrap();
    fs::write(folder.join(format!("a-{name}.dxm")), bytes).unwrap();
}

#[test]
fn what_is_not_saved_is_known_to_its_own_process_only() {
    let disk = Disk::new();
    let (one, other) = (disk.process(), disk.process());
    put(&one, "a", "1.0.0", 1);
    assert_eq!(cached(&one, "a"), found("1.0.0", 1));
    assert_eq!(cached(&other, "a"), None);
    // Killed: nothing is left but a file in `tmp/` at most.
    drop(one);
    assert_eq!(cached(&disk.process(), "a"), None);
    assert!(disk.names("").is_empty());
}

#[test]
fn processes_that_save_at_the_same_time_lose_nothing() {
    let disk = Disk::new();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let store = disk.process();
            scope.spawn(move || {
                for package in 0..20 {
                    put(&store, &format!("p{package}-{thread}"), "1.0.0", 1);
                    put(&store, "shared", &format!("{package}.0.{thread}"), package);
                    store.save_metadata().unwrap();
                }
            });
        }
    });
    let store = disk.process();
    for thread in 0..4 {
        for package in 0..20 {
            assert_eq!(cached(&store, &format!("p{package}-{thread}")), found("1.0.0", 1));
        }
    }
    // Of the same package what was confirmed last counts.
    assert_eq!(cached(&store, "shared").unwrap().1, 19);
    assert!(disk.packs().len() <= 9, "{:?}", disk.packs());
    assert_eq!(fs::read_dir(store.folder(Folder::Tmp)).unwrap().count(), 0);
}

#[test]
fn an_older_answer_replaces_no_newer_one() {
    let disk = Disk::new();
    let (slow, quick) = (disk.process(), disk.process());
    put(&slow, "a", "1.0.0", 5);
    put(&quick, "a", "2.0.0", 6);
    quick.save_metadata().unwrap();
    slow.save_metadata().unwrap();
    for store in [slow, quick, disk.process()] {
        assert_eq!(cached(&store, "a"), found("2.0.0", 6));
    }
}

#[test]
fn a_confirmed_packument_is_not_written_again() {
    let disk = Disk::new();
    let first = disk.process();
    put(&first, "a", "1.0.0", 1);
    put(&first, "b", "1.0.0", 1);
    first.save_metadata().unwrap();
    let packs = disk.packs();
    let second = disk.process();
    put(&second, "a", "1.0.0", 7);
    second.save_metadata().unwrap();
    assert_eq!(disk.packs(), packs);
    let third = disk.process();
    assert_eq!(cached(&third, "a"), found("1.0.0", 7));
    assert_eq!(cached(&third, "b"), found("1.0.0", 1));
}

#[test]
fn packs_do_not_become_many_and_nothing_old_stays() {
    let disk = Disk::new();
    for round in 0..40_u64 {
        let store = disk.process();
        put(&store, &format!("p{round}"), "1.0.0", round);
        put(&store, "often", &format!("{round}.0.0"), round);
        store.save_metadata().unwrap();
        assert!(disk.packs().len() <= 9, "{:?}", disk.packs());
    }
    let store = disk.process();
    for round in 0..40 {
        assert_eq!(cached(&store, &format!("p{round}")), found("1.0.0", round));
    }
    assert_eq!(cached(&store, "often"), found("39.0.0", 39));
    let size = |name: &String| fs::metadata(disk.folder().join(name)).unwrap().len();
    let all: u64 = disk.packs().iter().map(size).sum();
    let used = 41 * packument("often", "39.0.0").as_bytes().len() as u64;
    assert!(all <= 2 * used, "{all} bytes for {used}");
}

#[test]
fn packuments_in_files_of_their_own_are_read_and_taken_over() {
    let disk = Disk::new();
    write_single(&disk.folder(), "a", "1.0.0", 4);
    write_single(&disk.folder(), "b", "1.0.0", 4);
    write_single(&disk.folder(), "c", "1.0.0", 4);
    fs::write(disk.folder().join("a-d.dxm"), "damaged").unwrap();
    let store = disk.process();
    assert_eq!(cached(&store, "a"), found("1.0.0", 4));
    assert_eq!(cached(&store, "d"), None);
    put(&store, "b", "2.0.0", 5);
    assert_eq!(cached(&store, "b"), found("2.0.0", 5));
    store.save_metadata().unwrap();
    assert!(disk.names(".dxm").is_empty());
    for store in [store, disk.process()] {
        assert_eq!(cached(&store, "a"), found("1.0.0", 4));
        assert_eq!(cached(&store, "b"), found("2.0.0", 5));
        let mut names = store.known_packages();
        names.sort_unstable();
        assert_eq!(names, ["a", "b", "c"]);
    }
    // An older dx may go on using the store.
    write_single(&disk.folder(), "a", "3.0.0", 9);
    write_single(&disk.folder(), "b", "0.1.0", 3);
    let store = disk.process();
    assert_eq!(cached(&store, "a"), found("3.0.0", 9));
    assert_eq!(cached(&store, "b"), found("2.0.0", 5));
}

#[test]
fn a_damaged_index_is_an_empty_one_and_leaves_no_packs() {
    let disk = Disk::new();
    let store = disk.process();
    put(&store, "a", "1.0.0", 1);
    store.save_metadata().unwrap();
    fs::write(disk.folder().join("index.dxi"), "damaged").unwrap();
    let store = disk.process();
    assert_eq!(cached(&store, "a"), None);
    put(&store, "b", "1.0.0", 1);
    store.save_metadata().unwrap();
    assert_eq!(disk.packs().len(), 1);
    assert_eq!(cached(&disk.process(), "b"), found("1.0.0", 1));
}

#[test]
fn a_packument_whose_pack_is_damaged_is_cached_anew() {
    let disk = Disk::new();
    let store = disk.process();
    put(&store, "a", "1.0.0", 1);
    store.save_metadata().unwrap();
    let pack = disk.folder().join(&disk.packs()[0]);
    let mut bytes = fs::read(&pack).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    for damaged in [Some(bytes), None] {
        match damaged {
            Some(bytes) => fs::write(&pack, bytes).unwrap(),
            None => disk
                .packs()
                .iter()
                .for_each(|pack| fs::remove_file(disk.folder().join(pack)).unwrap()),
        }
        let store = disk.process();
        assert_eq!(cached(&store, "a"), None);
        put(&store, "a", "1.0.0", 2);
        store.save_metadata().unwrap();
        assert_eq!(cached(&disk.process(), "a"), found("1.0.0", 2));
    }
}

#[test]
fn a_result_holds_while_contents_are_the_same() {
    let disk = Disk::new();
    let (store, name) = (disk.process(), PackageName::parse("a").unwrap());
    assert!(store.metadata_sources(REGISTRY, &name).is_empty());
    put(&store, "a", "1.0.0", 5);
    let sources = store.metadata_sources(REGISTRY, &name);
    assert_eq!(sources.len(), 1);
    assert!(store.metadata_is_unchanged(&sources, 5));
    assert!(!disk.process().metadata_is_unchanged(&sources, 5), "not saved yet");
    store.save_metadata().unwrap();
    assert!(disk.process().metadata_is_unchanged(&sources, 5));
    assert!(!disk.process().metadata_is_unchanged(&sources, 4), "from a time to come");
    // Neither another packument nor the same one again changes it.
    put(&store, "b", "1.0.0", 6);
    put(&store, "a", "1.0.0", 6);
    store.save_metadata().unwrap();
    assert!(disk.process().metadata_is_unchanged(&sources, 6));
    put(&store, "a", "1.0.1", 7);
    assert!(!store.metadata_is_unchanged(&sources, 7));
    store.save_metadata().unwrap();
    assert!(!disk.process().metadata_is_unchanged(&sources, 7));
    write_single(&disk.folder(), "a", "1.0.0", 8);
    assert!(disk.process().metadata_is_unchanged(&sources, 8), "in a file of its own");
}

#[test]
fn pruning_removes_what_was_not_confirmed_for_long() {
    let disk = Disk::new();
    let store = disk.process();
    put(&store, "old", "1.0.0", 1_000);
    put(&store, "older", "1.0.0", 500);
    put(&store, "new", "1.0.0", 5_000);
    store.save_metadata().unwrap();
    let since = SystemTime::UNIX_EPOCH + Duration::from_secs(2);
    let limits =
        crate::prune::PruneLimits { unused_since: since, max_bytes: None, used: &HashMap::new() };
    let count = |store: &Store| {
        let usage = store.usage().unwrap();
        usage.iter().find(|(folder, _)| *folder == Folder::Metadata).unwrap().1.entries
    };
    assert_eq!(count(&disk.process()), 3);
    assert_eq!(disk.process().prune(&limits).unwrap().documents, 2);
    let store = disk.process();
    assert_eq!((cached(&store, "old"), cached(&store, "older")), (None, None));
    assert_eq!(cached(&store, "new"), found("1.0.0", 5_000));
    assert_eq!(count(&store), 1);
    let pack = fs::metadata(disk.folder().join(&disk.packs()[0])).unwrap().len();
    assert_eq!(pack, packument("new", "1.0.0").as_bytes().len() as u64);
    assert_eq!(disk.process().prune(&limits).unwrap().documents, 0);
}

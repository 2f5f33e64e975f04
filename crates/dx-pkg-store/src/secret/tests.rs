use std::fs;

use super::*;

#[test]
fn key_is_created_once_and_shared_by_all_who_open_the_store() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(StoreKey::of_store(folder.path()), None);
    let made = Store::open(folder.path()).unwrap().key().unwrap();
    assert_eq!(Store::open(folder.path()).unwrap().key().unwrap(), made);
    assert_eq!(StoreKey::of_store(folder.path()), Some(made));
    let other = tempfile::tempdir().unwrap();
    assert_ne!(Store::open(other.path()).unwrap().key().unwrap(), made);
    assert_eq!(format!("{made:?}"), "StoreKey", "it is not shown");
}

#[test]
fn processes_that_start_together_agree_on_the_key() {
    let folder = tempfile::tempdir().unwrap();
    let keys: Vec<StoreKey> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| Store::open(folder.path()).unwrap().key().unwrap()))
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(keys.iter().all(|key| *key == keys[0]));
}

#[cfg(unix)]
#[test]
fn key_that_others_can_read_is_replaced() {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempfile::tempdir().unwrap();
    let made = Store::open(folder.path()).unwrap().key().unwrap();
    let path = folder.path().join("v1/key");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(StoreKey::of_store(folder.path()), None);
    let renewed = Store::open(folder.path()).unwrap().key().unwrap();
    assert_ne!(renewed, made);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    fs::write(&path, "short").unwrap();
    assert_ne!(Store::open(folder.path()).unwrap().key().unwrap(), renewed);
}

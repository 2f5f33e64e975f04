use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::*;

#[test]
fn a_second_holder_waits_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lock");
    let waited = AtomicBool::new(false);
    let first = FileLock::exclusive(&path, || panic!("nobody holds the lock")).unwrap();
    assert!(FileLock::try_exclusive(&path).unwrap().is_none());
    std::thread::scope(|scope| {
        let second = scope.spawn(|| {
            FileLock::exclusive(&path, || waited.store(true, Ordering::SeqCst)).map(drop)
        });
        while !waited.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(1));
        }
        assert!(!second.is_finished());
        drop(first);
        second.join().unwrap().unwrap();
    });
    assert!(FileLock::try_exclusive(&path).unwrap().is_some());
}

#[cfg(unix)]
#[test]
fn folder_is_locked_without_a_file_and_not_waited_for_without_end() {
    let folder = tempfile::tempdir().unwrap();
    let lock = FolderLock::wait(folder.path()).unwrap();
    let error = FolderLock::wait_for(folder.path(), Duration::ZERO).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    drop(lock);
    FolderLock::wait_for(folder.path(), Duration::ZERO).unwrap();
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

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

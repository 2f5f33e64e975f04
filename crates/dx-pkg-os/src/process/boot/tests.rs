use super::*;
use std::fs::File;

#[test]
fn files_are_older_or_younger_than_the_start_of_the_system() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    assert!(!written_since_boot(&path), "it is not there");
    let file = File::create(&path).unwrap();
    file.set_modified(SystemTime::now() + Duration::from_secs(60)).unwrap();
    assert!(written_since_boot(&path));
    file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(86_400)).unwrap();
    assert_eq!(written_since_boot(&path), cfg!(not(target_os = "linux")));
}

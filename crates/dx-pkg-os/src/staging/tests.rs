use super::*;

#[test]
fn names_do_not_repeat() {
    let names: std::collections::HashSet<_> = (0..1000).map(|_| unique_name("x-")).collect();
    assert_eq!(names.len(), 1000);
}

#[test]
fn a_dropped_staging_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let staging = Staging::new_in(folder.path(), "s-").unwrap();
    staging.open().unwrap().make_dir("a").unwrap().write_file("b", b"", 0o644).unwrap();
    drop(staging);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_placed_staging_stays() {
    let folder = tempfile::tempdir().unwrap();
    let staging = Staging::new_in(folder.path(), "s-").unwrap();
    staging.open().unwrap().write_file("b", b"x", 0o644).unwrap();
    staging.place(&folder.path().join("done")).unwrap();
    assert_eq!(std::fs::read(folder.path().join("done/b")).unwrap(), b"x");
}

#[test]
fn a_staging_does_not_replace_what_is_there() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("done/kept")).unwrap();
    let staging = Staging::new_in(folder.path(), "s-").unwrap();
    assert!(staging.place(&folder.path().join("done")).is_err());
    assert!(folder.path().join("done/kept").is_dir());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

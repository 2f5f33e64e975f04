use std::fs;
use std::io::Write;

use super::OutputFile;

#[test]
fn the_file_appears_when_it_is_kept_and_nothing_stays_of_one_that_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out");
    for old in [None, Some("old")] {
        let mut output = OutputFile::begin(&path).unwrap();
        output.write_all(b"half").unwrap();
        assert_eq!(fs::read_to_string(&path).ok().as_deref(), old);
        drop(output);
        let names = fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(names, usize::from(old.is_some()));
        let mut output = OutputFile::begin(&path).unwrap();
        output.write_all(b"old").unwrap();
        output.keep().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
    }
    assert!(OutputFile::begin(folder.path()).is_err());
    assert!(OutputFile::begin(&folder.path().join("no/such/folder")).is_err());
}

#[cfg(unix)]
#[test]
fn a_link_stays_and_a_device_is_written_in_place() {
    let folder = tempfile::tempdir().unwrap();
    let (link, target) = (folder.path().join("link"), folder.path().join("target"));
    fs::write(&target, "old").unwrap();
    std::os::unix::fs::symlink(&target, &link).unwrap();
    let mut output = OutputFile::begin(&link).unwrap();
    output.write_all(b"new").unwrap();
    output.keep().unwrap();
    assert_eq!(fs::read_to_string(&target).unwrap(), "new");
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    let mut null = OutputFile::begin("/dev/null".as_ref()).unwrap();
    null.write_all(b"bytes").unwrap();
    null.keep().unwrap();
}

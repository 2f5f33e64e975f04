use std::fs;
use std::os::unix::fs::symlink;

use super::*;

fn kind(result: io::Result<Vec<u8>>) -> ErrorKind {
    result.unwrap_err().kind()
}

#[test]
fn a_file_is_read_up_to_the_limit_and_not_beyond() {
    let folder = tempfile::tempdir().unwrap();
    let (file, link) = (folder.path().join("file"), folder.path().join("link"));
    fs::write(&file, b"12345").unwrap();
    symlink(&file, &link).unwrap();
    for path in [&file, &link] {
        for read in [read_bounded, read_trusted] {
            assert_eq!(read(path, 5).unwrap(), b"12345");
            assert_eq!(kind(read(path, 4)), ErrorKind::FileTooLarge);
        }
    }
    assert_eq!(kind(read_bounded(&folder.path().join("none"), 5)), ErrorKind::NotFound);
    assert_eq!(kind(read_bounded(folder.path(), 5)), ErrorKind::IsADirectory);
    // It tells no size, and has one.
    assert_eq!(kind(read_bounded(Path::new("/proc/self/status"), 5)), ErrorKind::FileTooLarge);
    assert!(!read_bounded(Path::new("/proc/self/status"), 1 << 20).unwrap().is_empty());
}

#[test]
fn devices_are_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("link");
    symlink("/dev/zero", &link).unwrap();
    for path in [&link, Path::new("/dev/zero")] {
        assert_eq!(kind(read_bounded(path, 1 << 20)), ErrorKind::InvalidInput);
        assert_eq!(kind(read_trusted(path, 1 << 20)), ErrorKind::FileTooLarge);
        assert_eq!(read_bounded(Path::new("/dev/null"), 1).unwrap(), b"");
        assert_eq!(read_trusted(Path::new("/dev/null"), 1).unwrap(), b"");
    }
}

#[test]
fn a_pipe_is_read_only_where_the_user_names_it_and_then_not_for_ever() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::RWXU).unwrap();
    assert_eq!(kind(read_bounded(&pipe, 5)), ErrorKind::InvalidInput);
    let write = |bytes: &'static [u8]| {
        let pipe = pipe.clone();
        std::thread::spawn(move || drop(fs::write(pipe, bytes)))
    };
    let writer = write(b"12345");
    assert_eq!(read_trusted(&pipe, 5).unwrap(), b"12345");
    writer.join().unwrap();
    let writer = write(b"123456");
    assert_eq!(kind(read_trusted(&pipe, 5)), ErrorKind::FileTooLarge);
    writer.join().unwrap();
    let (opened, _) = open(&pipe).unwrap();
    assert_eq!(kind(read_pipe(opened, 5, Duration::from_millis(1))), ErrorKind::TimedOut);
}

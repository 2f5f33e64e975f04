use std::fs;
use std::os::unix::fs::symlink;
use std::sync::atomic::{AtomicBool, Ordering};

use super::*;
use crate::files::Dir;

/// What a name leads to, by both ways of finding it.
fn both(dir: &Dir, name: &str) -> [io::Result<OwnedFd>; 2] {
    let name = Path::new(name);
    let (around, last) = split(name).unwrap();
    [
        open(dir.as_fd(), name, OFlags::RDONLY, Mode::empty()),
        by_segments(
            dir.as_fd(),
            around.unwrap(),
            last,
            OFlags::RDONLY | OFlags::NOFOLLOW,
            Mode::empty(),
        ),
    ]
}

#[test]
fn names_lead_through_folders_and_through_no_link() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fs::create_dir_all(path.join("root/a/b")).unwrap();
    fs::create_dir_all(path.join("outside/b")).unwrap();
    fs::write(path.join("root/a/b/file"), "").unwrap();
    fs::write(path.join("outside/b/file"), "").unwrap();
    symlink("../outside", path.join("root/out")).unwrap();
    symlink(path.join("outside"), path.join("root/absolute")).unwrap();
    symlink("a", path.join("root/within")).unwrap();
    symlink("b/file", path.join("root/a/last")).unwrap();
    let dir = Dir::open(path.join("root")).unwrap();
    assert!(both(&dir, "a/b/file").iter().all(Result::is_ok));
    assert!(both(&dir, "./a/b/file").iter().all(Result::is_ok));
    for name in ["out/b/file", "absolute/b/file", "within/b/file", "a/last", "a/b/file/x"] {
        for opened in both(&dir, name) {
            assert_eq!(opened.unwrap_err().kind(), io::ErrorKind::NotADirectory, "{name}");
        }
    }
    for opened in both(&dir, "a/none/file") {
        assert_eq!(opened.unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}

#[test]
fn names_that_leave_the_folder_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let dir = Dir::open(folder.path()).unwrap();
    for name in ["", "..", "a/../..", "../a", "/etc", "a/.."] {
        let refused = dir.open_dir(name).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::InvalidInput, "{name}");
        assert!(dir.remove_file(name).is_err(), "{name}");
    }
}

#[test]
fn every_change_stops_at_a_link() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fs::create_dir_all(path.join("root/real")).unwrap();
    fs::create_dir_all(path.join("outside/folder")).unwrap();
    fs::write(path.join("outside/file"), "kept").unwrap();
    symlink("../outside", path.join("root/link")).unwrap();
    fs::write(path.join("root/real/own"), "own").unwrap();
    let dir = Dir::open(path.join("root")).unwrap();
    let real = dir.open_dir("real").unwrap();

    assert!(dir.create_dir("link/new").is_err());
    assert!(dir.create_dir_by_umask("link/new").is_err());
    assert!(dir.create_file("link/new", 0o644).is_err());
    assert!(dir.symlink("x", "link/new").is_err());
    assert!(dir.link_from(&real, "own", "link/new").is_err());
    assert!(dir.link_from(&dir, "link/file", "real/new").is_err());
    assert!(dir.rename("link/file", &real, "new").is_err());
    assert!(real.rename("own", &dir, "link/new").is_err());
    assert!(crate::files::exchange_or_rename(&real, "own", &dir, "link/file").is_err());
    assert!(dir.remove_file("link/file").is_err());
    assert!(dir.remove_dir("link/folder").is_err());
    assert!(dir.open_file_to_write("link/file").is_err());
    assert!(dir.touch("link/file").is_err());
    assert!(dir.set_mode("link/file", 0o777).is_err());
    assert!(dir.set_mode("link", 0o777).is_err(), "nor is the last segment followed");
    assert!(dir.replace("link/file", b"new", 0o644).is_err());
    dir.remove_tree("link/folder").unwrap();
    dir.remove_tree("link/file").unwrap();
    assert!(matches!(dir.identity("link/file"), Ok(None)));

    assert_eq!(fs::read_to_string(path.join("outside/file")).unwrap(), "kept");
    assert_eq!(fs::read_dir(path.join("outside")).unwrap().count(), 2);
    assert_eq!(fs::read_to_string(path.join("root/real/own")).unwrap(), "own");
}

#[test]
fn what_is_in_the_place_of_dx_own_folder_or_file_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fs::create_dir_all(path.join("outside")).unwrap();
    fs::write(path.join("outside/file"), "kept").unwrap();
    symlink("outside", path.join("link")).unwrap();
    symlink("outside/file", path.join("to-file")).unwrap();
    fs::write(path.join("plain"), "").unwrap();
    fs::create_dir_all(path.join("full/of/folders")).unwrap();
    let dir = Dir::open(path).unwrap();
    for name in ["link", "plain", "none", "full"] {
        dir.make_real_dir(name).unwrap();
        assert!(fs::symlink_metadata(path.join(name)).unwrap().is_dir(), "{name}");
    }
    assert!(path.join("full/of").is_dir(), "a folder stays");
    for name in ["to-file", "full", "new"] {
        dir.replace(name, b"text", 0o644).unwrap();
        assert!(fs::symlink_metadata(path.join(name)).unwrap().is_file(), "{name}");
        assert_eq!(dir.read_file(name, 4).unwrap(), b"text");
        assert_eq!(dir.read_file(name, 3).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
    }
    assert_eq!(fs::read_to_string(path.join("outside/file")).unwrap(), "kept");
    assert_eq!(fs::read_dir(path).unwrap().count(), 7, "no draft is left");
}

#[test]
fn pipe_in_the_place_of_a_file_is_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let dir = Dir::open(folder.path()).unwrap();
    rustix::fs::mkfifoat(dir.as_fd(), "pipe", Mode::from_raw_mode(0o600)).unwrap();
    assert_eq!(dir.read_file("pipe", 10).unwrap_err().kind(), io::ErrorKind::InvalidData);
}

#[test]
fn folder_swapped_for_a_link_meanwhile_leads_nowhere_else() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fs::create_dir_all(path.join("root/scope")).unwrap();
    fs::create_dir_all(path.join("outside")).unwrap();
    symlink("../outside", path.join("root/aside")).unwrap();
    let dir = Dir::open(path.join("root")).unwrap();
    let stop = AtomicBool::new(false);
    let made = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                let _ = crate::files::exchange_or_rename(&dir, "scope", &dir, "aside");
            }
        });
        let made = (0..4000).filter(|number| {
            let name = format!("scope/{number}");
            dir.write_file(&name, b"", 0o644).is_ok() | dir.create_dir(format!("{name}-d")).is_ok()
        });
        let made = made.count();
        stop.store(true, Ordering::Relaxed);
        made
    });
    assert_eq!(fs::read_dir(path.join("outside")).unwrap().count(), 0);
    assert!(made > 0, "some were made");
}

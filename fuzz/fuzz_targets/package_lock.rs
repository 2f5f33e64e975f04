//! Any text as a package-lock.json: refused, or written again so that it reads the same.

use dx_pkg_compat::lockfile::npm::{read, write, write_hidden};

pub(crate) fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(lock) = read(text) else { return };
    let written = write(&lock, Some(text));
    assert_eq!(read(&written).map(|lock| lock.packages), Ok(lock.packages.clone()));
    assert_eq!(write(&lock, Some(&written)), written);
    let _ = write_hidden(&lock);
}

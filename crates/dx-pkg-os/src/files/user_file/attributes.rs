//! Extended attributes: access control lists, labels, and whatever else users attach to a file.

use std::fs::File;

/// Gives `to` the extended attributes of `from`; returns whether it has them now.
#[cfg(any(target_os = "linux", target_os = "macos"))]
pub(super) fn copy(from: &File, to: &File) -> bool {
    use rustix::fs::{XattrFlags, fsetxattr};
    let Some(names) = list(from) else { return false };
    names.iter().all(|name| {
        let Some(value) = value(from, name) else { return false };
        self::value(to, name).as_ref() == Some(&value)
            || fsetxattr(to, name.as_slice(), &value, XattrFlags::empty()).is_ok()
    })
}

/// Returns the names of a file's attributes; `None` where they cannot be read. A file system
/// without them has none.
#[cfg(any(target_os = "linux", target_os = "macos"))]
fn list(file: &File) -> Option<Vec<Vec<u8>>> {
    use rustix::io::Errno;
    let mut names = vec![0; 4096];
    let length = match rustix::fs::flistxattr(file, &mut names) {
        Err(Errno::NOTSUP | Errno::NOSYS) => return Some(Vec::new()),
        length => length.ok()?,
    };
    let names = names.get(..length)?.split(|byte| *byte == 0);
    Some(names.filter(|name| !name.is_empty()).map(<[u8]>::to_vec).collect())
}

/// Returns the value of an attribute, where the file has it and it is of a usual length.
#[cfg(any(target_os = "linux", target_os = "macos"))]
fn value(file: &File, name: &[u8]) -> Option<Vec<u8>> {
    let mut value = vec![0; 16 << 10];
    let length = rustix::fs::fgetxattr(file, name, &mut value).ok()?;
    value.truncate(length);
    Some(value)
}

/// Other systems are not asked for them.
#[cfg(not(any(target_os = "linux", target_os = "macos")))]
pub(super) fn copy(_from: &File, _to: &File) -> bool {
    true
}

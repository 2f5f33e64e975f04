//! The files below a project's `node_modules` that describe it, of dx and of npm. They are reached
//! beneath the project's folder and through no link, and what is in the place of dx's own is
//! replaced, whatever it is.

use std::fs::File;
use std::io;
use std::path::Path;

use dx_pkg_lock::dxl::DxlView;
use dx_pkg_os::files::{Dir, Identity, Map};

use crate::seal::Seal;

/// The record of the tree, below `node_modules`.
pub(crate) const RECORD: &str = ".dx/lock.dxl";
/// npm's hidden lockfile, below `node_modules`.
pub(crate) const HIDDEN: &str = ".package-lock.json";

/// The folder of dx's own files below `node_modules`.
const FOLDER: &str = ".dx";
/// The permission bits of dx's own files.
const MODE: u32 = 0o644;
/// The size from which on a file is none that dx or npm has written, in bytes.
const LARGEST: u64 = 256 << 20;

/// Opens the project's `node_modules`.
fn modules(root: &Path) -> io::Result<Dir> {
    Dir::open_real(root.join("node_modules"))
}

/// Opens a plain file below `node_modules`, unless it is too large to be one of these.
fn open(root: &Path, name: &str) -> io::Result<(File, Identity)> {
    let file = modules(root)?.open_file(name)?;
    let identity = Identity::of_file(&file)?;
    if !file.metadata()?.is_file() || identity.size > LARGEST {
        return Err(io::ErrorKind::InvalidData.into());
    }
    Ok((file, identity))
}

/// Maps a file below `node_modules`, and returns its identity.
pub(crate) fn map(root: &Path, name: &str) -> io::Result<(Map, Identity)> {
    let (file, identity) = open(root, name)?;
    Ok((Map::of(&file)?, identity))
}

/// Reads a text file below `node_modules`, and returns its identity.
pub(crate) fn text(root: &Path, name: &str) -> io::Result<(String, Identity)> {
    let (bytes, identity) = read(root, name)?;
    let text = String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
    Ok((text, identity))
}

/// Reads a file below `node_modules`.
pub(crate) fn bytes(root: &Path, name: &str) -> io::Result<Vec<u8>> {
    read(root, name).map(|(bytes, _)| bytes)
}

fn read(root: &Path, name: &str) -> io::Result<(Vec<u8>, Identity)> {
    let (file, identity) = open(root, name)?;
    let mut bytes = Vec::with_capacity(usize::try_from(identity.size).unwrap_or_default());
    io::Read::read_to_end(&mut io::Read::take(file, LARGEST), &mut bytes)?;
    Ok((bytes, identity))
}

/// Returns the identity of a file below `node_modules`, if it is there.
pub(crate) fn identity(root: &Path, name: &str) -> Option<Identity> {
    let [found] = identities(root, [name])?;
    found
}

/// Returns the identities of files below `node_modules`; `None` where that is no folder.
pub(crate) fn identities<const N: usize>(
    root: &Path,
    names: [&str; N],
) -> Option<[Option<Identity>; N]> {
    let modules = modules(root).ok()?;
    Some(names.map(|name| modules.identity(name).ok().flatten()))
}

/// Maps the record of the tree, if it has the seal.
pub(crate) fn record(root: &Path, seal: Option<Seal>) -> Option<Map> {
    let (map, _) = map(root, RECORD).ok()?;
    seal?.is_of_record(&map).then_some(map)
}

/// Returns whether there is a record of the tree without the seal: another machine's, or a forged
/// one.
pub(crate) fn is_forged(root: &Path, seal: Option<Seal>) -> bool {
    identity(root, RECORD).is_some() && record(root, seal).is_none()
}

/// Calls `read` with the record of the tree, if it has the seal.
pub(crate) fn with_record<T>(
    root: &Path,
    seal: Option<Seal>,
    read: impl FnOnce(&DxlView<'_>) -> T,
) -> Option<T> {
    let map = record(root, seal)?;
    DxlView::open(&map).ok().map(|view| read(&view))
}

/// Replaces one of dx's own files, `name` within its folder.
pub(crate) fn replace(root: &Path, name: &str, contents: &[u8]) -> io::Result<()> {
    replace_in(&modules(root)?.make_real_dir(FOLDER)?, name, contents)
}

/// Does the same in dx's folder, as [`folder`] opened it.
pub(crate) fn replace_in(folder: &Dir, name: &str, contents: &[u8]) -> io::Result<()> {
    folder.replace(name, contents, MODE)
}

/// Opens dx's folder.
pub(crate) fn folder(root: &Path) -> io::Result<Dir> {
    modules(root)?.open_dir(FOLDER)
}

/// Removes one of dx's own files, `name` within its folder.
pub(crate) fn remove(root: &Path, name: &str) -> io::Result<()> {
    folder(root)?.remove_file(name)
}

/// Removes a file below `node_modules`, and its folder once that is empty.
pub(crate) fn remove_any(root: &Path, name: &str) -> io::Result<()> {
    let modules = modules(root)?;
    modules.remove_file(name)?;
    match Path::new(name).parent().filter(|folder| !folder.as_os_str().is_empty()) {
        // The system refuses unless it is empty.
        Some(folder) => Ok(_ = modules.remove_dir(folder)),
        None => Ok(()),
    }
}

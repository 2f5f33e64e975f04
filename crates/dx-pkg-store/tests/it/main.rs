//! The store from outside, on real folders.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod damage;
mod device;
mod kill;
mod metadata;
mod packages;
mod trash;

use dx_pkg_core::{Integrity, PackageId};
use dx_pkg_format::dxp::{self, FileEntry, FileMode};
use dx_pkg_store::Store;

/// A store in a folder of its own.
struct Fixture {
    folder: tempfile::TempDir,
    store: Store,
}

impl Fixture {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("store")).unwrap();
        let fixture = Self { folder, store };
        fixture.believe_former_files();
        fixture
    }

    /// Makes the store's key newer than whatever a test writes as an earlier version did.
    fn believe_former_files(&self) {
        self.store.key().unwrap();
        let key = std::fs::File::options().write(true).open(self.store.root().join("key")).unwrap();
        let later = std::time::SystemTime::now() + std::time::Duration::from_secs(3600);
        key.set_modified(later).unwrap();
    }

    /// Inserts a small package with `name` in its manifest.
    fn insert(&self, name: &str) -> PackageId {
        let (id, integrity) = identify(name);
        let manifest = format!("{{\"name\":\"{name}\"}}");
        self.store.insert(id, Some(&integrity), &files(&manifest)).unwrap();
        id
    }

    /// Packs a small package away, as a DXP file alone.
    fn pack(&self, name: &str) -> (PackageId, std::path::PathBuf) {
        let (id, integrity) = identify(name);
        let manifest = format!("{{\"name\":\"{name}\"}}");
        let packed = dxp::encode(&files(&manifest), Some(&integrity), dxp::Compression::Stored);
        let path = self.path(id, "dxp");
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, packed.unwrap()).unwrap();
        (id, path)
    }

    /// Returns the path of a package's record or DXP file.
    fn path(&self, id: PackageId, extension: &str) -> std::path::PathBuf {
        let hex = id.to_string();
        let packages = self.store.folder(dx_pkg_store::Folder::Packages);
        packages.join(&hex[..2]).join(format!("{hex}.{extension}"))
    }

    /// Returns the entries of `tmp/`.
    fn garbage(&self) -> usize {
        std::fs::read_dir(self.store.tmp_dir().unwrap()).unwrap().count()
    }
}

fn identify(name: &str) -> (PackageId, Integrity) {
    let integrity = Integrity::sha512_of(name.as_bytes());
    (PackageId::from_integrity(&integrity), integrity)
}

fn files(manifest: &str) -> [FileEntry<'_>; 4] {
    let file = |path, mode, data| FileEntry { path, mode, data };
    [
        file("package.json", FileMode::PLAIN, manifest.as_bytes()),
        file("bin/run.js", FileMode::EXECUTABLE, b"#!/usr/bin/env node\n".as_slice()),
        file("lib/deep/index.js", FileMode::PLAIN, b"module.exports = 1\n"),
        file("lib/empty.js", FileMode::PLAIN, b""),
    ]
}

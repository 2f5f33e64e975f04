//! A package as a DXRP server sends it: verified, unpacked, and put into the store as one that came
//! in a tarball.

mod pieces;

pub(super) use pieces::store_in_pieces;

use dx_pkg_compat::tarball::check_files;
use dx_pkg_core::PackageId;
use dx_pkg_format::dxp::{FileEntry, FileMode, content_root_of, digest_of};
use dx_pkg_format::dxrp::{MOST_COMPARED, PackHead, ServerKey};
use dx_pkg_registry::dxrp::{AnswerError, is_signed};
use dx_pkg_store::Store;
use zstd::bulk::Decompressor;
use zstd::zstd_safe::DCtx;

use super::super::download::Download;
use crate::AcquireError;
use crate::dxrp::DxrpError;

/// The size of contents from which on a package waits for other large ones, in bytes.
const LARGE: u64 = 16 << 20;
/// The size of contents from which on they are written while they are unpacked, in bytes.
const IN_PIECES: u64 = 4 << 20;

/// What one stream uses again for each of its packages.
#[derive(Default)]
pub(super) struct Buffers {
    contents: Vec<u8>,
    digests: Vec<[u8; 32]>,
    decompressor: Option<Decompressor<'static>>,
}

/// The reason why a package was not stored.
pub(super) enum Refusal {
    /// The server is to blame, and nothing more is taken from it.
    Server(DxrpError),
    /// No package in a tarball may be such.
    Unusual,
    /// This machine is.
    Own(AcquireError),
}

impl<E: Into<AcquireError>> From<E> for Refusal {
    fn from(error: E) -> Self {
        Self::Own(error.into())
    }
}

/// A package that has come.
pub(super) struct Received<'m> {
    head: PackHead,
    /// The contents, compressed.
    contents: &'m [u8],
}

impl<'m> Received<'m> {
    /// Decodes a message.
    pub(super) fn decode(message: &'m [u8]) -> Result<Self, DxrpError> {
        let (head, contents) = PackHead::decode(message).map_err(AnswerError::from)?;
        Ok(Self { head, contents })
    }

    /// Returns the package.
    pub(super) fn id(&self) -> PackageId {
        self.head.package.id
    }

    /// Returns the package that this one is a difference from.
    pub(super) fn base(&self) -> Option<PackageId> {
        self.head.from
    }

    /// Returns whether it takes much memory besides its message: of a difference, both packages do.
    pub(super) fn is_large(&self) -> bool {
        self.head.from.is_some() && self.head.package.size() * 2 > LARGE
    }

    /// Verifies the package and puts it into the store.
    pub(super) fn store(
        &self,
        download: &Download,
        key: &ServerKey,
        buffers: &mut Buffers,
    ) -> Result<(), Refusal> {
        let package = || package_of(download);
        check(&self.head, download, key)?;
        let files = &self.head.package.files;
        if self.head.from.is_none() && self.head.package.size() > IN_PIECES {
            return store_in_pieces(&self.head, self.contents, download);
        }
        let unpacked = match self.head.from {
            Some(base) => self.unpack_difference(&download.shared.store, base, buffers),
            None => self.unpack(buffers),
        };
        let damaged = |reason| self.blamed(DxrpError::Damaged { package: package(), reason });
        unpacked.map_err(damaged)?;
        let Buffers { contents, digests, .. } = buffers;
        let mut rest = contents.as_slice();
        let mut entries = Vec::with_capacity(files.len());
        digests.clear();
        for file in files {
            // The sizes add up to the length.
            let at = usize::try_from(file.size).unwrap_or(usize::MAX).min(rest.len());
            let (data, others) = rest.split_at(at);
            rest = others;
            digests.push(digest_of(data));
            entries.push(FileEntry { path: &file.path, mode: file.mode, data });
        }
        let rows = entries.iter().zip(digests.iter());
        let root = content_root_of(rows.map(|(file, digest)| (file.path, file.mode, *digest)));
        if root != self.head.root {
            return Err(self.blamed(other_contents(&self.head, download, &root)));
        }
        for entry in &mut entries {
            if download.commands.iter().any(|file| file == entry.path) {
                entry.mode = FileMode::EXECUTABLE;
            }
        }
        let find = |path: &str| {
            let at = entries.binary_search_by(|entry| entry.path.cmp(path)).ok()?;
            entries.get(at).map(|entry| entry.data)
        };
        if download.wants_license {
            download.record_own_fields(find("package.json"));
        }
        if find("binding.gyp").is_some() {
            download.mark_gyp(find("package.json"))?;
        }
        let (id, integrity) = (download.id, download.integrity.as_ref());
        let store = &download.shared.store;
        store.insert_digested(id, integrity, &entries, digests, download.mode)?;
        download.record_inserted();
        Ok(())
    }

    /// Blames the server, unless this machine's package may have been altered.
    fn blamed(&self, error: DxrpError) -> Refusal {
        if self.head.from.is_some() { Refusal::Unusual } else { Refusal::Server(error) }
    }

    /// Makes the contents from those of the package `base`.
    fn unpack_difference(
        &self,
        store: &Store,
        base: PackageId,
        buffers: &mut Buffers,
    ) -> Result<(), String> {
        let former = contents_of(store, base)?;
        let size = usize::try_from(self.head.package.size()).map_err(|error| error.to_string())?;
        let mut decompressor = DCtx::try_create().ok_or("there is no memory")?;
        let refused = |code| zstd::zstd_safe::get_error_name(code).to_owned();
        decompressor.ref_prefix(&former).map_err(refused)?;
        let mut contents = Vec::with_capacity(size);
        let found = decompressor.decompress(&mut contents, self.contents).map_err(refused)?;
        if found != size {
            return Err(format!("{found} bytes instead of {size}"));
        }
        buffers.contents = contents;
        Ok(())
    }

    /// Decompresses the contents, which must have exactly the size that the head states.
    fn unpack(&self, buffers: &mut Buffers) -> Result<(), String> {
        let size = usize::try_from(self.head.package.size()).map_err(|error| error.to_string())?;
        let contents = &mut buffers.contents;
        contents.clear();
        // A difference may have left a large one.
        if contents.capacity() < size || contents.capacity() as u64 > LARGE {
            *contents = Vec::with_capacity(size);
        }
        let decompressor = match &mut buffers.decompressor {
            Some(decompressor) => decompressor,
            none => none.insert(Decompressor::new().map_err(|error| error.to_string())?),
        };
        let unpacked = decompressor.decompress_to_buffer(self.contents, contents);
        match unpacked.map_err(|error| error.to_string())? {
            found if found == size => Ok(()),
            found => Err(format!("{found} bytes instead of {size}")),
        }
    }
}

/// Checks the signature of a package, and the names and sizes of its files.
pub(super) fn check(head: &PackHead, download: &Download, key: &ServerKey) -> Result<(), Refusal> {
    if !is_signed(head, key) {
        return Err(Refusal::Server(DxrpError::Signature { package: package_of(download) }));
    }
    let files = head.package.files.iter();
    let sizes: Vec<(&str, u64)> = files.map(|file| (file.path.as_str(), file.size)).collect();
    check_files(&sizes, &download.shared.limits).map_err(|_| Refusal::Unusual)
}

/// Returns the error of files that have another content root than the server says.
fn other_contents(head: &PackHead, download: &Download, found: &[u8; 32]) -> DxrpError {
    let package = package_of(download);
    DxrpError::Contents { package, said: hex(&head.root), found: hex(found) }
}

/// Returns the contents of a package of the store, its files one after the other.
fn contents_of(store: &Store, id: PackageId) -> Result<Vec<u8>, String> {
    let opened = store.open_package(id).map_err(|error| error.to_string())?;
    let package = opened.ok_or("the former package is gone")?;
    let dxp = package.dxp();
    let size: u64 = dxp.entries().map(|entry| entry.size).sum();
    if size > MOST_COMPARED {
        return Err("the former package is too large".to_owned());
    }
    let mut contents = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
    for entry in dxp.entries() {
        let data = package.read(&entry).map_err(|error| error.to_string())?;
        contents.extend_from_slice(&data);
    }
    Ok(contents)
}

fn package_of(download: &Download) -> String {
    format!("{}@{}", download.name, download.version)
}

fn hex(root: &[u8; 32]) -> String {
    root.iter().map(|byte| format!("{byte:02x}")).collect()
}

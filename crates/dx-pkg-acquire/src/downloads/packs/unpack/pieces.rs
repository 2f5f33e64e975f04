//! Packages with large contents: written while they are unpacked, and kept if they prove to be what
//! the server says. So much memory is taken as their message and the window of Zstandard have.

use std::io::{BufRead, Read as _};

use dx_pkg_format::dxp::FileMode;
use dx_pkg_format::dxrp::{PackHead, WINDOW};
use dx_pkg_store::{Incoming, StoreMode};
use zstd::stream::read::Decoder;

use super::super::super::download::Download;
use super::{Refusal, other_contents, package_of};
use crate::dxrp::DxrpError;

/// The bytes that are unpacked at a time.
const PIECE: usize = 128 << 10;

/// What the store needs to know of the files.
#[derive(Default)]
struct Taken {
    manifest: Option<Vec<u8>>,
    has_gyp: bool,
}

/// Puts a package, whose head was checked, into the store.
pub(in super::super) fn store_in_pieces(
    head: &PackHead,
    contents: impl BufRead,
    download: &Download,
) -> Result<(), Refusal> {
    let store = &download.shared.store;
    let mode = match download.mode {
        StoreMode::Deferred => StoreMode::Deferred,
        StoreMode::Now | StoreMode::Tarball => StoreMode::Now,
    };
    let mut incoming = store.receive_unproven(download.id, mode)?;
    let Taken { manifest, has_gyp } = write_files(head, contents, download, &mut incoming)?;
    let before = || match has_gyp {
        true => download.mark_gyp(manifest.as_deref()),
        false => Ok(()),
    };
    let integrity = download.integrity.as_ref();
    if let Some(found) = incoming.keep_if_sound(integrity, head.root, before)? {
        return Err(Refusal::Server(other_contents(head, download, &found)));
    }
    if download.wants_license {
        download.record_own_fields(manifest.as_deref());
    }
    download.record_inserted();
    Ok(())
}

/// Unpacks the contents, which must have exactly the sizes that the head states.
fn write_files(
    head: &PackHead,
    contents: impl BufRead,
    download: &Download,
    incoming: &mut Incoming<'_>,
) -> Result<Taken, Refusal> {
    let damaged = |reason: String| {
        Refusal::Server(DxrpError::Damaged { package: package_of(download), reason })
    };
    let refused = |error: std::io::Error| damaged(error.to_string());
    let mut contents = Decoder::with_buffer(contents).map_err(refused)?.single_frame();
    contents.window_log_max(WINDOW).map_err(refused)?;
    let mut taken = Taken::default();
    let mut piece = vec![0; PIECE];
    for file in &head.package.files {
        let is_command = download.commands.contains(&file.path);
        let mode = if is_command { FileMode::EXECUTABLE } else { file.mode };
        incoming.begin_as(file.path.clone(), mode, file.mode)?;
        taken.has_gyp |= file.path == "binding.gyp";
        let mut manifest = (file.path == "package.json").then(Vec::new);
        let mut left = file.size;
        while left > 0 {
            let most = usize::try_from(left).map_or(PIECE, |left| left.min(PIECE));
            let found = match contents.read(&mut piece[..most]) {
                Ok(0) => return Err(damaged(format!("{left} bytes of a file are missing"))),
                Ok(found) => found,
                Err(error) => return Err(refused(error)),
            };
            incoming.write(&piece[..found])?;
            if let Some(manifest) = &mut manifest {
                manifest.extend_from_slice(&piece[..found]);
            }
            left -= found as u64;
        }
        taken.manifest = manifest.or(taken.manifest);
    }
    let is_end = contents.read(&mut piece[..1]).map_err(refused)? == 0;
    match is_end && contents.finish().fill_buf().map_err(refused)?.is_empty() {
        true => Ok(taken),
        false => Err(damaged("there are more bytes than the files have".to_owned())),
    }
}

//! PACK and DELTA: a package, whole or as its difference from another.

use dx_pkg_core::PackageId;

use super::{FrameError, unpack};
use crate::FormatError;
use crate::archive::{Marks, PackageHead};
use crate::wire::{Reader, Writer};

/// The most bytes of contents of a package that is sent in a message; larger ones are fetched as
/// tarballs.
pub const MOST_UNPACKED: u64 = 256 << 20;
/// The most bytes of contents of each of the two packages of a difference, both of which are in
/// memory.
pub const MOST_COMPARED: u64 = 64 << 20;
/// The largest window that the contents of a package, sent whole, are compressed with, as a power
/// of two: so much memory takes who unpacks them piece by piece.
pub const WINDOW: u32 = 24;

/// What a server says about a package: that the tarball of this id has these contents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Statement {
    /// The package.
    pub id: PackageId,
    /// The content root, as in a DXP file.
    pub root: [u8; 32],
}

impl Statement {
    /// Returns the bytes that are signed, by ECDSA on P-256 with SHA-256.
    #[must_use]
    pub fn signed(&self) -> Vec<u8> {
        let mut out = Writer::with_capacity(96);
        out.bytes(b"dxrp statement 1\n");
        out.bytes(self.id.as_bytes());
        out.bytes(&self.root);
        out.into_bytes()
    }
}

/// The most bytes of a package's head before it is compressed.
const MOST_PACKAGE_HEAD: usize = 16 << 20;
/// The level at which heads are compressed: most of one is paths.
const LEVEL: i32 = 6;

/// A PACK or DELTA message up to the contents, which follow and end the message: one Zstandard
/// frame. Unpacked, they are the contents of the files one after the other, in the order of the
/// head. Those of a DELTA are compressed with the contents of the package `from`, in the order of
/// its own head, as a prefix that is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackHead {
    /// The package that a DELTA is a difference from.
    pub from: Option<PackageId>,
    /// The content root.
    pub root: [u8; 32],
    /// The signature of the [`Statement`]: `r` and `s`, 32 bytes each.
    pub signature: [u8; 64],
    /// Id, integrity and files.
    pub package: PackageHead,
}

impl PackHead {
    /// Encodes what precedes the contents. Marks are not sent.
    ///
    /// # Errors
    /// The head of the package cannot be encoded.
    pub fn encode(&self) -> Result<Vec<u8>, FormatError> {
        let package = PackageHead { marks: Marks::default(), ..self.package.clone() }.encode()?;
        let too_large = FormatError::TooLarge { format: "DXRP", what: "bytes of paths" };
        let length = u32::try_from(package.len()).map_err(|_| too_large.clone())?;
        if package.len() > MOST_PACKAGE_HEAD {
            return Err(too_large);
        }
        let compressed = zstd::bulk::compress(&package, LEVEL).map_err(|_| too_large)?;
        let mut out = Writer::with_capacity(compressed.len() + 160);
        out.flag(self.from.is_some());
        if let Some(from) = &self.from {
            out.bytes(from.as_bytes());
        }
        out.bytes(&self.root);
        out.bytes(&self.signature);
        out.u32(length);
        out.blob(&compressed);
        Ok(out.into_bytes())
    }

    /// Decodes a message; returns its head and the contents, compressed.
    ///
    /// # Errors
    /// It is cut off, its head is none that [`PackageHead::decode`] takes, or its contents would be
    /// larger than [`MOST_UNPACKED`], or [`MOST_COMPARED`] for a difference.
    pub fn decode(bytes: &[u8]) -> Result<(Self, &[u8]), FrameError> {
        let malformed = FrameError::Malformed { message: "PACK" };
        let mut reader = Reader::new(bytes);
        let (from, root, signature, length, package) =
            read(&mut reader).ok_or_else(|| malformed.clone())?;
        if length > MOST_PACKAGE_HEAD {
            return Err(FrameError::TooLong { message: "PACK", most: MOST_PACKAGE_HEAD as u64 });
        }
        let package = unpack(package, length).ok_or_else(|| malformed.clone())?;
        let package = PackageHead::decode(&package).map_err(|_| malformed)?;
        // The sum does not overflow: a decoded head has a limit of its own.
        let most = if from.is_some() { MOST_COMPARED } else { MOST_UNPACKED };
        if package.size() > most {
            return Err(FrameError::TooLong { message: "PACK", most });
        }
        Ok((Self { from, root, signature, package }, reader.rest()))
    }

    /// Returns what the server says about the package.
    #[must_use]
    pub fn statement(&self) -> Statement {
        Statement { id: self.package.id, root: self.root }
    }
}

type Parts<'a> = (Option<PackageId>, [u8; 32], [u8; 64], usize, &'a [u8]);

fn read<'a>(reader: &mut Reader<'a>) -> Option<Parts<'a>> {
    let from = match reader.u8()? {
        0 => None,
        1 => Some(PackageId::from_bytes(reader.array()?)),
        _ => return None,
    };
    let (root, signature) = (reader.array()?, reader.array()?);
    Some((from, root, signature, reader.u32()? as usize, reader.blob()?))
}

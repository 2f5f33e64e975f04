//! DXA: packages in one compressed file, from one store to another. Here are the parts that
//! describe packages; the store compresses them, and writes and reads the contents.
//!
//! The file begins with a header. Little-endian throughout:
//!
//! | offset | size | field |
//! |---|---|---|
//! | 0 | 4 | signature `DXA\0` |
//! | 4 | 2 | format version, 1 |
//! | 6 | 2 | zero |
//! | 8 | 8 | XXH3-64 of the bytes from offset 16 to 32 |
//! | 16 | 4 | number of packages |
//! | 20 | 12 | zero |
//!
//! One Zstandard frame follows, and ends the file. It holds, for each package, the length of its
//! head (`u32`), the head, the contents of its files one after the other, and the content root (32
//! bytes, as in a DXP file); then a `u32` that is zero. The head of a package:
//!
//! | offset | size | field |
//! |---|---|---|
//! | 0 | 32 | id |
//! | 32 | 1 | marks: 1 = it has a `binding.gyp`, 2 = scripts or tools write to it |
//! | 33 | | integrity of its tarball in SRI form: length (`u32`), text |
//! | … | 4 | number of files |
//! | … | | the files, ascending by path |
//!
//! One file of a head:
//!
//! | offset | size | field |
//! |---|---|---|
//! | 0 | 1 | who may execute it, as in a DXP file |
//! | 1 | 8 | size of the contents |
//! | 9 | | path: length (`u32`), text |
//!
//! Nothing in it is trusted before it is checked: paths stay within the package, no file is where
//! another has its folder, sizes have limits, and the id is that of the integrity. Contents are
//! sound if they have the content root.

mod head;

use crate::FormatError;
use crate::wire::Frame;

pub use head::{ArchivedFile, Marks, PackageHead};

/// The first four bytes of an archive.
pub const SIGNATURE: [u8; 4] = *b"DXA\0";
/// The version of the format this build reads and writes.
pub const VERSION: u16 = 1;
/// The length of the header in bytes.
pub const HEADER: usize = 32;
/// The most bytes that the head of a package may have.
pub const MOST_HEAD: u32 = 64 << 20;
/// The most files that a package may have, as in a tarball.
pub const MOST_FILES: u32 = 500_000;
/// The most bytes that the contents of a package may have, as in a tarball.
pub const MOST_CONTENTS: u64 = 4 << 30;
/// The length of the content root that follows the contents of a package.
pub const CONTENT_ROOT: usize = 32;

const FORMAT: &str = "DXA";
const FRAME: Frame = Frame { format: FORMAT, signature: SIGNATURE, version: VERSION };

/// Returns the header of an archive of so many packages.
#[must_use]
pub fn encode_header(packages: u32) -> Vec<u8> {
    let mut out = FRAME.begin(HEADER - Frame::SIZE);
    out.words([packages]);
    out.zeros_to(HEADER);
    Frame::finish(out)
}

/// Decodes the header of an archive; returns the number of its packages.
///
/// # Errors
/// When the signature or version is another's, or the header is damaged or cut off.
pub fn decode_header(bytes: &[u8]) -> Result<u32, FormatError> {
    FRAME.check_version(bytes)?;
    let Some(header) = bytes.get(..HEADER) else {
        let (needed, available) = (HEADER as u64, bytes.len() as u64);
        return Err(FormatError::Truncated { format: FORMAT, needed, available });
    };
    let mut reader = FRAME.open(header)?;
    let packages = reader.u32().unwrap_or_default();
    match reader.rest().iter().all(|byte| *byte == 0) {
        true => Ok(packages),
        false => Err(corrupt("a reserved field is not zero")),
    }
}

fn corrupt(what: &'static str) -> FormatError {
    FormatError::Corrupt { format: FORMAT, what }
}

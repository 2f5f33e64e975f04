//! One 512-byte tar header: v7, ustar, pax and GNU.
//!
//! ```text
//! offset size  field            offset size  field
//!      0  100  name                157  100  link name
//!    100    8  mode, octal         257    8  "ustar\0" "00", or "ustar  \0" (GNU)
//!    124   12  size, octal or      345  155  prefix (ustar; 130 in archives by star)
//!              base-256
//!    148    8  checksum, octal     475    1  0 when the prefix is the short one
//!    156    1  type
//! ```
//! Source: POSIX.1-2017 `pax`, the GNU tar manual.

use std::borrow::Cow;

use dx_pkg_format::dxp::FileMode;

/// Length of a header and the unit every entry is padded to, in bytes.
pub(super) const BLOCK: usize = 512;

const NAME: std::ops::Range<usize> = 0..100;
const MODE: std::ops::Range<usize> = 100..108;
const SIZE: std::ops::Range<usize> = 124..136;
const CHECKSUM: std::ops::Range<usize> = 148..156;
const TYPE: usize = 156;
const MAGIC: std::ops::Range<usize> = 257..265;
const LONG_PREFIX: std::ops::Range<usize> = 345..500;
const SHORT_PREFIX: std::ops::Range<usize> = 345..475;
const LONG_PREFIX_MARK: usize = 475;

/// The type of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    Folder,
    Symlink,
    Hardlink,
    Device,
    Fifo,
    /// The next entry's name (GNU).
    LongName,
    /// The next entry's link target (GNU).
    LongLink,
    /// Fields of the next entry (pax).
    Extended,
    /// Fields of every entry that follows (pax).
    Global,
    /// Something that npm ignores: sparse files, access lists, volume labels.
    Other,
}

impl Kind {
    fn from_flag(flag: u8) -> Self {
        match flag {
            b'0' | 0 | b'7' => Self::File,
            b'1' => Self::Hardlink,
            b'2' => Self::Symlink,
            b'3' | b'4' => Self::Device,
            b'5' | b'D' => Self::Folder,
            b'6' => Self::Fifo,
            b'L' | b'N' => Self::LongName,
            b'K' => Self::LongLink,
            b'x' | b'X' => Self::Extended,
            b'g' => Self::Global,
            _ => Self::Other,
        }
    }

    /// Returns whether preceding pax fields and long names apply to it.
    pub(super) fn is_in_file_system(self) -> bool {
        matches!(
            self,
            Self::File | Self::Folder | Self::Symlink | Self::Hardlink | Self::Device | Self::Fifo
        )
    }
}

/// A header whose checksum has been verified.
pub(super) struct Header<'a> {
    block: &'a [u8],
}

impl<'a> Header<'a> {
    /// Verifies the checksum of a block of [`BLOCK`] bytes.
    pub(super) fn parse(block: &'a [u8]) -> Result<Self, &'static str> {
        let stored = octal(&block[CHECKSUM]).ok_or("its checksum is not a number")?;
        let outside = || block[..CHECKSUM.start].iter().chain(&block[CHECKSUM.end..]);
        let spaces = CHECKSUM.len() as u64 * u64::from(b' ');
        let unsigned: u64 = outside().map(|byte| u64::from(*byte)).sum();
        if unsigned + spaces == stored {
            return Ok(Self { block });
        }
        // Some old archivers summed signed characters.
        let signed: i64 = outside().map(|byte| i64::from(byte.cast_signed())).sum();
        if signed + spaces.cast_signed() == stored.cast_signed() {
            return Ok(Self { block });
        }
        Err("its checksum does not match")
    }

    pub(super) fn kind(&self) -> Kind {
        Kind::from_flag(self.block[TYPE])
    }

    /// Returns whether a body may follow: folders have none, whatever their size field says.
    pub(super) fn has_body(&self) -> bool {
        self.block[TYPE] != b'5'
    }

    /// Returns whether the type is the one under which old archivers also wrote folders.
    pub(super) fn may_be_old_folder(&self) -> bool {
        matches!(self.block[TYPE], 0 | b'0')
    }

    /// Returns the entry's name with its ustar prefix, as bytes.
    pub(super) fn name(&self) -> Cow<'a, [u8]> {
        let name = until_nul(&self.block[NAME]);
        if &self.block[MAGIC] != b"ustar\x0000" {
            return Cow::Borrowed(name);
        }
        let prefix = if self.block[LONG_PREFIX_MARK] == 0 { SHORT_PREFIX } else { LONG_PREFIX };
        let prefix = until_nul(&self.block[prefix]);
        if prefix.is_empty() {
            return Cow::Borrowed(name);
        }
        Cow::Owned([prefix, b"/", name].concat())
    }

    /// Returns the length of the body in bytes; `None` when the field is no number.
    pub(super) fn size(&self) -> Option<u64> {
        number(&self.block[SIZE])
    }

    /// Returns its permissions.
    pub(super) fn mode(&self) -> FileMode {
        let bits = number(&self.block[MODE]).unwrap_or_default() & 0o7777;
        FileMode::of_bits(bits as u32)
    }
}

/// Returns the part of a field before its first NUL.
pub(super) fn until_nul(field: &[u8]) -> &[u8] {
    let end = field.iter().position(|byte| *byte == 0).unwrap_or(field.len());
    &field[..end]
}

/// Parses an octal number, or GNU's base-256 when the first byte is 0x80; a negative or over-long
/// one is none.
fn number(field: &[u8]) -> Option<u64> {
    match field.first() {
        Some(0x80) => field[1..]
            .iter()
            .try_fold(0_u64, |value, byte| Some(value.checked_mul(256)? | u64::from(*byte))),
        _ => octal(field),
    }
}

/// Parses an octal number among spaces, ended by a NUL or a space; an empty field is zero.
fn octal(field: &[u8]) -> Option<u64> {
    let digits = until_nul(field).trim_ascii();
    let digits = digits.split(|byte| *byte == b' ').next().unwrap_or_default();
    digits.iter().try_fold(0_u64, |value, digit| match digit {
        b'0'..=b'7' => Some(value.checked_mul(8)? | u64::from(digit - b'0')),
        _ => None,
    })
}

//! The permissions of a package's files.

use super::FIRST_VERSION;

/// The permissions of a file, as npm derives them from those in the tarball: its owner may write,
/// all may read, and each of owner, group and others may execute it if the tarball says so.
///
/// There is no set-user-id, set-group-id or sticky bit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct FileMode {
    flags: u8,
}

/// The mode of a file that nobody may execute.
const READABLE: u32 = 0o644;
/// The flag of the owner's permission to execute, and all three flags.
const OWNER: u8 = 1;
const ALL: u8 = 7;

impl FileMode {
    /// Mode 0644.
    pub const PLAIN: Self = Self { flags: 0 };
    /// Mode 0755.
    pub const EXECUTABLE: Self = Self { flags: ALL };

    /// Returns the mode of a file whose mode is `bits` in a tarball.
    #[must_use]
    pub const fn of_bits(bits: u32) -> Self {
        let (owner, group, others) = (bits >> 6 & 1, bits >> 3 & 1, bits & 1);
        Self { flags: (owner | group << 1 | others << 2) as u8 }
    }

    /// Returns the permission bits, such as `0o644`.
    #[must_use]
    pub const fn bits(self) -> u32 {
        let flags = self.flags as u32;
        READABLE | (flags & 1) << 6 | (flags >> 1 & 1) << 3 | flags >> 2 & 1
    }

    /// Returns whether all may execute the file, as they may every command.
    #[must_use]
    pub fn is_executable(self) -> bool {
        self == Self::EXECUTABLE
    }

    /// Returns the flags of a row.
    pub(crate) fn flags(self) -> u8 {
        self.flags
    }

    /// Returns the mode that flags in a file of this version mean; `None` for unknown flags.
    pub(crate) fn of_flags(flags: u8, version: u16) -> Option<Self> {
        match flags {
            0 => Some(Self::PLAIN),
            OWNER if version == FIRST_VERSION => Some(Self::EXECUTABLE),
            1..=ALL if version != FIRST_VERSION => Some(Self { flags }),
            _ => None,
        }
    }
}

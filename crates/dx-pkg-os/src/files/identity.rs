//! Identities, by which a change of a file is detected without reading it.

use std::io;
use std::path::Path;

/// The attributes that change when a file is replaced or written: inode, size and times.
///
/// No program can set the change time, so an edit that restores the modification time is detected,
/// too. Where the system has no inode or change time they are zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Identity {
    /// The device the file is on.
    pub device: u64,
    /// The inode number.
    pub inode: u64,
    /// The size in bytes.
    pub size: u64,
    /// The time of the last change of the contents, in nanoseconds since 1970.
    pub mtime_ns: i64,
    /// The time of the last change of contents or attributes, in nanoseconds since 1970.
    pub ctime_ns: i64,
}

/// Returns the identity of the file at `path`, links followed; `None` if there is none.
pub fn identity(path: &Path) -> io::Result<Option<Identity>> {
    #[cfg(unix)]
    let found =
        rustix::fs::stat(path).map(|stat| Identity::from_stat(&stat)).map_err(io::Error::from);
    #[cfg(not(unix))]
    let found = std::fs::metadata(path).map(|metadata| Identity::from_metadata(&metadata));
    match found {
        Ok(identity) => Ok(Some(identity)),
        Err(error) => missing_is_none(error),
    }
}

/// Turns the error of a missing file into `None`.
pub(super) fn missing_is_none<T>(error: io::Error) -> io::Result<Option<T>> {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Ok(None),
        _ => Err(error),
    }
}

impl Identity {
    /// The length of [`Self::to_bytes`].
    pub const BYTES: usize = 40;

    /// Returns the identity of an open file.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn of_file(file: &std::fs::File) -> io::Result<Self> {
        #[cfg(unix)]
        return Ok(Self::from_stat(&rustix::fs::fstat(file)?));
        #[cfg(not(unix))]
        return Ok(Self::from_metadata(&file.metadata()?));
    }

    /// Encodes the five numbers in their order, little-endian.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        let numbers = [
            self.device.to_le_bytes(),
            self.inode.to_le_bytes(),
            self.size.to_le_bytes(),
            self.mtime_ns.to_le_bytes(),
            self.ctime_ns.to_le_bytes(),
        ];
        bytes.as_chunks_mut::<8>().0.copy_from_slice(&numbers);
        bytes
    }

    /// Decodes [`Self::to_bytes`].
    #[must_use]
    pub fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        let [device, inode, size, mtime, ctime] = *bytes.as_chunks::<8>().0 else {
            return Self::default();
        };
        Self {
            device: u64::from_le_bytes(device),
            inode: u64::from_le_bytes(inode),
            size: u64::from_le_bytes(size),
            mtime_ns: i64::from_le_bytes(mtime),
            ctime_ns: i64::from_le_bytes(ctime),
        }
    }

    #[cfg(unix)]
    #[allow(
        clippy::unnecessary_cast,
        clippy::useless_conversion,
        reason = "the widths of these fields differ between systems"
    )]
    pub(super) fn from_stat(stat: &rustix::fs::Stat) -> Self {
        let nanoseconds =
            |seconds: i64, rest: i64| seconds.saturating_mul(1_000_000_000).saturating_add(rest);
        Self {
            device: stat.st_dev as u64,
            inode: stat.st_ino as u64,
            size: stat.st_size as u64,
            mtime_ns: nanoseconds(stat.st_mtime as i64, stat.st_mtime_nsec as i64),
            ctime_ns: nanoseconds(stat.st_ctime as i64, stat.st_ctime_nsec as i64),
        }
    }

    #[cfg(not(unix))]
    pub(super) fn from_metadata(metadata: &std::fs::Metadata) -> Self {
        let nanoseconds = |time: io::Result<std::time::SystemTime>| {
            time.ok()
                .and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok())
                .and_then(|since| i64::try_from(since.as_nanos()).ok())
                .unwrap_or_default()
        };
        Self {
            size: metadata.len(),
            mtime_ns: nanoseconds(metadata.modified()),
            ctime_ns: nanoseconds(metadata.created()),
            ..Self::default()
        }
    }
}

#[cfg(test)]
mod tests;

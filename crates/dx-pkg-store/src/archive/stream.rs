//! The decompressed bytes of an archive, with the reasons why they end too early.

use std::io::{BufReader, Read};

use dx_pkg_format::archive::{HEADER, MOST_HEAD, PackageHead, decode_header};
use zstd::Decoder;

use super::counted::Counted;
use super::{ArchiveError, is_bomb};

/// The largest window that is accepted, 2^27 bytes: so much memory a decoder may need.
const MOST_WINDOW_LOG: u32 = 27;

/// An archive that is being read.
pub(super) struct Stream<R: Read> {
    decoder: Decoder<'static, BufReader<Counted<R>>>,
    /// The number of bytes decompressed.
    contents: u64,
}

impl<R: Read> Stream<R> {
    /// Reads the header; returns with the stream the number of packages.
    pub(super) fn open(from: R) -> Result<(Self, u32), ArchiveError> {
        let mut from = Counted::new(from);
        let mut header = Vec::with_capacity(HEADER);
        let read = (&mut from).take(HEADER as u64).read_to_end(&mut header);
        read.map_err(|source| ArchiveError::Io { doing: "reading", source })?;
        let packages = decode_header(&header).map_err(|source| ArchiveError::Unknown { source })?;
        let reader = BufReader::with_capacity(1 << 17, from);
        let decoder = Decoder::with_buffer(reader).and_then(|mut decoder| {
            decoder.window_log_max(MOST_WINDOW_LOG)?;
            Ok(decoder.single_frame())
        });
        let decoder = decoder.map_err(|source| ArchiveError::Io { doing: "reading", source })?;
        Ok((Self { decoder, contents: 0 }, packages))
    }

    /// Fills the buffer.
    pub(super) fn fill(&mut self, mut buffer: &mut [u8]) -> Result<(), ArchiveError> {
        while !buffer.is_empty() {
            let read = self.read(buffer)?;
            if read == 0 {
                return Err(ArchiveError::damaged("it ends in the middle"));
            }
            buffer = buffer.get_mut(read..).unwrap_or_default();
        }
        Ok(())
    }

    /// Reads the head of the next package; `None` at the end of the archive.
    pub(super) fn head(&mut self) -> Result<Option<PackageHead>, ArchiveError> {
        let mut length = [0; 4];
        self.fill(&mut length)?;
        match u32::from_le_bytes(length) {
            0 => Ok(None),
            length if length > MOST_HEAD => {
                Err(ArchiveError::refused("it describes a package in more than 64 MiB"))
            }
            length => {
                let bytes = self.bytes(length as usize)?;
                PackageHead::decode(&bytes).map(Some).map_err(ArchiveError::of_head)
            }
        }
    }

    /// Checks that nothing follows.
    pub(super) fn end(mut self) -> Result<(), ArchiveError> {
        if self.read(&mut [0])? != 0 {
            return Err(ArchiveError::damaged("bytes follow its last package"));
        }
        let mut rest = self.decoder.finish();
        match rest.read(&mut [0]) {
            Ok(0) => Ok(()),
            Ok(_) => Err(ArchiveError::damaged("bytes follow its end")),
            Err(source) => Err(ArchiveError::Io { doing: "reading", source }),
        }
    }

    /// Reads bytes whose number is not to be trusted with an allocation.
    fn bytes(&mut self, length: usize) -> Result<Vec<u8>, ArchiveError> {
        const STEP: usize = 1 << 20;
        let mut bytes = Vec::new();
        while bytes.len() < length {
            let start = bytes.len();
            bytes.resize(length.min(start + STEP), 0);
            self.fill(bytes.get_mut(start..).unwrap_or_default())?;
        }
        Ok(bytes)
    }

    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, ArchiveError> {
        let read = match self.decoder.read(buffer) {
            Ok(read) => read,
            Err(error) => {
                // The reader's own error, or else the decoder's about its bytes.
                return Err(match self.decoder.get_mut().get_mut().failed.take() {
                    Some(source) => ArchiveError::Io { doing: "reading", source },
                    None if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                        ArchiveError::damaged("it ends in the middle")
                    }
                    None => ArchiveError::damaged(format!("it does not decompress ({error})")),
                });
            }
        };
        self.contents += read as u64;
        if is_bomb(self.decoder.get_ref().get_ref().bytes, self.contents) {
            return Err(ArchiveError::refused(
                "it expands to more than a thousand times its size, as only attacks do",
            ));
        }
        Ok(read)
    }
}

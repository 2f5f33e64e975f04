//! A reader or writer that counts the bytes that pass, and keeps the error that ended it.

use std::io::{self, Read, Write};

/// A reader or writer with the number of bytes that passed.
pub(super) struct Counted<T> {
    inner: T,
    pub(super) bytes: u64,
    /// The error of the reader or writer itself, as apart from one of the compressor.
    pub(super) failed: Option<io::Error>,
}

impl<T> Counted<T> {
    pub(super) fn new(inner: T) -> Self {
        Self { inner, bytes: 0, failed: None }
    }

    pub(super) fn into_inner(self) -> T {
        self.inner
    }

    fn count(&mut self, done: io::Result<usize>) -> io::Result<usize> {
        match done {
            Ok(bytes) => self.bytes += bytes as u64,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
            Err(error) => {
                let kind = error.kind();
                self.failed = Some(error);
                return Err(kind.into());
            }
        }
        done
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer);
        self.count(read)
    }
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes);
        self.count(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        let flushed = self.inner.flush().map(|()| 0);
        self.count(flushed).map(drop)
    }
}

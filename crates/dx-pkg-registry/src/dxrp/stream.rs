//! Messages read from and written to a stream.

use std::io::{self, ErrorKind, Read, Write};

use dx_pkg_core::Coded;
use dx_pkg_format::dxrp::{FrameError, FrameHead, HEAD, Kind, encode_message};

/// The reason why a stream of messages ends.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StreamError {
    /// The stream cannot be read or written, or ends within a message.
    #[error("a DXRP stream broke off: {0}")]
    Io(#[from] io::Error),
    /// What came is not DXRP.
    #[error(transparent)]
    Frame(#[from] FrameError),
}

impl Coded for StreamError {
    fn code(&self) -> &'static str {
        match self {
            Self::Io(_) => "DX_DXRP_STREAM",
            Self::Frame(error) => error.code(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Io(_) => None,
            Self::Frame(error) => error.hint(),
        }
    }
}

/// A message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its kind.
    pub kind: Kind,
    /// Its payload, to be decoded by the type of its kind.
    pub payload: Vec<u8>,
}

/// Reads messages. Each is wholly in memory, at most [`Kind::most`] bytes of it.
#[derive(Debug)]
pub struct MessageReader<R> {
    source: R,
    received: u64,
}

impl<R: Read> MessageReader<R> {
    /// Returns a reader of what `source` delivers, which should be buffered.
    pub fn new(source: R) -> Self {
        Self { source, received: 0 }
    }

    /// Reads the next message; `None` where the stream ends before it.
    ///
    /// # Errors
    /// The stream cannot be read or ends within a message, or a frame is refused.
    pub fn read(&mut self) -> Result<Option<Message>, StreamError> {
        let mut payload = Vec::new();
        let kind = self.read_into(&mut payload, |_| {})?;
        Ok(kind.map(|kind| Message { kind, payload }))
    }

    /// Reads the next message into `payload`, whatever that held before, and returns its kind;
    /// `None` where the stream ends before it. `grows` is called with the length that the payload
    /// is about to have, before it has: it may wait.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn read_into(
        &mut self,
        payload: &mut Vec<u8>,
        mut grows: impl FnMut(usize),
    ) -> Result<Option<Kind>, StreamError> {
        payload.clear();
        let Some(first) = self.head(true)? else { return Ok(None) };
        let mut head = first;
        loop {
            grows(payload.len() + head.length);
            self.take_payload(&head, payload)?;
            if !head.more {
                return Ok(Some(first.kind));
            }
            head = self.head(false)?.ok_or_else(|| io::Error::from(ErrorKind::UnexpectedEof))?;
            if head.kind != first.kind {
                return Err(FrameError::OutOfOrder { message: head.kind.name() }.into());
            }
        }
    }

    /// Returns how many bytes were read.
    pub fn received(&self) -> u64 {
        self.received
    }

    /// Returns the stream, for what follows the last message that was read.
    pub fn into_inner(self) -> R {
        self.source
    }

    fn head(&mut self, may_end: bool) -> Result<Option<FrameHead>, StreamError> {
        let mut bytes = [0; HEAD];
        let mut filled = 0;
        while filled < HEAD {
            match self.source.read(&mut bytes[filled..]) {
                Ok(0) if filled == 0 && may_end => return Ok(None),
                Ok(0) => return Err(io::Error::from(ErrorKind::UnexpectedEof).into()),
                Ok(read) => filled += read,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        self.received += HEAD as u64;
        Ok(Some(FrameHead::decode(&bytes)?))
    }

    /// Appends the payload of a frame to that of its message.
    fn take_payload(&mut self, head: &FrameHead, payload: &mut Vec<u8>) -> Result<(), StreamError> {
        let (begin, most) = (payload.len(), head.kind.most());
        if (begin + head.length) as u64 > most {
            return Err(FrameError::TooLong { message: head.kind.name(), most }.into());
        }
        // At most MOST_PAYLOAD bytes more than have come.
        payload.resize(begin + head.length, 0);
        self.source.read_exact(&mut payload[begin..])?;
        self.received += head.length as u64;
        Ok(head.check(&payload[begin..])?)
    }
}

/// Writes messages.
#[derive(Debug)]
pub struct MessageWriter<W> {
    sink: W,
}

impl<W: Write> MessageWriter<W> {
    /// Returns a writer to `sink`.
    pub fn new(sink: W) -> Self {
        Self { sink }
    }

    /// Writes a message.
    ///
    /// # Errors
    /// The stream cannot be written.
    pub fn send(&mut self, kind: Kind, payload: &[u8]) -> io::Result<()> {
        self.sink.write_all(&encode_message(kind, payload))
    }

    /// Writes frames that are encoded already.
    ///
    /// # Errors
    /// The stream cannot be written.
    pub fn send_encoded(&mut self, frames: &[u8]) -> io::Result<()> {
        self.sink.write_all(frames)
    }

    /// Writes out what is buffered.
    ///
    /// # Errors
    /// The stream cannot be written.
    pub fn flush(&mut self) -> io::Result<()> {
        self.sink.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dx_pkg_format::dxrp::{MOST_PAYLOAD, encode_frame};

    #[test]
    fn messages_are_read_as_they_were_written() {
        let long = vec![5; MOST_PAYLOAD * 2 + 1];
        let mut out = Vec::new();
        let mut writer = MessageWriter::new(&mut out);
        writer.send(Kind::Plan, &long).unwrap();
        writer.send(Kind::End, b"").unwrap();
        let mut reader = MessageReader::new(&out[..]);
        let plan = reader.read().unwrap().unwrap();
        assert_eq!((plan.kind, plan.payload == long), (Kind::Plan, true));
        assert_eq!(reader.read().unwrap().map(|message| message.kind), Some(Kind::End));
        assert_eq!(reader.read().unwrap(), None);
        assert_eq!(reader.received(), out.len() as u64);
        for length in [1, HEAD, HEAD + 1, HEAD + MOST_PAYLOAD] {
            let cut = MessageReader::new(&out[..length]).read();
            assert!(matches!(cut, Err(StreamError::Io(_))), "cut at {length}");
        }
    }

    #[test]
    fn a_message_that_grows_beyond_its_kind_is_refused() {
        let mut out = Vec::new();
        for _ in 0..3 {
            encode_frame(Kind::Hello, &[0; 400], true, &mut out);
        }
        let read = MessageReader::new(&out[..]).read();
        assert!(matches!(read, Err(StreamError::Frame(FrameError::TooLong { .. }))));
    }

    #[test]
    fn a_message_does_not_go_on_as_another() {
        let mut out = Vec::new();
        encode_frame(Kind::Pack, b"a", true, &mut out);
        encode_frame(Kind::Delta, b"b", false, &mut out);
        let read = MessageReader::new(&out[..]).read();
        assert!(matches!(read, Err(StreamError::Frame(FrameError::OutOfOrder { .. }))));
    }
}

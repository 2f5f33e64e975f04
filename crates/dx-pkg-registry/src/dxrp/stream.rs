//! Messages read from and written to a stream.

use std::io::{self, ErrorKind, Read, Write};
use std::time::{Duration, Instant};

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

/// The beginning of a message whose end has not come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Begun {
    /// Its kind.
    pub kind: Kind,
    /// The bytes of its frames that have come whole, heads included.
    pub bytes: u64,
    /// The bytes of its payload in them.
    pub length: u64,
}

/// Reads messages. Each is wholly in memory, at most [`Kind::most`] bytes of it.
#[derive(Debug)]
pub struct MessageReader<R> {
    source: R,
    received: u64,
    /// The longest that one message may take.
    limit: Option<Duration>,
    begun: Option<Begun>,
}

impl<R: Read> MessageReader<R> {
    /// Returns a reader of what `source` delivers, which should be buffered.
    pub fn new(source: R) -> Self {
        Self { source, received: 0, limit: None, begun: None }
    }

    /// Sets the longest that one message may take from its first byte on. It is looked at whenever
    /// bytes come.
    #[must_use]
    pub fn within(self, limit: Duration) -> Self {
        Self { limit: Some(limit), ..self }
    }

    /// Reads the next message; `None` where the stream ends before it.
    ///
    /// # Errors
    /// The stream cannot be read or ends within a message, or a frame is refused.
    pub fn read(&mut self) -> Result<Option<Message>, StreamError> {
        let mut payload = Vec::new();
        let kind = self.read_into(&mut payload, |_, _, _| {})?;
        Ok(kind.map(|kind| Message { kind, payload }))
    }

    /// Reads the next message into `payload`, whatever that held before, and returns its kind;
    /// `None` where the stream ends before it. `grows` is called before each frame with the kind,
    /// the payload so far and the bytes that the frame adds: it may wait, and may take what is
    /// there.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn read_into(
        &mut self,
        payload: &mut Vec<u8>,
        mut grows: impl FnMut(Kind, &mut Vec<u8>, usize),
    ) -> Result<Option<Kind>, StreamError> {
        payload.clear();
        self.begun = None;
        let Some(first) = self.head(None)? else { return Ok(None) };
        self.go_on_from(first, payload, &mut grows).map(Some)
    }

    /// Reads on in a message of which `payload` has the frames that came whole on another stream;
    /// returns its kind.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn go_on(
        &mut self,
        begun: Begun,
        payload: &mut Vec<u8>,
        mut grows: impl FnMut(Kind, &mut Vec<u8>, usize),
    ) -> Result<Kind, StreamError> {
        self.begun = Some(begun);
        let cut = || io::Error::from(ErrorKind::UnexpectedEof);
        let next = self.head(Some(Instant::now()))?.ok_or_else(cut)?;
        self.go_on_from(next, payload, &mut grows)
    }

    /// Returns the message that broke off, if one did after a frame of it had come whole: the
    /// payload has what those frames hold, but for what was taken from it.
    pub fn begun(&self) -> Option<Begun> {
        self.begun
    }

    fn go_on_from(
        &mut self,
        mut head: FrameHead,
        payload: &mut Vec<u8>,
        grows: &mut impl FnMut(Kind, &mut Vec<u8>, usize),
    ) -> Result<Kind, StreamError> {
        let since = Instant::now();
        let kind = self.begun.map_or(head.kind, |begun| begun.kind);
        let (mut length, most) = (self.begun.map_or(0, |begun| begun.length), kind.most());
        loop {
            if head.kind != kind {
                return Err(FrameError::OutOfOrder { message: head.kind.name() }.into());
            }
            length += head.length as u64;
            if length > most {
                return Err(FrameError::TooLong { message: kind.name(), most }.into());
            }
            grows(kind, payload, head.length);
            let begin = payload.len();
            if let Err(error) = self.take_payload(&head, payload, since) {
                payload.truncate(begin);
                return Err(error);
            }
            if !head.more {
                self.begun = None;
                return Ok(kind);
            }
            let before = self.begun.map_or(0, |begun| begun.bytes);
            let bytes = before + (HEAD + head.length) as u64;
            self.begun = Some(Begun { kind, bytes, length });
            let cut = || io::Error::from(ErrorKind::UnexpectedEof);
            head = self.head(Some(since))?.ok_or_else(cut)?;
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

    /// Reads the head of a frame; `None` where the stream ends before it. `since` is when its
    /// message began, if it has.
    fn head(&mut self, since: Option<Instant>) -> Result<Option<FrameHead>, StreamError> {
        let mut bytes = [0; HEAD];
        let mut filled = 0;
        let mut began = since;
        while filled < HEAD {
            match self.source.read(&mut bytes[filled..]) {
                Ok(0) if filled == 0 && since.is_none() => return Ok(None),
                Ok(0) => return Err(io::Error::from(ErrorKind::UnexpectedEof).into()),
                Ok(read) => filled += read,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
            self.check_time(*began.get_or_insert_with(Instant::now))?;
        }
        self.received += HEAD as u64;
        Ok(Some(FrameHead::decode(&bytes)?))
    }

    /// Appends the payload of a frame to that of its message.
    fn take_payload(
        &mut self,
        head: &FrameHead,
        payload: &mut Vec<u8>,
        since: Instant,
    ) -> Result<(), StreamError> {
        let begin = payload.len();
        // At most MOST_PAYLOAD bytes more than have come.
        payload.resize(begin + head.length, 0);
        let mut filled = begin;
        while filled < payload.len() {
            match self.source.read(&mut payload[filled..]) {
                Ok(0) => return Err(io::Error::from(ErrorKind::UnexpectedEof).into()),
                Ok(read) => filled += read,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
            self.check_time(since)?;
        }
        self.received += head.length as u64;
        Ok(head.check(&payload[begin..])?)
    }

    /// Fails once a message that began `since` takes too long.
    fn check_time(&self, since: Instant) -> Result<(), StreamError> {
        match self.limit {
            Some(limit) if since.elapsed() > limit => {
                let text = format!("a message took more than {} seconds", limit.as_secs_f32());
                Err(io::Error::new(ErrorKind::TimedOut, text).into())
            }
            _ => Ok(()),
        }
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
    fn a_message_that_breaks_off_goes_on_where_its_last_whole_frame_ended() {
        let long: Vec<u8> = (0..MOST_PAYLOAD * 2 + 9).map(|at| (at % 251) as u8).collect();
        let bytes = dx_pkg_format::dxrp::encode_message(Kind::Pack, &long);
        let frame = HEAD + MOST_PAYLOAD;
        for (cut, whole) in [(frame - 1, 0), (frame, 1), (frame * 2 - 1, 1), (frame * 2 + 20, 2)] {
            let mut payload = Vec::new();
            let mut reader = MessageReader::new(&bytes[..cut]);
            assert!(reader.read_into(&mut payload, |_, _, _| {}).is_err(), "cut at {cut}");
            let Some(begun) = reader.begun() else {
                assert_eq!(whole, 0, "cut at {cut}");
                continue;
            };
            assert_eq!((begun.kind, begun.bytes), (Kind::Pack, (whole * frame) as u64));
            assert_eq!(begun.length, (whole * MOST_PAYLOAD) as u64);
            assert_eq!(payload.len(), whole * MOST_PAYLOAD);
            let rest = &bytes[usize::try_from(begun.bytes).unwrap()..];
            let mut other = payload.clone();
            let again = MessageReader::new(rest).go_on(begun, &mut payload, |_, _, _| {});
            assert_eq!((again.ok(), payload == long), (Some(Kind::Pack), true), "cut at {cut}");
            // What follows belongs to another message.
            let end = dx_pkg_format::dxrp::encode_message(Kind::End, b"");
            assert!(MessageReader::new(&end[..]).go_on(begun, &mut other, |_, _, _| {}).is_err());
        }
    }

    #[test]
    fn what_was_taken_of_a_message_counts_for_its_length() {
        let long: Vec<u8> = (0..MOST_PAYLOAD * 3).map(|at| (at % 251) as u8).collect();
        let bytes = dx_pkg_format::dxrp::encode_message(Kind::Pack, &long);
        let (mut taken, mut payload) = (Vec::new(), Vec::new());
        let mut reader = MessageReader::new(&bytes[..]);
        let kind = reader.read_into(&mut payload, |_, payload, _| taken.append(payload));
        taken.append(&mut payload);
        assert_eq!((kind.ok().flatten(), taken == long), (Some(Kind::Pack), true));
        let mut out = Vec::new();
        for _ in 0..3 {
            encode_frame(Kind::Hello, &[0; 400], true, &mut out);
        }
        let read = MessageReader::new(&out[..]).read_into(&mut payload, |_, it, _| it.clear());
        assert!(matches!(read, Err(StreamError::Frame(FrameError::TooLong { .. }))));
    }

    /// Delivers a byte now and then.
    struct Trickle<'b>(&'b [u8]);

    impl Read for Trickle<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            std::thread::sleep(Duration::from_millis(10));
            let length = buffer.len().min(1);
            self.0.read(&mut buffer[..length])
        }
    }

    #[test]
    fn a_message_that_takes_too_long_is_given_up() {
        let bytes = dx_pkg_format::dxrp::encode_message(Kind::Pack, &[1; 4000]);
        let limit = Duration::from_millis(200);
        let began = Instant::now();
        let read = MessageReader::new(Trickle(&bytes)).within(limit).read();
        assert!(matches!(read, Err(StreamError::Io(error)) if error.kind() == ErrorKind::TimedOut));
        assert!(began.elapsed() >= limit && began.elapsed() < limit * 20);
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

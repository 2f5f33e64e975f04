//! The body of an answer while it arrives: collected and hashed, or streamed.

use crate::request::Verdict;
use crate::stream::Piece;
use bytes::Bytes;
use dx_pkg_core::Integrity;
use dx_pkg_core::buffer::Buffer;
use dx_pkg_core::integrity::Checker;
use tokio::sync::mpsc::Sender;

/// The largest allocation made on the word of `Content-Length` alone, in bytes.
const MAX_RESERVED: u64 = 64 << 20;

/// The length up to which the caller hashes a body once it is complete, in bytes: it takes less
/// than 2 ms.
const HASHED_WHOLE: u64 = 1 << 20;

/// A body being received: collected, and hashed meanwhile if it is large, or streamed.
pub(crate) struct Body {
    length: u64,
    /// The only chunk so far, which is not copied.
    first: Bytes,
    joined: Buffer,
    check: Check,
    /// The channel that chunks go to instead of being collected.
    pub(crate) stream: Option<Sender<Piece>>,
}

/// The integrity check of a body.
enum Check {
    /// No integrity was given.
    Nothing,
    /// Hashed when complete or as it arrives; its length decides.
    Undecided(Integrity),
    AsItComes(Box<Checker>),
}

impl Body {
    pub(crate) fn new(integrity: Option<&Integrity>) -> Self {
        let check =
            integrity.map_or(Check::Nothing, |integrity| Check::Undecided(integrity.clone()));
        Self { length: 0, first: Bytes::new(), joined: Buffer::default(), check, stream: None }
    }

    pub(crate) fn len(&self) -> u64 {
        self.length
    }

    pub(crate) fn is_streamed(&self) -> bool {
        self.stream.is_some()
    }

    /// Takes in `chunk`; if the body is streamed, waits until the receiver has room for it.
    pub(crate) async fn push(&mut self, chunk: Bytes, expected: Option<u64>) {
        match &self.stream {
            Some(stream) => {
                self.length += chunk.len() as u64;
                // A receiver that gave up reports that itself at the end.
                let _ = stream.send(Piece::Bytes(chunk)).await;
            }
            None => self.collect(chunk, expected),
        }
    }

    pub(crate) fn collect(&mut self, chunk: Bytes, expected: Option<u64>) {
        self.length += chunk.len() as u64;
        if let Check::Undecided(integrity) = &self.check
            && expected.is_none_or(|expected| expected > HASHED_WHOLE)
        {
            self.check = Check::AsItComes(Box::new(integrity.checker()));
        }
        if let Check::AsItComes(checker) = &mut self.check {
            checker.update(&chunk);
        }
        if self.first.is_empty() && self.joined.is_empty() {
            self.first = chunk;
            return;
        }
        if self.joined.is_empty() {
            let announced = expected.unwrap_or_default().min(MAX_RESERVED) as usize;
            self.joined = Buffer::with_capacity(announced.max(self.first.len() + chunk.len()));
            self.joined.extend(&std::mem::take(&mut self.first));
        }
        self.joined.extend(&chunk);
    }

    /// Returns the body, if it was collected, and its verdict.
    pub(crate) async fn finish(self) -> (Bytes, Verdict) {
        if let Some(stream) = self.stream {
            let _ = stream.send(Piece::End).await;
        }
        let body = if self.joined.is_empty() { self.first } else { Bytes::from_owner(self.joined) };
        let verdict = match self.check {
            Check::Nothing => Verdict::Known(Ok(())),
            Check::Undecided(integrity) => Verdict::Open(integrity),
            Check::AsItComes(checker) => Verdict::Known(checker.finish()),
        };
        (body, verdict)
    }
}

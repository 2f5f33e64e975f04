//! The body of an answer while it arrives: collected and hashed, or streamed.

use crate::budget::{Budget, Lease};
use crate::request::Verdict;
use crate::stream::Piece;
use bytes::Bytes;
use dx_pkg_core::Integrity;
use dx_pkg_core::buffer::Buffer;
use dx_pkg_core::integrity::Checker;
use std::sync::Arc;
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
    /// The memory that it may take, if it is collected.
    lease: Option<Lease>,
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
        let (first, joined) = (Bytes::new(), Buffer::default());
        Self { length: 0, first, joined, check, stream: None, lease: None }
    }

    /// Returns a body whose first `length` bytes somebody else has.
    pub(crate) fn from(length: u64) -> Self {
        Self { length, ..Self::new(None) }
    }

    /// Returns the body with its memory counted in `budget`.
    pub(crate) fn within(self, budget: &Arc<Budget>) -> Self {
        Self { lease: Some(Lease::new(budget)), ..self }
    }

    pub(crate) fn len(&self) -> u64 {
        self.length
    }

    pub(crate) fn is_streamed(&self) -> bool {
        self.stream.is_some()
    }

    /// Returns whether it is streamed to a receiver that is gone.
    pub(crate) fn is_abandoned(&self) -> bool {
        self.stream.as_ref().is_some_and(Sender::is_closed)
    }

    /// Takes in `chunk`; if the body is streamed, waits until the receiver has room for it.
    pub(crate) async fn push(&mut self, chunk: Bytes, expected: Option<u64>) {
        match &self.stream {
            Some(stream) => {
                self.length += chunk.len() as u64;
                // A receiver that gave up reports that itself at the end.
                let _ = stream.send(Piece::Bytes(chunk)).await;
            }
            None => {
                if let Some(lease) = &mut self.lease {
                    lease.grow(self.length + chunk.len() as u64).await;
                }
                self.collect(chunk, expected);
            }
        }
    }

    /// Streams the body from now on: what was collected first.
    pub(crate) async fn stream_to(&mut self, stream: Sender<Piece>) {
        let collected = self.take_collected();
        self.lease = None;
        if !collected.is_empty() {
            let _ = stream.send(Piece::Bytes(collected)).await;
        }
        self.stream = Some(stream);
    }

    fn take_collected(&mut self) -> Bytes {
        if self.joined.is_empty() {
            return std::mem::take(&mut self.first);
        }
        Bytes::from_owner(std::mem::take(&mut self.joined))
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

    /// Returns the body, if it was collected, its verdict, and the memory that it takes.
    pub(crate) async fn finish(mut self) -> (Bytes, Verdict, Option<Lease>) {
        let body = self.take_collected();
        if let Some(stream) = self.stream {
            let _ = stream.send(Piece::End).await;
        }
        let verdict = match self.check {
            Check::Nothing => Verdict::Known(Ok(())),
            Check::Undecided(integrity) => Verdict::Open(integrity),
            Check::AsItComes(checker) => Verdict::Known(checker.finish()),
        };
        (body, verdict, self.lease)
    }
}

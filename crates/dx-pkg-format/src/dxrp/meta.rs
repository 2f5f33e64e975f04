//! META: packuments, many in one request.

use super::{FrameError, whole};
use crate::wire::Writer;

/// A client's question for a packument.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MetaQuestion {
    /// The package.
    pub name: String,
    /// The validator of the packument that the client has, as a server gave it; empty for none.
    pub etag: String,
}

impl MetaQuestion {
    /// Encodes a message with these questions.
    #[must_use]
    pub fn encode(questions: &[Self], full: bool) -> Vec<u8> {
        let mut out = Writer::with_capacity(questions.len() * 64);
        out.flag(full);
        out.list(questions, |out, question| {
            out.text(&question.name);
            out.text(&question.etag);
        });
        out.into_bytes()
    }

    /// Decodes a message; returns the questions, and whether full packuments are wanted.
    ///
    /// # Errors
    /// It is cut off or too long.
    pub fn decode(bytes: &[u8]) -> Result<(Vec<Self>, bool), FrameError> {
        whole(bytes, "META?", |reader| {
            let full = reader.flag()?;
            let questions = reader.list(|reader| {
                let name = reader.text()?.to_owned();
                Some(Self { name, etag: reader.text()?.to_owned() })
            })?;
            Some((questions, full))
        })
    }
}

/// The answer to the question for one packument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetaAnswer {
    /// The package.
    pub name: String,
    /// The answer.
    pub outcome: MetaOutcome,
}

/// What became of a question for a packument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MetaOutcome {
    /// A packument.
    Modified {
        /// Its validator.
        etag: String,
        /// How long it may be used without a question, in milliseconds.
        fresh_for_ms: u64,
        /// Whether it is a full one.
        full: bool,
        /// The length of the packument in bytes before it was compressed.
        unpacked: u32,
        /// The packument in the form DXM, compressed by Zstandard.
        packument: Vec<u8>,
    },
    /// The client's is still current.
    NotModified,
    /// The registry has no such package.
    NotFound,
    /// The client may not have it.
    Refused,
    /// It cannot be had now.
    Unavailable,
}

impl MetaAnswer {
    /// Encodes the message.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::with_capacity(256);
        out.text(&self.name);
        match &self.outcome {
            MetaOutcome::Modified { etag, fresh_for_ms, full, unpacked, packument } => {
                out.u8(0);
                out.text(etag);
                out.u64(*fresh_for_ms);
                out.flag(*full);
                out.u32(*unpacked);
                out.blob(packument);
            }
            MetaOutcome::NotModified => out.u8(1),
            MetaOutcome::NotFound => out.u8(2),
            MetaOutcome::Refused => out.u8(3),
            MetaOutcome::Unavailable => out.u8(4),
        }
        out.into_bytes()
    }

    /// Decodes the message. The packument is to be decoded and checked by itself.
    ///
    /// # Errors
    /// It is cut off, too long, or has an unknown outcome.
    pub fn decode(bytes: &[u8]) -> Result<Self, FrameError> {
        whole(bytes, "META", |reader| {
            let name = reader.text()?.to_owned();
            let outcome = match reader.u8()? {
                0 => MetaOutcome::Modified {
                    etag: reader.text()?.to_owned(),
                    fresh_for_ms: reader.u64()?,
                    full: reader.flag()?,
                    unpacked: reader.u32()?,
                    packument: reader.blob()?.to_vec(),
                },
                1 => MetaOutcome::NotModified,
                2 => MetaOutcome::NotFound,
                3 => MetaOutcome::Refused,
                4 => MetaOutcome::Unavailable,
                _ => return None,
            };
            Some(Self { name, outcome })
        })
    }
}

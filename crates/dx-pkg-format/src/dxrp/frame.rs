//! Frames: a head of sixteen bytes and a payload.

use twox_hash::XxHash3_64;

use super::FrameError;
use super::filter::MOST_FILTER;
use crate::wire::{array_at, u32_at, u64_at};

/// The length of a frame's head in bytes.
pub const HEAD: usize = 16;
/// The most bytes that the payload of one frame has.
pub const MOST_PAYLOAD: usize = 1 << 20;

/// The mark of a frame whose message goes on with the next one.
const MORE: u8 = 1;

/// The kind of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Kind {
    /// The first message of either side: versions and abilities.
    Hello = 0x01,
    /// A client's question for a plan.
    PlanQuestion = 0x02,
    /// Which packages a client wants.
    Want = 0x03,
    /// A client's question for packuments.
    MetaQuestion = 0x04,
    /// The server's public key.
    Key = 0x10,
    /// A plan: the whole lock of a project.
    Plan = 0x11,
    /// A package.
    Pack = 0x12,
    /// A package as its difference from one that the client holds.
    Delta = 0x13,
    /// A package that the server does not send.
    Missing = 0x14,
    /// A packument.
    Meta = 0x15,
    /// The request has failed; nothing follows.
    Error = 0x1e,
    /// All has been sent.
    End = 0x1f,
}

impl Kind {
    const ALL: [Self; 12] = [
        Self::Hello,
        Self::PlanQuestion,
        Self::Want,
        Self::MetaQuestion,
        Self::Key,
        Self::Plan,
        Self::Pack,
        Self::Delta,
        Self::Missing,
        Self::Meta,
        Self::Error,
        Self::End,
    ];

    fn of(number: u8) -> Result<Self, FrameError> {
        let known = Self::ALL.into_iter().find(|kind| *kind as u8 == number);
        known.ok_or(FrameError::Kind { kind: number })
    }

    /// Returns the name of the kind, for messages.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Hello => "HELLO",
            Self::PlanQuestion => "PLAN?",
            Self::Want => "WANT",
            Self::MetaQuestion => "META?",
            Self::Key => "KEY",
            Self::Plan => "PLAN",
            Self::Pack => "PACK",
            Self::Delta => "DELTA",
            Self::Missing => "MISSING",
            Self::Meta => "META",
            Self::Error => "ERROR",
            Self::End => "END",
        }
    }

    /// Returns the most bytes that the payloads of a message of this kind have in all.
    #[must_use]
    pub fn most(self) -> u64 {
        match self {
            Self::Hello | Self::Key | Self::Missing | Self::End => 1 << 10,
            Self::Error => 16 << 10,
            Self::Want => (16 << 20) + MOST_FILTER as u64,
            Self::PlanQuestion | Self::MetaQuestion => 16 << 20,
            Self::Plan | Self::Meta => 64 << 20,
            Self::Pack | Self::Delta => 80 << 20,
        }
    }
}

/// The head of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameHead {
    /// The kind of message that the frame belongs to.
    pub kind: Kind,
    /// Whether the message goes on with the next frame.
    pub more: bool,
    /// The length of the payload in bytes.
    pub length: usize,
    /// XXH3-64 of the payload; its seed is the first eight bytes of the head.
    checksum: u64,
    seed: u64,
}

impl FrameHead {
    /// Decodes the head of a frame.
    ///
    /// # Errors
    /// An unknown kind or mark, or a payload longer than [`MOST_PAYLOAD`].
    pub fn decode(bytes: &[u8; HEAD]) -> Result<Self, FrameError> {
        let [number, marks, zero, other, ..] = *bytes;
        let kind = Kind::of(number)?;
        let message = kind.name();
        if marks & !MORE != 0 || zero != 0 || other != 0 {
            return Err(FrameError::Malformed { message });
        }
        let length = u32_at(bytes, 4) as usize;
        if length > MOST_PAYLOAD {
            return Err(FrameError::TooLong { message, most: MOST_PAYLOAD as u64 });
        }
        let more = marks & MORE != 0;
        // A message that never grows would never end.
        if more && length == 0 {
            return Err(FrameError::Malformed { message });
        }
        Ok(Self { kind, more, length, checksum: u64_at(bytes, 8), seed: u64_at(bytes, 0) })
    }

    /// Checks the payload of the frame.
    ///
    /// # Errors
    /// Its checksum is another.
    pub fn check(&self, payload: &[u8]) -> Result<(), FrameError> {
        match XxHash3_64::oneshot_with_seed(self.seed, payload) == self.checksum {
            true => Ok(()),
            false => Err(FrameError::Checksum { message: self.kind.name() }),
        }
    }
}

/// Appends a frame with `payload`, of which only the first [`MOST_PAYLOAD`] bytes are taken.
pub fn encode_frame(kind: Kind, payload: &[u8], more: bool, out: &mut Vec<u8>) {
    let payload = payload.get(..MOST_PAYLOAD).unwrap_or(payload);
    let mut head = [0; HEAD];
    head[0] = kind as u8;
    head[1] = if more { MORE } else { 0 };
    // At most MOST_PAYLOAD, which has 21 bits.
    head[4..8].copy_from_slice(&(payload.len() as u32).to_le_bytes());
    let seed = array_at(&head, 0).map_or(0, u64::from_le_bytes);
    let checksum = XxHash3_64::oneshot_with_seed(seed, payload);
    head[8..].copy_from_slice(&checksum.to_le_bytes());
    out.extend_from_slice(&head);
    out.extend_from_slice(payload);
}

/// Returns the frames of one message.
#[must_use]
pub fn encode_message(kind: Kind, payload: &[u8]) -> Vec<u8> {
    let frames = payload.len().div_ceil(MOST_PAYLOAD).max(1);
    let mut out = Vec::with_capacity(payload.len() + frames * HEAD);
    let mut rest = payload;
    loop {
        let (now, later) = rest.split_at(rest.len().min(MOST_PAYLOAD));
        encode_frame(kind, now, !later.is_empty(), &mut out);
        if later.is_empty() {
            return out;
        }
        rest = later;
    }
}

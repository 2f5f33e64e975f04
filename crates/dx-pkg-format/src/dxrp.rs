//! DXRP: the frames of dx's registry protocol, by which one request brings the plan of a whole
//! project and the packages that a client lacks.
//!
//! A stream is a sequence of frames in each direction, whatever carries it: the body of an HTTP
//! request and of its response, or a connection after `Upgrade: dxrp/1`. A **message** is one frame
//! or several; all but the last of its frames are marked as having more to follow. The byte tables
//! are in `docs/format/dxrp.md`.
//!
//! This module encodes and decodes frames and messages that are in memory. What reads and writes
//! streams of them is elsewhere. Nothing that a length or count states is allocated before as many
//! bytes are there.

mod error;
mod filter;
mod frame;
mod greeting;
mod meta;
mod pack;
mod plan;
mod unpack;
mod want;

pub use error::FrameError;
pub use filter::{Filter, MOST_FILTER};
pub use frame::{FrameHead, HEAD, Kind, MOST_PAYLOAD, encode_frame, encode_message};
pub use greeting::{Capabilities, End, Hello, Missing, Reason, Refusal, ServerKey, Trouble};
pub use meta::{MetaAnswer, MetaOutcome, MetaQuestion};
pub use pack::{MOST_COMPARED, MOST_UNPACKED, PackHead, Statement, WINDOW};
pub use plan::{Plan, PlanChange, PlanQuestion, PlanRules};
pub use unpack::unpack;
pub use want::{Choice, Held, Want, Wanted};

/// The media type of requests and answers that HTTP carries.
pub const MEDIA_TYPE: &str = "application/vnd.dxrp";

/// The version of the protocol that this build speaks.
pub const VERSION: u16 = 1;

use crate::wire::Reader;

/// Decodes a message by `read`, which must read all of it.
fn whole<T>(
    bytes: &[u8],
    message: &'static str,
    read: impl FnOnce(&mut Reader<'_>) -> Option<T>,
) -> Result<T, FrameError> {
    let mut reader = Reader::new(bytes);
    match read(&mut reader) {
        Some(value) if reader.is_empty() => Ok(value),
        _ => Err(FrameError::Malformed { message }),
    }
}

//! DXRP, the protocol between dx and a dx-registry, over anything that can be read and written.
//!
//! Frames and messages are those of [`dx_pkg_format::dxrp`]; the protocol is described in
//! `docs/format/dxrp.md`.

mod answer;
mod statement;
mod stream;

pub use answer::{Answer, AnswerError, Part, encode_request};
pub use statement::{fingerprint, is_signed};
pub use stream::{Begun, Message, MessageReader, MessageWriter, StreamError};

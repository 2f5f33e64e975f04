//! DXRP, the protocol between dx and a dx-registry, over anything that can be read and written.
//!
//! Frames and messages are those of [`dx_pkg_format::dxrp`]; the protocol is described in
//! `docs/format/dxrp.md`.

mod stream;

pub use stream::{Message, MessageReader, MessageWriter, StreamError};

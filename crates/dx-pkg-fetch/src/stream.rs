//! Streaming: bodies handed to the caller while they arrive.

pub mod upgrade;
pub(crate) mod wire;

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::mpsc::Sender;

/// A message on the channel of a streamed body. A body that breaks off ends without
/// [`Piece::End`], even where a later try starts again.
#[derive(Debug)]
pub enum Piece {
    /// The next bytes.
    Bytes(Bytes),
    /// The end of a complete body.
    End,
}

/// A body that may be streamed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Beginning {
    /// Its length in bytes; `None` for one that has grown large without telling its length.
    pub length: Option<u64>,
    /// Whether it has a `Content-Encoding`.
    pub is_encoded: bool,
}

/// Called when a body begins, or has turned out to be large; returns the channel to stream it to,
/// or `None` to have it collected.
pub type OpenStream = Arc<dyn Fn(Beginning) -> Option<Sender<Piece>> + Send + Sync>;

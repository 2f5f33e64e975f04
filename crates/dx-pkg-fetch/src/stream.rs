//! Streaming: bodies handed to the caller while they arrive.

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

/// Called with the length of a body when it begins; returns the channel to stream it to, or `None`
/// to have it collected.
pub type OpenStream = Arc<dyn Fn(u64) -> Option<Sender<Piece>> + Send + Sync>;

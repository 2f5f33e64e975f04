//! Bodies that are passed on as they arrive.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::mpsc::Sender;

/// What whoever takes a body as it arrives is sent. A body that breaks off, and is begun anew elsewhere or not at all, just ends:
/// without [`Piece::End`] it is not whole.
#[derive(Debug)]
pub enum Piece {
    /// The next bytes.
    Bytes(Bytes),
    /// There are no more.
    End,
}

/// Asked when a body of that many bytes begins: where to pass it on to, or `None` for it to be collected.
pub type OpenStream = Arc<dyn Fn(u64) -> Option<Sender<Piece>> + Send + Sync>;

//! The streams that answers arrive on.

use std::io::{self, BufReader, Read, Write};
use std::sync::{Arc, Mutex, PoisonError};

use dx_pkg_core::coded::message_with_causes;
use dx_pkg_fetch::stream::upgrade::Connection;
use dx_pkg_fetch::stream::{Beginning, Piece};
use dx_pkg_fetch::{Bytes, Request};
use tokio::sync::mpsc::{self, Receiver};

use crate::network::Network;

/// The buffer between a connection and the messages that are read from it, in bytes: many packages
/// are smaller.
const BUFFER: usize = 128 << 10;
/// The most pieces that wait to be read.
const PIECES: usize = 4;

/// The bytes of an answer.
pub(crate) enum Incoming {
    /// A connection of its own.
    Raw(Box<BufReader<Connection>>),
    /// The body of an HTTP answer.
    Http(Pieces),
}

impl Incoming {
    /// Sends a request over a connection.
    pub(super) fn over(mut connection: Connection, request: &[u8]) -> io::Result<Self> {
        connection.write_all(request)?;
        connection.flush()?;
        Ok(Self::Raw(Box::new(BufReader::with_capacity(BUFFER, connection))))
    }

    /// Sends a request over HTTP.
    pub(super) fn over_http(network: &Network, request: Request) -> Self {
        let (sender, pieces) = mpsc::channel(PIECES);
        let sender = Mutex::new(Some(sender));
        // An answer begins once: the request is not repeated.
        let open = move |_: Beginning| sender.lock().unwrap_or_else(PoisonError::into_inner).take();
        let failure = Arc::new(Mutex::new(None));
        let (fetcher, failed) = (network.fetcher.clone(), failure.clone());
        network.runtime.spawn(async move {
            let request = request.stream(Arc::new(open));
            if let Err(error) = fetcher.get(request).await {
                let text = message_with_causes(&error);
                *failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(text);
            }
        });
        Self::Http(Pieces { pieces, failure, next: Bytes::new(), is_whole: false })
    }

    /// Returns the connection, if it can carry another request.
    pub(super) fn into_idle(self) -> Option<Connection> {
        match self {
            Self::Raw(reader) if reader.buffer().is_empty() => Some(reader.into_inner()),
            _ => None,
        }
    }
}

impl Read for Incoming {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Raw(reader) => reader.read(buffer),
            Self::Http(pieces) => pieces.read(buffer),
        }
    }
}

/// The pieces of an HTTP answer.
pub(crate) struct Pieces {
    pieces: Receiver<Piece>,
    /// Why the request failed.
    failure: Arc<Mutex<Option<String>>>,
    next: Bytes,
    is_whole: bool,
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.next.is_empty() && !self.is_whole {
            match self.pieces.blocking_recv() {
                Some(Piece::Bytes(bytes)) => self.next = bytes,
                Some(Piece::End) => self.is_whole = true,
                None => {
                    let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
                    return Err(match failure.take() {
                        Some(text) => io::Error::other(text),
                        None => io::ErrorKind::UnexpectedEof.into(),
                    });
                }
            }
        }
        let piece = self.next.split_to(buffer.len().min(self.next.len()));
        let place = buffer.get_mut(..piece.len()).unwrap_or_default();
        place.copy_from_slice(&piece);
        Ok(piece.len())
    }
}

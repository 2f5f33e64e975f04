//! The way of an answer to its client: into the body of a response, or straight to the connection.

use bytes::{Bytes, BytesMut};
use dx_pkg_format::dxrp::{Kind, encode_message};
use std::time::Duration;
use tokio::io::{AsyncWrite, AsyncWriteExt as _};
use tokio::sync::mpsc;

/// The bytes that are collected before they are sent. Longer ones are sent by themselves, without
/// being copied.
const COLLECTED: usize = 128 << 10;
const ALONE: usize = 32 << 10;
/// The pieces that wait to be sent in a response.
const WAITING: usize = 4;
/// The time that a client has to take a piece.
const PATIENCE: Duration = Duration::from_secs(60);

/// The client has gone, or takes nothing.
#[derive(Debug)]
pub(super) struct Gone;

/// The way; see the module.
pub(super) struct Out<'a> {
    to: To<'a>,
    collected: BytesMut,
    /// The bytes that were sent.
    pub(super) sent: u64,
}

enum To<'a> {
    Body(mpsc::Sender<Bytes>),
    Connection(&'a mut (dyn AsyncWrite + Unpin + Send)),
}

impl Out<'static> {
    /// Returns the way into a body, and the end at which it is read.
    pub(super) fn body() -> (Self, mpsc::Receiver<Bytes>) {
        let (sender, receiver) = mpsc::channel(WAITING);
        (Self { to: To::Body(sender), collected: BytesMut::new(), sent: 0 }, receiver)
    }
}

impl<'a> Out<'a> {
    /// Returns the way to a connection.
    pub(super) fn connection(connection: &'a mut (dyn AsyncWrite + Unpin + Send)) -> Self {
        Self { to: To::Connection(connection), collected: BytesMut::new(), sent: 0 }
    }

    /// Sends a message.
    pub(super) async fn send(&mut self, kind: Kind, payload: &[u8]) -> Result<(), Gone> {
        self.send_encoded(encode_message(kind, payload).into()).await
    }

    /// Sends frames that are encoded already.
    pub(super) async fn send_encoded(&mut self, frames: Bytes) -> Result<(), Gone> {
        if frames.len() >= ALONE {
            self.flush().await?;
            return self.pass(frames).await;
        }
        self.collected.extend_from_slice(&frames);
        if self.collected.len() >= COLLECTED { self.flush().await } else { Ok(()) }
    }

    /// Sends what was collected.
    pub(super) async fn flush(&mut self) -> Result<(), Gone> {
        if self.collected.is_empty() {
            return Ok(());
        }
        let collected = self.collected.split().freeze();
        self.pass(collected).await
    }

    async fn pass(&mut self, bytes: Bytes) -> Result<(), Gone> {
        self.sent += bytes.len() as u64;
        match &mut self.to {
            To::Body(sender) => sender.send_timeout(bytes, PATIENCE).await.map_err(|_| Gone),
            To::Connection(connection) => {
                let mut rest = bytes;
                while !rest.is_empty() {
                    let written = tokio::time::timeout(PATIENCE, connection.write(&rest)).await;
                    match written {
                        Ok(Ok(written)) if written > 0 => drop(rest.split_to(written)),
                        _ => return Err(Gone),
                    }
                }
                Ok(())
            }
        }
    }
}

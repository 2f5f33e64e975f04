//! Receives the tarball of a download, whole or while it arrives.

use std::pin::Pin;
use std::sync::Arc;

use dx_pkg_compat::tarball;
use dx_pkg_core::IntegrityMismatch;
use dx_pkg_registry::{Streaming, Tarball, TarballSink};
use dx_pkg_store::StoreMode;
use tokio::sync::{mpsc, oneshot};

use super::download::Download;
use super::package::IN_MEMORY;
use super::streaming::{Arriving, Failure, PIECES, STREAMED_FROM};
use crate::AcquireError;

impl TarballSink for Download {
    fn accept(
        self: Arc<Self>,
        tarball: Tarball,
    ) -> Pin<Box<dyn Future<Output = Result<(), IntegrityMismatch>> + Send>> {
        self.shared.counters.tarball_bytes.add(tarball.bytes.len() as u64);
        let told = tarball::unpacked_size(&tarball.bytes);
        let memory = if told <= IN_MEMORY { told } else { 0 };
        let download = self.clone();
        let unpack = move || {
            let (bytes, _slot) = tarball.verify()?;
            if download.mode == StoreMode::Tarball
                && let Err(error) = download.shared.store.put_tarball(download.id, &bytes)
            {
                return Ok(Err(error.into()));
            }
            Ok(download.unpack_bytes(&bytes))
        };
        Box::pin(async move {
            let unpacked = self.shared.workers.run(memory, unpack).await;
            let outcome = unpacked.unwrap_or(Ok(Err(AcquireError::Panicked)))?;
            self.finish(outcome);
            Ok(())
        })
    }

    fn begin(self: Arc<Self>, length: Option<u64>) -> Option<Streaming> {
        if length.is_some_and(|length| length < STREAMED_FROM) {
            return None;
        }
        let (pieces, arriving) = mpsc::channel(PIECES);
        let (done, unpacked) = oneshot::channel();
        let source = Arriving::new(arriving, &self.shared.counters);
        // A thread of its own: it waits for the network most of the time, and would keep a worker
        // from its work.
        let unpack = move || {
            // Nobody waits for what breaks off.
            let _ = match self.unpack_arriving(source) {
                Ok(()) => {
                    self.finish(Ok(()));
                    done.send(Ok(()))
                }
                Err(Failure::Refused(error)) => {
                    self.finish(Err(error));
                    done.send(Ok(()))
                }
                Err(Failure::Mismatch(mismatch)) => done.send(Err(mismatch)),
                Err(Failure::Source(_)) => return,
            };
        };
        std::thread::Builder::new().name("dx-stream".into()).spawn(unpack).ok()?;
        Some(Streaming { pieces, unpacked })
    }
}

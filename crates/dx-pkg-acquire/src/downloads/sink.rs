//! Receives the tarball of a download, whole or while it arrives.

use std::pin::Pin;
use std::sync::Arc;

use dx_pkg_compat::tarball;
use dx_pkg_core::IntegrityMismatch;
use dx_pkg_registry::{Streaming, Tarball, TarballSink};
use dx_pkg_store::StoreMode;

use super::download::Download;
use super::package::IN_MEMORY;
use super::streaming::{self, Failure};
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
        let counters = Arc::clone(&self.shared.counters);
        streaming::begin(length, &counters, move |source| {
            let outcome = match self.unpack_arriving(source) {
                Ok(()) => Ok(()),
                Err(Failure::Refused(error)) => Err(error),
                Err(Failure::Mismatch(mismatch)) => return Some(Err(mismatch)),
                Err(Failure::Source(_)) => return None,
            };
            self.finish(outcome);
            Some(Ok(()))
        })
    }
}

//! First downloads: of packages for whose bytes no digest vouches, so that theirs is taken.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use dx_pkg_core::{Integrity, IntegrityMismatch, PackageId};
use dx_pkg_lock::LockPackage;
use dx_pkg_registry::{Streaming, Tarball, TarballSink};
use tokio::task::JoinHandle;

use super::streaming::{self, Failure};
use super::{Downloads, Shared, request};
use crate::package::label;
use crate::{AcquireError, POLL_INTERVAL};

/// A digest that is being taken.
type Taking = JoinHandle<Result<Integrity, AcquireError>>;

impl Downloads {
    /// Downloads packages that have no integrity, all at once, and returns that of the bytes that
    /// came for each. The store has their tarballs then.
    ///
    /// # Errors
    /// The command is cancelled, or the network cannot be used. The failure of one package is in
    /// its place.
    pub fn first(
        &self,
        packages: &[&LockPackage],
    ) -> Result<Vec<Result<Integrity, AcquireError>>, AcquireError> {
        if let Some(package) = packages.first().filter(|_| self.offline) {
            let what = format!("a digest of {}", label(package));
            return Err(AcquireError::Offline {
                what,
                place: "the lockfile or the metadata cache",
            });
        }
        let begun = packages.iter().map(|package| self.begin_first(package));
        let begun: Vec<Taking> = begun.collect::<Result<_, _>>()?;
        begun.into_iter().map(|taking| self.digest(taking)).collect()
    }

    fn begin_first(&self, package: &LockPackage) -> Result<Taking, AcquireError> {
        let network = self.context.network()?;
        let wanted = request(package, self.priority(package), None)?;
        self.shared.counters.tarballs_requested.add(1);
        let sink = Arc::new(First { shared: self.shared.clone(), outcome: Mutex::default() });
        let runtime = network.runtime.clone();
        Ok(runtime.spawn(async move {
            let sent = network.source.tarball(wanted, sink.clone()).await;
            sink.shared.counters.tarballs_unpacked.add(1);
            sent?;
            let outcome = sink.outcome.lock().unwrap_or_else(PoisonError::into_inner).take();
            outcome.unwrap_or(Err(AcquireError::Panicked))
        }))
    }

    /// Waits for a digest.
    fn digest(&self, mut taking: Taking) -> Result<Result<Integrity, AcquireError>, AcquireError> {
        let network = self.context.network()?;
        loop {
            self.context.cancel.check()?;
            let look = async { tokio::time::timeout(POLL_INTERVAL, &mut taking).await };
            if let Ok(taken) = network.runtime.block_on(look) {
                return Ok(taken.unwrap_or(Err(AcquireError::Panicked)));
            }
        }
    }
}

/// The receiver of a first download.
struct First {
    shared: Arc<Shared>,
    outcome: Mutex<Option<Result<Integrity, AcquireError>>>,
}

impl TarballSink for First {
    fn accept(
        self: Arc<Self>,
        tarball: Tarball,
    ) -> Pin<Box<dyn Future<Output = Result<(), IntegrityMismatch>> + Send>> {
        self.shared.counters.tarball_bytes.add(tarball.bytes.len() as u64);
        let sink = self.clone();
        let take = move || {
            let (bytes, _slot) = tarball.verify()?;
            let integrity = Integrity::sha512_of(&bytes);
            let id = PackageId::from_integrity(&integrity);
            let store = &sink.shared.store;
            let put = if store.has(id) { Ok(()) } else { store.put_tarball(id, &bytes) };
            Ok(put.map(|()| integrity).map_err(AcquireError::from))
        };
        Box::pin(async move {
            let taken = self.shared.workers.run(0, take).await;
            let outcome = taken.unwrap_or(Ok(Err(AcquireError::Panicked)))?;
            *self.outcome.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
            Ok(())
        })
    }

    fn begin(self: Arc<Self>, length: Option<u64>) -> Option<Streaming> {
        let counters = Arc::clone(&self.shared.counters);
        streaming::begin(length, &counters, move |source| {
            let taken = match streaming::store_first(&self.shared.store, source) {
                Ok(integrity) => Ok(integrity),
                Err(Failure::Refused(error)) => Err(error),
                Err(Failure::Source(_) | Failure::Mismatch(_)) => return None,
            };
            *self.outcome.lock().unwrap_or_else(PoisonError::into_inner) = Some(taken);
            Some(Ok(()))
        })
    }
}

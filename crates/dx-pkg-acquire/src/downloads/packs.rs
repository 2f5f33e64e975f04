//! Downloads of many packages at once, from a registry that speaks DXRP: over several streams, each
//! read, verified and unpacked by a thread of its own.
//!
//! Whatever does not come that way is fetched as a tarball.

mod unpack;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use dx_pkg_core::PackageId;
use dx_pkg_format::dxrp::{Choice, ServerKey, Want, Wanted};
use dx_pkg_registry::TarballRequest;
use dx_pkg_registry::dxrp::{Part, encode_request};

use self::unpack::{Buffers, Refusal};
use super::Shared;
use super::download::Download;
use crate::dxrp::{Carrier, Dxrp, DxrpError};
use crate::{AcquireError, Network};

/// The number of streams: a network with latency is filled sooner by several connections.
const STREAMS: usize = 4;
/// The number of packages for which a further stream is opened.
const WORTH_A_STREAM: usize = 8;
/// The length of a message from which on it waits for other large ones, in bytes.
const LARGE: usize = 8 << 20;

/// A package that is wanted, and how it is fetched over HTTP.
pub(super) struct Ordered {
    pub(super) download: Download,
    pub(super) request: TarballRequest,
}

/// The packages that are to be requested together, by their registries.
#[derive(Default)]
pub(super) struct Batch(Vec<(Arc<Dxrp>, Vec<Ordered>)>);

impl Batch {
    /// Adds a package of a registry.
    pub(super) fn add(&mut self, dxrp: Arc<Dxrp>, ordered: Ordered) {
        match self.0.iter_mut().find(|(known, _)| Arc::ptr_eq(known, &dxrp)) {
            Some((_, packages)) => packages.push(ordered),
            None => self.0.push((dxrp, vec![ordered])),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Starts the downloads.
    pub(super) fn start(self, shared: &Arc<Shared>, network: &Network) {
        for (dxrp, packages) in self.0 {
            let streams = packages.len().div_ceil(WORTH_A_STREAM).min(STREAMS);
            let wanted = packages.iter().map(|ordered| Wanted {
                id: ordered.download.id,
                name: ordered.request.name.as_str().to_owned(),
                version: ordered.request.version.to_string(),
            });
            let choice = Choice::Named(wanted.collect());
            let open = packages.into_iter().map(|ordered| (ordered.download.id, ordered));
            let run = Arc::new(Run {
                shared: shared.clone(),
                network: network.clone(),
                dxrp,
                open: Mutex::new(open.collect()),
                large: Mutex::default(),
            });
            let working = run.clone();
            let work = move || working.fetch(&choice, streams);
            if thread::Builder::new().name("dx-packs".into()).spawn(work).is_err() {
                run.finish(Some(DxrpError::Thread));
            }
        }
    }
}

/// The packages of one registry on their way.
struct Run {
    shared: Arc<Shared>,
    network: Network,
    dxrp: Arc<Dxrp>,
    /// The packages that have not come yet.
    open: Mutex<HashMap<PackageId, Ordered>>,
    /// The turn of a large package, so that the memory of all streams together is bounded.
    large: Mutex<()>,
}

impl Run {
    /// Fetches the packages over this number of streams, and over HTTP what does not come.
    fn fetch(self: Arc<Self>, choice: &Choice, streams: usize) {
        let outcome = match self.dxrp.carrier(&self.network) {
            Ok(Carrier::None) if !self.dxrp.is_required => Ok(()),
            Ok(_) => self.read_all(choice, streams),
            Err(error) => Err(error),
        };
        self.finish(outcome.err());
    }

    /// Reads all streams; returns the first failure.
    fn read_all(&self, choice: &Choice, streams: usize) -> Result<(), DxrpError> {
        // At most STREAMS.
        let parts = streams.max(1) as u16;
        thread::scope(|scope| {
            let read = |part| {
                move || {
                    let want = Want { part, parts, choice: choice.clone(), held: Vec::new() };
                    self.read(&encode_request(None, Some(&want)))
                }
            };
            let others = (1..parts).map(|part| {
                let builder = thread::Builder::new().name("dx-packs".into());
                builder.spawn_scoped(scope, read(part))
            });
            let others: Vec<_> = others.collect();
            let mut outcome = read(0)();
            for other in others {
                let read = other.map(thread::ScopedJoinHandle::join);
                let read = read
                    .map_or(Err(DxrpError::Thread), |read| read.unwrap_or(Err(DxrpError::Thread)));
                outcome = outcome.and(read);
            }
            outcome
        })
    }

    /// Sends a request and takes the packages of its answer.
    fn read(&self, request: &[u8]) -> Result<(), DxrpError> {
        let mut answer = self.dxrp.send(&self.network, request)?;
        let key = answer.key().clone();
        let mut buffers = Buffers::default();
        let mut payload = Vec::new();
        loop {
            let mut turn = None;
            let part = answer.next(&mut payload, |length| {
                if length > LARGE && turn.is_none() {
                    turn = Some(self.turn());
                }
            })?;
            match part {
                Part::Package => self.take(&payload, &key, &mut buffers, turn)?,
                Part::Missing(missing) => {
                    let ordered = self.open().remove(&missing.id);
                    let ordered = ordered.ok_or_else(|| unwanted(missing.id))?;
                    self.fetch_tarball(ordered);
                }
                Part::End => {
                    self.dxrp.keep(answer);
                    return Ok(());
                }
                Part::Plan(_) | Part::Meta(_) => {}
            }
            if payload.capacity() > LARGE {
                payload = Vec::new();
            }
        }
    }

    /// Puts a package that has come into the store.
    fn take<'r>(
        &'r self,
        payload: &[u8],
        key: &ServerKey,
        buffers: &mut Buffers,
        turn: Option<MutexGuard<'r, ()>>,
    ) -> Result<(), DxrpError> {
        self.shared.counters.tarball_bytes.add(payload.len() as u64);
        let received = unpack::Received::decode(payload)?;
        let id = received.id();
        let ordered = self.open().remove(&id).ok_or_else(|| unwanted(id))?;
        let _turn = turn.or_else(|| received.is_large().then(|| self.turn()));
        match received.store(&ordered.download, key, buffers) {
            Ok(()) => self.done(id, Ok(())),
            Err(Refusal::Own(error)) => self.done(id, Err(error)),
            // A tarball gives the usual error, if it is refused too.
            Err(Refusal::Unusual) => self.fetch_tarball(ordered),
            Err(Refusal::Server(error)) => {
                self.open().insert(id, ordered);
                return Err(error);
            }
        }
        Ok(())
    }

    fn done(&self, id: PackageId, outcome: Result<(), AcquireError>) {
        self.shared.counters.tarballs_unpacked.add(1);
        self.shared.done(id, outcome);
        if self.shared.is_waited_for(id) {
            self.shared.patch_waiting(id);
        }
    }

    fn fetch_tarball(&self, ordered: Ordered) {
        let Ordered { download, request } = ordered;
        self.shared.clone().fetch_tarball(&self.network, download, request);
    }

    /// Fetches what has not come over HTTP, unless it must not: then it has failed.
    fn finish(&self, failure: Option<DxrpError>) {
        let left: Vec<Ordered> = self.open().drain().map(|(_, ordered)| ordered).collect();
        let failure = failure.or_else(|| {
            let Ordered { request, .. } = left.first().filter(|_| self.dxrp.is_spoken())?;
            Some(DxrpError::LeftOut { package: format!("{}@{}", request.name, request.version) })
        });
        let is_final = self.dxrp.is_required || matches!(failure, Some(DxrpError::OtherKey { .. }));
        match failure {
            Some(failure) if is_final => {
                let failure = AcquireError::Dxrp(Arc::new(failure));
                for ordered in left {
                    self.done(ordered.download.id, Err(failure.clone()));
                }
                return;
            }
            Some(failure) => self.dxrp.explain(&failure),
            None => {}
        }
        left.into_iter().for_each(|ordered| self.fetch_tarball(ordered));
    }

    fn open(&self) -> MutexGuard<'_, HashMap<PackageId, Ordered>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn turn(&self) -> MutexGuard<'_, ()> {
        self.large.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn unwanted(id: PackageId) -> DxrpError {
    DxrpError::Unwanted { id: id.to_string() }
}

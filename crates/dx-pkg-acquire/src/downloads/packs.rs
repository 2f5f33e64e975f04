//! Downloads of many packages at once, from a registry that speaks DXRP: over several streams, each
//! read, verified and unpacked by a thread of its own.
//!
//! Whatever does not come that way is fetched as a tarball.

mod early;
mod gate;
mod planned;
mod resume;
mod unpack;

use std::collections::{HashMap, HashSet};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;

use dx_pkg_core::PackageId;
use dx_pkg_format::dxrp::{Choice, Held, Kind, Plan, ServerKey, Want, Wanted};
use dx_pkg_registry::TarballRequest;
use dx_pkg_registry::dxrp::{Part, encode_request};

use self::early::{Early, Seats};
use self::gate::Gate;
pub(crate) use self::planned::PlanError;
use self::resume::Started;
use self::unpack::{Buffers, Refusal};
use super::Shared;
use super::download::Download;
use crate::dxrp::{Carrier, Dxrp, DxrpError};
use crate::{AcquireError, Network};

/// The number of streams: a network with latency is filled sooner by several connections.
pub(crate) const STREAMS: usize = 4;
/// The number of packages for which a further stream is opened.
const WORTH_A_STREAM: usize = 8;
/// The number of packages that are worth a request of their own.
const MANY: usize = 48;
/// The length of a message from which on it waits for other large ones, in bytes.
const LARGE: usize = 8 << 20;

/// A package that is wanted, and how it is fetched over HTTP.
pub(super) struct Ordered {
    pub(super) download: Download,
    pub(super) request: TarballRequest,
    /// Whether it is fetched otherwise if it does not come.
    pub(super) is_needed: bool,
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

    /// Adds the packages of another batch.
    pub(super) fn join(&mut self, other: Self) {
        for (dxrp, packages) in other.0 {
            packages.into_iter().for_each(|ordered| self.add(dxrp.clone(), ordered));
        }
    }

    /// Returns whether there are enough packages for a request.
    pub(super) fn is_large(&self) -> bool {
        self.0.iter().map(|(_, packages)| packages.len()).sum::<usize>() >= MANY
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
            let held = held_for(shared, &packages);
            // At most STREAMS.
            let requests = requests(None, &choice, &held, streams.max(1) as u16);
            let ids: HashSet<PackageId> =
                packages.iter().map(|ordered| ordered.download.id).collect();
            let open = packages.into_iter().map(|ordered| (ordered.download.id, ordered));
            let run = Arc::new(Run {
                shared: shared.clone(),
                network: network.clone(),
                dxrp,
                wanted: OnceLock::from(ids),
                open: Mutex::new(open.collect()),
                held: held.into_iter().map(|held| (held.wanted, held)).collect(),
                gate: Gate::open(),
                plan: Mutex::default(),
                started: Mutex::default(),
                large: Mutex::default(),
                seats: Arc::default(),
            });
            let working = run.clone();
            let work = move || working.fetch(&requests);
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
    /// All packages, once they are known.
    wanted: OnceLock<HashSet<PackageId>>,
    /// Those that have not come yet.
    open: Mutex<HashMap<PackageId, Ordered>>,
    /// The packages that others may come as differences from, by those others.
    held: HashMap<PackageId, Held>,
    /// Closed until it is known which packages are wanted.
    gate: Gate,
    /// The receiver of the plan, or of why there is none.
    plan: Mutex<Option<Sender<Result<Plan, DxrpError>>>>,
    /// The packages within which a stream broke off.
    started: Mutex<Vec<Started>>,
    /// The turn of a large message, so that the memory of all streams together is bounded.
    large: Mutex<()>,
    /// The places of packages that are unpacked while they arrive, for the same reason.
    seats: Arc<Seats>,
}

impl Run {
    /// Sends each request on a stream of its own, asks again for what is missing where streams
    /// break off, and fetches over HTTP what does not come.
    fn fetch(self: Arc<Self>, requests: &[Vec<u8>]) {
        let outcome = match self.dxrp.carrier(&self.network) {
            Ok(Carrier::None) if !self.dxrp.is_required => Ok(()),
            Ok(_) => self.read_all(requests),
            Err(error) => Err(error),
        };
        let outcome = outcome.or_else(|error| self.resume(error));
        self.finish(outcome.err());
    }

    /// Reads all streams; returns the first failure.
    fn read_all(&self, requests: &[Vec<u8>]) -> Result<(), DxrpError> {
        let Some((first, others)) = requests.split_first() else { return Ok(()) };
        thread::scope(|scope| {
            let others = others.iter().map(|request| {
                let builder = thread::Builder::new().name("dx-packs".into());
                builder.spawn_scoped(scope, || self.read(request))
            });
            let others: Vec<_> = others.collect();
            let mut outcome = self.read(first);
            if let Some(plan) = self.take_plan() {
                // The others wait for it.
                self.gate.decide(false);
                let failure = outcome
                    .err()
                    .unwrap_or_else(|| DxrpError::Plan { reason: "there is none".to_owned() });
                // Who does not wait any more does not want it.
                let _ = plan.send(Err(failure));
                outcome = Ok(());
            }
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
        let (mut payload, mut seen) = (Vec::new(), HashSet::new());
        loop {
            let mut turn = None;
            // Undecided at first.
            let mut early: Option<Option<Early>> = None;
            let part = answer.next(&mut payload, |kind, so_far, more| {
                if early.is_none()
                    && kind == Kind::Pack
                    && !so_far.is_empty()
                    && self.gate.is_open()
                {
                    early = Early::decide(so_far, &key, &self.seats, |id| self.twin(id));
                }
                match &mut early {
                    Some(Some(early)) => {
                        turn = None;
                        early.feed(so_far);
                    }
                    _ if so_far.len() + more > LARGE && turn.is_none() => turn = Some(self.turn()),
                    _ => {}
                }
            });
            let early = early.flatten();
            let part = match part {
                Ok(part) => part,
                Err(error) => {
                    let error = DxrpError::from(error);
                    if let Some(begun) = answer.begun().filter(|_| error.is_broken()) {
                        self.keep_started(begun, (payload, early), key);
                    }
                    return Err(error);
                }
            };
            if matches!(part, Part::Package | Part::Missing(_)) && !self.gate.is_passed() {
                return Ok(());
            }
            match part {
                Part::Package => match early {
                    Some(early) => self.take_early(early, &mut payload, &mut seen)?,
                    None => self.take(&payload, &key, (&mut buffers, &mut seen), turn)?,
                },
                Part::Missing(missing) => {
                    if let Some(ordered) = self.order(missing.id, &mut seen)?
                        && ordered.is_needed
                    {
                        self.fetch_tarball(ordered);
                    }
                }
                Part::End => {
                    self.dxrp.keep(answer);
                    return Ok(());
                }
                Part::Plan(plan) => match self.take_plan() {
                    Some(receiver) => drop(receiver.send(Ok(plan))),
                    None => return Err(DxrpError::unasked("a plan")),
                },
                Part::Meta(_) => return Err(DxrpError::unasked("packuments")),
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
        (buffers, seen): (&mut Buffers, &mut HashSet<PackageId>),
        turn: Option<MutexGuard<'r, ()>>,
    ) -> Result<(), DxrpError> {
        self.shared.counters.tarball_bytes.add(payload.len() as u64);
        let received = unpack::Received::decode(payload)?;
        let id = received.id();
        let Some(ordered) = self.order(id, seen)? else { return Ok(()) };
        let _turn = turn.or_else(|| received.is_large().then(|| self.turn()));
        let held = self.held.get(&id).map(|held| held.id);
        if received.base().is_some_and(|base| held != Some(base)) {
            self.open().insert(id, ordered);
            return Err(DxrpError::Unwanted { id: id.to_string() });
        }
        let stored = received.store(&ordered.download, key, buffers);
        self.settle(id, ordered, stored)
    }

    /// Hands the end of its message to a package that was unpacked while it arrived, and waits
    /// until it is in the store.
    fn take_early(
        &self,
        early: Early,
        payload: &mut Vec<u8>,
        seen: &mut HashSet<PackageId>,
    ) -> Result<(), DxrpError> {
        let id = early.id();
        let Some(ordered) = self.order(id, seen)? else { return Ok(()) };
        let (length, stored) = early.finish(payload);
        self.shared.counters.tarball_bytes.add(length);
        self.settle(id, ordered, stored)
    }

    /// Says what became of a package.
    fn settle(
        &self,
        id: PackageId,
        ordered: Ordered,
        stored: Result<(), Refusal>,
    ) -> Result<(), DxrpError> {
        match stored {
            Ok(()) => self.done(id, Ok(())),
            Err(Refusal::Own(error)) => self.done(id, Err(error)),
            // A tarball gives the usual error, if it is refused too.
            Err(Refusal::Unusual) if ordered.is_needed => self.fetch_tarball(ordered),
            Err(Refusal::Unusual) => {}
            Err(Refusal::Server(error)) => {
                self.open().insert(id, ordered);
                return Err(error);
            }
        }
        Ok(())
    }

    /// Returns the download of a package that has not come yet, for a thread of its own.
    fn twin(&self, id: PackageId) -> Option<Download> {
        self.open().get(&id).map(|ordered| ordered.download.twin())
    }

    /// Takes a package off the list, once on each stream; `None` where another stream had it.
    fn order(
        &self,
        id: PackageId,
        seen: &mut HashSet<PackageId>,
    ) -> Result<Option<Ordered>, DxrpError> {
        match seen.insert(id) && self.wanted.get().is_some_and(|wanted| wanted.contains(&id)) {
            true => Ok(self.open().remove(&id)),
            false => Err(DxrpError::Unwanted { id: id.to_string() }),
        }
    }

    fn done(&self, id: PackageId, outcome: Result<(), AcquireError>) {
        self.shared.counters.tarballs_unpacked.add(1);
        self.shared.done(id, outcome);
        if self.shared.is_waited_for(id) {
            self.shared.patch_waiting(id);
        }
    }

    fn fetch_tarball(&self, ordered: Ordered) {
        let Ordered { download, request, .. } = ordered;
        self.shared.clone().fetch_tarball(&self.network, download, request);
    }

    /// Fetches what has not come over HTTP, unless it must not: then it has failed.
    fn finish(&self, failure: Option<DxrpError>) {
        let left = std::mem::take(&mut *self.open()).into_values();
        let left: Vec<Ordered> = left.filter(|ordered| ordered.is_needed).collect();
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

    fn take_plan(&self) -> Option<Sender<Result<Plan, DxrpError>>> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn open(&self) -> MutexGuard<'_, HashMap<PackageId, Ordered>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn turn(&self) -> MutexGuard<'_, ()> {
        self.large.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns what the store has of wanted packages in the version that the project had before.
fn held_for(shared: &Shared, packages: &[Ordered]) -> Vec<Held> {
    let known = shared.held.get().map(Vec::as_slice).unwrap_or_default();
    if known.is_empty() {
        return Vec::new();
    }
    let mut by_name: HashMap<&str, Vec<(&str, PackageId)>> = HashMap::new();
    for (name, version, id) in known {
        by_name.entry(name).or_default().push((version, *id));
    }
    let of = |Ordered { download, .. }: &Ordered| {
        let before = by_name.get(download.name.as_str())?;
        let (version, id) =
            before.iter().find(|(_, id)| *id != download.id && shared.store.has(*id))?;
        Some(Held { wanted: download.id, id: *id, version: (*version).to_owned() })
    };
    packages.iter().filter_map(of).collect()
}

/// Returns a request for each stream.
fn requests(plan: Option<&[u8]>, choice: &Choice, held: &[Held], parts: u16) -> Vec<Vec<u8>> {
    let request = |part| {
        let want = Want { part, parts, choice: choice.clone(), held: held.to_vec() };
        encode_request(plan, Some(&want))
    };
    (0..parts).map(request).collect()
}

//! Brings packages into the store: fetched, verified and unpacked, each once, several at a time.

pub(crate) mod commits;
mod contents;
mod download;
mod first;
mod held;
mod kept;
mod local;
mod package;
mod packs;
mod patched;
mod sink;
mod streaming;
mod workers;

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};

use dx_pkg_compat::tarball::Limits;
use dx_pkg_core::integrity::HashAlgorithm;
use dx_pkg_core::{Integrity, PackageId, PackageName};
use dx_pkg_fetch::Priority;
use dx_pkg_lock::{LockPackage, name_of_path};
use dx_pkg_registry::TarballRequest;
use dx_pkg_store::{Arrival, Store, StoreError, StoreMode};

use self::download::Download;
use self::packs::{Batch, Ordered};
pub(crate) use self::packs::{PlanError, STREAMS};
use self::patched::PatchJob;
use self::workers::Workers;
use crate::dxrp::Dxrp;
use crate::package::{Origin, OwnFields, label, origin, package_id, real_name};
use crate::{AcquireError, Context, Counters, Network, POLL_INTERVAL};

/// The downloads of one command.
pub struct Downloads {
    context: Arc<Context>,
    shared: Arc<Shared>,
    /// Names of the project's own requirements.
    direct: OnceLock<HashSet<String>>,
    /// The project's folder, from which the paths of local tarballs start.
    root: PathBuf,
    offline: bool,
    /// Packages that are requested together, once there are several.
    pending: Mutex<Batch>,
}

struct Shared {
    store: Store,
    /// Packages that this command put into the store.
    inserted: Mutex<Vec<PackageId>>,
    state: Mutex<HashMap<PackageId, Status>>,
    finished: Condvar,
    workers: Workers,
    /// What tarballs may contain.
    limits: Limits,
    counters: Arc<Counters>,
    mode: StoreMode,
    /// What was read from manifests of packages whose packuments lack it.
    own_fields: Mutex<HashMap<PackageId, OwnFields>>,
    /// The patched packages that wait for those that they are made from.
    patch_jobs: Mutex<Vec<PatchJob>>,
    /// The receiver of arrivals.
    listener: Mutex<Option<Sender<Arrival>>>,
    /// The packages that the project had before: name, version, id.
    held: OnceLock<Vec<(String, String, PackageId)>>,
}

enum Status {
    Running,
    Done(Result<(), AcquireError>),
}

impl Downloads {
    /// Returns the downloads into the context's store. Unless `mode` is [`StoreMode::Now`], the
    /// process then has packages that the store lacks, and must queue them
    /// ([`Store::record_pending`]) or drop them ([`Store::drop_pending`]).
    pub fn new(
        context: &Arc<Context>,
        offline: bool,
        mode: StoreMode,
        counters: Arc<Counters>,
    ) -> Self {
        let shared = Shared {
            store: context.store.clone(),
            inserted: Mutex::default(),
            state: Mutex::default(),
            finished: Condvar::new(),
            workers: Workers::new(),
            // A setting that cannot be read is an error before the first request.
            limits: Limits::allowing(context.config.max_package_bytes().unwrap_or_default()),
            counters,
            mode,
            own_fields: Mutex::default(),
            patch_jobs: Mutex::default(),
            listener: Mutex::default(),
            held: OnceLock::new(),
        };
        let shared = Arc::new(shared);
        let (direct, root) = (OnceLock::new(), PathBuf::new());
        let pending = Mutex::default();
        Downloads { context: context.clone(), shared, direct, root, offline, pending }
    }

    /// Sets the project's folder.
    #[must_use]
    pub fn in_project(self, root: impl Into<PathBuf>) -> Self {
        Downloads { root: root.into(), ..self }
    }

    /// Sets the project's own requirements, which are fetched first.
    pub fn put_first(&self, direct: impl Iterator<Item = String>) {
        self.direct.get_or_init(|| direct.collect());
    }

    /// Starts the download of a package that will probably be needed, of `bytes` bytes where that
    /// is known. An error is reported when the package is waited for, and what does not come from a
    /// registry is taken only then.
    pub fn prefetch(&self, package: &LockPackage, bytes: Option<u64>) {
        self.prefetch_with(package, bytes, None);
    }

    /// Starts the downloads of packages that will probably be needed, together where their registry
    /// has a way for that.
    pub fn prefetch_all<'p>(&self, packages: impl Iterator<Item = &'p LockPackage>) {
        let mut batch = Batch::default();
        packages.for_each(|package| self.prefetch_with(package, None, Some(&mut batch)));
        // What cannot be sent is reported when it is waited for.
        let _ = self.send(batch);
    }

    fn prefetch_with(&self, package: &LockPackage, bytes: Option<u64>, batch: Option<&mut Batch>) {
        if self.context.sources().is_ok_and(|rules| rules.is_from_registry(package))
            && let Ok(Some(id)) = package_id(package)
            && (!self.offline || self.shared.store.has_tarball(id))
        {
            let _ = self.start(id, package, bytes, batch);
        }
    }

    /// Requests the packages of a batch, and those that wait for company.
    fn send(&self, mut batch: Batch) -> Result<(), AcquireError> {
        batch.join(std::mem::take(&mut *self.pending()));
        if !batch.is_empty() {
            batch.start(&self.shared, &self.context.network()?);
        }
        Ok(())
    }

    fn pending(&self) -> MutexGuard<'_, Batch> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn priority(&self, package: &LockPackage) -> Priority {
        let name = real_name(package);
        if name.starts_with("@types/") {
            Priority::Low
        } else if self.direct.get().is_some_and(|direct| direct.contains(name)) {
            Priority::Critical
        } else if package.dev || package.dev_optional {
            Priority::Low
        } else if package.peer {
            Priority::High
        } else {
            Priority::Normal
        }
    }

    /// Starts the download of `package` unless the store has it, or adds it to `batch`.
    fn start(
        &self,
        id: PackageId,
        package: &LockPackage,
        bytes: Option<u64>,
        batch: Option<&mut Batch>,
    ) -> Result<(), AcquireError> {
        let is_direct = || {
            let names = [real_name(package), name_of_path(&package.path)];
            self.direct.get().is_some_and(|direct| names.iter().any(|name| direct.contains(*name)))
        };
        // Whether a requirement names the place is known where the plan is checked.
        if let Some(refusal) = self.context.sources()?.refusal(package, is_direct, || None) {
            return Err(refusal);
        }
        if self.shared.lock().contains_key(&id) {
            return Ok(());
        }
        if self.shared.has(id)? {
            self.shared.done(id, Ok(()));
            return Ok(());
        }
        if let Some(patch) = &package.patched {
            return self.start_patched(id, package, patch, bytes);
        }
        if let Origin::File(path) = origin(package) {
            let taken = self.take_file(id, package, path);
            self.shared.done(id, taken.map_err(|source| unusable(package, source)));
            return Ok(());
        }
        if package.is_from_git() {
            let taken = self.take_commit(id, package);
            self.shared.done(id, taken);
            return Ok(());
        }
        if self.offline && !self.shared.store.has_tarball(id) {
            return Err(AcquireError::Offline { what: label(package), place: "the store" });
        }
        let wanted = request(package, self.priority(package), bytes)?;
        let network = self.context.network()?;
        self.shared.lock().insert(id, Status::Running);
        self.shared.counters.tarballs_requested.add(1);
        let download = self.download(id, package, &wanted);
        match (batch, self.peer(package, &download)) {
            (Some(batch), Some(dxrp)) => {
                batch.add(dxrp, Ordered { download, request: wanted, is_needed: true });
            }
            (None, Some(dxrp)) if dxrp.is_required || dxrp.is_spoken() => {
                let mut pending = self.pending();
                pending.add(dxrp, Ordered { download, request: wanted, is_needed: true });
                if pending.is_large() {
                    std::mem::take(&mut *pending).start(&self.shared, &network);
                }
            }
            _ => self.shared.clone().fetch_tarball(&network, download, wanted),
        }
        Ok(())
    }

    /// Returns the registry of a package, if it may send the package by DXRP.
    fn peer(&self, package: &LockPackage, download: &Download) -> Option<Arc<Dxrp>> {
        let version = package.version.as_deref()?;
        let is_known =
            download.integrity.as_ref()?.strongest().algorithm() == HashAlgorithm::Sha512;
        let dxrp = self.context.dxrp(&download.name).filter(|_| is_known && !download.is_stored)?;
        let rules = self.context.sources().ok()?;
        rules.is_version(package, real_name(package), version).then_some(dxrp)
    }

    fn download(&self, id: PackageId, package: &LockPackage, wanted: &TarballRequest) -> Download {
        let is_stored = self.shared.store.has_tarball(id);
        Download {
            shared: self.shared.clone(),
            id,
            name: wanted.name.clone(),
            version: wanted.version.clone(),
            integrity: wanted.integrity.clone(),
            mode: self.shared.mode_of(wanted.integrity.as_ref(), is_stored),
            is_stored,
            commands: package
                .bin
                .iter()
                .map(|(_, file)| file.trim_start_matches("./").to_owned())
                .collect(),
            wants_license: package.license.is_none(),
            outcome: Mutex::default(),
        }
    }

    /// Waits until every package is in the store; returns the paths of those that failed, each with
    /// its error.
    ///
    /// # Errors
    /// A request cannot be made at all, or the command is cancelled.
    pub fn wait<'p>(
        &self,
        packages: impl Iterator<Item = (PackageId, &'p LockPackage)>,
    ) -> Result<Vec<(String, AcquireError)>, AcquireError> {
        let mut failed = Vec::new();
        let mut batch = Batch::default();
        let mut started = Vec::with_capacity(packages.size_hint().0);
        for (id, package) in packages {
            self.context.cancel.check()?;
            if let Err(altered) = self.expect(id, package) {
                failed.push((package.path.clone(), altered));
                continue;
            }
            match self.start(id, package, None, Some(&mut batch)) {
                Err(refused) if refused.is_refused_source() => {
                    failed.push((package.path.clone(), refused));
                }
                result => {
                    result?;
                    started.push((id, package));
                }
            }
        }
        self.send(batch)?;
        let mut state = self.shared.lock();
        for (id, package) in started {
            loop {
                match state.get(&id) {
                    Some(Status::Running) => {
                        self.context.cancel.check()?;
                        let waited = self.shared.finished.wait_timeout(state, POLL_INTERVAL);
                        state = waited.unwrap_or_else(PoisonError::into_inner).0;
                    }
                    Some(Status::Done(Err(failure))) => {
                        failed.push((package.path.clone(), failure.clone()));
                        break;
                    }
                    _ => break,
                }
            }
        }
        Ok(failed)
    }

    /// Tells the store which bytes the package must be of, however it is found.
    fn expect(&self, id: PackageId, package: &LockPackage) -> Result<(), AcquireError> {
        let Some(integrity) = &package.integrity else { return Ok(()) };
        Ok(self.shared.store.expect(id, integrity)?)
    }

    /// Starts the downloads that are still to be started; returns how many are under way.
    ///
    /// # Errors
    /// A request cannot be made at all.
    pub fn start_all<'p>(
        &self,
        packages: impl Iterator<Item = (PackageId, &'p LockPackage)>,
    ) -> Result<usize, AcquireError> {
        let mut batch = Batch::default();
        for (id, package) in packages {
            // Two entries that cannot both be right are reported to whoever waits for them.
            if self.expect(id, package).is_err() {
                continue;
            }
            match self.start(id, package, None, Some(&mut batch)) {
                // It is reported to whoever waits for the package.
                Err(refused) if refused.is_refused_source() => {}
                result => result?,
            }
        }
        self.send(batch)?;
        Ok(self.shared.lock().values().filter(|status| matches!(status, Status::Running)).count())
    }

    /// Returns the packages that are in the store, and then those that arrive, until
    /// [`Self::end_arrivals`].
    pub fn arrivals(&self) -> Receiver<Arrival> {
        let (sender, arrivals) = channel();
        // Under the lock of the state, so that none is missed or sent twice.
        let state = self.shared.lock();
        for (id, _) in state.iter().filter(|(_, status)| matches!(status, Status::Done(Ok(())))) {
            // The receiver is right here.
            let _ = sender.send(self.shared.arrival(*id));
        }
        *self.shared.listener() = Some(sender);
        arrivals
    }

    /// Ends [`Self::arrivals`].
    pub fn end_arrivals(&self) {
        *self.shared.listener() = None;
    }

    /// Returns what the package's own manifest says; `None` where that was not read.
    pub fn own_fields(&self, id: PackageId) -> Option<OwnFields> {
        self.shared.own_fields.lock().unwrap_or_else(PoisonError::into_inner).get(&id).cloned()
    }

    /// Returns the packages that were not in the store before this command.
    pub fn inserted(&self) -> Vec<PackageId> {
        self.shared.inserted.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, HashMap<PackageId, Status>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Fetches a package as a tarball.
    fn fetch_tarball(
        self: Arc<Self>,
        network: &Network,
        download: Download,
        wanted: TarballRequest,
    ) {
        let (network, runtime, id) = (network.clone(), network.runtime.clone(), download.id);
        runtime.spawn(async move {
            let result = Arc::new(download).bring(network, wanted).await;
            self.counters.tarballs_unpacked.add(1);
            self.done(id, result);
            if self.is_waited_for(id) {
                let patching = self.clone();
                // What panics there leaves the package undone, and is reported here.
                if self.workers.run(0, move || patching.patch_waiting(id)).await.is_none() {
                    self.fail_waiting(id);
                }
            }
        });
    }

    /// Returns whether a package need not be fetched.
    fn has(&self, id: PackageId) -> Result<bool, AcquireError> {
        match self.store.ensure_expanded(id) {
            // A read-only store is used all the same: files are then written from its packages.
            Err(StoreError::ReadOnly { .. } | StoreError::Forbidden { .. }) => {
                Ok(self.store.open_package(id)?.is_some())
            }
            expanded => Ok(expanded?),
        }
    }

    fn listener(&self) -> MutexGuard<'_, Option<Sender<Arrival>>> {
        self.listener.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn arrival(&self, id: PackageId) -> Arrival {
        Arrival { id, is_own: self.store.is_own(id) }
    }

    /// Records the outcome of a package and wakes those that wait for it.
    fn done(&self, id: PackageId, result: Result<(), AcquireError>) {
        let mut state = self.lock();
        if result.is_ok()
            && let Some(listener) = &*self.listener()
        {
            // A receiver that is gone has failed, and reports it.
            let _ = listener.send(self.arrival(id));
        }
        state.insert(id, Status::Done(result));
        self.finished.notify_all();
    }

    /// Returns the mode for a package of this integrity, whose tarball may be stored. A stored
    /// tarball is verified by its SHA-512 only. One that is wanted again shows that the store is
    /// used more than once: what comes then links the files.
    fn mode_of(&self, integrity: Option<&Integrity>, is_stored: bool) -> StoreMode {
        let is_known = integrity
            .is_some_and(|integrity| integrity.strongest().algorithm() == HashAlgorithm::Sha512);
        match self.mode {
            StoreMode::Tarball if is_stored || !is_known => StoreMode::Now,
            mode => mode,
        }
    }
}

fn unusable(package: &LockPackage, source: AcquireError) -> AcquireError {
    let place = package.resolved.clone().unwrap_or_default();
    AcquireError::LocalTarball { package: label(package), place, source: Box::new(source) }
}

fn request(
    package: &LockPackage,
    priority: Priority,
    bytes: Option<u64>,
) -> Result<TarballRequest, AcquireError> {
    let integrity = package.integrity.as_deref().and_then(|text| Integrity::parse(text).ok());
    let url = match origin(package) {
        Origin::Address(url) => Some(url.into()),
        _ => None,
    };
    let mut name = PackageName::parse(real_name(package));
    // A package from outside the registries may have a name that no registry allows.
    if name.is_err() && !matches!(origin(package), Origin::Registry) {
        name = PackageName::parse(name_of_path(&package.path)).or(name);
    }
    Ok(TarballRequest {
        name: name?,
        version: package.version.as_deref().unwrap_or_default().into(),
        url,
        integrity,
        priority,
        estimated_bytes: bytes.unwrap_or_default(),
    })
}

//! Brings packages into the store: fetched, verified, unpacked, each once, several at a time.

mod package;
mod streaming;

use std::collections::{HashMap, HashSet};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};

use dx_pkg_compat::npm_registry::TarballRequest;
use dx_pkg_core::{HashAlgorithm, Integrity, PackageId, PackageName};
use dx_pkg_fetch::Priority;
use dx_pkg_link::Arrival;
use dx_pkg_lock::{LockPackage, name_of_path};
use dx_pkg_store::{Store, StoreError};

use self::package::Download;
use crate::ending;
use crate::failure::Failure;
use crate::progress::Progress;
use crate::session::{Network, Session};
use crate::workers::Workers;

/// The downloads of one command.
pub struct Downloads {
    shared: Arc<Shared>,
    /// Names of the project's own requirements.
    direct: OnceLock<HashSet<String>>,
    offline: bool,
    network: Box<dyn Fn() -> Result<Network, Failure> + Send + Sync>,
}

struct Shared {
    store: Store,
    /// Packages that this command put into the store.
    inserted: Mutex<Vec<PackageId>>,
    state: Mutex<HashMap<PackageId, Status>>,
    finished: Condvar,
    workers: Workers,
    progress: Arc<Progress>,
    storing: Storing,
    /// The licences of the packages that were asked for without knowing them.
    licenses: Mutex<HashMap<PackageId, Option<String>>>,
    /// Who is told of packages as they arrive.
    listener: Mutex<Option<Sender<Arrival>>>,
}

/// How packages that were fetched get into the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Storing {
    /// At once, packed and unpacked.
    Now,
    /// Afterwards: a background process will write them from the project's copies.
    Later,
    /// As the tarballs that they came as, while their files go into the project alone.
    Packed,
}

enum Status {
    Running,
    Done(Result<(), Failure>),
}

impl Downloads {
    /// Downloads into the session's store; unless that is done at once, the process has packages that the store does not, and
    /// must leave them to a background process ([`Store::leave_pending`]) or give them up ([`Store::drop_pending`]).
    pub fn new(
        session: &Arc<Session>,
        offline: bool,
        storing: Storing,
        progress: Arc<Progress>,
    ) -> Self {
        let shared = Shared {
            store: session.store.clone(),
            inserted: Mutex::default(),
            state: Mutex::default(),
            finished: Condvar::new(),
            workers: Workers::new(),
            progress,
            storing,
            licenses: Mutex::default(),
            listener: Mutex::default(),
        };
        let session = session.clone();
        let network = Box::new(move || session.network());
        Downloads { shared: Arc::new(shared), direct: OnceLock::new(), offline, network }
    }

    /// Says what the project itself requires: those packages go first.
    pub fn put_first(&self, direct: impl Iterator<Item = String>) {
        self.direct.get_or_init(|| direct.collect());
    }

    /// Starts the download of a package that will probably be needed, of so many bytes as far as is known; what goes
    /// wrong is reported when it is waited for.
    pub fn expect(&self, package: &LockPackage, bytes: Option<u64>) {
        if let Ok(Some(id)) = package_id(package)
            && (!self.offline || self.shared.store.has_tarball(id))
        {
            let _ = self.start(id, package, bytes);
        }
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

    /// Starts the download of `package` unless the store has it.
    fn start(
        &self,
        id: PackageId,
        package: &LockPackage,
        bytes: Option<u64>,
    ) -> Result<(), Failure> {
        if self.shared.lock().contains_key(&id) {
            return Ok(());
        }
        if self.shared.has(id)? {
            self.shared.done(id, Ok(()));
            return Ok(());
        }
        if self.offline && !self.shared.store.has_tarball(id) {
            let name = display_name(package);
            return Err(Failure::new(
                "DX_OFFLINE",
                format!("{name} is not in the store, and --offline forbids to fetch it"),
            )
            .with_hint("run the command once without --offline"));
        }
        let wanted = request(package, self.priority(package), bytes)?;
        let network = (self.network)()?;
        self.shared.lock().insert(id, Status::Running);
        self.shared.progress.download_started();
        let shared = self.shared.clone();
        let storing = shared.storing(wanted.integrity.as_ref());
        let download = Download {
            shared: shared.clone(),
            id,
            name: wanted.name.clone(),
            integrity: wanted.integrity.clone(),
            storing,
            commands: package
                .bin
                .iter()
                .map(|(_, file)| file.trim_start_matches("./").to_owned())
                .collect(),
            wants_license: package.license.is_none(),
        };
        let runtime = network.runtime.clone();
        runtime.spawn(async move {
            let result = Arc::new(download).bring(network, wanted).await;
            shared.progress.download_finished();
            shared.done(id, result);
        });
        Ok(())
    }

    /// Waits until every one of `packages` is in the store; returns those that failed, with the reason.
    pub fn wait<'p>(
        &self,
        packages: impl Iterator<Item = (PackageId, &'p LockPackage)>,
    ) -> Result<Vec<(String, Failure)>, Failure> {
        let packages: Vec<(PackageId, &LockPackage)> = packages.collect();
        for (id, package) in &packages {
            ending::check()?;
            self.start(*id, package, None)?;
        }
        let mut failed = Vec::new();
        let mut state = self.shared.lock();
        for (id, package) in packages {
            loop {
                match state.get(&id) {
                    Some(Status::Running) => {
                        ending::check()?;
                        let waited = self.shared.finished.wait_timeout(state, ending::PAUSE);
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
}

impl Downloads {
    /// Starts what is still to be started of `packages`, and says how many are on their way.
    pub fn start_all<'p>(
        &self,
        packages: impl Iterator<Item = (PackageId, &'p LockPackage)>,
    ) -> Result<usize, Failure> {
        for (id, package) in packages {
            self.start(id, package, None)?;
        }
        Ok(self.shared.lock().values().filter(|status| matches!(status, Status::Running)).count())
    }

    /// Whether packages are kept for this process until a background process stores them.
    pub fn are_stored_later(&self) -> bool {
        self.shared.storing != Storing::Now
    }

    /// The packages that are in the store, and then those that arrive, until [`Self::end_arrivals`].
    pub fn arrivals(&self) -> Receiver<Arrival> {
        let (sender, arrivals) = channel();
        // Told under the lock of the state, so that none is missed or told twice.
        let state = self.shared.lock();
        for (id, _) in state.iter().filter(|(_, status)| matches!(status, Status::Done(Ok(())))) {
            // The receiver is right here.
            let _ = sender.send(self.shared.arrival(*id));
        }
        *self.shared.listener() = Some(sender);
        arrivals
    }

    /// Ends what [`Self::arrivals`] tells.
    pub fn end_arrivals(&self) {
        *self.shared.listener() = None;
    }

    /// The licence that the package's own manifest tells; `None` where nobody has looked.
    pub fn license(&self, id: PackageId) -> Option<Option<String>> {
        self.shared.licenses.lock().unwrap_or_else(PoisonError::into_inner).get(&id).cloned()
    }

    /// The packages that were not in the store before this command.
    pub fn inserted(&self) -> Vec<PackageId> {
        self.shared.inserted.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, HashMap<PackageId, Status>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a package need not be fetched.
    fn has(&self, id: PackageId) -> Result<bool, Failure> {
        if self.store.has(id) {
            return Ok(true);
        }
        match self.store.ensure_expanded(id) {
            // A store that cannot be written to gives what it has all the same: files are then written from packages.
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

    /// Notes how a package fared, and tells whoever waits for it.
    fn done(&self, id: PackageId, result: Result<(), Failure>) {
        let mut state = self.lock();
        if result.is_ok()
            && let Some(listener) = &*self.listener()
        {
            // Who has stopped listening has failed, and says so.
            let _ = listener.send(self.arrival(id));
        }
        state.insert(id, Status::Done(result));
        self.finished.notify_all();
    }

    /// How a package of this integrity gets into the store: a tarball is known again by its SHA-512 only.
    fn storing(&self, integrity: Option<&Integrity>) -> Storing {
        let is_known = integrity
            .is_some_and(|integrity| integrity.strongest().algorithm() == HashAlgorithm::Sha512);
        if self.storing == Storing::Packed && !is_known { Storing::Now } else { self.storing }
    }
}

/// The id that a lockfile entry's files have in the store; `None` for an entry without integrity.
pub fn package_id(package: &LockPackage) -> Result<Option<PackageId>, Failure> {
    let Some(text) = package.integrity.as_deref() else { return Ok(None) };
    if let Some(id) = PackageId::from_sha512_text(text) {
        return Ok(Some(id));
    }
    match Integrity::parse(text) {
        Ok(integrity) => Ok(Some(PackageId::from_integrity(&integrity))),
        Err(error) => {
            let mut failure = Failure::from(error);
            failure.message =
                format!("the lockfile's entry {:?}: {}", package.path, failure.message);
            Err(failure)
        }
    }
}

/// The name of the package an entry stands for, which an alias does not show in its path.
pub fn real_name(package: &LockPackage) -> &str {
    package.name.as_deref().unwrap_or_else(|| name_of_path(&package.path))
}

fn display_name(package: &LockPackage) -> String {
    format!("{}@{}", real_name(package), package.version.as_deref().unwrap_or("?"))
}

fn request(
    package: &LockPackage,
    priority: Priority,
    bytes: Option<u64>,
) -> Result<TarballRequest, Failure> {
    let integrity = package.integrity.as_deref().and_then(|text| Integrity::parse(text).ok());
    Ok(TarballRequest {
        name: PackageName::parse(real_name(package))?,
        version: package.version.as_deref().unwrap_or_default().into(),
        url: package.resolved.as_deref().filter(|url| url.starts_with("http")).map(Into::into),
        integrity,
        priority,
        estimated_bytes: bytes.unwrap_or_default(),
    })
}

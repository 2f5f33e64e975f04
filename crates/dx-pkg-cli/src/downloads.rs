//! Brings packages into the store: fetched, verified, unpacked, each once, several at a time.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};

use dx_pkg_compat::npm_registry::TarballRequest;
use dx_pkg_compat::tarball::{self, Limits};
use dx_pkg_core::{Integrity, PackageId, PackageName};
use dx_pkg_fetch::Priority;
use dx_pkg_lock::{LockPackage, name_of_path};
use dx_pkg_store::{Store, StoreError};
use tokio::sync::Semaphore;

use crate::ending;
use crate::failure::Failure;
use crate::progress::Progress;
use crate::session::{Network, Session};

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
    processors: Semaphore,
    progress: Arc<Progress>,
    /// Whether a background process will write the packages from the project's copies.
    stored_later: bool,
}

enum Status {
    Running,
    Done(Result<(), Failure>),
}

impl Downloads {
    /// Downloads into the session's store; with `stored_later` for this process alone, which must then leave what it has to
    /// a background process ([`Store::leave_pending`]).
    pub fn new(session: &Arc<Session>, offline: bool, stored_later: bool, progress: Arc<Progress>) -> Self {
        let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let shared = Shared {
            store: session.store.clone(),
            inserted: Mutex::default(),
            state: Mutex::default(),
            finished: Condvar::new(),
            processors: Semaphore::new(processors),
            progress,
            stored_later,
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
            && !self.offline
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
    fn start(&self, id: PackageId, package: &LockPackage, bytes: Option<u64>) -> Result<(), Failure> {
        if self.shared.lock().contains_key(&id) {
            return Ok(());
        }
        if self.shared.has(id)? {
            self.shared.lock().insert(id, Status::Done(Ok(())));
            return Ok(());
        }
        if self.offline {
            let name = display_name(package);
            return Err(Failure::new(
                "DX_OFFLINE",
                format!("{name} is not in the store, and --offline forbids to fetch it"),
            )
            .with_hint("run the command once without --offline"));
        }
        let wanted = request(package, self.priority(package), bytes)?;
        let commands: Vec<String> = package.bin.iter().map(|(_, file)| file.clone()).collect();
        let network = (self.network)()?;
        self.shared.lock().insert(id, Status::Running);
        self.shared.progress.download_started();
        let shared = self.shared.clone();
        let runtime = network.runtime.clone();
        runtime.spawn(async move {
            let result = shared.clone().bring(network, id, wanted, commands).await;
            shared.progress.download_finished();
            shared.lock().insert(id, Status::Done(result));
            shared.finished.notify_all();
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

    async fn bring(
        self: Arc<Self>,
        network: Network,
        id: PackageId,
        wanted: TarballRequest,
        commands: Vec<String>,
    ) -> Result<(), Failure> {
        let name = wanted.name.clone();
        let integrity = wanted.integrity.clone();
        let tarball = network.registry.tarball(wanted).await?;
        self.progress.received(tarball.bytes.len() as u64);
        let Ok(_permit) = self.processors.acquire().await else {
            return Err(Failure::new("DX_INTERNAL", "the downloads were stopped"));
        };
        let shared = self.clone();
        let unpacking = tokio::task::spawn_blocking(move || {
            let result = shared.unpack(id, &name, integrity.as_ref(), &tarball.bytes, &commands);
            drop(tarball.slot);
            result
        });
        unpacking.await.unwrap_or_else(|_| Err(Failure::new("DX_INTERNAL", "unpacking a tarball panicked")))
    }

    fn unpack(
        &self,
        id: PackageId,
        name: &PackageName,
        integrity: Option<&Integrity>,
        bytes: &[u8],
        commands: &[String],
    ) -> Result<(), Failure> {
        let mut unpacked = tarball::unpack(bytes, &Limits::default()).map_err(|error| {
            let mut failure = Failure::from(error);
            failure.message = format!("the tarball of {name}: {}", failure.message);
            failure
        })?;
        // Commands are executable in the store, so that linking need not make copies that are.
        for file in commands {
            unpacked.set_executable(file.trim_start_matches("./"));
        }
        match self.stored_later {
            true => self.store.insert_later(id, integrity, &unpacked.entries())?,
            false => self.store.insert(id, integrity, &unpacked.entries())?,
        }
        self.inserted.lock().unwrap_or_else(PoisonError::into_inner).push(id);
        Ok(())
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
            failure.message = format!("the lockfile's entry {:?}: {}", package.path, failure.message);
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

fn request(package: &LockPackage, priority: Priority, bytes: Option<u64>) -> Result<TarballRequest, Failure> {
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

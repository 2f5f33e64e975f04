//! The resolver's provider over this registry's own packuments.
//!
//! The resolver asks for one packument after another. Once one of them is not in memory, those that
//! it will probably ask for next are loaded meanwhile, as dx does over HTTP.

use super::super::metadata::Loaded;
use super::super::packages::{self, Asked};
use super::Rest;
use super::input::Input;
use crate::dxrp::Dxrp;
use crate::failure::Failure;
use crate::packument::Form;
use axum::http::StatusCode;
use dx_pkg_acquire::local::{bundled_folder, bundled_package};
use dx_pkg_acquire::metadata::following::{MOST_FOLLOWED, followed, required_by};
use dx_pkg_acquire::package::real_name;
use dx_pkg_compat::tarball::{Limits, unpack_within};
use dx_pkg_core::{PackageName, Spec};
use dx_pkg_format::packument::Packument;
use dx_pkg_lock::LockPackage;
use dx_pkg_resolve::pick::{PickOptions, Picker};
use dx_pkg_resolve::{External, Places, Provider, ProviderError};
use std::collections::{HashMap, HashSet};
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::{Duration, Instant};
use tokio::runtime::Handle;
use tokio::sync::{OnceCell, Semaphore};
use tokio::time::timeout;

/// The time that a plan may take.
const MOST_TIME: Duration = Duration::from_secs(120);
/// The time that licences may take.
const LICENSES: Duration = Duration::from_secs(5);
/// The packuments that are loaded ahead at a time.
const AHEAD: usize = 32;
/// The most memory for a tarball whose bundled packages are read.
const MOST_BUNDLE: u64 = 96 << 20;

type Answer = Result<Arc<Loaded>, ProviderError>;

/// The provider of one plan.
pub(super) struct Registry {
    shared: Arc<Shared>,
    /// The manifests of the project and its workspaces.
    importers: Vec<LockPackage>,
    deadline: Instant,
}

struct Shared {
    state: Arc<Dxrp>,
    base: Arc<str>,
    runtime: Handle,
    pick: PickOptions,
    seeds: Vec<(String, String)>,
    loads: Mutex<HashMap<String, Arc<OnceCell<Answer>>>>,
    followed: Mutex<Option<HashSet<(String, String)>>>,
    ahead: Semaphore,
    trouble: Mutex<Trouble>,
}

/// What makes a plan useless, whatever the resolver makes of it.
#[derive(Default)]
pub(super) struct Trouble {
    /// Something that is not planned here.
    pub(super) unsupported: Option<String>,
    /// A failure that may be over the next time.
    pub(super) failed: Option<String>,
}

impl Registry {
    /// Returns the provider for an input. It is used on a thread that may wait.
    pub(super) fn new(state: &Arc<Dxrp>, base: &Arc<str>, input: &Input) -> Self {
        let own = &input.requirements;
        let importers: Vec<LockPackage> =
            std::iter::once(&own.root).chain(&own.workspaces).cloned().collect();
        let shared = Shared {
            state: Arc::clone(state),
            base: Arc::clone(base),
            runtime: Handle::current(),
            pick: input.options.pick.clone(),
            seeds: input.open_requirements(),
            loads: Mutex::default(),
            followed: Mutex::default(),
            ahead: Semaphore::new(AHEAD),
            trouble: Mutex::default(),
        };
        Self { shared: Arc::new(shared), importers, deadline: Instant::now() + MOST_TIME }
    }

    /// Returns what makes the plan useless.
    pub(super) fn trouble(&self) -> Trouble {
        std::mem::take(&mut *self.shared.trouble())
    }

    /// Returns the packument that the resolver was given for a name.
    pub(super) fn given(&self, name: &str) -> Option<Arc<Loaded>> {
        let loads = self.shared.loads();
        loads.get(name)?.get()?.as_ref().ok().cloned()
    }

    /// Returns the licences of versions, those that are found soon enough: who lacks one asks for
    /// the manifest of the version.
    pub(super) fn licenses(&self, versions: Vec<(String, String)>) -> Vec<Option<String>> {
        let mut waiting = Vec::with_capacity(versions.len());
        for (name, version) in versions {
            let own = Arc::clone(&self.shared);
            waiting.push(self.shared.runtime.spawn(async move {
                let _permit = own.ahead.acquire().await;
                let name = PackageName::parse(&name).ok()?;
                let metadata = &own.state.metadata;
                let loaded = metadata.load(&own.state, &name, Form::Full, &own.base).await.ok()?;
                let packument = &loaded.packument;
                let version = packument.version(packument.find_str(&version)?);
                version.license().map(str::to_owned)
            }));
        }
        let until = Instant::now() + LICENSES;
        let mut licenses = Vec::with_capacity(waiting.len());
        for mut answer in waiting {
            let left = until.saturating_duration_since(Instant::now());
            let told = self.shared.runtime.block_on(async { timeout(left, &mut answer).await });
            if told.is_err() {
                answer.abort();
            }
            licenses.push(told.ok().and_then(Result::ok).flatten());
        }
        licenses
    }

    /// Returns all packages that were looked at, ascending by name.
    pub(super) fn rests(&self) -> Vec<Rest> {
        let loads = self.shared.loads();
        let rest = |(name, cell): (&String, &Arc<OnceCell<Answer>>)| {
            let name = PackageName::parse(name).ok()?;
            Some(match cell.get()? {
                Ok(loaded) => Rest { name, tag: loaded.tag.clone(), is_hosted: loaded.is_hosted },
                Err(_) => Rest { name, tag: String::new(), is_hosted: false },
            })
        };
        let mut rests: Vec<Rest> = loads.iter().filter_map(rest).collect();
        rests.sort_unstable();
        rests
    }

    fn unsupported(&self, reason: String) -> ProviderError {
        self.shared.trouble().unsupported.get_or_insert_with(|| reason.clone());
        ProviderError::new("DX_UNSUPPORTED_SOURCE", reason)
    }
}

impl Shared {
    fn loads(&self) -> MutexGuard<'_, HashMap<String, Arc<OnceCell<Answer>>>> {
        self.loads.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn trouble(&self) -> MutexGuard<'_, Trouble> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn load(&self, name: &str) -> Answer {
        let cell = Arc::clone(self.loads().entry(name.to_owned()).or_default());
        cell.get_or_init(|| self.load_now(name)).await.clone()
    }

    async fn load_now(&self, name: &str) -> Answer {
        let parsed = PackageName::parse(name);
        let name =
            parsed.map_err(|error| ProviderError::new("DX_INVALID_NAME", error.to_string()))?;
        let metadata = &self.state.metadata;
        let load = |form| metadata.load(&self.state, &name, form, &self.base);
        let loaded = async {
            let loaded = load(Form::Abbreviated).await?;
            let is_enough = loaded.packument.has_times() || !self.needs_times(&loaded.packument);
            if is_enough { Ok(loaded) } else { load(Form::Full).await }
        };
        loaded.await.map_err(|failure: Failure| self.failed(&failure))
    }

    /// Returns whether versions are chosen by age and the packument does not have it.
    fn needs_times(&self, packument: &Packument) -> bool {
        let before = Picker::new(self.pick.clone()).before_for(packument.name());
        before.is_some_and(|before| packument.modified().is_none_or(|modified| modified > before))
    }

    fn failed(&self, failure: &Failure) -> ProviderError {
        let code = match failure.status {
            StatusCode::NOT_FOUND => "DX_PACKAGE_NOT_FOUND",
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => "DX_UNAUTHORIZED",
            _ => {
                self.trouble().failed.get_or_insert_with(|| failure.message.clone());
                "DX_FETCH_STATUS"
            }
        };
        ProviderError::new(code, failure.message.clone())
    }

    /// Begins to load what the project requires, once.
    fn follow_seeds(self: &Arc<Self>) {
        let mut followed = self.followed.lock().unwrap_or_else(PoisonError::into_inner);
        if followed.is_some() {
            return;
        }
        *followed = Some(HashSet::new());
        drop(followed);
        for (name, spec) in self.seeds.clone() {
            self.follow(name, spec);
        }
    }

    /// Loads the packument that a requirement needs, and what its version requires in turn.
    fn follow(self: &Arc<Self>, name: String, spec: String) {
        let Some((name, parsed)) = followed(&name, &spec) else { return };
        let mut known = self.followed.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(all) = known.as_mut().filter(|all| all.len() <= MOST_FOLLOWED) else { return };
        if !all.insert((name.clone(), spec)) {
            return;
        }
        drop(known);
        let own = Arc::clone(self);
        self.runtime.spawn(async move {
            let permit = own.ahead.acquire().await;
            let loaded = own.load(&name).await;
            drop(permit);
            if let Ok(loaded) = loaded {
                let picker = Picker::new(own.pick.clone());
                for required in required_by(&picker, &loaded.packument, &parsed) {
                    own.follow(required.name, required.spec);
                }
            }
        });
    }

    async fn bundled(&self, package: &LockPackage) -> Result<Vec<LockPackage>, Failure> {
        let (Some(id), Some(version)) = (package.package_id(), package.version.clone()) else {
            return Ok(Vec::new());
        };
        let name = PackageName::parse(real_name(package)).map_err(Failure::internal)?;
        // The plan rests on it, also where the client's lock has named the package.
        let _ = self.load(name.as_str()).await;
        let asked = Asked { id, name, version };
        let source = packages::find_for_registry(&self.state, &asked).await?;
        let tarball = packages::tarball(&self.state, &asked, &source).await?;
        let _room = self.state.work.room_to_convert(&tarball).await;
        let read = move || {
            let unpacked = unpack_within(&tarball, &Limits::default(), MOST_BUNDLE);
            let unpacked = unpacked.map_err(Failure::internal)?;
            let unpacked = unpacked.ok_or_else(|| Failure::internal("the tarball is too large"))?;
            let entries = unpacked.entries();
            let packages = entries
                .iter()
                .filter_map(|entry| bundled_package(bundled_folder(entry.path)?, entry.data));
            Ok(packages.collect())
        };
        crate::storage::blocking(read).await?
    }
}

impl Provider for Registry {
    fn packument(&self, name: &str) -> Result<Packument, ProviderError> {
        if Instant::now() > self.deadline {
            let reason = "the plan takes too long".to_owned();
            self.shared.trouble().failed.get_or_insert_with(|| reason.clone());
            return Err(ProviderError::new("DX_FETCH_STATUS", reason));
        }
        let mut load = std::pin::pin!(self.shared.load(name));
        // What is in memory is there at the first look.
        let first = poll_fn(|context| Poll::Ready(load.as_mut().poll(context)));
        let answer = match self.shared.runtime.block_on(first) {
            Poll::Ready(answer) => answer,
            Poll::Pending => {
                self.shared.follow_seeds();
                self.shared.runtime.block_on(load)
            }
        };
        answer.map(|loaded| loaded.packument.clone())
    }

    fn manifest(&self, name: &str, spec: &str, from: &str) -> Result<External, ProviderError> {
        if let Ok(Spec::Directory(path)) = Spec::parse(spec) {
            let folder = Places::default().relative(from, &path);
            let found = self.importers.iter().find(|importer| importer.path == folder);
            if let Some(importer) = found.filter(|_| !folder.is_empty()) {
                let package = LockPackage { path: String::new(), ..importer.clone() };
                return Ok(External { package, folder: Some(folder) });
            }
        }
        Err(self.unsupported(format!("{name}@{spec} is not from a registry")))
    }

    fn bundled(&self, package: &LockPackage) -> Result<Vec<LockPackage>, ProviderError> {
        let read = self.shared.runtime.block_on(self.shared.bundled(package));
        read.map_err(|failure| {
            self.shared.trouble().failed.get_or_insert_with(|| failure.message.clone());
            self.shared.failed(&failure)
        })
    }
}

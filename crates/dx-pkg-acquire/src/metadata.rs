//! Answers the resolver from the packument cache where that is fresh, else from the registry.
//!
//! The resolver requests one packument after another. While it waits for the first that is not
//! cached, everything it will probably request next is requested too: each packument that arrives
//! is searched for the version its requirement selects, and that version's dependencies are
//! requested at once. This changes timing, never answers.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use dx_pkg_compat::npmrc::Config;
use dx_pkg_core::PackageName;
use dx_pkg_fetch::{Class, Priority};
use dx_pkg_format::packument::Packument;
use dx_pkg_lock::LockPackage;
use dx_pkg_resolve::pick::{PickOptions, Picker};
use dx_pkg_resolve::{External, Places, Provider, ProviderError};
use dx_pkg_store::Store;
use dx_pkg_store::metadata::{Form, MetadataSource};

use crate::clock::now_ms;
use crate::counters::Prefetched;
use crate::package::real_name;
use crate::{AcquireError, Cancel, Context, Counters, Downloads, Network, POLL_INTERVAL};

mod age;
mod cache;
mod fetch;
mod first;
mod follow;
pub mod offers;
mod read_ahead;

pub use first::FirstRequests;
use read_ahead::ReadAhead;

/// How the packument cache may be used.
#[derive(Clone, Copy, Debug)]
pub struct MetadataPolicy {
    /// Sends no request.
    pub offline: bool,
    /// Uses a cached packument of any age.
    pub prefer_offline: bool,
    /// Revalidates cached packuments that are still fresh.
    pub prefer_online: bool,
    /// Requests full packuments, for a lockfile whose packages are not fetched.
    pub full: bool,
    /// Requests packuments that will probably be needed.
    pub speculative: bool,
    /// Requests the packuments of dependencies before the resolver asks for them.
    pub follows: bool,
}

/// The sources of a resolution beside the registries.
#[derive(Clone, Copy)]
pub struct LocalSources<'a> {
    /// The downloads, which begin as packages are placed.
    pub downloads: Option<&'a Downloads>,
    /// Loads the manifest of a package outside the registries: name, requirement, folder of the
    /// dependent.
    pub externals: &'a dyn Fn(&str, &str, &str) -> Result<External, AcquireError>,
    /// Loads the packages inside a package's tarball.
    pub bundles: &'a dyn Fn(&LockPackage) -> Result<Vec<LockPackage>, AcquireError>,
    /// The folders that requirements for folders are read against.
    pub places: &'a Places,
    /// Predicts names of packages that will probably be needed, the first to be needed first.
    pub likely: &'a dyn Fn() -> Vec<String>,
}

/// The resolver's [`Provider`]: registries, packument cache and local sources.
pub struct MetadataProvider<'a> {
    context: &'a Context,
    shared: Arc<Shared>,
    local: LocalSources<'a>,
    seeds: Vec<(String, String)>,
    /// The last packument the resolver waited for.
    waited_for: Mutex<Option<String>>,
    /// Whether requests were sent before the resolution began.
    began_early: bool,
}

/// The part of the metadata cache that a resolution depends on.
#[derive(Debug, Clone)]
pub struct MetadataBasis {
    /// The packuments.
    pub sources: Vec<MetadataSource>,
    /// The time until which they may be used without a request, in milliseconds since 1970.
    pub fresh_until_ms: u64,
}

struct Shared {
    config: Config,
    store: Store,
    cancel: Cancel,
    policy: MetadataPolicy,
    picker: Mutex<Picker>,
    state: Mutex<State>,
    used_cache: AtomicBool,
    /// Whether a package was taken from a tarball or repository, which may be another next time.
    took_tarball: AtomicBool,
    /// The earliest expiry of any answer, in milliseconds since 1970.
    fresh_until_ms: AtomicU64,
    /// Signals that an awaited answer has arrived.
    arrived: Condvar,
    /// Signals that all answers are cached.
    cached: Condvar,
    counters: Arc<Counters>,
}

#[derive(Default)]
struct State {
    packuments: HashMap<String, Answer>,
    /// Requirements whose dependencies have been requested.
    followed: HashSet<(String, String)>,
    following: bool,
    /// Packuments that are revalidated for the next command.
    revalidated: HashSet<String>,
    /// Requirements that are followed once it is known how versions are chosen; `None` from then
    /// on.
    unfollowed: Option<Vec<(String, String)>>,
    /// Packuments that a thread waits for.
    awaited: Vec<String>,
    /// Answers that are being written to the cache.
    being_cached: usize,
    /// Registries whose abbreviated packuments lack `modified`.
    without_modified: HashSet<String>,
    ahead: ReadAhead,
}

impl State {
    /// Returns an answer that has arrived, and counts it as needed.
    fn arrived(&mut self, name: &str) -> Option<Result<Packument, AcquireError>> {
        let Some(Answer::Arrived(answer)) = self.packuments.get(name) else { return None };
        self.ahead.needed(name);
        Some(answer.clone())
    }
}

enum Answer {
    /// Requested; these requirements are followed when it arrives.
    Pending(Vec<String>),
    Arrived(Result<Packument, AcquireError>),
}

/// The reason for a request, and its urgency.
#[derive(Clone, Copy)]
struct Reason<'r> {
    priority: Priority,
    /// The package whose packument names it.
    cause: Option<&'r str>,
}

impl<'r> Reason<'r> {
    /// A requirement of the project itself.
    const DIRECT: Reason<'static> = Reason { priority: Priority::Critical, cause: None };

    /// Returns the reason for following a packument that has arrived.
    fn answer_to(name: &'r str) -> Self {
        Reason { priority: Priority::Normal, cause: Some(name) }
    }
}

impl<'a> MetadataProvider<'a> {
    /// Returns a provider; `seeds` are the project's own requirements, from which reading ahead
    /// starts.
    pub fn new(
        context: &'a Context,
        policy: MetadataPolicy,
        pick: PickOptions,
        seeds: Vec<(String, String)>,
        local: LocalSources<'a>,
        counters: Arc<Counters>,
    ) -> Self {
        let shared = Arc::new(Shared::new(context, policy, pick, counters));
        let waited_for = Mutex::default();
        MetadataProvider { context, shared, local, seeds, waited_for, began_early: false }
    }

    /// Returns whether any answer came from the cache without a request.
    pub fn used_cache(&self) -> bool {
        self.shared.used_cache.load(Ordering::Relaxed)
    }

    /// Ends prefetching and returns its outcome.
    pub fn finish_prefetching(&self) -> Prefetched {
        self.shared.lock().ahead.finish()
    }

    /// Returns the part of the metadata cache that the answers came from; `None` under a policy
    /// that ignores ages, and where a tarball or repository was read, since the same install may
    /// then have another outcome.
    pub fn basis(&self) -> Option<MetadataBasis> {
        let MetadataPolicy { offline, prefer_offline, prefer_online, .. } = self.shared.policy;
        let took_tarball = self.shared.took_tarball.load(Ordering::Relaxed);
        if offline || prefer_offline || prefer_online || took_tarball {
            return None;
        }
        let mut sources = Vec::new();
        let mut state = self.shared.lock();
        while state.being_cached > 0 {
            state = self.shared.cached.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        for name in state.packuments.keys().filter(|name| !state.ahead.is_unused(name)) {
            let Ok(name) = PackageName::parse(name) else { continue };
            let registry = self.shared.registry_key(&name);
            sources.extend(self.shared.store.metadata_sources(&registry, &name));
        }
        sources.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        let fresh_until_ms = self.shared.fresh_until_ms.load(Ordering::Relaxed);
        let fresh_until_ms = fresh_until_ms.min(self.shared.grows_old_enough(&state));
        Some(MetadataBasis { sources, fresh_until_ms })
    }

    fn waited_for(&self) -> MutexGuard<'_, Option<String>> {
        self.waited_for.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts reading ahead, once.
    fn follow_seeds(&self, network: &Network) {
        if std::mem::replace(&mut self.shared.lock().following, true) {
            return;
        }
        for (name, spec) in &self.seeds {
            self.shared.follow(network, name, spec, Reason::DIRECT);
        }
        if self.shared.policy.speculative {
            self.shared.prefetch(network, (self.local.likely)());
        }
    }
}

impl Drop for MetadataProvider<'_> {
    fn drop(&mut self) {
        // Also after a failure: what was fetched need not be fetched again.
        let _ = self.shared.store.save_metadata();
    }
}

impl MetadataProvider<'_> {
    /// Returns a packument from memory, from the cache or from the registry.
    pub(crate) fn load(&self, name: &str) -> Result<Packument, AcquireError> {
        if let Some(known) = self.shared.lock().arrived(name) {
            if self.began_early {
                // It would have been waited for.
                self.waited_for().get_or_insert_with(|| name.to_owned());
            }
            return known;
        }
        let package = PackageName::parse(name)?;
        let registry = self.shared.registry_key(&package);
        if let Some((usable, stale)) = self.shared.cached(&registry, &package) {
            self.shared.used_cache.store(true, Ordering::Relaxed);
            if stale && let Ok(network) = self.context.network() {
                self.shared.revalidate(&network, package);
            }
            let answer = Answer::Arrived(Ok(usable.clone()));
            self.shared.lock().packuments.insert(name.to_owned(), answer);
            return Ok(usable);
        }
        if self.shared.policy.offline {
            let place = "the metadata cache";
            return Err(AcquireError::Offline { what: name.to_owned(), place });
        }
        let network = self.context.network()?;
        self.follow_seeds(&network);
        let waited_for = self.waited_for().clone();
        let reason = Reason { priority: Priority::Critical, cause: waited_for.as_deref() };
        self.shared.request(&network, name, None, reason);
        let answer = self.shared.wait(name);
        *self.waited_for() = Some(name.to_owned());
        answer
    }
}

impl MetadataProvider<'_> {
    /// Requests the packuments of these names that are not cached, all at once.
    pub(crate) fn request_all(&self, names: &[&str]) {
        if self.shared.policy.offline {
            return;
        }
        for name in names {
            let Ok(package) = PackageName::parse(name) else { continue };
            let registry = self.shared.registry_key(&package);
            if self.shared.cached(&registry, &package).is_none()
                && let Ok(network) = self.context.network()
            {
                let reason = Reason { priority: Priority::Normal, cause: None };
                self.shared.request(&network, name, None, reason);
            }
        }
    }
}

impl Provider for MetadataProvider<'_> {
    fn packument(&self, name: &str) -> Result<Packument, ProviderError> {
        self.load(name).map_err(AcquireError::into_provider_error)
    }

    fn manifest(&self, name: &str, spec: &str, from: &str) -> Result<External, ProviderError> {
        let loaded = (self.local.externals)(name, spec, from);
        let loaded = loaded.map_err(AcquireError::into_provider_error)?;
        if loaded.folder.is_none() {
            self.shared.took_tarball.store(true, Ordering::Relaxed);
        }
        Ok(loaded)
    }

    fn bundled(&self, package: &LockPackage) -> Result<Vec<LockPackage>, ProviderError> {
        (self.local.bundles)(package).map_err(AcquireError::into_provider_error)
    }

    fn expected(&self, requirements: &[(String, String)]) {
        if self.shared.policy.offline {
            return;
        }
        let Ok(network) = self.context.network() else { return };
        for (name, spec) in requirements {
            self.shared.follow(&network, name, spec, Reason::DIRECT);
        }
    }

    fn wanted(&self, names: &[String]) {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        self.request_all(&names);
    }

    fn was_told(&self, conflict: &str) -> bool {
        self.shared.store.knows_conflict(conflict)
    }

    fn may_be_outdated(&self) -> bool {
        let MetadataPolicy { offline, prefer_online, .. } = self.shared.policy;
        self.used_cache() && !offline && !prefer_online
    }

    fn is_cancelled(&self) -> bool {
        self.shared.cancel.is_cancelled()
    }

    fn places(&self) -> Places {
        self.local.places.clone()
    }

    fn placed(&self, package: &LockPackage) {
        if let Some(downloads) = self.local.downloads {
            if let (Some(trace), Some(cause)) = (&self.context.trace, &*self.waited_for()) {
                let version = package.version.as_deref().unwrap_or_default();
                let label = format!("{}@{version}", real_name(package));
                trace.because(Class::Tarball, &label, cause);
            }
            downloads.prefetch(package, self.shared.unpacked_size(package));
        }
    }
}

impl Shared {
    fn new(
        context: &Context,
        policy: MetadataPolicy,
        pick: PickOptions,
        counters: Arc<Counters>,
    ) -> Self {
        Shared {
            config: context.config.clone(),
            store: context.store.clone(),
            cancel: context.cancel.clone(),
            policy,
            picker: Mutex::new(Picker::new(pick)),
            state: Mutex::default(),
            used_cache: AtomicBool::new(false),
            took_tarball: AtomicBool::new(false),
            fresh_until_ms: AtomicU64::new(u64::MAX),
            arrived: Condvar::new(),
            cached: Condvar::new(),
            counters,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the name of a package's registry in the metadata cache.
    fn registry_key(&self, name: &PackageName) -> String {
        self.config.registry_key(self.config.registry_for(name))
    }

    /// Returns the digest of the credential that a package's registry is asked with.
    fn credential(&self, name: &PackageName) -> u64 {
        self.config.credential_digest(self.config.registry_for(name))
    }

    /// Returns a cached packument that may be used now, and whether it is to be revalidated for the
    /// next command.
    fn cached(&self, registry: &str, name: &PackageName) -> Option<(Packument, bool)> {
        let form = if self.policy.full { Form::Full } else { Form::Abbreviated };
        let mut cached = self.store.metadata(registry, name, form)?;
        let mut is_enough = cached.full || !self.needs_times(&cached.packument);
        if !is_enough && let Some(full) = self.store.metadata(registry, name, Form::Full) {
            (cached, is_enough) = (full, true);
        }
        let any_age = self.policy.offline || self.policy.prefer_offline;
        let now = now_ms();
        let until = cached.fresh_until_ms.max(cached.stale_until_ms);
        // What one user of a registry was told need not be true for another.
        let is_own = cached.credential == self.credential(name);
        let in_time =
            !self.policy.prefer_online && is_own && cached.fetched_ms <= now && now < until;
        let usable = any_age && (self.policy.offline || is_enough) || in_time && is_enough;
        self.fresh_until_ms
            .fetch_min(if usable { cached.fresh_until_ms } else { u64::MAX }, Ordering::Relaxed);
        usable.then_some((cached.packument, !any_age && now >= cached.fresh_until_ms))
    }

    /// Returns the unpacked size of a package, where its packument has arrived and has it.
    fn unpacked_size(&self, package: &LockPackage) -> Option<u64> {
        let state = self.lock();
        let Some(Answer::Arrived(Ok(packument))) = state.packuments.get(real_name(package)) else {
            return None;
        };
        packument.version(packument.find_str(package.version.as_deref()?)?).unpacked_size()
    }

    /// Requests the packument of `name`, once, and follows `spec` when it arrives.
    fn request(
        self: &Arc<Self>,
        network: &Network,
        name: &str,
        spec: Option<&str>,
        reason: Reason<'_>,
    ) {
        let mut state = self.lock();
        state.ahead.needed(name);
        match state.packuments.get_mut(name) {
            Some(Answer::Pending(waiting)) => waiting.extend(spec.map(str::to_owned)),
            Some(Answer::Arrived(_)) => {}
            None => {
                let waiting = spec.map(str::to_owned).into_iter().collect();
                state.packuments.insert(name.to_owned(), Answer::Pending(waiting));
                state.ahead.started();
                drop(state);
                if let (Some(trace), Some(cause)) = (network.fetcher.trace(), reason.cause) {
                    trace.because(Class::Metadata, name, cause);
                }
                let (shared, network, name) = (self.clone(), network.clone(), name.to_owned());
                let runtime = network.runtime.clone();
                runtime.spawn(async move { shared.fetch(network, name, reason.priority).await });
            }
        }
    }

    fn wait(&self, name: &str) -> Result<Packument, AcquireError> {
        let mut state = self.lock();
        state.awaited.push(name.to_owned());
        loop {
            if let Some(Answer::Arrived(answer)) = state.packuments.get(name) {
                let answer = answer.clone();
                state.awaited.retain(|awaited| awaited != name);
                return answer;
            }
            self.cancel.check()?;
            state = self
                .arrived
                .wait_timeout(state, POLL_INTERVAL)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }
}

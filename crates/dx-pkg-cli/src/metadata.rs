//! Answers the resolver's questions: from the metadata cache where that is fresh, else from the registry.
//!
//! The resolver asks for one packument after another. While it waits for the first that must be fetched, everything it is
//! likely to ask for next is fetched too: each packument that arrives is searched for the version that its requirement
//! means, and that version's dependencies are asked for at once. This changes timing, never answers.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use dx_pkg_compat::npmrc::Config;
use dx_pkg_core::{PackageName, Spec};
use dx_pkg_fetch::{Class, Priority};
use dx_pkg_format::packument::Packument;
use dx_pkg_lock::LockPackage;
use dx_pkg_os::Identity;
use dx_pkg_resolve::{External, PickOptions, Picker, Provider, ProviderError};
use dx_pkg_store::{Form, Store};

use crate::downloads::{Downloads, real_name};
use crate::ending;
use crate::failure::Failure;
use crate::progress::Progress;
use crate::session::{Network, Session, now_ms};

mod ahead;
mod fetch;
mod keep;

use ahead::Ahead;
pub use ahead::Speculation;

/// How metadata may be used.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// Never ask a registry.
    pub offline: bool,
    /// Use what is cached however old it is.
    pub prefer_offline: bool,
    /// Ask whether it is current however fresh it is.
    pub prefer_online: bool,
    /// Ask for full packuments: what the lockfile wants is otherwise read from tarballs.
    pub full: bool,
    /// Ask for what will probably be needed before it is known to be.
    pub speculative: bool,
}

/// What answers the resolver's questions that are not for a registry.
#[derive(Clone, Copy)]
pub struct Local<'a> {
    /// What is told of packages that will probably be needed.
    pub downloads: Option<&'a Downloads>,
    /// The manifest of a package outside the registries: name, requirement, folder of who asks.
    pub externals: &'a dyn Fn(&str, &str, &str) -> Result<External, ProviderError>,
    /// The packages inside a package's own tarball.
    pub bundles: &'a dyn Fn(&LockPackage) -> Result<Vec<LockPackage>, ProviderError>,
    /// Names of packages that will probably be asked for, the first to be needed first.
    pub likely: &'a dyn Fn() -> Vec<String>,
}

/// The resolver's view of the registries.
pub struct Metadata<'a> {
    session: &'a Session,
    shared: Arc<Shared>,
    local: Local<'a>,
    seeds: Vec<(String, String)>,
    /// The last packument that the resolver had to wait for.
    waited_for: Mutex<Option<String>>,
}

/// What of the metadata cache a resolution rests on.
pub struct Basis {
    /// The files, as they are now.
    pub files: Vec<(String, Identity)>,
    /// Until when they may be used without asking, in milliseconds since 1970.
    pub fresh_until_ms: u64,
}

struct Shared {
    config: Config,
    store: Store,
    policy: Policy,
    picker: Mutex<Picker>,
    state: Mutex<State>,
    used_cache: AtomicBool,
    /// Until when the earliest answer may be used without asking, in milliseconds since 1970.
    fresh_until_ms: AtomicU64,
    /// An answer that is waited for has arrived.
    arrived: Condvar,
    /// No answer is on its way into the cache any more.
    kept: Condvar,
    progress: Arc<Progress>,
}

#[derive(Default)]
struct State {
    packuments: HashMap<String, Answer>,
    /// Requirements whose dependencies have been asked for.
    followed: HashSet<(String, String)>,
    following: bool,
    /// Packuments that a thread waits for.
    awaited: Vec<String>,
    /// Answers that are here and on their way into the cache.
    being_kept: usize,
    /// The registries whose short answers do not tell when a package was last changed.
    timeless: HashSet<String>,
    ahead: Ahead,
}

impl State {
    /// An answer that is here; whoever asks needs it.
    fn here(&mut self, name: &str) -> Option<Result<Packument, ProviderError>> {
        let Some(Answer::Here(answer)) = self.packuments.get(name) else { return None };
        self.ahead.needed(name);
        Some(answer.clone())
    }
}

enum Answer {
    /// On its way; these requirements wait to be followed.
    Pending(Vec<String>),
    Here(Result<Packument, ProviderError>),
}

/// Why a packument is asked for, and how urgently.
#[derive(Clone, Copy)]
struct Reason<'r> {
    priority: Priority,
    /// The package whose packument told of it.
    cause: Option<&'r str>,
}

impl<'r> Reason<'r> {
    /// The project itself requires it.
    const DIRECT: Reason<'static> = Reason { priority: Priority::Critical, cause: None };

    /// A packument that has arrived tells of it.
    fn answer_to(name: &'r str) -> Self {
        Reason { priority: Priority::Normal, cause: Some(name) }
    }
}

impl<'a> Metadata<'a> {
    /// A provider; `seeds` are the project's own requirements, from which fetching ahead starts.
    pub fn new(
        session: &'a Session,
        policy: Policy,
        pick: PickOptions,
        seeds: Vec<(String, String)>,
        local: Local<'a>,
        progress: Arc<Progress>,
    ) -> Self {
        let shared = Shared {
            config: session.config.clone(),
            store: session.store.clone(),
            policy,
            picker: Mutex::new(Picker::new(pick)),
            state: Mutex::default(),
            used_cache: AtomicBool::new(false),
            fresh_until_ms: AtomicU64::new(u64::MAX),
            arrived: Condvar::new(),
            kept: Condvar::new(),
            progress,
        };
        Metadata { session, shared: Arc::new(shared), local, seeds, waited_for: Mutex::default() }
    }

    /// Whether any answer came from the cache without asking whether it is current.
    pub fn used_cache(&self) -> bool {
        self.shared.used_cache.load(Ordering::Relaxed)
    }

    /// Ends asking ahead of need, and says what it came to.
    pub fn finish_speculation(&self) -> Speculation {
        self.shared.lock().ahead.finish()
    }

    /// The files of the metadata cache that the answers came from, and until when they may be used without asking; `None`
    /// where the command's policy was not to care, so that the same install may come to something else.
    pub fn basis(&self) -> Option<Basis> {
        let Policy { offline, prefer_offline, prefer_online, .. } = self.shared.policy;
        if offline || prefer_offline || prefer_online {
            return None;
        }
        let mut files = Vec::new();
        let mut state = self.shared.lock();
        while state.being_kept > 0 {
            state = self.shared.kept.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        for name in state.packuments.keys().filter(|name| !state.ahead.is_unused(name)) {
            let Ok(name) = PackageName::parse(name) else { continue };
            files.extend(self.shared.store.metadata_files(&self.shared.registry_key(&name), &name));
        }
        files.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        Some(Basis { files, fresh_until_ms: self.shared.fresh_until_ms.load(Ordering::Relaxed) })
    }

    fn waited_for(&self) -> MutexGuard<'_, Option<String>> {
        self.waited_for.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts fetching ahead, once.
    fn follow_seeds(&self, network: &Network) {
        if std::mem::replace(&mut self.shared.lock().following, true) {
            return;
        }
        for (name, spec) in &self.seeds {
            self.shared.follow(network, name, spec, Reason::DIRECT);
        }
        if self.shared.policy.speculative {
            self.shared.speculate(network, (self.local.likely)());
        }
    }
}

impl Provider for Metadata<'_> {
    fn packument(&self, name: &str) -> Result<Packument, ProviderError> {
        if let Some(known) = self.shared.lock().here(name) {
            return known;
        }
        let package =
            PackageName::parse(name).map_err(|error| Failure::from(error).into_provider_error())?;
        let registry = self.shared.registry_key(&package);
        if let Some((usable, stale)) = self.shared.cached(&registry, &package) {
            self.shared.used_cache.store(true, Ordering::Relaxed);
            if stale && let Ok(network) = self.session.network() {
                self.shared.revalidate(&network, package);
            }
            let answer = Ok(usable);
            self.shared.lock().packuments.insert(name.to_owned(), Answer::Here(answer.clone()));
            return answer;
        }
        if self.shared.policy.offline {
            return Err(Failure::new(
                "DX_OFFLINE",
                format!("{name} is not in the metadata cache, and --offline forbids to fetch it"),
            )
            .with_hint("run the command once without --offline")
            .into_provider_error());
        }
        let network = self.session.network().map_err(Failure::into_provider_error)?;
        self.follow_seeds(&network);
        let waited_for = self.waited_for().clone();
        self.shared.ask(
            &network,
            name,
            None,
            Reason { priority: Priority::Critical, cause: waited_for.as_deref() },
        );
        let answer = self.shared.wait(name);
        *self.waited_for() = Some(name.to_owned());
        answer
    }

    fn manifest(&self, name: &str, spec: &str, from: &str) -> Result<External, ProviderError> {
        (self.local.externals)(name, spec, from)
    }

    fn bundled(&self, package: &LockPackage) -> Result<Vec<LockPackage>, ProviderError> {
        (self.local.bundles)(package)
    }

    fn placed(&self, package: &LockPackage) {
        if let Some(downloads) = self.local.downloads {
            if let (Some(trace), Some(cause)) = (&self.session.trace, &*self.waited_for()) {
                let label = format!(
                    "{}@{}",
                    real_name(package),
                    package.version.as_deref().unwrap_or_default()
                );
                trace.because(Class::Tarball, &label, cause);
            }
            downloads.expect(package, self.shared.unpacked_size(package));
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the metadata cache knows a package's registry by.
    fn registry_key(&self, name: &PackageName) -> String {
        self.config.registry_for(name).to_string()
    }

    /// What is cached, where policy lets it be used without waiting for an answer, and whether one is to be asked for.
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
        let in_time = !self.policy.prefer_online && cached.fetched_ms <= now && now < until;
        let usable = any_age || (in_time && is_enough);
        self.fresh_until_ms
            .fetch_min(if usable { cached.fresh_until_ms } else { u64::MAX }, Ordering::Relaxed);
        usable.then_some((cached.packument, !any_age && now >= cached.fresh_until_ms))
    }

    /// Whether the age of versions matters and the abbreviated form cannot tell it.
    fn needs_times(&self, packument: &Packument) -> bool {
        let picker = self.picker.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(before) = picker.before_for(packument.name()) else { return false };
        packument.modified().is_none_or(|modified| modified > before)
    }

    /// How large a package is, where its packument is here and says so.
    fn unpacked_size(&self, package: &LockPackage) -> Option<u64> {
        let state = self.lock();
        let Some(Answer::Here(Ok(packument))) = state.packuments.get(real_name(package)) else {
            return None;
        };
        packument.version(packument.find_str(package.version.as_deref()?)?).unpacked_size()
    }

    /// Sees to it that the packument of `name` arrives, and that `spec` is followed then.
    fn ask(
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
            Some(Answer::Here(_)) => {}
            None => {
                let waiting = spec.map(str::to_owned).into_iter().collect();
                state.packuments.insert(name.to_owned(), Answer::Pending(waiting));
                state.ahead.started();
                drop(state);
                if let (Some(trace), Some(cause)) =
                    (network.registry.fetcher().trace(), reason.cause)
                {
                    trace.because(Class::Metadata, name, cause);
                }
                let (shared, network, name) = (self.clone(), network.clone(), name.to_owned());
                let runtime = network.runtime.clone();
                runtime.spawn(async move { shared.fetch(network, name, reason.priority).await });
            }
        }
    }

    fn wait(&self, name: &str) -> Result<Packument, ProviderError> {
        let mut state = self.lock();
        state.awaited.push(name.to_owned());
        loop {
            if let Some(Answer::Here(answer)) = state.packuments.get(name) {
                let answer = answer.clone();
                state.awaited.retain(|awaited| awaited != name);
                return answer;
            }
            ending::check().map_err(Failure::into_provider_error)?;
            state = self
                .arrived
                .wait_timeout(state, ending::PAUSE)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    /// Asks for what the version that `spec` means of `name` depends on, and for what that depends on.
    fn follow(self: &Arc<Self>, network: &Network, name: &str, spec: &str, reason: Reason<'_>) {
        let mut work = vec![(name.to_owned(), spec.to_owned(), reason.priority)];
        while let Some((name, spec, priority)) = work.pop() {
            let Ok(parsed) = Spec::parse(&spec) else { continue };
            let name = match &parsed {
                Spec::Alias { name, .. } => name.as_str().to_owned(),
                Spec::Range(_) | Spec::Version(_) | Spec::Tag(_) => name,
                _ => continue,
            };
            if self.lock().followed.contains(&(name.clone(), spec.clone())) {
                continue;
            }
            // What is still on its way is followed when it has arrived.
            let Some(packument) =
                self.here_or_asked(network, &name, &spec, Reason { priority, ..reason })
            else {
                continue;
            };
            if self.lock().followed.insert((name, spec)) {
                work.extend(self.dependencies(&packument, &parsed));
            }
        }
    }

    fn here_or_asked(
        self: &Arc<Self>,
        network: &Network,
        name: &str,
        spec: &str,
        reason: Reason<'_>,
    ) -> Option<Packument> {
        if let Some(answer) = self.lock().here(name) {
            return answer.ok();
        }
        let package = PackageName::parse(name).ok()?;
        if let Some((packument, _)) = self.cached(&self.registry_key(&package), &package) {
            return Some(packument);
        }
        self.ask(network, name, Some(spec), reason);
        None
    }

    fn dependencies(&self, packument: &Packument, spec: &Spec) -> Vec<(String, String, Priority)> {
        let picker = self.picker.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(version) = picker.pick(packument, spec) else { return Vec::new() };
        let view = packument.version(version);
        let peers = view.peer_dependencies().filter(|(name, _)| !view.peer_optional(name));
        let with = |priority| {
            move |(name, spec): (&str, &str)| (name.to_owned(), spec.to_owned(), priority)
        };
        let own =
            view.dependencies().chain(view.optional_dependencies()).map(with(Priority::Normal));
        own.chain(peers.map(with(Priority::High))).collect()
    }
}

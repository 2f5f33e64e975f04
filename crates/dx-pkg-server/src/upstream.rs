//! Upstream registries: what they have, cached.
//!
//! One request at a time goes out for a document, conditional where it is known already. What an
//! upstream says is checked before it is kept; what was kept is served while the upstream fails. A
//! failing upstream is never taken for one that does not have a package.

mod addresses;
mod client;
mod known;
mod store;
mod tarball;
#[cfg(test)]
mod tests;

pub(crate) use client::{Client, Refusal};
pub(crate) use known::{Known, VersionEntry};

use crate::config;
use crate::failure::Failure;
use crate::log::Log;
use crate::lru::Lru;
use crate::origin::{Origins, Registry};
use crate::packages::{OnChange, Watcher};
use crate::storage::Storage;
use crate::tarballs::Tarballs;
use crate::turns::Turns;
use axum::http::StatusCode;
use bytes::Bytes;
use client::Answer;
use dx_pkg_core::PackageName;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The memory for what is known of packages, besides their packuments, in bytes.
const KNOWN: usize = 32 << 20;
/// The time after a failed request in which what is cached is served without another try.
const BACK_OFF: Duration = Duration::from_secs(5);

/// The time after which a client is served what is cached, although the upstream was asked.
const PATIENCE: Duration = Duration::from_secs(5);
/// That time once the upstream is known to be slow: an install asks for package after package.
const LITTLE_PATIENCE: Duration = Duration::from_millis(50);
/// The time for which an upstream counts as slow, unless it answers in time before.
const SLOW: Duration = Duration::from_secs(30);

/// A package of an upstream.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct PackageKey {
    registry: String,
    name: PackageName,
}

/// What is remembered of a package.
#[derive(Clone)]
enum State {
    Known(Arc<Known>),
    /// The upstream does not have it.
    Missing(Instant),
}

/// The upstreams.
pub(crate) struct Upstreams {
    client: Client,
    storage: Storage,
    tarballs: Arc<Tarballs>,
    settings: config::Cache,
    states: Lru<PackageKey, State>,
    turns: Turns<PackageKey>,
    /// The times until which upstreams count as slow, by their names.
    slow: Mutex<HashMap<String, Instant>>,
    log: Arc<Log>,
    watcher: Watcher,
}

impl Upstreams {
    pub(crate) fn new(
        settings: &config::Cache,
        origins: &Origins,
        storage: Storage,
        tarballs: Arc<Tarballs>,
        log: Arc<Log>,
    ) -> Self {
        Self {
            client: Client::new(settings, origins),
            storage,
            tarballs,
            settings: settings.clone(),
            states: Lru::new(KNOWN),
            turns: Turns::default(),
            slow: Mutex::default(),
            log,
            watcher: Watcher::default(),
        }
    }

    /// Sets what is told of packages that have changed at their upstream.
    pub(crate) fn on_change(&self, changed: OnChange) {
        self.watcher.set(changed);
    }

    /// Returns the client, for requests that are not cached.
    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// Returns what is known of a package, asked for again if that is not fresh.
    ///
    /// # Errors
    /// 404 where the upstream does not have it, 5xx or 429 where that cannot be known.
    pub(crate) async fn package(
        self: &Arc<Self>,
        registry: &Arc<Registry>,
        name: &PackageName,
    ) -> Result<Arc<Known>, Failure> {
        let key = PackageKey { registry: registry.id.clone(), name: name.clone() };
        if let Some(result) = self.remembered(&key) {
            return result;
        }
        let patience = if self.is_slow(registry) { LITTLE_PATIENCE } else { PATIENCE };
        let (own, asking, asked) = (Arc::clone(self), Arc::clone(registry), key.clone());
        // A task of its own: it ends although the client that asked for it goes away.
        let mut task = tokio::spawn(async move { own.refresh(&asking, asked).await });
        if let Ok(result) = tokio::time::timeout(patience, &mut task).await {
            return result.map_err(Failure::internal)?;
        }
        if let Some(State::Known(known)) = self.states.get(&key)
            && known.age() < self.settings.stale_if_error.0
        {
            self.slow().insert(registry.id.clone(), Instant::now() + SLOW);
            known.back_off(BACK_OFF);
            return Ok(known);
        }
        task.await.map_err(Failure::internal)?
    }

    fn slow(&self) -> MutexGuard<'_, HashMap<String, Instant>> {
        self.slow.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns whether somebody lost patience with an upstream moments ago.
    fn is_slow(&self, registry: &Registry) -> bool {
        self.slow().get(&registry.id).is_some_and(|end| Instant::now() < *end)
    }

    /// Asks for a package, unless another request has done so meanwhile.
    async fn refresh(&self, registry: &Registry, key: PackageKey) -> Result<Arc<Known>, Failure> {
        let _turn = self.turns.take(&key).await;
        // Another request may have asked meanwhile.
        if let Some(result) = self.remembered(&key) {
            return result;
        }
        let cached = match self.states.get(&key) {
            Some(State::Known(known)) => Some(known),
            _ => self.load(&key).await,
        };
        if let Some(known) = &cached {
            // Whoever loses patience is served this one.
            self.remember(&key, State::Known(Arc::clone(known)));
            if known.age() < self.settings.fresh.0 {
                return Ok(Arc::clone(known));
            }
        }
        self.ask(registry, &key, cached).await
    }

    /// Returns what is known of a package, however old, and asks only where nothing is.
    pub(crate) async fn package_of_any_age(
        self: &Arc<Self>,
        registry: &Arc<Registry>,
        name: &PackageName,
    ) -> Result<Arc<Known>, Failure> {
        let key = PackageKey { registry: registry.id.clone(), name: name.clone() };
        if let Some(State::Known(known)) = self.states.get(&key) {
            return Ok(known);
        }
        if let Some(known) = self.load(&key).await {
            self.remember(&key, State::Known(Arc::clone(&known)));
            return Ok(known);
        }
        self.package(registry, name).await
    }

    /// Returns the packument that `known` describes.
    pub(crate) async fn document(&self, known: &Known) -> Result<Bytes, Failure> {
        if let Some(document) = store::read(&self.storage, known).await? {
            return Ok(document);
        }
        // Another process has cached a later one.
        self.states.remove(&known.key);
        let message = "the package was changed meanwhile: try again";
        Err(Failure::new(StatusCode::SERVICE_UNAVAILABLE, message))
    }

    fn remembered(&self, key: &PackageKey) -> Option<Result<Arc<Known>, Failure>> {
        match self.states.get(key)? {
            State::Known(known) => {
                let serves = known.age() < self.settings.fresh.0 || known.backs_off();
                serves.then_some(Ok(known))
            }
            State::Missing(since) => {
                (since.elapsed() < self.settings.negative.0).then(|| Err(missing(&key.name)))
            }
        }
    }

    fn remember(&self, key: &PackageKey, state: State) {
        let bytes = match &state {
            State::Known(known) => known.size(),
            State::Missing(_) => 0,
        };
        self.states.put(key.clone(), state, bytes);
    }

    async fn load(&self, key: &PackageKey) -> Option<Arc<Known>> {
        match store::load(&self.storage, key).await {
            Ok(known) => known.map(Arc::new),
            Err(failure) => {
                self.note(key, "a cached packument cannot be used", &failure);
                None
            }
        }
    }

    async fn ask(
        &self,
        registry: &Registry,
        key: &PackageKey,
        cached: Option<Arc<Known>>,
    ) -> Result<Arc<Known>, Failure> {
        if let Some(known) = &cached
            && self.client.is_unreachable(registry)
            && known.age() < self.settings.stale_if_error.0
        {
            return Ok(Arc::clone(known));
        }
        let start = Instant::now();
        let answer = self.client.packument(registry, &key.name, cached.as_deref()).await;
        if answer.is_ok() && start.elapsed() < PATIENCE {
            self.slow().remove(&registry.id);
        }
        match answer {
            Ok(Answer::Unchanged) => {
                let known = cached.ok_or_else(|| Failure::internal("304 to an open request"))?;
                known.confirm(&self.storage);
                self.remember(key, State::Known(Arc::clone(&known)));
                Ok(known)
            }
            Ok(Answer::Document(document)) => {
                match store::save(&self.storage, key, document, cached.clone()).await {
                    Ok(known) => {
                        let known = Arc::new(known);
                        self.remember(key, State::Known(Arc::clone(&known)));
                        if cached.is_some_and(|cached| cached.id != known.id) {
                            self.watcher.tell(&key.name);
                        }
                        Ok(known)
                    }
                    Err(failure) => self.fall_back(key, cached, failure),
                }
            }
            Err(Refusal::Missing) => {
                self.remember(key, State::Missing(Instant::now()));
                Err(missing(&key.name))
            }
            Err(Refusal::Failed(failure)) => self.fall_back(key, cached, failure),
        }
    }

    /// Serves what is cached while the upstream fails, within its bound.
    fn fall_back(
        &self,
        key: &PackageKey,
        cached: Option<Arc<Known>>,
        failure: Failure,
    ) -> Result<Arc<Known>, Failure> {
        self.note(key, "an upstream failed", &failure);
        match cached.filter(|known| known.age() < self.settings.stale_if_error.0) {
            Some(known) => {
                known.back_off(BACK_OFF);
                self.remember(key, State::Known(Arc::clone(&known)));
                Ok(known)
            }
            None => Err(failure),
        }
    }

    fn note(&self, key: &PackageKey, what: &str, failure: &Failure) {
        let fields = serde_json::json!({
            "upstream": key.registry, "package": key.name.as_str(),
            "failure": failure.message, "detail": failure.detail,
        });
        self.log.error(what, &fields);
    }
}

fn missing(name: &PackageName) -> Failure {
    Failure::not_found(format!("{name} is neither published here nor at the upstream"))
}

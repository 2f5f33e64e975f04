//! The plans that were asked for: each made once for everybody, checked when it is no longer fresh,
//! and made anew in the background when a package changes that it rests on.
//!
//! | Object | What it is |
//! |---|---|
//! | `cache/dxrp/plans/<digest>` | a question with its plan; see [`super::object`] |

use super::compute::compute;
use super::{Computed, Planned, Question, ahead, object};
use crate::catalog;
use crate::dxrp::Dxrp;
use crate::lru::Lru;
use crate::storage::{Key, Storage, blocking};
use crate::turns::Turns;
use dx_pkg_core::PackageName;
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{OnceCell, Semaphore};
use tokio::task::JoinSet;

type Digest = [u8; 32];

/// The pause after a change before plans are made anew: changes come together.
const PAUSE: Duration = Duration::from_millis(300);
/// The packages that are looked at together when a plan is checked.
const TOGETHER: usize = 64;
/// The most plans that wait to be made.
const MOST_WAITING: usize = 64;
/// The memory for plans by their locks, in bytes.
const BY_LOCK: usize = 64 << 20;

/// The plans; see the module.
pub(in super::super) struct Plans {
    storage: Storage,
    /// The most plans that are kept.
    most: usize,
    known: Mutex<HashMap<Digest, (u64, Arc<Computed>)>>,
    clock: AtomicU64,
    by_lock: Lru<Digest, Arc<Computed>>,
    turns: Turns<Digest>,
    /// The plans that are made at a time, and those that wait besides.
    processors: Semaphore,
    waiting: Semaphore,
    /// The number of changes of packages so far.
    changes: AtomicU64,
    /// The packages that have changed and wait for the background.
    changed: Mutex<HashSet<PackageName>>,
    loaded: OnceCell<()>,
    /// How often a plan was made, checked, and made ahead.
    pub(in super::super) made: AtomicU64,
    pub(in super::super) served: AtomicU64,
    pub(in super::super) ahead: AtomicU64,
}

impl Plans {
    /// Opens the plans of a storage, of which `most` are kept.
    pub(in super::super) fn new(storage: Storage, most: usize) -> Self {
        Self {
            storage,
            most: most.max(1),
            known: Mutex::default(),
            clock: AtomicU64::default(),
            by_lock: Lru::new(BY_LOCK),
            turns: Turns::default(),
            processors: Semaphore::new(dx_pkg_os::process::processors().max(1)),
            waiting: Semaphore::new(MOST_WAITING),
            changes: AtomicU64::default(),
            changed: Mutex::default(),
            loaded: OnceCell::new(),
            made: AtomicU64::default(),
            served: AtomicU64::default(),
            ahead: AtomicU64::default(),
        }
    }

    /// Returns the number of plans in memory.
    pub(in super::super) fn len(&self) -> usize {
        self.known().len()
    }

    /// Returns the answer to a question: a kept one that is still right, or a new one; and whether
    /// it was in memory, and nothing had to be looked up for it.
    pub(in super::super) async fn answer(
        &self,
        state: &Arc<Dxrp>,
        question: Question,
    ) -> (Arc<Computed>, bool) {
        self.loaded.get_or_init(|| self.load()).await;
        let digest = question.digest();
        let fresh = state.config.cache.fresh.0;
        if let Some(known) = self.get(&digest).filter(|known| known.is_fresh(fresh)) {
            if still_published(state, &known).await {
                self.served.fetch_add(1, Relaxed);
                return (known, true);
            }
            known.outdate();
        }
        let Ok(_place) = self.waiting.try_acquire() else {
            let message = "too many plans are asked for at a time: try again";
            return (Arc::new(Computed::unavailable(question, message)), false);
        };
        // A task of its own: it ends although the client goes away, for the others who wait.
        let task_state = Arc::clone(state);
        let again = question.clone();
        let task = tokio::spawn(async move {
            let plans = &task_state.plans;
            plans.renew(&task_state, digest, question).await
        });
        let failed = |_| {
            let message = "the registry has a fault; its log says more";
            Arc::new(Computed::unavailable(again, message))
        };
        (task.await.unwrap_or_else(failed), false)
    }

    /// Returns the answer whose plan has this lock.
    pub(in super::super) async fn of_lock(&self, lock: &Digest) -> Option<Arc<Computed>> {
        self.loaded.get_or_init(|| self.load()).await;
        self.by_lock.get(lock)
    }

    /// Takes note that a package has changed, and lets the plans that rest on it be made anew.
    pub(in super::super) fn package_changed(&self, state: &Arc<Dxrp>, name: &PackageName) {
        self.changes.fetch_add(1, Relaxed);
        let mut rests = false;
        for (_, computed) in self.known().values() {
            if computed.rests_on(name) {
                computed.outdate();
                rests = true;
            }
        }
        if !rests {
            return;
        }
        let mut changed = self.changed.lock().unwrap_or_else(PoisonError::into_inner);
        let is_first = changed.is_empty();
        changed.insert(name.clone());
        if let Ok(runtime) = tokio::runtime::Handle::try_current()
            && is_first
        {
            let state = Arc::clone(state);
            runtime.spawn(async move { state.plans.renew_outdated(&state).await });
        }
    }

    /// Makes the plans anew that rest on packages which have changed.
    async fn renew_outdated(&self, state: &Arc<Dxrp>) {
        tokio::time::sleep(PAUSE).await;
        let changed = {
            let mut changed = self.changed.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *changed)
        };
        let mut outdated: Vec<(u64, Digest, Question)> = self
            .known()
            .iter()
            .filter(|(_, (_, plan))| changed.iter().any(|name| plan.rests_on(name)))
            .map(|(digest, (used, plan))| (*used, *digest, plan.question.clone()))
            .collect();
        outdated.sort_unstable_by_key(|(used, ..)| std::cmp::Reverse(*used));
        for (_, digest, question) in outdated {
            let outdated = self.get(&digest).filter(|plan| !plan.is_fresh(Duration::MAX));
            if let Some(former) = outdated {
                let computed = self.renew(state, digest, question).await;
                self.ahead.fetch_add(1, Relaxed);
                ahead::convert(state, &computed).await;
                ahead::differences(state, &former, &computed).await;
            }
        }
    }

    /// Checks a plan or makes it anew, unless somebody else has done so meanwhile.
    async fn renew(&self, state: &Arc<Dxrp>, digest: Digest, question: Question) -> Arc<Computed> {
        let fresh = state.config.cache.fresh.0;
        let _turn = self.turns.take(&digest).await;
        let known = self.get(&digest);
        if let Some(known) = &known {
            if known.is_fresh(fresh) {
                return Arc::clone(known);
            }
            let changes = self.changes.load(Relaxed);
            if !known.is_timed && known.outcome.is_ok() && still_rests(state, known).await {
                known.confirm();
                if changes != self.changes.load(Relaxed) {
                    // The next question finds out whether that was one of its packages.
                    known.outdate();
                }
                return Arc::clone(known);
            }
        }
        let changes = self.changes.load(Relaxed);
        // The semaphore is never closed.
        let permit = self.processors.acquire().await;
        let computed = Arc::new(compute(state, question).await);
        drop(permit);
        self.made.fetch_add(1, Relaxed);
        if changes != self.changes.load(Relaxed) && !still_rests(state, &computed).await {
            computed.outdate();
        }
        if computed.is_lasting() {
            self.keep(digest, &computed);
            self.store(digest, &computed);
        }
        computed
    }

    fn known(&self) -> MutexGuard<'_, HashMap<Digest, (u64, Arc<Computed>)>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn get(&self, digest: &Digest) -> Option<Arc<Computed>> {
        let now = self.clock.fetch_add(1, Relaxed);
        let mut known = self.known();
        let (used, computed) = known.get_mut(digest)?;
        *used = now;
        Some(Arc::clone(computed))
    }

    fn keep(&self, digest: Digest, computed: &Arc<Computed>) {
        let now = self.clock.fetch_add(1, Relaxed);
        let mut known = self.known();
        known.insert(digest, (now, Arc::clone(computed)));
        let mut gone = None;
        if known.len() > self.most {
            let oldest = known.iter().min_by_key(|(_, (used, _))| *used);
            gone = oldest.map(|(digest, _)| *digest);
        }
        if let Some(gone) = &gone {
            known.remove(gone);
        }
        drop(known);
        if let Ok(Planned { lock, .. }) = &computed.outcome {
            self.by_lock.put(*lock, Arc::clone(computed), computed.memory());
        }
        if let Some(gone) = gone {
            let (storage, key) = (self.storage.clone(), key(&gone));
            tokio::spawn(async move { storage.remove(&key).await });
        }
    }

    /// Writes a plan in the background. One that is lost is made again.
    fn store(&self, digest: Digest, computed: &Arc<Computed>) {
        let Some(bytes) = object::encode(computed) else { return };
        let (storage, key) = (self.storage.clone(), key(&digest));
        tokio::spawn(async move { storage.replace(&key, bytes.into()).await });
    }

    /// Reads the plans of former processes, those used last.
    async fn load(&self) {
        let Ok(mut listed) = self.storage.list(&folder()).await else { return };
        listed.sort_unstable_by_key(|object| std::cmp::Reverse(object.modified));
        for (at, object) in listed.iter().enumerate() {
            if at >= self.most {
                let _ = self.storage.remove(&object.key).await;
                continue;
            }
            let Ok(Some(bytes)) = self.storage.read(&object.key).await else { continue };
            let decoded = blocking(move || object::decode(&bytes)).await;
            let Ok(Some(computed)) = decoded else { continue };
            // Whether it is still right is found out when it is asked for.
            computed.outdate();
            self.keep(computed.question.digest(), &Arc::new(computed));
        }
    }
}

/// Returns whether all packages of a plan are as they were.
async fn still_rests(state: &Arc<Dxrp>, computed: &Computed) -> bool {
    for rests in computed.rests.chunks(TOGETHER) {
        let mut looks = JoinSet::new();
        for rest in rests {
            let (state, rest) = (Arc::clone(state), rest.clone());
            looks.spawn(async move {
                let now = catalog::current(&state, &rest.name).await;
                now.map_or_else(|_| String::new(), |current| current.tag()) == rest.tag
            });
        }
        while let Some(is_same) = looks.join_next().await {
            if !is_same.unwrap_or(false) {
                return false;
            }
        }
    }
    true
}

/// Returns whether the packages of a plan that are published here are as they were, and none has
/// been published that was not there: another process may have changed that a moment ago. Costs a
/// look at the disk for each of them, and asks no upstream.
async fn still_published(state: &Arc<Dxrp>, computed: &Computed) -> bool {
    for rest in &computed.rests {
        let is_same = if rest.is_hosted {
            let current = catalog::current(state, &rest.name).await;
            current.map_or_else(|_| String::new(), |current| current.tag()) == rest.tag
        } else if rest.tag.is_empty() {
            state.packages.read(&rest.name).await.is_ok_and(|document| document.value.is_none())
        } else {
            true
        };
        if !is_same {
            return false;
        }
    }
    true
}

fn folder() -> Key {
    Key::of("cache").with("dxrp").with("plans")
}

fn key(digest: &Digest) -> Key {
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    folder().with(&hex)
}

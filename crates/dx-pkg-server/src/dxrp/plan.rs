//! Plans: what a project's requirements resolve to, by the resolver of dx itself.

mod ahead;
mod compute;
mod input;
mod kept;
mod object;
mod provider;

pub(super) use compute::{Entry, Planned};
pub(super) use kept::Plans;

use dx_pkg_core::PackageName;
use dx_pkg_format::dxrp::{Refusal, Trouble};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// The memory of the largest answer that is kept, in bytes.
const LARGEST: usize = 8 << 20;

/// A question with the address of this registry that the answer has.
#[derive(Debug, Clone)]
pub(super) struct Question {
    /// The message, as it was encoded.
    pub(super) bytes: Arc<[u8]>,
    pub(super) base: Arc<str>,
}

impl Question {
    /// Returns what tells the question from others.
    pub(super) fn digest(&self) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&(self.base.len() as u64).to_le_bytes());
        hasher.update(self.base.as_bytes());
        hasher.update(&self.bytes);
        *hasher.finalize().as_bytes()
    }
}

/// The state of a package when a plan was made.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rest {
    pub(super) name: PackageName,
    /// The tag of its packument; empty where there was none that clients may see.
    pub(super) tag: String,
    /// Whether it is published here.
    pub(super) is_hosted: bool,
}

/// An answer to a question, and what it rests on.
pub(super) struct Computed {
    pub(super) question: Question,
    /// The packages that were looked at, ascending by name.
    pub(super) rests: Vec<Rest>,
    pub(super) outcome: Result<Planned, Refusal>,
    /// Whether it depends on the time itself, so that it is not checked but made anew.
    pub(super) is_timed: bool,
    /// Whether nothing is known to have changed.
    is_current: AtomicBool,
    /// When it was last found to be right.
    checked: Mutex<Instant>,
}

impl Computed {
    fn new(
        question: Question,
        rests: Vec<Rest>,
        outcome: Result<Planned, Refusal>,
        is_timed: bool,
    ) -> Self {
        let checked = Mutex::new(Instant::now());
        Self { question, rests, outcome, is_timed, is_current: AtomicBool::new(true), checked }
    }

    /// Creates the answer to a question that is not worked on now.
    fn unavailable(question: Question, message: &str) -> Self {
        let refusal = Refusal { trouble: Trouble::Unavailable, message: message.to_owned() };
        Self::new(question, Vec::new(), Err(refusal), false)
    }

    /// Returns whether it is kept: it took work, the same question has the same answer again while
    /// nothing changes, and it does not take too much memory.
    fn is_lasting(&self) -> bool {
        let is_of_now = |refusal: &Refusal| refusal.trouble == Trouble::Unavailable;
        let is_right = !self.outcome.as_ref().is_err_and(is_of_now);
        is_right && !self.rests.is_empty() && self.memory() <= LARGEST
    }

    /// Returns about the memory that it takes, in bytes.
    fn memory(&self) -> usize {
        let planned = self.outcome.as_ref().ok();
        let plan = planned.map_or(0, |plan| plan.frames.len() + plan.entries.len() * 200);
        self.question.bytes.len() + self.rests.len() * 160 + plan
    }

    /// Returns whether the plan rests on a package.
    fn rests_on(&self, name: &PackageName) -> bool {
        self.rests.binary_search_by(|rest| rest.name.cmp(name)).is_ok()
    }

    /// Returns whether it was found to be right less than `fresh` ago, and nothing has changed.
    fn is_fresh(&self, fresh: Duration) -> bool {
        let checked = *self.checked.lock().unwrap_or_else(PoisonError::into_inner);
        self.is_current.load(Relaxed) && checked.elapsed() < fresh
    }

    /// Records that nothing of it has changed until now.
    fn confirm(&self) {
        self.is_current.store(true, Relaxed);
        *self.checked.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    fn outdate(&self) {
        self.is_current.store(false, Relaxed);
    }
}

/// Returns the time in milliseconds since 1970.
fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

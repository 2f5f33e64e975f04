//! A trace of every request, for finding out what an install waited for.
//!
//! Times are measured from the trace's start. Without a trace nothing is recorded and no clock is
//! read.

use crate::priority::Priority;
use crate::request::{Class, Request};
use crate::text::redact_url;
use reqwest::StatusCode;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

pub use reqwest::Version;

/// The requests and stages so far. Clones share one trace.
#[derive(Debug, Clone)]
pub struct Trace(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    started: Instant,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    transfers: Vec<Transfer>,
    causes: HashMap<(Class, Box<str>), Box<str>>,
    marks: Vec<(&'static str, Duration)>,
}

/// A request, from the queue to its last byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transfer {
    /// The queue that it waited in.
    pub class: Class,
    /// Its priority there.
    pub priority: Priority,
    /// The address, without user, password and query.
    pub url: String,
    /// The caller's name for it.
    pub label: Box<str>,
    /// The label of the metadata request whose answer caused it.
    pub cause: Option<Box<str>>,
    /// The time when it entered the queue.
    pub queued: Duration,
    /// The time when its last try was sent, or began to open a connection.
    pub sent: Option<Duration>,
    /// The time when the head of the last try's answer arrived.
    pub first_byte: Option<Duration>,
    /// The time when it ended.
    pub ended: Duration,
    /// The length of the body as sent.
    pub bytes: u64,
    /// The number of tries.
    pub tries: u32,
    /// The status of the answer; `None` if it failed or was cancelled.
    pub status: Option<StatusCode>,
    /// The protocol of the last answer.
    pub version: Option<Version>,
}

impl Trace {
    /// Starts a trace now.
    pub fn start() -> Self {
        Self(Arc::new(Shared { started: Instant::now(), state: Mutex::default() }))
    }

    /// Records that the answer to the metadata request labelled `cause` caused the request of this
    /// class and label. The first cause counts.
    pub fn because(&self, class: Class, label: &str, cause: &str) {
        self.lock().causes.entry((class, label.into())).or_insert_with(|| cause.into());
    }

    /// Records that a stage of the command ends now.
    pub fn mark(&self, name: &'static str) {
        let now = self.now();
        self.lock().marks.push((name, now));
    }

    /// Returns the ended requests, in the order in which they ended.
    pub fn transfers(&self) -> Vec<Transfer> {
        let state = self.lock();
        let mut transfers = state.transfers.clone();
        for transfer in &mut transfers {
            transfer.cause = state.causes.get(&(transfer.class, transfer.label.clone())).cloned();
        }
        transfers
    }

    /// Returns the ended stages with their times.
    pub fn marks(&self) -> Vec<(&'static str, Duration)> {
        self.lock().marks.clone()
    }

    /// Returns the time since the start.
    pub fn now(&self) -> Duration {
        self.0.started.elapsed()
    }

    /// Begins the entry of a request that enters the queue now.
    pub(crate) fn begin(&self, request: &Request) -> Entry {
        let now = self.now();
        let transfer = Transfer {
            class: request.class,
            priority: request.priority,
            url: redact_url(&request.url),
            label: request.label.clone(),
            cause: None,
            queued: now,
            sent: None,
            first_byte: None,
            ended: now,
            bytes: 0,
            tries: 0,
            status: None,
            version: None,
        };
        Entry { trace: self.clone(), transfer }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The entry of a request in progress; dropping it records it, however the request ended.
#[derive(Debug)]
pub(crate) struct Entry {
    trace: Trace,
    transfer: Transfer,
}

impl Entry {
    /// Records the start of a try.
    pub(crate) fn sent(&mut self) {
        self.transfer.sent = Some(self.trace.now());
        self.transfer.first_byte = None;
        self.transfer.tries += 1;
    }

    /// Records the head of an answer that is no redirect.
    pub(crate) fn answered(&mut self, version: Version) {
        self.transfer.first_byte = Some(self.trace.now());
        self.transfer.version = Some(version);
    }

    /// Records the complete answer.
    pub(crate) fn completed(&mut self, status: StatusCode, bytes: u64) {
        self.transfer.status = Some(status);
        self.transfer.bytes = bytes;
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.transfer.ended = self.trace.now();
        self.trace.lock().transfers.push(self.transfer.clone());
    }
}

//! A record of every request, to find out what an install waited for.
//!
//! Times are measured from the trace's start. Without a trace nothing is kept and no clock is read.

use crate::request::{Class, Priority, Request};
use crate::text::redact_url;
use reqwest::{StatusCode, Version};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What was asked and when, so far. Clones are the same trace.
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

/// One request, from the queue to its last byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transfer {
    /// Which queue it waited in.
    pub class: Class,
    /// Which place it had there.
    pub priority: Priority,
    /// The address, without user, password and query.
    pub url: String,
    /// What it asked for, in the caller's words.
    pub label: Box<str>,
    /// The label of the metadata request whose answer gave rise to it.
    pub cause: Option<Box<str>>,
    /// When it entered the queue.
    pub queued: Duration,
    /// When its last try was sent, or began to open a connection to be sent on.
    pub sent: Option<Duration>,
    /// When the head of the last try's answer was there.
    pub first_byte: Option<Duration>,
    /// When it was over.
    pub ended: Duration,
    /// The length of the body as sent.
    pub bytes: u64,
    /// How many tries were made.
    pub tries: u32,
    /// The status of the answer; without one it failed, or was cancelled.
    pub status: Option<StatusCode>,
    /// The protocol of the last answer.
    pub version: Option<Version>,
}

impl Trace {
    /// A trace that begins now.
    pub fn start() -> Self {
        Self(Arc::new(Shared { started: Instant::now(), state: Mutex::default() }))
    }

    /// Notes that the answer to the metadata request labelled `cause` gave rise to the request of this class and label. The
    /// first cause counts.
    pub fn because(&self, class: Class, label: &str, cause: &str) {
        self.lock().causes.entry((class, label.into())).or_insert_with(|| cause.into());
    }

    /// Notes that a stage of the command ends now.
    pub fn mark(&self, name: &'static str) {
        let now = self.now();
        self.lock().marks.push((name, now));
    }

    /// The requests that are over, in the order in which they ended.
    pub fn transfers(&self) -> Vec<Transfer> {
        let state = self.lock();
        let mut transfers = state.transfers.clone();
        for transfer in &mut transfers {
            transfer.cause = state.causes.get(&(transfer.class, transfer.label.clone())).cloned();
        }
        transfers
    }

    /// The stages that have ended, and when.
    pub fn marks(&self) -> Vec<(&'static str, Duration)> {
        self.lock().marks.clone()
    }

    /// How long it has been going on.
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

/// The entry of a request under way; it is kept when it is dropped, whichever way the request ended.
#[derive(Debug)]
pub(crate) struct Entry {
    trace: Trace,
    transfer: Transfer,
}

impl Entry {
    /// A try begins.
    pub(crate) fn sent(&mut self) {
        self.transfer.sent = Some(self.trace.now());
        self.transfer.first_byte = None;
        self.transfer.tries += 1;
    }

    /// The head of an answer that is no redirect is there.
    pub(crate) fn answered(&mut self, version: Version) {
        self.transfer.first_byte = Some(self.trace.now());
        self.transfer.version = Some(version);
    }

    /// The answer is complete.
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

//! The faults of a registry, and the requests that they affect.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// One thing that goes wrong with a response.
#[derive(Clone, Debug)]
pub enum Fault {
    /// Answers with this status, these headers and body instead of the real answer.
    Status {
        /// The HTTP status code.
        code: u16,
        /// Further headers, such as `retry-after`.
        headers: Vec<(String, String)>,
        /// The body.
        body: Vec<u8>,
    },
    /// Answers 200 with this body instead of the real one.
    Body(Vec<u8>),
    /// Reads the request and never answers; the connection stays open until the registry is
    /// dropped.
    Stall,
    /// Sends the head and half of the body, then nothing; the connection stays open.
    StallBody,
    /// Closes the connection without an answer.
    Drop,
    /// Announces the whole body, sends half of it and closes the connection.
    Truncate,
    /// Flips one bit in the middle of the body and keeps its length.
    WrongBytes,
    /// Answers a request for an abbreviated packument with the full one, as some mirrors do.
    FullPackument,
    /// Redirects (302) to the same path below this base URL.
    Redirect(String),
    /// Waits this long before the real answer.
    Delay(Duration),
}

impl Fault {
    /// An error status with a JSON body such as npm's registry sends.
    pub fn status(code: u16) -> Fault {
        let body = format!("{{\"error\":\"{}\"}}", crate::http::reason(code));
        Fault::Status { code, headers: Vec::new(), body: body.into_bytes() }
    }

    /// Adds a header to a [`Fault::Status`].
    pub fn header(mut self, name: &str, value: &str) -> Fault {
        match &mut self {
            Fault::Status { headers, .. } => headers.push((name.to_owned(), value.to_owned())),
            other => panic!("{other:?} has no headers"),
        }
        self
    }

    /// A packument that ends in the middle of its JSON.
    pub fn bad_json() -> Fault {
        Fault::Body(b"{\"name\":\"a\",\"versions\":{".to_vec())
    }
}

/// Limits a fault to some of the requests it matches and tells how often it struck.
#[derive(Clone, Debug)]
pub struct FaultHandle {
    pub(crate) rule: Arc<Rule>,
}

impl FaultHandle {
    /// Strikes the first `count` matching requests only.
    pub fn times(self, count: usize) -> FaultHandle {
        self.rule.remaining.store(count, Ordering::SeqCst);
        self
    }

    /// Strikes every `n`th matching request only (the `n`th, the `2n`th, …).
    pub fn every(self, n: usize) -> FaultHandle {
        assert!(n > 0, "every 0th request is none");
        self.rule.every.store(n, Ordering::SeqCst);
        self
    }

    /// Returns the number of requests it has struck.
    pub fn hits(&self) -> usize {
        self.rule.hits.load(Ordering::SeqCst)
    }

    /// Strikes no more.
    pub fn clear(&self) {
        self.rule.remaining.store(0, Ordering::SeqCst);
    }
}

/// A fault with the requests it strikes.
#[derive(Debug)]
pub(crate) struct Rule {
    pattern: String,
    pub(crate) fault: Fault,
    remaining: AtomicUsize,
    every: AtomicUsize,
    matched: AtomicUsize,
    hits: AtomicUsize,
}

impl Rule {
    pub(crate) fn new(pattern: &str, fault: Fault) -> Rule {
        Rule {
            pattern: pattern.to_owned(),
            fault,
            remaining: AtomicUsize::new(usize::MAX),
            every: AtomicUsize::new(1),
            matched: AtomicUsize::new(0),
            hits: AtomicUsize::new(0),
        }
    }

    /// Returns whether this request is struck; counts it.
    pub(crate) fn strikes(&self, path: &str) -> bool {
        if !matches(&self.pattern, path) {
            return false;
        }
        let count = self.matched.fetch_add(1, Ordering::SeqCst) + 1;
        if !count.is_multiple_of(self.every.load(Ordering::SeqCst)) {
            return false;
        }
        let left =
            self.remaining.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1));
        if left.is_err() {
            return false;
        }
        self.hits.fetch_add(1, Ordering::SeqCst);
        true
    }
}

/// Returns whether a path matches a pattern in which `*` stands for any run of characters, `/`
/// included.
fn matches(pattern: &str, path: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == path,
        Some((head, rest)) => path.strip_prefix(head).is_some_and(|tail| {
            tail.char_indices()
                .map(|(at, _)| at)
                .chain([tail.len()])
                .any(|at| matches(rest, &tail[at..]))
        }),
    }
}

#[cfg(test)]
mod tests;

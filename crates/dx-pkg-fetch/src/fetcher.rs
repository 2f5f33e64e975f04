//! The fetcher: queueing, tries and retries of a request.

use crate::budget::Budget;
use crate::clients::Clients;
use crate::config::{Concurrency, FetchConfig};
use crate::cooldown::Cooldown;
use crate::error::{FetchCause, FetchError};
use crate::opening::{Opening, Secure};
use crate::priority::Priority;
use crate::queue::{Queue, Rank, Slot};
use crate::request::{Class, Credentials, Request, Response};
use crate::resume::Partial;
use crate::statistics::{Counters, Outcome, Statistics, Tally};
use crate::stream::upgrade::{IsWanted, Upgrade};
use crate::trace::{Entry, Trace};
use crate::transfer;
use reqwest::StatusCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use url::Url;

/// An HTTP client with queues and retries. Clones share connections, queues and counters. Needs a
/// tokio runtime with time and I/O.
#[derive(Clone)]
pub struct Fetcher(Arc<Shared>);

struct Shared {
    config: FetchConfig,
    clients: Clients,
    metadata: Queue,
    tarballs: Queue,
    cooldown: Cooldown,
    counters: Arc<Counters>,
    budget: Arc<Budget>,
    secure: Secure,
}

impl Fetcher {
    /// Creates a fetcher. Nothing is opened, loaded or checked before the first request.
    pub fn new(config: FetchConfig) -> Self {
        let limits = config.concurrency;
        Self(Arc::new(Shared {
            clients: Clients::new(config.clone()),
            metadata: Queue::new(limits.metadata, limits.per_host),
            tarballs: Queue::new(limits.tarballs, limits.per_host),
            cooldown: Cooldown::default(),
            counters: Arc::default(),
            budget: Budget::new(config.limits.collected_together),
            secure: Secure::default(),
            config,
        }))
    }

    /// Sends `request` when its turn comes, and retries transient failures.
    ///
    /// Dropping the future removes the request from the queue or ends its transfer. The response
    /// occupies its slot until its [`Response::slot`] is dropped.
    ///
    /// # Errors
    ///
    /// [`FetchError`] with the cause of the last try.
    pub async fn get(&self, request: Request) -> Result<Response, FetchError> {
        let tally = Tally::start(&self.0.counters);
        let mut entry = self.0.config.trace.as_ref().map(|trace| trace.begin(&request));
        let result = self.0.try_repeatedly(&request, &mut entry).await;
        if let (Some(entry), Ok(response)) = (&mut entry, &result) {
            entry.completed(response.status, response.length);
        }
        tally.finish(match &result {
            Ok(response) if response.status == StatusCode::NOT_MODIFIED => Outcome::NotModified,
            Ok(_) => Outcome::Completed,
            Err(_) => Outcome::Failed,
        });
        result
    }

    /// Opens a connection to the server of `url`, TLS included, for a later request; sends nothing.
    ///
    /// Simultaneous calls open further connections. Errors are ignored: the later request reports
    /// them.
    pub async fn warm(&self, url: &Url) {
        if !self.0.config.offline {
            self.0.clients.open(url, self.0.config.timeouts.connect).await;
        }
    }

    /// Returns whether [`Self::upgrade`] can be tried: without a proxy or a local address.
    pub fn can_upgrade(&self, url: &Url) -> bool {
        let config = &self.0.config;
        let has_proxy = config.proxy.as_ref().is_some_and(|choose| choose(url).is_some());
        matches!(url.scheme(), "http" | "https") && !has_proxy && config.local_address.is_none()
    }

    /// Opens a connection of its own to the server of `url` and requests `protocol` for it. It
    /// blocks, and fails once `is_wanted` does not hold any more.
    ///
    /// # Errors
    /// There is no connection, or no answer.
    pub fn upgrade(
        &self,
        url: &Url,
        protocol: &str,
        credentials: Option<&Credentials>,
        is_wanted: IsWanted,
    ) -> Result<Upgrade, FetchError> {
        let Shared { config, counters, secure, .. } = &*self.0;
        let opening = Opening { config, counters, secure };
        opening.upgrade(url, protocol, credentials, is_wanted)
    }

    /// Returns the total time that requests of this class and priority have spent in the queue.
    pub fn waited(&self, class: Class, priority: Priority) -> Duration {
        self.0.counters.waited(class, priority)
    }

    /// Counts an answer that came from a cache.
    pub fn count_cached(&self) {
        self.0.counters.count_cached();
    }

    /// Returns the trace that requests are recorded in, if any.
    pub fn trace(&self) -> Option<&Trace> {
        self.0.config.trace.as_ref()
    }

    /// Returns the time after which one try of a request ends.
    pub fn total_timeout(&self) -> Duration {
        self.0.config.timeouts.total
    }

    /// Returns the limits on simultaneous transfers.
    pub fn concurrency(&self) -> Concurrency {
        self.0.config.concurrency
    }

    /// Returns the counters so far.
    pub fn statistics(&self) -> Statistics {
        self.0.counters.snapshot()
    }
}

impl Shared {
    async fn try_repeatedly(
        &self,
        request: &Request,
        entry: &mut Option<Entry>,
    ) -> Result<Response, FetchError> {
        if self.config.offline {
            return Err(FetchError::new(&request.url, 0, FetchCause::Offline));
        }
        let queue = match request.class {
            Class::Metadata => &self.metadata,
            Class::Tarball => &self.tarballs,
        };
        let host = host_of(&request.url);
        let rank = queue.rank(request.priority, request.estimate);
        let mut tries = 1;
        let mut partial = request
            .beginning
            .clone()
            .map(|(length, tag)| Partial::of_length(request.url.clone(), tag, length));
        loop {
            let mut slot = self.wait_for_turn(queue, &host, rank, request).await;
            // Boxed, so that the many queued requests stay small.
            let run = transfer::run(
                &self.clients,
                &self.config,
                (&self.counters, &self.budget),
                request,
                &mut partial,
                entry,
            );
            let cause = match Box::pin(run).await {
                Ok(transfer::Answer { status, headers, url, body }) => {
                    let (length, is_streamed) = (body.len(), body.is_streamed());
                    let (body, verdict, lease) = body.finish().await;
                    slot.lease = lease;
                    return Ok(Response {
                        status,
                        headers,
                        url,
                        body,
                        length,
                        is_streamed,
                        verdict,
                        slot,
                    });
                }
                Err(cause) => cause,
            };
            // Other requests may use the slot during the delay.
            drop(slot);
            if tries >= self.config.retry.tries || !request.is_repeatable() || !cause.is_transient()
            {
                return Err(FetchError::new(&request.url, tries, cause));
            }
            let asked = match &cause {
                FetchCause::Status { retry_after, .. } => *retry_after,
                _ => None,
            };
            let delay = self.config.retry.delay(tries, asked);
            if asked.is_some() {
                self.cooldown.hold(&host, delay);
            }
            self.counters.count_retry();
            tokio::time::sleep(delay).await;
            tries += 1;
        }
    }

    async fn wait_for_turn(
        &self,
        queue: &Queue,
        host: &Arc<str>,
        rank: Rank,
        request: &Request,
    ) -> Slot {
        loop {
            self.cooldown.wait(host).await;
            let since = Instant::now();
            let slot = queue.acquire(host, rank).await;
            self.counters.count_wait(request.class, request.priority, since.elapsed());
            // A host that has started a pause meanwhile does not hold a slot that others could use.
            if !self.cooldown.holds(host) {
                return slot;
            }
        }
    }
}

/// Returns the host and port that limits and pauses apply to.
fn host_of(url: &Url) -> Arc<str> {
    let host = url.host_str().unwrap_or_default();
    match url.port_or_known_default() {
        Some(port) => format!("{host}:{port}").into(),
        None => host.into(),
    }
}

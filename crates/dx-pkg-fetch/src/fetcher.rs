//! The fetcher: a turn in the queue, a try, and perhaps another.

use crate::clients::Clients;
use crate::config::{Concurrency, FetchConfig};
use crate::cooldown::Cooldown;
use crate::error::{FetchCause, FetchError};
use crate::queue::{Queue, Rank, Slot};
use crate::request::{Class, Priority, Request, Response};
use crate::statistics::{Counters, Outcome, Statistics, Tally};
use crate::trace::{Entry, Trace};
use crate::transfer;
use reqwest::StatusCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use url::Url;

/// Fetches over HTTP. Clones share connections, queues and counters. Needs a tokio runtime with time and I/O.
#[derive(Clone)]
pub struct Fetcher(Arc<Shared>);

struct Shared {
    config: FetchConfig,
    clients: Clients,
    metadata: Queue,
    tarballs: Queue,
    cooldown: Cooldown,
    counters: Counters,
}

impl Fetcher {
    /// A fetcher. Nothing is opened, loaded or checked before the first request.
    pub fn new(config: FetchConfig) -> Self {
        let limits = config.concurrency;
        Self(Arc::new(Shared {
            clients: Clients::new(config.clone()),
            metadata: Queue::new(limits.metadata, limits.per_host),
            tarballs: Queue::new(limits.tarballs, limits.per_host),
            cooldown: Cooldown::default(),
            counters: Counters::default(),
            config,
        }))
    }

    /// Fetches `request` when its turn comes, trying again where that may help.
    ///
    /// Dropping the future takes the request out of the queue or ends its transfer. The response holds its place in
    /// the queue until its [`Response::slot`] is dropped.
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

    /// Opens a connection to the server of `url`, TLS included, for a request to come; nothing is asked.
    ///
    /// Further calls at the same time open further connections. What goes wrong is left for that request to tell.
    pub async fn warm(&self, url: &Url) {
        if !self.0.config.offline {
            self.0.clients.open(url, self.0.config.timeouts.connect).await;
        }
    }

    /// How long requests of this class and priority have waited for their turn, all together.
    pub fn waited(&self, class: Class, priority: Priority) -> Duration {
        self.0.counters.waited(class, priority)
    }

    /// Notes an answer that a cache gave, so that the statistics tell of it.
    pub fn count_cached(&self) {
        self.0.counters.count_cached();
    }

    /// Where requests are recorded, if anywhere.
    pub fn trace(&self) -> Option<&Trace> {
        self.0.config.trace.as_ref()
    }

    /// How many transfers may run at once.
    pub fn concurrency(&self) -> Concurrency {
        self.0.config.concurrency
    }

    /// What has been done so far.
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
        let mut partial = None;
        loop {
            let slot = self.wait_for_turn(queue, &host, rank, request).await;
            // Boxed, so that the many requests which still wait are small.
            let run = transfer::run(
                &self.clients,
                &self.config,
                &self.counters,
                request,
                &mut partial,
                entry,
            );
            let cause = match Box::pin(run).await {
                Ok(transfer::Answer { status, headers, url, body }) => {
                    let (length, is_streamed) = (body.len(), body.is_streamed());
                    let (body, verdict) = body.finish().await;
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
            // Others may use the slot while this one waits.
            drop(slot);
            if tries >= self.config.retry.tries || !cause.is_transient() {
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
            // A host that has asked for a pause meanwhile does not keep the slot from others.
            if !self.cooldown.holds(host) {
                return slot;
            }
        }
    }
}

/// The host and port that limits and pauses apply to.
fn host_of(url: &Url) -> Arc<str> {
    let host = url.host_str().unwrap_or_default();
    match url.port_or_known_default() {
        Some(port) => format!("{host}:{port}").into(),
        None => host.into(),
    }
}

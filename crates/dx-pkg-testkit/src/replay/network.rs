//! The network that lies between the clients and the server: round trips and a bandwidth shared by
//! all.

use hyper::body::{Body, Bytes, Frame, SizeHint};
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::{Instant, Sleep};

/// The bytes of a body that are sent at once where the bandwidth is limited.
const CHUNK: usize = 32 << 10;
/// The time by which chunks may be sent ahead of the line: above the resolution of the timer, which
/// is 1 ms, so that no bandwidth is lost to waking up late.
const BURST: Duration = Duration::from_millis(2);

/// Round-trip time and bandwidth; the default is a network that takes no time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Network {
    /// The time from a client's question to the first byte of the answer, apart from the server's
    /// work.
    pub round_trip: Duration,
    /// The bits per second that all connections share; `None` for no limit.
    pub bits_per_second: Option<u64>,
}

/// The network in use, and until when it is taken.
#[derive(Debug)]
pub(super) struct Line {
    state: Mutex<(Network, Instant)>,
}

impl Line {
    pub(super) fn new(network: Network) -> Line {
        Line { state: Mutex::new((network, Instant::now())) }
    }

    pub(super) fn change(&self, network: Network) {
        *self.state.lock().unwrap() = (network, Instant::now());
    }

    /// Waits for round trips to go by.
    pub(super) async fn round_trips(&self, count: u32) {
        let wait = self.state.lock().unwrap().0.round_trip * count;
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
    }

    fn limited(&self) -> bool {
        self.state.lock().unwrap().0.bits_per_second.is_some()
    }

    /// Takes the line for as long as the bytes need; returns the moment from which they may be
    /// sent, if it is to come.
    fn reserve(&self, bytes: usize, now: Instant) -> Option<Instant> {
        let mut state = self.state.lock().unwrap();
        let (network, free_at) = &mut *state;
        let bits_per_second = network.bits_per_second?;
        let takes = Duration::from_secs_f64(bytes as f64 * 8.0 / bits_per_second as f64);
        *free_at = (*free_at).max(now) + takes;
        let from = *free_at - BURST.min(free_at.duration_since(now));
        (from > now).then_some(from)
    }
}

/// A body that is sent as fast as the line allows.
pub(super) struct Paced {
    rest: Bytes,
    line: Arc<Line>,
    waiting: Option<Pin<Box<Sleep>>>,
}

impl Paced {
    pub(super) fn new(body: Bytes, line: Arc<Line>) -> Paced {
        Paced { rest: body, line, waiting: None }
    }
}

impl Body for Paced {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.rest.is_empty() {
            return Poll::Ready(None);
        }
        let chunk = if self.line.limited() { self.rest.len().min(CHUNK) } else { self.rest.len() };
        if self.waiting.is_none()
            && let Some(from) = self.line.reserve(chunk, Instant::now())
        {
            self.waiting = Some(Box::pin(tokio::time::sleep_until(from)));
        }
        if let Some(waiting) = &mut self.waiting {
            ready!(waiting.as_mut().poll(context));
            self.waiting = None;
        }
        let bytes = self.rest.split_to(chunk);
        Poll::Ready(Some(Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.rest.len() as u64)
    }
}

#[cfg(test)]
mod tests;

//! Connections that leave HTTP for another protocol, by `Upgrade`.
//!
//! They are blocking and for threads of their own: what reads one also does the work on what it
//! has read, so that no other thread hands the bytes over.

use crate::error::{FetchCause, Phase};
use crate::stream::wire::Wire;
use reqwest::StatusCode;
use std::io::{self, ErrorKind, Read, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The longest head of an answer, in bytes.
const MOST_HEAD: usize = 16 << 10;
/// The time after which a waiting read looks whether it is still wanted.
pub(crate) const LOOK: Duration = Duration::from_millis(100);
/// The least number of bytes that must arrive within the idle timeout.
const LEAST_ARRIVING: usize = 1024;

/// Returns whether the connection is still wanted.
pub type IsWanted = Arc<dyn Fn() -> bool + Send + Sync>;

/// Called with the number of bytes that have arrived.
pub(crate) type Count = Arc<dyn Fn(usize) + Send + Sync>;

/// The answer to a request for another protocol.
pub enum Upgrade {
    /// The connection speaks it from now on.
    Switched(Connection),
    /// The server stays with HTTP.
    Stayed(StatusCode),
}

/// A connection that speaks another protocol than HTTP. Reads and writes block.
pub struct Connection {
    stream: Wire,
    /// What has arrived with the head of the answer, and how much of it was read.
    early: (Vec<u8>, usize),
    /// Counts bytes received.
    count: Count,
    idle: Duration,
    is_wanted: IsWanted,
    /// The bytes that have arrived since then, fewer than [`LEAST_ARRIVING`].
    lately: usize,
    since: Instant,
}

impl Connection {
    /// Returns a connection that fails once nothing arrives for `idle`.
    pub(crate) fn new(
        stream: Wire,
        idle: Duration,
        count: Count,
        is_wanted: IsWanted,
    ) -> io::Result<Self> {
        stream.socket().set_write_timeout(Some(idle))?;
        let (early, since) = ((Vec::new(), 0), Instant::now());
        Ok(Self { stream, early, count, idle, is_wanted, lately: 0, since })
    }

    /// Reads the head of the answer; what follows it stays to be read.
    pub(crate) fn read_head(&mut self) -> Result<StatusCode, FetchCause> {
        let limit = self.idle;
        let broken = |error: io::Error| match error.kind() {
            ErrorKind::TimedOut => FetchCause::Timeout { phase: Phase::Idle, limit },
            _ => FetchCause::Connect { reason: error.to_string() },
        };
        let mut head = Vec::new();
        let mut buffer = [0; 4096];
        loop {
            let read = self.read(&mut buffer).map_err(broken)?;
            if read == 0 || head.len() > MOST_HEAD {
                let reason = "the answer to a request for another protocol has no end";
                return Err(FetchCause::Connect { reason: reason.to_owned() });
            }
            head.extend_from_slice(buffer.get(..read).unwrap_or_default());
            if let Some(end) = head.windows(4).position(|four| four == b"\r\n\r\n") {
                self.early = (head.split_off(end + 4), 0);
                break;
            }
        }
        let line = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
        let mut words = line.split(|byte| *byte == b' ');
        let is_http = words.next().is_some_and(|word| word.starts_with(b"HTTP/1."));
        let status = words.next().and_then(|word| StatusCode::from_bytes(word).ok());
        status.filter(|_| is_http).ok_or_else(|| FetchCause::Connect {
            reason: "the answer to a request for another protocol is not HTTP".to_owned(),
        })
    }

    /// Notes that bytes arrived; fails if too few do.
    fn arrived(&mut self, bytes: usize) -> io::Result<()> {
        (self.count)(bytes);
        self.lately += bytes;
        if self.lately >= LEAST_ARRIVING {
            (self.since, self.lately) = (Instant::now(), 0);
        } else if self.since.elapsed() > self.idle {
            return Err(ErrorKind::TimedOut.into());
        }
        Ok(())
    }
}

impl Read for Connection {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let (early, at) = &mut self.early;
        if let Some(rest) = early.get(*at..).filter(|rest| !rest.is_empty()) {
            let length = rest.len().min(buffer.len());
            let places = buffer.iter_mut().zip(rest);
            places.for_each(|(place, byte)| *place = *byte);
            *at += length;
            return Ok(length);
        }
        let began = Instant::now();
        if self.lately == 0 {
            self.since = began;
        }
        loop {
            match self.stream.read(buffer) {
                Ok(0) => return Ok(0),
                Ok(read) => {
                    self.arrived(read)?;
                    return Ok(read);
                }
                Err(error)
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) =>
                {
                    if !(self.is_wanted)() {
                        return Err(ErrorKind::ConnectionAborted.into());
                    }
                    if began.elapsed() > self.idle {
                        return Err(ErrorKind::TimedOut.into());
                    }
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

impl Write for Connection {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

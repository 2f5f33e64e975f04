//! A relay for TCP that imitates a network: bytes arrive later, and no faster than the network
//! carries them, whatever protocol they are of.
//!
//! A connection costs one round trip before its first byte; all connections share the bandwidth,
//! each direction by itself. Slow start and losses are not imitated.

use dx_pkg_testkit::replay::Network;
use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The most bytes that are read at once.
const PIECE: usize = 64 << 10;
/// The most bytes of one direction of a connection that are on their way.
const IN_FLIGHT: usize = 8 << 20;

/// A relay, until its process ends.
pub(crate) struct Relay {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    network: Mutex<Network>,
    up: Direction,
    down: Direction,
    connections: AtomicU64,
}

/// One direction of all connections.
#[derive(Default)]
struct Direction {
    bytes: AtomicU64,
    /// When the network has carried what was given to it.
    free: Mutex<Option<Instant>>,
}

/// What is on its way in one direction of a connection.
#[derive(Default)]
struct Way {
    state: Mutex<WayState>,
    changed: Condvar,
}

#[derive(Default)]
struct WayState {
    pieces: VecDeque<(Instant, Vec<u8>)>,
    bytes: usize,
    has_ended: bool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Relay {
    /// Starts a relay to `to` on a free port of this machine.
    pub(crate) fn start(to: SocketAddr) -> Result<Relay, String> {
        let failed = |error: std::io::Error| format!("start the relay: {error}");
        let listener = TcpListener::bind(("127.0.0.1", 0)).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let shared = Arc::new(Shared::default());
        let accepting = shared.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                accepting.connections.fetch_add(1, Ordering::Relaxed);
                // One that cannot be carried is closed.
                let _ = carry(&accepting, stream, to);
            }
        });
        Ok(Relay { address, shared })
    }

    /// Returns the address that clients connect to.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Changes the network.
    pub(crate) fn set_network(&self, network: Network) {
        *lock(&self.shared.network) = network;
    }

    /// Returns how many connections there were, and how many bytes came from clients and went to
    /// them.
    pub(crate) fn counts(&self) -> (u64, u64, u64) {
        let count = |number: &AtomicU64| number.load(Ordering::Relaxed);
        let Shared { connections, up, down, .. } = &*self.shared;
        (count(connections), count(&up.bytes), count(&down.bytes))
    }
}

/// Starts to carry a connection.
fn carry(shared: &Arc<Shared>, client: TcpStream, to: SocketAddr) -> std::io::Result<()> {
    let server = TcpStream::connect(to)?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let handshake = Instant::now() + lock(&shared.network).round_trip;
    let (from_client, from_server) = (client.try_clone()?, server.try_clone()?);
    start(shared, |shared| &shared.up, handshake, from_client, server);
    start(shared, |shared| &shared.down, handshake, from_server, client);
    Ok(())
}

fn start(
    shared: &Arc<Shared>,
    direction: fn(&Shared) -> &Direction,
    earliest: Instant,
    mut from: TcpStream,
    to: TcpStream,
) {
    let way = Arc::new(Way::default());
    let (delivering, shared) = (way.clone(), shared.clone());
    std::thread::spawn(move || deliver(&delivering, to));
    std::thread::spawn(move || {
        let mut buffer = vec![0; PIECE];
        while let Ok(read @ 1..) = from.read(&mut buffer) {
            let direction = direction(&shared);
            direction.bytes.fetch_add(read as u64, Ordering::Relaxed);
            let network = *lock(&shared.network);
            let due = direction.due(read, network, earliest);
            if !way.put(due, &buffer[..read]) {
                break;
            }
        }
        way.end();
    });
}

impl Direction {
    /// Returns when so many bytes arrive.
    fn due(&self, bytes: usize, network: Network, earliest: Instant) -> Instant {
        let begin = Instant::now().max(earliest);
        let sent = match network.bits_per_second {
            None => begin,
            Some(rate) => {
                let mut free = lock(&self.free);
                let took = Duration::from_secs_f64(bytes as f64 * 8.0 / rate as f64);
                let sent = free.map_or(begin, |free| free.max(begin)) + took;
                *free = Some(sent);
                sent
            }
        };
        sent + network.round_trip / 2
    }
}

impl Way {
    /// Sends a piece on its way, once there is room; returns whether anybody receives it.
    fn put(&self, due: Instant, bytes: &[u8]) -> bool {
        let mut state = lock(&self.state);
        while state.bytes > IN_FLIGHT && !state.has_ended {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.bytes += bytes.len();
        state.pieces.push_back((due, bytes.to_vec()));
        self.changed.notify_all();
        !state.has_ended
    }

    fn end(&self) {
        lock(&self.state).has_ended = true;
        self.changed.notify_all();
    }

    /// Takes the next piece when it is due; `None` after the last.
    fn take(&self) -> Option<Vec<u8>> {
        let mut state = lock(&self.state);
        let (due, bytes) = loop {
            if let Some(piece) = state.pieces.pop_front() {
                break piece;
            }
            if state.has_ended {
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        };
        state.bytes -= bytes.len();
        self.changed.notify_all();
        drop(state);
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        Some(bytes)
    }
}

fn deliver(way: &Way, mut to: TcpStream) {
    while let Some(bytes) = way.take() {
        if to.write_all(&bytes).is_err() {
            way.end();
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server that sends back what it receives.
    fn echo() -> SocketAddr {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                std::thread::spawn(move || {
                    let mut reader = stream.try_clone().unwrap();
                    let _ = std::io::copy(&mut reader, &mut stream);
                    let _ = stream.shutdown(Shutdown::Write);
                });
            }
        });
        address
    }

    fn exchange(relay: &Relay, bytes: &[u8]) -> Duration {
        let started = Instant::now();
        let mut stream = TcpStream::connect(relay.address()).unwrap();
        let mut writer = stream.try_clone().unwrap();
        let (sent, mut received) = (bytes.to_vec(), Vec::new());
        let sending = std::thread::spawn(move || {
            writer.write_all(&sent).unwrap();
            writer.shutdown(Shutdown::Write).unwrap();
        });
        stream.read_to_end(&mut received).unwrap();
        sending.join().unwrap();
        assert!(received == bytes);
        started.elapsed()
    }

    #[test]
    fn bytes_arrive_whole_and_are_counted() {
        let relay = Relay::start(echo()).unwrap();
        let bytes: Vec<u8> = (0..3_000_000_u32).map(|number| number as u8).collect();
        exchange(&relay, &bytes);
        assert_eq!(relay.counts(), (1, 3_000_000, 3_000_000));
    }

    #[test]
    fn a_network_delays_and_limits() {
        let relay = Relay::start(echo()).unwrap();
        let round_trip = Duration::from_millis(40);
        relay.set_network(Network { round_trip, bits_per_second: Some(8_000_000) });
        // The handshake and the exchange, and 100 ms for 100 kB there, of which the way back takes
        // as long for the last piece alone.
        let took = exchange(&relay, &vec![1; 100_000]);
        assert!(took >= round_trip * 2 + Duration::from_millis(100), "{took:?}");
    }
}

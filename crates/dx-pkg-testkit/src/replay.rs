//! A recorded npm registry for benchmarks: it keeps what another registry answered, and answers the
//! same again over a network of a set round-trip time and bandwidth.
//!
//! Everything is answered from memory by one thread, so that little of a small machine goes to the
//! server:
//!
//! - a new connection waits one round trip before it is read from, and one more before a TLS
//!   handshake;
//! - each request waits one round trip before its answer begins;
//! - the bodies of all connections share one bandwidth, in the order in which they are ready to be
//!   sent.
//!
//! TCP's slow start and loss of packets are not imitated.

mod abbreviate;
mod counts;
mod network;
mod recording;
mod server;
mod tls;
mod upstream;
mod wire;

pub use counts::Counts;
pub use network::Network;
pub use server::{Replay, ReplayOptions};

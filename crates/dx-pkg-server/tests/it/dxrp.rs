//! dx's own protocol, over both of its carriers.

mod client;
mod deltas;
mod hostile;
mod packages;
mod plans;

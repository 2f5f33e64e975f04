//! The networks that are imitated.

use dx_pkg_testkit::replay::Network;
use std::time::Duration;

/// The networks by name, with what they are called in full.
const NETWORKS: [(&str, &str, u64, Option<u64>); 3] = [
    ("none", "no delay", 0, None),
    ("20ms", "20 ms, 1 Gbit/s", 20, Some(1_000_000_000)),
    ("50ms", "50 ms, 200 Mbit/s", 50, Some(200_000_000)),
];

/// All names.
pub(crate) const ALL: &str = "none,20ms,50ms";

/// The network of this name.
pub(crate) fn find(name: &str) -> Result<Network, String> {
    let found = NETWORKS.iter().find(|(known, ..)| *known == name);
    let (_, _, milliseconds, bits_per_second) =
        found.ok_or_else(|| format!("no network {name}: {ALL}"))?;
    Ok(Network {
        round_trip: Duration::from_millis(*milliseconds),
        bits_per_second: *bits_per_second,
    })
}

/// The round-trip time and bandwidth of the network of this name, in words.
pub(crate) fn describe(name: &str) -> &str {
    NETWORKS.iter().find(|(known, ..)| *known == name).map_or(name, |(_, words, ..)| words)
}

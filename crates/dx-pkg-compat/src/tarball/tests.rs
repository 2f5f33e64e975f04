//! Behaviour of the tarball reader: npm's rules, hostile archives, every tar format, random input.

mod archive;
mod containers;
mod formats;
mod hostile;
mod limits;
mod properties;
mod rules;
mod streamed;

use super::{Limits, NameRules, TarballError, Unpacked, unpack};

/// Unpacks with the limits of a case-sensitive Unix, whatever the tests run on; and as it arrives,
/// which must never give other files.
fn unpack_on_unix(tgz: &[u8]) -> Result<Unpacked, TarballError> {
    let unpacked = unpack(tgz, &unix());
    streamed::check(tgz, &unix(), unpacked.as_ref());
    unpacked
}

fn unix() -> Limits {
    Limits { names: NameRules::Unix, refuse_folded_collisions: false, ..Limits::default() }
}

fn paths(unpacked: &Unpacked) -> Vec<&str> {
    unpacked.entries().iter().map(|entry| entry.path).collect()
}

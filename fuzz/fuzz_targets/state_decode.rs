//! Any bytes as the state of a tree: refused, or read so that it is written again the same, also
//! when the seal is right.

use dx_pkg_install::state::{Seal, State};
use dx_pkg_store::StoreKey;

/// The length of the seal, which is the end of the file.
const SEAL: usize = 32;

pub(crate) fn run(data: &[u8]) {
    let seal = Seal::of_key(StoreKey::from_bytes([7; 32]));
    check(data, seal);
    let mut repaired = data[..data.len().saturating_sub(SEAL)].to_vec();
    seal.seal_state(&mut repaired);
    check(&repaired, seal);
}

fn check(data: &[u8], seal: Seal) {
    if let Some(state) = State::decode(data, seal) {
        assert_eq!(State::decode(&state.encode(seal), seal), Some(state));
    }
}

//! Any bytes as the state of a tree: refused, or read so that it is written again the same, also
//! when the checksum is right.

use dx_pkg_install::state::State;

/// The length of the checksum, which is the end of the file.
const CHECKSUM: usize = 16;

pub(crate) fn run(data: &[u8]) {
    check(data);
    let mut repaired = data[..data.len().saturating_sub(CHECKSUM)].to_vec();
    let checksum = blake3::hash(&repaired);
    repaired.extend(&checksum.as_bytes()[..CHECKSUM]);
    check(&repaired);
}

fn check(data: &[u8]) {
    if let Some(state) = State::decode(data) {
        assert_eq!(State::decode(&state.encode()), Some(state));
    }
}

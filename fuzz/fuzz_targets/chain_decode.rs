//! Any bytes as a chain: refused, or read and followed without a panic, also when the checksum is
//! right.

use dx_pkg_format::chain::{Chain, StateId};
use dx_pkg_format::wire;

pub(crate) fn run(data: &[u8]) {
    decode(data);
    let mut repaired = data.to_vec();
    if let Some(checksum) = data.get(16..).map(wire::checksum) {
        repaired[8..16].copy_from_slice(&checksum.to_le_bytes());
        decode(&repaired);
    }
}

fn decode(data: &[u8]) {
    let Ok(chain) = Chain::decode(data) else {
        return;
    };
    let _ = (chain.trained_ms(), chain.resolutions(), chain.is_empty());
    for id in chain.ids() {
        let state = chain.state(id);
        assert_eq!(chain.find(state.name, state.major), Some(id));
        assert!(chain.majors(state.name).contains(&id.0));
        let steps = chain.steps(id);
        assert_eq!(steps.len(), steps.count());
        for (to, _) in chain.steps(id) {
            assert!((to.0 as usize) < chain.len());
        }
    }
    let _ =
        (chain.find("", 0), chain.state(StateId(u32::MAX)), chain.steps(StateId(u32::MAX)).count());
}

//! Chains: encoded states and steps are found, and other bytes are refused.

use dx_pkg_format::FormatError;
use dx_pkg_format::chain::{Chain, ChainData, StateData, Step};
use dx_pkg_format::wire;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

fn data() -> ChainData<'static> {
    let state = |name, major, steps: &[(usize, u8)]| StateData {
        name,
        major,
        seen: 7,
        observations: 3,
        steps: steps
            .iter()
            .map(|(to, likelihood)| Step { to: *to, likelihood: *likelihood })
            .collect(),
    };
    let states = vec![
        state("b", 1, &[]),
        state("a", 2, &[(3, 255), (0, 100)]),
        state("a", 1, &[(0, 255)]),
        state("c", 0, &[(1, 1)]),
    ];
    ChainData { trained_ms: 1_700_000_000_000, resolutions: 9, states }
}

#[test]
fn every_major_of_a_package_is_found_with_its_steps() {
    let bytes = data().encode().unwrap();
    let chain = Chain::decode(&bytes).unwrap();
    assert_eq!((chain.len(), chain.resolutions(), chain.trained_ms()), (4, 9, 1_700_000_000_000));
    let steps = |name: &str, major| {
        let steps = chain.steps(chain.find(name, major).unwrap());
        steps.map(|(to, likelihood)| (chain.state(to).name, likelihood)).collect::<Vec<_>>()
    };
    assert_eq!(steps("a", 1), [("b", 255)]);
    assert_eq!(steps("a", 2), [("b", 100), ("c", 255)]);
    assert_eq!(steps("b", 1), []);
    assert_eq!(steps("c", 0), [("a", 1)]);
    assert_eq!(chain.majors("a").len(), 2);
    for (name, major) in [("a", 0), ("a", 3), ("", 0), ("bb", 1), ("d", 1)] {
        assert_eq!(chain.find(name, major), None, "{name}@{major}");
    }
    assert!(chain.majors("aa").is_empty() && chain.majors("d").is_empty());
}

#[test]
fn a_state_given_twice_is_refused() {
    let mut data = data();
    data.states[0].name = "a";
    assert!(matches!(data.encode(), Err(FormatError::Corrupt { .. })));
}

#[test]
fn another_signature_version_or_length_is_refused() {
    let bytes = data().encode().unwrap();
    let with = |at: usize, byte: u8| {
        let mut bytes = bytes.clone();
        bytes[at] = byte;
        bytes
    };
    assert!(matches!(Chain::decode(&with(3, 1)), Err(FormatError::Signature { .. })));
    assert!(matches!(Chain::decode(&with(4, 2)), Err(FormatError::Version { found: 2, .. })));
    assert!(matches!(Chain::decode(&with(80, 9)), Err(FormatError::Checksum { .. })));
    assert!(matches!(Chain::decode(&bytes[..bytes.len() - 1]), Err(FormatError::Truncated { .. })));
    assert!(Chain::decode(&[bytes.as_slice(), &[0]].concat()).is_err());
}

/// Writes a word and repairs the checksum.
fn forged(at: usize, word: u32) -> Vec<u8> {
    let mut bytes = data().encode().unwrap();
    bytes[at..at + 4].copy_from_slice(&word.to_le_bytes());
    let checksum = wire::checksum(&bytes[16..]);
    bytes[8..16].copy_from_slice(&checksum.to_le_bytes());
    bytes
}

#[test]
fn references_that_lead_nowhere_are_refused_though_the_checksum_is_right() {
    let (first_state, first_target) = (64, 64 + 4 * 20);
    // Its name, the end of its steps, and where its first step leads; then a name that breaks the
    // order.
    for (at, word) in [(first_state, 99), (first_state + 8, 9), (first_target, 4), (first_state, 3)]
    {
        assert!(
            matches!(Chain::decode(&forged(at, word)), Err(FormatError::Corrupt { .. })),
            "{word} at {at}"
        );
    }
    assert!(
        Chain::decode(&forged(first_state + 12, 99)).is_ok(),
        "when it was last seen is any number"
    );
}

proptest! {
    #[test]
    fn encoded_states_and_steps_are_found(
        states in btree_map(("[a-c@/]{1,3}", 0u32..4), vec((0usize..40, any::<u8>()), 0..5), 0..40),
    ) {
        let keys: Vec<_> = states.keys().collect();
        let steps = |steps: &[(usize, u8)]| {
            let mut steps = steps.to_vec();
            steps.retain(|(to, _)| *to < keys.len());
            steps
        };
        let data = ChainData {
            trained_ms: 1,
            resolutions: 2,
            states: states.iter().map(|((name, major), given)| StateData {
                name,
                major: *major,
                steps: steps(given)
                    .into_iter()
                    .map(|(to, likelihood)| Step { to, likelihood })
                    .collect(),
                ..StateData::default()
            }).collect(),
        };
        let bytes = data.encode().unwrap();
        let chain = Chain::decode(&bytes).unwrap();
        for ((name, major), given) in &states {
            let mut found: Vec<_> = chain
                .steps(chain.find(name, *major).unwrap())
                .map(|(to, likelihood)| (chain.state(to), likelihood))
                .map(|(to, likelihood)| (to.name.to_owned(), to.major, likelihood))
                .collect();
            let mut wanted: Vec<_> = steps(given).iter()
                .map(|(to, likelihood)| (keys[*to].0.clone(), keys[*to].1, *likelihood)).collect();
            found.sort();
            wanted.sort();
            prop_assert_eq!(found, wanted);
        }
    }
}

use std::path::PathBuf;

use dx_pkg_os::files::Identity;
use proptest::prelude::*;

use dx_pkg_store::StoreKey;

use super::{Baseline, State, settings_digest};
use crate::seal::Seal;

fn seal() -> Seal {
    Seal::of_key(StoreKey::from_bytes([0; 32]))
}

fn states() -> impl Strategy<Value = State> {
    let identity = (any::<u64>(), any::<u64>(), any::<u64>(), any::<i64>(), any::<i64>()).prop_map(
        |(device, inode, size, mtime_ns, ctime_ns)| Identity {
            device,
            inode,
            size,
            mtime_ns,
            ctime_ns,
        },
    );
    let file = ("[a-z/.]{1,20}", proptest::option::of(identity.clone()))
        .prop_map(|(path, id)| (PathBuf::from(path), id));
    let texts = || proptest::collection::vec("[a-zé ]{0,20}", 0..3);
    let told = (texts(), texts(), texts());
    let baseline = ("[0-9.]{0,8}", identity.clone(), identity, any::<bool>(), told).prop_map(
        |(node, record, hidden, is_complete, (conflicts, disputed, warnings))| Baseline {
            node,
            record,
            hidden,
            is_complete,
            conflicts,
            disputed,
            warnings,
        },
    );
    let folder = proptest::option::of("[a-zé ]{0,20}");
    let files = proptest::collection::vec(file, 0..6);
    let baseline = proptest::option::of(baseline);
    (any::<[u8; 32]>(), any::<(u64, bool)>(), folder, texts(), files, baseline).prop_map(
        |(settings, (time, frozen), folder, scripts_skipped, files, baseline)| State {
            settings,
            time,
            frozen,
            folder,
            scripts_skipped,
            files,
            baseline,
        },
    )
}

proptest! {
    #[test]
    fn a_state_survives_encoding(state in states()) {
        prop_assert_eq!(State::decode(&state.encode(seal()), seal()), Some(state));
    }

    #[test]
    fn a_damaged_state_is_no_state(
        state in states(),
        at in any::<prop::sample::Index>(),
        bit in 0..8u32,
    ) {
        let mut bytes = state.encode(seal());
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        prop_assert_eq!(State::decode(&bytes, seal()), None);
        bytes.truncate(at);
        prop_assert_eq!(State::decode(&bytes, seal()), None);
    }
}

/// The golden file of version 6, sealed by a key of zeros: a change that breaks this test needs a
/// new version.
#[test]
fn the_golden_file_is_read_and_written_the_same() {
    let identity = |inode| Identity { device: 1, inode, size: 3, mtime_ns: -4, ctime_ns: 5 };
    let sample = State {
        settings: [7; 32],
        time: 1_796_000_000_000,
        frozen: true,
        folder: Some("é".into()),
        scripts_skipped: vec!["n@1.0.0".into()],
        files: vec![("package.json".into(), Some(identity(2))), ("é/.npmrc".into(), None)],
        baseline: Some(Baseline {
            node: "20.1.0".into(),
            record: identity(6),
            hidden: identity(7),
            is_complete: true,
            conflicts: vec!["a@1.0.0 needs b@^2".into()],
            disputed: vec!["b".into()],
            warnings: Vec::new(),
        }),
    };
    let golden: &[u8] = include_bytes!("../../tests/golden/dxs-v6.dxs");
    assert_eq!(State::decode(golden, seal()), Some(sample));
    assert_eq!(State::decode(golden, seal()).unwrap().encode(seal()), golden);
}

#[test]
fn only_settings_that_matter_change_the_digest() {
    let digest = |flags: &[(&str, &str)], variables: &[(&str, &str)]| {
        let own = |list: &[(&str, &str)]| {
            list.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect::<Vec<_>>()
        };
        settings_digest(&own(flags), own(variables).into_iter())
    };
    let plain = digest(&[], &[]);
    assert_eq!(digest(&[("offline", "true")], &[("TERM", "dumb")]), plain);
    assert_ne!(digest(&[("omit", "dev")], &[]), plain);
    assert_ne!(digest(&[], &[("NPM_CONFIG_OMIT", "dev")]), plain);
    assert_ne!(digest(&[], &[("NODE_ENV", "production")]), plain);
    assert_eq!(digest(&[("a", "1"), ("b", "2")], &[]), digest(&[("b", "2"), ("a", "1")], &[]));
}

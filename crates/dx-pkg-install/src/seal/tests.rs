use dx_pkg_lock::{Lock, LockPackage};

use super::*;

fn seals() -> [Seal; 2] {
    [(); 2].map(|()| {
        let folder = tempfile::tempdir().unwrap();
        Seal::of_store(&Store::open(folder.path()).unwrap()).unwrap()
    })
}

#[test]
fn record_is_known_again_by_its_store_alone_and_only_unchanged() {
    let [own, other] = seals();
    let package = LockPackage { path: "node_modules/a".to_owned(), ..LockPackage::default() };
    let lock = Lock { packages: vec![package], ..Lock::default() };
    let plain = dxl::encode(&lock, [0; 32]);
    let mut record = plain.clone();
    own.seal_record(&mut record);
    assert!(own.is_of_record(&record));
    assert!(!other.is_of_record(&record));
    assert!(!own.is_of_record(&plain), "one without a seal");
    assert_eq!(dxl::DxlView::open(&record).unwrap().to_lock(), lock);
    let mut forged = dxl::encode(&Lock::default(), [0; 32]);
    let seal = dxl::DxlView::open(&record).unwrap().source_digest();
    dxl::set_source_digest(&mut forged, seal);
    assert!(!own.is_of_record(&forged), "another's seal on it");
    for end in [0, 40, record.len() - 1] {
        assert!(!own.is_of_record(&record[..end]));
    }
}

#[test]
fn state_is_known_again_by_its_store_alone_and_only_unchanged() {
    let [own, other] = seals();
    let mut state = b"contents".to_vec();
    own.seal_state(&mut state);
    assert_eq!(own.open_state(&state), Some(&b"contents"[..]));
    assert_eq!(other.open_state(&state), None);
    assert_eq!(own.open_state(b""), None);
    state[0] ^= 1;
    assert_eq!(own.open_state(&state), None);
}

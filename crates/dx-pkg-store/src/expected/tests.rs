use dx_pkg_core::Coded;
use dx_pkg_core::integrity::HashAlgorithm;
use dx_pkg_format::dxp::{FileEntry, FileMode};

use super::*;

/// Base64 of so many bytes.
fn base64(bytes: &[u8]) -> String {
    let digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let bits =
            three.iter().enumerate().fold(0_u32, |b, (at, c)| b | u32::from(*c) << (16 - 8 * at));
        for place in 0..4 {
            let digit = digits[(bits >> (18 - 6 * place)) as usize & 63];
            text.push(if place <= three.len() { char::from(digit) } else { '=' });
        }
    }
    text
}

struct Fixture {
    _folder: tempfile::TempDir,
    store: Store,
    id: PackageId,
    integrity: Integrity,
}

impl Fixture {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let integrity = Integrity::sha512_of(b"a tarball");
        let id = PackageId::from_integrity(&integrity);
        let files = [FileEntry { path: "a.js", mode: FileMode::PLAIN, data: b"one" }];
        store.insert(id, Some(&integrity), &files).unwrap();
        Self { _folder: folder, store, id, integrity }
    }

    /// Returns the integrities of other bytes that have this package's id.
    fn altered(&self) -> Vec<String> {
        let mut other_half = self.integrity.strongest().digest().to_vec();
        other_half[40] ^= 1;
        let sha256 = &other_half[..32];
        let sha384 = &other_half[..48];
        let altered = vec![
            format!("sha512-{}", base64(&other_half)),
            format!("sha256-{}", base64(sha256)),
            format!("sha384-{}", base64(sha384)),
        ];
        for text in &altered {
            let parsed = Integrity::parse(text).unwrap();
            assert_eq!(PackageId::from_integrity(&parsed), self.id, "{text}");
        }
        assert_eq!(
            Integrity::parse(&altered[1]).unwrap().strongest().algorithm(),
            HashAlgorithm::Sha256
        );
        altered
    }
}

#[test]
fn package_of_the_expected_bytes_is_read() {
    let Fixture { store, id, integrity, .. } = &Fixture::new();
    store
        .expect(*id, &format!("{integrity}?option {}", "sha1-qvTGHdzF6KLavt4PO0gs2a6pQ00="))
        .unwrap();
    assert!(store.open_tables(*id).unwrap().is_some());
    store.expect(*id, &integrity.to_string()).unwrap();
    assert!(store.open_package(*id).unwrap().is_some());
}

#[test]
fn package_of_other_bytes_under_the_same_id_is_refused() {
    for number in 0..3 {
        let fixture = Fixture::new();
        let altered = &fixture.altered()[number];
        // Another process has it from its record, this one from memory.
        let later = Store::open(fixture.store.root().parent().unwrap()).unwrap();
        for store in [&fixture.store, &later] {
            store.expect(fixture.id, altered).unwrap();
            let error = store.open_tables(fixture.id).unwrap_err();
            assert_eq!(error.code(), "DX_INTEGRITY_MISMATCH");
            let text = error.to_string();
            assert!(
                text.contains(altered) && text.contains(&fixture.integrity.to_string()),
                "{text}"
            );
            assert!(error.hint().is_some());
            assert!(store.open_package(fixture.id).is_err());
        }
    }
}

#[test]
fn two_expectations_that_cannot_both_be_right_are_an_error() {
    let fixture = Fixture::new();
    fixture.store.expect(fixture.id, &fixture.integrity.to_string()).unwrap();
    for altered in fixture.altered() {
        let error = fixture.store.expect(fixture.id, &altered).unwrap_err();
        assert_eq!(error.code(), "DX_INTEGRITY_MISMATCH");
    }
}

#[test]
fn tarball_of_other_bytes_under_the_same_id_is_not_read_and_stays() {
    let fixture = Fixture::new();
    fixture.store.put_tarball(fixture.id, b"a tarball").unwrap();
    for altered in fixture.altered() {
        let altered = Integrity::parse(&altered).unwrap();
        assert!(fixture.store.tarball(fixture.id, &altered).is_none());
    }
    assert_eq!(fixture.store.tarball(fixture.id, &fixture.integrity).unwrap(), b"a tarball");
}

//! Any text as an integrity, a digest or an id: what is read is written so that it reads the same,
//! and vouches for no other bytes.

use dx_pkg_core::{Integrity, PackageId};

pub(crate) fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Ok(integrity) = Integrity::parse(&text) {
        let written = integrity.to_string();
        assert_eq!(Integrity::parse(&written).as_ref(), Ok(&integrity), "{written:?}");
        assert!(integrity.hashes().contains(integrity.strongest()));
        assert!(integrity.verify(b"a").is_err() || integrity.verify(b"b").is_err());
        let id = PackageId::from_integrity(&integrity);
        assert_eq!(PackageId::from_integrity(&Integrity::parse(&written).expect("as before")), id);
    }
    if let Ok(shasum) = Integrity::from_shasum_hex(&text) {
        assert_eq!(Integrity::parse(&shasum.to_string()), Ok(shasum));
    }
    if let Some(id) = PackageId::from_sha512_text(&text) {
        let integrity =
            Integrity::parse(&text).expect("the short way reads what the long one does");
        assert_eq!(PackageId::from_integrity(&integrity), id);
    }
    if let Some(id) = PackageId::from_hex(&text) {
        assert_eq!(id.hex().as_slice(), text.as_bytes());
    }
}

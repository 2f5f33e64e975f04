//! Random file sets come back as they were; random damage never panics.

use std::collections::BTreeMap;

use dx_pkg_format::dxp::FileMode;
use proptest::prelude::*;

use super::archive::{Archive, gzip};
use super::{streamed, unpack_on_unix};

type Files = BTreeMap<String, (Vec<u8>, FileMode)>;

/// File sets without a file that is also a folder: folders begin with `d`, files do not.
fn files() -> impl Strategy<Value = Files> {
    let path = "(d[a-zé ._-]{0,60}/){0,6}[a-ce-z][a-zA-Zü._-]{0,80}";
    let contents = prop::collection::vec(any::<u8>(), 0..1500);
    prop::collection::btree_map(path, (contents, any::<u32>().prop_map(FileMode::of_bits)), 1..30)
}

fn archive(files: &Files) -> Archive {
    files.iter().fold(Archive::new(), |archive, (path, (data, mode))| {
        archive.entry(format!("package/{path}").as_bytes(), b'0', mode.bits(), data)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn written_files_come_back(files in files()) {
        let unpacked = unpack_on_unix(&archive(&files).tgz()).unwrap();
        let found: Files = unpacked
            .entries()
            .iter()
            .map(|entry| (entry.path.to_owned(), (entry.data.to_vec(), entry.mode)))
            .collect();
        prop_assert_eq!(&found, &files);
        let streamed = streamed::read(&archive(&files).tgz(), 1000, &super::unix()).unwrap();
        prop_assert_eq!(streamed, files);
        let sorted = unpacked.entries().is_sorted_by(|a, b| a.path < b.path);
        prop_assert!(sorted);
    }

    #[test]
    fn damaged_archives_never_panic_and_never_escape(
        files in files(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut tar = archive(&files).tar();
        for (at, byte) in &damage {
            let at = at.index(tar.len());
            tar[at] = *byte;
        }
        check(&tar);
        check(&gzip(&tar));
        let mut tgz = archive(&files).tgz();
        for (at, byte) in &damage {
            let at = at.index(tgz.len());
            tgz[at] = *byte;
        }
        check(&tgz);
        check(&tar[..cut.index(tar.len())]);
    }

    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        check(&bytes);
        check(&[&[0x1f, 0x8b, 8][..], &bytes].concat());
    }
}

fn check(bytes: &[u8]) {
    let Ok(unpacked) = unpack_on_unix(bytes) else {
        return;
    };
    for entry in unpacked.entries() {
        let safe = !entry.path.is_empty()
            && entry.path.split('/').all(|part| !matches!(part, "" | "." | ".."));
        assert!(safe, "{:?}", entry.path);
    }
}

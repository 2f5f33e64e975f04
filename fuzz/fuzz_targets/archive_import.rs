//! Any bytes as an archive of packages, as what is compressed in one, and as the head of a package:
//! refused, or whole packages in the store. Nothing unfinished stays.

use std::fs;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use dx_pkg_format::archive::{PackageHead, encode_header};
use dx_pkg_format::dxp::is_safe_path;
use dx_pkg_store::{Folder, Store};

use crate::scratch;

static RUNS: AtomicBool = AtomicBool::new(false);

pub(crate) fn run(data: &[u8]) {
    if let Ok(head) = PackageHead::decode(data) {
        assert!(head.files.iter().all(|file| is_safe_path(&file.path)));
        assert_eq!(PackageHead::decode(&head.encode().expect("it was decoded")), Ok(head));
    }
    import(data);
    // Past the checksums, which chance does not meet.
    let frame = zstd::encode_all(data, 1).expect("any bytes can be compressed");
    for packages in 0..3 {
        import(&[&encode_header(packages), &frame[..]].concat());
    }
}

fn import(bytes: &[u8]) {
    let store = scratch::store();
    let imported = store.import(bytes, &RUNS).map_or(0, |imported| imported.packages);
    let tmp = fs::read_dir(store.folder(Folder::Tmp)).map_or(0, Iterator::count);
    assert_eq!(tmp, 0, "nothing unfinished stays");
    assert!(clear(store) >= imported, "what was imported is there");
}

/// Removes all packages, so that the next input meets an empty store; returns how many there were,
/// each with its files.
fn clear(store: &Store) -> usize {
    let entries = |folder: &Path| {
        fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path())
    };
    for shard in entries(&store.folder(Folder::Packages)) {
        entries(&shard).for_each(|path| fs::remove_file(path).expect("a package can be removed"));
    }
    let mut expanded = 0;
    for shard in entries(&store.folder(Folder::Expanded)) {
        for path in entries(&shard) {
            fs::remove_dir_all(path).expect("a package can be removed");
            expanded += 1;
        }
    }
    expanded
}

//! Any bytes as a cached packument: missing, or read without a panic, also when the checksum of the
//! header is right; written again, its header reads the same.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use dx_pkg_core::PackageName;
use dx_pkg_format::wire;
use dx_pkg_store::Folder;
use dx_pkg_store::metadata::{Form, MetadataRecord};

use crate::scratch;

/// The length of the header without its texts; it ends with the lengths of those.
const FIXED: usize = 48;
/// The position of the checksum.
const CHECKSUM: std::ops::Range<usize> = 8..16;
const REGISTRY: &str = "registry";

pub(crate) fn run(data: &[u8]) {
    check(data);
    let text = |at| match wire::u32_at(data, at) {
        u32::MAX => 0,
        length => length as usize,
    };
    if data.len() < FIXED {
        return;
    }
    let length = (FIXED + text(40) + text(44)).next_multiple_of(8);
    if let Some(checked) = data.get(CHECKSUM.end..length) {
        let mut repaired = data.to_vec();
        repaired[CHECKSUM].copy_from_slice(&wire::checksum(checked).to_le_bytes());
        check(&repaired);
    }
}

fn check(data: &[u8]) {
    static NAME: LazyLock<PackageName> = LazyLock::new(|| PackageName::parse("a").expect("a name"));
    static FILE: LazyLock<PathBuf> = LazyLock::new(|| {
        write(&NAME, None, None, [0; 3]);
        only_file(&scratch::store().folder(Folder::Metadata))
    });
    let store = scratch::store();
    fs::write(&*FILE, data).expect("a packument can be written");
    let read = || store.metadata(REGISTRY, &NAME, Form::Abbreviated);
    let Some(found) = read() else { return };
    let times = [found.fetched_ms, found.fresh_until_ms, found.stale_until_ms];
    write(&NAME, found.etag.as_deref(), found.last_modified.as_deref(), times);
    // The packument in the file is none, so that only the header is read; its form is asked of it.
    let written = fs::read(&*FILE).expect("what was written is there");
    let texts =
        [&found.etag, &found.last_modified].map(|text| text.as_ref().map_or(0, String::len));
    assert_eq!(written.len(), (FIXED + texts[0] + texts[1]).next_multiple_of(8));
    assert_eq!(written[..written.len()], data[..written.len()], "the header has one form");
}

fn write(name: &PackageName, etag: Option<&str>, last_modified: Option<&str>, times: [u64; 3]) {
    let [fetched_ms, fresh_until_ms, stale_until_ms] = times;
    let record = MetadataRecord {
        credential: 0,
        packument: &[],
        form: Form::Abbreviated,
        etag,
        last_modified,
        fetched_ms,
        fresh_until_ms,
        stale_until_ms,
    };
    scratch::store().put_metadata(REGISTRY, name, &record).expect("a packument can be stored");
}

fn only_file(folder: &Path) -> PathBuf {
    let entry = fs::read_dir(folder).expect("the folder is there").next().expect("one entry");
    let path = entry.expect("the folder can be listed").path();
    if path.is_dir() { only_file(&path) } else { path }
}

use std::fs;

use super::footprint;
use crate::files::EntryKind;

#[test]
fn names_and_blocks_are_counted_and_links_not_followed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, vec![1; 10_000]).unwrap();
    assert_eq!(footprint(&folder.path().join("none")).unwrap(), None);
    let one = footprint(&file).unwrap().unwrap();
    assert_eq!((one.kind, one.names), (EntryKind::File, 1));
    assert!(one.bytes >= 10_000, "{}", one.bytes);
    fs::hard_link(&file, folder.path().join("second")).unwrap();
    let two = footprint(&folder.path().join("second")).unwrap().unwrap();
    assert_eq!((two.names, two.inode), (2, one.inode));
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("file", folder.path().join("link")).unwrap();
        assert_eq!(
            footprint(&folder.path().join("link")).unwrap().unwrap().kind,
            EntryKind::Symlink
        );
    }
}

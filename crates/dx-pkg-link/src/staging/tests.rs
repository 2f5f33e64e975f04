use std::ffi::OsStr;

use dx_pkg_os::files::EntryKind;

use super::{draft, is_foreign};

#[test]
fn dot_entries_of_no_package_manager_are_the_users() {
    for name in [".cache", ".vite", ".vite-temp", ".prisma"] {
        assert!(is_foreign(OsStr::new(name), EntryKind::Directory), "{name}");
    }
    for name in [
        ".bin",
        ".dx",
        ".package-lock.json",
        ".modules.yaml",
        ".yarn-integrity",
        ".yarn-state.yml",
        ".pnpm",
        "a",
        "@s",
    ] {
        assert!(!is_foreign(OsStr::new(name), EntryKind::Directory), "{name}");
    }
}

#[test]
fn plain_files_are_the_users_unless_a_package_manager_keeps_its_state_in_them() {
    for (name, expected) in
        [("notes.txt", true), (".env", true), (".yarn-state.yml", false), (".modules.yaml", false)]
    {
        assert_eq!(is_foreign(OsStr::new(name), EntryKind::File), expected, "{name}");
    }
    assert!(!is_foreign(OsStr::new("linked"), EntryKind::Symlink));
}

#[test]
fn a_draft_of_a_killed_process_is_garbage() {
    assert!(!is_foreign(OsStr::new(&draft(0)), EntryKind::File));
}

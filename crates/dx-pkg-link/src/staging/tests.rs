use std::ffi::OsStr;

use super::is_foreign;

#[test]
fn dot_entries_of_no_package_manager_are_the_users() {
    for name in [".cache", ".vite", ".vite-temp", ".prisma"] {
        assert!(is_foreign(OsStr::new(name)), "{name}");
    }
    for name in
        [".bin", ".dx", ".package-lock.json", ".modules.yaml", ".yarn-integrity", ".yarn-state.yml", ".pnpm", "a", "@s"]
    {
        assert!(!is_foreign(OsStr::new(name)), "{name}");
    }
}

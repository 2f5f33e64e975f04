//! Processes killed at any moment leave a store that is sound.

use std::process::{Command, Stdio};
use std::time::Duration;

use dx_pkg_store::Store;

use crate::{Fixture, files, identify};

const STORE: &str = "DX_STORE_TEST_KILLED";

/// The process that the test below starts and kills.
#[test]
#[ignore = "the process that the test below starts and kills"]
fn inserting_until_killed() {
    let Some(root) = std::env::var_os(STORE) else {
        return;
    };
    let store = Store::open(root.as_ref()).unwrap();
    for round in 0.. {
        let (id, integrity) = identify(&format!("{}-{round}", std::process::id()));
        store.insert(id, Some(&integrity), &files("{}")).unwrap();
    }
}

#[test]
fn a_process_killed_at_any_moment_leaves_a_sound_store() {
    let fixture = Fixture::new();
    let mut packages = 0;
    for round in 0..12 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "kill::inserting_until_killed", "--ignored"])
            .env(STORE, fixture.folder.path().join("store"))
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(30 + round * 7));
        child.kill().unwrap();
        child.wait().unwrap();
        let mut report = fixture.store.verify(false).unwrap();
        // The unfinished package may have a record but no expanded files, which is no damage.
        packages = report.packages.max(packages);
        assert_eq!(std::mem::take(&mut report.damage), []);
    }
    assert!(packages > 10, "{packages} packages were inserted before the process was killed");
    fixture.insert("after");
    assert_eq!(fixture.store.verify(true).unwrap().damage, []);
}

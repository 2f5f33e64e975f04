use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use super::{FORGOTTEN_AFTER, Habits, PROJECTS};
use crate::jobs::project_name;
use crate::{Folder, Store};

fn store() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    (folder, store)
}

#[test]
fn habits_of_each_project_are_read_as_they_were_recorded() {
    let (_folder, store) = store();
    let first_seen = UNIX_EPOCH + Duration::from_secs(1_000);
    let unused = Habits { preparations: 3, ..Habits::new(first_seen) };
    let used = Habits { last_use: Some(first_seen + Duration::from_secs(7)), ..unused };
    for (project, habits) in [("/a", unused), ("/b b\nc", used)] {
        let project = Path::new(project);
        assert_eq!(store.habits(project), None);
        store.record_habits(project, &habits).unwrap();
        assert_eq!(store.habits(project), Some(habits));
    }
    store.record_habits(Path::new("/a"), &used).unwrap();
    assert_eq!(store.habits(Path::new("/a")), Some(used));
}

#[test]
fn damaged_habits_and_those_of_another_folder_count_as_missing() {
    let (_folder, store) = store();
    let project = Path::new("/a");
    store.record_habits(project, &Habits::new(UNIX_EPOCH)).unwrap();
    let path = store.folder(Folder::Prepared).join(PROJECTS).join(project_name(project));
    for text in [
        "",
        "1 0 - 0",
        "2 0 - 0\n/a",
        "1 0 - 0\n/b",
        "1 0 -\n/a",
        "1 0 - 0 0\n/a",
        "1 x - 0\n/a",
        "1 99999999999999999999 - 0\n/a",
        "1 18446744073709551615 - 0\n/a",
    ] {
        std::fs::write(&path, text).unwrap();
        assert_eq!(store.habits(project), None, "{text:?}");
    }
}

#[test]
fn habits_of_projects_that_install_nothing_any_more_are_forgotten() {
    let (_folder, store) = store();
    let project = Path::new("/a");
    store.record_habits(project, &Habits::new(UNIX_EPOCH)).unwrap();
    let now = std::time::SystemTime::now();
    store.forget_old_habits(now);
    assert!(store.habits(project).is_some());
    store.forget_old_habits(now + FORGOTTEN_AFTER + Duration::from_secs(60));
    assert_eq!(store.habits(project), None);
}

use crate::{PrepareJob, Store};

fn store() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    (folder, store)
}

#[test]
fn jobs_are_taken_once_each() {
    let (_folder, store) = store();
    assert!(store.take_jobs().is_empty());
    let job = |project: &str, new_tree| PrepareJob {
        project: project.into(),
        new_tree,
        was_prepared: false,
    };
    for job in [job("/a", true), job("/b", true), job("/a", false)] {
        store.queue_job(&job).unwrap();
    }
    let mut jobs = store.take_jobs();
    jobs.sort_by(|a, b| a.project.cmp(&b.project));
    assert_eq!(jobs, [job("/a", false), job("/b", true)], "the last of each project");
    assert!(store.take_jobs().is_empty());
}

#[test]
fn a_job_says_how_the_tree_came_about() {
    let (_folder, store) = store();
    for (new_tree, was_prepared) in [(false, false), (true, false), (true, true)] {
        let job = PrepareJob { project: "/a".into(), new_tree, was_prepared };
        store.queue_job(&job).unwrap();
        assert_eq!(store.take_jobs(), [job]);
    }
}

#[test]
fn one_process_at_a_time_holds_the_background_lock() {
    let (_folder, store) = store();
    let lock = store.background_lock(false).unwrap();
    assert!(lock.is_some());
    assert!(store.background_lock(false).unwrap().is_none());
    drop(lock);
    assert!(store.background_lock(true).unwrap().is_some());
}

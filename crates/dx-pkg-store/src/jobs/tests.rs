use crate::preparation::TreeOrigin;
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
    let (built, changed) = (TreeOrigin::Built, TreeOrigin::Changed);
    let job = |project: &str, tree| PrepareJob { project: project.into(), tree };
    for job in [job("/a", built), job("/b", built), job("/a", changed)] {
        store.queue_job(&job).unwrap();
    }
    let mut jobs = store.take_jobs();
    jobs.sort_by(|a, b| a.project.cmp(&b.project));
    assert_eq!(jobs, [job("/a", changed), job("/b", built)], "the last of each project");
    assert!(store.take_jobs().is_empty());
}

#[test]
fn a_job_says_how_the_tree_came_about() {
    let (_folder, store) = store();
    for tree in [TreeOrigin::Changed, TreeOrigin::Built, TreeOrigin::Prepared] {
        let job = PrepareJob { project: "/a".into(), tree };
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

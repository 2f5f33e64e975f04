use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use dx_pkg_store::preparation::Habits;
use dx_pkg_store::preparation::TreeOrigin::{self, Built, Changed, Prepared};
use dx_pkg_store::{PrepareJob, Store};

use super::{DAY, Lesson, NEW_FOR, Outlook, UNUSED_PREPARATIONS, USED_WITHIN, explain};
use crate::session::PreparedTrees;

#[test]
fn trees_are_prepared_after_a_use_and_for_a_new_project_and_no_longer() {
    let now = UNIX_EPOCH + 1_000 * DAY;
    let first_seen = |days: u32| Habits::new(now - days * DAY);
    let used = |days: u32| Habits { last_use: Some(now - days * DAY), ..first_seen(100) };
    let unused = |preparations| Habits { preparations, ..first_seen(1) };
    for (habits, expected) in [
        (first_seen(0), Outlook::New(Duration::ZERO)),
        (first_seen(3), Outlook::New(NEW_FOR)),
        (first_seen(4), Outlook::NotUsedFor(4 * DAY)),
        (unused(UNUSED_PREPARATIONS - 1), Outlook::New(DAY)),
        (unused(UNUSED_PREPARATIONS), Outlook::NeverUsed(UNUSED_PREPARATIONS)),
        (used(14), Outlook::Used(USED_WITHIN)),
        (used(15), Outlook::NotUsedFor(15 * DAY)),
        // As many as it likes: they are used now and then.
        (Habits { preparations: 99, ..used(13) }, Outlook::Used(13 * DAY)),
        // The clock was set back.
        (Habits::new(now + DAY), Outlook::New(Duration::ZERO)),
        (Habits { last_use: Some(now + DAY), ..first_seen(9) }, Outlook::Used(Duration::ZERO)),
    ] {
        let found = Outlook::of(&habits, now, || true);
        assert_eq!(found, expected, "{habits:?}");
        let is_likely = matches!(expected, Outlook::Used(_) | Outlook::New(_));
        assert_eq!(found.is_likely(), is_likely);
        let without = Outlook::of(&habits, now, || false);
        let is_new = matches!(found, Outlook::New(_));
        assert_eq!(without, if is_new { Outlook::NoSign } else { found });
    }
    assert!(!Outlook::NoSign.is_likely());
}

struct Machine {
    store: Store,
    trees: PreparedTrees,
    _folder: tempfile::TempDir,
}

impl Machine {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let trees = PreparedTrees { count: 1, is_asked: true };
        Machine { store: Store::open(folder.path()).unwrap(), trees, _folder: folder }
    }

    /// A machine without a setting.
    fn left_alone() -> Self {
        let trees = PreparedTrees { count: 1, is_asked: false };
        Machine { trees, ..Self::new() }
    }

    /// Has an install learnt from, whose tree has the key of one byte.
    fn install(&self, project: &str, key: u8, tree: TreeOrigin) -> Outlook {
        let job = PrepareJob { project: project.into(), tree };
        let lesson = Lesson::of(&self.store, &job, [key; 32]);
        let outlook = lesson.outlook(&self.store, self.trees);
        self.store.record_prepared([key; 32], b"", Path::new(project)).unwrap();
        lesson.record(&self.store, outlook.is_likely()).unwrap();
        outlook
    }

    fn age(&self, project: &str, days: u32) {
        let mut habits = self.store.habits(Path::new(project)).unwrap();
        habits.first_seen -= days * DAY;
        habits.last_use = habits.last_use.map(|time| time - days * DAY);
        self.store.record_habits(Path::new(project), &habits).unwrap();
    }
}

fn is_used(outlook: Outlook) -> bool {
    matches!(outlook, Outlook::Used(_))
}

#[test]
fn a_first_install_is_no_use_and_a_second_whole_tree_is() {
    let machine = Machine::new();
    assert!(matches!(machine.install("/a", 1, Built), Outlook::New(_)));
    assert!(matches!(machine.install("/a", 2, Changed), Outlook::New(_)), "a changed tree");
    // Another branch, with another lock.
    assert!(is_used(machine.install("/a", 3, Built)));
}

#[test]
fn a_new_project_gets_trees_where_any_project_used_some() {
    let machine = Machine::left_alone();
    assert_eq!(machine.install("/a", 1, Built), Outlook::NoSign);
    assert_eq!(machine.install("/a", 2, Changed), Outlook::NoSign);
    assert!(is_used(machine.install("/a", 3, Built)), "node_modules was removed");
    assert!(matches!(machine.install("/b", 4, Built), Outlook::New(_)));
    machine.age("/a", 15);
    assert_eq!(machine.install("/c", 5, Built), Outlook::NoSign);
    // A tree was prepared for this one while the other was used.
    assert_eq!(machine.install("/b", 6, Changed), Outlook::NoSign);
    assert!(is_used(machine.install("/c", 5, Built)));
    assert!(matches!(machine.install("/b", 7, Changed), Outlook::New(_)));
}

#[test]
fn a_second_checkout_counts_for_both() {
    for origin in [Prepared, Built] {
        let machine = Machine::new();
        machine.install("/a", 1, Built);
        machine.age("/a", 30);
        assert!(!machine.install("/a", 1, Changed).is_likely());
        assert!(is_used(machine.install("/b", 1, origin)));
        assert!(is_used(machine.install("/a", 1, Changed)));
    }
}

#[test]
fn changes_alone_stop_preparation_and_a_reinstall_begins_it_again() {
    let machine = Machine::new();
    machine.install("/a", 0, Built);
    let outlooks: Vec<bool> =
        (1..8).map(|key| machine.install("/a", key, Changed).is_likely()).collect();
    assert_eq!(outlooks, [true, true, true, true, false, false, false]);
    assert!(is_used(machine.install("/a", 8, Built)), "node_modules was removed");
    for key in 9..20 {
        assert!(machine.install("/a", key, Changed).is_likely());
    }
    machine.age("/a", 15);
    assert!(!machine.install("/a", 20, Changed).is_likely());
}

#[test]
fn a_job_that_comes_again_is_no_second_tree() {
    let machine = Machine::new();
    let job = PrepareJob { project: "/a".into(), tree: Built };
    for _ in 0..2 {
        // Cancelled: the entry is there already, the lesson is not.
        let lesson = Lesson::of(&machine.store, &job, [1; 32]);
        assert!(matches!(lesson.outlook(&machine.store, machine.trees), Outlook::New(_)));
        machine.store.record_prepared([1; 32], b"", Path::new("/a")).unwrap();
    }
}

#[test]
fn the_reason_for_a_new_project_tells_what_would_change_it() {
    let machine = Machine::left_alone();
    let told = || explain(&machine.store, machine.trees, Path::new("/a"));
    let none = "No trees are prepared for this project: it is new, and no project needed a whole tree \
                again for 14 days; they are once this one does";
    assert_eq!(told(), (false, none.to_owned()));
    machine.install("/a", 0, Built);
    assert_eq!(told(), (false, none.to_owned()));
    machine.install("/a", 0, Built);
    assert!(told().0);
}

#[test]
fn the_reason_is_told_in_a_sentence() {
    let machine = Machine::new();
    let told = || explain(&machine.store, machine.trees, Path::new("/a"));
    assert_eq!(told().1, "Trees are prepared for this project after its next install: it is new");
    machine.install("/a", 0, Built);
    assert_eq!(
        told(),
        (
            true,
            "Trees are prepared for this project: it is new, and so it is for 3 days or 5 trees"
                .to_owned()
        )
    );
    for key in 1..9 {
        machine.install("/a", key, Changed);
    }
    assert_eq!(
        told(),
        (
            false,
            "No trees are prepared for this project: 5 were, and none was used; they are again once a whole \
             tree was needed"
                .to_owned()
        )
    );
    machine.install("/a", 1, Prepared);
    assert_eq!(
        told().1,
        "Trees are prepared for this project: a whole tree was put in place again today"
    );
    machine.age("/a", 3);
    assert_eq!(
        told().1,
        "Trees are prepared for this project: a whole tree was put in place again 3 days ago"
    );
    machine.age("/a", 30);
    assert_eq!(
        told(),
        (
            false,
            "No trees are prepared for this project: no whole tree was needed for 33 days; they are again once \
             one was"
                .to_owned()
        )
    );
}

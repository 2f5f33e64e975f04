//! Any bytes as a small text file of the store: a project's habits, a preparation job, the marks of
//! packages: missing, or read and written again so that they read the same.

use std::fs;
use std::path::Path;
use std::time::SystemTime;

use dx_pkg_store::Folder;
use dx_pkg_store::preparation::Habits;

use crate::scratch;

pub(crate) fn run(data: &[u8]) {
    let store = scratch::store();
    let project = Path::new("/a/project");
    // Its file has the name that the store gives it.
    let folder = store.folder(Folder::Prepared).join("projects");
    let _ = fs::remove_dir_all(&folder);
    store
        .record_habits(project, &Habits::new(SystemTime::UNIX_EPOCH))
        .expect("a file can be written");
    let name = fs::read_dir(&folder).expect("a folder").flatten().next().expect("one file").path();
    let mut text = data.to_vec();
    text.extend_from_slice(b"\n/a/project");
    for bytes in [data, &text] {
        fs::write(&name, bytes).expect("a file can be written");
        if let Some(habits) = store.habits(project) {
            store.record_habits(project, &habits).expect("a file can be written");
            assert_eq!(
                store.habits(project).map(|habits| format!("{habits:?}")),
                Some(format!("{habits:?}"))
            );
        }
    }
    let jobs = store.folder(Folder::Prepared).join("jobs");
    fs::create_dir_all(&jobs).expect("a folder can be made");
    fs::write(jobs.join("job"), data).expect("a file can be written");
    let _ = store.take_jobs();
    let _ = fs::remove_dir_all(jobs);
}

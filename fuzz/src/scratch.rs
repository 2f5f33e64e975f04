//! A store for targets that read a file of it: decoders that are private are reached through it.

use std::fs::File;
use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::{Duration, SystemTime};

use dx_pkg_store::Store;

/// The store of this process, in memory where there is such a file system.
pub fn store() -> &'static Store {
    static STORE: LazyLock<Store> = LazyLock::new(opened_again);
    &STORE
}

/// The same store as another process opens it.
pub fn opened_again() -> Store {
    let store = Store::open(&place("store")).expect("a store can be made");
    believe_former_records(&store).expect("the store's key can be touched");
    store
}

/// Makes the store's key newer than whatever a target writes as an earlier version did.
fn believe_former_records(store: &Store) -> std::io::Result<()> {
    let _ = store.key();
    let key = File::options().write(true).open(store.root().join("key"))?;
    key.set_modified(SystemTime::now() + Duration::from_secs(24 * 60 * 60))
}

/// Returns a folder of this process for a target that writes.
pub fn place(name: &str) -> PathBuf {
    let memory = PathBuf::from("/dev/shm");
    let place = if memory.is_dir() { memory } else { std::env::temp_dir() };
    folder(place).join(name)
}

/// Removes the store of this process.
pub fn remove() {
    for place in [PathBuf::from("/dev/shm"), std::env::temp_dir()] {
        let _ = std::fs::remove_dir_all(folder(place));
    }
}

fn folder(place: PathBuf) -> PathBuf {
    place.join(format!("dx-fuzz-{}", std::process::id()))
}

//! A store for targets that read a file of it: decoders that are private are reached through it.

use std::path::PathBuf;
use std::sync::LazyLock;

use dx_pkg_store::Store;

/// The store of this process, in memory where there is such a file system.
pub fn store() -> &'static Store {
    static STORE: LazyLock<Store> = LazyLock::new(opened_again);
    &STORE
}

/// The same store as another process opens it.
pub fn opened_again() -> Store {
    let memory = PathBuf::from("/dev/shm");
    let place = if memory.is_dir() { memory } else { std::env::temp_dir() };
    Store::open(&folder(place)).expect("a store can be made")
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

//! Files and folders: links, reflinks, maps, locks, atomic writes, directory-relative operations.
//!
//! Nothing here knows what a package is.

mod atomic;
mod clock;
mod dir;
mod exchange;
mod executable;
mod footprint;
mod identity;
mod import;
mod lock;
mod map;
mod mount;
mod name;
mod normal;
mod output;
mod owner;
mod read;
mod remove;
mod secret;
mod space;
#[cfg(unix)]
mod umask;
mod user_file;
mod within;

pub use atomic::{Durability, TEMPORARY, create_atomic, sync_file, write_atomic};
pub use clock::wait_for_later_times;
pub use dir::{Dir, DirEntry, EntryKind, Status, make_dirs};
pub use exchange::{Swap, exchange_or_rename};
pub use executable::make_executable;
pub use footprint::{Footprint, footprint};
pub use identity::{Identity, identity};
pub use import::{CLONES_TREES, clone_range, clone_tree, reflink};
pub use lock::{FileLock, FolderLock};
pub use map::Map;
pub use mount::is_mount_point;
pub use name::unique_name;
pub use normal::normal_path;
pub use output::OutputFile;
pub use owner::{
    Access, ROOT, access, create_private_dir, is_of_others, is_own_file, may_be_of_others, user,
};
pub use read::{open_regular, read_bounded, read_open, read_trusted};
pub use remove::remove_tree;
pub use secret::{create_secret, read_secret};
pub use space::{Space, space};
pub use user_file::{check_user_file, write_user_file};
pub use within::{Target, target_within};

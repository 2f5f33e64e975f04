//! The one operating-system seam: links, maps, atomic writes, locks, directory-relative operations.
//!
//! All `unsafe` of the workspace is here. Functions return [`std::io::Error`]; callers know the path and the
//! purpose, and say both. Linux is what this is written for and run on. The branches for macOS and Windows follow
//! those systems' documentation and have never been run.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod atomic;
mod background;
mod btrfs;
mod dir;
mod exchange;
mod footprint;
mod host;
mod identity;
mod import;
mod lock;
mod map;
mod memory;
mod mount;
mod remove;
mod staging;

pub use atomic::{Durability, TEMPORARY, sync_file, write_atomic};
pub use background::{asked_to_end, ended_by, waits_for, work_in_background};
pub use btrfs::{is_btrfs, snapshot, subvolume_create, subvolume_delete};
pub use dir::{Dir, DirEntry, EntryKind};
pub use exchange::{Swap, exchange_or_rename};
pub use footprint::{Footprint, footprint};
pub use host::{libc_family, process_alive};
pub use identity::{Identity, identity};
pub use import::{CLONES_TREES, clone_range, clone_tree, reflink};
pub use lock::FileLock;
pub use map::Map;
pub use memory::return_large_blocks;
pub use mount::is_mount_point;
pub use remove::remove_tree;
pub use staging::{Staging, unique_name};

/// A folder on Btrfs that a test may fill.
#[cfg(test)]
fn btrfs_for_tests() -> std::path::PathBuf {
    std::env::var_os("DX_TEST_BTRFS").expect("DX_TEST_BTRFS names a folder on Btrfs").into()
}

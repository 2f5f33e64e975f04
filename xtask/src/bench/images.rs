//! File systems in files, mounted for a measurement; only the superuser can make them.
//!
//! They are mounted where only this process and its children see them, and their files have no name
//! any more: whatever ends the measurement ends them too.

use crate::dx::run;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

/// The file systems that are tried.
pub(crate) const KINDS: [&str; 3] = ["ext4", "btrfs", "xfs"];
/// Room for a file of 1 GB and its copy.
const SIZE: &str = "3G";
/// A folder in memory, so that the disk is not what is measured.
const MEMORY: &str = "/dev/shm";

/// A mounted image, unmounted and removed when it is dropped.
pub(crate) struct Image {
    place: TempDir,
}

impl Image {
    /// Makes and mounts one; the error says what is missing.
    pub(crate) fn mount(kind: &str) -> Result<Image, String> {
        if !is_superuser() {
            return Err("needs root to mount a file system".to_owned());
        }
        let parent = if Path::new(MEMORY).is_dir() { MEMORY.into() } else { std::env::temp_dir() };
        let place = tempfile::Builder::new()
            .prefix("dx-bench-")
            .tempdir_in(parent)
            .map_err(|error| error.to_string())?;
        let image = place.path().join("image");
        let folder = place.path().join("mounted");
        std::fs::create_dir(&folder).map_err(|error| error.to_string())?;
        let words = |program: &str, words: &[&str]| {
            let mut command = Command::new(program);
            command.args(words);
            run(command).map(drop)
        };
        let (image, folder) = (image.display().to_string(), folder.display().to_string());
        words("truncate", &["-s", SIZE, &image])?;
        words(&format!("mkfs.{kind}"), &["-q", &image])?;
        see_mounts_alone()?;
        words("mount", &["-o", "loop,noatime", &image, &folder])?;
        std::fs::remove_file(&image).map_err(|error| format!("remove {image}: {error}"))?;
        Ok(Image { place })
    }

    /// The folder it is mounted at.
    pub(crate) fn folder(&self) -> std::path::PathBuf {
        self.place.path().join("mounted")
    }
}

impl Drop for Image {
    fn drop(&mut self) {
        let mut umount = Command::new("umount");
        umount.arg(self.folder());
        // An image that stays mounted is in the list of mounts; the measurement is complete.
        let _ = run(umount);
    }
}

/// Gives this process mounts of its own, once.
#[cfg(target_os = "linux")]
fn see_mounts_alone() -> Result<(), String> {
    static ONCE: std::sync::OnceLock<Result<(), String>> = std::sync::OnceLock::new();
    let separate = || {
        nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNS)
            .map_err(|error| format!("unshare: {error}"))?;
        let mut mount = Command::new("mount");
        mount.args(["--make-rprivate", "/"]);
        run(mount).map(drop)
    };
    ONCE.get_or_init(separate).clone()
}

#[cfg(not(target_os = "linux"))]
fn see_mounts_alone() -> Result<(), String> {
    Err("needs Linux to mount a file system".to_owned())
}

#[cfg(unix)]
fn is_superuser() -> bool {
    rustix::process::geteuid().is_root()
}

#[cfg(not(unix))]
fn is_superuser() -> bool {
    false
}

//! File systems that are mounted for the time of a test, which takes root.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::require::{Need, met, output};

/// The variable that names a folder on Btrfs that tests may fill.
const BTRFS: &str = "DX_TEST_BTRFS";
/// The size of an image of Btrfs, in bytes: near the least that can be formatted. It is sparse.
const IMAGE_SIZE: u64 = 128 << 20;

/// A file system, unmounted when it is dropped.
#[derive(Debug)]
pub struct Device {
    path: PathBuf,
    is_mounted: bool,
    /// The temporary folder that holds it, deleted after the file system is unmounted.
    folder: Option<TempDir>,
}

impl Device {
    /// Mounts a file system in memory with these options; `None` where that may not be done.
    #[track_caller]
    pub fn memory(options: &str) -> Option<Device> {
        let folder = TempDir::new().unwrap();
        let path = fs::canonicalize(folder.path()).unwrap();
        let mut device = Self::memory_at(&path, options)?;
        device.folder = Some(folder);
        Some(device)
    }

    /// Mounts a file system in memory at a folder; `None` where that may not be done.
    #[track_caller]
    pub fn memory_at(path: &Path, options: &str) -> Option<Device> {
        Self::mounted(Need::Mounts, "tmpfs", options, path)
    }

    /// Mounts an overlay at a folder; `None` where that may not be done.
    #[track_caller]
    pub fn overlay_at(path: &Path, options: &str) -> Option<Device> {
        Self::mounted(Need::Overlay, "overlay", options, path)
    }

    /// Returns a folder on Btrfs: in the one that `DX_TEST_BTRFS` names, or on a fresh image;
    /// `None` where there is neither.
    #[track_caller]
    pub fn btrfs() -> Option<Device> {
        met(Need::Btrfs, Self::named_btrfs().unwrap_or_else(Self::btrfs_image))
    }

    #[track_caller]
    fn mounted(need: Need, kind: &str, options: &str, path: &Path) -> Option<Device> {
        let arguments: [&OsStr; 6] = [
            "-t".as_ref(),
            kind.as_ref(),
            "-o".as_ref(),
            options.as_ref(),
            "dx-test".as_ref(),
            path.as_ref(),
        ];
        let attempt = output("mount", arguments);
        met(need, attempt).map(|_| Device { path: path.to_owned(), is_mounted: true, folder: None })
    }

    fn named_btrfs() -> Option<Result<Device, String>> {
        let place = std::env::var_os(BTRFS)?;
        let attempt = TempDir::new_in(place).map_err(|error| format!("{BTRFS}: {error}"));
        Some(attempt.map(|folder| Device {
            path: folder.path().to_owned(),
            is_mounted: false,
            folder: Some(folder),
        }))
    }

    fn btrfs_image() -> Result<Device, String> {
        let folder = TempDir::new().unwrap();
        let (image, path) = (folder.path().join("image"), folder.path().join("mounted"));
        fs::File::create(&image).and_then(|file| file.set_len(IMAGE_SIZE)).unwrap();
        fs::create_dir(&path).unwrap();
        output("mkfs.btrfs", ["--quiet".as_ref(), image.as_os_str()])?;
        output("mount", ["-o".as_ref(), "loop".as_ref(), image.as_os_str(), path.as_os_str()])?;
        Ok(Device { path, is_mounted: true, folder: Some(folder) })
    }

    /// The folder of the file system, without symbolic links.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Changes the options of a mounted file system.
    #[track_caller]
    pub fn remount(&self, options: &str) {
        let options = format!("remount,{options}");
        output("mount", ["-o".as_ref(), options.as_ref(), self.path.as_os_str()]).unwrap();
    }

    /// Leaves no room for another byte.
    pub fn fill(&self) {
        let mut size = 1 << 20;
        let mut number = 0;
        while size > 0 {
            number += 1;
            if fs::write(self.path.join(format!("filler-{number}")), vec![1; size]).is_err() {
                size /= 2;
            }
        }
    }

    /// Removes what [`Device::fill`] wrote.
    pub fn make_room(&self) {
        for entry in fs::read_dir(&self.path).unwrap().flatten() {
            if entry.file_name().to_str().unwrap().starts_with("filler-") {
                fs::remove_file(entry.path()).unwrap();
            }
        }
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        if self.is_mounted {
            // Lazily: a process that was killed may still have a file open there.
            let _ = output("umount", ["-l".as_ref(), self.path.as_os_str()]);
        }
    }
}

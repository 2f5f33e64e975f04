//! Archives made by the system's `tar` in every format it has.
#![cfg(target_os = "linux")]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use dx_pkg_format::dxp::FileMode;

use super::super::SkippedKind;
use super::{paths, unpack_on_unix};

fn write(root: &Path, path: &str, data: &[u8], mode: u32) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, data).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
}

fn tar(root: &Path, format: &str) -> Vec<u8> {
    let format = format!("--format={format}");
    let output = Command::new("tar")
        .current_dir(root)
        .args([&format, "-czf", "-", "package"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    output.stdout
}

#[test]
fn every_format_of_tar_gives_the_files_it_was_given() {
    for format in ["v7", "ustar", "pax", "gnu", "oldgnu"] {
        let folder = tempfile::tempdir().unwrap();
        let mut files = BTreeMap::from([
            ("package.json".to_owned(), (b"{}".to_vec(), FileMode::PLAIN)),
            ("empty".to_owned(), (Vec::new(), FileMode::PLAIN)),
            ("bin/cli.js".to_owned(), (b"#!/usr/bin/env node\n".to_vec(), FileMode::EXECUTABLE)),
            ("lib/ünïcödé.js".to_owned(), (vec![1; 512], FileMode::PLAIN)),
            ("block".to_owned(), (vec![2; 513], FileMode::PLAIN)),
        ]);
        if format != "v7" {
            let folders = format!("{}/{}", "f".repeat(60), "g".repeat(60));
            files.insert(format!("{folders}/file.js"), (vec![3; 5000], FileMode::EXECUTABLE));
        }
        if !matches!(format, "v7" | "ustar") {
            files.insert(
                format!("{}/{}", "n".repeat(200), "m".repeat(250)),
                (vec![4; 7], FileMode::PLAIN),
            );
        }
        for (path, (data, mode)) in &files {
            write(&folder.path().join("package"), path, data, mode.bits());
        }
        let unpacked = unpack_on_unix(&tar(folder.path(), format)).unwrap();
        let found: BTreeMap<String, (Vec<u8>, FileMode)> = unpacked
            .entries()
            .iter()
            .map(|entry| (entry.path.to_owned(), (entry.data.to_vec(), entry.mode)))
            .collect();
        assert_eq!(found, files, "{format}");
    }
}

#[test]
fn links_that_tar_archived_are_skipped_in_every_format() {
    for format in ["ustar", "pax", "gnu"] {
        let folder = tempfile::tempdir().unwrap();
        let package = folder.path().join("package");
        write(&package, "a", b"a", 0o644);
        std::os::unix::fs::symlink("/etc/passwd", package.join("soft")).unwrap();
        if format != "ustar" {
            std::os::unix::fs::symlink("x".repeat(300), package.join("long")).unwrap();
        }
        fs::hard_link(package.join("a"), package.join("hard")).unwrap();
        let tgz = tar(folder.path(), format);
        let unpacked = unpack_on_unix(&tgz).unwrap_or_else(|error| panic!("{format}: {error}"));
        assert_eq!(paths(&unpacked).len(), 1, "{format}: one of the two names of a file is a link");
        let kinds: Vec<_> = unpacked.skipped().iter().map(|skipped| skipped.kind).collect();
        assert!(kinds.contains(&SkippedKind::Symlink), "{format}");
        assert!(kinds.contains(&SkippedKind::Hardlink), "{format}");
    }
}

//! Stores of earlier versions: a DXP file beside the expanded files of each package.

use std::fs;
use std::os::unix::fs::MetadataExt;

use dx_pkg_core::{Integrity, PackageId};
use dx_pkg_format::dxp::{self, FileEntry};
use dx_pkg_format::wire::Frame;
use dx_pkg_store::{Folder, Store};
use dx_pkg_testkit::{Project, Registry};

use crate::harness::{command, ok, required, stored};

/// Makes the packages of a project's store what earlier versions wrote.
pub(crate) fn as_earlier_version(project: &Project) {
    let store = Store::open(project.store()).unwrap();
    let records = stored(project).into_iter().filter(|name| name.ends_with(".dxt"));
    for name in records {
        let id = PackageId::from_hex(name.rsplit('/').next().unwrap().trim_end_matches(".dxt"));
        let id = id.unwrap();
        let package = store.open_package(id).unwrap().unwrap();
        let entries: Vec<_> = package.dxp().entries().collect();
        let contents: Vec<_> =
            entries.iter().map(|entry| package.read(entry).unwrap().into_owned()).collect();
        let files: Vec<_> = entries
            .iter()
            .zip(&contents)
            .map(|(entry, data)| FileEntry { path: entry.path, mode: entry.mode, data })
            .collect();
        let integrity = package.dxp().integrity().and_then(|text| Integrity::parse(text).ok());
        let packed = dxp::encode(&files, integrity.as_ref(), dxp::Compression::Stored).unwrap();
        let hex = id.to_string();
        let path = store.folder(Folder::Packages).join(&hex[..2]).join(&hex);
        fs::write(path.with_extension("dxp"), packed).unwrap();
        let frame = Frame { format: "record of expanded files", signature: *b"DXF\0", version: 1 };
        let mut record = frame.begin(24 * files.len());
        let paths = store.tmp_dir().unwrap().join(&hex);
        for entry in &entries {
            let (stored, earlier) =
                (store.file_path(id, entry.path).unwrap(), paths.join(entry.path));
            fs::create_dir_all(earlier.parent().unwrap()).unwrap();
            fs::hard_link(stored, &earlier).unwrap();
            let metadata = fs::metadata(earlier).unwrap();
            let mtime = metadata.mtime() * 1_000_000_000 + metadata.mtime_nsec();
            record.u64(metadata.ino());
            record.u64(metadata.len());
            record.bytes(&mtime.to_le_bytes());
        }
        fs::write(path.with_extension("files"), Frame::finish(record)).unwrap();
        fs::remove_file(path.with_extension("dxt")).unwrap();
        fs::remove_dir_all(store.expanded(id)).unwrap();
        fs::rename(paths, store.expanded(id)).unwrap();
    }
    // It had no key, by which its records could be told from others.
    fs::remove_file(store.root().join("key")).unwrap();
}

fn project() -> (Registry, Project) {
    let registry = Registry::start();
    registry
        .package("a", "1.0.0")
        .dep("b", "1")
        .bin("ay", "cli.js")
        .file("cli.js", "#!/usr/bin/env node\nconsole.log('ay')")
        .file("lib/index.js", "module.exports = 'a with ' + require('b')")
        .file("package.json", r#"{"name":"a","version":"1.0.0","main":"lib/index.js","bin":{"ay":"cli.js"},"dependencies":{"b":"1"}}"#)
        .publish();
    registry.package("b", "1.0.0").file("index.js", "module.exports = 'b'").publish();
    let project = Project::new(&registry).dep("a", "1").create();
    ok(&project, ["install"]);
    as_earlier_version(&project);
    assert!(stored(&project).iter().any(|name| name.ends_with(".dxp")));
    (registry, project)
}

#[test]
fn the_store_of_an_earlier_version_is_installed_from_without_the_network() {
    let (registry, project) = project();
    registry.stop();
    for trees in ["0", "1"] {
        project.remove("node_modules");
        let dx = |args: &[&str]| {
            command(&project).env("DX_PREPARED_TREES", trees).args(args).run().success()
        };
        dx(&["ci", "--offline"]);
        assert_eq!(required(&project, "a"), "a with b");
        dx(&["store", "verify"]);
    }
}

#[test]
fn maintenance_takes_over_the_store_of_an_earlier_version_and_loses_nothing() {
    let (registry, project) = project();
    registry.stop();
    ok(&project, ["store", "maintain"]);
    let names = stored(&project);
    assert_eq!(names.iter().filter(|name| name.ends_with(".dxt")).count(), 2, "{names:?}");
    assert_eq!(names.len(), 2, "nothing is kept twice: {names:?}");
    ok(&project, ["store", "verify"]);
    project.remove("node_modules");
    ok(&project, ["ci", "--offline"]);
    assert_eq!(required(&project, "a"), "a with b");
}

#[test]
fn a_file_altered_under_an_earlier_version_is_restored_by_it() {
    let (registry, project) = project();
    registry.stop();
    project.write("node_modules/b/index.js", "module.exports = 'altered'");
    project.remove("node_modules/a");
    ok(&project, ["ci", "--offline"]);
    assert_eq!(required(&project, "a"), "a with b");
    ok(&project, ["store", "verify"]);
}

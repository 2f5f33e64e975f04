//! Garbage collection: what it may remove, and what it never does.

use crate::people::{add_user, publish, send};
use crate::server::{Server, command, path_of, tarball};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Runs `dx-registry gc` over the folder of a server and returns what it prints.
fn gc(server: &Server, arguments: &[&str]) -> String {
    let mut gc = command(server.folder.path());
    let output = gc.env("DX_REGISTRY_CACHE__SIZE", "1").arg("gc").args(arguments).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Makes all files of the storage two hours old.
fn age(server: &Server) {
    let hours_ago = SystemTime::now() - Duration::from_secs(7200);
    for file in files(&server.storage()) {
        let file = std::fs::File::options().append(true).open(file).unwrap();
        file.set_modified(hours_ago).unwrap();
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

#[test]
fn no_name_of_a_package_or_a_user_makes_it_garbage() {
    let server = Server::start("none");
    let user = add_user(&server, "temporary");
    let long = "n".repeat(206);
    let scoped = format!("@acme/{}", "m".repeat(205));
    let names = ["temporary", "@temporary/temporary", &long, &scoped];
    for name in names {
        assert_eq!(publish(&server, &user, name, "1.0.0", &[]), 201, "{name}");
    }
    age(&server);
    let text = gc(&server, &[]);
    assert!(text.starts_with("removed 0 files of interrupted writes and 0 of the cache"), "{text}");
    let beside = server.beside("none");
    for name in names {
        assert_eq!(beside.versions(name), ["1.0.0"]);
        let bare = name.rsplit('/').next().unwrap();
        let file = format!("{}/-/{bare}-1.0.0.tgz", path_of(name));
        assert_eq!(beside.get(&file).body, tarball(name, "1.0.0"), "{name}");
        let found = beside.get(&format!("/-/v1/search?text={bare}")).json();
        assert!(found["total"].as_u64().unwrap() > 0, "{name}: {found}");
    }
    assert_eq!(send(&beside, &user, "GET", "/-/whoami", None).status, 200);
}

#[test]
fn a_dry_run_counts_what_would_be_removed_now() {
    let upstream = dx_pkg_testkit::Registry::start();
    upstream.package("young", "1.0.0").publish();
    let server = Server::start(upstream.url());
    server.get("/young/-/young-1.0.0.tgz");
    for arguments in [&["--dry-run"][..], &[]] {
        let text = gc(&server, arguments);
        assert!(text.contains("0 files of interrupted writes and 0 of the cache"), "{text}");
    }
    age(&server);
    let count = |text: String| text.split_once(" files").unwrap().1.to_owned();
    assert_eq!(count(gc(&server, &["--dry-run"])), count(gc(&server, &[])));
    assert!(gc(&server, &[]).contains("0 of the cache"), "they are gone");
}

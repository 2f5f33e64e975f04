//! Lockfiles of version 4, as npm 12.2.2 writes them.

use dx_pkg_lock::{Lock, Patched};

use super::{read, write, write_hidden};

/// Written by npm 12.2.2 for a project without a lockfile, but for addresses and digests.
const WRITTEN: &str = r#"{
  "lockfileVersion": 4,
  "requires": true,
  "packages": {
    "": {
      "name": "e1",
      "version": "1.0.0",
      "packageExtensionsHash": "sha512-D8WgV3CuQLsWoEb1lLFdJR+egM7dzPH4WrvTWbeU6LTeMa4Gd3A7IEKxMSoIvMMPJowG9IiqD7/mer85yjU78w==",
      "dependencies": {
        "a": "1.0.0"
      }
    },
    "node_modules/a": {
      "version": "1.0.0",
      "integrity": "sha512-a",
      "dependencies": {
        "b": "^1.0.0",
        "c": "^2.0.0"
      },
      "packageExtensionsApplied": {
        "dependencies": [
          "c"
        ],
        "selector": "a@1"
      },
      "patched": {
        "integrity": "sha512-p",
        "path": "patches/a.patch"
      }
    },
    "node_modules/b": {
      "version": "1.2.0",
      "integrity": "sha512-b"
    }
  }
}
"#;

fn rewritten(lock: &Lock, previous: Option<&Lock>, text: Option<&str>) -> String {
    let mut lock = lock.clone();
    lock.set_format_version(previous);
    write(&lock, text)
}

#[test]
fn what_npm_writes_is_read_and_written() {
    let lock = read(WRITTEN).unwrap();
    assert_eq!((lock.format_version, lock.name.as_deref()), (4, None));
    let patched = lock.get("node_modules/a").unwrap().patched.clone();
    let (path, integrity) = ("patches/a.patch".to_owned(), "sha512-p".to_owned());
    assert_eq!(patched, Some(Patched { path, integrity }));
    // A new one has neither name nor version, whatever the project has.
    let named = Lock { name: Some("e1".to_owned()), ..lock.clone() };
    assert_eq!(rewritten(&named, None, None), WRITTEN);
    assert_eq!(rewritten(&named, Some(&lock), Some(WRITTEN)), WRITTEN);
    let hidden = write_hidden(&lock);
    assert!(hidden.starts_with("{\n  \"lockfileVersion\": 3,"), "{hidden}");
    assert!(hidden.contains("packageExtensionsApplied") && hidden.contains("\"patched\""));
}

#[test]
fn a_lockfile_becomes_one_of_version_4_and_stays_one() {
    let mut plain = read(WRITTEN).unwrap();
    for package in &mut plain.packages {
        package.extra.clear();
        package.patched = None;
    }
    let mut before = Lock { name: Some("old".to_owned()), ..plain.clone() };
    before.format_version = 3;
    let third = rewritten(&before, Some(&before), None);
    assert!(third.contains("\"lockfileVersion\": 3") && third.contains("\"name\": \"old\""));
    let altered = Lock { name: Some("new".to_owned()), ..read(WRITTEN).unwrap() };
    let fourth = rewritten(&altered, Some(&before), Some(&third));
    assert!(fourth.contains("\"lockfileVersion\": 4") && fourth.contains("\"name\": \"old\""));
    let previous = read(&fourth).unwrap();
    let again = rewritten(&plain, Some(&previous), Some(&fourth));
    assert!(again.contains("\"lockfileVersion\": 4"), "{again}");
    for gone in ["packageExtensionsHash", "packageExtensionsApplied", "patched"] {
        assert!(!again.contains(gone), "{gone}: {again}");
    }
}

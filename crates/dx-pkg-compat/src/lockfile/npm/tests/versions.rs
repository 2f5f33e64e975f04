//! Which version is written, and the part for old npm in versions 1 and 2.

use dx_pkg_lock::{Lock, LockPackage};

use super::super::{read, write, write_version_1};
use super::{V1, V2, V3};

/// The beginning of the part for old npm.
const OLD_PART: &str = "\n  \"dependencies\": {";

/// Returns what is written for the lock that `text` has, in its place.
fn again(text: &str) -> String {
    write(&read(text).unwrap(), Some(text))
}

fn of_version(text: &str, version: u8) -> Lock {
    Lock { format_version: version, ..read(text).unwrap() }
}

#[test]
fn every_version_is_written_from_every_other() {
    for previous in [None, Some(V1), Some(V2), Some(V3)] {
        assert_eq!(write_version_1(&of_version(V3, 1), previous, "{}"), V1);
    }
    for previous in [None, Some(V2), Some(V3)] {
        assert_eq!(write(&of_version(V3, 2), previous), V2);
        assert_eq!(write(&of_version(V2, 3), previous), V3);
    }
}

#[test]
fn version_1_has_the_layout_of_what_it_replaces() {
    let lock = of_version(V3, 1);
    let tabs = "{\n\t\"name\": \"odd\"\n}\n";
    for text in [
        write_version_1(&lock, Some(tabs), "{}"),
        write_version_1(&lock, None, tabs),
        write_version_1(&lock, Some("{\n\t\"lockfileVersion\": 3,\n<<<<<<< HEAD\n"), "{}"),
    ] {
        assert_eq!(text, V1.replace("  ", "\t"));
    }
}

#[test]
fn a_version_that_is_text_stays_text() {
    for (text, version) in [(V3, 3), (V2, 2)] {
        let written = format!("\"lockfileVersion\": {version}");
        let odd = text.replacen(&written, &format!("\"lockfileVersion\": \"{version}\""), 1);
        assert_eq!(again(&odd), odd);
    }
    // Not where another one is written.
    let odd = V1.replacen("\"lockfileVersion\": 1", "\"lockfileVersion\": \"1\"", 1);
    assert!(again(&odd).contains("\"lockfileVersion\": 3,"));
}

#[test]
fn a_version_that_says_nothing_counts_as_missing() {
    for version in ["0", "null", "false", "\"\""] {
        let other = format!("\"lockfileVersion\": {version}");
        let odd = V3.replacen("\"lockfileVersion\": 3", &other, 1);
        assert_eq!(read(&odd).unwrap().format_version, 1, "{version}");
        assert_eq!(again(&odd), V3, "{version}");
        let empty = format!("{{\"lockfileVersion\":{version}}}");
        assert_eq!(read(&empty).unwrap().format_version, 3, "{version}: nothing to complete");
    }
}

#[test]
fn the_part_for_old_npm_is_completed_though_nothing_else_changes() {
    let from = V2.find(OLD_PART).unwrap() + 1;
    let without = format!("{}\n}}\n", V2[..from].trim_end().trim_end_matches(','));
    assert_eq!(again(&without), V2, "it is missing");
    let start = V2.rfind("\"requires\": {").unwrap();
    let other = format!("{}\"bundled\": true,\n{}", &V2[..start], &V2[start..]);
    assert_eq!(again(&other), V2, "it says something else");
    let both = V2.replacen("\"lockfileVersion\": 2", "\"lockfileVersion\": \"3\"", 1);
    let third = V3.replacen("\"lockfileVersion\": 3", "\"lockfileVersion\": \"3\"", 1);
    assert_eq!(again(&both), third, "version 3 has none");
}

#[test]
fn the_part_for_old_npm_stays_as_it_is_spelt() {
    let value: serde_json::Value = serde_json::from_str(V2).unwrap();
    let one_line = serde_json::to_string(&value["dependencies"]).unwrap();
    let from = V2.find(OLD_PART).unwrap() + 1;
    let text = format!("{}  \"dependencies\": {one_line}\n}}\n", &V2[..from]);
    assert_eq!(again(&text), text);
}

#[test]
fn a_lockfile_that_lacks_requires_gets_it() {
    for odd in ["", "  \"requires\": false,\n", "  \"requires\": {},\n"] {
        assert_eq!(again(&V3.replacen("  \"requires\": true,\n", odd, 1)), V3, "{odd}");
    }
}

/// Written by npm 12.2.2 but for the addresses: the project bundles `own`, and `whole` bundles
/// `part`.
#[test]
fn only_what_is_in_a_package_is_bundled_for_old_npm() {
    let text = r#"{"lockfileVersion":3,"requires":true,"packages":{
        "":{"dependencies":{"own":"1","whole":"1"},"bundleDependencies":["own"]},
        "node_modules/own":{"version":"1.0.0","inBundle":true,"dependencies":{"below":"1"}},
        "node_modules/own/node_modules/below":{"version":"1.0.0","inBundle":true},
        "node_modules/whole":{"version":"1.0.0","bundleDependencies":["part"],"dependencies":{"part":"1"}},
        "node_modules/whole/node_modules/part":{"version":"1.0.0","inBundle":true},
        "node_modules/whole/node_modules/part/node_modules/inner":{"version":"1.0.0","inBundle":true}}}"#;
    let written = write_version_1(&of_version(text, 1), None, "{}");
    let value: serde_json::Value = serde_json::from_str(&written).unwrap();
    let tree = &value["dependencies"];
    let bundled = |entry: &serde_json::Value| entry.get("bundled").is_some();
    assert!(!bundled(&tree["own"]) && !bundled(&tree["own"]["dependencies"]["below"]));
    let part = &tree["whole"]["dependencies"]["part"];
    assert!(!bundled(&tree["whole"]) && bundled(part) && bundled(&part["dependencies"]["inner"]));
}

/// The part for old npm as npm 12.2.2 writes it: `user` is a linked folder.
#[test]
fn sources_are_written_for_old_npm_as_they_are_required() {
    let text = r#"{"lockfileVersion":3,"requires":true,"packages":{
        "":{"dependencies":{"user":"file:./lib/user","web":"https://a.example/web.tgz",
            "repo":"git://a.example/repo.git#main"}},
        "lib/user":{"version":"1.0.0","dependencies":{"tar":"file:./../../vendor/tar-1.0.0.tgz","BETA":"1","beta":"2"}},
        "lib/user/node_modules/tar":{"version":"1.0.0","resolved":"file:vendor/tar-1.0.0.tgz","integrity":"sha512-aa"},
        "node_modules/repo":{"version":"1.0.0","resolved":"git://a.example/repo.git#0123456789012345678901234567890123456789"},
        "node_modules/user":{"resolved":"lib/user","link":true},
        "node_modules/web":{"version":"1.0.0","resolved":"https://a.example/web.tgz","integrity":"sha512-aa"}}}"#;
    let written = write_version_1(&of_version(text, 1), None, "{}");
    let tree: serde_json::Value = serde_json::from_str(&written).unwrap();
    let repo = "git://a.example/repo.git#0123456789012345678901234567890123456789";
    let expected = serde_json::json!({
        "repo": {"version": repo, "from": "repo@git://a.example/repo.git#main"},
        "user": {
            "version": "file:lib/user",
            // Of names that differ only in their case the last one counts.
            "requires": {"tar": "file:../../vendor/tar-1.0.0.tgz", "BETA": "1"},
            "dependencies": {
                "tar": {"version": "file:../../vendor/tar-1.0.0.tgz", "integrity": "sha512-aa"},
            },
        },
        "web": {"version": "https://a.example/web.tgz", "integrity": "sha512-aa"},
    });
    assert_eq!(tree["dependencies"], expected);
}

/// Written by npm 12.2.2 but for the addresses: no registry has `absent`, and nothing requires
/// `stray`.
#[test]
fn places_without_a_package_are_those_of_old_npm_only() {
    let text = r#"{"lockfileVersion":3,"requires":true,"packages":{
        "":{"dependencies":{"a":"1"}},
        "node_modules/a":{"version":"1.0.0","optionalDependencies":{"absent":"9"}},
        "node_modules/a/node_modules/absent":{"optional":true},
        "node_modules/stray":{"version":"1.0.0","resolved":"https://a.example/stray-1.0.0.tgz","extraneous":true}}}"#;
    let mut lock = of_version(text, 1);
    assert!(lock.get("node_modules/a/node_modules/absent").is_none(), "no package");
    let path = "node_modules/a/node_modules/absent".to_owned();
    lock.left_out = vec![LockPackage { path, optional: true, ..LockPackage::default() }];
    let written = write_version_1(&lock, None, "{}");
    let tree: serde_json::Value = serde_json::from_str(&written).unwrap();
    let expected = serde_json::json!({
        "a": {
            "version": "1.0.0",
            "requires": {"absent": "9"},
            "dependencies": {"absent": {"optional": true}},
        },
        "stray": {"version": "https://a.example/stray-1.0.0.tgz", "extraneous": true},
    });
    assert_eq!(tree["dependencies"], expected);
    assert_eq!(read(&written).unwrap().packages.len(), 3, "nor one in version 1");
}

#[test]
fn part_for_old_clients_names_the_address_of_an_entry_without_a_version() {
    let text = r#"{"lockfileVersion":2,"packages":{
        "":{"dependencies":{"a":"^1.0.0"}},
        "node_modules/a":{"resolved":"https://registry.example/a/-/a-1.0.0.tgz"}}}"#;
    let written = write(&read(text).unwrap(), None);
    let written: serde_json::Value = serde_json::from_str(&written).unwrap();
    let expected = serde_json::json!({"version": "https://registry.example/a/-/a-1.0.0.tgz"});
    assert_eq!(written["dependencies"]["a"], expected);
}

#[test]
fn version_1_gives_no_digest_to_what_a_commit_proves() {
    let text = r#"{
  "name": "x", "version": "1.0.0", "lockfileVersion": 1, "requires": true,
  "dependencies": {
    "a": {"version": "user/repository", "integrity": "sha512-a"},
    "b": {"version": "1.0.0", "integrity": "sha512-b"}
  }
}"#;
    let lock = read(text).unwrap();
    let integrity = |path| lock.get(path).unwrap().integrity.as_deref();
    assert_eq!(integrity("node_modules/a"), None);
    assert_eq!(integrity("node_modules/b"), Some("sha512-b"));
    assert_eq!(read(&write(&lock, Some(text))).unwrap().packages, lock.packages);
}

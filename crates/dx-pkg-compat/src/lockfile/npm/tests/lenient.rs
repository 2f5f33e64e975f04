//! What other tools, hands and merges leave in a lockfile, as npm reads it.

use dx_pkg_core::Coded;
use dx_pkg_lock::LockPackage;

use super::super::{read, write};
use super::pair;

/// Returns the entry of `node_modules/a` with this member.
fn with(member: &str) -> LockPackage {
    let text = text_with(member);
    let lock = read(&text).unwrap_or_else(|error| panic!("{member}: {error}"));
    assert_eq!(write(&lock, Some(&text)), text, "{member} is written anew");
    lock.get("node_modules/a").unwrap().clone()
}

fn text_with(member: &str) -> String {
    format!(
        "{{\n  \"lockfileVersion\": 3,\n  \"requires\": true,\n  \"packages\": {{\n    \
         \"node_modules/a\": {{\n      \"version\": \"1.0.0\",\n      {member}\n    }}\n  }}\n}}\n"
    )
}

#[test]
fn values_that_say_nothing_count_as_missing() {
    let bare = LockPackage {
        path: "node_modules/a".to_owned(),
        version: Some("1.0.0".to_owned()),
        ..LockPackage::default()
    };
    for member in [
        r#""bin": null"#,
        r#""bin": []"#,
        r#""bin": {"a": 1}"#,
        r#""os": null"#,
        r#""cpu": null"#,
        r#""dependencies": null"#,
        r#""dependencies": []"#,
        r#""dependencies": [ ]"#,
        r#""peerDependencies": []"#,
        r#""optionalDependencies": null"#,
        r#""resolved": """#,
        r#""resolved": false"#,
        r#""integrity": """#,
        r#""integrity": null"#,
        r#""dev": null"#,
        r#""optional": 0"#,
        r#""peer": """#,
    ] {
        assert_eq!(with(member), bare, "{member}");
    }
}

#[test]
fn a_version_that_is_a_number_counts_as_missing() {
    let text = text_with(r#""dev": true"#).replace("\"version\": \"1.0.0\"", "\"version\": 1");
    let lock = read(&text).unwrap();
    assert_eq!(lock.get("node_modules/a").unwrap().version, None);
    assert_eq!(write(&lock, Some(&text)), text);
}

#[test]
fn marks_are_set_by_whatever_npm_takes_for_true() {
    assert!(with(r#""optional": "true""#).optional);
    assert!(with(r#""dev": 1"#).dev);
    assert!(with(r#""hasInstallScript": "yes""#).has_install_script);
}

#[test]
fn a_command_without_a_name_has_that_of_the_package() {
    assert_eq!(with(r#""bin": "cli.js""#).bin, [pair("a", "cli.js")]);
    assert_eq!(with(r#""bin": "cli.js", "name": "@s/other""#).bin, [pair("other", "cli.js")]);
}

#[test]
fn values_of_other_kinds_are_named() {
    for member in [r#""dependencies": ["a"]"#, r#""os": {}"#, r#""resolved": 1"#] {
        assert_eq!(read(&text_with(member)).unwrap_err().code(), "DX_LOCKFILE_VALUE", "{member}");
    }
}

#[test]
fn a_version_of_the_format_may_be_text() {
    for (version, read_as) in [("\"1\"", 1), ("\"2\"", 2), ("\"3\"", 3)] {
        let text = format!("{{\"lockfileVersion\":{version},\"packages\":{{\"\":{{}}}}}}");
        assert_eq!(read(&text).unwrap().format_version, read_as);
    }
    let text = text_with("\"dev\": true").replace("n\": 3", "n\": \"2\"");
    let written = write(&read(&text).unwrap(), Some(&text));
    assert!(written.contains("\"lockfileVersion\": \"2\","), "{written}");
    assert!(written.contains("\"dependencies\""), "the part for old npm\n{written}");
    assert!(read("{\"lockfileVersion\":\"three\",\"packages\":{}}").is_err());
}

#[test]
fn a_lockfile_with_nothing_in_it_is_empty() {
    for text in [
        r#"{"lockfileVersion":3,"packages":null}"#,
        r#"{"lockfileVersion":3,"packages":[]}"#,
        r#"{"lockfileVersion":1,"dependencies":null}"#,
    ] {
        assert!(read(text).unwrap().packages.is_empty(), "{text}");
    }
    let one = read(r#"{"lockfileVersion":1,"dependencies":[]}"#).unwrap();
    assert_eq!(one.packages.len(), 1, "the project's own");
}

#[test]
fn version_1_takes_a_missing_version_from_the_tarballs_address() {
    let entry = |name: &str, members: &str| {
        let text = format!("{{\"lockfileVersion\":1,\"dependencies\":{{\"{name}\":{members}}}}}");
        let lock = read(&text).unwrap_or_else(|error| panic!("{members}: {error}"));
        let entry = lock.get(&format!("node_modules/{name}")).unwrap().clone();
        (entry.name, entry.version)
    };
    let version = |version: &str| (None, Some(version.to_owned()));
    let at = |name: &str, more: &str| {
        format!("{{{more}\"resolved\":\"https://registry.example/{name}/-/a-1.2.3.tgz\"}}")
    };
    assert_eq!(entry("a", &at("a", "")), version("1.2.3"));
    assert_eq!(entry("@s/a", &at("@s/a", "")), version("1.2.3"));
    assert_eq!(entry("@s/a", &at("@s%2fa", "")), version("1.2.3"));
    for text in ["1", "null", "false", "\"\"", "\"latest\"", "\"^1.0.0\""] {
        assert_eq!(entry("a", &at("a", &format!("\"version\":{text},"))), version("1.2.3"));
    }
    assert_eq!(entry("alias", &at("a", "")), (Some("a".to_owned()), Some("1.2.3".to_owned())));
    assert_eq!(entry("a", &at("a", "\"version\":\"2.0.0\",")), version("2.0.0"));
    assert_eq!(entry("a", "{\"resolved\":\"https://files.example/download?id=7\"}"), (None, None));
}

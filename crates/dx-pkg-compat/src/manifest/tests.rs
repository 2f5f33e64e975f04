//! Reading: npm's normalisation and tolerance, and the texts of errors.

use dx_pkg_core::Coded;
use serde_json::json;

use super::*;

fn manifest(value: Value) -> Manifest {
    Manifest::parse(&value.to_string()).unwrap()
}

fn pairs(entries: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(a, b): &(&str, &str)| ((*a).to_owned(), (*b).to_owned());
    entries.iter().map(owned).collect()
}

#[test]
fn every_field_is_read() {
    let read = manifest(json!({
        "name": "@scope/app", "version": "1.2.3", "private": true, "type": "module",
        "dependencies": {"z": "1", "a": "2"}, "devDependencies": {"d": "3"},
        "optionalDependencies": {"o": "4"}, "peerDependencies": {"p": "5", "q": "6"},
        "peerDependenciesMeta": {"p": {"optional": true}, "q": {}},
        "overrides": {"b": "1", "a": {".": "2"}}, "engines": {"node": ">=18"},
        "os": ["linux", "!win32"], "cpu": "x64", "libc": ["glibc"],
        "directories": {"bin": "./tools/"}, "scripts": {"test": "t", "build": "b"},
        "packageManager": "pnpm@9.1.0", "devEngines": {"runtime": {"name": "node"}},
        "license": {"type": "MIT"}, "allowScripts": {"a": true, "b@1.0.0": false, "c": "yes"},
    }));
    assert_eq!(read.name.as_deref(), Some("@scope/app"));
    assert_eq!(read.version.as_deref(), Some("1.2.3"));
    assert!(read.private);
    assert_eq!(read.module_type.as_deref(), Some("module"));
    assert_eq!(read.section(Section::Dependencies), pairs(&[("z", "1"), ("a", "2")]));
    assert_eq!(read.section(Section::Dev), pairs(&[("d", "3")]));
    assert_eq!(read.section(Section::Optional), pairs(&[("o", "4")]));
    assert_eq!(read.section(Section::Peer), pairs(&[("p", "5"), ("q", "6")]));
    assert_eq!(read.peer_meta, [("p".to_owned(), true), ("q".to_owned(), false)]);
    let overrides: Vec<&String> =
        read.overrides.as_ref().unwrap().as_object().unwrap().keys().collect();
    assert_eq!(overrides, ["b", "a"]);
    assert_eq!(read.engines, pairs(&[("node", ">=18")]));
    assert_eq!(
        (read.os, read.cpu, read.libc),
        (
            vec!["linux".to_owned(), "!win32".to_owned()],
            vec!["x64".to_owned()],
            vec!["glibc".to_owned()],
        )
    );
    assert_eq!(read.directories_bin.as_deref(), Some("tools/"));
    assert_eq!(read.scripts, pairs(&[("test", "t"), ("build", "b")]));
    assert_eq!(read.package_manager.as_deref(), Some("pnpm@9.1.0"));
    assert_eq!(read.dev_engines, Some(json!({"runtime": {"name": "node"}})));
    assert_eq!(read.license.as_deref(), Some("MIT"));
    assert_eq!(read.allow_scripts, [("a".to_owned(), true), ("b@1.0.0".to_owned(), false)]);
    assert_eq!(read.raw["name"], "@scope/app");
}

#[test]
fn byte_order_mark_is_tolerated() {
    assert_eq!(Manifest::parse("\u{feff}{\"name\":\"a\"}").unwrap().name.as_deref(), Some("a"));
}

#[test]
fn half_of_a_surrogate_pair_is_tolerated() {
    let manifest = Manifest::parse(r#"{"name":"a","license":"cut \ud83d"}"#).unwrap();
    assert_eq!(manifest.license.as_deref(), Some("cut \u{fffd}"));
}

#[test]
fn optional_dependencies_leave_dependencies() {
    let read = manifest(json!({
        "dependencies": {"a": "1", "b": "2"}, "optionalDependencies": {"b": "3"},
    }));
    assert_eq!(read.dependencies, pairs(&[("a", "1")]));
    assert_eq!(read.optional_dependencies, pairs(&[("b", "3")]));
}

#[test]
fn sections_of_another_shape_are_ignored() {
    let read = manifest(json!({
        "dependencies": ["a"], "devDependencies": null, "peerDependencies": "a",
        "overrides": [], "scripts": {"a": 1, "b": "x"}, "engines": ["node"], "workspaces": false,
    }));
    assert!(read.dependencies.is_empty() && read.dev_dependencies.is_empty());
    assert!(read.peer_dependencies.is_empty() && read.engines.is_empty());
    assert_eq!((read.overrides, read.workspaces), (None, None));
    assert_eq!(read.scripts, pairs(&[("b", "x")]));
}

#[test]
fn sections_of_a_project_are_objects_or_say_nothing() {
    for nothing in [json!(null), json!([]), json!(""), json!(false), json!(0), json!({})] {
        let read = manifest(json!({ "devDependencies": nothing }));
        assert_eq!(read.check_sections().map_err(|error| error.to_string()), Ok(()));
    }
    for other in [json!(["a"]), json!("a"), json!(5), json!(true)] {
        let error = manifest(json!({ "optionalDependencies": other })).check_sections();
        let error = error.unwrap_err();
        assert_eq!(error.code(), "DX_MANIFEST_DEPENDENCY");
        assert!(error.to_string().contains("optionalDependencies"), "{error}");
    }
}

#[test]
fn dependency_that_is_no_string_is_an_error() {
    let error = Manifest::parse(r#"{"devDependencies": {"a\u001b": 1}}"#).unwrap_err();
    assert_eq!(error.code(), "DX_MANIFEST_DEPENDENCY");
    let text = error.to_string();
    assert!(text.contains("a number") && text.contains("devDependencies"), "{text}");
    assert!(!text.contains('\u{1b}'), "control characters reach the terminal");
}

#[test]
fn numeric_names_come_first_as_in_javascript() {
    let read = manifest(json!({"dependencies": {"b": "1", "10": "1", "2": "1", "01": "1"}}));
    let names: Vec<&str> = read.dependencies.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["2", "10", "b", "01"]);
}

#[test]
fn bundled_dependencies_take_every_spelling() {
    let bundled = |value: Value| manifest(value).bundle_dependencies;
    assert_eq!(bundled(json!({"bundledDependencies": ["a"]})), ["a"]);
    assert_eq!(
        bundled(json!({"bundleDependencies": true, "dependencies": {"x": "1", "y": "1"}})),
        ["x", "y"]
    );
    assert_eq!(bundled(json!({"bundleDependencies": {"k": 1}})), ["k"]);
    assert!(bundled(json!({"bundleDependencies": false, "bundledDependencies": ["a"]})).is_empty());
    assert!(bundled(json!({"bundleDependencies": "a"})).is_empty());
}

#[test]
fn funding_is_what_a_lockfile_stores() {
    let funding = |value: Value| manifest(json!({"funding": value})).funding;
    assert_eq!(funding(json!("https://f.example")), Some(json!({"url": "https://f.example"})));
    assert_eq!(funding(json!(["a", {"url": "b"}])), Some(json!(["a", {"url": "b"}])));
    assert_eq!(funding(json!({"type": "t", "url": "u"})), Some(json!({"type": "t", "url": "u"})));
    assert_eq!([funding(json!({})), funding(json!([])), funding(json!(""))], [None, None, None]);
}

#[test]
fn install_scripts_are_noticed() {
    for name in ["preinstall", "install", "postinstall"] {
        assert!(manifest(json!({"scripts": {name: "x"}})).has_install_script, "{name}");
    }
    assert!(manifest(json!({"hasInstallScript": true})).has_install_script);
    assert!(!manifest(json!({"scripts": {"prepare": "x", "install": ""}})).has_install_script);
}

#[test]
fn workspaces_are_a_list_or_an_object_with_packages() {
    let patterns = |value: Value| manifest(json!({"workspaces": value})).workspace_patterns();
    assert_eq!(patterns(json!(["a/*", "!a/b"])).unwrap(), ["a/*", "!a/b"]);
    assert_eq!(patterns(json!({"packages": ["c"], "nohoist": []})).unwrap(), ["c"]);
    assert!(patterns(json!(null)).unwrap().is_empty());
    assert_eq!(patterns(json!("a")).unwrap_err().code(), "DX_MANIFEST_WORKSPACES");
    assert_eq!(patterns(json!(["a", 1])).unwrap_err().code(), "DX_MANIFEST_WORKSPACES");
    assert_eq!(patterns(json!({})).unwrap_err().code(), "DX_MANIFEST_WORKSPACES");
}

#[test]
fn bin_names_and_paths_cannot_escape() {
    let bin = |value: Value| manifest(json!({"name": "@scope/tool", "bin": value})).bin;
    assert_eq!(bin(json!("./cli.js")), pairs(&[("tool", "cli.js")]));
    assert_eq!(bin(json!("../../../etc/passwd")), pairs(&[("tool", "etc/passwd")]));
    assert_eq!(
        bin(json!({"../../up": "/abs/x", "a\\b": "c:\\y", "ok": "lib//./z.js"})),
        pairs(&[("ok", "lib/z.js"), ("up", "abs/x"), ("b", "c/y")])
    );
    assert_eq!(bin(json!({"..": "x", "": "x", "a": "", "b": "..", "c": 1})), []);
    assert_eq!(
        bin(json!(["./a.js", "sub/b.js"])),
        pairs(&[("a.js", "a.js"), ("b.js", "sub/b.js")])
    );
    assert_eq!(Manifest::parse(r#"{"bin": "x"}"#).unwrap().bin, []);
}

#[test]
fn renamed_bin_overwrites_a_later_one_of_that_name() {
    let read = manifest(json!({"name": "x", "bin": {"d/b": "first", "b": "second"}}));
    assert_eq!(read.bin, pairs(&[("b", "first")]));
}

#[test]
fn syntax_errors_say_where_and_what() {
    let error = Manifest::parse("{\n  \"name\": \"a\",\n}\n").unwrap_err();
    assert_eq!(error.code(), "DX_MANIFEST_SYNTAX");
    assert!(error.to_string().contains("line 3, column 1: trailing comma"), "{error}");
    assert!(error.hint().is_some());
    let empty = Manifest::parse(" \n").unwrap_err().to_string();
    assert!(empty.contains("the file is empty"), "{empty}");
}

#[test]
fn merge_conflict_is_named_as_such() {
    let text = "{\n<<<<<<< HEAD\n\"a\": 1\n=======\n\"a\": 2\n>>>>>>> other\n}";
    let error = Manifest::parse(text).unwrap_err();
    assert_eq!(error, ManifestError::MergeConflict { line: 2 });
    assert_eq!(error.code(), "DX_MANIFEST_CONFLICT");
}

#[test]
fn text_that_is_no_object_is_refused() {
    for (text, found) in [("[]", "a list"), ("\"x\"", "a string"), ("null", "null")] {
        assert_eq!(Manifest::parse(text).unwrap_err(), ManifestError::NotAnObject { found });
    }
}

#[test]
fn deep_nesting_is_an_error_and_no_crash() {
    let deep = format!("{{\"a\":{}", "[".repeat(90_000));
    assert_eq!(Manifest::parse(&deep).unwrap_err().code(), "DX_MANIFEST_SYNTAX");
}

//! The fields of a manifest in every shape that was ever published.

use super::super::time::milliseconds;
use super::{encoded, only, with_fields};

#[test]
fn optional_dependencies_are_not_dependencies_as_well() {
    let packument = with_fields(
        r#""dependencies":{"b":"1","c":"1","d":"1"},"optionalDependencies":{"c":"2","e":"1"}"#,
    );
    let version = only(&packument);
    assert_eq!(version.dependencies().collect::<Vec<_>>(), [("b", "1"), ("d", "1")]);
    assert_eq!(version.optional_dependencies().collect::<Vec<_>>(), [("c", "2"), ("e", "1")]);
}

#[test]
fn dependencies_of_another_shape_are_none() {
    for value in ["null", "[]", r#"["b","c"]"#, r#""b""#, "true", "1", r#"{"b":null,"c":1,"d":{}}"#]
    {
        let packument = with_fields(&format!(
            r#""dependencies":{value},"optionalDependencies":{value},"peerDependencies":{value},"peerDependenciesMeta":[1]"#
        ));
        let version = only(&packument);
        let count = version.dependencies().len()
            + version.optional_dependencies().len()
            + version.peer_dependencies().len();
        assert_eq!(count, 0, "{value}");
    }
}

#[test]
fn peer_meta_is_optional_by_javascripts_truth() {
    let packument = with_fields(
        r#""peerDependenciesMeta":{"a":{"optional":true},"b":{"optional":"yes"},"c":{"optional":0},"d":null,"e":{"x":1,"optional":1}}"#,
    );
    let meta: Vec<_> = only(&packument).peer_meta().collect();
    assert_eq!(meta, [("a", true), ("b", true), ("c", false), ("d", false), ("e", true)]);
}

#[test]
fn bundled_dependencies_have_two_spellings_and_four_shapes() {
    let dependencies = r#""dependencies":{"b":"1","c":"1"},"optionalDependencies":{"c":"1"}"#;
    for (fields, expected, all) in [
        (r#""bundleDependencies":["b",3]"#, &["b"][..], false),
        (r#""bundledDependencies":["b"]"#, &["b"], false),
        (r#""bundleDependencies":["b"],"bundledDependencies":["c"]"#, &["b"], false),
        (r#""bundleDependencies":true"#, &["b", "c"], true),
        (r#""bundleDependencies":{"c":"1"}"#, &["c"], false),
        (r#""bundleDependencies":false,"bundledDependencies":["c"]"#, &[], false),
        (r#""bundleDependencies":null,"bundledDependencies":["c"]"#, &[], false),
        (r#""bundleDependencies":"b""#, &[], false),
    ] {
        let packument = with_fields(&format!("{dependencies},{fields}"));
        let version = only(&packument);
        assert_eq!(version.bundled().collect::<Vec<_>>(), expected, "{fields}");
        assert_eq!(version.bundles_all(), all, "{fields}");
    }
}

#[test]
fn engines_may_be_an_object_a_text_or_an_array() {
    for (value, expected) in [
        (r#"{"node":">=4","npm":null}"#, &[("node", ">=4")][..]),
        (r#""node >= 4""#, &[]),
        (r#"["node >= 4","rhino"]"#, &[("0", "node >= 4"), ("1", "rhino")]),
        ("[]", &[]),
        ("null", &[]),
        ("4", &[]),
    ] {
        let packument = with_fields(&format!(r#""engines":{value}"#));
        assert_eq!(only(&packument).engines().collect::<Vec<_>>(), expected, "{value}");
    }
}

#[test]
fn platforms_may_be_a_text() {
    let packument = with_fields(r#""os":"linux","cpu":null,"libc":["musl",null]"#);
    let version = only(&packument);
    assert_eq!(version.os().collect::<Vec<_>>(), ["linux"]);
    assert_eq!(version.cpu().len(), 0);
    assert_eq!(version.libc().collect::<Vec<_>>(), [""], "what npm cannot read fits nowhere");
}

#[test]
fn unusual_values_are_kept_for_the_lockfile() {
    for (fields, expected) in [
        (r#""workspaces":["a"],"os":["linux"]"#, &[("workspaces", r#"["a"]"#)][..]),
        (r#""workspaces":{"packages":[]}"#, &[("workspaces", r#"{"packages":[]}"#)]),
        (r#""workspaces":[],"acceptDependencies":false,"os":"","cpu":0"#, &[]),
        (r#""os":"linux","cpu":["x64",1]"#, &[("os", r#""linux""#), ("cpu", r#"["x64",1]"#)]),
        (r#""engines":["a",{"b":1},"c"]"#, &[("engines", r#"["a",{"b":1},"c"]"#)]),
        (
            r#""engines":{"a":"1","b":null,"c":"2"}"#,
            &[("engines", r#"{"a":"1","b":null,"c":"2"}"#)],
        ),
        (
            r#""peerDependenciesMeta":{"a":{"optional":true},"b":{"optional":1},"c":{"optional":false}}"#,
            &[(
                "peerDependenciesMeta",
                r#"{"a":{"optional":true},"b":{"optional":1},"c":{"optional":false}}"#,
            )],
        ),
        (
            r#""peerDependenciesMeta":{"a":{"x":1,"optional":true}}"#,
            &[("peerDependenciesMeta", r#"{"a":{"x":1,"optional":true}}"#)],
        ),
        (r#""peerDependenciesMeta":{"a":{"optional":true}}"#, &[]),
        (r#""license":[1],"license":"MIT""#, &[]),
        (r#""license":{"type":[1]}"#, &[("license", "[1]")]),
    ] {
        let packument = with_fields(fields);
        assert_eq!(only(&packument).extra().collect::<Vec<_>>(), expected, "{fields}");
    }
}

#[test]
fn deprecation_counts_when_it_is_true_for_javascript() {
    for (value, expected) in [
        (r#""use b""#, Some("use b")),
        ("true", Some("true")),
        (r#"{"a":1}"#, Some(r#"{"a":1}"#)),
        ("{}", None),
        (r#""""#, None),
        ("false", None),
        ("null", None),
    ] {
        let packument = with_fields(&format!(r#""deprecated":{value}"#));
        assert_eq!(only(&packument).deprecated(), expected, "{value}");
    }
}

#[test]
fn license_is_what_npm_writes_to_the_lockfile() {
    for (value, expected) in [
        (r#""MIT""#, Some("MIT")),
        (r#""A \"B\"""#, Some("A \"B\"")),
        (r#"{"type":"MIT","url":"x"}"#, Some("MIT")),
        (r#"{"url" : "x y"}"#, None),
        (r#"[ "MIT" , "BSD" ]"#, None),
        ("[]", None),
        (r#""""#, None),
        ("null", None),
        ("true", None),
    ] {
        let packument = with_fields(&format!(r#""license":{value},"licenses":[{{"type":"GPL"}}]"#));
        assert_eq!(only(&packument).license(), expected, "{value}");
    }
}

#[test]
fn funding_is_compact_json_with_a_bare_url_in_an_object() {
    for (value, expected) in [
        (r#""https://x.example/a b""#, Some(r#"{"url":"https://x.example/a b"}"#)),
        (r#"{ "type": "a\" \\", "url" :"u" }"#, Some(r#"{"type":"a\" \\","url":"u"}"#)),
        ("[\n  {\"url\": \"u\"},\n  \"v\"\n]", Some(r#"[{"url":"u"},"v"]"#)),
        ("{ }", None),
        ("[]", None),
        (r#""""#, None),
        ("null", None),
        ("false", None),
    ] {
        let packument = with_fields(&format!(r#""funding":{value}"#));
        assert_eq!(only(&packument).funding_json(), expected, "{value}");
    }
}

#[test]
fn install_script_is_told_by_flag_or_scripts() {
    for (fields, expected) in [
        (r#""hasInstallScript":true"#, true),
        (r#""hasInstallScript":false"#, false),
        (r#""scripts":{"install":"x"}"#, true),
        (r#""scripts":{"preinstall":"x"}"#, true),
        (r#""scripts":{"postinstall":"x"}"#, true),
        (r#""scripts":{"postinstall":"","install":null,"prepare":"x"}"#, false),
        (r#""scripts":"install""#, false),
        (r#""gypfile":true"#, false),
        (r#""hasInstallScript":true,"scripts":{}"#, true),
    ] {
        let packument = with_fields(fields);
        assert_eq!(only(&packument).has_install_script(), expected, "{fields}");
    }
}

#[test]
fn shasum_stands_in_for_a_missing_integrity() {
    let shasum = "0b3f1df015e72dd7279b18b2f1d5597fd7328bd8";
    let as_sri = "sha1-Cz8d8BXnLdcnmxiy8dVZf9cyi9g=";
    for (dist, expected) in [
        (format!(r#"{{"shasum":"{shasum}"}}"#), Some(as_sri)),
        (format!(r#"{{"shasum":"{shasum}","integrity":""}}"#), Some(as_sri)),
        (format!(r#"{{"shasum":"{shasum}","integrity":"sha512-x"}}"#), Some("sha512-x")),
        (r#"{"shasum":"zz"}"#.to_owned(), None),
        (r#"{"shasum":17}"#.to_owned(), None),
    ] {
        let packument = with_fields(&format!(r#""dist":{dist}"#));
        assert_eq!(only(&packument).integrity(), expected, "{dist}");
    }
}

#[test]
fn missing_or_misshapen_dist_leaves_the_version_without_tarball() {
    for dist in [
        "null",
        "[]",
        "{}",
        r#"{"tarball":null,"unpackedSize":-1,"fileCount":1.5}"#,
        r#"{"unpackedSize":"1"}"#,
    ] {
        let packument = with_fields(&format!(r#""dist":{dist}"#));
        let version = only(&packument);
        assert_eq!((version.tarball(), version.integrity()), ("", None), "{dist}");
        assert_eq!((version.unpacked_size(), version.file_count()), (None, None), "{dist}");
    }
}

#[test]
fn bin_text_is_named_after_the_package() {
    let packument = encoded("@scope/tool", r#"{"versions":{"1.0.0":{"bin":"./cli.js"}}}"#);
    assert_eq!(only(&packument).bins().collect::<Vec<_>>(), [("tool", "cli.js")]);
    let aliased = encoded("a", r#"{"versions":{"1.0.0":{"bin":"cli.js","name":"real"}}}"#);
    assert_eq!(only(&aliased).bins().collect::<Vec<_>>(), [("real", "cli.js")]);
}

#[test]
fn bins_cannot_escape() {
    for (bin, expected) in [
        (r#"{"../../../etc/x":"../../../etc/passwd"}"#, &[("x", "etc/passwd")][..]),
        (r#"{"..":"a","/":"b",".":"c","":"d","a/..":"e"}"#, &[]),
        (r#"{"..\\..\\x":"C:\\windows\\cmd.exe"}"#, &[("x", "C/windows/cmd.exe")]),
        (r#"{"x":"/abs//./path/../y"}"#, &[("x", "abs/y")]),
        (r#"{"x":"./bin/"}"#, &[("x", "bin/")]),
        (r#"{"x":"..","y":"","z":"./"}"#, &[]),
        (r#"{"x\u0000":"a","y":"b\u0000"}"#, &[]),
        (r#"{"a:b":"x"}"#, &[("b", "x")]),
        (r#"{"x":null,"y":["z"],"ok":"o"}"#, &[("ok", "o")]),
        (r#"["bin/one.js","./two",3]"#, &[("one.js", "bin/one.js"), ("two", "two")]),
        (r#""""#, &[]),
        ("{}", &[]),
        ("true", &[]),
        ("7", &[]),
    ] {
        let packument = with_fields(&format!(r#""bin":{bin}"#));
        assert_eq!(only(&packument).bins().collect::<Vec<_>>(), expected, "{bin}");
    }
}

#[test]
fn bin_that_loses_its_folder_takes_the_place_of_its_namesake() {
    for bin in [r#"{"x":"1","d/x":"2","y":"3"}"#, r#"{"d/x":"2","x":"1","y":"3"}"#] {
        let packument = with_fields(&format!(r#""bin":{bin}"#));
        assert_eq!(only(&packument).bins().collect::<Vec<_>>(), [("x", "2"), ("y", "3")], "{bin}");
    }
}

#[test]
fn times_are_read_in_every_form_registries_write() {
    for (text, expected) in [
        ("1970-01-01T00:00:00.000Z", Some(0)),
        ("2000-02-29T12:00:00Z", Some(951_825_600_000)),
        ("2015-02-23T19:26:31.011Z", Some(1_424_719_591_011)),
        ("2025-12-28T22:08:26.400000+00:00", Some(1_766_959_706_400)),
        ("2026-01-01T01:30:00.5+01:30", Some(1_767_225_600_500)),
        ("2025-12-31T19:00:00-0500", Some(1_767_225_600_000)),
        ("2100-03-01T00:00:00.000Z", Some(4_107_542_400_000)),
        ("1969-12-31T23:59:59.999Z", None),
        ("2015-13-01T00:00:00Z", None),
        ("2015-02-23T19:26:31.011", None),
        ("2015-02-23", None),
        ("yesterday", None),
        ("2015-02-23T19:26:31.011Zé", None),
        ("", None),
    ] {
        assert_eq!(milliseconds(text), expected, "{text}");
    }
}

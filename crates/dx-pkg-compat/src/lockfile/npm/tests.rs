pub(super) mod properties;

mod lenient;
mod versions;

use dx_pkg_core::Coded;
use dx_pkg_lock::{Lock, LockPackage};

use super::{read, write, write_hidden};
use crate::lockfile::LockfileError;

/// A project with workspaces, aliases and folders in and out of it, as npm 12 writes it in each
/// version.
const V1: &str = include_str!("../../../fixtures/lockfile/odd-v1.json");
const V2: &str = include_str!("../../../fixtures/lockfile/odd-v2.json");
const V3: &str = include_str!("../../../fixtures/lockfile/odd-v3.json");
const HIDDEN: &str = include_str!("../../../fixtures/lockfile/odd-hidden.json");

fn entry<'a>(lock: &'a Lock, path: &str) -> &'a LockPackage {
    lock.get(path).unwrap_or_else(|| panic!("no entry {path}"))
}

fn pair(name: &str, spec: &str) -> (String, String) {
    (name.into(), spec.into())
}

#[test]
fn fields_are_read() {
    let lock = read(V3).unwrap();
    assert_eq!(
        (lock.name.as_deref(), lock.version.as_deref(), lock.format_version),
        (Some("odd"), Some("1.0.0"), 3)
    );
    let alias = entry(&lock, "node_modules/alias-react");
    assert_eq!((alias.package_name(), alias.version.as_deref()), ("react", Some("18.3.1")));
    assert_eq!(alias.engines.as_deref(), Some(r#"{"node":">=0.10.0"}"#));
    assert_eq!(alias.dependencies, [pair("loose-envify", "^1.1.0")]);
    assert!(entry(&lock, "node_modules/lodash").peer);
    assert!(entry(&lock, "node_modules/picocolors").optional);
    let debug = entry(&lock, "node_modules/debug");
    assert_eq!(
        (debug.dev, &debug.peer_dependencies_meta[..]),
        (true, &[("supports-color".to_owned(), true)][..])
    );
    assert_eq!(entry(&lock, "node_modules/loose-envify").bin, [pair("loose-envify", "cli.js")]);
    let out = entry(&lock, "node_modules/out");
    assert!(out.link && out.is_outside() && entry(&lock, "../outside").is_outside());
    assert_eq!(entry(&lock, "").workspaces.as_deref(), Some(r#"["packages/*"]"#));
}

#[test]
fn what_npm_wrote_is_written_again_byte_for_byte() {
    for (text, name) in [(V3, "v3"), (V2, "v2")] {
        let lock = read(text).unwrap();
        assert_eq!(write(&lock, Some(text)), text, "{name}");
    }
    // Without help from the previous text.
    assert_eq!(write(&read(V3).unwrap(), None), V3);
    let mut installed = read(V3).unwrap();
    installed.packages.retain(|package| !package.path.is_empty());
    assert_eq!(write_hidden(&read(V3).unwrap()), HIDDEN);
    assert_eq!(write_hidden(&installed), HIDDEN);
}

#[test]
fn version_2_keeps_its_tree_for_old_clients() {
    let mut lock = read(V2).unwrap();
    assert_eq!(lock.packages, read(V3).unwrap().packages);
    // Any change makes npm write the whole tree anew.
    lock.version = Some("2.0.0".into());
    let expected = V2.replacen("\"version\": \"1.0.0\"", "\"version\": \"2.0.0\"", 1);
    assert_eq!(write(&lock, Some(V2)), expected);
}

#[test]
fn version_1_is_upgraded() {
    let lock = read(V1).unwrap();
    assert_eq!(lock.format_version, 1);
    let new = read(V3).unwrap();
    for package in &new.packages {
        let old = entry(&lock, &package.path);
        assert_eq!(
            (&old.resolved, &old.integrity, old.link),
            (&package.resolved, &package.integrity, package.link)
        );
        if package.path.contains("node_modules") && !package.link {
            assert_eq!(
                (&old.name, &old.version),
                (&package.name, &package.version),
                "{}",
                package.path
            );
            assert_eq!(
                (&old.dependencies, old.dev, old.optional),
                (&package.dependencies, package.dev, package.optional)
            );
        }
    }
    let written = write(&lock, Some(V1));
    assert!(written.contains("\"lockfileVersion\": 3") && !written.contains("\"from\""));
    assert_eq!(read(&written).unwrap().packages, lock.packages);
}

#[test]
fn version_1_forms_are_understood() {
    let text = r#"{"name":"x","version":"1.0.0","lockfileVersion":1,"requires":true,"dependencies":{
        "git":{"version":"git+ssh://git@github.com/user/git.git#0123456789abcdef0123456789abcdef01234567","from":"git@github:user/git"},
        "url":{"version":"https://registry.example/url-1.2.3.tgz","integrity":"sha512-aa=="},
        "tar":{"version":"file:./tar-2.0.0.tgz"},
        "alias":{"version":"npm:@scope/real@1.0.0","resolved":"https://registry.example/real-1.0.0.tgz","integrity":"sha1-aa="},
        "dep":{"version":"1.0.0","bundled":true,"requires":{"opt":"^1","git":"*"},
            "dependencies":{"opt":{"version":"1.5.0","optional":true,"bundled":true}}}}}"#;
    let lock = read(text).unwrap();
    let git = entry(&lock, "node_modules/git");
    assert_eq!(git.version, None);
    assert_eq!(
        git.resolved.as_deref(),
        Some("git+ssh://git@github.com/user/git.git#0123456789abcdef0123456789abcdef01234567")
    );
    let url = entry(&lock, "node_modules/url");
    assert_eq!(
        (url.version.as_deref(), url.resolved.as_deref()),
        (Some("1.2.3"), Some("https://registry.example/url-1.2.3.tgz"))
    );
    let tar = entry(&lock, "node_modules/tar");
    assert_eq!(
        (tar.version.as_deref(), tar.resolved.as_deref(), tar.link),
        (Some("2.0.0"), Some("file:tar-2.0.0.tgz"), false)
    );
    let alias = entry(&lock, "node_modules/alias");
    assert_eq!((alias.package_name(), alias.version.as_deref()), ("@scope/real", Some("1.0.0")));
    let dep = entry(&lock, "node_modules/dep");
    assert!(dep.in_bundle);
    assert_eq!(dep.dependencies, [pair("git", "*")]);
    assert_eq!(dep.optional_dependencies, [pair("opt", "^1")]);
    assert!(entry(&lock, "node_modules/dep/node_modules/opt").optional);
}

#[test]
fn layout_of_the_replaced_file_is_kept() {
    let four = V3.replace("  ", "    ").replace('\n', "\r\n");
    let tabs = V3.replace("  ", "\t");
    for text in [four, tabs] {
        let mut lock = read(&text).unwrap();
        assert_eq!(write(&lock, Some(&text)), text);
        let ms =
            lock.packages.iter_mut().find(|package| package.path == "node_modules/ms").unwrap();
        ms.license = Some("BSD".into());
        let at = text.find("node_modules/ms\"").unwrap();
        let expected = format!("{}{}", &text[..at], text[at..].replacen("MIT", "BSD", 1));
        assert_eq!(write(&lock, Some(&text)), expected);
    }
}

#[test]
fn unchanged_entries_and_unknown_members_stay() {
    let text = "{\n  \"name\": \"x\",\n  \"lockfileVersion\": 3,\n  \"requires\": true,\n  \"custom\": [1.0, 2],\n  \"packages\": {\n    \"\": { \"name\":\"x\" },\n    \"node_modules/a\": {\n      \"version\": \"1.0.0\",   \"later\": {\"b\":1, \"a\":1.50}\n    },\n    \"node_modules/b\": {\n      \"version\": \"1.0.0\"\n    }\n  }\n}\n";
    let mut lock = read(text).unwrap();
    assert_eq!(entry(&lock, "node_modules/a").extra, [pair("later", r#"{"a":1.5,"b":1}"#)]);
    lock.packages[2].version = Some("1.0.1".into());
    lock.packages[1].extra.clear();
    let expected = text
        .replace("1.0.0\"\n    }\n  }", "1.0.1\"\n    }\n  }")
        .replace("[1.0, 2]", "[\n    1,\n    2\n  ]");
    assert_eq!(write(&lock, Some(text)), expected);
}

#[test]
fn half_of_a_surrogate_pair_is_tolerated() {
    let text = r#"{"lockfileVersion":3,"packages":{"node_modules/a":{"version":"1.0.0","deprecated":"cut \ud83d"}}}"#;
    assert_eq!(read(text).unwrap().packages[0].deprecated.as_deref(), Some("cut \u{fffd}"));
}

#[test]
fn byte_order_mark_and_line_endings_do_not_matter() {
    let text = format!("\u{feff}{}", V3.replace('\n', "\r\n"));
    assert_eq!(read(&text).unwrap(), read(V3).unwrap());
    assert_eq!(read("").unwrap().packages, []);
}

fn code(text: &str) -> Option<(&'static str, String)> {
    read(text).err().map(|error| (error.code(), error.to_string()))
}

#[test]
fn conflict_markers_are_named() {
    let text = V3.replacen("  \"packages\"", "<<<<<<< HEAD\n  \"packages\"", 1);
    assert_eq!(read(&text), Err(LockfileError::Conflict { line: 6 }));
    assert!(read(&text).unwrap_err().hint().unwrap().contains("git checkout --ours"));
}

#[test]
fn the_projects_own_version_must_be_one_that_can_be_written_again() {
    let text = |version: &str| {
        format!(
            "{{\"name\": \"a\", \"version\": \"{version}\", \"lockfileVersion\": 1, \"dependencies\": {{}}}}"
        )
    };
    assert!(matches!(read(&text("1/0.0")), Err(LockfileError::Value { .. })));
    assert!(read(&text("1.0.0")).is_ok());
}

#[test]
fn errors_say_where() {
    assert!(matches!(read("{\n  \"a\": nux\n}"), Err(LockfileError::Syntax { line: 2, .. })));
    assert!(matches!(read("[]"), Err(LockfileError::Syntax { line: 1, .. })));
    assert!(matches!(read("{} x"), Err(LockfileError::Syntax { .. })));
    assert_eq!(
        code("{\n\"lockfileVersion\":3,\"packages\":{\n\"node_modules/a\":\n{\"version\":{}}}}")
            .unwrap(),
        (
            "DX_LOCKFILE_VALUE",
            "reading the lockfile: line 4: `version` of \"node_modules/a\" is not a string"
                .to_owned()
        )
    );
    for (version, shown) in [("5", "5"), ("99.5", "99.5"), ("-1", "-1")] {
        let (code, message) =
            code(&format!("{{\"lockfileVersion\":{version},\"packages\":{{}}}}")).unwrap();
        assert_eq!(code, "DX_LOCKFILE_VERSION");
        assert!(message.contains(&format!("lockfileVersion is {shown},")), "{message}");
    }
    let patched = |patched: &str| {
        read(&format!(
            "{{\"lockfileVersion\":4,\"packages\":{{\"node_modules/a\":{{\"patched\":{patched}}}}}}}"
        ))
    };
    assert!(patched("{\"path\":\"a\",\"integrity\":\"sha512-x\"}").is_ok());
    for odd in ["true", "null", "{}", "{\"path\":\"a\"}", "{\"path\":1,\"integrity\":\"x\"}"] {
        let refused = patched(odd).unwrap_err();
        assert!(refused.to_string().contains("patched"), "{odd}: {refused}");
    }
}

#[test]
fn hostile_paths_are_refused() {
    let with = |path: &str, entry: &str| {
        let path = serde_json::Value::from(path);
        read(&format!("{{\"lockfileVersion\":3,\"packages\":{{\"\":{{}},{path}:{entry}}}}}"))
    };
    for path in [
        "..",
        "../x",
        "node_modules/../x",
        "node_modules/..",
        "node_modules/a/../../b",
        "packages/../../x",
        "/etc",
        "C:/x",
        "c:x",
        "node_modules\\a",
        "node_modules/a\\b",
        "node_modules",
        "node_modules/",
        "node_modules/@s",
        "node_modules/@s/",
        "node_modules/.bin",
        "node_modules/.bin/x",
        "node_modules/.dx",
        "node_modules/a/lib",
        "node_modules/a//b",
        "node_modules/./a",
        "./x",
        "node_modules/a\0b",
        "node_modules/node_modules",
        "node_modules/a/node_modules",
        "node_modules/@s/..",
        "node_modules/a b",
        "x/../../y",
        "Node_Modules/.bin",
        "node_modules/a/Node_Modules/.bin",
        "node_modules/a\n",
        "packages//x",
        "packages/x/",
    ] {
        assert!(matches!(with(path, "{}"), Err(LockfileError::Path { .. })), "{path:?} is taken");
    }
    for target in ["/etc", "x/../../y", "C:\\x", "a\\b", "a//b", "./a", "a\0"] {
        let entry = format!("{{\"link\":true,\"resolved\":{}}}", serde_json::Value::from(target));
        assert!(
            matches!(with("node_modules/a", &entry), Err(LockfileError::Path { .. })),
            "{target:?} is taken"
        );
    }
    assert!(matches!(with("node_modules/a", "{\"link\":true}"), Err(LockfileError::Path { .. })));
    assert!(matches!(
        with("packages/a", "{\"link\":true,\"resolved\":\"x\"}"),
        Err(LockfileError::Path { .. })
    ));
    for entry in [r#"{"name":"../x"}"#, r#"{"version":"1.0.0/../../x"}"#, r#"{"version":"1\\2"}"#] {
        assert!(
            matches!(with("node_modules/a", entry), Err(LockfileError::Value { .. })),
            "{entry} is taken"
        );
    }
    for path in [
        "packages/a",
        "apps/My App",
        "node_modules/A_b.c~d",
        "node_modules/@s/x/node_modules/y",
        "a/node_modules/b",
    ] {
        assert!(with(path, "{}").is_ok(), "{path:?} is refused");
    }
    let v1 = r#"{"lockfileVersion":1,"dependencies":{"../x":{"version":"1.0.0"}}}"#;
    assert_eq!(code(v1).unwrap().0, "DX_LOCKFILE_PATH");
    let v1 = r#"{"lockfileVersion":1,"dependencies":{"x":{"version":"file:/etc"}}}"#;
    assert_eq!(code(v1).unwrap().0, "DX_LOCKFILE_PATH");
}

#[test]
fn linked_folders_outside_are_kept_with_what_is_in_them() {
    let text = r#"{"lockfileVersion":3,"packages":{"":{},"../x":{"version":"1.0.0"},"../x/node_modules/y":{"version":"1.0.0"},
        "node_modules/x":{"resolved":"../x","link":true}}}"#;
    let lock = read(text).unwrap();
    assert!(lock.packages[1..].iter().all(LockPackage::is_outside));
    assert!(read(&text.replace("\"../x\":{", "\"../z\":{")).is_err());
}

#[test]
fn nesting_bombs_are_refused() {
    let deep = format!("{}{}", "{\"dependencies\":".repeat(5000), "}".repeat(5000));
    assert!(read(&deep).is_err());
    let mut tree = "{}".to_owned();
    for _ in 0..300 {
        tree = format!("{{\"a\":{{\"version\":\"1.0.0\",\"dependencies\":{tree}}}}}");
    }
    assert_eq!(
        code(&format!("{{\"lockfileVersion\":1,\"dependencies\":{tree}}}")).unwrap().0,
        "DX_LOCKFILE_VALUE"
    );
    let array = format!(
        "{{\"packages\":{{\"\":{{\"x\":{}{}}}}}}}",
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    let _ = read(&array).map(|lock| write(&lock, None));
}

/// `DX_NPM_LOCKS=folder cargo test -p dx-pkg-compat -- --ignored`: every lockfile of version 3 that
/// npm wrote there.
#[test]
#[ignore = "needs a folder of lockfiles that npm wrote, named by DX_NPM_LOCKS"]
fn real_lockfiles_survive() {
    let mut checked = 0;
    for file in std::fs::read_dir(std::env::var("DX_NPM_LOCKS").unwrap()).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let mut lock = read(&text).unwrap_or_else(|error| panic!("{path:?}: {error}"));
        assert!(write(&lock, Some(&text)) == text, "{path:?} with the previous text");
        match lock.format_version {
            3 if lock.root().is_none() => assert!(write_hidden(&lock) == text, "{path:?} hidden"),
            3 => assert!(write(&lock, None) == text, "{path:?} from nothing"),
            _ => {
                lock.name = Some("renamed".into());
                let again = write(&lock, Some(&text)).replacen(
                    "\"renamed\"",
                    &serde_json::to_string(&read(&text).unwrap().name).unwrap(),
                    1,
                );
                assert!(again == text, "{path:?} tree made anew");
            }
        }
        checked += 1;
    }
    assert!(checked > 0);
}

#[test]
fn new_lockfile_is_laid_out_like_the_manifest() {
    let lock = Lock { name: Some("p".to_owned()), format_version: 3, ..Lock::default() };
    for (manifest, expected) in [
        ("{\n\t\"name\": \"p\"\n}\n", "{\n\t\"name\": \"p\",\n\t\"lockfileVersion\": 3,\n"),
        (
            "{\r\n    \"name\": \"p\"\r\n}",
            "{\r\n    \"name\": \"p\",\r\n    \"lockfileVersion\": 3,\r\n",
        ),
        ("{\"name\": \"p\"}", "{\n  \"name\": \"p\",\n  \"lockfileVersion\": 3,\n"),
    ] {
        let text = super::write_like(&lock, manifest);
        assert!(text.starts_with(expected), "{text}");
    }
}

#[test]
fn project_that_says_nothing_has_no_entry() {
    let lock =
        Lock { format_version: 3, packages: vec![LockPackage::default()], ..Lock::default() };
    let expected = "{\n  \"lockfileVersion\": 3,\n  \"requires\": true,\n  \"packages\": {}\n}\n";
    assert_eq!(write(&lock, None), expected);
    assert_eq!(write(&lock, Some(expected)), expected);
}

#[test]
fn version_1_tells_whose_tarball_a_bundled_package_came_in() {
    let text = r#"{"lockfileVersion":1,"dependencies":{
        "own":{"version":"1.0.0","bundled":true,"integrity":"sha512-AAAA"},
        "whole":{"version":"1.0.0","integrity":"sha512-AAAA",
            "dependencies":{"part":{"version":"1.0.0","bundled":true,"integrity":"sha512-AAAA"}}}}}"#;
    let lock = read(text).unwrap();
    let bundler = |path| lock.bundled().bundler(path).map(str::to_owned);
    assert_eq!(bundler("node_modules/own"), None);
    assert_eq!(bundler("node_modules/whole/node_modules/part").unwrap(), "node_modules/whole");
}

#[test]
fn lockfile_without_a_version_lacks_manifests_and_is_written_with_one() {
    let text = V3.replacen("  \"lockfileVersion\": 3,\n", "", 1);
    let lock = read(&text).unwrap();
    assert_eq!(lock.format_version, 1);
    assert_eq!(write(&lock, Some(&text)), V3);
    assert_eq!(read("{}").unwrap().format_version, 3, "there is nothing to complete");
}

#[test]
fn a_lockfile_has_so_many_packages_and_values_and_no_more() {
    use super::read::read_within;
    let text = r#"{"lockfileVersion":3,"packages":{"":{},"node_modules/a":{"version":"1.0.0"}}}"#;
    let legacy = r#"{"lockfileVersion":1,"dependencies":{"a":{"version":"1.0.0"}}}"#;
    for text in [text, legacy] {
        assert_eq!(read_within(text, 12, 2).unwrap().packages.len(), 2);
        let error = read_within(text, 12, 1).unwrap_err();
        assert_eq!(error, LockfileError::TooLarge { limit: 1, what: "packages" });
    }
    let error = read_within(text, 11, 2).unwrap_err();
    assert_eq!(error, LockfileError::TooLarge { limit: 11, what: "values" });
}

use std::fs;
use std::path::Path;

use super::*;

/// What npm 12.2 packs of a folder: what is in it, then what `npm pack` lists. A file that ends in
/// `=…` has that text.
const CASES: &[(&str, &[&str], &[&str])] = &[
    // Without `files` everything but what is never packed.
    (
        r#"{"name":"p","version":"1.0.0"}"#,
        &[
            "a.js",
            "lib/b.js",
            ".npmrc",
            ".git/config",
            "node_modules/x/a.js",
            "a.orig",
            "._x",
            ".a.swp",
            "CVS/x",
            "package-lock.json",
            "lib/package-lock.json",
            ".DS_Store",
            "yarn.lock",
            "npm-debug.log",
            "build/config.gypi",
            ".npm-extension.cjs",
            "bun.lock",
        ],
        &["a.js", "lib/b.js", "lib/package-lock.json", "package.json"],
    ),
    // `files` names files, folders and patterns; what is always packed comes along.
    (
        r#"{"name":"p","version":"1.0.0","files":["lib","*.md","!lib/skip.js"],"main":"main.js",
            "bin":{"x":"./bin/x.js"}}"#,
        &[
            "lib/a.js",
            "lib/skip.js",
            "lib/deep/b.js",
            "other.js",
            "NOTES.md",
            "LICENSE",
            "licence.txt",
            "readme.txt",
            "README.md~",
            "COPYING",
            "CHANGELOG",
            "main.js",
            "bin/x.js",
            "bin/y.js",
        ],
        &[
            "COPYING",
            "LICENSE",
            "bin/x.js",
            "lib/a.js",
            "lib/deep/b.js",
            "main.js",
            "package.json",
            "NOTES.md",
            "licence.txt",
            "readme.txt",
        ],
    ),
    // npm does not find a `main` with a dot before it.
    (
        r#"{"name":"p","version":"1.0.0","files":["lib"],"main":"./main.js"}"#,
        &["lib/a.js", "main.js"],
        &["lib/a.js", "package.json"],
    ),
    // `.npmignore` stands in for `.gitignore`, also in folders below, and may bring back.
    (
        r#"{"name":"p","version":"1.0.0"}"#,
        &[
            ".gitignore=dist",
            ".npmignore=*.log\n/src\n!keep.log",
            "dist/a.js",
            "src/a.js",
            "x.log",
            "keep.log",
            "lib/.gitignore=gen\n!x.log",
            "lib/gen/a.js",
            "lib/x.log",
        ],
        &["dist/a.js", "package.json", "keep.log", "lib/x.log"],
    ),
    (
        r#"{"name":"p","version":"1.0.0"}"#,
        &[".gitignore=# a comment\n\ndist/\n**/tmp\n", "dist/a.js", "lib/tmp/b.js", "lib/a.js"],
        &["lib/a.js", "package.json"],
    ),
    // Patterns: braces, classes, groups, two stars, without regard to case.
    (
        r#"{"name":"p","version":"1.0.0",
            "files":["{a,b}.{js,ts}","[c-d]*","**/deep/*.css","test/**"]}"#,
        &["a.js", "b.ts", "e.js", "c1", "d2", "x/deep/a.css", "deep/b.css", "deep/c.scss", "test"],
        // `[c-d]*` is the folder, too.
        &[
            "c1",
            "d2",
            "test",
            "deep/b.css",
            "deep/c.scss",
            "x/deep/a.css",
            "a.js",
            "package.json",
            "b.ts",
        ],
    ),
    (
        r#"{"name":"p","version":"1.0.0"}"#,
        &[".npmignore=@(One|two)\n+(x)y\n", "one", "TWO", "xxy", "y"],
        &["y", "package.json"],
    ),
    // A dependency that is bundled comes with what it needs; one that is not, does not.
    (
        r#"{"name":"p","version":"1.0.0",
            "dependencies":{"a":"1","c":"1"},"bundleDependencies":["a","d"]}"#,
        &[
            "node_modules/a/package.json={\"name\":\"a\",\"dependencies\":{\"b\":\"1\"}}",
            "node_modules/a/x.js",
            "node_modules/a/.npmignore=x.js",
            "node_modules/b/package.json={\"name\":\"b\",\"files\":[\"lib\"]}",
            "node_modules/b/lib/b.js",
            "node_modules/b/src/b.js",
            "node_modules/c/package.json={}",
            "node_modules/d/package.json={}",
        ],
        &[
            "node_modules/a/.npmignore",
            "node_modules/b/lib/b.js",
            "node_modules/a/x.js",
            "node_modules/a/package.json",
            "node_modules/b/package.json",
            "package.json",
        ],
    ),
    // What is patched for the project itself stays there.
    (
        r#"{"name":"p","version":"1.0.0","patchedDependencies":{"a@1":"patches/a.patch"}}"#,
        &["patches/a.patch", "patches/b.patch"],
        &["package.json", "patches/b.patch"],
    ),
];

fn folder(manifest: &str, files: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("package.json"), manifest).unwrap();
    for file in files {
        let (path, text) = file.split_once('=').unwrap_or((file, "x"));
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

fn packed(folder: &Path, manifest: &str, options: &PackOptions) -> Vec<PackedFile> {
    files(folder, &Manifest::parse(manifest).unwrap(), options).unwrap()
}

fn paths(folder: &Path, manifest: &str) -> Vec<String> {
    let packed = packed(folder, manifest, &PackOptions::default());
    packed.into_iter().map(|file| file.path).collect()
}

#[test]
fn the_files_that_npm_packs_are_packed_in_its_order() {
    for (manifest, files, expected) in CASES {
        let folder = folder(manifest, files);
        let mut found = paths(folder.path(), manifest);
        let mut wanted: Vec<&str> = expected.to_vec();
        // The order is tested where it is the subject.
        found.sort_unstable();
        wanted.sort_unstable();
        assert_eq!(found, wanted, "{manifest} {files:?}");
    }
}

#[test]
fn order_is_by_extension_then_name() {
    let manifest = r#"{"name":"p","version":"1.0.0"}"#;
    let all = ["b.ts", "a.ts", "lib/a.js", "z.js", "Makefile", "lib/README.md", "@s/a.js"];
    let folder = folder(manifest, &all);
    let expected = [
        "Makefile",
        "@s/a.js",
        "lib/a.js",
        "z.js",
        "package.json",
        "lib/README.md",
        "a.ts",
        "b.ts",
    ];
    assert_eq!(paths(folder.path(), manifest), expected);
}

#[cfg(unix)]
#[test]
fn links_are_left_out_and_lead_nowhere() {
    use std::os::unix::fs::symlink;

    let manifest =
        r#"{"name":"p","version":"1.0.0","dependencies":{"a":"1"},"bundleDependencies":["a"]}"#;
    let outside = folder(r#"{"name":"a","version":"1.0.0"}"#, &["secret"]);
    let folder = folder(manifest, &["a.js", "node_modules/b/package.json={}"]);
    symlink("/etc/passwd", folder.path().join("passwd")).unwrap();
    symlink("/etc", folder.path().join("etc")).unwrap();
    symlink(outside.path(), folder.path().join("node_modules/a")).unwrap();
    let linked = paths(folder.path(), manifest);
    assert_eq!(
        linked,
        ["node_modules/a/secret", "a.js", "node_modules/a/package.json", "package.json"]
    );
    let options = PackOptions { stays_inside: true, ..PackOptions::default() };
    let inside = packed(folder.path(), manifest, &options);
    let inside: Vec<&str> = inside.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(inside, ["a.js", "package.json"]);
}

#[test]
fn tarball_is_the_same_each_time_and_can_be_read() {
    let long = format!("{}/{}.js", "folder".repeat(15), "name".repeat(40));
    let manifest =
        "{\n  \"name\": \"p\",\n  \"bin\": \"a.js\",\n  \"patchedDependencies\": {}\n}\n";
    let folder = folder(manifest, &["a.js", "lib/b.js", &long]);
    let options = PackOptions::default();
    let write = || {
        let mut tar = Vec::new();
        let files = packed(folder.path(), manifest, &options);
        write_tar(folder.path(), &files, &options, &mut tar).unwrap();
        tar
    };
    let tar = write();
    assert_eq!(tar, write());
    assert_eq!(tar.len() % 512, 0);
    let unpacked = crate::tarball::unpack(&tar, &crate::tarball::Limits::default()).unwrap();
    let mut found: Vec<(String, String)> = unpacked
        .entries()
        .into_iter()
        .map(|file| (file.path.to_owned(), String::from_utf8_lossy(file.data).into_owned()))
        .collect();
    found.sort();
    let expected = [
        ("a.js", "x"),
        (long.as_str(), "x"),
        ("lib/b.js", "x"),
        ("package.json", "{\n  \"name\": \"p\",\n  \"bin\": \"a.js\"\n}\n"),
    ];
    let expected = expected.map(|(path, text)| (path.to_owned(), text.to_owned()));
    assert_eq!(found, expected);
}

#[cfg(target_os = "linux")]
#[test]
fn names_that_are_not_unicode_are_an_error_where_they_would_be_packed() {
    use std::os::unix::ffi::OsStrExt;
    let odd = |name: &[u8]| std::ffi::OsStr::from_bytes(name).to_owned();
    let refused = |manifest: &str, ignored: Option<&str>| {
        let folder = folder(manifest, &["a.js", "lib/b.js"]);
        fs::write(folder.path().join("lib").join(odd(b"x\xff.js")), "x").unwrap();
        fs::create_dir(folder.path().join(odd(b"f\xfe"))).unwrap();
        if let Some(ignored) = ignored {
            fs::write(folder.path().join(".npmignore"), ignored).unwrap();
        }
        let parsed = Manifest::parse(manifest).unwrap();
        match files(folder.path(), &parsed, &PackOptions::default()) {
            Ok(_) => None,
            Err(PackError::NotUnicode { path }) => {
                let name = path.file_name().unwrap().to_string_lossy().into_owned();
                Some(name)
            }
            Err(error) => panic!("{error}"),
        }
    };
    let all = r#"{"name":"p","version":"1.0.0"}"#;
    assert!(refused(all, None).is_some());
    assert_eq!(refused(all, Some("f?\n")).as_deref(), Some("x\u{fffd}.js"));
    assert_eq!(refused(all, Some("lib\n")).as_deref(), Some("f\u{fffd}"));
    assert_eq!(refused(all, Some("f?\nlib/x?.js\n")), None);
    let some = |files: &str| format!(r#"{{"name":"p","version":"1.0.0","files":["{files}"]}}"#);
    assert_eq!(refused(&some("a.js"), None), None);
    assert_eq!(refused(&some("lib/b*"), None), None);
    assert!(refused(&some("lib"), None).is_some());
    assert!(refused(&some("lib/*.js"), None).is_some());
}

#[test]
fn more_than_is_allowed_is_an_error() {
    let manifest = r#"{"name":"p","version":"1.0.0"}"#;
    let folder = folder(manifest, &["a.js", "b.js", "c.js"]);
    let parsed = Manifest::parse(manifest).unwrap();
    let few = PackOptions { max_entries: 2, ..PackOptions::default() };
    let error = files(folder.path(), &parsed, &few).unwrap_err();
    assert!(matches!(error, PackError::TooManyEntries { .. }));
    let small = PackOptions { max_bytes: 2048, ..PackOptions::default() };
    let all = packed(folder.path(), manifest, &small);
    let error = write_tar(folder.path(), &all, &small, &mut Vec::new()).unwrap_err();
    assert!(matches!(error, PackError::TooLarge { .. }));
}

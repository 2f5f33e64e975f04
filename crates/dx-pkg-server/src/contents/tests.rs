use super::*;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;
use std::io::Write as _;

/// Makes a tarball of files below `package/`.
fn tarball(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut out = GzEncoder::new(Vec::new(), Compression::fast());
    for (path, data) in files {
        let mut header = [0_u8; 512];
        let name = format!("package/{path}");
        header[..name.len()].copy_from_slice(name.as_bytes());
        header[100..107].copy_from_slice(b"0000644");
        let size = format!("{:011o}", data.len());
        header[124..135].copy_from_slice(size.as_bytes());
        header[156] = b'0';
        header[257..263].copy_from_slice(b"ustar\0");
        header[263..265].copy_from_slice(b"00");
        header[148..156].copy_from_slice(b"        ");
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
        out.write_all(&header).unwrap();
        out.write_all(data).unwrap();
        out.write_all(&vec![0; data.len().next_multiple_of(512) - data.len()]).unwrap();
    }
    out.write_all(&[0; 1024]).unwrap();
    out.finish().unwrap()
}

fn look(files: &[(&str, &[u8])], manifest: &Value) -> Contents {
    inspect(tarball(files).as_slice(), Some(manifest)).unwrap().contents
}

/// Returns where a manifest differs from a package.json, both with name and version.
fn confusion(manifest: Value, own: Value, more: &[(&str, &[u8])]) -> Vec<String> {
    let whole = |fields: Value| {
        let mut whole = json!({ "name": "left", "version": "1.0.0" });
        for (key, value) in fields.as_object().unwrap() {
            whole[key] = value.clone();
        }
        whole
    };
    let own = whole(own).to_string();
    let files = [&[("package.json", own.as_bytes())], more].concat();
    look(&files, &whole(manifest)).confusion
}

#[test]
fn what_npm_rewrites_is_no_confusion() {
    let cases = [
        (json!({ "bin": { "left": "cli.js" } }), json!({ "bin": "./cli.js" })),
        (json!({ "bin": { "left": "cli.js" } }), json!({ "bin": { "left": "./cli.js" } })),
        (json!({}), json!({ "dependencies": {}, "scripts": {}, "bundleDependencies": false })),
        (
            json!({ "dependencies": { "a": "1" }, "bundleDependencies": ["a"] }),
            json!({ "dependencies": { "a": "1" }, "bundledDependencies": true }),
        ),
        (
            json!({ "dependencies": {}, "optionalDependencies": { "a": "1" } }),
            json!({ "dependencies": { "a": "1" }, "optionalDependencies": { "a": "1" } }),
        ),
        (json!({ "version": "1.0.0" }), json!({ "version": "v1.0.0" })),
        (json!({ "version": "1.0.0" }), json!({ "version": " =1.0.0" })),
        (
            json!({ "scripts": { "test": "mocha" } }),
            json!({ "scripts": { "test": "node_modules/.bin/mocha" } }),
        ),
        (
            json!({ "readme": "x", "gitHead": "abc", "homepage": "h", "_id": "left@1.0.0",
                "repository": { "type": "git", "url": "git+ssh://x" }, "keywords": ["a", "b"] }),
            json!({ "repository": "x/y", "keywords": "a, b", "author": "A <a@b.test>" }),
        ),
        (json!({ "os": ["linux"] }), json!({ "os": "linux" })),
        (
            json!({ "dependencies": { "a": "*", "b": "1" }, "bundleDependencies": ["a", "b"] }),
            json!({ "dependencies": { "b": "1" }, "bundledDependencies": ["a", "b", 3, ""] }),
        ),
        (
            json!({ "dependencies": { "a": "*" }, "bundleDependencies": ["a"] }),
            json!({ "bundleDependencies": { "a": "1" }, "peerDependencies": {} }),
        ),
        (
            json!({ "dependencies": { "a": "^1", "b": ">=2", "c": "" } }),
            json!({ "dependencies": ["a@^1", " b >=2", "c", 4] }),
        ),
        (
            json!({ "dependencies": { "a": "git+ssh://git@github.com/u/a.git", "b": "x:y" } }),
            json!({ "dependencies": { "a": "git@github.com:u/a.git", "b": "x:y" } }),
        ),
        (
            json!({ "dependencies": { "a": "git+https://github.com/u/a.git#main" } }),
            json!({ "dependencies": { "a": "https://github.com/u/a/tree/main" } }),
        ),
        (
            json!({ "devDependencies": { "a": "1", "b": "" }, "dependencies": { "c": "github:u/c#1" } }),
            json!({ "devDependencies": "a@1, b", "dependencies": { "c": "u/c#1", "d": false } }),
        ),
    ];
    for (manifest, own) in cases {
        let found = confusion(manifest.clone(), own.clone(), &[]);
        assert_eq!(found, Vec::<String>::new(), "{manifest} {own}");
    }
    let gyp = json!({ "scripts": { "install": "node-gyp rebuild" }, "gypfile": true });
    assert_eq!(confusion(gyp, json!({}), &[("binding.gyp", b"{}")]), Vec::<String>::new());
    let listed = json!({ "bin": { "one": "bin/one" }, "directories": { "bin": "bin" } });
    let own = json!({ "directories": { "bin": "./bin" } });
    assert_eq!(confusion(listed, own, &[("bin/one", b"#!")]), Vec::<String>::new());
}

#[test]
fn what_an_installer_decides_by_must_be_equal() {
    let bundling = json!({ "dependencies": { "a": "*" } });
    let cases = [
        ("dependencies", json!({}), json!({ "dependencies": ["evil@1"] })),
        ("dependencies", json!({}), json!({ "dependencies": "evil" })),
        ("dependencies", json!({ "dependencies": { "a": "github:u/a" } }), bundling.clone()),
        ("name", json!({ "name": "right" }), json!({})),
        ("version", json!({ "version": "1.0.1" }), json!({})),
        ("dependencies", json!({}), json!({ "dependencies": { "evil": "1" } })),
        ("dependencies", json!({ "dependencies": { "evil": "1" } }), json!({})),
        ("scripts", json!({}), json!({ "scripts": { "postinstall": "curl evil" } })),
        ("scripts", json!({ "scripts": { "install": "x" } }), json!({})),
        ("bin", json!({ "bin": { "left": "a.js" } }), json!({ "bin": { "left": "b.js" } })),
        ("bin", json!({}), json!({ "bin": { "npm": "b.js" } })),
        ("peerDependencies", json!({ "peerDependencies": { "a": "1" } }), json!({})),
        ("engines", json!({ "engines": { "node": "1" } }), json!({})),
        ("os", json!({ "os": ["linux"] }), json!({ "os": ["darwin"] })),
        ("bundleDependencies", bundling.clone(), json!({ "bundleDependencies": ["a"] })),
        ("main", json!({ "main": "a.js" }), json!({ "main": "b.js" })),
        ("license", json!({ "license": "MIT" }), json!({ "license": "GPL-3.0" })),
    ];
    for (field, manifest, own) in cases {
        let found = confusion(manifest.clone(), own.clone(), &[]);
        assert_eq!(found.len(), 1, "{field}: {found:?}");
        assert!(found[0].starts_with(field), "{found:?}");
    }
}

#[test]
fn scripts_binaries_and_the_readme_are_found() {
    let own = br#"{"name":"left","version":"1.0.0","scripts":{"postinstall":"node x","test":"y"}}"#;
    let files: [(&str, &[u8]); 6] = [
        ("package.json", own),
        ("README.md", b"# Left"),
        ("lib/tool", b"\x7fELF\x02\x01\x01\0rest"),
        ("addon.node", b"anything"),
        ("binding.gyp", b"{}"),
        ("index.js", b"MZ is no program here"),
    ];
    let found = inspect(tarball(&files).as_slice(), None).unwrap();
    assert_eq!(found.readme.as_deref(), Some("# Left"));
    let contents = found.contents;
    assert_eq!(contents.binaries, ["lib/tool", "addon.node"]);
    let scripts: Vec<(&str, &str)> = contents
        .install_scripts
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()))
        .collect();
    assert_eq!(scripts, [("install", "node-gyp rebuild"), ("postinstall", "node x")]);
    assert_eq!(contents.files["README.md"].size, 6);
    for broken in [&b"not a tarball"[..], &tarball(&files)[..40]] {
        assert!(inspect(broken, None).is_err());
    }
    let bad: [(&str, &[u8]); 1] = [("package.json", b"{")];
    assert!(inspect(tarball(&bad).as_slice(), None).unwrap_err().contains("package.json"));
}

#[test]
fn difference_names_files_scripts_and_binaries() {
    let from =
        look(&[("package.json", b"{}"), ("a", b"1"), ("gone", b""), ("same", b"s")], &json!({}));
    let to = look(
        &[
            ("package.json", br#"{"scripts":{"install":"x"}}"#),
            ("a", b"2"),
            ("same", b"s"),
            ("new.node", b""),
        ],
        &json!({}),
    );
    let found = Difference::of(&from, &to);
    assert_eq!(found.added, ["new.node"]);
    assert_eq!(found.removed, ["gone"]);
    assert_eq!(found.changed, ["a", "package.json"]);
    assert_eq!(found.binaries, ["new.node"]);
    assert_eq!(found.install_scripts["install"], "x");
    let lines = text_difference(Some(b"one\ntwo\n"), Some(b"one\n2\n")).unwrap();
    assert!(lines.contains("-two\n+2\n"), "{lines}");
    assert_eq!(text_difference(Some(b"\0"), Some(b"x")), None);
}

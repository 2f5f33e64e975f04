use serde_json::json;

use super::*;
use crate::npmrc::RawValue;
use dx_pkg_core::Coded;
use dx_pkg_resolve::rules::Which;

fn manifest(value: Value) -> Manifest {
    Manifest::from_value(value).unwrap()
}

fn owner(value: Value, files: &[&str]) -> Owner {
    Owner::of(&manifest(value), |file| files.contains(&file))
}

fn home(manager: Manager, major: Option<u64>, text: &str) -> Home {
    Home::parse(Owner { manager, major, is_named: true }, Some(text)).unwrap()
}

#[test]
fn a_project_belongs_to_whom_its_manifest_names_then_to_its_files() {
    for (value, files, manager, major) in [
        (json!({}), &[][..], Manager::Npm, None),
        (
            json!({ "packageManager": "pnpm@11.2.0+sha512.ab" }),
            &["yarn.lock"],
            Manager::Pnpm,
            Some(11),
        ),
        (json!({ "packageManager": "yarn@https://example/yarn.js" }), &[], Manager::Yarn, None),
        (
            json!({ "devEngines": { "packageManager": [{ "name": "x" }, { "name": "bun", "version": "^1.2" }] } }),
            &["pnpm-lock.yaml"],
            Manager::Bun,
            Some(1),
        ),
        (json!({}), &["package-lock.json", "pnpm-workspace.yaml"], Manager::Pnpm, None),
        (json!({}), &["yarn.lock", "bunfig.toml"], Manager::Yarn, None),
        (json!({ "pnpm": {} }), &["package-lock.json"], Manager::Pnpm, None),
        (
            json!({ "packageManager": "npm@10.0.0" }),
            &["pnpm-workspace.yaml"],
            Manager::Npm,
            Some(10),
        ),
        (json!({ "packageManager": "vlt@1" }), &[".yarnrc.yml"], Manager::Yarn, None),
    ] {
        let found = owner(value.clone(), files);
        assert_eq!((found.manager, found.major), (manager, major), "{value} {files:?}");
    }
    assert!(owner(json!({ "packageManager": "pnpm@11.0.0" }), &[]).keeps_npmrc_to_registries());
    assert!(!owner(json!({ "packageManager": "pnpm@10.0.0" }), &[]).keeps_npmrc_to_registries());
}

#[test]
fn files_are_read_within_limits() {
    let yaml = |text: &str| Home::parse(owner(json!({}), &[PNPM_WORKSPACE]), Some(text));
    for text in ["", "# nothing\n", "---\n", "\u{feff}a: 1\n"] {
        assert!(yaml(text).is_ok(), "{text:?}");
    }
    let bomb: String = std::iter::once("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned())
        .chain((1..9).map(|n| {
            let before = format!("*a{}", n - 1);
            format!("a{n}: &a{n} [{}]\n", vec![before; 10].join(", "))
        }))
        .collect();
    let deep = format!("a: {}{}", "[".repeat(500), "]".repeat(500));
    let long = format!("a: {}", "x".repeat(2 << 20));
    for text in ["a: [", "- a\n", "a: b: c\n", "a: *no\n", &bomb, &deep, &long] {
        let error = yaml(text).unwrap_err();
        assert_eq!(error.code(), "DX_SETTINGS_SYNTAX", "{error}");
    }
    // Anchors are in use for versions that belong together.
    let home = yaml("catalog:\n  a: &v ^1.0.0\n  b: *v\n").unwrap();
    let catalogs = home.catalogs(&manifest(json!({}))).unwrap();
    assert_eq!(catalogs.get("b", "").unwrap(), "^1.0.0");
    let toml = |text: &str| Home::parse(owner(json!({}), &[BUNFIG]), Some(text));
    assert!(toml("[install]\nexact = true\n").is_ok());
    for text in ["[install", "a = 1\na = 2\n"] {
        assert_eq!(toml(text).unwrap_err().code(), "DX_SETTINGS_SYNTAX");
    }
}

#[test]
fn catalogs_are_found_in_three_homes() {
    let text = "catalog:\n  a: ^1.0.0\n  n: 18\ncatalogs:\n  old:\n    a: 0.9.0\n";
    for manager in [Manager::Pnpm, Manager::Yarn] {
        let catalogs = home(manager, None, text).catalogs(&manifest(json!({}))).unwrap();
        for (name, found) in [("", "^1.0.0"), ("default", "^1.0.0"), ("old", "0.9.0")] {
            assert_eq!(catalogs.get("a", name).unwrap(), found);
        }
        assert_eq!(catalogs.get("n", "").unwrap(), "18");
        let error = catalogs.get("aa", "old").unwrap_err();
        assert_eq!(error.code(), "DX_NO_CATALOG_ENTRY");
        assert_eq!(error.hint().unwrap(), "it has a; add the package to it");
        assert!(catalogs.get("a", "new").unwrap_err().hint().unwrap().contains("default, old"));
    }
    let bun = home(Manager::Bun, None, "");
    for value in [
        json!({ "workspaces": { "packages": [], "catalog": { "a": "1" }, "catalogs": { "t": { "b": "2" } } } }),
        json!({ "catalog": { "a": "1" }, "catalogs": { "t": { "b": "2" } } }),
    ] {
        let catalogs = bun.catalogs(&manifest(value)).unwrap();
        assert_eq!((catalogs.get("a", "").unwrap(), catalogs.get("b", "t").unwrap()), ("1", "2"));
    }
    let both = json!({ "catalog": { "a": "2" }, "workspaces": { "catalog": { "a": "1" } } });
    let error = bun.catalogs(&manifest(both)).unwrap_err();
    assert_eq!(error.code(), "DX_PIN_CONTRADICTION");
    for text in ["catalog: [a]", "catalogs: a", "catalogs:\n  a: 1", "catalog:\n  a: 1.10"] {
        let error = home(Manager::Pnpm, None, text).catalogs(&manifest(json!({}))).unwrap_err();
        assert_eq!(error.code(), "DX_SETTINGS_VALUE", "{text}");
    }
}

fn workspaces() -> Vec<WorkspaceName<'static>> {
    let workspace = |folder, name, version| WorkspaceName { folder, name, version };
    vec![
        workspace("packages/a", "a", Some("1.2.0-beta.1")),
        workspace("packages/b", "@s/b", None),
        workspace("apps/deep/c", "c", Some("3.0.0")),
    ]
}

#[test]
fn protocols_mean_folders_versions_and_packages_of_a_scope() {
    let (workspaces, catalogs) = (workspaces(), Catalogs::default());
    let owner = Owner { manager: Manager::Yarn, major: None, is_named: true };
    let meanings = Meanings { owner, catalogs: &catalogs, workspaces: &workspaces };
    for (from, name, spec, means) in [
        ("", "a", "workspace:*", Some("file:packages/a")),
        ("", "a", "workspace:^1.0.0", Some("file:packages/a")),
        ("", "a", "workspace:^", Some("file:packages/a")),
        ("", "@s/b", "workspace:~", Some("file:packages/b")),
        ("", "x", "workspace:@s/b@*", Some("file:packages/b")),
        ("", "x", "workspace:packages/a", Some("file:packages/a")),
        ("packages/b", "a", "workspace:*", Some("file:../a")),
        ("packages/b", "x", "workspace:../a", Some("file:../a")),
        ("packages/b", "x", "workspace:packages/a", Some("file:../a")),
        ("apps/deep/c", "a", "Workspace:1.2.0-beta.1", Some("file:../../../packages/a")),
        ("", "@s/n", "jsr:^1", Some("npm:@jsr/s__n@^1")),
        ("", "n", "jsr:@s/n@^1", Some("npm:@jsr/s__n@^1")),
        ("", "n", "jsr:@s/n", Some("npm:@jsr/s__n")),
        ("packages/a", "l", "link:../../x", Some("file:../../x")),
        ("", "p", "portal:x", Some("file:x")),
        ("", "r", "npm:^1.0.0", Some("^1.0.0")),
        ("", "r", "npm:other@^1.0.0", None),
        ("", "r", "npm:@s/other@^1.0.0 || ^2.0.0", None),
        ("", "r", "npm:^1.0.0 || ^2.0.0", Some("^1.0.0 || ^2.0.0")),
        ("", "r", "^1.0.0", None),
    ] {
        let found = meanings.of(from, name, spec).unwrap();
        assert_eq!(found.as_deref(), means, "{spec}");
    }
    for (name, spec, code) in [
        ("a", "workspace:^2", "DX_NO_WORKSPACE"),
        ("d", "workspace:*", "DX_NO_WORKSPACE"),
        ("a", "workspace:../a", "DX_NO_WORKSPACE"),
        ("a", "workspace:latest", "DX_NO_WORKSPACE"),
        ("n", "jsr:^1", "DX_INVALID_SPEC"),
        ("n", "jsr:@s", "DX_INVALID_SPEC"),
        ("n", "catalog:", "DX_NO_CATALOG_ENTRY"),
    ] {
        let error = meanings.of("", name, spec).unwrap_err();
        assert_eq!(error.code(), code, "{spec}");
        if code == "DX_NO_WORKSPACE" {
            assert_eq!(error.hint().unwrap(), "the workspaces are a@1.2.0-beta.1, @s/b, c@3.0.0");
        }
    }
    let owner = Owner::NPM;
    let error = Meanings { owner, ..meanings }.of("", "p", "portal:x").unwrap_err();
    assert_eq!(error.code(), "DX_UNSUPPORTED_PROTOCOL");
}

fn read(home: &Home, value: Value) -> Result<ReadPins, HomeError> {
    let manifest = manifest(value);
    let catalogs = home.catalogs(&manifest)?;
    let workspaces = workspaces();
    let meanings = Meanings { owner: home.owner, catalogs: &catalogs, workspaces: &workspaces };
    pins(home, &manifest, &meanings)
}

fn words(read: &ReadPins) -> Vec<String> {
    let word = |pin: &dx_pkg_resolve::rules::Pin| {
        let parent = pin.parent.as_ref().map_or_else(String::new, |(name, range)| {
            format!("{name}@{}>", range.as_deref().unwrap_or("*"))
        });
        let which = match &pin.which {
            Which::All => String::new(),
            Which::Meeting(range) => format!("~{range}"),
            Which::Written(text) => format!("={text}"),
        };
        format!("{parent}{}{which}:{}", pin.name, pin.value.as_deref().unwrap_or("-"))
    };
    read.pins.iter().map(word).collect()
}

#[test]
fn pins_of_pnpm_are_read_the_narrower_first() {
    let text = "overrides:\n  a: 1.0.0\n  '@s/x@^2': npm:y@1\n  b@1>a@>=2: $d\n  c: '-'\n  \
                'e@1.0.0': 'catalog:'\n  f: link:../f\n  g: workspace:a@*\ncatalog:\n  e: 1.5.0\n";
    let found = read(
        &home(Manager::Pnpm, Some(11), text),
        json!({ "dependencies": { "d": "^4" }, "pnpm": { "overrides": { "z": "1" } } }),
    )
    .unwrap();
    assert_eq!(
        words(&found),
        [
            "b@1>a~>=2:^4",
            "@s/x~^2:npm:y@1",
            "e~1.0.0:1.5.0",
            "a:1.0.0",
            "c:-",
            "f:file:../f",
            "g:file:packages/a",
        ]
    );
    assert_eq!(found.links, ["../f"]);
    assert!(found.left.is_empty() && found.pins.iter().all(|pin| pin.peers));
    // Before pnpm 11 the manifest counts too, and must not say something else.
    let old = home(Manager::Pnpm, Some(10), "overrides:\n  a: 1.0.0\n");
    let pins = |value| json!({ "pnpm": { "overrides": value } });
    assert_eq!(words(&read(&old, pins(json!({ "a": "1.0.0", "b": "2" }))).unwrap()).len(), 2);
    let error = read(&old, pins(json!({ "a": "2.0.0" }))).unwrap_err();
    assert_eq!(
        error.to_string(),
        "a is pinned twice: to 1.0.0 in overrides in pnpm-workspace.yaml and to 2.0.0 in pnpm.overrides"
    );
    let left = read(&old, pins(json!({ "b>c>a": "1", "a@no range": "1", "x": "$y", "y": 1 })));
    assert_eq!(left.unwrap().left.len(), 4);
}

#[test]
fn resolutions_of_yarn_are_read() {
    let yarn = home(Manager::Yarn, Some(4), "");
    let found = read(
        &yarn,
        json!({ "resolutions": {
            "a": "npm:1.0.0",
            "**/b": "2",
            "@s/p@npm:1.0.0/@t/c": "npm:other@3",
            "d@npm:^1": "portal:./d",
            "e/**/f": "1.0.0",
        } }),
    )
    .unwrap();
    assert_eq!(
        words(&found),
        ["a:1.0.0", "b:2", "@s/p@1.0.0>@t/c:npm:other@3", "d=^1:file:./d", "d=npm:^1:file:./d"]
    );
    assert_eq!(found.below.len(), 1);
    assert!(found.left.is_empty());
    for key in ["a/b/c", "", "a/", "*", "a/**"] {
        let found = read(&yarn, json!({ "resolutions": { key: "1" } })).unwrap();
        assert_eq!(found.left.len(), 1, "{key}");
    }
    let patched = json!({ "resolutions": { "a": "patch:a@npm:1.0.0#./a.patch" } });
    let found = read(&yarn, patched).unwrap();
    assert_eq!((words(&found), found.left.len()), (vec!["a:1.0.0".to_owned()], 0));
    assert_eq!(found.patches.rules[0].file, "a.patch");
    // npm's overrides beside them say the same, or are contradicted.
    let both = |value: &str| json!({ "resolutions": { "e/a": "1.0.0" }, "overrides": { "e": { "a": value } } });
    assert_eq!(read(&yarn, both("1.0.0")).unwrap(), ReadPins::default());
    assert_eq!(read(&yarn, both("2.0.0")).unwrap_err().code(), "DX_PIN_CONTRADICTION");
    // Where npm is named, they are nobody's.
    let npm = Home::parse(Owner { is_named: true, ..Owner::NPM }, None).unwrap();
    assert_eq!(read(&npm, json!({ "resolutions": { "a": "1" } })).unwrap(), ReadPins::default());
}

#[test]
fn bun_reads_overrides_that_are_flat() {
    let bun = home(Manager::Bun, None, "");
    let found = read(
        &bun,
        json!({ "overrides": { "a": "1.0.0", "b@^2": "$c" }, "dependencies": { "c": "3" } }),
    );
    let found = found.unwrap();
    assert_eq!(
        (words(&found), found.has_overrides),
        (vec!["a:1.0.0".to_owned(), "b~^2:3".to_owned()], true)
    );
    let found = read(&bun, json!({ "overrides": { "a": { "b": "1.0.0" } } })).unwrap();
    assert_eq!((words(&found).len(), found.has_overrides), (0, false));
}

#[test]
fn settings_are_mapped_and_the_others_named() {
    let text = |text: &str| RawValue::Text(text.to_owned());
    let set = |key: &str, value| (key.to_owned(), value);
    let yarn = home(
        Manager::Yarn,
        None,
        "npmRegistryServer: https://r.example/x\nnpmAuthToken: t\nnpmScopes:\n  own:\n    \
         npmRegistryServer: https://o.example\n    npmAuthIdent: user:pass\nenableScripts: false\n\
         nodeLinker: pnp\nnpmMinimalAgeGate: 2d\nnmHoistingLimits: workspaces\nyarnPath: x\n",
    )
    .settings();
    assert_eq!(
        yarn.settings,
        [
            set("//r.example/x/:_authToken", text("t")),
            set("registry", text("https://r.example/x")),
            set("@own:registry", text("https://o.example")),
            set("//o.example/:_auth", text("dXNlcjpwYXNz")),
            set("minimum-release-age", text("2880")),
        ]
    );
    assert_eq!(yarn.others, ["nodeLinker", "nmHoistingLimits"]);
    let bun = home(
        Manager::Bun,
        None,
        "[install]\nexact = true\noptional = false\nproduction = true\nlinker = \"isolated\"\n\
         minimumReleaseAge = 3600\nregistry = { url = \"https://r.example/\", token = \"$T\" }\n\
         [install.scopes]\nown = \"https://o.example/\"\n[test]\nroot = \"x\"\n",
    )
    .settings();
    assert_eq!(
        bun.settings,
        [
            set("save-exact", RawValue::Bool(true)),
            set("minimum-release-age", text("60")),
            set("//r.example/:_authToken", text("${T}")),
            set("registry", text("https://r.example/")),
            set("@own:registry", text("https://o.example/")),
            set("omit", RawValue::List(vec!["optional".to_owned(), "dev".to_owned()])),
        ]
    );
    assert_eq!(bun.others, ["install.linker"]);
    let pnpm = home(
        Manager::Pnpm,
        None,
        "minimumReleaseAge: 60\nregistries:\n  default: https://r.example/\n  '@o': https://o.example/\n\
         autoInstallPeers: false\nstrictPeerDependencies: true\nshamefullyHoist: true\n",
    )
    .settings();
    assert_eq!(
        pnpm.settings,
        [
            set("minimum-release-age", text("60")),
            set("registry", text("https://r.example/")),
            set("@o:registry", text("https://o.example/")),
            set("legacy-peer-deps", RawValue::Bool(true)),
            set("strict-peer-deps", RawValue::Bool(true)),
        ]
    );
}

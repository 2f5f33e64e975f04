use dx_pkg_compat::manifest::Manifest;

use super::{implied_install, order};

#[test]
fn shallow_packages_come_first_then_npm_s_collation() {
    let paths = [
        "node_modules/z",
        "node_modules/b/node_modules/e",
        "node_modules/b/node_modules/a",
        "node_modules/b",
        "packages/w/node_modules/y",
        "packages/w",
        "node_modules/a_b",
        "node_modules/a-b",
        "node_modules/@s/x",
    ];
    assert_eq!(
        order(paths),
        [
            "packages/w",
            "node_modules/@s/x",
            "node_modules/a_b",
            "node_modules/a-b",
            "node_modules/b",
            "node_modules/z",
            "packages/w/node_modules/y",
            "node_modules/b/node_modules/a",
            "node_modules/b/node_modules/e",
        ]
    );
}

#[test]
fn native_code_without_a_script_is_built() {
    let implied = |manifest: &str, gyp| implied_install(&Manifest::parse(manifest).unwrap(), gyp);
    for manifest in [
        "{}",
        r#"{"scripts": {"test": "x", "postinstall": "x"}}"#,
        r#"{"scripts": {"install": ""}}"#,
        r#"{"gypfile": true}"#,
    ] {
        assert_eq!(implied(manifest, true), Some("node-gyp rebuild"), "{manifest}");
        assert_eq!(implied(manifest, false), None, "{manifest}");
    }
    for manifest in [
        r#"{"scripts": {"preinstall": "x"}}"#,
        r#"{"scripts": {"install": "x"}}"#,
        r#"{"gypfile": false}"#,
    ] {
        assert_eq!(implied(manifest, true), None, "{manifest}");
    }
}

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
    assert_eq!(implied_install(["test"], true), Some("node-gyp rebuild"));
    assert_eq!(implied_install(["preinstall"], true), None);
    assert_eq!(implied_install(["install"], true), None);
    assert_eq!(implied_install([], false), None);
}

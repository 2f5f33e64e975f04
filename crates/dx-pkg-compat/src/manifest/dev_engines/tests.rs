use serde_json::json;

use super::*;

fn current() -> CurrentEngines {
    let manager = |name: &str, version: &str| (name.to_owned(), version.to_owned());
    CurrentEngines {
        package_managers: vec![manager("dx", "0.1.0"), manager("npm", "12.2.0")],
        node: Some("24.1.0".to_owned()),
        os: "linux".to_owned(),
        os_version: Some("6.1.0-custom".to_owned()),
        cpu: "x64".to_owned(),
        libc: Some("glibc".to_owned()),
    }
}

fn outcome(value: Value) -> Vec<(String, bool)> {
    let unmet = unmet(&value, &current()).unwrap();
    unmet.into_iter().map(|unmet| (unmet.wanted, unmet.is_error)).collect()
}

#[test]
fn demands_are_compared_as_npm_does() {
    for (value, wanted) in [
        (json!({}), None),
        (json!({"packageManager": {"name": "npm"}}), None),
        (json!({"packageManager": {"name": "npm", "version": "^12"}}), None),
        (json!({"packageManager": {"name": "dx"}}), None),
        // dx stands in for any package manager, but for npm in the version that it follows only.
        (json!({"packageManager": {"name": "pnpm"}}), None),
        (json!({"packageManager": {"name": "yarn", "version": "1.22.0"}}), None),
        (json!({"packageManager": {"name": "pip"}}), Some(("pip", true))),
        (json!({"packageManager": {"name": "npm", "version": "^10"}}), Some(("npm ^10", true))),
        (json!({"packageManager": [{"name": "pip"}, {"name": "dx", "version": "*"}]}), None),
        (json!({"runtime": {"name": "node", "version": ">=24 <25"}}), None),
        (json!({"runtime": {"name": "node", "version": "v24.1.0"}}), None),
        (json!({"runtime": {"name": "node", "version": "lts"}}), Some(("node lts", true))),
        (
            json!({"runtime": {"name": "node", "version": "99", "onFail": "download"}}),
            Some(("node 99", true)),
        ),
        (
            json!({"runtime": {"name": "node", "version": "99", "onFail": "warn"}}),
            Some(("node 99", false)),
        ),
        (json!({"runtime": {"name": "node", "version": "99", "onFail": "ignore"}}), None),
        // The last of a list decides.
        (
            json!({"runtime": [{"name": "bun"}, {"name": "deno", "onFail": "warn"}]}),
            Some(("bun or deno", false)),
        ),
        (json!({"runtime": []}), None),
        (json!({"os": {"name": "linux"}, "cpu": {"name": "x64"}, "libc": {"name": "glibc"}}), None),
        (json!({"os": {"name": "win32"}}), Some(("win32", true))),
        (json!({"cpu": {"name": "x64", "version": "1"}}), Some(("x64 1", true))),
        (json!({"os": {"name": "linux", "version": "6.1.0-custom"}}), None),
    ] {
        let expected = wanted.map(|(wanted, is_error)| (wanted.to_owned(), is_error));
        assert_eq!(outcome(value.clone()), expected.into_iter().collect::<Vec<_>>(), "{value}");
    }
}

#[test]
fn what_npm_does_not_understand_is_an_error() {
    for value in [
        json!(null),
        json!("node"),
        json!([]),
        json!({"shell": {"name": "sh"}}),
        json!({"runtime": "node"}),
        json!({"runtime": {"version": "1"}}),
        json!({"runtime": {"name": 1}}),
        json!({"runtime": {"name": "node", "version": 20}}),
        json!({"runtime": {"name": "node", "range": "20"}}),
        json!({"runtime": {"name": "node", "onFail": "explode"}}),
    ] {
        let error = unmet(&value, &current()).unwrap_err();
        assert!(matches!(error, ManifestError::DevEngines { .. }), "{value}: {error}");
    }
}

use serde_json::json;

use super::*;

fn refusal(value: &Value) -> String {
    rules(value, Joining::Strict).unwrap_err().to_string()
}

#[test]
fn rules_are_read() {
    let value = json!({
        "a": {"dependencies": {"b": "^1"}, "optionalDependencies": {"o": "npm:p@1"}},
        "@s/c@^2 || 3": {"peerDependencies": {"p": "*"}, "peerDependenciesMeta": {"p": {"optional": true}}},
        "d@1": {}
    });
    let read = rules(&value, Joining::Strict).unwrap();
    assert_eq!(read.len(), 3);
    assert_eq!((read[0].name.as_str(), &read[0].range), ("a", &None));
    assert_eq!(read[0].optional_dependencies, [("o".to_owned(), "npm:p@1".to_owned())]);
    assert_eq!((read[1].name.as_str(), read[1].selector.as_str()), ("@s/c", "@s/c@^2 || 3"));
    assert_eq!(read[1].peer_dependencies_meta, [("p".to_owned(), true)]);
}

#[test]
fn what_npm_refuses_is_refused_with_its_place() {
    for (value, told) in [
        (json!([]), "not an object"),
        (json!("x"), "not an object"),
        (json!({"a": null}), "\"a\" is not an object"),
        (json!({"A B": {}}), "does not begin with the name"),
        (json!({"a@": {}}), "no range"),
        (json!({"a@latest": {}}), "range of versions"),
        (json!({"a@file:x": {}}), "range of versions"),
        (json!({"a": {"scripts": {}}}), "scripts of \"a\" cannot be set"),
        (json!({"a": {"dependencies": []}}), "dependencies of \"a\" is not an object"),
        (json!({"a": {"dependencies": {"c": "-"}}}), "removes c"),
        (json!({"a": {"dependencies": {"c": null}}}), "removes c"),
        (json!({"a": {"dependencies": {"c": 1}}}), "gives c no text"),
        (json!({"a": {"peerDependenciesMeta": {"c": null}}}), "of c"),
        (json!({"a": {"peerDependenciesMeta": {"c": {"x": 1}}}}), "of c"),
    ] {
        let refused = refusal(&value);
        assert!(refused.contains(told), "{value}: {refused}");
    }
}

#[test]
fn hashes_are_those_of_npm() {
    // Written by npm 12.2.2.
    for (value, expected) in [
        (
            json!({}),
            "sha512-J8dGcK23UHX60FjVzq97IMTneGyDuuijL2Jvl4KvNMmjPCBG72D9Knh403jin+yFGAa72aZ4ePOp8c2kgwdj/Q==",
        ),
        (
            json!({"a@1": {"dependencies": {"c": "^2.0.0"}, "peerDependencies": {"o": "1"}, "peerDependenciesMeta": {"o": {"optional": true}}}}),
            "sha512-D8WgV3CuQLsWoEb1lLFdJR+egM7dzPH4WrvTWbeU6LTeMa4Gd3A7IEKxMSoIvMMPJowG9IiqD7/mer85yjU78w==",
        ),
        (
            json!({"zzz": {"dependencies": {"c": "1"}}, "e4": {"dependencies": {"c": "2"}}}),
            "sha512-t3qzxAEWShUdYm+ToFg49L6IqVvgYmjmGNVTbTNSqgW0k/a7UhnfH672nQrsvB0YNR2W5RArNogzB825uhJYkQ==",
        ),
    ] {
        assert_eq!(hash(&value), expected, "{value}");
    }
}

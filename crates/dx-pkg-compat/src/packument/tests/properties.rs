//! No JSON in any field is an error, and no damage is a panic.

use std::sync::Arc;

use dx_pkg_format::packument::Packument;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{encode, name};

const FIELDS: [&str; 20] = [
    "name",
    "dependencies",
    "optionalDependencies",
    "peerDependencies",
    "peerDependenciesMeta",
    "bundleDependencies",
    "bundledDependencies",
    "engines",
    "os",
    "cpu",
    "libc",
    "bin",
    "deprecated",
    "license",
    "funding",
    "hasInstallScript",
    "scripts",
    "_hasShrinkwrap",
    "dist",
    "unknown",
];

pub(super) fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[ -~é\n\"\\\\\u{1F600}]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 6, |inner| {
        let key = prop_oneof![
            "[a-z./\\\\\"é]{0,6}",
            prop::sample::select(&FIELDS[..]).prop_map(str::to_owned)
        ];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((key, inner), 0..6)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

pub(super) fn manifest() -> impl Strategy<Value = Value> {
    let field = (prop::sample::select(&FIELDS[..]), value());
    prop::collection::vec(field, 0..12).prop_map(|fields| {
        let fields = fields.into_iter().map(|(key, value)| (key.to_owned(), value));
        Value::Object(fields.collect())
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_value_in_any_field_is_tolerated(
        manifest in manifest(),
        tags in value(),
        time in value(),
        modified in value(),
        other in value(),
    ) {
        let json = json!({
            "name": "a", "dist-tags": tags, "time": time, "modified": modified, "other": other,
            "versions": {"1.0.0": manifest, "2.0.0": other},
        });
        for text in [json.to_string(), serde_json::to_string_pretty(&json).unwrap()] {
            let bytes = encode(text.as_bytes(), &name("a")).unwrap();
            let packument = Packument::decode(Arc::new(bytes)).unwrap();
            let version = packument.version(packument.find_str("1.0.0").unwrap());
            for (bin, path) in version.bins() {
                prop_assert!(!bin.is_empty() && !bin.contains(['/', '\\', ':']), "{bin:?}");
                prop_assert!(!path.starts_with('/') && path.split('/').all(|part| part != ".."), "{path:?}");
            }
            let funding = version.funding_json().map(serde_json::from_str::<Value>);
            prop_assert!(funding.is_none_or(|funding| funding.is_ok()));
        }
    }

    #[test]
    fn texts_come_back_as_they_were(
        pairs in prop::collection::btree_map("\\PC{1,12}", "\\PC{0,12}", 0..30),
        message in "\\PC{0,40}",
    ) {
        let json = json!({"name": "a", "versions": {"1.0.0": {"dependencies": pairs, "deprecated": message}}});
        let bytes = encode(json.to_string().as_bytes(), &name("a")).unwrap();
        let packument = Packument::decode(Arc::new(bytes)).unwrap();
        let version = packument.versions().next().unwrap();
        let found: Vec<_> =
            version.dependencies().map(|(a, b)| (a.to_owned(), b.to_owned())).collect();
        prop_assert_eq!(found, pairs.into_iter().collect::<Vec<_>>());
        prop_assert_eq!(version.deprecated().unwrap_or_default(), message);
    }

    #[test]
    fn damaged_json_never_panics(
        manifest in manifest(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..10),
    ) {
        let json = json!({"name": "a", "dist-tags": {"latest": "1.0.0"}, "versions": {"1.0.0": manifest}});
        let mut bytes = json.to_string().into_bytes();
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Ok(encoded) = encode(&bytes, &name("a")) {
            prop_assert!(Packument::decode(Arc::new(encoded)).is_ok());
        }
    }
}

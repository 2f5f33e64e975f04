use dx_pkg_lock::{Lock, LockPackage};
use proptest::prelude::*;

use super::super::read::is_left_out;
use super::{V1, V3, read, write};

pub(in super::super) fn any_lock() -> impl Strategy<Value = Lock> {
    let name = || "[a-zA-Z][a-zA-Z0-9._-]{0,6}";
    let pairs = move || {
        proptest::collection::btree_map(name(), "[ -~é\u{2028}]{0,8}", 0..4)
            .prop_map(|pairs| pairs.into_iter().collect::<Vec<_>>())
    };
    let text = || proptest::option::of("[ -.0-\\[\\]-~\"é]{1,8}");
    let package = (
        proptest::collection::vec(name(), 1..4),
        (text(), text(), text(), text()),
        (pairs(), pairs(), pairs(), pairs()),
        any::<[bool; 4]>(),
        proptest::option::of(proptest::sample::select(vec![
            r#"{"a":1,"b":[{}]}"#,
            r#"[1.5,"x"]"#,
            "true",
        ])),
    );
    let package = package.prop_map(|(names, texts, pairs, flags, json)| LockPackage {
        path: names.iter().map(|name| format!("node_modules/{name}")).collect::<Vec<_>>().join("/"),
        version: texts.0,
        resolved: texts.1,
        license: texts.2,
        deprecated: texts.3,
        bin: pairs.0,
        dependencies: pairs.1,
        optional_dependencies: pairs.2,
        peer_dependencies: pairs.3,
        dev: flags[0],
        optional: flags[1],
        peer: flags[2],
        has_install_script: flags[3],
        funding: json.map(str::to_owned),
        extra: json.map(|json| ("unknown".to_owned(), json.to_owned())).into_iter().collect(),
        ..LockPackage::default()
    });
    let reserved = |path: &str| {
        path.to_ascii_lowercase().contains("node_modules/node_modules")
            || path.contains("favicon.ico")
    };
    proptest::collection::vec(package, 0..12).prop_map(move |mut packages| {
        packages.retain(|package| !reserved(&package.path) && !is_left_out(package));
        packages.sort_by(|a, b| a.path.cmp(&b.path));
        packages.dedup_by(|a, b| a.path == b.path);
        packages.push(LockPackage { name: Some("root".into()), ..LockPackage::default() });
        let mut lock =
            Lock { name: Some("root".into()), format_version: 3, packages, ..Lock::default() };
        lock.normalise();
        lock
    })
}

/// The same document with the members of every object reversed.
fn reversed(value: serde_json::Value) -> serde_json::Value {
    match value {
        serde_json::Value::Object(members) => {
            members.into_iter().rev().map(|(key, value)| (key, reversed(value))).collect()
        }
        other => other,
    }
}

proptest! {
    #[test]
    fn any_lock_survives(lock in any_lock()) {
        let text = write(&lock, None);
        prop_assert_eq!(&read(&text).unwrap(), &lock);
        prop_assert_eq!(write(&lock, Some(&text)), text.clone());
        let mut changed = lock.clone();
        changed.version = Some("9.9.9".into());
        prop_assert_eq!(write(&changed, Some(&text)), write(&changed, None));
    }

    #[test]
    fn order_of_keys_does_not_matter(lock in any_lock()) {
        let text = write(&lock, None);
        let shuffled = reversed(serde_json::from_str(&text).unwrap()).to_string();
        prop_assert_eq!(read(&shuffled).unwrap(), lock);
    }

    #[test]
    fn altered_text_is_refused_or_survives(
        position in 0..V3.len(),
        byte in " -~\n",
        legacy in any::<bool>(),
    ) {
        let text = if legacy { V1 } else { V3 };
        let position = position.min(text.len() - 1);
        let altered = format!("{}{byte}{}", &text[..position], &text[position + 1..]);
        if let Ok(lock) = read(&altered) {
            let written = write(&lock, Some(&altered));
            prop_assert_eq!(&read(&written).unwrap().packages, &lock.packages);
            prop_assert_eq!(write(&lock, Some(&written)), written);
        }
    }
}

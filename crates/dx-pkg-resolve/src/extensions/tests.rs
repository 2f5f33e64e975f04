use super::*;

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
}

fn rule(selector: &str) -> Extension {
    let (name, range) = selector.split_once('@').map_or((selector, None), |(a, b)| (a, Some(b)));
    Extension {
        selector: selector.to_owned(),
        name: name.to_owned(),
        range: range.map(|range| Range::parse(range).unwrap()),
        ..Extension::default()
    }
}

fn applied(extensions: &[Extension], record: &LockPackage) -> Result<LockPackage, String> {
    let mut record = record.clone();
    let version = Version::parse("1.2.3").unwrap();
    apply(extensions, "a", Some(&version), &mut record)?;
    Ok(record)
}

#[test]
fn a_strict_rule_adds_and_is_recorded() {
    let rule = Extension {
        dependencies: pairs(&[("c", "^2")]),
        peer_dependencies: pairs(&[("p", "2"), ("q", "*")]),
        peer_dependencies_meta: vec![("p".to_owned(), true)],
        ..rule("a@1")
    };
    let plain = LockPackage {
        dependencies: pairs(&[("b", "1")]),
        peer_dependencies: pairs(&[("p", "1")]),
        ..LockPackage::default()
    };
    let record = applied(std::slice::from_ref(&rule), &plain).unwrap();
    assert_eq!(record.dependencies, pairs(&[("b", "1"), ("c", "^2")]));
    assert_eq!(record.peer_dependencies, pairs(&[("p", "2"), ("q", "*")]));
    assert_eq!(record.peer_dependencies_meta, [("p".to_owned(), true)]);
    let told = r#"{"dependencies":["c"],"peerDependencies":["p","q"],"peerDependenciesMeta":["p"],"selector":"a@1"}"#;
    assert_eq!(record.extra, pairs(&[(APPLIED, told)]));
    assert_eq!(applied(&[super::tests::rule("a@2"), super::tests::rule("b")], &plain), Ok(plain));
}

#[test]
fn a_strict_rule_changes_no_dependency_and_is_the_only_one() {
    let plain =
        LockPackage { optional_dependencies: pairs(&[("o", "1")]), ..LockPackage::default() };
    let adds = Extension { dependencies: pairs(&[("o", "2")]), ..rule("a") };
    let refused = applied(&[adds], &plain).unwrap_err();
    assert!(refused.contains("o to dependencies") && refused.contains("optional"), "{refused}");
    let twice = Extension {
        dependencies: pairs(&[("c", "1")]),
        optional_dependencies: pairs(&[("c", "1")]),
        ..rule("a")
    };
    assert!(applied(&[twice], &plain).is_err());
    let orphan = Extension { peer_dependencies_meta: vec![("p".to_owned(), true)], ..rule("a") };
    assert!(applied(&[orphan], &plain).unwrap_err().contains("no peer dependency"));
    let overlap = applied(&[rule("a"), rule("a@^1")], &plain).unwrap_err();
    assert_eq!(overlap, "a, a@^1 are all for a@1.2.3");
}

#[test]
fn other_rules_overlap_and_only_add() {
    let plain = LockPackage { dependencies: pairs(&[("b", "1")]), ..LockPackage::default() };
    let rules = ["a", "a@1"].map(|selector| Extension {
        dependencies: pairs(&[("b", "2"), (selector, "3")]),
        joining: Joining::Adding,
        ..rule(selector)
    });
    let added = applied(&rules, &plain).unwrap();
    assert_eq!(added.dependencies, pairs(&[("b", "1"), ("a", "3"), ("a@1", "3")]));
}

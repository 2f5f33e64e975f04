use serde_json::json;

use super::*;
use crate::homes::Owner;

fn manifest(value: Value) -> Manifest {
    Manifest::from_value(value).unwrap()
}

fn approvals(manifest: &Manifest, file: Option<&str>) -> Approvals {
    let home = Home::parse(Owner::of(manifest, |_| false), file).unwrap();
    Approvals::of(manifest, &home)
}

/// Returns the rules of a manifest, and how much of it counts for nothing.
fn rules(value: Value) -> (Vec<String>, usize) {
    let read = approvals(&manifest(value), None);
    let rules = read.rules().map(|(key, verdict)| format!("{key} {verdict}"));
    (rules.collect(), read.ignored.len())
}

#[test]
fn each_form_says_what_its_manager_means() {
    for (value, expected, ignored) in [
        (json!({ "trustedDependencies": ["a", "@s/b"] }), vec!["a true", "@s/b true"], 0),
        (json!({ "trustedDependencies": [] }), vec![], 0),
        (json!({ "trustedDependencies": "a" }), vec![], 1),
        (json!({ "trustedDependencies": ["a", 1] }), vec!["a true"], 1),
        (
            json!({ "dependenciesMeta": {
                "a": { "built": true }, "b": { "built": false }, "c@1.0.0": { "built": true },
                "d": { "injected": true }, "e": { "built": "yes" },
            } }),
            vec!["a true", "b false", "c@1.0.0 true"],
            0,
        ),
        (json!({ "dependenciesMeta": { "a@^1": { "built": true } } }), vec![], 1),
        (
            json!({ "pnpm": {
                "onlyBuiltDependencies": ["a", "b@1.0.0 || 2.0.0"],
                "neverBuiltDependencies": ["c"], "ignoredBuiltDependencies": ["d"],
            } }),
            vec!["a true", "b@1.0.0 true", "b@2.0.0 true", "c false", "d false"],
            0,
        ),
        (
            json!({ "pnpm": { "allowBuilds": {
                "a": true, "b": false, "c@1.0.0": true,
                "d": "set this to true or false", "git+https://host.example/e.git": true,
            } } }),
            vec!["a true", "b false", "c@1.0.0 true", "git+https://host.example/e.git true"],
            0,
        ),
        (json!({ "pnpm": { "onlyBuiltDependencies": ["*", "@s/*", "a@^1"] } }), vec![], 3),
    ] {
        let expected: Vec<String> = expected.into_iter().map(str::to_owned).collect();
        assert_eq!(rules(value.clone()), (expected, ignored), "{value}");
    }
}

#[test]
fn a_newer_pnpm_reads_neither_the_field_nor_lists_of_names() {
    let field = |version: &str| json!({ "packageManager": version, "pnpm": { "onlyBuiltDependencies": ["a"] } });
    assert_eq!(rules(field("pnpm@10.4.0")), (vec!["a true".to_owned()], 0));
    assert_eq!(rules(field("yarn@4.0.0")), (vec!["a true".to_owned()], 0));
    assert_eq!(rules(field("pnpm@11.0.0+sha512.00")), (Vec::new(), 1));
    let of_file = |version: &str| {
        let manifest = manifest(json!({ "packageManager": version }));
        let text = "onlyBuiltDependencies: [a]\nneverBuiltDependencies:\n  - b\nallowBuilds:\n  c: \
                    true\n  d: set this to true or false\nstrictDepBuilds: true\n";
        let read = approvals(&manifest, Some(text));
        assert!(read.strict);
        (read.rules().map(|(key, _)| key).collect::<Vec<_>>(), read.ignored.len())
    };
    let all = ["c", "a", "b"].map(str::to_owned).to_vec();
    assert_eq!(of_file("pnpm@10.0.0"), (all, 0));
    assert_eq!(of_file("pnpm@12.0.0"), (vec!["c".to_owned(), "b".to_owned()], 1));
}

#[test]
fn a_name_that_the_project_takes_from_a_place_stands_for_the_place() {
    let value = json!({
        "dependencies": { "a": "file:./a", "b": "^1.0.0", "c": "github:u/c" },
        "trustedDependencies": ["a", "b", "c"],
    });
    let (rules, _) = rules(value);
    assert_eq!(rules, ["a true", "file:./a true", "b true", "c true", "github:u/c true"]);
}

#[test]
fn contradictions_are_named_with_both_forms() {
    let value = manifest(json!({
        "allowScripts": { "a": true, "b@1.0.0": false, "c": true },
        "trustedDependencies": ["b"],
        "pnpm": { "ignoredBuiltDependencies": ["a", "c@2.0.0", "d"] },
        "dependenciesMeta": { "e": { "built": false } },
    }));
    let found = approvals(&value, None).contradictions(&value);
    assert_eq!(found.len(), 3, "{found:#?}");
    assert_eq!(
        found[0],
        "allowScripts allows the scripts of a, and pnpm.ignoredBuiltDependencies denies those of \
         a: the denial counts"
    );
    let value = manifest(json!({ "allowScripts": { "a": true, "a@1.0.0": false } }));
    assert!(approvals(&value, None).contradictions(&value).is_empty());
}

#[test]
fn a_file_with_names_is_named_and_read() {
    let value = manifest(json!({ "pnpm": { "onlyBuiltDependenciesFile": "allow.json" } }));
    let mut read = approvals(&value, None);
    let (place, file) = read.file.clone().unwrap();
    assert_eq!((place.as_str(), file.as_str()), ("pnpm.onlyBuiltDependenciesFile", "allow.json"));
    read.add_file(&place, r#"["a"]"#);
    read.add_file(&place, "{}");
    assert_eq!(read.rules().collect::<Vec<_>>(), [("a".to_owned(), true)]);
    assert_eq!(read.ignored.len(), 1);
}

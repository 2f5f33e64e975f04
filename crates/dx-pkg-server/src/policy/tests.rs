use super::settings::{Severity, matches};
use super::*;
use serde_json::{Value, json};

const DAY: u64 = 86_400_000;
/// 2026-11-29T00:00:00Z.
const NOW: u64 = 1_795_910_400_000;

fn policy(text: &str) -> Policy {
    Policy::new(toml::from_str(text).unwrap())
}

fn judge(policy: &Policy, name: &str, version: &str, published: Option<u64>) -> Vec<String> {
    let advisories = [Advisory::read(&json!({
        "title": "Bad thing", "url": "https://advisories.test/1", "severity": "high",
        "vulnerable_versions": "<1.5.0",
    }))];
    let judged = Judged { name, version, published, advisories: &advisories };
    policy.judge(&judged, NOW).into_iter().map(|refusal| refusal.message).collect()
}

#[test]
fn young_versions_are_refused_and_those_without_a_time() {
    let policy = policy("minimum-age = \"3d\"");
    assert_eq!(judge(&policy, "left", "1.0.0", Some(NOW - 4 * DAY)), Vec::<String>::new());
    assert_eq!(judge(&policy, "left", "1.0.0", Some(NOW - 3 * DAY)), Vec::<String>::new());
    let young = judge(&policy, "left", "1.0.0", Some(NOW - 2 * DAY));
    assert_eq!(
        young,
        ["left@1.0.0 is younger than 3 days: it is passed on from 2026-11-30T00:00:00.000Z on"]
    );
    assert_eq!(judge(&policy, "left", "1.0.0", Some(NOW + DAY)).len(), 1);
    let unknown = judge(&policy, "left", "1.0.0", None);
    assert_eq!(unknown, ["nobody says when left@1.0.0 was published"]);
}

#[test]
fn deny_list_names_names_and_ranges() {
    let policy = policy(
        "[[deny]]\nnames = \"evil*\"\nreason = \"malware\"\n\
         [[deny]]\nnames = \"left\"\nversions = \"<2\"\nuntil = 2027-01-01\n\
         [[deny]]\nnames = \"old\"\nuntil = \"2026-01-01\"\n",
    );
    let refused = |name: &str, version: &str| !judge(&policy, name, version, None).is_empty();
    assert!(refused("evil", "1.0.0") && refused("evil-twin", "9.0.0"));
    assert!(refused("left", "1.9.9") && refused("left", "1.9.9-beta.1"));
    assert!(!refused("left", "2.0.0") && !refused("right", "1.0.0"));
    assert!(!refused("old", "1.0.0"), "its time is over");
    let reason = "evil is on this registry's deny list: malware";
    assert_eq!(policy.denies_name("evil", NOW).as_deref(), Some(reason));
    assert_eq!(policy.denies_name("left", NOW), None, "only some versions");
}

#[test]
fn vulnerable_versions_are_refused_from_a_severity_on() {
    for (from, refused) in [("moderate", true), ("high", true), ("critical", false)] {
        let policy = policy(&format!("advisories = \"{from}\""));
        assert_eq!(!judge(&policy, "left", "1.4.0", None).is_empty(), refused, "{from}");
        assert!(judge(&policy, "left", "1.5.0", None).is_empty());
    }
    assert_eq!(Severity::of("something new"), Severity::Critical);
}

#[test]
fn exemptions_are_for_some_rules_and_end() {
    let rules = "minimum-age = \"3d\"\n[[deny]]\nnames = \"*\"\n";
    let with = |exemption: &str| policy(&format!("{rules}[[exempt]]\nnames = \"left\"\n{exemption}"));
    let refused = |policy: &Policy| judge(policy, "left", "1.0.0", Some(NOW)).len();
    assert_eq!(refused(&with("")), 0);
    assert_eq!(refused(&with("until = 2026-11-30")), 0);
    assert_eq!(refused(&with("until = 2026-11-29")), 2);
    assert_eq!(refused(&with("rules = [\"age\"]")), 1);
    assert_eq!(refused(&with("versions = \">=2\"")), 2);
    assert_eq!(judge(&with(""), "right", "1.0.0", Some(NOW)).len(), 2);
    assert_eq!(with("").denies_name("left", NOW), None);
}

#[test]
fn mistakes_in_the_table_are_named() {
    for (text, part) in [
        ("minimum-age = \"3 weeks\"", "3 weeks"),
        ("[[deny]]\nnames = \"a\"\nversions = \"not a range ~>\"", "not a range"),
        ("[[exempt]]\nnames = \"a\"\nuntil = \"tomorrow\"", "tomorrow"),
        ("minimum-days = 3", "minimum-days"),
    ] {
        let error = toml::from_str::<Settings>(text).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn patterns_match_within_a_scope() {
    for (pattern, name, fits) in [
        ("left", "left", true),
        ("left", "leftpad", false),
        ("left*", "leftpad", true),
        ("*", "leftpad", true),
        ("*", "@acme/left", false),
        ("@acme/*", "@acme/left", true),
        ("@acme/*", "@acme2/left", false),
        ("@*/left", "@acme/left", true),
        ("a*b*c", "aXbYc", true),
        ("a*b*c", "aXc", false),
        ("*a", "a", true),
        ("aa*aa", "aaa", false),
    ] {
        assert_eq!(matches(pattern, name), fits, "{pattern} {name}");
    }
}

fn packument() -> serde_json::Map<String, Value> {
    let time = |days: u64| crate::accounts::iso(NOW - days * DAY);
    let packument = json!({
        "name": "left",
        "dist-tags": { "latest": "1.2.0", "next": "2.0.0-beta" },
        "versions": {
            "1.0.0": { "version": "1.0.0" }, "1.1.0": { "version": "1.1.0" },
            "1.2.0": { "version": "1.2.0" }, "2.0.0-beta": { "version": "2.0.0-beta" },
        },
        "time": { "1.0.0": time(100), "1.1.0": time(10), "1.2.0": time(1), "2.0.0-beta": time(2) },
    });
    packument.as_object().unwrap().clone()
}

#[test]
fn refused_versions_move_where_npm_finds_the_reason_and_latest_goes_back() {
    let mut packument = packument();
    let restricted = policy("minimum-age = \"5d\"").restrict(&mut packument, &[], NOW);
    let versions: Vec<&String> = packument["versions"].as_object().unwrap().keys().collect();
    assert_eq!(versions, ["1.0.0", "1.1.0"]);
    assert_eq!(packument["dist-tags"], json!({ "latest": "1.1.0", "next": "2.0.0-beta" }));
    let restrictions = &packument["policyRestrictions"];
    let hidden: Vec<&String> = restrictions["versions"].as_object().unwrap().keys().collect();
    assert_eq!(hidden, ["1.2.0", "2.0.0-beta"]);
    assert!(restrictions["message"].as_str().unwrap().contains("left@1.2.0 is younger"));
    assert_eq!(restricted.until, Some(NOW + 3 * DAY), "when the beta is old enough");
}

#[test]
fn everything_refused_keeps_the_tag_for_npm_to_explain() {
    let mut packument = packument();
    policy("minimum-age = \"1000d\"").restrict(&mut packument, &[], NOW);
    assert_eq!(packument["versions"], json!({}));
    assert_eq!(packument["dist-tags"]["latest"], "1.2.0");
    assert!(packument["policyRestrictions"]["versions"].get("1.2.0").is_some());
}

#[test]
fn dry_run_changes_nothing_and_tells() {
    let mut dry = packument();
    let policy = policy("minimum-age = \"5d\"\ndry-run = true");
    let restricted = policy.restrict(&mut dry, &[], NOW);
    assert_eq!(dry, packument());
    let notice = restricted.notice().unwrap();
    assert!(notice.contains("would refuse: left@1.2.0") && notice.contains("1 more"), "{notice}");
}

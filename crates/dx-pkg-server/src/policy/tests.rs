use super::*;
use crate::config::policy::Severity;
use crate::pattern::matches;
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
    let with =
        |exemption: &str| policy(&format!("{rules}[[exempt]]\nnames = \"left\"\n{exemption}"));
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

/// Returns what the policy shows of a package, and its tags.
fn restrict(policy: &Policy) -> (Restricted, Value) {
    let time = |days: u64| crate::accounts::iso(NOW - days * DAY);
    let versions = [("1.0.0", 100), ("1.1.0", 10), ("1.2.0", 1), ("2.0.0-beta", 2)];
    let times =
        versions.iter().map(|(version, days)| ((*version).to_owned(), time(*days))).collect();
    let tags = [("latest", "1.2.0"), ("next", "2.0.0-beta")];
    let tags =
        tags.iter().map(|(tag, version)| ((*tag).to_owned(), (*version).to_owned())).collect();
    let package = Package { name: "left", tags: &tags, times: &times };
    let restricted = policy.restrict(&package, versions.iter().map(|(text, _)| *text), &[], NOW);
    let shown = restricted.view.tags.clone().unwrap_or(tags);
    (restricted, json!(shown))
}

#[test]
fn refused_versions_are_named_where_npm_finds_the_reason_and_latest_goes_back() {
    let (restricted, tags) = restrict(&policy("minimum-age = \"5d\""));
    let mut hidden: Vec<&String> = restricted.view.hidden.iter().collect();
    hidden.sort();
    assert_eq!(hidden, ["1.2.0", "2.0.0-beta"]);
    assert_eq!(tags, json!({ "latest": "1.1.0", "next": "2.0.0-beta" }));
    let restrictions = restricted.view.restrictions.as_ref().unwrap();
    assert_eq!(restrictions["versions"]["1.2.0"], json!({ "name": "left", "version": "1.2.0" }));
    assert!(restrictions["message"].as_str().unwrap().contains("left@1.2.0 is younger"));
    assert!(restricted.refusal("1.2.0").is_some() && restricted.refusal("1.1.0").is_none());
    assert_ne!(restricted.view_id, 0);
}

#[test]
fn everything_refused_keeps_the_tag_for_npm_to_explain() {
    let (restricted, tags) = restrict(&policy("minimum-age = \"1000d\""));
    assert_eq!(restricted.view.hidden.len(), 4);
    assert_eq!(tags["latest"], "1.2.0");
}

#[test]
fn dry_run_hides_nothing_and_tells() {
    let (restricted, _) = restrict(&policy("minimum-age = \"5d\"\ndry-run = true"));
    assert!(restricted.view.hidden.is_empty() && restricted.view_id == 0);
    let notice = restricted.notice().unwrap();
    assert!(
        notice.contains("would refuse: left@2.0.0-beta") && notice.contains("1 more"),
        "{notice}"
    );
}

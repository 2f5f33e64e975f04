//! The minimum age of versions.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use dx_pkg_testkit::{Project, Registry};

use crate::harness::{dx, fails, ok, required};

/// Returns the time this long ago in RFC 3339 (by Howard Hinnant's `civil_from_days`).
fn ago(time: Duration) -> String {
    let seconds = (SystemTime::now() - time).duration_since(UNIX_EPOCH).unwrap().as_secs();
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let shifted = days + 719_468;
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    format!(
        "{year}-{month:02}-{day:02}T{:02}:{:02}:{:02}.000Z",
        rest / 3600,
        rest / 60 % 60,
        rest % 60
    )
}

const HOUR: Duration = Duration::from_secs(3600);

fn registry() -> Registry {
    let registry = Registry::start();
    registry.package("a", "1.0.0").published_at(&ago(HOUR * 24 * 30)).publish();
    registry.package("a", "1.1.0").published_at(&ago(HOUR * 25)).publish();
    registry.package("a", "1.2.0").published_at(&ago(HOUR)).publish();
    registry
}

/// The setting by which the usual age applies to the registry of a test.
const LISTED: &str = "min-release-age-registries[]=http:[HOST]";

#[test]
fn version_of_the_last_day_is_not_chosen() {
    let registry = registry();
    let project = Project::new(&registry).dep("a", "^1").npmrc(LISTED).create();
    ok(&project, ["install"]);
    assert_eq!(required(&project, "a"), "a@1.1.0");
}

#[test]
fn age_is_configurable() {
    let cases: [(&[&str], &str, &str); 5] = [
        (&["--min-release-age=0"], "", "a@1.2.0"),
        (&["--min-release-age", "7"], "", "a@1.0.0"),
        (&[], "min-release-age=0", "a@1.2.0"),
        (&[], "minimum-release-age=1560", "a@1.0.0"),
        (&[], "min-release-age-exclude[]=a", "a@1.2.0"),
    ];
    for (arguments, line, expected) in cases {
        let registry = registry();
        let project = Project::new(&registry).dep("a", "^1").npmrc(line).create();
        crate::harness::command(&project).args(["install"]).args(arguments).run().success();
        assert_eq!(required(&project, "a"), expected, "{arguments:?} {line}");
    }
}

#[test]
fn locked_version_is_installed_however_young() {
    let registry = registry();
    let first = Project::new(&registry).dep("a", "^1").create();
    ok(&first, ["install", "--min-release-age=0"]);
    let lock = first.read("package-lock.json");
    let second = Project::new(&registry).dep("a", "^1").file("package-lock.json", lock).create();
    ok(&second, ["install"]);
    assert_eq!(required(&second, "a"), "a@1.2.0");
}

#[test]
fn usual_age_exempts_other_registries_and_exact_versions() {
    let registry = registry();
    registry.package("b", "1.0.0").dep("a", "^1").published_at(&ago(HOUR * 25)).publish();
    let project = Project::new(&registry).dep("a", "^1").create();
    ok(&project, ["install"]);
    assert_eq!(required(&project, "a"), "a@1.2.0", "a registry that is not listed");

    let listed = || Project::new(&registry).npmrc(LISTED);
    let project = listed().dep("a", "1.2.0").create();
    ok(&project, ["install"]);
    assert_eq!(required(&project, "a"), "a@1.2.0", "named by the project");
    let project = listed().dep("x", "npm:a@1.2.0").create();
    ok(&project, ["install"]);
    assert_eq!(required(&project, "x"), "a@1.2.0", "named behind an alias");
    let project = listed().create();
    ok(&project, ["install", "a@1.2.0"]);
    assert_eq!(required(&project, "a"), "a@1.2.0", "named on the command line");
    let overrides = serde_json::json!({ "b": { "a": "1.2.0" } });
    let project = listed().dep("b", "1").field("overrides", overrides).create();
    ok(&project, ["install"]);
    assert_eq!(required(&project, "a"), "a@1.2.0", "named by an override");
    let project = listed().dep("b", "1").create();
    ok(&project, ["install"]);
    assert_eq!(required(&project, "a"), "a@1.1.0", "not named");
    let project = listed().create();
    ok(&project, ["install", "a@latest"]);
    assert_eq!(required(&project, "a"), "a@1.1.0", "named by a tag only");
}

#[test]
fn usual_age_is_that_of_each_scopes_registry() {
    let (general, scoped) = (registry(), Registry::start());
    for age in [25, 1] {
        let version = if age == 1 { "1.1.0" } else { "1.0.0" };
        scoped.package("@s/a", version).published_at(&ago(HOUR * age)).publish();
    }
    let line = format!("@s:registry={}", scoped.url());
    let listed = format!("min-release-age-registries={}", scoped.url().trim_end_matches('/'));
    for (list, a, scoped_a) in
        [(LISTED, "a@1.1.0", "@s/a@1.1.0"), (listed.as_str(), "a@1.2.0", "@s/a@1.0.0")]
    {
        let project = Project::new(&general)
            .dep("a", "^1")
            .dep("@s/a", "1")
            .npmrc(&line)
            .npmrc(list)
            .create();
        ok(&project, ["install"]);
        assert_eq!(
            (required(&project, "a"), required(&project, "@s/a")),
            (a.into(), scoped_a.into())
        );
    }
}

#[test]
fn exact_version_that_is_too_young_is_refused_with_the_reason() {
    let registry = registry();
    let project = Project::new(&registry).dep("a", "1.2.0").npmrc("min-release-age=1").create();
    let stderr = fails(dx(&project, ["install"]), "DX_NO_MATCHING_VERSION");
    assert!(stderr.contains("min-release-age"), "{stderr}");
}

/// Returns the requested packuments with their forms.
fn requested(registry: &Registry) -> Vec<(String, &'static str)> {
    let form = |accept: Option<&str>| {
        if accept.is_some_and(|accept| accept.contains("install-v1")) {
            "abbreviated"
        } else {
            "full"
        }
    };
    let requests = registry.requests();
    let packuments = requests.iter().filter(|request| !request.path.ends_with(".tgz"));
    packuments.map(|request| (request.path.clone(), form(request.header("accept")))).collect()
}

#[test]
fn full_packuments_are_requested_if_abbreviated_ones_lack_modified() {
    let registry = Registry::start();
    registry.omit_modified();
    for (name, needs) in [("a", Some("b")), ("b", Some("c")), ("c", None)] {
        let package = registry.package(name, "1.0.0").published_at(&ago(HOUR * 25));
        needs.into_iter().fold(package, |package, needs| package.dep(needs, "1")).publish();
    }
    let project = Project::new(&registry).dep("a", "1").npmrc(LISTED).create();
    ok(&project, ["install"]);
    let expected = [("/a", "abbreviated"), ("/a", "full"), ("/b", "full"), ("/c", "full")];
    assert_eq!(requested(&registry), expected.map(|(path, form)| (path.to_owned(), form)));
    // The cached metadata is enough for the next project.
    registry.clear_requests();
    let second =
        Project::new(&registry).dep("a", "1").npmrc(LISTED).store(project.store()).create();
    ok(&second, ["install"]);
    assert_eq!(requested(&registry), []);

    let project = Project::new(&registry).dep("a", "1").create();
    ok(&project, ["install", "--min-release-age=0"]);
    let expected = [("/a", "abbreviated"), ("/b", "abbreviated"), ("/c", "abbreviated")];
    assert_eq!(requested(&registry), expected.map(|(path, form)| (path.to_owned(), form)));
}

#[test]
fn cached_metadata_without_times_is_not_mistaken_for_old() {
    let registry = registry();
    let first = Project::new(&registry).dep("a", "^1").create();
    ok(&first, ["install", "--min-release-age=0"]);
    let second = Project::new(&registry).dep("a", "^1").npmrc(LISTED).store(first.store()).create();
    ok(&second, ["install"]);
    assert_eq!(required(&second, "a"), "a@1.1.0");
}

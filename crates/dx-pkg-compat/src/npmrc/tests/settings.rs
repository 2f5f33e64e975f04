//! The kinds of settings, and settings that several keys decide.

use std::time::Duration;

use super::*;

#[test]
fn booleans_are_read_as_npm_does_and_nonsense_is_an_error() {
    for (text, expected) in [
        ("offline", true),
        ("offline=", true),
        ("offline=1", true),
        ("offline=0", false),
        ("offline=false", false),
    ] {
        let config = Layers { user: text, ..Layers::default() }.config();
        assert_eq!(config.offline().unwrap(), expected, "{text}");
    }
    let error = project("strict-ssl=maybe").strict_ssl().unwrap_err();
    assert_eq!(error.code(), "DX_CONFIG_INVALID");
    assert_eq!(error.to_string(), r#"invalid value "maybe" for "strict-ssl" in /project/.npmrc"#);
    assert_eq!(error.hint().as_deref(), Some("allowed: true or false"));
}

#[test]
fn numbers_and_durations() {
    let config = user(
        "fetch-retries=0x10\nfetch-timeout=1.5e3\nfetch-retry-mintimeout=10\nfetch-retry-factor=2.5\nmaxsockets=-1\nnetwork-concurrency=1.5\nfetch-retry-maxtimeout=Infinity",
    );
    assert_eq!(config.fetch_retries().unwrap(), Some(16));
    assert_eq!(config.fetch_timeout().unwrap(), Some(Duration::from_millis(1500)));
    assert_eq!(config.fetch_retry_mintimeout().unwrap(), Some(Duration::from_millis(10)));
    assert_eq!(config.fetch_retry_factor().unwrap(), Some(2.5));
    assert!(config.maxsockets().is_err() && config.network_concurrency().is_err());
    assert!(config.fetch_retry_maxtimeout().is_err());
}

/// The error for the first value that is not of its setting's kind.
fn refused(text: &str) -> Option<String> {
    let error = user(text).unsupported().err()?;
    assert_eq!(error.code(), "DX_CONFIG_INVALID");
    Some(format!("{error}; {}", error.hint().unwrap()))
}

#[test]
fn words_are_checked() {
    let config = user("package-import-method=copy");
    assert_eq!(config.package_import_method().unwrap(), ImportMethod::Copy);
    for allowed in [
        "node-linker=isolated",
        "loglevel=silly",
        "install-strategy=linked",
        "lockfile-version=3",
        "lockfile-version=1",
        "allow-git=root",
        "only=prod",
        "also=development",
        "progress",
        "audit=null",
    ] {
        assert_eq!(refused(allowed), None, "{allowed}");
    }
    for (wrong, hint) in [
        ("node-linker=linked", "isolated"),
        ("loglevel=loud", "silly"),
        ("install-strategy=flat", "shallow"),
        ("lockfile-version=4", "1, 2 or 3"),
        ("allow-git=some", "root"),
        ("only=dev", "production"),
        ("also=prod", "development"),
    ] {
        let error = refused(wrong).unwrap();
        let (key, value) = wrong.split_once('=').unwrap();
        assert!(error.contains(key) && error.contains(value) && error.contains(hint), "{error}");
    }
}

#[test]
fn value_of_another_kind_is_refused_even_if_nothing_reads_the_setting() {
    for wrong in [
        "audit=perhaps",
        "progress=perhaps",
        "foreground-scripts=perhaps",
        "cache",
        "bin-links=perhaps",
        "dry-run=perhaps",
        "proxy=ftp://h",
        "before=yesterday",
        "min-release-age=soon",
        "fetch-retries=-1",
        "omit=prod,dev",
    ] {
        let error = refused(wrong).unwrap_or_else(|| panic!("{wrong} was accepted"));
        assert!(error.contains("/home/u/.npmrc"), "{error}");
    }
    assert!(user("only=dev").omit().is_err() && user("also=prod").omit().is_err());
}

#[test]
fn paths_begin_at_home_where_they_say_so() {
    let layers =
        Layers { user: "cafile=~/ca.pem", env: &[("HOME", "/home/u")], ..Layers::default() };
    assert_eq!(layers.config().cafile().unwrap(), Some(PathBuf::from("/home/u/ca.pem")));
    assert_eq!(user("cafile=rel/x").cafile().unwrap(), Some(PathBuf::from("rel/x")));
    assert!(user("cafile").cafile().is_err());
}

#[test]
fn omit_joins_the_old_and_new_settings() {
    use DependencyType::{Dev, Optional, Peer};
    let omit = |text: &str| user(text).omit().unwrap();
    assert_eq!(omit(""), []);
    assert_eq!(omit("omit[]=peer\nomit[]=dev"), [Dev, Peer]);
    assert_eq!(omit("only=production\noptional=false"), [Dev, Optional]);
    assert_eq!(omit("production=true\ninclude=dev"), []);
    assert_eq!(omit("omit=dev\nalso=development"), []);
    assert!(user("omit=prod,dev").omit().is_err());
    let production = Layers { env: &[("NODE_ENV", "production")], ..Layers::default() };
    assert_eq!(production.config().omit().unwrap(), [Dev]);
    let layers = Layers { flags: &[("omit", "optional"), ("omit", "dev")], ..production };
    assert_eq!(layers.config().omit().unwrap(), [Dev, Optional]);
}

#[test]
fn save_exact_empties_the_prefix() {
    assert_eq!(user("").save_prefix().unwrap(), "^");
    assert_eq!(user("save-prefix=~").save_prefix().unwrap(), "~");
    assert_eq!(user("save-prefix=~\nsave-exact").save_prefix().unwrap(), "");
}

#[test]
fn certificate_authorities_keep_or_gain_line_ends() {
    let pem = ["-----B-----\nX\n-----E-----".to_owned()];
    assert_eq!(user(r#"ca="-----B-----\nX\n-----E-----""#).ca().unwrap(), pem);
    assert_eq!(user(r"ca[]=-----B-----\nX\n-----E-----").ca().unwrap(), pem);
    assert_eq!(user("ca[]=\"a\"\nca[]=\"b\"").ca().unwrap(), ["a", "b"]);
    assert!(user("ca=null").ca().unwrap().is_empty());
    let env = Layers { env: &[("npm_config_ca", "a\n\nb")], ..Layers::default() };
    assert_eq!(env.config().ca().unwrap(), ["a", "b"]);
}

#[test]
fn release_cutoff_comes_from_the_strongest_layer() {
    use ReleaseCutoff::{Before, MinimumAge};
    let cutoff = |layers: Layers<'_>| {
        let cutoffs = layers.config().release_cutoffs().unwrap();
        assert!(cutoffs.len() < 2, "{cutoffs:?}");
        cutoffs.first().copied()
    };
    let none = Layers::default;
    assert_eq!(cutoff(none()), None);
    let days = |days: u64| Some(MinimumAge(Duration::from_secs(days * 86_400)));
    assert_eq!(cutoff(Layers { user: "min-release-age=3", ..none() }), days(3));
    assert_eq!(cutoff(Layers { user: "minimum-release-age=1440", ..none() }), days(1));
    assert_eq!(
        cutoff(Layers { user: "min-release-age=3\nminimum-release-age=1440", ..none() }),
        days(3)
    );
    assert_eq!(cutoff(Layers { project: "minimum-release-age=0", ..none() }), days(0));
    let variable = &[("npm_config_minimum_release_age", "0")];
    assert_eq!(cutoff(Layers { user: "min-release-age=3", env: variable, ..none() }), days(0));
    let flags = &[("min-release-age", "2")];
    assert_eq!(cutoff(Layers { user: "before=2026-01-01", flags, ..none() }), days(2));
    let both = Layers { user: "before=2026-01-01\nmin-release-age=2", ..none() };
    assert_eq!(cutoff(both), Some(Before(1_767_225_600_000)));
    assert_eq!(
        cutoff(Layers { user: "before=2026-01-01", flags: &[("before", "null")], ..none() }),
        None
    );
    assert!(user("min-release-age=soon").release_cutoffs().is_err());
}

#[test]
fn dates_are_read_to_the_millisecond() {
    let before = |text: &str| {
        let flags = [("before".to_owned(), text.to_owned())];
        let sources =
            ConfigSources { default_registry: DEFAULT, flags: &flags, ..ConfigSources::default() };
        match Config::load(&sources).unwrap().release_cutoffs().as_deref() {
            Ok([ReleaseCutoff::Before(time)]) => Some(*time),
            _ => None,
        }
    };
    // Expected values as JavaScript's Date.parse gives them.
    assert_eq!(before("1970-01-01"), Some(0));
    assert_eq!(before("2024-02-29"), Some(1_709_164_800_000));
    assert_eq!(before("2024"), Some(1_704_067_200_000));
    assert_eq!(before("2024-03"), Some(1_709_251_200_000));
    assert_eq!(before("2024-12-31T23:59:59.987Z"), Some(1_735_689_599_987));
    assert_eq!(before("2024-12-31T23:59:59.9+01:30"), Some(1_735_684_199_900));
    assert_eq!(before("2024-12-31T23:59-08:00"), Some(1_735_718_340_000));
    for bad in [
        "",
        "yesterday",
        "2023-02-29",
        "2024-13-01",
        "2024-01-01T25:00Z",
        "2024-01-01T10Z",
        "1969-12-31",
        "2024-1-1",
        "2024-01-01T00:00:00.Z",
        "2024-01-01T00:00+1",
    ] {
        assert_eq!(before(bad), None, "{bad}");
    }
}

#[test]
fn exclusions_of_both_spellings_are_joined() {
    let config = user(
        "min-release-age-exclude[]=a\nmin-release-age-exclude[]=@s/*\nminimum-release-age-exclude=b, c",
    );
    assert_eq!(config.release_age_exclude().unwrap(), ["a", "@s/*", "b", "c"]);
    assert_eq!(user("allow-scripts=a, b@1.0.0,").allow_scripts().unwrap(), ["a", "b@1.0.0"]);
}

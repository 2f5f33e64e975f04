//! The table against the getters, the rest of the workspace and the documentation.

use std::fs;
use std::path::{Path, PathBuf};

use dx_pkg_fetch::config::FetchConfig;

use super::*;

/// The workspace's folder.
fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The heading in docs/settings.md that a setting stands under.
fn heading(option: &OptionInfo) -> &'static str {
    match (option.support, option.group) {
        (_, OptionGroup::Registry) => "## Registries and credentials",
        (_, OptionGroup::Network) => "## The network",
        (_, OptionGroup::Resolve) => "## Versions and the lockfile",
        (_, OptionGroup::Tree) => "## `node_modules` and scripts",
        (_, OptionGroup::Save) => "## Adding packages",
        (_, OptionGroup::Publish) => "## Versions and publishing",
        (_, OptionGroup::Output) => "## Output",
    }
}

/// The beginning of a setting's row in docs/settings.md; further sentences may follow.
fn row(option: &OptionInfo) -> String {
    let default = match (option.default, option.unset) {
        ("", "") => "–".to_owned(),
        ("", unset) => unset.to_owned(),
        (default, _) => format!("`{default}`"),
    };
    let support = match option.support {
        Support::Used(_) => String::new(),
        Support::Only([]) => " Not supported.".to_owned(),
        Support::Only(values) => format!(" Only `{}` is supported.", values.join("`, `")),
        Support::Ignored(reason) => format!(" *Ignored*: {reason}."),
    };
    let OptionInfo { key, allowed, sentence, .. } = option;
    format!("| `{key}` | {allowed} | {default} | {sentence}{support}")
}

/// Every file below `folder` that ends in `.rs`.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Returns a source without comments and white space.
fn condensed(source: &str) -> String {
    let lines = source.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.flat_map(|line| line.chars().filter(|c| !c.is_whitespace())).collect()
}

/// Returns whether a condensed source calls the getter of a configuration.
fn reads(code: &str, getter: &str) -> bool {
    ["config", "config()"].iter().any(|owner| code.contains(&format!("{owner}.{getter}(")))
}

#[test]
fn defaults_in_the_table_are_the_getters_defaults() {
    let contradictory = [table::contradictory_defaults(), authors::contradictory_defaults()];
    assert_eq!(contradictory.concat(), [""; 0]);
    let mut keys: Vec<&str> = OPTIONS.iter().map(|option| option.key).collect();
    keys.sort_unstable();
    assert!(keys.is_sorted_by(|a, b| a < b), "a key stands twice");
    for option in OPTIONS {
        let default = RawValue::from_ini(option.default);
        assert!(option.default.is_empty() || option.is_valid(&default), "{}", option.key);
        assert!(option.default.is_empty() || option.unset.is_empty(), "{}", option.key);
    }
}

#[test]
fn network_defaults_in_the_table_are_the_fetchers() {
    let fetch = FetchConfig::default();
    let retry = fetch.retry;
    for (key, expected) in [
        ("fetch-retries", u128::from(retry.tries - 1)),
        ("fetch-retry-factor", retry.factor as u128),
        ("fetch-retry-mintimeout", retry.first_delay.as_millis()),
        ("fetch-retry-maxtimeout", retry.longest_delay.as_millis()),
        ("fetch-timeout", fetch.timeouts.total.as_millis()),
        ("network-concurrency", fetch.concurrency.metadata as u128),
    ] {
        assert_eq!(OptionInfo::find(key).unwrap().unset, format!("`{expected}`"), "{key}");
    }
}

#[test]
fn supported_values_are_valid() {
    for option in OPTIONS {
        if let Support::Only(values) = option.support {
            for value in values {
                assert!(option.is_valid(&RawValue::from_ini(value)), "{}", option.key);
            }
            let is_supported = values.is_empty() || values.contains(&option.default);
            assert!(is_supported, "{}: the default is unsupported", option.key);
        }
    }
}

#[test]
fn every_used_setting_is_read_outside_of_this_module() {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/npmrc");
    let mut files = Vec::new();
    for entry in fs::read_dir(workspace().join("crates")).unwrap() {
        sources(&entry.unwrap().path().join("src"), &mut files);
    }
    let is_test = |path: &Path| path.iter().any(|part| part == "tests" || part == "tests.rs");
    files.retain(|path| {
        let path = path.strip_prefix(workspace()).unwrap_or(path);
        let own = own.strip_prefix(workspace()).unwrap_or(&own);
        !is_test(path) && !path.starts_with(own) && !path.ends_with("dx-pkg-compat/src/npmrc.rs")
    });
    let read = |path: &PathBuf| condensed(&fs::read_to_string(path).unwrap());
    let texts: Vec<String> = files.iter().map(read).collect();
    assert!(texts.len() > 100, "{} files", texts.len());
    for option in OPTIONS {
        if let Support::Used(getter) = option.support {
            assert!(
                texts.iter().any(|text| reads(text, getter)),
                "{} is in the table as used, but nothing calls config.{getter}()",
                option.key
            );
        }
    }
}

#[test]
fn read_is_told_from_other_calls_of_the_same_name() {
    let reads_os = |source: &str| reads(&condensed(source), "os");
    assert!(reads_os("let a = session.config.os()?;"));
    assert!(reads_os("session\n    .config\n    .os()\n"));
    assert!(!reads_os("// config.os()"));
    assert!(!reads_os("platform.os(); config.cpu(); config.osx()"));
}

#[test]
fn every_setting_has_its_row_in_settings_md() {
    let path = workspace().join("docs/settings.md");
    let text = fs::read_to_string(path).unwrap();
    let mut missing = Vec::new();
    for option in OPTIONS {
        let (row, heading) = (row(option), heading(option));
        let section = text.split_once(&format!("\n{heading}\n")).map_or("", |(_, rest)| rest);
        let section = section.split("\n## ").next().unwrap_or_default();
        if !section.lines().any(|line| line.starts_with(&row) && line.ends_with(" |")) {
            missing.push(format!("{heading}: {row} |"));
        }
        let start = format!("| `{}` |", option.key);
        assert_eq!(text.lines().filter(|line| line.starts_with(&start)).count(), 1, "{start}");
        for variable in option.variables {
            assert!(text.contains(&format!("`{variable}`")), "{variable} is missing");
        }
    }
    assert!(missing.is_empty(), "missing in docs/settings.md:\n{}", missing.join("\n"));
}

#[test]
fn details_are_of_settings_in_the_order_of_the_table() {
    let place = |key: &str| OPTIONS.iter().position(|option| option.key == key).unwrap();
    let places: Vec<usize> = DETAILS.iter().map(|(key, _)| place(key)).collect();
    assert!(places.is_sorted_by(|a, b| a < b), "{places:?}");
}

#[test]
fn what_a_project_may_not_set_is_in_settings_md() {
    let text = fs::read_to_string(workspace().join("docs/settings.md")).unwrap();
    let (_, section) = text.split_once("\n### What a project's `.npmrc` may not set\n").unwrap();
    let section = section.split("\n### ").next().unwrap();
    let item = |start: &str| {
        let (_, item) = section.split_once(&format!("\n- **{start}")).unwrap();
        item.split("\n- ").next().unwrap()
    };
    for option in OPTIONS {
        let (key, heading) = (
            option.key,
            match option.trust {
                Trust::Anyone => continue,
                Trust::User => "Only you set",
                Trust::Stricter(words) => {
                    let valid = |word: &&str| option.is_valid(&RawValue::from_ini(word));
                    assert!(words.iter().all(valid), "{}", option.key);
                    assert!(option.default.is_empty() || words.contains(&option.default));
                    "A project may be stricter"
                }
                Trust::Adds | Trust::Age => "An age that you demand",
            },
        );
        assert!(item(heading).contains(&format!("`{key}`")), "{key} is missing: {heading}");
    }
    for key in unread::OF_THE_USER {
        assert!(item("Only you set").contains(&format!("`{key}`")), "{key} is missing");
    }
}

#[test]
fn flags_are_unique_and_set_valid_values() {
    let mut names = Vec::new();
    for option in OPTIONS {
        for flag in option.flags() {
            names.push(flag.long.to_owned());
            names.extend(flag.aliases.iter().map(|alias| (*alias).to_owned()));
            names.extend(flag.short.map(String::from));
            assert!(!flag.help.is_empty() && !flag.help.ends_with('.'), "{}", flag.long);
            match flag.value {
                FlagValue::Fixed(value) => {
                    assert!(option.is_valid(&RawValue::from_ini(value)), "--{}", flag.long);
                }
                FlagValue::Argument(name) => {
                    assert!(!option.is_switch, "--{} needs no {name}", flag.long);
                }
                FlagValue::Ignored(reason) => {
                    assert!(flag.is_hidden() && !reason.is_empty(), "--{}", flag.long);
                }
            }
            for word in flag.words {
                assert!(option.is_valid(&RawValue::from_ini(word)), "--{} {word}", flag.long);
                assert!(flag.allows(word) && !flag.allows("nonsense"), "--{}", flag.long);
            }
        }
    }
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all, "{names:?}");
}

#[test]
fn flags_are_found_by_every_name() {
    let found = |text: &str| {
        let (option, flag) = find_flag(text)?;
        Some((option.key, flag.value))
    };
    assert_eq!(found("--prod"), Some(("omit", FlagValue::Fixed("dev"))));
    assert_eq!(found("--production"), found("--prod"));
    assert_eq!(found("--omit"), Some(("omit", FlagValue::Argument("KIND"))));
    assert_eq!(found("--no-audit"), Some(("audit", FlagValue::Ignored("dx makes no audit"))));
    assert_eq!(found("-E"), Some(("save-exact", FlagValue::Fixed("true"))));
    assert_eq!(found("--package-lock-only"), found("--lockfile-only"));
    for text in ["--audit", "prod", "-prod", "--E", "E", "-", "--", ""] {
        assert_eq!(found(text), None, "{text}");
    }
}

#[test]
fn flags_are_in_cli_md_unless_they_are_hidden() {
    let text = fs::read_to_string(workspace().join("docs/cli.md")).unwrap();
    for option in OPTIONS {
        for flag in option.flags() {
            let is_there = text.contains(&format!("`--{}", flag.long));
            assert!(is_there || flag.is_hidden(), "--{} is missing in docs/cli.md", flag.long);
        }
    }
}

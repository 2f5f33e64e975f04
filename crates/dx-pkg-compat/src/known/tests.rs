use super::*;
use crate::npmrc::OPTIONS;

/// The names that a peer's package has: one a line, behind a line that tells its version.
fn names(list: &'static str) -> impl Iterator<Item = &'static str> {
    list.lines().filter(|line| !line.is_empty() && !line.starts_with('#'))
}

fn assert_known(list: &'static str, is_known: impl Fn(&str) -> bool) {
    assert!(names(list).count() > 10, "the list is empty");
    let missing: Vec<&str> = names(list).filter(|name| !is_known(name)).collect();
    assert!(missing.is_empty(), "to be added to the tables of `known`: {missing:?}");
}

#[test]
fn tables_are_sorted_and_name_each_thing_once() {
    for table in [PACKAGE_JSON, NPMRC, YARNRC, BUNFIG, pnpm::SETTINGS, pnpm_idle::SETTINGS] {
        for pair in table.windows(2) {
            assert!(pair[0].key < pair[1].key, "{} before {}", pair[0].key, pair[1].key);
        }
    }
    let twice =
        pnpm::SETTINGS.iter().find(|row| Known::find(pnpm_idle::SETTINGS, row.key).is_some());
    assert!(twice.is_none(), "{twice:?}");
    let twice = NPMRC.iter().find(|row| OPTIONS.iter().any(|option| option.key == row.key));
    assert!(twice.is_none(), "{twice:?} is an option too");
}

#[test]
fn purposes_end_a_sentence() {
    let tables = [PACKAGE_JSON, NPMRC, YARNRC, BUNFIG, pnpm::SETTINGS, pnpm_idle::SETTINGS];
    for row in tables.into_iter().flatten() {
        assert!(!row.purpose.is_empty() && !row.purpose.ends_with('.'), "{}", row.key);
        assert!(!row.purpose.contains('|'), "{}", row.key);
    }
}

#[test]
fn every_field_of_the_peers_is_known() {
    assert_known(include_str!("peers/package-json.txt"), |name| {
        Known::find(PACKAGE_JSON, name).is_some()
    });
}

#[test]
fn every_setting_of_npm_is_known() {
    assert_known(include_str!("peers/npm-settings.txt"), |name| {
        Known::find(NPMRC, name).is_some() || OPTIONS.iter().any(|option| option.key == name)
    });
}

#[test]
fn every_setting_of_pnpm_is_known() {
    assert_known(include_str!("peers/pnpm-settings.txt"), |name| Known::of_pnpm(name).is_some());
}

#[test]
fn every_setting_of_yarn_is_known() {
    assert_known(include_str!("peers/yarn-settings.txt"), |name| {
        Known::find(YARNRC, name).is_some()
    });
}

#[test]
fn every_setting_of_bun_is_known() {
    assert_known(include_str!("peers/bun-settings.txt"), |name| {
        // Of the sections that an install does not read, the section is known.
        name.match_indices('.')
            .map(|(dot, _)| dot)
            .chain([name.len()])
            .any(|end| Known::find(BUNFIG, &name[..end]).is_some())
    });
}

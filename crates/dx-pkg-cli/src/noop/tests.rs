//! Parsed command lines, and their agreement with the argument parser of the full install.

use clap::Parser;
use dx_pkg_compat::command_words::PlainInstall;
use dx_pkg_compat::npmrc::{FlagValue, OPTIONS};
use dx_pkg_install::state::settings_digest;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use crate::commands::{Arguments, Command};

fn read(line: &str) -> Option<PlainInstall> {
    PlainInstall::read(line.split_whitespace().map(Into::into))
}

fn read_words(words: &[String]) -> Option<PlainInstall> {
    PlainInstall::read(words.iter().map(Into::into))
}

/// Parses a command line as the full install does; `None` for anything but an install whose only
/// output is that nothing changed.
fn parse(words: &[String]) -> Option<PlainInstall> {
    let line = std::iter::once("dx").chain(words.iter().map(String::as_str));
    let arguments = Arguments::try_parse_from(line).ok()?;
    let Command::Install(install) = arguments.command else { return None };
    let output = arguments.output;
    let is_plain = install.packages.is_empty() && install.tree.timing.is_none();
    (is_plain && !output.json && !output.verbose).then(|| PlainInstall {
        folder: arguments.folder.unwrap_or_default(),
        flags: install.tree.session_options().flags,
        silent: output.silent,
        frozen: install.tree.frozen_lockfile,
    })
}

fn digest(request: &PlainInstall) -> [u8; 32] {
    settings_digest(&request.flags, std::iter::empty())
}

/// Every spelling of every flag of the table that is followed by these arguments.
fn spellings(arguments: &[&str]) -> Vec<Vec<String>> {
    let mut all = Vec::new();
    for flag in OPTIONS.iter().flat_map(|option| option.flags()) {
        let longs = [flag.long].into_iter().chain(flag.aliases.iter().copied());
        let mut names: Vec<String> = longs.map(|long| format!("--{long}")).collect();
        names.extend(flag.short.map(|letter| format!("-{letter}")));
        for name in names {
            all.push(vec![name.clone()]);
            for argument in arguments {
                all.push(vec![format!("{name}={argument}")]);
                all.push(vec![name.clone(), (*argument).to_owned()]);
            }
        }
    }
    all
}

/// Any command line, most of them of an install, some with a flag that is given twice.
fn lines() -> impl Strategy<Value = Vec<String>> {
    let arguments = ["dev", "dev,peer", "dev,", ",", "", "prod", "3", "-1", "a=b", "true"];
    let fixed = [
        "-C app",
        "--dir=app",
        "--prefix app",
        "--dir=",
        "--dir",
        "-C -s",
        "-Capp",
        "-s",
        "--silent",
        "--silent=true",
        "-sf",
        "--json",
        "--verbose",
        "--frozen-lockfile",
        "--immutable",
        "--timing=t",
        "--",
        "-",
        "--f",
        "--save-dev",
        "a",
        "install",
        "i",
    ];
    let fixed = fixed.map(|words| words.split(' ').map(str::to_owned).collect::<Vec<_>>());
    let piece = prop_oneof![2 => select(spellings(&arguments)), 1 => select(fixed.to_vec())];
    let command = select(vec!["install", "install", "install", "i", "ci", "add"]);
    let pieces = proptest::collection::vec(piece, 0..5);
    let repeats = prop::bool::weighted(0.3);
    (pieces, repeats, command, 0..2_usize).prop_map(|(mut pieces, repeats, command, place)| {
        if repeats {
            pieces.extend(pieces.first().cloned());
        }
        pieces.insert(place.min(pieces.len()), vec![command.to_owned()]);
        pieces.concat()
    })
}

/// A valid spelling of each flag of the table, with those that take an argument.
fn valid_flags() -> Vec<String> {
    let flags = OPTIONS.iter().flat_map(|option| option.flags());
    let spelled = flags.map(|flag| match flag.value {
        FlagValue::Argument(_) => {
            format!("--{}={}", flag.long, flag.words.first().unwrap_or(&"1"))
        }
        _ => format!("--{}", flag.long),
    });
    let never = [
        "--lockfile-only",
        "--force",
        "--dry-run",
        "--global",
        "--workspace=1",
        "--workspaces",
        "--no-workspaces",
        "--include-workspace-root",
    ];
    spelled.filter(|flag| !never.contains(&flag.as_str())).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn understood_line_means_the_same_to_the_full_install(words in lines()) {
        if let Some(request) = read_words(&words) {
            let full = parse(&words);
            prop_assert!(full.is_some(), "the full install does not take {:?}", words);
            let full = full.unwrap();
            prop_assert_eq!(digest(&request), digest(&full), "{:?}", words);
            prop_assert_eq!((request.folder, request.silent), (full.folder, full.silent));
        }
    }

    #[test]
    fn every_valid_combination_of_the_tables_flags_is_understood(
        flags in subsequence(valid_flags(), 0..=valid_flags().len()).prop_shuffle()
    ) {
        let words = [vec!["install".to_owned()], flags].concat();
        let (request, full) = (read_words(&words), parse(&words));
        prop_assert!(request.is_some() && full.is_some(), "{:?}", words);
        prop_assert_eq!(request.map(|request| digest(&request)), full.map(|full| digest(&full)));
    }
}

#[test]
fn a_plain_install_is_understood() {
    assert_eq!(read("install"), Some(PlainInstall::default()));
    let request = read("i -C app --prod --frozen-lockfile -s").unwrap();
    assert_eq!(request.folder.to_str(), Some("app"));
    assert_eq!(request.flags, [("omit".to_owned(), "dev".to_owned())]);
    assert!(request.silent);
}

#[test]
fn flags_without_effect_leave_the_digest_as_it_is() {
    let plain = digest(&read("install").unwrap());
    for line in ["install -S -E --no-save --no-audit --no-fund", "-s i --offline --immutable"] {
        assert_eq!(digest(&read(line).unwrap()), plain, "{line}");
    }
    for line in ["install --omit dev", "install --registry=http://r.example/"] {
        assert_ne!(digest(&read(line).unwrap()), plain, "{line}");
    }
    assert!(read("install -f").is_none(), "it always looks");
}

#[test]
fn any_other_command_line_takes_the_full_install() {
    for line in [
        "",
        "install left-pad",
        "ci",
        "install --json",
        "install --lockfile-only",
        "install --force",
        "i -f",
        "remove a",
        "install -C",
        "--prod install",
        "install --prod --production",
        "install --omit=prod",
        "install --omit",
        "install --offline=true",
        "install -s --silent",
        "install --timing=t",
        "install --f",
    ] {
        assert_eq!(read(line), None, "{line}");
    }
}

//! docs/cli.md and docs/settings.md are complete.

use std::fs;
use std::path::Path;

use dx_pkg_compat::npmrc::OPTIONS;
use dx_pkg_testkit::Project;

use crate::harness::ok;

fn page(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Returns the flags that a help text lists: words with a dash at the beginning of a line.
fn flags(help: &str) -> Vec<String> {
    help.lines()
        .map(str::trim_start)
        .filter(|line| line.starts_with('-'))
        .flat_map(|line| line.split("  ").next().unwrap_or_default().split([' ', ',', '=', '[']))
        .filter(|word| word.starts_with('-'))
        .map(|word| word.trim_end_matches("...").to_owned())
        .collect()
}

/// Returns the commands that a help text lists, in one group or several.
fn commands(help: &str) -> Vec<String> {
    let lines = help.lines().take_while(|line| *line != "Options:");
    let indented = lines.filter_map(|line| line.strip_prefix("  "));
    indented
        .filter(|line| line.starts_with(|first: char| first.is_ascii_lowercase()))
        .map(|line| line.split(' ').next().unwrap().to_owned())
        .collect()
}

#[test]
fn every_command_and_flag_is_in_cli_md() {
    let project = Project::offline().create();
    let text = page("cli.md");
    let top = ok(&project, ["--help"]).stdout;
    let mut helps = vec![("dx".to_owned(), top.clone())];
    for command in commands(&top) {
        let help = ok(&project, [&command, "--help"]).stdout;
        for inner in commands(&help) {
            helps.push((
                format!("dx {command} {inner}"),
                ok(&project, [&command, &inner, "--help"]).stdout,
            ));
        }
        helps.push((format!("dx {command}"), help));
    }
    assert!(helps.len() >= 80, "{helps:?}");
    for (command, help) in helps {
        assert!(text.contains(&format!("`{command}")), "{command} is missing in docs/cli.md");
        let found = flags(&help);
        assert!(found.contains(&"--help".to_owned()), "{found:?}");
        for flag in found {
            assert!(
                text.contains(&format!("`{flag}")),
                "{flag} of {command} is missing in docs/cli.md"
            );
        }
    }
}

#[test]
fn every_setting_is_in_settings_md_with_its_default() {
    let text = page("settings.md");
    let mut keys: Vec<&str> = Vec::new();
    for option in OPTIONS {
        let row = text.lines().find(|line| line.starts_with(&format!("| `{}` |", option.key)));
        let row = row.unwrap_or_else(|| panic!("{} is missing in docs/settings.md", option.key));
        if !option.default.is_empty() {
            assert!(
                row.contains(&format!("| `{}` |", option.default)),
                "{} has the default {:?}: {row}",
                option.key,
                option.default
            );
        }
        keys.push(option.key);
    }
    let others = [
        "registry",
        "@scope:registry",
        "//host/path/:_authToken",
        "//host/path/:_auth",
        "//host/path/:username",
    ];
    for key in others {
        assert!(text.contains(&format!("`{key}`")), "{key} is missing in docs/settings.md");
    }
    for line in text.lines().filter_map(|line| line.strip_prefix("| `")) {
        let key = line.split('`').next().unwrap();
        let is_variable = key.chars().all(|c| c.is_ascii_uppercase() || c == '_');
        assert!(
            keys.contains(&key) || others.contains(&key) || is_variable || key.starts_with("//"),
            "{key} is no setting"
        );
    }
}

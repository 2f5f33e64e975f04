//! The help of dx itself: the commands in groups, as people look for them, in 80 columns.

use std::fmt::Write as _;

use clap::Command;

/// The groups of commands, in the order of the help.
const GROUPS: [(&str, &[&str]); 8] = [
    (
        "Install and update",
        &[
            "install",
            "ci",
            "remove",
            "update",
            "dedupe",
            "find-dupes",
            "prune",
            "rebuild",
            "link",
            "unlink",
            "install-test",
            "install-ci-test",
            "import",
            "fetch",
            "deploy",
        ],
    ),
    ("Run", &["run", "test", "start", "stop", "restart", "exec", "dlx", "init"]),
    (
        "Inspect",
        &[
            "ls", "explain", "outdated", "peers", "query", "licenses", "fund", "sbom", "view",
            "search", "diff", "docs", "repo", "bugs",
        ],
    ),
    ("Security", &["audit", "lock", "install-scripts", "approve-scripts", "deny-scripts"]),
    ("Change installed packages", &["patch", "patch-commit", "patch-remove", "explore", "edit"]),
    (
        "Publish",
        &[
            "pkg",
            "version",
            "pack",
            "publish",
            "dist-tag",
            "deprecate",
            "undeprecate",
            "unpublish",
            "stage",
            "trust",
        ],
    ),
    (
        "Registry accounts",
        &[
            "login", "logout", "whoami", "profile", "token", "owner", "access", "team", "org",
            "ping",
        ],
    ),
    (
        "Settings and store",
        &[
            "config",
            "get",
            "set",
            "root",
            "prefix",
            "bin",
            "cache",
            "store",
            "doctor",
            "completion",
            "shims",
            "help-search",
        ],
    ),
];

/// The group of commands that have none.
const OTHERS: &str = "Other commands";
const COLUMNS: usize = 80;
/// The column at which what a command does begins.
const INDENT: usize = 19;

/// Returns the parser with this help of its own.
pub fn with_groups(parser: Command) -> Command {
    let template = format!(
        "{{about-with-newline}}\n{{usage-heading}} {{usage}}\n\n{}Options:\n{{options}}{{after-help}}",
        listed(&parser)
    );
    parser.help_template(template)
}

/// Returns the groups with their commands.
fn listed(parser: &Command) -> String {
    let shown: Vec<&Command> =
        parser.get_subcommands().filter(|command| !command.is_hide_set()).collect();
    let mut text = String::new();
    for (title, names) in GROUPS {
        let named = |name: &&str| shown.iter().find(|command| command.get_name() == *name).copied();
        group(&mut text, title, names.iter().filter_map(named));
    }
    let is_grouped = |name: &str| GROUPS.iter().any(|(_, names)| names.contains(&name));
    let others = shown.iter().copied().filter(|command| !is_grouped(command.get_name()));
    group(&mut text, OTHERS, others);
    text
}

fn group<'c>(text: &mut String, title: &str, commands: impl Iterator<Item = &'c Command>) {
    let mut commands = commands.peekable();
    if commands.peek().is_none() {
        return;
    }
    let _ = writeln!(text, "{title}:");
    for command in commands {
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        let aliases: Vec<&str> = command.get_visible_aliases().collect();
        let also = match aliases.as_slice() {
            [] => String::new(),
            aliases => format!(" [also: {}]", aliases.join(", ")),
        };
        let mut line = format!("  {:<width$}", command.get_name(), width = INDENT - 2);
        let mut is_begun = false;
        for word in format!("{about}{also}").split(' ') {
            if is_begun && line.len() + 1 + word.len() > COLUMNS {
                let _ = writeln!(text, "{line}");
                line = " ".repeat(INDENT);
                is_begun = false;
            }
            if is_begun {
                line.push(' ');
            }
            line.push_str(word);
            is_begun = true;
        }
        let _ = writeln!(text, "{line}");
    }
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::commands::Arguments;

    #[test]
    fn every_command_is_in_one_group() {
        let parser = Arguments::command();
        let text = listed(&parser);
        assert!(!text.contains(OTHERS), "{text}");
        let mut all: Vec<&str> =
            GROUPS.iter().flat_map(|(_, names)| names.iter().copied()).collect();
        let known = |name: &&str| {
            parser.get_subcommands().any(|one| one.get_name() == *name && !one.is_hide_set())
        };
        assert!(all.iter().all(known), "{all:?}");
        let grouped = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), grouped, "one is in two groups");
    }

    #[test]
    fn it_has_80_columns() {
        let mut parser = with_groups(Arguments::command()).term_width(COLUMNS);
        let help = parser.render_help().to_string();
        let wide: Vec<&str> = help.lines().filter(|line| line.len() > COLUMNS).collect();
        assert!(wide.is_empty(), "{wide:?}");
        assert!(help.contains("\nInstall and update:\n  install          Install the project's"));
    }
}

//! `docs/commands.md`: dx's commands beside those of npm, pnpm and Bun.
//!
//! The page is made of dx's own table and of `tools.json`, which has the commands that the help of
//! each tool lists. `DX_WRITE_DOCS=1` writes it.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// The commands that must be there: those of daily and weekly use.
const FREQUENT: [&str; 28] = [
    "install",
    "ci",
    "uninstall",
    "run",
    "test",
    "start",
    "exec",
    "init",
    "ls",
    "explain",
    "outdated",
    "link",
    "prune",
    "rebuild",
    "dedupe",
    "find-dupes",
    "config",
    "get",
    "set",
    "view",
    "search",
    "version",
    "pack",
    "publish",
    "pkg",
    "completion",
    "patch",
    "audit",
];

const HEAD: &str = "\
# Commands beside npm, pnpm and Bun

Every command that `npm help`, `pnpm help -a`, `bun --help` and `bun pm --help` list (npm 12.2.2,
pnpm 12.21, Bun 1.4.5), and what it is to dx. This page is written from dx's own table of commands
by a test (`DX_WRITE_DOCS=1 cargo test -p dx-pkg-cli --test it commands_page`), which fails where
the page is old. [cli.md](cli.md) explains the commands, [npm-differences.md](npm-differences.md)
what is decided otherwise. \"same\" says that dx has a command for it, not that every case of it was
compared: what was compared with npm is in the tables of `crates/dx-pkg-cli/tests/it`.

";

fn dx_table() -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_dx")).arg("__commands").output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Returns dx's command of this name.
fn find<'t>(table: &'t Value, name: &str) -> Option<&'t Value> {
    let commands = table["commands"].as_array().unwrap();
    commands.iter().find(|command| {
        let aliases = command["aliases"].as_array().unwrap();
        command["name"] == name || aliases.iter().any(|alias| alias == name)
    })
}

fn words(value: &Value) -> Vec<&str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

/// Returns the flags of npm's command that dx's does not take.
fn missing_flags<'t>(table: &Value, command: &Value, flags: &[&'t str]) -> Vec<&'t str> {
    let (own, everywhere) = (words(&command["flags"]), words(&table["everywhere"]));
    let settings = words(&table["settings"]);
    let within = command["commands"].as_array().unwrap();
    let within: Vec<&str> = within.iter().flat_map(|inner| words(&inner["flags"])).collect();
    let has = |flag: &str| {
        [&own, &everywhere, &settings, &within].iter().any(|all| all.contains(&flag))
            || own.contains(&format!("no-{flag}").as_str())
    };
    flags.iter().copied().filter(|flag| !has(flag)).collect()
}

/// Returns the page.
fn page() -> String {
    let tools: Value = serde_json::from_str(include_str!("tools.json")).unwrap();
    let table = dx_table();
    let mut page = HEAD.to_owned();
    let reason = |name: &str| tools["missing"][name].as_str().filter(|reason| !reason.is_empty());
    for (tool, title) in [("npm", "npm"), ("pnpm", "pnpm"), ("bun", "Bun")] {
        let heading = if tool == "npm" { " npm's flags that dx's does not take |" } else { "" };
        let line = if tool == "npm" { "---|" } else { "" };
        write!(page, "## {title}\n\n| {title} | dx | |{heading}\n|---|---|---|{line}\n").unwrap();
        for (name, about) in tools[tool].as_object().unwrap() {
            let is_npm = tool == "npm";
            let aliases = words(if is_npm { &about["aliases"] } else { about });
            let shown = match aliases.as_slice() {
                [] => format!("`{name}`"),
                aliases => format!("`{name}` ({})", aliases.join(", ")),
            };
            let own = tools["equivalents"][tool][name].as_str().unwrap_or(name);
            let command = find(&table, own);
            let (dx, remark) = match command {
                None => ("–".to_owned(), reason(name).unwrap_or("not yet").to_owned()),
                Some(command) => {
                    let own = command["name"].as_str().unwrap();
                    let unknown: Vec<&str> = aliases
                        .iter()
                        .copied()
                        .filter(|alias| find(&table, alias).is_none())
                        .collect();
                    let mut remark =
                        tools["better"][own].as_str().map_or("same", |_| "better").to_owned();
                    if let Some(better) = tools["better"][own].as_str() {
                        remark = format!("better: {better}");
                    }
                    if !unknown.is_empty() {
                        write!(remark, "; not by the name {}", unknown.join(", ")).unwrap();
                    }
                    (format!("`{own}`"), remark)
                }
            };
            write!(page, "| {shown} | {dx} | {remark} |").unwrap();
            if is_npm {
                let flags = words(&about["flags"]);
                let missing = command.map(|command| missing_flags(&table, command, &flags));
                let missing = missing.unwrap_or_default();
                let missing: Vec<String> =
                    missing.iter().map(|flag| format!("`--{flag}`")).collect();
                write!(page, " {} |", missing.join(", ")).unwrap();
            }
            page.push('\n');
        }
        page.push('\n');
    }
    page.trim_end().to_owned() + "\n"
}

#[test]
fn commands_page_is_what_the_commands_are() {
    let page = page();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/commands.md");
    if std::env::var_os("DX_WRITE_DOCS").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == page, "docs/commands.md is old: run this test with DX_WRITE_DOCS=1");
}

#[test]
fn every_command_of_daily_and_weekly_use_is_there() {
    let table = dx_table();
    let missing: Vec<&str> =
        FREQUENT.into_iter().filter(|name| find(&table, name).is_none()).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

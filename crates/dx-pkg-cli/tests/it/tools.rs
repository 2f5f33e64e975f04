//! `docs/commands.md`: dx's commands and flags beside those of npm, pnpm and Bun.
//!
//! The page is made of dx's own table and of `tools.json`, which has the commands and flags that
//! the help of each tool lists, and the reasons why dx lacks some. `DX_WRITE_DOCS=1` writes it.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// The commands of daily and weekly use, by tool.
const FREQUENT: [(&str, &[&str]); 3] = [
    (
        "npm",
        &[
            "install",
            "ci",
            "uninstall",
            "run",
            "test",
            "start",
            "stop",
            "restart",
            "exec",
            "init",
            "ls",
            "ll",
            "explain",
            "outdated",
            "update",
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
            "fund",
            "sbom",
            "query",
            "cache",
            "doctor",
            "install-test",
            "install-ci-test",
            "approve-scripts",
            "deny-scripts",
        ],
    ),
    (
        "pnpm",
        &[
            "add",
            "install",
            "remove",
            "run",
            "test",
            "exec",
            "dlx",
            "create",
            "init",
            "update",
            "outdated",
            "list",
            "why",
            "audit",
            "licenses",
            "link",
            "unlink",
            "import",
            "patch",
            "patch-commit",
            "patch-remove",
            "dedupe",
            "prune",
            "rebuild",
            "fetch",
            "deploy",
            "config",
            "store",
            "pack",
            "publish",
            "approve-builds",
            "ci",
        ],
    ),
    (
        "bun",
        &[
            "run",
            "test",
            "x",
            "install",
            "add",
            "remove",
            "update",
            "audit",
            "outdated",
            "link",
            "unlink",
            "publish",
            "patch",
            "info",
            "why",
            "init",
            "create",
            "pm pack",
            "pm ls",
            "pm untrusted",
            "pm trust",
        ],
    ),
];

const HEAD: &str = "\
# Commands beside npm, pnpm and Bun

Every command that `npm help`, `pnpm help -a`, `bun --help` and `bun pm --help` list (npm 12.2.2,
pnpm 12.21, Bun 1.4.5) with the flags of its own help, and what it is to dx. This page is written
from dx's own table of commands by a test (`DX_WRITE_DOCS=1 cargo test -p dx-pkg-cli --test it
commands_page`), which fails where the page is old. [cli.md](cli.md) explains the commands,
[npm-differences.md](npm-differences.md) what is decided otherwise. \"same\" says that dx has a
command for it, not that every case of it was compared: what was compared with npm is in the tables
of `crates/dx-pkg-cli/tests/it`. A flag that is taken may have no effect on a command, which dx then
says, or be a setting of dx by that name.

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

/// Returns the flags of another tool's command that dx's does not take.
fn missing_flags<'t>(table: &Value, command: Option<&Value>, flags: &[&'t str]) -> Vec<&'t str> {
    let none = Value::Null;
    let command = command.unwrap_or(&none);
    let (own, everywhere) = (words(&command["flags"]), words(&table["everywhere"]));
    let settings = words(&table["settings"]);
    let within = command["commands"].as_array().into_iter().flatten();
    let within: Vec<&str> = within.flat_map(|inner| words(&inner["flags"])).collect();
    let is_known =
        |flag: &str| [&own, &everywhere, &settings, &within].iter().any(|all| all.contains(&flag));
    let has = |flag: &str| {
        is_known(flag)
            || is_known(&format!("no-{flag}"))
            || flag.strip_prefix("no-").is_some_and(is_known)
    };
    flags.iter().copied().filter(|flag| !has(flag)).collect()
}

/// Returns why dx does not take a flag.
fn reason_for<'t>(tools: &'t Value, tool: &str, name: &str, flag: &str) -> Option<&'t str> {
    let general = tools["reasons"].as_object().unwrap().iter();
    let mut general = general.filter(|(_, flags)| words(flags).contains(&flag));
    let found = general.next().map(|(reason, _)| reason.as_str());
    found.or_else(|| tools["commandReasons"][tool][name].as_str())
}

/// What dx has for a command of another tool.
struct Row<'t> {
    tool: &'t str,
    name: &'t str,
    aliases: Vec<&'t str>,
    command: Option<&'t Value>,
    missing: Vec<&'t str>,
}

fn rows<'t>(tools: &'t Value, table: &'t Value) -> Vec<Row<'t>> {
    let mut rows = Vec::new();
    for tool in ["npm", "pnpm", "bun"] {
        for (name, about) in tools[tool].as_object().unwrap() {
            let own = tools["equivalents"][tool][name].as_str().unwrap_or(name);
            let command = find(table, own);
            let flags = words(&about["flags"]);
            let mut missing = missing_flags(table, command, &flags);
            // Flags of this name have another meaning here.
            let others = words(&tools["otherMeanings"][tool]);
            missing.extend(flags.iter().filter(|flag| others.contains(flag)));
            missing.retain(|_| command.is_some());
            let aliases = words(&about["aliases"]);
            rows.push(Row { tool, name, aliases, command, missing });
        }
    }
    rows
}

fn quoted(flags: &[&str]) -> String {
    flags.iter().map(|flag| format!("`--{flag}`")).collect::<Vec<_>>().join(", ")
}

/// Returns the page.
fn page(tools: &Value, table: &Value) -> String {
    let mut page = HEAD.to_owned();
    let rows = rows(tools, table);
    writeln!(
        page,
        "Missing among those of daily and weekly use: {}.\n",
        frequently_missing(tools, table)
    )
    .unwrap();
    for (tool, title) in [("npm", "npm"), ("pnpm", "pnpm"), ("bun", "Bun")] {
        let heading = format!("{title}'s flags that dx's does not take");
        write!(page, "## {title}\n\n| {title} | dx | | {heading} |\n|---|---|---|---|\n").unwrap();
        for row in rows.iter().filter(|row| row.tool == tool) {
            let shown = match row.aliases.as_slice() {
                [] => format!("`{}`", row.name),
                aliases => format!("`{}` ({})", row.name, aliases.join(", ")),
            };
            let (dx, remark) = remark(tools, table, row);
            let missing = match tools["commandReasons"][tool][row.name].as_str() {
                Some(reason) => reason.to_owned(),
                None => quoted(&row.missing),
            };
            writeln!(page, "| {shown} | {dx} | {remark} | {missing} |").unwrap();
        }
        page.push('\n');
    }
    let everywhere = words(&tools["pnpmEverywhere"]);
    let everywhere = missing_flags(table, None, &everywhere);
    writeln!(
        page,
        "Every command of pnpm also has these flags, which dx's have not: {}.\n",
        quoted(&everywhere)
    )
    .unwrap();
    page.push_str("## Why a flag is missing\n\n| Flags | Instead, or why |\n|---|---|\n");
    for (reason, flags) in tools["reasons"].as_object().unwrap() {
        writeln!(page, "| {} | {reason} |", quoted(&words(flags))).unwrap();
    }
    page
}

/// Returns dx's command for that of another tool, and what is to be said of it.
fn remark(tools: &Value, table: &Value, row: &Row<'_>) -> (String, String) {
    let Some(command) = row.command else {
        let reason = tools["missing"][row.name].as_str().filter(|reason| !reason.is_empty());
        return ("–".to_owned(), reason.unwrap_or("not yet").to_owned());
    };
    let own = command["name"].as_str().unwrap();
    let unknown: Vec<&str> =
        row.aliases.iter().copied().filter(|alias| find(table, alias).is_none()).collect();
    let mut remark = match (&tools["better"][own], &tools["limits"][own]) {
        (Value::String(better), _) => format!("better: {better}"),
        (_, Value::String(limit)) => format!("the same {limit}"),
        _ => "same".to_owned(),
    };
    if !unknown.is_empty() {
        write!(remark, "; not by the name {}", unknown.join(", ")).unwrap();
    }
    (format!("`{own}`"), remark)
}

/// Returns the commands of daily and weekly use that dx has not, and their flags without a reason.
fn frequently_missing(tools: &Value, table: &Value) -> String {
    let rows = rows(tools, table);
    let mut missing = Vec::new();
    for (tool, names) in FREQUENT {
        for name in names {
            let row = rows.iter().find(|row| row.tool == tool && row.name == *name);
            let row = row.unwrap_or_else(|| panic!("{tool} has no command {name}"));
            if row.command.is_none() {
                missing.push(format!("{tool} {name}"));
            }
            let unexplained =
                row.missing.iter().filter(|flag| reason_for(tools, tool, name, flag).is_none());
            missing.extend(unexplained.map(|flag| format!("{tool} {name} --{flag}")));
        }
    }
    if missing.is_empty() { "none".to_owned() } else { missing.join(", ") }
}

fn recorded() -> Value {
    serde_json::from_str(include_str!("tools.json")).unwrap()
}

#[test]
fn commands_page_is_what_the_commands_are() {
    let page = page(&recorded(), &dx_table());
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/commands.md");
    if std::env::var_os("DX_WRITE_DOCS").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == page, "docs/commands.md is old: run this test with DX_WRITE_DOCS=1");
}

#[test]
fn nothing_of_daily_and_weekly_use_is_missing() {
    assert_eq!(frequently_missing(&recorded(), &dx_table()), "none");
}

#[test]
fn every_missing_flag_and_command_has_a_reason() {
    let (tools, table) = (recorded(), dx_table());
    let mut missing = Vec::new();
    for row in rows(&tools, &table) {
        if row.command.is_none() && tools["missing"][row.name].as_str().is_none() {
            missing.push(format!("{} {}", row.tool, row.name));
        }
        for flag in &row.missing {
            if reason_for(&tools, row.tool, row.name, flag).is_none() {
                missing.push(format!("{} {} --{flag}", row.tool, row.name));
            }
        }
    }
    let everywhere = words(&tools["pnpmEverywhere"]);
    for flag in missing_flags(&table, None, &everywhere) {
        if reason_for(&tools, "pnpm", "", flag).is_none() {
            missing.push(format!("pnpm --{flag}"));
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn no_reason_is_for_nothing() {
    let (tools, table) = (recorded(), dx_table());
    let rows = rows(&tools, &table);
    let everywhere = words(&tools["pnpmEverywhere"]);
    let everywhere = missing_flags(&table, None, &everywhere);
    let is_missing = |flag: &str| {
        everywhere.contains(&flag) || rows.iter().any(|row| row.missing.contains(&flag))
    };
    let reasons = tools["reasons"].as_object().unwrap().values();
    let idle: Vec<&str> = reasons.flat_map(words).filter(|flag| !is_missing(flag)).collect();
    assert!(idle.is_empty(), "{idle:?}");
}

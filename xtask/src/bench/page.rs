//! `cargo xtask bench page`: `docs/benchmarks.md` and its charts, and the README's table, from the
//! recorded measurements.

mod figures;

use super::chart::{self, Bar, Group, duration};
use super::claims::CLAIMS;
use super::fixtures::FIXTURES;
use super::networks;
use super::results::{Cell, Results, Run};
use super::scenario::SCENARIOS;
use crate::dx::write;
use crate::workspace;
use std::fmt::Write;

/// What stands for a figure that there is none of.
const NONE: &str = "–";
/// The file whose table of the most important figures is written too.
const README: &str = "README.md";
/// The path of the page.
const PAGE: &str = "docs/benchmarks.md";
/// The text that does not depend on the measurements.
const METHOD: &str = include_str!("method.md");

/// Writes the page and the charts.
pub(crate) fn write_all() -> Result<(), String> {
    let results = Results::load()?;
    if results.cells.is_empty() {
        return Err("nothing was measured yet: run `cargo xtask bench` first".to_owned());
    }
    let root = workspace::root();
    let mut page = format!("# Benchmarks\n\n{}\n", introduction(&results));
    for (fixture, network) in tables(&results) {
        let title = format!("{fixture}, {}", networks::describe(&network));
        let file = format!("benchmarks/{fixture}-{network}.svg");
        let title_of_chart = format!("{title}: median time, logarithmic");
        write(
            &root.join("docs").join(&file),
            &chart::svg(&title_of_chart, &groups(&results, &fixture, &network)),
        )?;
        let _ = write!(
            page,
            "\n## {title}\n\n![{title_of_chart}]({file})\n\n{}",
            figures::main_table(&results, &fixture, &network)
        );
        let _ = write!(page, "\n{}", details(&results, &fixture, &network));
    }
    if !results.parts.is_empty() {
        let _ = write!(page, "\n## Single parts\n\n{}", parts(&results));
    }
    let _ = write!(page, "\n{METHOD}");
    write(&root.join(PAGE), &page)?;
    println!("written: {PAGE}");
    let path = root.join(README);
    if let Some(text) = figures::readme(&workspace::read(&path)?, &results) {
        write(&path, &text)?;
        println!("written: the table in {README}");
    }
    Ok(())
}

/// Writes the dates, versions and machines of the measurements.
fn introduction(results: &Results) -> String {
    let days = days(results.cells.iter());
    let mut text = format!(
        "dx beside other package managers, measured on {days} by `cargo xtask bench`, which writes this page. How, and \
         what the figures do not tell, stands under [Method](#method).\n\n| | |\n|---|---|\n"
    );
    for (name, value) in &results.machine {
        let _ = writeln!(text, "| {name} | {value} |");
    }
    let versions: Vec<_> =
        results.versions.iter().map(|(name, version)| format!("{name} {version}")).collect();
    let _ = writeln!(text, "| versions | {} |", versions.join(", "));
    if !results.missing.is_empty() {
        let _ = writeln!(text, "| not installed | {} |", results.missing.join(", "));
    }
    if results.took > 0.0 {
        let minutes = (results.took / 60.0).ceil();
        let _ = writeln!(text, "| a default run of the suite took | {minutes:.0} minutes |");
    }
    text
}

/// Returns the day of some measurements, or the first and the last.
fn days<'a>(cells: impl Iterator<Item = &'a Cell>) -> String {
    let mut days: Vec<&str> = cells.map(|cell| cell.date.as_str()).collect();
    days.sort_unstable();
    match (days.first(), days.last()) {
        (Some(first), Some(last)) if first != last => format!("{first} to {last}"),
        (first, _) => first.copied().unwrap_or_default().to_owned(),
    }
}

/// The fixtures and networks that were measured, from the smallest and the fastest.
fn tables(results: &Results) -> Vec<(String, String)> {
    let fixtures = FIXTURES.iter().map(|fixture| fixture.name);
    let pairs = fixtures
        .flat_map(|fixture| networks::ALL.split(',').map(move |network| (fixture, network)));
    let measured = |pair: &(&str, &str)| {
        results.cells.iter().any(|cell| (cell.fixture.as_str(), cell.network.as_str()) == *pair)
    };
    pairs
        .filter(measured)
        .map(|(fixture, network)| (fixture.to_owned(), network.to_owned()))
        .collect()
}

/// The rows that were measured, in the order of the scenarios.
fn rows<'a>(
    results: &'a Results,
    fixture: &'a str,
    network: &'a str,
) -> impl Iterator<Item = (&'static str, Vec<&'a Cell>)> {
    let rows = SCENARIOS
        .iter()
        .map(move |scenario| (scenario.title(), results.row(fixture, network, scenario.name())));
    rows.filter(|(_, cells)| !cells.is_empty())
}

fn wall(run: &Run) -> f64 {
    run.cost.wall
}

fn groups(results: &Results, fixture: &str, network: &str) -> Vec<Group> {
    let bar = |cell: &&Cell| Bar {
        name: cell.manager.clone(),
        seconds: cell.median(wall),
        word: "failed".to_owned(),
    };
    rows(results, fixture, network)
        .map(|(name, cells)| Group { name: name.to_owned(), bars: cells.iter().map(bar).collect() })
        .collect()
}

/// A ratio with two digits that count.
fn factor(ratio: f64) -> String {
    if ratio >= 9.95 {
        format!("{ratio:.0}×")
    } else if ratio >= 0.995 {
        format!("{ratio:.1}×")
    } else {
        format!("{ratio:.2}×")
    }
}

/// Everything else that was counted.
fn details(results: &Results, fixture: &str, network: &str) -> String {
    let mut text = "<details><summary>All that was counted</summary>\n\n\
        | scenario | manager | runs | median | least | CPU | afterwards | its CPU | peak MiB | metadata requests | \
        tarball requests | MB received | disk growth MB | system calls | registry CPU |\n\
        |---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n"
        .to_owned();
    let mut failures = String::new();
    for (scenario, cells) in rows(results, fixture, network) {
        for cell in cells {
            let Some(median) = cell.median(wall) else {
                let _ = writeln!(
                    text,
                    "| {scenario} | {} | **failed** |{}",
                    cell.manager,
                    " |".repeat(12)
                );
                if let Some(reason) = &cell.failure {
                    let _ = writeln!(
                        failures,
                        "- {scenario}, {}: `{}`",
                        cell.manager,
                        shortened(reason)
                    );
                }
                continue;
            };
            let middle = |figure: fn(&Run) -> f64| cell.median(figure).unwrap_or(0.0);
            let seconds = |figure: fn(&Run) -> f64| match middle(figure) {
                0.0 => NONE.to_owned(),
                seconds => duration(seconds),
            };
            let or_dash = |text: Option<String>| text.unwrap_or_else(|| NONE.to_owned());
            let _ = writeln!(
                text,
                "| {scenario} | {} | {} | {} | {} | {} | {} | {} | {:.0} | {} | {} | {:.1} | {} | {} | {} |",
                cell.manager,
                cell.runs.len(),
                duration(median),
                duration(cell.least(wall).unwrap_or(0.0)),
                seconds(|run| run.cost.cpu),
                seconds(|run| run.cost.after_wall),
                seconds(|run| run.cost.after_cpu),
                middle(|run| run.cost.peak as f64) / f64::from(1 << 20),
                middle(|run| run.metadata_requests as f64),
                middle(|run| run.tarball_requests as f64),
                middle(|run| run.bytes_sent as f64) / 1e6,
                or_dash(cell.disk.map(|bytes| format!("{:.1}", bytes as f64 / 1e6))),
                or_dash(cell.system_calls.map(|calls| calls.to_string())),
                seconds(|run| run.registry_cpu),
            );
        }
    }
    if !failures.is_empty() {
        let _ = write!(text, "\n{failures}");
    }
    text + "\n</details>\n"
}

/// A failure on one line, without the folders of the measurement.
fn shortened(reason: &str) -> String {
    // Neither may stand in a table or in code.
    let reason = reason.replace(['`', '|'], " ");
    let words =
        reason.split_whitespace().map(|word| word.rsplit_once('/').map_or(word, |(_, name)| name));
    words.collect::<Vec<_>>().join(" ").chars().take(300).collect()
}

/// Each part beside its claim, then every figure.
fn parts(results: &Results) -> String {
    let mut text =
        "| work | dx | baseline | its time | baseline / dx | claim | where they differ |\n\
        |---|---:|---|---:|---:|---:|---|\n"
            .to_owned();
    for claim in CLAIMS {
        let (what, group, name) = claim.baseline;
        let ours = results.part(claim.ours.0, claim.ours.1);
        let theirs = results.part(group, name);
        let shown =
            |seconds: Option<f64>| seconds.map_or_else(|| "not measured".to_owned(), duration);
        let ratio =
            ours.zip(theirs).map_or_else(|| "–".to_owned(), |(ours, theirs)| factor(theirs / ours));
        let _ = writeln!(
            text,
            "| {} | {} | {what} | {} | {ratio} | {} | {} |",
            claim.work,
            shown(ours),
            shown(theirs),
            claim.claim,
            claim.reason
        );
    }
    text += &registry_cost(results);
    text +=
        "\n<details><summary>Every figure</summary>\n\n| group | name | median |\n|---|---|---:|\n";
    for part in &results.parts {
        let figure = part
            .seconds
            .map_or_else(|| format!("not measured: {}", shortened(&part.note)), duration);
        let _ = writeln!(text, "| {} | {} | {figure} |", part.group, part.name);
    }
    text + "\n</details>\n"
}

/// Writes the cost of the recorded registry, which shares the machine with the managers.
fn registry_cost(results: &Results) -> String {
    let figure = |name: &str| results.part("registry", name).map(duration);
    let line = |kind: &str, called: &str| {
        let [packument, megabyte, connection, many] =
            ["packument", "megabyte", "connection", "2000-connections-at-once"]
                .map(|name| figure(&format!("{kind}-{name}")));
        Some(format!(
            "| {called} | {} | {} | {} | {} |\n",
            packument?, megabyte?, connection?, many?
        ))
    };
    let rows: String = [("plain", "HTTP"), ("tls", "HTTP over TLS")]
        .iter()
        .filter_map(|(kind, called)| line(kind, called))
        .collect();
    if rows.is_empty() {
        return String::new();
    }
    format!(
        "\nProcessor time that the recorded registry itself takes, of the cores that it shares with the managers, and how \
         long it takes to accept and answer 2,000 connections that are open at once:\n\n\
         | | a packument | a megabyte of tarballs | a connection | 2,000 connections |\n|---|---:|---:|---:|---:|\n{rows}"
    )
}

#[cfg(test)]
mod tests;

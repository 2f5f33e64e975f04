//! The main tables: what each manager takes in a scenario, on the page of benchmarks and in the
//! README.

use super::super::chart::duration;
use super::super::results::{Cell, Results, Run};
use super::super::scenario::Scenario;
use super::super::table::{BASELINE, baseline};
use super::{NONE, days, factor, rows, wall};
use std::fmt::Write;

/// The head of the page's main table.
const HEAD: &str = "| scenario | manager | time | as fast as bun | all processor time | disk MB |\n\
                    |---|---|---:|---:|---:|---:|\n";
/// Where the README's table begins and ends.
const BEGIN: &str = "<!-- written by `cargo xtask bench page` -->\n";
const END: &str = "<!-- up to here -->\n";
/// The fixture and the managers of the README.
const FIXTURE: &str = "large";
const MANAGERS: [(&str, &str); 4] =
    [("bun", "Bun"), ("pnpm", "pnpm"), ("npm", "npm"), ("dx", "dx")];

/// Median times, all processor time and disk: for each scenario a row for each manager.
pub(super) fn main_table(results: &Results, fixture: &str, network: &str) -> String {
    let mut text = format!(
        "Median time, and how many times as fast as {BASELINE} that is (its median divided by this one); the processor \
         time of all processes until the last one left running has ended; the space that project and caches take on \
         the disk then.\n\n{HEAD}"
    );
    for (scenario, cells) in rows(results, fixture, network) {
        let base = cells.iter().find_map(|cell| baseline(std::slice::from_ref(*cell)));
        for cell in cells {
            let shown = match cell.median(wall) {
                None => format!("**failed** | {NONE} | {NONE} | {NONE}"),
                Some(seconds) => {
                    let ratio = base.filter(|_| cell.manager != BASELINE);
                    let ratio =
                        ratio.map_or_else(|| NONE.to_owned(), |base| factor(base / seconds));
                    format!("{} | {ratio} | {} | {}", duration(seconds), cpu(cell), disk(cell))
                }
            };
            let _ = writeln!(text, "| {scenario} | {} | {shown} |", cell.manager);
        }
    }
    text
}

fn cpu(cell: &Cell) -> String {
    cell.median(Run::all_cpu).map_or_else(|| NONE.to_owned(), duration)
}

fn disk(cell: &Cell) -> String {
    cell.occupied.map_or_else(|| NONE.to_owned(), |bytes| format!("{:.0}", bytes as f64 / 1e6))
}

/// The figure that a row of the README shows.
#[derive(Clone, Copy)]
enum Figure {
    Wall,
    AllCpu,
    /// In megabytes.
    Disk,
}

impl Figure {
    fn of(self, cell: &Cell) -> Option<f64> {
        match self {
            Figure::Wall => cell.median(wall),
            Figure::AllCpu => cell.median(Run::all_cpu),
            Figure::Disk => {
                let bytes = cell.occupied.filter(|_| cell.failure.is_none());
                bytes.map(|bytes| bytes as f64 / 1e6)
            }
        }
    }
}

/// The rows of the README's table.
const ROWS: [(&str, &str, Scenario, Figure); 16] = {
    use Figure::{AllCpu, Disk, Wall};
    use Scenario::{Add, Ci, CiWithCi, Cold, ColdWithCi, Fresh, Noop, Remove, Warm};
    [
        ("nothing changed", "none", Noop, Wall),
        ("lockfile and caches, no `node_modules`", "none", Warm, Wall),
        ("caches, no lockfile", "none", Fresh, Wall),
        ("add one package that is in the cache", "none", Add, Wall),
        ("remove a package", "none", Remove, Wall),
        ("lockfile, empty store", "none", Ci, Wall),
        ("– with `CI=true`", "none", CiWithCi, Wall),
        ("– 50 ms and 200 Mbit/s away", "50ms", Ci, Wall),
        ("– all processor time", "none", Ci, AllCpu),
        ("– project and caches on the disk, MB", "none", Ci, Disk),
        ("nothing at all", "none", Cold, Wall),
        ("– with `CI=true`", "none", ColdWithCi, Wall),
        ("– 20 ms and 1 Gbit/s away", "20ms", Cold, Wall),
        ("– 50 ms and 200 Mbit/s away", "50ms", Cold, Wall),
        ("– all processor time", "none", Cold, AllCpu),
        ("– project and caches on the disk, MB", "none", Cold, Disk),
    ]
};

/// The README's table: a row for each figure that was measured.
fn readme_table(results: &Results) -> String {
    let mut text = format!(
        "Seconds of wall time unless a row says otherwise, measured on {} by `cargo xtask bench`.\n\n| |",
        days(results.cells.iter().filter(|cell| cell.fixture == FIXTURE))
    );
    for (manager, name) in MANAGERS {
        let version = results.versions.iter().find(|(known, _)| known == manager);
        let version = version.map_or("", |(_, version)| version);
        let _ = write!(text, " {} |", format!("{name} {version}").trim_end());
    }
    text += " Bun / dx |\n|---|---:|---:|---:|---:|---:|\n";
    for (label, network, scenario, figure) in ROWS {
        let cells = results.row(FIXTURE, network, scenario.name());
        let found = |name: &str| {
            cells.iter().find(|cell| cell.manager == name).and_then(|cell| figure.of(cell))
        };
        let Some(ours) = found("dx") else { continue };
        let _ = write!(text, "| {label} |");
        for (manager, _) in MANAGERS {
            let shown = found(manager).map_or_else(|| NONE.to_owned(), digits);
            let mark = if manager == "dx" { "**" } else { "" };
            let _ = write!(text, " {mark}{shown}{mark} |");
        }
        let ratio = found(BASELINE).map(|theirs| factor(theirs / ours));
        let _ = writeln!(text, " {} |", ratio.unwrap_or_else(|| NONE.to_owned()));
    }
    text
}

/// A number with three digits that count, and no unit.
fn digits(number: f64) -> String {
    let places = match number {
        number if number >= 100.0 => 0,
        number if number >= 10.0 => 1,
        number if number >= 1.0 => 2,
        number if number >= 0.1 => 3,
        _ => 4,
    };
    format!("{number:.places$}")
}

/// Returns the README with a new table; `None` where nothing marks the place of one, or what the
/// README shows was not measured.
pub(super) fn readme(text: &str, results: &Results) -> Option<String> {
    let measured = !results.row(FIXTURE, "none", Scenario::Noop.name()).is_empty();
    let (before, rest) = text.split_once(BEGIN).filter(|_| measured)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n{}\n{END}{after}", readme_table(results)))
}

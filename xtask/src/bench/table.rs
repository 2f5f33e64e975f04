//! The table on the terminal.

use super::networks;
use super::results::Cell;
use super::scenario::Scenario;

/// The manager that ratios are taken to.
pub(crate) const BASELINE: &str = "bun";
/// The characters of a failure that are shown; the whole is in the JSON.
const FAILURE: usize = 400;

/// Prints the cells of one scenario.
pub(crate) fn print(cells: &[Cell]) {
    let Some(first) = cells.first() else { return };
    let meaning = Scenario::find(&first.scenario).map_or("", Scenario::meaning);
    println!(
        "\n{} · {} · {}: {meaning}",
        first.fixture,
        networks::describe(&first.network),
        first.scenario
    );
    println!(
        "  {:<14}{:>5}{:>10}{:>10}{:>9}{:>11}{:>9}{:>8}{:>9}{:>8}{:>9}{:>9}{:>10}{:>11}",
        "manager",
        "runs",
        "median s",
        "least s",
        "cpu s",
        "all cpu s",
        "after s",
        "MiB",
        "requests",
        "MB",
        "disk MB",
        "growth",
        "syscalls",
        format!("{BASELINE}/this")
    );
    let base = baseline(cells);
    for cell in cells {
        println!("  {}", line(cell, base));
    }
}

/// The median wall time of the baseline among these cells.
pub(crate) fn baseline(cells: &[Cell]) -> Option<f64> {
    cells.iter().find(|cell| cell.manager == BASELINE)?.median(|run| run.cost.wall)
}

fn line(cell: &Cell, base: Option<f64>) -> String {
    let name = &cell.manager;
    if let Some(failure) = &cell.failure {
        let failure: String = failure.replace('\n', " ").chars().take(FAILURE).collect();
        return format!("{name:<14} FAILED {failure}");
    }
    let median = |figure: fn(&super::results::Run) -> f64| cell.median(figure).unwrap_or(f64::NAN);
    let wall = median(|run| run.cost.wall);
    let least = cell.least(|run| run.cost.wall).unwrap_or(f64::NAN);
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "–".to_owned());
    format!(
        "{name:<14}{:>5}{wall:>10.4}{least:>10.4}{:>9.3}{:>11.3}{:>9.3}{:>8.0}{:>9.0}{:>8.1}{:>9}{:>9}{:>10}{:>11}",
        cell.runs.len(),
        median(|run| run.cost.cpu),
        median(super::results::Run::all_cpu),
        median(|run| run.cost.after_wall),
        median(|run| run.cost.peak as f64 / f64::from(1 << 20)),
        median(|run| run.requests() as f64),
        median(|run| run.bytes_sent as f64 / 1e6),
        or_dash(cell.occupied.map(|bytes| format!("{:.1}", bytes as f64 / 1e6))),
        or_dash(cell.disk.map(|bytes| format!("{:.1}", bytes as f64 / 1e6))),
        or_dash(cell.system_calls.map(|calls| calls.to_string())),
        or_dash(base.map(|base| format!("{:.2}x", base / wall))),
    )
}

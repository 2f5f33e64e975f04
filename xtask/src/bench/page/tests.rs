use super::super::results::{Results, examples::cell};
use super::figures::{main_table, readme};
use super::{details, factor, groups, shortened};

fn results() -> Results {
    let cells = vec![
        cell("noop", "bun", &[0.03, 0.05, 0.04], None),
        cell("noop", "dx", &[0.001], None),
        cell("noop", "yarn", &[0.5], Some("`/opt/node /opt/yarn.js install` ended with 1: no")),
        cell("run", "bun", &[0.003], None),
        cell("run", "dx", &[], Some("unknown command")),
    ];
    Results { cells, ..Results::default() }
}

#[test]
fn the_main_table_has_ratios_to_the_baseline_all_processor_time_disk_and_failures() {
    let text = main_table(&results(), "large", "none");
    let rows: Vec<&str> = text.lines().skip(2).collect();
    assert_eq!(
        rows,
        [
            "| scenario | manager | time | as fast as bun | all processor time | disk MB |",
            "|---|---|---:|---:|---:|---:|",
            "| noop | bun | 40.0 ms | – | 60.0 ms | 2 |",
            "| noop | dx | 1.00 ms | 40× | 1.50 ms | 2 |",
            "| noop | yarn | **failed** | – | – | – |",
            "| run | bun | 3.00 ms | – | 4.50 ms | 2 |",
            "| run | dx | **failed** | – | – | – |",
        ]
    );
}

/// Results of an earlier version, which had neither the space taken nor the rows of `CI=true`.
#[test]
fn figures_that_older_results_lack_are_shown_as_missing() {
    let json = serde_json::to_value(results()).unwrap();
    let mut json = json;
    for cell in json["cells"].as_array_mut().unwrap() {
        cell.as_object_mut().unwrap().remove("occupied");
    }
    let older: Results = serde_json::from_value(json).unwrap();
    let text = main_table(&older, "large", "none");
    assert!(text.contains("| noop | dx | 1.00 ms | 40× | 1.50 ms | – |"), "{text}");
    assert!(groups(&older, "large", "none").iter().all(|group| !group.name.contains("CI=true")));
}

#[test]
fn charts_and_tables_have_rows_for_ci_true() {
    let mut results = results();
    results.replace(vec![
        cell("ci-with-CI", "dx", &[0.5], None),
        cell("cold-with-CI", "dx", &[0.7], None),
    ]);
    let groups = groups(&results, "large", "none");
    let names: Vec<&str> = groups.iter().map(|group| group.name.as_str()).collect();
    assert_eq!(names, ["noop", "run", "ci, CI=true", "cold, CI=true"]);
    let text = main_table(&results, "large", "none");
    assert!(text.contains("| cold, CI=true | dx | 700 ms | – | 1.05 s | 2 |"), "{text}");
}

#[test]
fn the_readme_shows_what_was_measured_between_its_marks() {
    let mut results = results();
    results.versions = vec![("bun".to_owned(), "1.4.5".to_owned())];
    results.replace(vec![
        cell("ci", "bun", &[2.0], None),
        cell("ci", "dx", &[1.0], None),
        cell("ci-with-CI", "dx", &[0.05], None),
    ]);
    let marks = ["<!-- written by `cargo xtask bench page` -->\n", "<!-- up to here -->\n"];
    let text = format!("before\n{}\nold\n{}after\n", marks[0], marks[1]);
    let written = readme(&text, &results).unwrap();
    let table = "\n\
        Seconds of wall time unless a row says otherwise, measured on 2026-01-31 by `cargo xtask bench`.\n\n\
        | | Bun 1.4.5 | pnpm | npm | dx | Bun / dx |\n\
        |---|---:|---:|---:|---:|---:|\n\
        | nothing changed | 0.0400 | – | – | **0.0010** | 40× |\n\
        | lockfile, empty store | 2.00 | – | – | **1.00** | 2.0× |\n\
        | – with `CI=true` | – | – | – | **0.0500** | – |\n\
        | – all processor time | 3.00 | – | – | **1.50** | 2.0× |\n\
        | – project and caches on the disk, MB | 2.00 | – | – | **2.00** | 1.0× |\n\n";
    assert_eq!(written, format!("before\n{}{table}{}after\n", marks[0], marks[1]));
    // Written again it stays the same, and without marks nothing is written.
    assert_eq!(readme(&written, &results), Some(written.clone()));
    assert_eq!(readme("no marks", &results), None);
}

#[test]
fn details_give_the_reason_of_a_failure_without_folders() {
    let text = details(&results(), "large", "none");
    assert!(text.contains(
        "| noop | bun | 3 | 40.0 ms | 30.0 ms | 40.0 ms | – | 20.0 ms | 3 | 2 | 1 | 2.5 | 1.0 | – | – |"
    ));
    assert!(text.contains("- noop, yarn: `node yarn.js install ended with 1: no`"), "{text}");
}

#[test]
fn ratios_have_two_digits_that_count() {
    assert_eq!([0.064, 1.0, 9.4, 41.7].map(factor), ["0.06×", "1.0×", "9.4×", "42×"]);
}

#[test]
fn failures_fit_on_a_line() {
    assert_eq!(shortened("`a/b c`\n| d"), "b c d");
}

#[test]
fn new_measurements_take_the_place_of_old_ones_of_the_same() {
    let mut results = results();
    results.replace(vec![cell("noop", "dx", &[0.002], None), cell("warm", "dx", &[0.4], None)]);
    assert_eq!(results.cells.len(), 6);
    let row = results.row("large", "none", "noop");
    assert_eq!(row.last().unwrap().median(|run| run.cost.wall), Some(0.002));
}

use super::super::results::{Results, examples::cell};
use super::{details, factor, shortened, times};

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
fn ratios_are_to_the_baseline_and_failures_are_shown() {
    let text = times(&results(), "large", "none");
    let rows: Vec<&str> = text.lines().skip(2).collect();
    assert_eq!(rows[0], "| scenario | bun | dx | yarn |");
    assert_eq!(rows[2], "| noop | 40.0 ms | 1.00 ms (40×) | **failed** |");
    assert_eq!(rows[3], "| run | 3.00 ms | **failed** | – |");
}

#[test]
fn details_give_the_reason_of_a_failure_without_folders() {
    let text = details(&results(), "large", "none");
    assert!(text.contains(
        "| noop | bun | 3 | 40.0 ms | 30.0 ms | 40.0 ms | – | – | 3 | 2 | 1 | 2.5 | 1.0 | – | – |"
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

//! The help of `cargo xtask bench`: its calls, options, scenarios, managers, networks and fixtures.

use super::fixtures::FIXTURES;
use super::scenario::SCENARIOS;
use super::{managers, networks, peers};
use std::fmt::Write;

/// The ways to call it.
pub(crate) const CALLS: &[&str] = &[
    "[OPTION…]",
    "peers|record|parts|page|all|serve [OPTION…]",
    "timeline [FILE…] [--without SETTING] [--out FILE] [OPTION…]",
];

const PARTS: &str = "\
Without a part it runs the scenarios; results are kept in target/bench/results.json.

Parts
  peers      install the other managers in pinned versions; once
  record     record the packages of the fixtures from the configured registry; once
  parts      measure single parts of dx beside their baselines
  page       write docs/benchmarks.md, its charts and the table in README.md from the kept results
  all        run the scenarios and the parts, and write the page
  serve      run the recorded registry by itself
  timeline   draw which requests a cold install waits for, or those of files that `dx install --timing` wrote

Options
  --fixture A,B     the projects; large where none is named
  --network A,B     the networks; all where none is named, the delayed ones for ci and cold only
  --managers A,B    the managers
  --scenarios A,B   the scenarios; all where none is named
  -n RUNS, --runs   runs of each scenario; 5, or as many as a manager does in six seconds
  --root DIR        the folder of projects and caches; target/bench/work
  --data DIR        the folder of the recorded registry; target/bench/registry
  --peers DIR       the folder in which `bench peers` has installed; target/bench/peers
  --port N          the port of `bench serve`; a free one
  --only GROUP      the one group of `bench parts`: lockfile, package, store, downloads, resolve, registry or files
  --tls             serve over TLS
  --through-dx-registry  put dx-registry, its cache filled, between the managers and the recorded registry
  --dx-registry PATH     the dx-registry to measure; the one beside --dx
  --keep            leave projects and caches where they are
  --without SETTING of `bench timeline`: draw a second install, with this setting set to false
  --out FILE        of `bench timeline`: the picture
  --dx PATH         the dx to measure
";

/// The help after the calls.
pub(crate) fn help() -> String {
    let mut text = format!("{PARTS}\nScenarios\n");
    for scenario in SCENARIOS {
        let _ = writeln!(text, "  {:<14} {}", scenario.name(), scenario.meaning());
    }
    let names = |names: &[&str]| names.join(", ");
    let fixtures = FIXTURES.map(|fixture| fixture.name);
    let networks: Vec<String> = networks::ALL
        .split(',')
        .map(|name| format!("{name} ({})", networks::describe(name)))
        .collect();
    let _ = write!(
        text,
        "\nManagers: {}; {} where none is named\nNetworks: {}\nFixtures: {}\n",
        names(&managers::NAMES),
        peers::DEFAULT.replace(',', ", "),
        networks.join("; "),
        names(&fixtures)
    );
    text
}

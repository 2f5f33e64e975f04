//! Project tasks, run as `cargo xtask <task>`: the invariants of the tree and checks on real
//! projects.
//!
//! Every task reports to standard output and ends with exit code 1 when something is wrong.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a task reports to a person")]

mod bench;
mod compare;
mod concurrent;
mod crash;
mod dx;
mod options;
mod prefetch;
mod realworld;
mod snapshots;
mod tidy;
mod tree;
mod workspace;

use options::Options;
use std::process::ExitCode;

const USAGE: &str = "\
cargo xtask <task>

  tidy        check the invariants of the source tree
  snapshots   write the outputs that tests recorded with INSTA_UPDATE=always into the tests
  realworld   install every project of examples/ from the configured registry and build or test it
              [--dx PATH] [--only NAME]
  bench       measure dx beside npm, pnpm, Yarn and Bun; see docs/benchmarks.md
              [peers|record|parts|page|all|serve] [--fixture A,B] [--network A,B] [--managers A,B] [--scenarios A,B] [-n RUNS]
              [--root DIR] [--data DIR] [--peers DIR] [--port N] [--tls] [--keep] [--dx PATH]
  bench timeline
              draw which requests a cold install waits for, or those of files that `dx install --timing` wrote
              [FILE…] [--fixture A] [--network A] [--without SETTING] [--out FILE] [--tls] [--dx PATH]
  train-prefetch
              learn, from what npm makes of some projects, which packages are likely to follow which
              [--data DIR] [--registry URL] | measure --fixture FOLDER,FOLDER
  compare npm compare dx with npm on one fixture
              --fixture DIR|package.json --npm PATH/npm-cli.js [--node PATH] [--registry URL] [--force] [--dx PATH]
  compare generated, compare semver
              compare resolutions of generated projects, or generated versions and ranges, with npm's own code; with
              --data the projects that differ are shrunk and written there
              --npm PATH/npm-cli.js [--node PATH] [--runs N] [--seed N] [--data DIR]
  compare installs
              whole installs of generated projects with npm and dx: lockfiles, trees and refusals; with --data the
              projects that differ are kept there; --only names one kind of xtask/installs/projects.js
              --npm PATH/npm-cli.js [--node PATH] [--runs N] [--seed N] [--only KIND] [--data DIR] [--dx PATH]
  crash       kill installs and what follows them at random moments; the next install must put everything right
              --fixture DIR|package.json [--runs 100] [--seed N] [--root DIR] [--registry URL] [--dx PATH]
  concurrent  install at once in one project, and in ten projects with one empty store
              --fixture DIR|package.json [--registry URL] [--dx PATH]

Without --dx the release binary is built and used. Without --registry npm's own settings decide.";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let task = arguments.next().unwrap_or_default();
    if task == "bench-exec" {
        return finish(bench::exec(&arguments.collect::<Vec<_>>()));
    }
    let outcome = Options::parse(arguments).and_then(|options| match task.as_str() {
        "bench" => bench::run(&options),
        "tidy" => tidy::run(&workspace::root()),
        "snapshots" => snapshots::run(&workspace::root()),
        "realworld" => realworld::run(&options),
        "compare" => compare::run(&options),
        "train-prefetch" => prefetch::run(&options),
        "crash" => crash::run(&options),
        "concurrent" => concurrent::run(&options),
        _ => Err(USAGE.to_owned()),
    });
    finish(outcome)
}

fn finish(outcome: Result<(), String>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

//! Project tasks, run as `cargo xtask <task>`: the invariants of the tree and checks on real
//! projects.
//!
//! Every task reports to standard output and ends with exit code 1 when something is wrong.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a task reports to a person")]

mod audit;
mod bench;
mod cast;
mod compare;
mod concurrent;
mod conflicts;
mod crash;
mod dx;
mod fuzz;
mod inject;
mod instrumented;
mod known;
mod options;
mod package;
mod prefetch;
mod realworld;
mod registry;
mod snapshots;
mod tidy;
mod tree;
mod usage;
mod workspace;

use options::Options;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some(help) = usage::requested(&arguments) {
        println!("{help}");
        return ExitCode::SUCCESS;
    }
    let mut arguments = arguments.into_iter();
    let task = arguments.next().unwrap_or_default();
    if task == "bench-exec" {
        return finish(bench::exec(&arguments.collect::<Vec<_>>()));
    }
    let outcome = Options::parse(arguments).and_then(|options| match task.as_str() {
        "bench" => bench::run(&options),
        "tidy" => tidy::run(&workspace::root()),
        "snapshots" => snapshots::run(&workspace::root()),
        "known" => known::run(&options),
        "realworld" => realworld::run(&options),
        "registry" => registry::run(&options),
        "compare" => compare::run(&options),
        "conflicts" => conflicts::run(&options),
        "train-prefetch" => prefetch::run(&options),
        "crash" => crash::run(&options),
        "fuzz" => fuzz::run(&options),
        "sanitize" => instrumented::sanitize(&options),
        "miri" => instrumented::miri(&options),
        "audit" => audit::run(&options),
        "inject" => inject::run(&options),
        "concurrent" => concurrent::run(&options),
        "package" => package::run(&options),
        "cast" => cast::run(&options),
        _ => Err(usage::unknown(&task)),
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

//! `cargo xtask inject`: dx with every file operation that fails, is cut short, or before which the
//! machine stops, each followed by commands that must put everything right.

use crate::options::Options;

/// Runs the scenarios of `--only`, or all; fails when something is wrong after one of the faults.
#[cfg(target_os = "linux")]
pub(crate) fn run(options: &Options) -> Result<(), String> {
    use dx_pkg_testkit::inject::{Extent, registry, scenarios, sweep};
    use std::time::Instant;

    let dx = binary(options)?;
    let number = |name, default| {
        let value = options.number(name, default)?.max(1);
        usize::try_from(value).map_err(|error| format!("--{name}: {error}"))
    };
    let extent = Extent {
        first: number("first", 1)?,
        step: number("step", 1)?,
        losses: options.value("without") != Some("losses"),
        jobs: number("jobs", 2)?,
    };
    let only = options.list("only", "");
    let registry = registry();
    let (mut runs, mut wrong) = (0, 0);
    println!("| scenario | operations | runs | by fault | wrong | seconds |");
    println!("|---|---:|---:|---|---:|---:|");
    for scenario in scenarios() {
        if !only.is_empty() && !only.contains(&scenario.name.replace(',', "").as_str()) {
            continue;
        }
        let started = Instant::now();
        let table = sweep(&scenario, &dx, &registry, extent)?;
        let total: usize = table.runs.values().sum();
        let kinds: Vec<String> =
            table.runs.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
        println!(
            "| {} | {} | {total} | {} | {} | {:.0} |",
            scenario.name,
            table.operations,
            kinds.join(", "),
            table.wrong.len(),
            started.elapsed().as_secs_f64()
        );
        for what in &table.wrong {
            eprintln!("{what}\n");
        }
        runs += total;
        wrong += table.wrong.len();
    }
    println!("{runs} runs with a fault, {wrong} wrong");
    if wrong == 0 { Ok(()) } else { Err(format!("{wrong} of {runs} runs left something wrong")) }
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn run(_: &Options) -> Result<(), String> {
    Err("this task needs seccomp, which Linux has".to_owned())
}

/// The binary of `--dx`, else the debug build, which is brought up to date.
#[cfg(target_os = "linux")]
fn binary(options: &Options) -> Result<std::path::PathBuf, String> {
    if let Some(binary) = options.path("dx")? {
        return Ok(binary);
    }
    let mut cargo = std::process::Command::new("cargo");
    cargo.args(["build", "--package", "dx-pkg-cli"]).current_dir(crate::workspace::root());
    crate::dx::run(cargo)?;
    Ok(crate::workspace::target().join("debug/dx"))
}

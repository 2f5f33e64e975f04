//! Commands of which one file operation fails, is cut short, or is the last before a kill or a loss
//! of power: some of them; `cargo xtask inject` tries every one.

use std::path::Path;

use dx_pkg_testkit::inject::{Extent, registry, scenarios, supports, sweep};
use dx_pkg_testkit::require::{Need, met};

/// Sweeps over every `step`-th operation of a scenario.
#[track_caller]
fn some_of(name: &str, step: usize) {
    let Some(()) = met(Need::Seccomp, supports::seccomp()) else { return };
    let losses = met(Need::TimeNamespace, supports::time_namespace()).is_some();
    let scenario = scenarios().into_iter().find(|scenario| scenario.name == name).unwrap();
    let extent = Extent { first: step / 2, step, losses, jobs: 2 };
    let dx = Path::new(env!("CARGO_BIN_EXE_dx"));
    let table = sweep(&scenario, dx, &registry(), extent).unwrap();
    assert!(table.wrong.is_empty(), "{} wrong:\n{}", table.wrong.len(), table.wrong.join("\n"));
    assert!(table.runs["killed"] > 0 && table.runs["failed"] > 0, "{table:?}");
}

#[test]
fn install_survives_faults() {
    some_of("install, no worker", 25);
}

#[test]
fn install_with_a_background_process_survives_faults() {
    some_of("install", 150);
}

#[test]
fn install_with_a_script_survives_faults() {
    some_of("install with a script", 180);
}

#[test]
fn add_survives_faults() {
    some_of("add", 175);
}

#[test]
fn remove_survives_faults() {
    some_of("remove", 175);
}

#[test]
fn ci_survives_faults() {
    some_of("ci, CI=true", 50);
}

#[test]
fn maintenance_survives_faults() {
    some_of("maintenance", 125);
}

#[test]
fn import_survives_faults() {
    some_of("store import", 25);
}

//! `cargo xtask bench record`: what the fixtures need, from the configured npm registry, once.
//!
//! The managers install the fixtures through the recorded registry, which asks the configured one
//! for what it has not got: every document and tarball once. Stopped and started again, it goes on
//! where it was. With `--through-dx-registry` it is dx-registry that asks, for full packuments.

use super::fixtures::{FIXTURES, Fixture};
use super::managers::{self, Peers};
use super::place::Place;
use super::scenario::SCENARIOS;
use super::server::Server;
use crate::dx::run as run_command;
use crate::options::Options;
use std::process::Command;

/// Records every fixture, or those of `--fixture`, with every manager that is installed, or those
/// of `--managers`.
pub(crate) fn run(options: &Options) -> Result<(), String> {
    let all = FIXTURES.map(|fixture| fixture.name).join(",");
    let data = super::data(options)?;
    let peers = Peers::new(options)?;
    let (managers, _) = managers::installed(options, &peers)?;
    let workplace = super::root(options)?.join("record");
    super::disk::remove(&workplace)?;
    let mut server = Server::start_recording(&data, options)?;
    let mut failed = Vec::new();
    for name in options.list("fixture", &all) {
        let fixture = Fixture::find(name)?;
        for manager in &managers {
            let place = Place::new(&workplace, manager, fixture, &peers.node())?;
            let before = server.counts()?.0;
            match install_and_change(&place, fixture, &server) {
                Ok(()) => {
                    let asked = server.counts()?.0.since(&before);
                    println!(
                        "{name} with {}: {} documents, {} tarballs",
                        manager.name, asked.metadata_requests, asked.tarball_requests
                    );
                }
                Err(reason) => {
                    println!("{name} with {}: FAILED {reason}", manager.name);
                    failed.push(format!("{name} with {}", manager.name));
                }
            }
            super::disk::remove(&workplace.join(name))?;
        }
    }
    if failed.is_empty() { Ok(()) } else { Err(format!("not recorded: {}", failed.join(", "))) }
}

/// Installs, then makes each change that a scenario makes.
fn install_and_change(place: &Place<'_>, fixture: &Fixture, server: &Server) -> Result<(), String> {
    place.fill(server)?;
    for scenario in SCENARIOS.into_iter().filter(|scenario| scenario.changes_project()) {
        place.prepare(server, scenario, true)?;
        let words = scenario.command(place.manager, fixture);
        place.work(server, &words)?;
    }
    Ok(())
}

/// The configured registry; it is used and never written down.
pub(crate) fn upstream() -> Result<String, String> {
    let mut npm = Command::new(if cfg!(windows) { "npm.cmd" } else { "npm" });
    npm.args(["config", "get", "registry"]).current_dir(std::env::temp_dir());
    Ok(String::from_utf8_lossy(&run_command(npm)?.stdout).trim().to_owned())
}

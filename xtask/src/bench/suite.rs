//! The measurement itself: managers take turns, run by run.

use super::disk;
use super::fixtures::Fixture;
use super::managers::{self, Manager, Peers};
use super::networks;
use super::place::Place;
use super::results::{Cell, Results, Run};
use super::scenario::{SCENARIOS, Scenario};
use super::server::Server;
use super::{machine, table};
use crate::options::Options;
use std::path::Path;
use std::time::{Duration, Instant};

/// The default number of runs of a scenario, and the time that the runs of one manager may take.
const RUNS: u64 = 5;
const PATIENCE: Duration = Duration::from_secs(6);
/// System calls are not counted where a run takes longer than this, in seconds: traced, it takes
/// several times as long.
const TRACED: f64 = 2.0;
/// The scenarios that ask the registry, and so differ from network to network.
const ONLINE: [Scenario; 2] = [Scenario::Ci, Scenario::Cold];

/// The selection to measure.
struct Plan {
    fixtures: Vec<&'static Fixture>,
    networks: Vec<String>,
    scenarios: Vec<Scenario>,
    /// Whether the selection is the default.
    is_default: bool,
    /// Whether scenarios that hardly ask the registry are left out where there is a delay.
    only_online: bool,
    runs: u64,
    patience: Duration,
}

impl Plan {
    fn new(options: &Options) -> Result<Plan, String> {
        let fixtures = options
            .list("fixture", "large")
            .into_iter()
            .map(Fixture::find)
            .collect::<Result<_, _>>()?;
        let networks: Vec<String> =
            options.list("network", networks::ALL).into_iter().map(str::to_owned).collect();
        networks.iter().try_for_each(|name| networks::find(name).map(drop))?;
        let all = SCENARIOS.map(Scenario::name).join(",");
        let named = options
            .list("scenarios", &all)
            .into_iter()
            .map(Scenario::find)
            .collect::<Result<Vec<_>, _>>()?;
        let mut scenarios: Vec<_> =
            SCENARIOS.into_iter().filter(|scenario| named.contains(scenario)).collect();
        // Each finds what it needs left by those before it, and what cold leaves is what most need.
        scenarios.sort_by_key(|scenario| *scenario != Scenario::Cold);
        let only_online =
            options.value("network").is_none() && options.value("scenarios").is_none();
        let patience = if options.has("runs") { Duration::MAX } else { PATIENCE };
        let narrowing =
            ["fixture", "managers", "network", "scenarios", "runs", "tls", "through-dx-registry"];
        let is_default = narrowing.iter().all(|name| options.value(name).is_none());
        Ok(Plan {
            fixtures,
            networks,
            scenarios,
            is_default,
            only_online,
            runs: options.number("runs", RUNS)?,
            patience,
        })
    }

    fn scenarios(&self, network: &str) -> impl Iterator<Item = Scenario> {
        let all = !self.only_online || network == "none";
        self.scenarios.iter().copied().filter(move |scenario| all || ONLINE.contains(scenario))
    }
}

/// Runs the suite and writes what it found.
pub(crate) fn run(options: &Options) -> Result<(), String> {
    let plan = Plan::new(options)?;
    let data = super::data(options)?;
    if !data.join("documents").exists() {
        return Err(format!(
            "{}: nothing is recorded there; run `cargo xtask bench record` first",
            data.display()
        ));
    }
    let peers = Peers::new(options)?;
    let (managers, missing) = managers::installed(options, &peers)?;
    let root = super::root(options)?;
    let mut server = match options.has("through-dx-registry") {
        true => Server::start_through(&data, options)?,
        false => Server::start(&data, options.has("tls"))?,
    };
    let mut results = Results::load()?;
    results.machine = machine::describe(&root)?;
    results
        .versions
        .retain(|(name, _)| managers.iter().all(|manager| manager.name != *name) && name != "node");
    results.versions.extend(versions(&managers, &peers)?);
    results.missing = missing;
    let started = Instant::now();
    for fixture in &plan.fixtures {
        let bench = Bench { plan: &plan, fixture, root: &root, node: peers.node() };
        bench.run(&managers, &mut server, &mut results)?;
        if !options.has("keep") {
            disk::remove(&root.join(fixture.name))?;
        }
    }
    let took = started.elapsed().as_secs_f64();
    if plan.is_default {
        results.took = took;
    }
    println!("\n{took:.0} s; kept in {}", results.save()?.display());
    Ok(())
}

fn versions(managers: &[Manager], peers: &Peers) -> Result<Vec<(String, String)>, String> {
    let mut versions: Vec<_> =
        managers.iter().map(|manager| (manager.name.clone(), manager.version.clone())).collect();
    versions.push(("node".to_owned(), managers::version(&[peers.node()])?));
    Ok(versions)
}

/// One fixture on every network.
struct Bench<'a> {
    plan: &'a Plan,
    fixture: &'a Fixture,
    root: &'a Path,
    node: std::path::PathBuf,
}

/// A manager's place, and what it takes to know in which state that is.
struct Seat<'a> {
    place: Place<'a>,
    /// Whether the project differs from its manifest and lockfile as they were saved.
    changed: bool,
    /// Whether the manager takes so long to install that optional measurements are left out.
    slow: bool,
}

impl Bench<'_> {
    /// Runs every scenario. What each found is kept at once, so that a run that is broken off
    /// loses no more than the scenario that it was in.
    fn run(
        &self,
        managers: &[Manager],
        server: &mut Server,
        results: &mut Results,
    ) -> Result<(), String> {
        let mut found = Vec::new();
        let mut seats = Vec::new();
        for manager in managers {
            seats.push(Seat {
                place: Place::new(self.root, manager, self.fixture, &self.node)?,
                changed: true,
                slow: false,
            });
        }
        for network in &self.plan.networks {
            for scenario in self.plan.scenarios(network) {
                server.set_network("none")?;
                if self.plan.patience != Duration::MAX {
                    seats
                        .iter_mut()
                        .for_each(|seat| seat.slow = self.is_slow(seat, Scenario::Warm, &found));
                }
                let taking_part = self.taking_part(&mut seats, scenario, network, &found);
                let cells = self.scenario(scenario, network, taking_part, server)?;
                table::print(&cells);
                results.replace(cells.clone());
                results.save()?;
                found.extend(cells);
            }
        }
        Ok(())
    }

    /// The managers to measure: over a delayed network, and in continuous integration, not the
    /// slow ones, unless the scenarios were named.
    fn taking_part<'s, 'p>(
        &self,
        seats: &'s mut [Seat<'p>],
        scenario: Scenario,
        network: &str,
        found: &[Cell],
    ) -> Vec<&'s mut Seat<'p>> {
        let all = !self.plan.only_online || network == "none" && !scenario.is_in_ci();
        let slow = |seat: &Seat<'_>| self.is_slow(seat, scenario.outside_ci(), found);
        seats.iter_mut().filter(|seat| all || !slow(seat)).collect()
    }

    fn is_slow(&self, seat: &Seat<'_>, scenario: Scenario, found: &[Cell]) -> bool {
        is_slow(found, self.fixture.name, scenario, &seat.place.manager.name)
    }

    /// One scenario on one network: each manager in its turn, until every one has had its runs.
    fn scenario(
        &self,
        scenario: Scenario,
        network: &str,
        mut seats: Vec<&mut Seat<'_>>,
        server: &mut Server,
    ) -> Result<Vec<Cell>, String> {
        let mut cells: Vec<Cell> =
            seats.iter().map(|seat| self.empty_cell(scenario, network, seat)).collect();
        for round in 0..self.plan.runs {
            for (seat, cell) in seats.iter_mut().zip(&mut cells) {
                let spent: f64 = cell.runs.iter().map(|run| run.cost.wall).sum();
                if cell.failure.is_some()
                    || (round > 0 && Duration::from_secs_f64(spent) >= self.plan.patience)
                {
                    continue;
                }
                if let Err(reason) = self.turn(scenario, network, seat, server, cell) {
                    cell.failure = Some(reason);
                    // Whatever the failure left is no state to begin with.
                    seat.changed = true;
                }
            }
        }
        server.set_network("none")?;
        for (seat, cell) in seats.iter_mut().zip(&mut cells) {
            let is_short = cell.median(|run| run.cost.wall).is_some_and(|wall| wall < TRACED);
            if is_short && network == "none" && counted(scenario) {
                cell.system_calls = self.system_calls(scenario, seat, server).unwrap_or_default();
            }
        }
        Ok(cells)
    }

    fn empty_cell(&self, scenario: Scenario, network: &str, seat: &Seat<'_>) -> Cell {
        let manager = seat.place.manager;
        Cell {
            date: machine::date(),
            fixture: self.fixture.name.to_owned(),
            network: network.to_owned(),
            scenario: scenario.name().to_owned(),
            manager: manager.name.clone(),
            runs: Vec::new(),
            failure: None,
            disk: None,
            occupied: None,
            system_calls: None,
        }
    }

    /// One timed run of one manager.
    fn turn(
        &self,
        scenario: Scenario,
        network: &str,
        seat: &mut Seat<'_>,
        server: &mut Server,
        cell: &mut Cell,
    ) -> Result<(), String> {
        let words = scenario.command(seat.place.manager, self.fixture);
        let first = cell.runs.is_empty();
        if first && (scenario.fills_caches() || scenario.is_rehearsed() && !seat.slow) {
            seat.begin(server, scenario)?;
            seat.end(scenario, seat.place.work(server, &words))?;
            seat.place.maintain(server)?;
        }
        seat.begin(server, scenario)?;
        let used = first.then(|| seat.place.usage(scenario));
        server.set_network(network)?;
        let (before, cpu_before) = server.counts()?;
        let outcome = seat.place.work_for(server, scenario, &words);
        let (after, cpu_after) = server.counts()?;
        server.set_network("none")?;
        let mut cost = seat.end(scenario, outcome)?;
        if scenario == Scenario::Cold && network == "none" {
            seat.place.save_lockfile()?;
        }
        if scenario.leaves_work() {
            let maintained = seat.place.maintain(server)?;
            cost.after_wall += maintained.wall + maintained.after_wall;
            cost.after_cpu += maintained.cpu + maintained.after_cpu;
        }
        if let Some(used) = used {
            let occupied = seat.place.usage(scenario);
            cell.disk = Some(occupied.cast_signed() - used.cast_signed());
            cell.occupied = Some(occupied);
        }
        let counts = after.since(&before);
        cell.runs.push(Run {
            cost,
            metadata_requests: counts.metadata_requests,
            tarball_requests: counts.tarball_requests,
            other_requests: counts.other_requests,
            connections: counts.connections,
            bytes_received: counts.bytes_received,
            bytes_sent: counts.bytes_sent,
            registry_cpu: cpu_after - cpu_before,
        });
        Ok(())
    }

    fn system_calls(
        &self,
        scenario: Scenario,
        seat: &mut Seat<'_>,
        server: &Server,
    ) -> Result<Option<u64>, String> {
        let words = scenario.command(seat.place.manager, self.fixture);
        seat.begin(server, scenario)?;
        let counted = seat.place.system_calls(server, &words);
        seat.changed = scenario.changes_project();
        seat.place.maintain(server)?;
        counted
    }
}

/// Returns whether one run without a delay takes a manager longer than others may take for all of
/// theirs.
fn is_slow(found: &[Cell], fixture: &str, scenario: Scenario, manager: &str) -> bool {
    let wanted = (fixture, "none", scenario.name(), manager);
    let cell = found.iter().find(|cell| {
        (
            cell.fixture.as_str(),
            cell.network.as_str(),
            cell.scenario.as_str(),
            cell.manager.as_str(),
        ) == wanted
    });
    let wall = cell.and_then(|cell| cell.median(|run| run.cost.wall));
    wall.is_some_and(|wall| Duration::from_secs_f64(wall) > PATIENCE)
}

/// Returns whether the system calls of a scenario are counted: some scenarios take minutes to
/// trace.
fn counted(scenario: Scenario) -> bool {
    matches!(
        scenario,
        Scenario::Noop | Scenario::Warm | Scenario::Add | Scenario::Remove | Scenario::Run
    )
}

impl Seat<'_> {
    fn begin(&mut self, server: &Server, scenario: Scenario) -> Result<(), String> {
        self.place.prepare(server, scenario, self.changed)?;
        self.changed = false;
        Ok(())
    }

    /// Notes in which state a command left the place.
    fn end<T>(&mut self, scenario: Scenario, outcome: Result<T, String>) -> Result<T, String> {
        // A tree of other caches is no state to begin with either.
        self.changed = scenario.changes_project() || scenario.is_in_ci() || outcome.is_err();
        outcome
    }
}

#[cfg(test)]
mod tests;

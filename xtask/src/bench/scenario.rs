//! The scenarios: what is there before a run, and what is run.

use super::fixtures::{Fixture, SCRIPT};
use super::managers::Manager;

/// A task for a manager.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scenario {
    Noop,
    Warm,
    Fresh,
    Add,
    Remove,
    UpdateOne,
    Ci,
    Cold,
    CiWithCi,
    ColdWithCi,
    Run,
}

/// Every scenario, in the order in which they are told of.
pub(crate) const SCENARIOS: [Scenario; 11] = [
    Scenario::Noop,
    Scenario::Warm,
    Scenario::Fresh,
    Scenario::Add,
    Scenario::Remove,
    Scenario::UpdateOne,
    Scenario::Run,
    Scenario::Ci,
    Scenario::Cold,
    Scenario::CiWithCi,
    Scenario::ColdWithCi,
];

impl Scenario {
    /// Its name on the command line and in tables.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Scenario::Noop => "noop",
            Scenario::Warm => "warm",
            Scenario::Fresh => "fresh",
            Scenario::Add => "add",
            Scenario::Remove => "remove",
            Scenario::UpdateOne => "update-one",
            Scenario::Ci => "ci",
            Scenario::Cold => "cold",
            Scenario::CiWithCi => "ci-with-CI",
            Scenario::ColdWithCi => "cold-with-CI",
            Scenario::Run => "run",
        }
    }

    /// Its name in tables and charts, which have room for it.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Scenario::CiWithCi => "ci, CI=true",
            Scenario::ColdWithCi => "cold, CI=true",
            _ => self.name(),
        }
    }

    /// Returns the sentence that describes it.
    pub(crate) fn meaning(self) -> &'static str {
        match self {
            Scenario::Noop => "Install again where everything is in place.",
            Scenario::Warm => "Lockfile and caches are there, `node_modules` is not.",
            Scenario::Fresh => "Caches are there, lockfile and `node_modules` are not.",
            Scenario::Add => "Add one package, which the caches have, to an installed project.",
            Scenario::Remove => "Remove one direct dependency from an installed project.",
            Scenario::UpdateOne => {
                "Change one direct dependency to another version, which the caches have."
            }
            Scenario::Ci => "Only the lockfile is there: no caches, no `node_modules`.",
            Scenario::Cold => "Only `package.json` is there.",
            Scenario::CiWithCi => "As ci, with `CI=true` in the environment.",
            Scenario::ColdWithCi => "As cold, with `CI=true` in the environment.",
            Scenario::Run => "Start a script that does nothing.",
        }
    }

    /// The scenario of this name.
    pub(crate) fn find(name: &str) -> Result<Scenario, String> {
        let names = || SCENARIOS.map(Scenario::name).join(", ");
        SCENARIOS
            .into_iter()
            .find(|scenario| scenario.name() == name)
            .ok_or_else(|| format!("no scenario {name}: {}", names()))
    }

    /// Returns the state before each run.
    pub(crate) fn start(self) -> Start {
        match self {
            Scenario::Noop | Scenario::Run => Start { caches: true, lockfile: true, tree: true },
            Scenario::Add | Scenario::Remove | Scenario::UpdateOne => {
                Start { caches: true, lockfile: true, tree: true }
            }
            Scenario::Warm => Start { caches: true, lockfile: true, tree: false },
            Scenario::Fresh => Start { caches: true, lockfile: false, tree: false },
            Scenario::Ci | Scenario::CiWithCi => {
                Start { caches: false, lockfile: true, tree: false }
            }
            Scenario::Cold | Scenario::ColdWithCi => {
                Start { caches: false, lockfile: false, tree: false }
            }
        }
    }

    /// Returns whether a run leaves the project other than it was.
    pub(crate) fn changes_project(self) -> bool {
        matches!(self, Scenario::Add | Scenario::Remove | Scenario::UpdateOne)
    }

    /// Returns whether it is run once before it is timed, so that the timed run does no first-time
    /// work.
    pub(crate) fn is_rehearsed(self) -> bool {
        matches!(self, Scenario::Warm | Scenario::Fresh | Scenario::Noop | Scenario::Run)
            || self.changes_project()
    }

    /// Returns whether the caches lack something that it needs before it was run once.
    pub(crate) fn fills_caches(self) -> bool {
        matches!(self, Scenario::Add | Scenario::UpdateOne)
    }

    /// Returns whether a run may defer work. Where continuous integration is said to run, nothing
    /// follows.
    pub(crate) fn leaves_work(self) -> bool {
        !matches!(self, Scenario::Noop | Scenario::Run) && !self.is_in_ci()
    }

    /// Returns whether the command is told that continuous integration runs it.
    pub(crate) fn is_in_ci(self) -> bool {
        matches!(self, Scenario::CiWithCi | Scenario::ColdWithCi)
    }

    /// Returns the scenario that does the same on a developer's machine.
    pub(crate) fn outside_ci(self) -> Scenario {
        match self {
            Scenario::CiWithCi => Scenario::Ci,
            Scenario::ColdWithCi => Scenario::Cold,
            other => other,
        }
    }

    /// The command line.
    pub(crate) fn command(self, manager: &Manager, fixture: &Fixture) -> Vec<String> {
        match self.outside_ci() {
            Scenario::Noop | Scenario::Fresh | Scenario::Cold => manager.install(),
            Scenario::Warm | Scenario::Ci => manager.frozen(),
            Scenario::Add => manager.add(fixture, fixture.add),
            Scenario::Remove => manager.remove(fixture, fixture.remove),
            Scenario::UpdateOne => {
                manager.add(fixture, &format!("{}@{}", fixture.update.0, fixture.update.1))
            }
            _ => manager.run(SCRIPT),
        }
    }
}

/// The state before a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Start {
    pub(crate) caches: bool,
    pub(crate) lockfile: bool,
    pub(crate) tree: bool,
}

//! Commands, and what must be true after a fault in each.

use super::disk::Loss;
use super::state::State;
use super::supervisor::{Fault, Outcome, supervise};
use crate::command::{Command, Run};
use crate::package::PackageBuilder;
use crate::project::{Project, ProjectBuilder};
use crate::registry::Registry;
use std::fs;
use std::path::{Path, PathBuf};

/// A command in a project, with what was done there before.
#[derive(Clone, Copy)]
pub struct Scenario {
    /// The name in tables.
    pub name: &'static str,
    describe: fn(ProjectBuilder) -> ProjectBuilder,
    before: fn(&Place<'_>),
    command: &'static [&'static str],
    variables: &'static [(&'static str, &'static str)],
}

/// A fault, with the loss of power after it.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// The fault of the command.
    pub fault: Fault,
    /// What is lost after it.
    pub loss: Option<Loss>,
}

/// What was found after a fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The command has ended before the operation of this number.
    NotReached,
    /// The operation does not fail in this way.
    Inapplicable,
    /// Everything is as it should be.
    Right {
        /// Whether the operation can change the disk.
        changes: bool,
    },
    /// Something is not, and what.
    Wrong(String),
}

/// A project, its binary and its variables.
pub(super) struct Place<'a> {
    dx: &'a Path,
    project: Project,
    /// Whether the machine was started again.
    is_restarted: bool,
}

impl Place<'_> {
    fn command(&self, arguments: &[&str]) -> Command {
        let command = if self.is_restarted {
            let uptime = rustix::time::clock_gettime(rustix::time::ClockId::Boottime).tv_sec;
            let program = self.project.command(Path::new("unshare"));
            let offset = format!("--boottime=-{uptime}");
            program.args(["--time", &offset, "--"]).args([self.dx])
        } else {
            self.project.dx(self.dx)
        };
        command
            .env("npm_config_globalconfig", self.project.home().join("no-such-npmrc"))
            .env("NO_UPDATE_NOTIFIER", "1")
            .env("DX_PREPARED_TREES", "1")
            .env("DX_BACKGROUND", "0")
            .args(arguments)
    }

    fn run(&self, arguments: &[&str]) -> Run {
        self.command(arguments).run()
    }

    /// Runs a command without a fault; the error holds what it printed.
    fn succeed(&self, arguments: &[&str]) -> Result<Run, String> {
        let run = self.run(arguments);
        match run.status {
            Some(0) => Ok(run),
            _ => Err(format!("then `dx {}` fails: {run}", arguments.join(" "))),
        }
    }

    fn root(&self) -> PathBuf {
        self.project.path().parent().expect("a project is in a folder").to_owned()
    }

    fn remove(&self, path: &str) {
        self.project.remove(path);
    }
}

/// A scenario's states without a fault.
pub(super) struct Reference {
    /// Before the command.
    before: State,
    /// After an install in its place.
    old: State,
    /// After the command.
    new: State,
}

/// Starts a registry with the packages of the scenarios.
pub fn registry() -> Registry {
    let registry = Registry::start();
    let page = |name: &str| format!("// {name}\n").repeat(1000);
    let tool = registry.package("tool", "1.0.0").dep("leaf", "1").bin("tool", "./cli.js");
    tool.file("cli.js", "#!/usr/bin/env node\r\nconsole.log('tool')")
        .file("lib/page.js", page("tool"))
        .publish();
    registry.package("leaf", "1.0.0").file("a/b.js", "module.exports = 1").publish();
    registry.package("@scope/other", "2.0.0").dep("leaf", "1").publish();
    scripted(registry.package("scripted", "1.0.0")).publish();
    registry.package("large", "1.0.0").file("data.bin", incompressible()).publish();
    registry
}

fn scripted(package: PackageBuilder<'_>) -> PackageBuilder<'_> {
    package.script("postinstall", "echo built > built.txt")
}

/// Returns bytes that make a tarball large enough to be unpacked as it arrives.
fn incompressible() -> Vec<u8> {
    let mut state = 1_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    (0..150_000).flat_map(|_| next()).collect()
}

/// The variables of a command that a background process follows.
const WITH_WORKER: &[(&str, &str)] = &[("DX_BACKGROUND", "1")];

fn install(place: &Place<'_>) {
    place.run(&["install"]).success();
    place.run(&["store", "maintain"]).success();
}

/// Returns every scenario.
pub fn scenarios() -> Vec<Scenario> {
    let plain = Scenario {
        name: "install",
        describe: |project| project.dep("tool", "1").dep("@scope/other", "2"),
        before: |_| {},
        command: &["install"],
        variables: WITH_WORKER,
    };
    vec![
        plain,
        Scenario { name: "install, no worker", variables: &[], ..plain },
        Scenario {
            name: "install from the store",
            before: |place| {
                place.run(&["install"]).success();
                place.remove("node_modules");
                let _ = fs::remove_dir_all(place.project.store().join("v1/prepared"));
            },
            ..plain
        },
        Scenario {
            name: "install from a prepared tree",
            before: |place| {
                install(place);
                place.remove("node_modules");
            },
            ..plain
        },
        Scenario { name: "install again", before: install, ..plain },
        Scenario {
            name: "add",
            describe: |project| project.dep("tool", "1"),
            before: install,
            command: &["add", "@scope/other@2"],
            ..plain
        },
        Scenario { name: "remove", before: install, command: &["remove", "@scope/other"], ..plain },
        Scenario {
            name: "ci",
            before: |place| {
                place.run(&["install"]).success();
                fs::remove_dir_all(place.project.store()).expect("remove a store");
            },
            command: &["ci"],
            ..plain
        },
        Scenario {
            name: "ci, CI=true",
            before: |place| {
                place.run(&["install"]).success();
                place.remove("node_modules");
                fs::remove_dir_all(place.project.store()).expect("remove a store");
            },
            command: &["ci"],
            variables: &[("CI", "true")],
            ..plain
        },
        Scenario {
            name: "maintenance",
            before: |place| {
                place.run(&["install"]).success();
            },
            command: &["store", "maintain"],
            variables: &[],
            ..plain
        },
        Scenario {
            name: "store import",
            before: |place| {
                install(place);
                let archive = place.root().join("home/packages.dxa");
                let archive = archive.to_str().expect("a UTF-8 path").to_owned();
                place.run(&["store", "export", &archive]).success();
                fs::remove_dir_all(place.project.store()).expect("remove a store");
            },
            command: &["store", "import", "../home/packages.dxa"],
            variables: &[],
            ..plain
        },
        Scenario {
            name: "install with a script",
            describe: |project| {
                project
                    .dep("scripted", "1")
                    .field("allowScripts", serde_json::json!({"scripted": true}))
            },
            ..plain
        },
        Scenario {
            name: "install a large package",
            describe: |project| project.dep("large", "1"),
            ..plain
        },
    ]
}

impl Scenario {
    fn place<'a>(&self, dx: &'a Path, registry: &Registry) -> Place<'a> {
        let project = (self.describe)(Project::new(registry)).create();
        let place = Place { dx, project, is_restarted: false };
        (self.before)(&place);
        place
    }

    fn faulty(&self, place: &Place<'_>) -> Command {
        let command = place.command(self.command);
        self.variables.iter().fold(command, |command, (name, value)| command.env(name, value))
    }

    /// Runs the scenario without a fault.
    pub(super) fn reference(&self, dx: &Path, registry: &Registry) -> Reference {
        let place = self.place(dx, registry);
        let before = State::of(&place.project);
        place.run(&["install"]).success();
        let old = State::of(&place.project);
        let place = self.place(dx, registry);
        place.run(self.command).success();
        place.run(&["install"]).success();
        Reference { before, old, new: State::of(&place.project) }
    }

    /// Runs the scenario with a fault, and checks all that must be true afterwards.
    pub(super) fn check(
        &self,
        dx: &Path,
        registry: &Registry,
        reference: &Reference,
        case: Case,
    ) -> Result<Verdict, String> {
        let mut place = self.place(dx, registry);
        let root = place.root();
        let outcome = supervise(self.faulty(&place), &root, case.fault)?;
        let struck = match (&outcome.struck, case.fault) {
            (Some(struck), _) => struck.clone(),
            (None, Fault::Kill(at)) if at > outcome.operations && case.loss.is_some() => {
                "after its end".to_owned()
            }
            (None, Fault::Errno(at, _) | Fault::Short(at) | Fault::Kill(at))
                if at <= outcome.operations =>
            {
                return Ok(Verdict::Inapplicable);
            }
            (None, Fault::Every(..)) => return Ok(Verdict::Inapplicable),
            (None, _) => return Ok(Verdict::NotReached),
        };
        place.is_restarted = case.loss.is_some();
        let lost = case.loss.map(|loss| outcome.disk.lose(&root, loss));
        let judged = reference.judge(self, &place, &outcome, case);
        Ok(match judged {
            Ok(()) => Verdict::Right { changes: outcome.changes },
            Err(error) => Verdict::Wrong(format!(
                "{:?}, {struck}{}: {error}",
                case.fault,
                lost.map(|files| format!(", {files} files lost")).unwrap_or_default()
            )),
        })
    }
}

impl Reference {
    fn judge(
        &self,
        scenario: &Scenario,
        place: &Place<'_>,
        outcome: &Outcome,
        case: Case,
    ) -> Result<(), String> {
        if outcome.hung {
            return Err("it waits for ever".to_owned());
        }
        ended_well(&outcome.run, matches!(case.fault, Fault::Kill(_)))?;
        let after = State::of(&place.project);
        self.texts_are_whole(&after, case)?;
        if outcome.run.status == Some(0) && case.loss.is_none() && scenario.command[0] != "store" {
            let what = |error| format!("it succeeded, but {error}\n{}", outcome.run);
            self.new.must_equal(&after).map_err(what)?;
        }
        place.succeed(&["install"])?;
        let after = State::of(&place.project);
        let is_new = after.file("package.json") == self.new.file("package.json");
        let expected = if is_new { &self.new } else { &self.old };
        expected.must_equal(&after).map_err(|error| format!("after the next install {error}"))?;
        if !is_new || scenario.command[0] != "remove" {
            place.succeed(scenario.command)?;
        }
        let again = || {
            let after = State::of(&place.project);
            self.new.must_equal(&after)
        };
        again().map_err(|error| format!("after the command again {error}"))?;
        for command in ["ci", "install"] {
            place.remove("node_modules");
            place.succeed(&[command])?;
            again().map_err(|error| format!("without node_modules, after {command} {error}"))?;
        }
        place.succeed(&["store", "maintain"])?;
        if case.loss.is_some() {
            let _ = place.run(&["store", "verify", "--fix"]);
        }
        place.succeed(&["store", "verify"])?;
        place.remove("node_modules");
        place.succeed(&["install"])?;
        again().map_err(|error| format!("after maintenance and install {error}"))?;
        self.nothing_is_left(place)
    }

    /// Checks that manifest and lockfile are the old ones or the new ones.
    fn texts_are_whole(&self, after: &State, case: Case) -> Result<(), String> {
        for name in ["package.json", "package-lock.json"] {
            let now = after.file(name);
            // A file that was not there before may be lost with the power.
            let is_known =
                [&self.before, &self.old, &self.new].iter().any(|state| state.file(name) == now)
                    || case.loss.is_some() && self.before.file(name).is_none();
            if !is_known {
                let text = now.map(|bytes| String::from_utf8_lossy(bytes).into_owned());
                return Err(format!("{name} is neither old nor new ({:?}): {text:?}", case.loss));
            }
        }
        Ok(())
    }

    fn nothing_is_left(&self, place: &Place<'_>) -> Result<(), String> {
        let names = |folder: &Path| -> Vec<String> {
            let entries = fs::read_dir(folder).into_iter().flatten().flatten();
            let mut names: Vec<String> =
                entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
            names.sort();
            names
        };
        let left = names(&place.root());
        if left != ["home", "project", "store"] {
            return Err(format!("beside the project there are {left:?}"));
        }
        let left = names(&place.project.path().join("node_modules/.dx"));
        if let Some(name) = left.iter().find(|name| name.contains("tmp")) {
            return Err(format!("node_modules/.dx/{name} is left"));
        }
        Ok(())
    }
}

/// Checks that a command succeeded, or said why not.
fn ended_well(run: &Run, killed: bool) -> Result<(), String> {
    let panicked = ["panicked", "RUST_BACKTRACE", "internal error", "unreachable"]
        .iter()
        .any(|word| run.stderr.contains(word));
    let said = run.stderr.contains("error") && run.stderr.contains("[DX_");
    match run.status {
        _ if panicked => Err(format!("it panicked: {run}")),
        Some(0) => Ok(()),
        None if killed => Ok(()),
        None => Err(format!("a signal ended it: {run}")),
        Some(_) if said || killed => Ok(()),
        Some(_) => Err(format!("it does not say what failed: {run}")),
    }
}

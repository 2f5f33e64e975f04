//! Every operation of a scenario with every fault, or some of them.

use super::disk::Loss;
use super::scenario::{Case, Reference, Scenario, Verdict};
use super::supervisor::{Every, Fault};
use crate::registry::Registry;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Operations that are not reached in a row, after which the end of a command is believed: threads
/// make the count differ a little from run to run.
const ENOUGH: usize = 4;

/// The faults of whole runs: file systems without hard links, locks, shared blocks.
const EVERY: [(Every, i32); 6] = [
    (Every::Link, libc::EPERM),
    (Every::Link, libc::EXDEV),
    (Every::Link, libc::EMLINK),
    (Every::Lock, libc::ENOLCK),
    (Every::LinkLockClone, libc::EPERM),
    (Every::LinkLockClone, libc::EOPNOTSUPP),
];

/// What a sweep has found.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// The greatest number of an operation that was reached.
    pub operations: usize,
    /// The runs with a fault, by its kind.
    pub runs: BTreeMap<&'static str, usize>,
    /// What was wrong after which fault.
    pub wrong: Vec<String>,
}

/// Which faults a sweep tries.
#[derive(Clone, Copy, Debug)]
pub struct Extent {
    /// The first operation.
    pub first: usize,
    /// The distance from one operation to the next.
    pub step: usize,
    /// Whether losses of power are among the faults.
    pub losses: bool,
    /// The number of runs at once.
    pub jobs: usize,
}

/// Runs a scenario with every fault of an extent.
///
/// Fails where the system does not offer what the supervisor needs.
pub fn sweep(
    scenario: &Scenario,
    dx: &Path,
    registry: &Registry,
    extent: Extent,
) -> Result<Table, String> {
    let sweep = Sweep {
        scenario,
        dx,
        registry,
        losses: extent.losses,
        reference: scenario.reference(dx, registry),
        table: Mutex::default(),
    };
    for (every, error) in EVERY {
        sweep.case("every", Case { fault: Fault::Every(every, error), loss: None })?;
    }
    let (next, missed) = (AtomicUsize::new(0), AtomicUsize::new(0));
    thread::scope(|scope| {
        let worker = || -> Result<(), String> {
            while missed.load(Ordering::Relaxed) < ENOUGH {
                let at = extent.first + next.fetch_add(1, Ordering::Relaxed) * extent.step;
                if !sweep.operation(at)? {
                    missed.fetch_add(1, Ordering::Relaxed);
                }
            }
            Ok(())
        };
        let workers: Vec<_> = (0..extent.jobs.max(1)).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().try_for_each(|worker| {
            worker.join().map_err(|_| format!("{}: a check panicked", scenario.name))?
        })
    })?;
    Ok(sweep.table.into_inner().expect("no check panicked"))
}

struct Sweep<'a> {
    scenario: &'a Scenario,
    dx: &'a Path,
    registry: &'a Registry,
    losses: bool,
    reference: Reference,
    table: Mutex<Table>,
}

impl Sweep<'_> {
    /// Runs all faults of one operation; whether it was reached.
    fn operation(&self, at: usize) -> Result<bool, String> {
        let plain = |fault| Case { fault, loss: None };
        let killed = self.case("killed", plain(Fault::Kill(at)))?;
        let reached = killed != Verdict::NotReached;
        // The disk before an operation that only reads is that before the next.
        if self.losses && !matches!(killed, Verdict::Right { changes: false }) {
            for (name, loss) in [
                ("lost", Loss::All),
                ("lost but a page", Loss::BeyondPage),
                ("every second lost", Loss::EverySecond),
            ] {
                self.case(name, Case { fault: Fault::Kill(at), loss: Some(loss) })?;
            }
        }
        if reached {
            self.case("short", plain(Fault::Short(at)))?;
            for index in 0.. {
                let verdict = self.case("failed", plain(Fault::Errno(at, index)))?;
                if matches!(verdict, Verdict::Inapplicable | Verdict::NotReached) {
                    break;
                }
            }
            let mut table = self.table.lock().expect("no check panicked");
            table.operations = table.operations.max(at);
        }
        Ok(reached)
    }

    fn case(&self, kind: &'static str, case: Case) -> Result<Verdict, String> {
        let verdict = self.scenario.check(self.dx, self.registry, &self.reference, case)?;
        let mut table = self.table.lock().expect("no check panicked");
        match &verdict {
            Verdict::NotReached | Verdict::Inapplicable => {}
            Verdict::Right { .. } => *table.runs.entry(kind).or_default() += 1,
            Verdict::Wrong(wrong) => {
                *table.runs.entry(kind).or_default() += 1;
                let loss = case.loss.map(|loss| format!(" ({loss:?})")).unwrap_or_default();
                table.wrong.push(format!("{}{loss}: {wrong}", self.scenario.name));
            }
        }
        Ok(verdict)
    }
}

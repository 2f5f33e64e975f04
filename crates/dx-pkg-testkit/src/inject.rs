//! Faults of the operating system: dx with one file operation that fails, is cut short, or before
//! which the machine stops.
//!
//! A supervisor counts the file operations of a command below a test's folder, in one order over
//! all threads and processes, and answers one of them ([`supervise`]). It sees system calls, so it
//! also sees those of libraries and scripts, and dx is the binary that is shipped. The way there is
//! described in `docs/design/0015-fault-injection.md`. [`Scenario`] is a command with what must be
//! true after each fault.

mod calls;
mod disk;
mod scenario;
mod seccomp;
mod state;
mod supervisor;
pub mod supports;
mod sweep;

pub use disk::{Disk, Loss};
pub use scenario::{Case, Scenario, Verdict, registry, scenarios};
pub use supervisor::{Every, Fault, Outcome, supervise};
pub use sweep::{Extent, Table, sweep};

//! Lifecycle scripts: which run when, in which environment, and running one.
//!
//! Whether a package's scripts may run at all is decided by the caller.

mod environment;
mod order;
mod run;

pub use environment::{LockFacts, ScriptEnvironment, environment, search_path};
pub use order::{
    DEPENDENCY_EVENTS, LINKED_EVENTS, ROOT_EVENTS_AFTER, ROOT_EVENTS_BEFORE, TREE_EVENTS,
    implied_install, order,
};
pub use run::{Output, ScriptCommand, ScriptError, ScriptOutcome, become_script, run};

//! Lifecycle scripts: which run and when, their environment, and running one.

mod environment;
mod git;
mod gyp;
mod identity;
mod lifecycle;
mod nested;
mod order;
mod package;
mod policy;
mod run;
mod runner;
mod shared;
mod skipped;

pub use crate::demands::prepare;
pub use crate::error::{FailedScript, ScriptError};
pub use crate::events::StartedScript;
pub use crate::node::{Node, on_path};
pub use environment::{LockFacts, ScriptEnvironment, environment, search_path};
pub(crate) use gyp::lacks_gyp;
pub(crate) use lifecycle::{Lifecycle, runs_when_linked};
pub(crate) use nested::is_nested;
pub use order::{
    DEPENDENCY_EVENTS, LINKED_EVENTS, ROOT_EVENTS_AFTER, ROOT_EVENTS_BEFORE, TREE_EVENTS,
    implied_install, is_lifecycle, order,
};
pub use package::{ScriptPackage, ScriptStep};
pub(crate) use policy::Policy;
pub use run::{Output, ScriptCommand, ScriptOutcome, become_script, run};
pub(crate) use runner::Place;
pub use shared::SharedFacts;
pub use skipped::skipped_line;

//! The commands, one module each, and the stages they are made of.

pub mod add;
pub mod background;
mod fetch;
mod finish;
pub mod incremental;
pub mod install;
mod installed;
mod lifecycle;
mod materials;
pub mod preparation;
mod prepared;
pub mod remove;
pub mod run;
mod shortcut;
pub mod store;

//! The commands, one module each, and the stages they are made of.

pub mod add;
mod finish;
pub mod install;
mod installed;
mod lifecycle;
mod materials;
pub mod remove;
pub mod store;

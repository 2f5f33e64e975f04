//! A registry server that speaks npm's protocol: the home of private packages, and a cache of other
//! registries.
//!
//! From the bottom up: [`storage`] keeps objects, [`documents`] keeps what changes as numbered
//! revisions of them; `packages` and `upstream` know packuments and tarballs; [`state`] holds all
//! of it for [`api`], whose modules answer requests; [`server`] listens; [`command`] is the command
//! line.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod access;
mod accounts;
mod advisories;
mod api;
mod bring;
mod catalog;
mod check;
mod collect;
mod command;
mod config;
mod contents;
mod documents;
mod dxrp;
mod export;
mod failure;
#[doc(hidden)]
pub mod fuzzing;
mod gzip;
mod http;
mod lockfile;
mod log;
mod lru;
mod metrics;
mod origin;
mod packages;
mod packument;
mod page;
mod pattern;
mod policy;
mod search;
mod server;
mod signing;
mod state;
mod storage;
mod tarballs;
mod time;
mod turns;
mod upstream;
mod usage;
mod values;
mod views;

pub use command::{Environment, run};

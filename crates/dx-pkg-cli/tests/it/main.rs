//! `dx` as a user runs it: the real binary, a registry in this process, Node to require the
//! installed packages.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod add;
mod age;
mod client_certificate;
mod concurrent;
mod counting;
#[cfg(target_os = "linux")]
mod devices;
mod documentation;
mod downloads;
mod faults;
mod fresh;
mod freshness;
mod harness;
mod incremental;
#[cfg(unix)]
mod interrupted;
mod lockfile;
mod npmrc;
mod offline;
mod omit;
#[cfg(unix)]
mod open_files;
mod optional;
mod output;
mod packed;
mod peers;
#[cfg(unix)]
mod prepared;
mod resolution;
mod run;
mod scripts;
#[cfg(unix)]
mod sharing;
#[cfg(unix)]
mod snapshots;
mod speculation;
mod stale;
mod streaming;
mod timing;
#[cfg(target_os = "linux")]
mod worker;
mod workspaces;

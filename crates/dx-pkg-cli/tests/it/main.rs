//! `dx` as a user runs it: the real binary, a registry in this process, Node to require what was installed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod add;
mod age;
mod client_certificate;
mod concurrent;
mod counting;
mod documentation;
mod downloads;
mod faults;
mod forests;
mod fresh;
mod harness;
mod incremental;
mod lockfile;
mod npmrc;
mod offline;
mod omit;
mod optional;
mod output;
mod peers;
mod resolution;
mod scripts;
mod timing;
mod workspaces;

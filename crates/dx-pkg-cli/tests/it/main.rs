//! `dx` as a user runs it: the real binary, a registry in this process, Node to require the
//! installed packages.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod add;
mod age;
#[cfg(unix)]
mod allow_scripts;
#[cfg(unix)]
mod altered;
mod altered_packages;
mod approvals;
mod archives;
#[cfg(unix)]
mod asked;
mod asked_by_settings;
mod asking;
mod authors;
#[cfg(unix)]
mod background;
#[cfg(unix)]
mod book;
mod bounds;
mod bundle_forms;
mod bundles;
mod changes;
mod client_certificate;
#[cfg(unix)]
mod clone;
#[cfg(unix)]
mod cold;
mod command_words;
#[cfg(unix)]
mod commands;
mod concurrent;
mod config;
mod conflicts;
mod copied_folders;
mod counting;
mod decisions;
mod dedupe;
#[cfg(target_os = "linux")]
mod demands;
mod deploying;
mod devices;
mod digests;
mod disowned;
mod documentation;
mod downloads;
mod dry_run;
mod dxrp;
#[cfg(unix)]
mod error_codes;
mod explain_many;
mod failed_optional;
mod faults;
mod folders;
mod force;
mod foreign_flags;
mod fresh;
mod freshness;
#[cfg(unix)]
mod git;
#[cfg(unix)]
mod git_builds;
#[cfg(unix)]
mod git_mirrors;
#[cfg(unix)]
mod git_servers;
#[cfg(unix)]
mod global;
mod gyp;
mod habits;
mod harness;
mod homes;
#[cfg(unix)]
mod hostile;
mod identity;
#[cfg(unix)]
mod in_place;
mod incomplete;
mod incremental;
#[cfg(target_os = "linux")]
mod injected;
mod install_strategy;
#[cfg(unix)]
#[cfg(unix)]
mod interactive;
mod interrupted;
#[cfg(unix)]
mod leaving;
#[cfg(unix)]
mod leftovers;
mod linking;
mod lock_members;
mod lockfile;
mod lockfile_version;
mod managers;
mod members;
mod merge_conflicts;
mod messages;
mod missing_times;
#[cfg(unix)]
mod modes;
mod monorepo;
#[cfg(target_os = "linux")]
mod mounts;
mod npm_tree;
mod npmrc;
mod odd_values;
mod offline;
#[cfg(unix)]
mod old_sources;
mod omit;
#[cfg(unix)]
mod open_files;
mod optional;
#[cfg(unix)]
mod outdated;
mod output;
mod outside;
#[cfg(unix)]
mod own_scripts;
mod packed;
mod patching;
mod peers;
#[cfg(unix)]
mod pins;
#[cfg(unix)]
mod prepared;
#[cfg(unix)]
mod protocols;
mod questions;
#[cfg(unix)]
mod remembered;
mod remembered_solutions;
mod resolution;
#[cfg(target_os = "linux")]
mod restarted;
mod rolled_back;
mod run;
#[cfg(unix)]
mod running;
mod save_flags;
mod saved_forms;
mod schemas;
#[cfg(unix)]
mod script_output;
mod scripts;
mod secrets;
#[cfg(unix)]
mod sharing;
mod single_version;
#[cfg(unix)]
mod snapshots;
mod solve;
mod sources;
mod speculation;
#[cfg(unix)]
mod spellings;
mod stale;
mod stale_lockfile;
mod streaming;
mod takeover;
mod tarball_servers;
mod tarballs;
mod timing;
mod told_less;
mod tolerance;
mod tools;
mod trust;
#[cfg(unix)]
mod trusted_store;
#[cfg(target_os = "linux")]
mod two_users;
mod unlocked;
#[cfg(unix)]
mod updates;
mod upkeep;
mod user_files;
mod words;
#[cfg(target_os = "linux")]
mod worker;
mod workspace_patterns;
mod workspaces;
mod yarn_patches;

//! Runs what a project or a package offers: scripts of several workspaces, commands of installed
//! packages, commands of packages that are installed for it alone, initializers of new projects.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

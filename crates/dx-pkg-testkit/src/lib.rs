//! Test parts: an in-process npm registry, package and project builders, and runs of a `dx` binary.
//!
//! ```no_run
//! use dx_pkg_testkit::{Project, Registry};
//!
//! let registry = Registry::start();
//! registry.package("a", "1.0.0").dep("b", "^1").publish();
//! registry.package("b", "1.2.0").publish();
//! let project = Project::new(&registry).dep("a", "^1").create();
//! let dx = "target/debug/dx"; // env!("CARGO_BIN_EXE_dx") in the tests of the binary's crate
//! project.dx(dx).args(["install"]).run().success();
//! assert_eq!(project.node("console.log(require('b'))").success().stdout.trim(), "b@1.2.0");
//! assert_eq!(registry.metadata_requests(), 2);
//! ```
//!
//! Everything here panics when it fails: the test fails then too.
//! No crate of the workspace is used, so that a mistake in one cannot hide in the tests of it.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test part that fails fails its test"
)]

mod command;
mod device;
pub mod dxrp;
mod fault;
mod http;
#[cfg(target_os = "linux")]
pub mod inject;
mod package;
mod packument;
mod project;
pub mod provenance;
mod registry;
#[cfg(feature = "replay")]
pub mod replay;
pub mod require;
mod tarball;
#[cfg(unix)]
mod terminal;

pub use command::{Command, Run};
pub use device::Device;
pub use fault::{Fault, FaultHandle};
pub use http::RecordedRequest;
pub use package::PackageBuilder;
pub use project::{Project, ProjectBuilder};
pub use registry::Registry;
pub use tarball::{Entry, EntryKind, integrity_sha512, shasum, tgz};

//! Installs projects: from manifests and lockfile to a linked `node_modules`.
//!
//! [`OpenProject::open`] reads settings, manifests and lockfile and locks the project; [`install`]
//! carries the install out.
//!
//! ```
//! use dx_pkg_install::{Environment, NoEvents, OpenProject, Options, SessionOptions, install};
//! # let registry = dx_pkg_testkit::Registry::start();
//! # registry.package("left-pad", "1.3.0").publish();
//! # let folder = tempfile::tempdir()?;
//! # let (project, store) = (folder.path().join("project"), folder.path().join("store"));
//! # std::fs::create_dir(&project)?;
//! # let manifest = r#"{ "dependencies": { "left-pad": "^1.0.0" } }"#;
//! # std::fs::write(project.join("package.json"), manifest)?;
//!
//! let mut environment = Environment { folder: project.clone(), ..Environment::default() };
//! environment.called_from.clone_from(&project);
//! environment.variables = vec![("DX_STORE".into(), store.display().to_string())];
//! let flags = vec![("registry".into(), registry.url().to_owned())];
//! let options = SessionOptions { flags, ..SessionOptions::default() };
//! let open = OpenProject::open(environment, options, &NoEvents)?;
//! let summary = install(open, &Options::default(), &NoEvents)?;
//! assert_eq!(summary.added, 1);
//! assert!(project.join("node_modules/left-pad/package.json").exists());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Nothing here prints, reads the process's environment or holds process-wide state:
//! [`Environment`] is data, [`Events`] is how an install reports, and [`dx_pkg_acquire::Cancel`]
//! ends it.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod additions;
mod altered;
mod approvals;
mod background;
mod beside;
mod built;
mod cached_install;
mod demands;
mod environment;
mod error;
mod events;
mod habits;
pub mod importers;
mod in_place;
mod install;
mod installed;
mod licenses;
pub mod maintenance;
mod node;
mod notices;
mod own_files;
mod plan;
mod prepare;
pub mod project;
mod restore;
pub mod scripts;
mod seal;
pub mod session;
mod snapshot;
pub mod state;
mod suggest;
pub mod summary;
mod timing;
mod tree_files;
mod unsupported;
pub mod upkeep;
mod visits;
mod workspaces;

pub use environment::Environment;
pub use error::InstallError;
pub use events::{Events, NoEvents};
pub use install::{Change, Mode, OpenProject, Options, install};
pub use session::{Session, SessionOptions};
use summary::Summary;

//! Builds packages of git repositories before they are packed: installs what they need, also for
//! development, in a folder of their own, and runs their scripts, where `allowScripts` names them.

use std::path::Path;
use std::sync::Arc;

use dx_pkg_acquire::Cancel;
use dx_pkg_acquire::sources::GitBuilder;
use dx_pkg_compat::manifest::AllowScripts;
use dx_pkg_core::CodedError;

use super::{OpenProject, Options, install};
use crate::approvals::approvals;
use crate::project::Project;
use crate::scripts::Policy;
use crate::{Environment, NoEvents, Session, SessionOptions};

/// The variable that lists, line by line, the commits that are being built, so that none is built
/// for the sake of itself: npm's, which an npm that a script starts reads too.
const BUILDING: &str = "_PACOTE_NO_PREPARE_";

/// The settings of the command line that hold for what a package needs to be built too.
const FLAGS: [&str; 18] = [
    "allow-directory",
    "allow-file",
    "allow-git",
    "allow-remote",
    "before",
    "cafile",
    "fetch-retries",
    "fetch-timeout",
    "https-proxy",
    "legacy-peer-deps",
    "max-package-size",
    "noproxy",
    "offline",
    "prefer-offline",
    "proxy",
    "registry",
    "strict-ssl",
    "userconfig",
];

/// Builds packages for one project.
struct Builder {
    environment: Environment,
    flags: Vec<(String, String)>,
    cancel: Cancel,
    ignored: bool,
    all: bool,
    policy: Policy,
}

/// Lets the session build the packages of git repositories that the project allows.
pub(crate) fn build_for(session: &Session, project: &Project) {
    let config = session.config();
    let mut configured = AllowScripts::default();
    // A setting that cannot be read is an error where scripts are run.
    let keys = config.allow_scripts().unwrap_or_default();
    keys.iter().for_each(|key| configured.add(key, true));
    let approved = approvals(project).map(|read| read.rules().collect::<Vec<_>>());
    let npms = project.manifest.allow_scripts.iter().cloned();
    let keys = npms.chain(approved.unwrap_or_default()).chain(configured.rules);
    let flags = session.flags.iter().filter(|(key, _)| FLAGS.contains(&key.as_str()));
    let fixed = [("include", "dev"), ("background", "false")];
    let fixed = fixed.map(|(key, value)| (key.to_owned(), value.to_owned()));
    session.context.build_git_with(Arc::new(Builder {
        environment: session.environment.clone(),
        flags: flags.cloned().chain(fixed).collect(),
        cancel: session.context.cancel.clone(),
        ignored: config.ignore_scripts().unwrap_or(true),
        all: config.dangerously_allow_all_scripts().unwrap_or(false),
        policy: Policy::new(&project.root, keys),
    }));
}

impl GitBuilder for Builder {
    fn may_build(&self, resolved: &str) -> bool {
        let building = self.environment.variable(BUILDING).unwrap_or_default();
        !self.ignored
            && (self.all || self.policy.of_commit(resolved) == Some(true))
            && !building.lines().any(|other| other == resolved)
    }

    fn build(&self, folder: &Path, resolved: &str) -> Result<(), Arc<dyn CodedError>> {
        let mut environment = self.environment.clone();
        environment.folder = folder.to_owned();
        environment.called_from = folder.to_owned();
        let building = environment.variable(BUILDING).unwrap_or_default();
        let building = format!("{building}\n{resolved}");
        environment.variables.retain(|(key, _)| key != BUILDING);
        environment.variables.push((BUILDING.to_owned(), building));
        let options = SessionOptions {
            flags: self.flags.clone(),
            cancel: self.cancel.clone(),
            ..SessionOptions::default()
        };
        let built = OpenProject::open(environment, options, &NoEvents).and_then(|open| {
            install(open, &Options { no_save: true, ..Options::default() }, &NoEvents)
        });
        built.map(drop).map_err(|error| Arc::new(error) as Arc<dyn CodedError>)
    }
}

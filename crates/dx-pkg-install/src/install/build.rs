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

/// The settings that are not the command's when a package is built: it is a project of its own,
/// whole, for this machine. All others hold for it too.
const FIXED: [(&str, &str); 15] = [
    ("background", "false"),
    ("cpu", "null"),
    ("dry-run", "false"),
    ("global", "false"),
    ("include", "dev"),
    ("include", "optional"),
    ("include", "peer"),
    ("include-workspace-root", "null"),
    ("libc", "null"),
    ("location", "null"),
    ("node-version", "null"),
    ("os", "null"),
    ("package-lock-only", "false"),
    ("workspace", "null"),
    ("workspaces", "null"),
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
    let is_fixed = |key: &str| FIXED.iter().any(|(fixed, _)| *fixed == key);
    let flags = session.flags.iter().filter(|(key, _)| !is_fixed(key)).cloned();
    let fixed = FIXED.map(|(key, value)| (key.to_owned(), value.to_owned()));
    session.context.build_git_with(Arc::new(Builder {
        environment: session.environment.clone(),
        flags: flags.chain(fixed).collect(),
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

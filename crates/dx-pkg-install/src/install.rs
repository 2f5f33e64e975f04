//! Installing a project: three ways to an [`outcome::Outcome`], tried from the cheapest on, and one
//! way to commit it.

mod build;
mod cached;
mod commit;
mod dedupe;
mod digests;
mod fetch;
mod full;
mod gyp;
mod incremental;
mod leftovers;
mod link;
mod listed;
mod open;
mod outcome;
pub(crate) mod part;
mod preview;
mod previous;
mod rollback;
mod sources;
mod statistics;
mod version;

use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use dx_pkg_acquire::{AcquireError, Cancel, Counters, Downloads};
use dx_pkg_core::Version;
use dx_pkg_lock::Lock;
use dx_pkg_os::files::{Durability, FileLock};

pub(crate) use build::build_for;
pub use open::OpenProject;

use self::commit::{Committed, commit};
use self::part::Part;
use crate::cached_install::CacheKey;
use crate::events::tell_notes;
use crate::project::Project;
use crate::scripts::Place;
use crate::summary::Scope;
use crate::{
    Events, InstallError, Session, Summary, altered, demands, maintenance, notices, state, suggest,
};

/// The rules of an install.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Mode {
    /// Changes the lockfile where the manifest requires it.
    #[default]
    Install,
    /// Does exactly what the lockfile says, with a new `node_modules`.
    Ci,
    /// Chooses the versions of packages anew that are there several times, as `npm dedupe` does.
    Dedupe,
    /// Chooses the versions anew that [`Options::update`] names, or all.
    Update,
    /// Installs what the project requires and removes the rest, as `npm prune` does.
    Prune,
    /// Chooses all versions together, so that the fewest are installed.
    Fewest,
    /// The same, so that the fewest are older than the latest.
    Newest,
}

impl Mode {
    /// Returns whether other versions are chosen than the lockfile has, without a change of the
    /// manifest.
    fn chooses_anew(self) -> bool {
        matches!(self, Mode::Dedupe | Mode::Update | Mode::Fewest | Mode::Newest)
    }

    /// Returns whether the whole tree is looked at, though nothing in the project has changed.
    fn is_full(self) -> bool {
        self.chooses_anew() || self == Mode::Prune
    }
}

/// How to install.
#[derive(Default)]
pub struct Options<'o> {
    /// The rules.
    pub mode: Mode,
    /// Fails instead of changing the lockfile.
    pub frozen: bool,
    /// Leaves manifest and lockfile as they are, without failing.
    pub no_save: bool,
    /// Writes nothing and compares with the lockfile rather than with what is installed; with the
    /// setting `dry-run` only.
    pub against_lockfile: bool,
    /// Whether the summary lists every package that changed, not only direct dependencies.
    pub lists_all: bool,
    /// Names of packages to choose anew with [`Mode::Update`]; none for all.
    pub update: Vec<String>,
    /// The change of requirements to install, if any.
    pub change: Option<Change<'o>>,
    /// npm's name of the command, for scripts; by default that of the mode.
    pub command: Option<&'static str>,
    /// Names of packages with versions that are replaced where requirements allow others.
    pub avoided: Vec<(String, Version)>,
    /// Whether the whole project is installed, whatever workspaces the settings or the folder
    /// select.
    pub whole_project: bool,
}

impl Options<'_> {
    /// Returns whether the versions of all packages are chosen anew.
    fn updates_all(&self) -> bool {
        self.mode == Mode::Update && self.update.is_empty()
    }
}

/// A change of the requirements of a project or its workspaces, which their in-memory manifests
/// have already.
pub struct Change<'c> {
    /// Folders of the importers that change, relative to the project, whose own is empty.
    pub importers: Vec<String>,
    /// Names of dependencies that were requested explicitly, in each of them.
    pub explicit: Vec<String>,
    /// Names of dependencies that are removed.
    pub removed: Vec<String>,
    /// Returns the new text of an importer's manifest, given the resolution's lock.
    pub manifest: &'c (dyn Fn(&str, &Lock) -> Result<String, InstallError> + Sync),
    /// Whether manifest and lockfile are written.
    pub save: bool,
}

impl Change<'_> {
    /// Returns the folders of the importers whose dependencies are requested; none where the
    /// project's are, or no particular ones.
    fn folders(&self) -> Vec<String> {
        let is_usual = self.is_of_project() || self.explicit.is_empty();
        if is_usual { Vec::new() } else { self.importers.clone() }
    }

    /// Returns whether the project's own manifest is all that changes.
    fn is_of_project(&self) -> bool {
        matches!(self.importers.as_slice(), [own] if own.is_empty())
    }
}

/// Installs a project.
///
/// # Errors
/// Whatever keeps the project from being installed. Lockfile, manifest and `node_modules` are then
/// as before, or new as a whole; fetched packages stay in the store.
pub fn install(
    open: OpenProject,
    options: &Options<'_>,
    events: &dyn Events,
) -> Result<Summary, InstallError> {
    let OpenProject { session, mut project, starts_from_nothing, started, lock } = open;
    let notices = notices::take(&project.root);
    notices.iter().for_each(|notice| events.warning(notice));
    if options.mode == Mode::Install {
        demands::report_manager(&project, events);
    }
    build_for(&session, &project);
    let part = match options.whole_project {
        true => None,
        false => Part::of(&session, &project, options.change.as_ref())?,
    };
    let run = Run::new(&session, options, events, starts_from_nothing, part)?;
    let result = run.install(&mut project);
    events.work_ended();
    tell_notes(&session, events);
    if let Some(unknown) = session.unknown_node() {
        events.warning(&unknown.to_string());
    }
    // Also after a failure: fetched packages need not be fetched again.
    let pending = store_pending(&session, &project.root);
    // Answers that were only for the next command. A cache that cannot be written costs time.
    let _ = session.store().save_metadata();
    altered::tell(session.store());
    drop::<Option<FileLock>>(lock);
    match result {
        Ok(Committed { mut summary, tree }) => {
            pending?;
            if let Some(tree) = tree {
                maintenance::follow(&session, &project.root, tree, events);
            }
            summary.elapsed = started.elapsed();
            // The process ends soon: a repository has thousands of pieces to free.
            std::mem::forget(project);
            Ok(summary)
        }
        Err(error) => {
            if pending.is_ok_and(|packages| packages > 0) {
                events.maintenance_due(&session);
            }
            // Whatever failed on the way out, cancellation is the reason.
            Err(if run.cancel().is_cancelled() {
                AcquireError::Cancelled.into()
            } else {
                suggest::complete(error, &session, &project)
            })
        }
    }
}

/// Queues the packages that are not in the store yet, or drops them where no maintenance follows;
/// returns their number.
fn store_pending(session: &Session, root: &Path) -> Result<usize, InstallError> {
    Ok(if session.maintenance_follows() {
        session.store().record_pending(root)?
    } else {
        session.store().drop_pending().map(|()| 0)?
    })
}

/// One install: session, options and listener, with what follows from them.
struct Run<'r> {
    session: &'r Arc<Session>,
    options: &'r Options<'r>,
    events: &'r dyn Events,
    counters: Arc<Counters>,
    /// The digest of settings for the state.
    settings: [u8; 32],
    /// Whether the lockfile must not change.
    frozen: bool,
    /// Whether only the lockfile is written.
    lockfile_only: bool,
    /// Whether nothing is written, fetched or run.
    dry_run: bool,
    /// Whether the store was empty; then fetching begins before anything is looked up.
    starts_from_nothing: bool,
    /// The part of the tree that may change; `None` for all of it.
    part: Option<Part>,
    cache_key: OnceLock<CacheKey>,
    /// Whether the last install left a state.
    had_state: OnceLock<bool>,
    /// The downloads of a way that was given up, which go on.
    begun: Mutex<Option<Downloads>>,
}

impl<'r> Run<'r> {
    fn new(
        session: &'r Arc<Session>,
        options: &'r Options<'r>,
        events: &'r dyn Events,
        starts_from_nothing: bool,
        part: Option<Part>,
    ) -> Result<Self, InstallError> {
        let variables = session.environment.variables.iter().cloned();
        Ok(Run {
            session,
            options,
            events,
            counters: Arc::default(),
            settings: state::settings_digest(&session.flags, variables),
            frozen: options.mode == Mode::Ci || options.frozen,
            lockfile_only: session.config().package_lock_only()?,
            dry_run: session.config().dry_run()?,
            starts_from_nothing,
            part,
            cache_key: OnceLock::new(),
            had_state: OnceLock::new(),
            begun: Mutex::default(),
        })
    }

    /// Returns the downloads of a way that was given up, so that nothing is fetched twice, else new
    /// ones.
    fn downloads(&self, project: &Project) -> Result<Downloads, InstallError> {
        let begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(begun) = begun {
            return Ok(begun);
        }
        let (session, counters) = (self.session, self.counters.clone());
        let (mode, offline) = (fetch::store_mode(session, project), session.config().offline()?);
        Ok(Downloads::new(&session.context, offline, mode, counters).in_project(&project.root))
    }

    /// Leaves downloads to the way that comes next.
    fn leave(&self, downloads: Downloads) {
        *self.begun.lock().unwrap_or_else(PoisonError::into_inner) = Some(downloads);
    }

    fn install(&self, project: &mut Project) -> Result<Committed, InstallError> {
        if self.dry_run {
            let outcome = full::work_out(self, project)?.ok_or(InstallError::NotCommitted)?;
            return preview::preview(self, project, outcome);
        }
        let ways = [cached::work_out, incremental::work_out, full::work_out];
        let is_whole_only = self.chooses_anew() || self.part.is_some();
        for work_out in &ways[if is_whole_only { 2 } else { 0 }..] {
            let Some(mut outcome) = work_out(self, project)? else { continue };
            demands::add_engine_warnings(self.session, project, &mut outcome.summary.warnings)?;
            if let Some(committed) = commit(self, project, outcome)? {
                return Ok(committed);
            }
        }
        Err(InstallError::NotCommitted)
    }

    /// Returns whether the tree is made anew from the lockfile.
    fn is_ci(&self) -> bool {
        self.options.mode == Mode::Ci
    }

    fn cancel(&self) -> &Cancel {
        &self.session.context.cancel
    }

    /// Returns whether packages are fetched, and scripts run.
    fn fills_tree(&self) -> bool {
        !self.lockfile_only && !self.dry_run
    }

    /// Returns whether manifest and lockfile are brought up to date. With `no_save` the lockfile
    /// is, and then not written: so it is known whether it would change.
    fn saves(&self) -> bool {
        !self.frozen && self.records()
    }

    /// Returns whether manifest and lockfile are written.
    fn writes(&self) -> bool {
        self.saves() && !self.options.no_save
    }

    /// Returns whether the tree is what the project's files say, so that its state may be recorded.
    fn records(&self) -> bool {
        self.options.change.as_ref().is_none_or(|change| change.save)
    }

    /// Returns the key under which the result is cached, of the project as it was at the first
    /// call; `None` where not only project and settings decide.
    fn cache_key(&self, project: &Project) -> Option<CacheKey> {
        let key = || CacheKey::of(self.session, project, self.frozen);
        self.is_plain().then(|| *self.cache_key.get_or_init(key))
    }

    /// Returns whether the project is installed as it is: then its own scripts run.
    fn is_plain(&self) -> bool {
        self.options.change.is_none() && !self.chooses_anew()
    }

    /// Returns whether other versions are chosen than the lockfile has, or the whole tree is looked
    /// at, without a change of the manifest.
    fn chooses_anew(&self) -> bool {
        self.options.mode.is_full() || !self.options.avoided.is_empty()
    }

    /// Returns the durability of manifest and lockfile: on the device when the command ends, unless
    /// maintenance follows and waits for the device.
    fn durability(&self) -> Durability {
        if self.session.maintenance_follows() && !self.lockfile_only {
            Durability::Rename
        } else {
            Durability::Fsync
        }
    }

    /// Returns the packages that are listed in the summary.
    fn scope(&self) -> Scope {
        if self.options.lists_all { Scope::All } else { Scope::Direct }
    }

    /// Removes the state before the tree is changed; returns whether there was one.
    fn forget_state(&self, project: &Project) -> bool {
        *self.had_state.get_or_init(|| state::forget(&project.root))
    }

    fn place<'p>(&'p self, project: &'p Project) -> Place<'p> {
        let command = match (&self.options.mode, &self.options.change) {
            _ if !self.options.avoided.is_empty() => "audit",
            (Mode::Ci, _) => "ci",
            (Mode::Update, _) => "update",
            (Mode::Prune, _) => "prune",
            (mode, _) if mode.chooses_anew() => "dedupe",
            (_, Some(change)) if change.explicit.is_empty() => "uninstall",
            _ => "install",
        };
        let command = self.options.command.unwrap_or(command);
        Place { session: self.session, project, events: self.events, command }
    }
}

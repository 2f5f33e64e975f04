//! Opening a project: its lock, its settings, its files.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use dx_pkg_os::files::{Dir, FileLock, TEMPORARY};
use dx_pkg_store::Folder;

use crate::project::{Project, find_root, nearest_root};
use crate::scripts::is_nested;
use crate::session::global::Global;
use crate::{Environment, Events, InstallError, Session, SessionOptions, demands, own_files};

/// A project with its session. No other command works on the project while this exists.
pub struct OpenProject {
    /// Environment, settings, store and network.
    pub session: Arc<Session>,
    /// The project's files as they were read.
    pub project: Project,
    /// Whether the store was empty.
    pub(crate) starts_from_nothing: bool,
    /// When opening began.
    pub(crate) started: Instant,
    /// The project's lock; `None` where there is no place for one.
    pub(crate) lock: Option<FileLock>,
}

impl OpenProject {
    /// Opens the project that the environment's folder is in, waiting for other commands there to
    /// end.
    ///
    /// # Errors
    /// There is no project, or its settings, manifests or lockfile cannot be used.
    pub fn open(
        environment: Environment,
        options: SessionOptions,
        events: &dyn Events,
    ) -> Result<Self, InstallError> {
        Self::open_with(Project::read, environment, options, events)
    }

    /// Opens a project as [`Self::open`] does; a folder without a `package.json` is a project
    /// without dependencies.
    ///
    /// # Errors
    /// As [`Self::open`], but for a missing manifest.
    pub fn open_or_new(
        environment: Environment,
        options: SessionOptions,
        events: &dyn Events,
    ) -> Result<Self, InstallError> {
        Self::open_with(Project::read_or_new, environment, options, events)
    }

    /// Opens the project that stands for the globally installed packages: their folder, without
    /// manifest and lockfile.
    ///
    /// # Errors
    /// The folder cannot be made, or the settings cannot be used.
    pub fn open_global(
        environment: Environment,
        mut options: SessionOptions,
        events: &dyn Events,
    ) -> Result<Self, InstallError> {
        let root = Global::find(&environment, &options.flags)?.folder();
        let making = |error| InstallError::io(format!("making {}", root.display()), error);
        std::fs::create_dir_all(&root).map_err(making)?;
        let own = [("global", "true"), ("package-lock", "false"), ("install-strategy", "shallow")];
        options.flags.retain(|(key, _)| own.iter().all(|(name, _)| key != name));
        options.flags.extend(own.map(|(key, value)| (key.to_owned(), value.to_owned())));
        Self::open_in(
            root,
            |root, _| Project::of_global(root),
            environment,
            options,
            events,
            Instant::now(),
        )
    }

    fn open_with(
        read: fn(PathBuf, &Path) -> Result<Project, InstallError>,
        environment: Environment,
        options: SessionOptions,
        events: &dyn Events,
    ) -> Result<Self, InstallError> {
        let started = Instant::now();
        let is_alone =
            options.flags.iter().any(|(key, value)| key == "workspaces" && value == "false");
        let found = find_root(&environment.folder);
        found.warning().iter().for_each(|warning| events.warning(warning));
        // As npm, which then takes the folder of a workspace for a project of its own.
        let root = if is_alone { nearest_root(&environment.folder) } else { found.folder };
        Self::open_in(root, read, environment, options, events, started)
    }

    fn open_in(
        root: PathBuf,
        read: fn(PathBuf, &Path) -> Result<Project, InstallError>,
        environment: Environment,
        options: SessionOptions,
        events: &dyn Events,
        started: Instant,
    ) -> Result<Self, InstallError> {
        let session = Session::open(environment, &root, options)?;
        let lock = lock_project(&session, &root, events)?;
        if lock.is_some() {
            sweep(&root);
        }
        let mut project = read(root, &session.environment.folder)?;
        let starts_from_nothing = session.starts_from_nothing();
        if starts_from_nothing && project.requires_anything() {
            session.warm_up();
        }
        if session.config().package_lock()? {
            project.load_lockfile()?;
        }
        session.setting_warnings().iter().for_each(|warning| events.warning(warning));
        session.passed_over.iter().for_each(|refusal| events.warning(refusal));
        demands::check(&session, &mut project, events)?;
        Ok(OpenProject { session: Arc::new(session), project, starts_from_nothing, started, lock })
    }
}

/// Removes temporary files beside the manifest and the tree's record that killed commands left.
/// Nothing else writes there while the project is locked.
fn sweep(root: &Path) {
    for folder in [Dir::open(root), own_files::folder(root)].into_iter().flatten() {
        for entry in folder.entries().unwrap_or_default() {
            if entry.name.to_string_lossy().starts_with(TEMPORARY) {
                // A file that stays does no harm.
                let _ = folder.remove_file(&entry.name);
            }
        }
    }
}

/// Locks the project, so that one install at a time works on it; `None` where the store cannot hold
/// the lock.
fn lock_project(
    session: &Session,
    root: &Path,
    events: &dyn Events,
) -> Result<Option<FileLock>, InstallError> {
    if is_nested(&session.environment, root) {
        return Ok(None);
    }
    let name = blake3::hash(root.as_os_str().as_encoded_bytes()).to_hex();
    let folder = session.store().folder(Folder::Locks);
    if std::fs::create_dir_all(&folder).is_err() {
        return Ok(None);
    }
    let waits =
        || events.warning("another install is running in this project; waiting for it to end");
    let path = folder.join(name.as_str());
    match FileLock::exclusive(&path, waits) {
        Ok(lock) => {
            // By it the project is found when a file that it shares turns out to be altered.
            let _ = lock.label(root.as_os_str().as_encoded_bytes());
            Ok(Some(lock))
        }
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::ReadOnlyFilesystem | ErrorKind::PermissionDenied
            ) =>
        {
            Ok(None)
        }
        Err(error) => Err(InstallError::io(format!("locking {}", path.display()), error)),
    }
}

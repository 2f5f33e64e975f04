//! Projects in the store that hold packages for their commands alone: one for each list of
//! packages and settings, installed once, found again by the digest of both.
//!
//! Packages that are named by exact versions stay. Others are looked up anew after the time that
//! `dlx-cache-max-age` says, a folder or file of the user's at each run.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, SystemTime};

use dx_pkg_acquire::files::{parse_manifest, read_text};
use dx_pkg_acquire::{AcquireError, Cancel};
use dx_pkg_compat::manifest::{Manifest, Section};
use dx_pkg_compat::npmrc::{Config, OptionGroup, OptionInfo};
use dx_pkg_core::{Platform, Spec};
use dx_pkg_install::additions::{Addition, SavePlace, edit_manifest};
use dx_pkg_install::maintenance::commands;
use dx_pkg_install::scripts::Node;
use dx_pkg_install::scripts::skipped_line;
use dx_pkg_install::{
    Change, Environment, InstallError, OpenProject, Options, SessionOptions, install,
};
use dx_pkg_lock::Lock;
use dx_pkg_os::files::{Durability, FileLock, create_atomic, normal_path};

use crate::{Listener, RunError};

/// The manifest of a project before anything is in it.
const EMPTY: &str = "{\n  \"private\": true\n}\n";
/// The file that names what is installed, one package in a line; it is written last.
const RECORD: &str = "installed";

/// Returns the error of an install of what a command asks for.
fn of_command(error: InstallError) -> InstallError {
    match error {
        InstallError::Acquire(AcquireError::Resolve(error)) => {
            InstallError::Acquire(AcquireError::Resolve(Box::new(error.of_command())))
        }
        other => other,
    }
}

/// What an environment is made with.
pub(crate) struct Maker<'m> {
    pub(crate) environment: &'m Environment,
    /// The settings of the project in which the command was started.
    pub(crate) config: &'m Config,
    /// The folder of that project.
    pub(crate) root: &'m Path,
    /// Settings given on the command line.
    pub(crate) flags: &'m [(String, String)],
    pub(crate) node: Option<&'m Node>,
    /// Whether packages may be installed; `None` asks.
    pub(crate) answer: Option<bool>,
    pub(crate) listener: &'m dyn Listener,
}

/// Packages that are installed for their commands.
pub(crate) struct Installed {
    folder: PathBuf,
    /// The names of the packages, in the order in which they were named.
    names: Vec<String>,
}

impl Installed {
    /// Returns the folder of the commands.
    pub(crate) fn commands(&self) -> PathBuf {
        self.folder.join("node_modules").join(".bin")
    }

    /// Returns the manifest of the first package.
    pub(crate) fn first(&self) -> Result<Manifest, RunError> {
        let name = self.names.first().map_or("", String::as_str);
        let path = self.folder.join("node_modules").join(name).join("package.json");
        let text = read_text(&path)?.unwrap_or_else(|| "{}".to_owned());
        Ok(parse_manifest(&path, &text)?)
    }
}

/// A package that is to be installed.
struct Wanted {
    /// The argument, with paths that are absolute.
    text: String,
    /// How long what it names stays the same.
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// An exact version.
    Exact,
    /// A range, a tag, a repository or an address.
    Moving,
    /// A file of the user's.
    File,
    /// A folder of the user's.
    Folder,
}

impl Maker<'_> {
    /// Returns the environment of these packages, which is installed where it is not there yet.
    ///
    /// # Errors
    /// A package that cannot be installed, or must not be.
    pub(crate) fn environment_of(&self, packages: &[String]) -> Result<Installed, RunError> {
        let wanted: Vec<Wanted> =
            packages.iter().map(|text| self.wanted(text)).collect::<Result<_, _>>()?;
        let Some(store) = self.environment.store_folder() else {
            return Err(InstallError::NoHome.into());
        };
        let folder = commands::folder(&store).join(self.key(&wanted)?);
        if let Some(installed) = self.present(&folder, &wanted)? {
            return Ok(installed);
        }
        let is_own = wanted.iter().all(|wanted| wanted.kind == Kind::Folder);
        let answer = if is_own { Some(true) } else { self.answer };
        if answer == Some(false) {
            return Err(RunError::Refused { packages: packages.to_vec() });
        }
        make_folder(&folder)?;
        let waits = || self.listener.warning("another dx installs this package; waiting for it");
        let lock = folder.with_extension("lock");
        let _lock = FileLock::exclusive(&lock, waits)
            .map_err(|error| AcquireError::io(format!("locking {}", lock.display()), error))?;
        // Another process may have installed it meanwhile.
        if let Some(installed) = self.present(&folder, &wanted)? {
            return Ok(installed);
        }
        self.install(folder, &wanted, answer)
    }

    /// Reads an argument.
    fn wanted(&self, text: &str) -> Result<Wanted, RunError> {
        let argument = Spec::parse_argument(text)?;
        let absolute = |path: &str| {
            let below_home = path.strip_prefix("~/").zip(self.environment.home.as_deref());
            let path = match below_home {
                Some((rest, home)) => home.join(rest),
                None => self.environment.called_from.join(path),
            };
            let path = normal_path(&path).to_string_lossy().into_owned();
            argument
                .name
                .as_ref()
                .map_or_else(|| path.clone(), |name| format!("{}@file:{path}", name.as_str()))
        };
        Ok(match &argument.spec {
            Spec::Directory(path) => Wanted { text: absolute(path), kind: Kind::Folder },
            Spec::Tarball(path) => Wanted { text: absolute(path), kind: Kind::File },
            Spec::Version(_) => Wanted { text: text.to_owned(), kind: Kind::Exact },
            Spec::Alias { spec, .. } if matches!(**spec, Spec::Version(_)) => {
                Wanted { text: text.to_owned(), kind: Kind::Exact }
            }
            _ => Wanted { text: text.to_owned(), kind: Kind::Moving },
        })
    }

    /// Returns the name of the folder for packages with these settings on this platform.
    fn key(&self, wanted: &[Wanted]) -> Result<String, RunError> {
        let mut hasher = blake3::Hasher::new();
        let mut part = |text: &str| {
            hasher.update(&(text.len() as u64).to_le_bytes());
            hasher.update(text.as_bytes());
        };
        wanted.iter().for_each(|wanted| part(&wanted.text));
        part(self.config.registry().as_str());
        for key in self.config.keys() {
            let is_output =
                OptionInfo::find(key).is_none_or(|option| option.group == OptionGroup::Output);
            let is_of_scope = key.starts_with('@');
            // What a project allows does not count here.
            let counts = key != "allow-scripts" || self.config.is_given_by_user(key);
            let counts = counts && (!is_output || is_of_scope);
            if let Some((value, _)) = self.config.raw(key).filter(|_| counts) {
                part(key);
                part(&format!("{value:?}"));
            }
        }
        let platform = Platform::host(None);
        part(&platform.os);
        part(&platform.cpu);
        part(&self.node.map(|node| node.version.major().to_string()).unwrap_or_default());
        Ok(hasher.finalize().to_hex()[..32].to_owned())
    }

    /// Returns the environment in a folder, if it is complete and still holds.
    fn present(&self, folder: &Path, wanted: &[Wanted]) -> Result<Option<Installed>, RunError> {
        if !is_private(folder) {
            return Ok(None);
        }
        let record = folder.join(RECORD);
        let Some(text) = read_text(&record)? else { return Ok(None) };
        if !self.holds(&record, wanted)? {
            return Ok(None);
        }
        mark_used(folder);
        let names = text.lines().map(str::to_owned).collect();
        Ok(Some(Installed { folder: folder.to_owned(), names }))
    }

    /// Returns whether what was installed when the record was written is still what is asked for.
    fn holds(&self, record: &Path, wanted: &[Wanted]) -> Result<bool, RunError> {
        if wanted.iter().any(|wanted| matches!(wanted.kind, Kind::File | Kind::Folder)) {
            return Ok(false);
        }
        if wanted.iter().all(|wanted| wanted.kind == Kind::Exact)
            || self.config.offline()?
            || self.config.prefer_offline()?
        {
            return Ok(true);
        }
        if self.config.prefer_online()? {
            return Ok(false);
        }
        let longest = Duration::from_secs(60 * u64::from(self.config.dlx_cache_max_age()?));
        let written = std::fs::metadata(record).and_then(|metadata| metadata.modified());
        Ok(written.is_ok_and(|written| written.elapsed().is_ok_and(|age| age < longest)))
    }

    /// Installs the packages, once the user agrees.
    fn install(
        &self,
        folder: PathBuf,
        wanted: &[Wanted],
        answer: Option<bool>,
    ) -> Result<Installed, RunError> {
        let asks = answer.is_none() && self.listener.can_ask() && !self.environment.in_ci();
        wanted.iter().filter(|it| it.kind == Kind::Folder).for_each(|it| allow_commands(&it.text));
        let _ = std::fs::remove_file(folder.join(RECORD));
        let _ = std::fs::remove_file(folder.join("package-lock.json"));
        let manifest = folder.join("package.json");
        create_atomic(&manifest, EMPTY.as_bytes(), Durability::Rename)
            .map_err(|error| AcquireError::io(format!("writing {}", manifest.display()), error))?;
        dx_pkg_os::process::install_signal_handlers();
        let found = self.add(&folder, wanted, asks)?;
        let labels: Vec<String> = found.iter().map(Found::label).collect();
        if asks {
            if !self.listener.may_install(&labels) {
                return Err(RunError::Declined { packages: labels });
            }
            self.complete(&folder)?;
        } else if answer.is_none() {
            let were = if labels.len() == 1 { "package was" } else { "packages were" };
            let names = labels.join(", ");
            self.listener
                .warning(&format!("the following {were} not found and installed: {names}"));
        }
        let names: Vec<String> = found.into_iter().map(|found| found.name).collect();
        let record = folder.join(RECORD);
        create_atomic(&record, names.join("\n").as_bytes(), Durability::Rename)
            .map_err(|error| AcquireError::io(format!("writing {}", record.display()), error))?;
        Ok(Installed { folder, names })
    }

    /// Adds the packages to the project in a folder; only to its lockfile with `only_locks`.
    fn add(
        &self,
        folder: &Path,
        wanted: &[Wanted],
        only_locks: bool,
    ) -> Result<Vec<Found>, RunError> {
        let mut open = OpenProject::open(
            self.environment_in(folder),
            self.session_options(only_locks),
            self.listener,
        )?;
        let place = SavePlace { section: Some(Section::Dependencies), ..SavePlace::default() };
        let additions: Vec<Addition> = wanted
            .iter()
            .map(|wanted| Addition::parse(&wanted.text, &open, "", place))
            .collect::<Result<_, _>>()?;
        let text = edit_manifest(EMPTY, &additions, |addition| addition.raw.clone())?;
        open.project.set_manifest(&text)?;
        let found = Mutex::new(Vec::new());
        let manifest = |_: &str, lock: &Lock| {
            let versions = additions.iter().map(|addition| Found::of(addition, lock));
            if let Ok(mut found) = found.lock() {
                *found = versions.collect();
            }
            edit_manifest(EMPTY, &additions, |addition| addition.saved(lock, ""))
        };
        let change = Change {
            importers: vec![String::new()],
            explicit: additions.iter().map(|addition| addition.name.clone()).collect(),
            removed: Vec::new(),
            manifest: &manifest,
            save: true,
        };
        let options = Options { change: Some(change), ..Options::default() };
        let summary = install(open, &options, self.listener).map_err(of_command)?;
        if !only_locks {
            self.tell(&summary);
        }
        let mut found = found.into_inner().unwrap_or_default();
        if found.is_empty() {
            // The manifest was not asked for: nothing had changed.
            found =
                additions.iter().map(|addition| Found::of(addition, &Lock::default())).collect();
        }
        Ok(found)
    }

    /// Installs what the lockfile of the project in a folder has.
    fn complete(&self, folder: &Path) -> Result<(), RunError> {
        let (environment, options) = (self.environment_in(folder), self.session_options(false));
        let open = OpenProject::open(environment, options, self.listener)?;
        let summary = install(open, &Options::default(), self.listener)?;
        self.tell(&summary);
        Ok(())
    }

    /// Reports what the user should know of an install.
    fn tell(&self, summary: &dx_pkg_install::summary::Summary) {
        let skipped = skipped_line(&summary.scripts_skipped).map(|line| {
            // There is no package.json to add it to.
            line.split("; to run them").next().map_or_else(String::new, |line| {
                format!("{line}; --allow-scripts=NAME allows them for one run")
            })
        });
        let deprecated = summary.deprecations(false);
        let warnings = summary.warnings.iter().chain(&deprecated).chain(&skipped);
        warnings.for_each(|warning| self.listener.warning(warning));
    }

    fn environment_in(&self, folder: &Path) -> Environment {
        Environment { folder: folder.to_owned(), ..self.environment.clone() }
    }

    /// Returns how the session of an environment's project is opened: with the settings of the
    /// project in which the command was started, but for those that are about its own files.
    fn session_options(&self, only_locks: bool) -> SessionOptions {
        let mut flags = self.flags.to_vec();
        let mut set = |key: &str, value: &str| flags.push((key.to_owned(), value.to_owned()));
        set("package-lock-only", if only_locks { "true" } else { "false" });
        for (key, value) in [
            ("dry-run", "false"),
            ("global", "false"),
            ("package-lock", "true"),
            ("prepared-trees", "0"),
            ("save", "true"),
        ] {
            set(key, value);
        }
        // What a project allows is for its own packages.
        if self.config.raw("allow-scripts").is_some()
            && !self.config.is_given_by_user("allow-scripts")
        {
            set("allow-scripts", "");
        }
        SessionOptions {
            flags,
            cancel: Cancel::from_flag(dx_pkg_os::process::cancellation_flag()),
            settings_of: Some(self.root.to_owned()),
            ..SessionOptions::default()
        }
    }
}

/// A package that was found for an argument.
struct Found {
    name: String,
    version: Option<String>,
    raw: String,
}

impl Found {
    fn of(addition: &Addition, lock: &Lock) -> Self {
        let entry = lock.get(&format!("node_modules/{}", addition.name));
        let is_link = entry.is_some_and(|entry| entry.link);
        let version = entry.and_then(|entry| entry.version.clone()).filter(|_| !is_link);
        Found { name: addition.name.clone(), version, raw: addition.raw.clone() }
    }

    fn label(&self) -> String {
        match &self.version {
            Some(version) => format!("{}@{version}", self.name),
            None => format!("{}@{}", self.name, self.raw),
        }
    }
}

/// Gives the programs of a folder of the user's the right to be run, as npm does when it links it.
fn allow_commands(text: &str) {
    let folder = Path::new(text.split_once("@file:").map_or(text, |(_, folder)| folder));
    let path = folder.join("package.json");
    let Ok(Some(text)) = read_text(&path) else { return };
    let manifest = parse_manifest(&path, &text).unwrap_or_default();
    for (_, program) in &manifest.bin {
        // The system says why it cannot be run.
        let _ = dx_pkg_os::files::make_executable(folder, Path::new(program));
    }
}

/// Makes the folder of an environment, which only its owner may enter.
fn make_folder(folder: &Path) -> Result<(), RunError> {
    let making = |error| AcquireError::io(format!("making {}", folder.display()), error);
    if let Some(parent) = folder.parent() {
        dx_pkg_os::files::make_dirs(parent).map_err(making)?;
    }
    if folder.exists() && !is_private(folder) {
        dx_pkg_os::files::remove_tree(folder).map_err(making)?;
    }
    match dx_pkg_os::files::create_private_dir(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
            Err(making(error).into())
        }
        _ => Ok(()),
    }
}

/// Returns whether nobody else can have changed what is in a folder.
fn is_private(folder: &Path) -> bool {
    use dx_pkg_os::files::Access;
    let access = dx_pkg_os::files::access(folder, false);
    access.is_ok_and(|access| matches!(access, Access::Own | Access::Readable))
}

/// Records that an environment is in use, about once a day.
fn mark_used(folder: &Path) {
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    let used = std::fs::metadata(folder).and_then(|metadata| metadata.modified());
    if used.is_ok_and(|used| used.elapsed().is_ok_and(|age| age > DAY)) {
        // Without it the folder is removed early, and made again.
        let _ = std::fs::File::open(folder).and_then(|file| file.set_modified(SystemTime::now()));
    }
}

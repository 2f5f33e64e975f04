//! The git program, and how it is run so that nothing in a repository decides what it does.
//!
//! - Of the environment, what names a repository, an index or other objects is taken away.
//! - Only the transports `https`, `http`, `ssh` and `git` are allowed, for redirects and submodules
//!   too, and `file` where the repository itself is on this machine, or the user's
//!   `url.….insteadOf` says that it is.
//! - No hook is run, no file system monitor, and no filter of the user's, such as that of Git LFS:
//!   attributes of a repository choose among filters, and what they make of a commit would differ
//!   between machines. Line ends are not converted to those of the machine.
//! - It asks nothing: terminals, `SSH_ASKPASS` and prompts of `ssh` are off. `GIT_ASKPASS`,
//!   `core.askPass` and credential helpers are the user's and stay.
//! - It runs in a group of processes of its own, which is killed as a whole.

use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use crate::GitError;
use crate::address::Address;
use crate::process::{self, Bounds, Output};
use crate::refs::Refs;

/// The settings of [`Git`].
#[derive(Debug, Clone)]
pub struct GitOptions {
    /// The longest time in which git may do nothing.
    pub patience: Duration,
    /// The most bytes that a repository with its files may take on disk.
    pub max_bytes: u64,
    /// The most files and folders of it.
    pub max_files: usize,
    /// The delays before further tries, after failures that may pass: one for each try.
    pub delays: Vec<Duration>,
}

/// The user's git program.
pub struct Git<'g> {
    options: GitOptions,
    is_cancelled: &'g (dyn Fn() -> bool + Sync),
    configured: OnceLock<Configured>,
}

/// What of the user's configuration changes how git is run.
#[derive(Debug, Clone, Default)]
struct Configured {
    /// Whether the user says how `ssh` is run.
    has_ssh_command: bool,
    /// The user's filters.
    filters: Vec<String>,
    /// What addresses begin with, and what the user's `url.….insteadOf` puts in its place.
    rewritten: Vec<(String, String)>,
}

impl Configured {
    /// Returns the beginning of the place where git goes for an address.
    fn place<'p>(&'p self, address: &'p Address) -> &'p str {
        let text = address.as_str();
        let matching = self.rewritten.iter().filter(|(start, _)| text.starts_with(start));
        matching.max_by_key(|(start, _)| start.len()).map_or(text, |(_, place)| place)
    }
}

/// The variables that would make git work in another repository, or in another way.
const FOREIGN: [&str; 31] = [
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_ATTR_SOURCE",
    "GIT_CEILING_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_CONFIG",
    "GIT_DEFAULT_HASH",
    "GIT_DEFAULT_REF_FORMAT",
    "GIT_DIR",
    "GIT_DISCOVERY_ACROSS_FILESYSTEM",
    "GIT_EXTERNAL_DIFF",
    "GIT_GLOB_PATHSPECS",
    "GIT_GRAFT_FILE",
    "GIT_ICASE_PATHSPECS",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_INDEX_VERSION",
    "GIT_INTERNAL_SUPER_PREFIX",
    "GIT_LITERAL_PATHSPECS",
    "GIT_NAMESPACE",
    "GIT_NOGLOB_PATHSPECS",
    "GIT_NO_REPLACE_OBJECTS",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_PROTOCOL_FROM_USER",
    "GIT_QUARANTINE_PATH",
    "GIT_REF_PARANOIA",
    "GIT_REPLACE_REF_BASE",
    "GIT_SHALLOW_FILE",
    "GIT_TEMPLATE_DIR",
    "GIT_WORK_TREE",
    "SSH_ASKPASS",
];

/// The configuration of every command.
const CONFIGURATION: [&str; 16] = [
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.untrackedCache=false",
    "core.autocrlf=false",
    "core.eol=lf",
    "core.protectHFS=true",
    "core.protectNTFS=true",
    "core.longpaths=true",
    "init.templateDir=",
    "init.defaultBranch=dx",
    "advice.detachedHead=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "submodule.recurse=false",
    "fetch.recurseSubmodules=false",
    "commit.gpgSign=false",
];

/// How `ssh` is run where the user does not say: it asks nothing, and takes the key of a host that
/// it does not know yet, as with npm.
const SSH: &str = "core.sshCommand=ssh -oBatchMode=yes -oStrictHostKeyChecking=accept-new";

/// The most bytes of a list of refs.
const MAX_REFS: usize = 64 << 20;

impl<'g> Git<'g> {
    /// Returns the program. `is_cancelled` is asked while it runs.
    pub fn new(options: GitOptions, is_cancelled: &'g (dyn Fn() -> bool + Sync)) -> Self {
        Git { options, is_cancelled, configured: OnceLock::new() }
    }

    /// Lists the refs of a repository.
    ///
    /// # Errors
    /// There is no git, no answer, or too long a one.
    pub fn refs(&self, address: &Address) -> Result<Refs, GitError> {
        let mut command = self.command(address)?;
        command.args(["ls-remote", "--quiet", "--", address.as_str()]);
        let output = self.run_remote(address, "ls-remote", &mut command, None, MAX_REFS)?;
        Ok(Refs::parse(&output))
    }

    /// Returns a command that runs git for a repository.
    pub(crate) fn command(&self, address: &Address) -> Result<Command, GitError> {
        let configured = self.configured(address)?;
        let place = configured.place(address);
        let mut command = plain(is_file(place));
        for setting in CONFIGURATION {
            command.args(["-c", setting]);
        }
        if is_ssh(place) && !configured.has_ssh_command {
            command.args(["-c", SSH]);
        }
        for filter in configured.filters.iter().map(String::as_str).chain(["lfs"]) {
            for setting in ["smudge=", "process=", "required=false"] {
                command.args(["-c", &format!("filter.{filter}.{setting}")]);
            }
        }
        Ok(command)
    }

    /// Runs a command that asks a server, again where it fails on the way there; see [`Self::run`].
    pub(crate) fn run_remote(
        &self,
        address: &Address,
        action: &'static str,
        command: &mut Command,
        folder: Option<&Path>,
        max_output: usize,
    ) -> Result<String, GitError> {
        for delay in &self.options.delays {
            match self.run(address, action, command, folder, max_output) {
                Err(error) if error.is_transient() => self.wait(*delay)?,
                result => return result,
            }
        }
        self.run(address, action, command, folder, max_output)
    }

    /// Waits, unless the command is cancelled.
    fn wait(&self, delay: Duration) -> Result<(), GitError> {
        const SLICE: Duration = Duration::from_millis(50);
        let since = Instant::now();
        loop {
            if (self.is_cancelled)() {
                return Err(GitError::Cancelled);
            }
            let left = delay.saturating_sub(since.elapsed());
            if left.is_zero() {
                return Ok(());
            }
            thread::sleep(left.min(SLICE));
        }
    }

    /// Runs a command to its end and returns its output. `folder` is where it writes.
    pub(crate) fn run(
        &self,
        address: &Address,
        action: &'static str,
        command: &mut Command,
        folder: Option<&Path>,
        max_output: usize,
    ) -> Result<String, GitError> {
        let GitOptions { patience, max_bytes, max_files, .. } = self.options;
        let bounds = Bounds { patience, max_bytes, max_files, max_output, folder };
        let shown = address.shown();
        let output = process::run(&shown, action, command, &bounds, self.is_cancelled)?;
        let Output { is_success, text, messages } = output;
        if is_success {
            return Ok(text);
        }
        Err(GitError::Failed { address: shown, action, reason: messages })
    }

    /// Reads what of the user's configuration matters. It cannot come from a repository: git is
    /// told that there is none.
    fn configured(&self, address: &Address) -> Result<&Configured, GitError> {
        if let Some(configured) = self.configured.get() {
            return Ok(configured);
        }
        let mut command = plain(false);
        // Of a folder that is no repository only the user's configuration is listed.
        command.env("GIT_DIR", "/dev/null").args(["config", "--list", "-z"]);
        let listed = match self.run(address, "config", &mut command, None, MAX_REFS) {
            Ok(listed) => listed,
            Err(GitError::Failed { .. }) => String::new(),
            Err(error) => return Err(error),
        };
        let mut found = Configured::default();
        for setting in listed.split('\0') {
            let (name, value) = setting.split_once('\n').unwrap_or((setting, ""));
            found.has_ssh_command |= name.eq_ignore_ascii_case("core.sshcommand");
            let filter = name.strip_prefix("filter.").and_then(|rest| rest.rsplit_once('.'));
            if let Some((filter, _)) = filter
                && !found.filters.iter().any(|known| known == filter)
                && !filter.contains(['=', '\n'])
            {
                found.filters.push(filter.to_owned());
            }
            let url = name.strip_prefix("url.").and_then(|rest| rest.rsplit_once('.'));
            if let Some((place, "insteadof")) = url {
                found.rewritten.push((value.to_owned(), place.to_owned()));
            }
        }
        Ok(self.configured.get_or_init(|| found))
    }
}

/// Returns whether a place that git goes to is on this machine.
fn is_file(place: &str) -> bool {
    place.starts_with("file:") || Path::new(place).is_absolute()
}

/// Returns whether git goes to a place by `ssh`.
fn is_ssh(place: &str) -> bool {
    let is_scp = !place.contains("://") && !is_file(place) && place.contains(':');
    place.starts_with("ssh:") || is_scp
}

fn plain(allows_file: bool) -> Command {
    let mut command = Command::new("git");
    for variable in FOREIGN {
        command.env_remove(variable);
    }
    let allowed = if allows_file { "https:http:ssh:git:file" } else { "https:http:ssh:git" };
    command
        .env("GIT_ALLOW_PROTOCOL", allowed)
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_OPTIONAL_LOCKS", "0")
        .env("GIT_LFS_SKIP_SMUDGE", "1")
        .env("GCM_INTERACTIVE", "never")
        .env("LC_ALL", "C")
        .args(["--no-replace-objects", "--no-pager"]);
    command
}

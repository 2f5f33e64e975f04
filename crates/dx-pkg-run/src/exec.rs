//! Runs a command of an installed package, or of packages that are installed for it alone, by
//! npm's rules for `npm exec`.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use dx_pkg_acquire::files::{parse_manifest, read_text};
use dx_pkg_compat::manifest::Manifest;
use dx_pkg_compat::npmrc::Config;
use dx_pkg_core::{Spec, Version};
use dx_pkg_install::Environment;
use dx_pkg_install::scripts::Node;
use dx_pkg_install::scripts::{self, Output, ScriptCommand, ScriptEnvironment, SharedFacts};
use dx_pkg_install::session::configuration;
use dx_pkg_os::files::may_be_of_others;

use crate::environments::Maker;
use crate::place::Place;
use crate::{BY_SIGNAL, Listener, RunError};

/// The name under which npm runs commands.
const EVENT: &str = "npx";

/// A command to run.
#[derive(Clone, Copy, Debug)]
pub struct ExecRequest<'r> {
    /// npm's name of the command, for the program that is run.
    pub command: &'r str,
    /// The command with its arguments.
    pub words: &'r [OsString],
    /// The whole command in the shell's language, in the place of words.
    pub call: Option<&'r str>,
    /// The packages that have the command, where its name does not say so.
    pub packages: &'r [String],
    /// Whether packages may be installed; `None` asks.
    pub answer: Option<bool>,
    /// Whether what the project has installed is looked at first.
    pub local: bool,
    /// Settings given on the command line.
    pub flags: &'r [(String, String)],
    /// Whether nothing follows, so that it may take the place of this process.
    pub is_last: bool,
    /// The folder in which it runs, where that is neither the current one nor a workspace's.
    pub folder: Option<&'r Path>,
}

/// Runs a command in each of the packages that are meant, and returns the exit code of the first
/// that fails. The last one takes the place of this process if the system can do that.
///
/// # Errors
/// There is no such command, or its package cannot be installed.
pub fn exec(
    environment: &Environment,
    place: &Place,
    request: &ExecRequest<'_>,
    listener: &dyn Listener,
) -> Result<i32, RunError> {
    if let (Some(_), Some(word)) = (request.call, request.words.first()) {
        return Err(RunError::CallWithWords { word: word.to_string_lossy().into_owned() });
    }
    let (config, _) = configuration(environment, &place.root, request.flags)?;
    let node = Node::find(environment);
    let run = Run {
        environment,
        place,
        request,
        shared: place.facts(environment, &config, node.as_ref())?,
        config,
        node,
        listener,
    };
    let Some(members) = &place.members else {
        let folder = request.folder.unwrap_or(&environment.called_from);
        return run.in_folder(folder, None, request.is_last);
    };
    for (at, member) in members.iter().enumerate() {
        let is_last = request.is_last && at + 1 == members.len();
        let code =
            run.in_folder(&member.package.folder, Some(&member.package.manifest), is_last)?;
        if code != 0 {
            return Ok(code);
        }
    }
    Ok(0)
}

/// What is run, and with which commands on the `PATH`.
struct Invocation {
    script: String,
    arguments: Vec<OsString>,
    /// A folder of commands that comes before those of the project.
    commands: Option<PathBuf>,
}

/// One request.
struct Run<'r> {
    environment: &'r Environment,
    place: &'r Place,
    request: &'r ExecRequest<'r>,
    config: Config,
    node: Option<Node>,
    shared: SharedFacts,
    listener: &'r dyn Listener,
}

impl Run<'_> {
    /// Runs the command in a folder, that of a workspace with its manifest.
    fn in_folder(
        &self,
        folder: &Path,
        member: Option<&Manifest>,
        is_last: bool,
    ) -> Result<i32, RunError> {
        let Some(invocation) = self.invocation(folder, member)? else { return Ok(0) };
        let variables = self.variables(folder, &invocation);
        let command = ScriptCommand {
            script: &invocation.script,
            arguments: &invocation.arguments,
            folder,
            environment: &variables,
            shell: self.shared.shell.as_deref(),
            output: Output::Inherit,
        };
        if is_last && dx_pkg_os::process::cancelled_by_signal() == 0 {
            let outcome = scripts::become_script(&command)?;
            return Ok(outcome.code.unwrap_or(BY_SIGNAL + outcome.signal.unwrap_or_default()));
        }
        dx_pkg_os::process::install_signal_handlers();
        let outcome = scripts::run(&command)?;
        match outcome.signal.unwrap_or_else(dx_pkg_os::process::cancelled_by_signal) {
            0 => Ok(outcome.code.unwrap_or(1)),
            signal => Ok(BY_SIGNAL + signal),
        }
    }

    /// Returns what is to be run; `None` where there is nothing to do.
    fn invocation(
        &self,
        folder: &Path,
        member: Option<&Manifest>,
    ) -> Result<Option<Invocation>, RunError> {
        let ExecRequest { words, call, packages, local, .. } = *self.request;
        if words.is_empty() && call.is_none() && packages.is_empty() {
            if self.environment.in_ci() && self.listener.can_ask() {
                self.listener.warning("no shell is opened in continuous integration");
                return Ok(None);
            }
            return self.shell(folder).map(Some);
        }
        // npm looks into the member or the project, not at where the command was typed.
        let start = if member.is_some() { folder } else { &self.place.root };
        if packages.is_empty()
            && let Some((first, rest)) = words.split_first()
        {
            let first = &*first.to_string_lossy();
            if local && let Some(program) = self.own_command(folder, member, first) {
                return Ok(Some(Invocation::of(&program, rest, None)));
            }
            let commands = local.then(|| commands_with(start, first)).flatten();
            if commands.is_some() {
                return Ok(Some(Invocation::of(first, rest, commands)));
            }
            return self.of_package(start, first, rest).map(Some);
        }
        // Without words, a call may need no package at all.
        let absent = packages.iter().filter(|text| !local || installed(start, text).is_none());
        let absent: Vec<String> = absent.cloned().collect();
        let commands = match absent.is_empty() {
            true => None,
            false => Some(self.maker().environment_of(&absent)?.commands()),
        };
        Ok(Some(match (call, words.split_first()) {
            (Some(call), _) => {
                Invocation { script: call.to_owned(), arguments: Vec::new(), commands }
            }
            (None, Some((first, rest))) => Invocation::of(&first.to_string_lossy(), rest, commands),
            (None, None) => Invocation { commands, ..self.shell(folder)? },
        }))
    }

    /// Returns the command of the package that the first word names.
    fn of_package(
        &self,
        start: &Path,
        package: &str,
        arguments: &[OsString],
    ) -> Result<Invocation, RunError> {
        let own = self.request.local.then(|| installed(start, package)).flatten();
        if let Some(manifest) = own {
            return Ok(Invocation::of(&command_of(&manifest, package)?, arguments, None));
        }
        let installed = self.maker().environment_of(&[package.to_owned()])?;
        let command = command_of(&installed.first()?, package)?;
        Ok(Invocation::of(&command, arguments, Some(installed.commands())))
    }

    /// Returns the program of a command that the package in a folder, or the project, has itself.
    fn own_command(&self, folder: &Path, member: Option<&Manifest>, name: &str) -> Option<String> {
        let of = |folder: &Path, manifest: &Manifest| {
            let (_, path) = manifest.bin.iter().find(|(command, _)| command == name)?;
            let program = folder.join(path);
            // The system says why it cannot be run.
            let _ = dx_pkg_os::files::make_executable(folder, Path::new(path));
            Some(program.to_string_lossy().into_owned())
        };
        let project = || of(&self.place.root, self.place.manifest.as_ref()?);
        member.and_then(|member| of(folder, member)).or_else(project)
    }

    /// Returns the user's shell, which finds the project's commands.
    fn shell(&self, folder: &Path) -> Result<Invocation, RunError> {
        if !self.request.local {
            return Err(RunError::NoCommand);
        }
        let default = || PathBuf::from(if cfg!(windows) { "cmd" } else { "sh" });
        let shell = self.shared.shell.clone().unwrap_or_else(default);
        self.listener.shell(&format!(
            "a shell with the project's commands, in {}; `exit` or ^D ends it",
            folder.display()
        ));
        let script = shell.to_string_lossy().into_owned();
        Ok(Invocation { script, arguments: Vec::new(), commands: None })
    }

    fn maker(&self) -> Maker<'_> {
        let said = self.config.raw("yes").and_then(|(value, _)| value.text());
        let said = said.and_then(|text| text.parse().ok());
        Maker {
            environment: self.environment,
            config: &self.config,
            root: &self.place.root,
            flags: self.request.flags,
            node: self.node.as_ref(),
            answer: self.request.answer.or(said),
            listener: self.listener,
        }
    }

    /// Returns the whole environment of the command.
    fn variables(&self, folder: &Path, invocation: &Invocation) -> BTreeMap<String, String> {
        let manifest = self.place.manifest.as_ref();
        let fields = manifest.map(Manifest::script_fields).unwrap_or_default();
        let mut variables = scripts::environment(
            self.environment.variables.iter().cloned(),
            &ScriptEnvironment {
                event: EVENT,
                script: &invocation.script,
                package: folder,
                name: manifest.and_then(|manifest| manifest.name.as_deref()),
                version: manifest.and_then(|manifest| manifest.version.as_deref()),
                fields: &fields,
                lock: None,
                project: &self.place.root,
                called_from: &self.environment.called_from,
                command: self.request.command,
                shared: &self.shared,
                executable: &self.environment.executable,
            },
        );
        if manifest.is_none_or(|manifest| manifest.name.is_none()) {
            variables.remove("npm_package_name");
        }
        if manifest.is_none_or(|manifest| manifest.version.is_none()) {
            variables.remove("npm_package_version");
        }
        if let Some(commands) = &invocation.commands {
            for (key, value) in &mut variables {
                if key == "PATH" || cfg!(windows) && key.eq_ignore_ascii_case("PATH") {
                    let folders = std::iter::once(commands.clone());
                    let folders = folders.chain(std::env::split_paths(value.as_str()));
                    if let Ok(joined) = std::env::join_paths(folders) {
                        *value = joined.to_string_lossy().into_owned();
                    }
                }
            }
        }
        variables
    }
}

impl Invocation {
    /// Returns the invocation of a command, which the shell takes literally.
    fn of(command: &str, arguments: &[OsString], commands: Option<PathBuf>) -> Self {
        let script = match cfg!(windows) {
            true => format!("\"{command}\""),
            false => format!("'{}'", command.replace('\'', r"'\''")),
        };
        Invocation { script, arguments: arguments.to_vec(), commands }
    }
}

/// Returns whether a package that is installed for a folder has a command of this name.
#[must_use]
pub fn has_command(folder: &Path, name: &str) -> bool {
    commands_with(folder, name).is_some()
}

/// Returns the nearest folder of commands, from a package's folder upwards, that has this one.
fn commands_with(start: &Path, name: &str) -> Option<PathBuf> {
    // A package's name may have a slash, a command's never has.
    if name.is_empty() || name.contains(['/', '\\']) || name == "." || name == ".." {
        return None;
    }
    let names = [name.to_owned(), format!("{name}.cmd")];
    let has = |commands: &PathBuf| {
        names[..if cfg!(windows) { 2 } else { 1 }].iter().any(|name| commands.join(name).is_file())
    };
    folders_above(start).map(|folder| folder.join("node_modules").join(".bin")).find(has)
}

/// Returns a folder and those above it, without those whose `node_modules` may be another user's.
fn folders_above(start: &Path) -> impl Iterator<Item = &Path> {
    start
        .ancestors()
        .filter(move |folder| *folder == start || !may_be_of_others(folder, "node_modules", start))
}

/// Returns the manifest of the package that is installed for a folder, if it is what an argument
/// asks for: of a registry, by a version or a range. What a tag names, only the registry knows.
fn installed(start: &Path, text: &str) -> Option<Manifest> {
    let argument = Spec::parse_argument(text).ok()?;
    let name = argument.name.as_ref()?.as_str();
    let mut places = folders_above(start).map(|folder| folder.join("node_modules").join(name));
    let path = places.find(|folder| folder.is_dir())?.join("package.json");
    let manifest = parse_manifest(&path, &read_text(&path).ok()??).ok()?;
    let version = || manifest.version.as_deref().and_then(|text| Version::parse_loose(text).ok());
    let fits = match &argument.spec {
        _ if manifest.name.as_deref() != Some(name) => false,
        _ if &*argument.raw == "*" => true,
        Spec::Version(wanted) => version().is_some_and(|version| version == *wanted),
        Spec::Range(range) => version().is_some_and(|version| range.satisfies(&version)),
        _ => false,
    };
    fits.then_some(manifest)
}

/// Returns the command of a package that is run by the package's name: its only one, or the one
/// that is named as the package.
fn command_of(manifest: &Manifest, package: &str) -> Result<String, RunError> {
    let bins = &manifest.bin;
    let same = bins.iter().all(|(_, path)| *path == bins[0].1);
    if let Some((name, _)) = bins.first().filter(|_| same) {
        return Ok(name.clone());
    }
    let name = manifest.name.as_deref().unwrap_or_default();
    let unscoped = name.rsplit('/').next().unwrap_or(name);
    if let Some((name, _)) = bins.iter().find(|(command, _)| command == unscoped) {
        return Ok(name.clone());
    }
    let commands = bins.iter().map(|(name, _)| name.clone()).collect();
    Err(RunError::NoCommandOf { package: package.to_owned(), commands })
}

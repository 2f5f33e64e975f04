//! The scripts of a package that run around an author's command.

use std::path::Path;

use dx_pkg_acquire::files::{parse_manifest, read_text};
use dx_pkg_compat::npmrc::{Config, RawValue};
use dx_pkg_install::scripts::{
    self, Output, ScriptCommand, ScriptEnvironment, ScriptPackage, SharedFacts,
};
use dx_pkg_install::{Environment, Events, Session};

use crate::AuthorError;

/// The number that shells add to the number of a signal that ended a command.
const BY_SIGNAL: i32 = 128;

/// Where a command is told of: which script begins, and warnings.
pub trait Told: Events {
    /// Tells that a script of a package begins.
    fn script(&self, package: &str, event: &str, text: &str);

    /// Tells something that is no warning, on standard error.
    fn notice(&self, text: &str);

    /// Returns whether somebody can answer a question.
    fn can_answer(&self) -> bool;

    /// Asks for a line of text.
    fn ask(&self, question: &str) -> Option<String>;

    /// Asks for a secret, which is not shown while it is typed.
    fn ask_secret(&self, question: &str) -> Option<String>;

    /// Shows an address that the user is to open in a browser, and opens it.
    fn open_page(&self, title: &str, address: &str, browser: &Browser);
}

/// How the user opens addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Browser {
    /// Themselves.
    None,
    /// With the program of the system, where they sit in front of it.
    Usual,
    /// With this program and its arguments.
    Named(String),
}

impl Browser {
    /// Returns what the settings say, else the variable `BROWSER`. A project's file names no
    /// program, as it would be run.
    #[must_use]
    pub fn of(session: &Session) -> Self {
        let config = session.config();
        match config.raw("browser") {
            Some((RawValue::Bool(false), _)) => return Browser::None,
            Some((RawValue::Text(program), _)) if config.is_given_by_user("browser") => {
                return Browser::Named(program.clone());
            }
            _ => {}
        }
        let named = session.environment.variable("BROWSER");
        named.map_or(Browser::Usual, |program| Browser::Named(program.to_owned()))
    }
}

/// Runs scripts of packages of one project.
pub struct Scripts<'s> {
    environment: &'s Environment,
    root: &'s Path,
    command: &'static str,
    shared: SharedFacts,
    told: &'s dyn Told,
    is_off: bool,
}

impl<'s> Scripts<'s> {
    /// Reads what all scripts of a command see. `ignore-scripts` turns them off.
    ///
    /// # Errors
    /// A setting that cannot be used.
    pub fn new(
        environment: &'s Environment,
        root: &'s Path,
        command: &'static str,
        config: &Config,
        told: &'s dyn Told,
    ) -> Result<Self, AuthorError> {
        let is_off = config.ignore_scripts()?;
        let node = if is_off { None } else { dx_pkg_install::scripts::Node::find(environment) };
        let shared = SharedFacts::new(environment, root, config, node.as_ref())?;
        Ok(Scripts { environment, root, command, shared, told, is_off })
    }

    /// Runs one script of the package in a folder, if it has it and scripts are not off.
    ///
    /// # Errors
    /// The script fails, or cannot be started.
    pub fn run(
        &self,
        folder: &Path,
        event: &str,
        variables: &[(&str, &str)],
    ) -> Result<(), AuthorError> {
        if self.is_off {
            return Ok(());
        }
        let path = folder.join("package.json");
        let Some(text) = read_text(&path)? else { return Ok(()) };
        let manifest = parse_manifest(&path, &text)?;
        let package = ScriptPackage { folder: folder.to_owned(), manifest };
        let Some(script) = package.manifest.script(event).filter(|text| !text.is_empty()) else {
            return Ok(());
        };
        dx_pkg_os::process::install_signal_handlers();
        self.told.script(&package.label(), event, script);
        let mut environment = scripts::environment(
            self.environment.variables.iter().cloned(),
            &ScriptEnvironment {
                event,
                script,
                package: folder,
                name: package.manifest.name.as_deref(),
                version: package.manifest.version.as_deref(),
                fields: &package.manifest.script_fields(),
                lock: None,
                project: self.root,
                called_from: &self.environment.called_from,
                command: self.command,
                shared: &self.shared,
                executable: &self.environment.executable,
            },
        );
        for (key, value) in variables {
            environment.insert((*key).to_owned(), (*value).to_owned());
        }
        let outcome = scripts::run(&ScriptCommand {
            script,
            arguments: &[],
            folder,
            environment: &environment,
            shell: self.shared.shell.as_deref(),
            output: Output::Inherit,
        })?;
        let signal = outcome.signal.unwrap_or_else(dx_pkg_os::process::cancelled_by_signal);
        if outcome.success() && signal == 0 {
            return Ok(());
        }
        let code = outcome.code.filter(|code| *code != 0).unwrap_or(BY_SIGNAL + signal);
        let ending =
            if signal == 0 { format!("exit code {code}") } else { format!("signal {signal}") };
        let (package, event) = (package.label(), event.to_owned());
        Err(AuthorError::Script { package, event, ending, code: code.try_into().unwrap_or(1) })
    }
}

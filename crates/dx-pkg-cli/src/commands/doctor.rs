//! `dx doctor`: checks what dx needs from the machine and the network.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use dx_pkg_author::questions::ping;
use dx_pkg_compat::npmrc::redact_urls;
use dx_pkg_core::coded::message_with_causes;
use dx_pkg_install::project::find_root;
use dx_pkg_install::{Environment, Session};
use dx_pkg_os::files::unique_name;
use serde_json::{Value, json};

use super::config::{PlaceArguments, Settings};
use crate::error::CommandError;
use crate::flags::{QuestionSettings, SettingFlags};
use crate::report::Report;

/// Check the machine, the network, the store and the project's folder.
#[derive(Args, Debug)]
pub struct DoctorArguments {
    /// Only these checks.
    #[arg(value_name = "CHECK")]
    pub checks: Vec<Check>,
    #[command(flatten)]
    pub flags: SettingFlags<QuestionSettings>,
}

/// A group of checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Check {
    /// The registry answers.
    #[value(alias = "ping")]
    Connection,
    /// The registry that is asked.
    Registry,
    /// The versions of dx and Node.js.
    Versions,
    /// Programs and the PATH.
    Environment,
    /// Folders that dx writes to.
    Permissions,
    /// The packages in the store.
    Cache,
}

/// What a check found: what is good, or what is wrong.
type Finding = Result<String, String>;

impl DoctorArguments {
    /// Makes the checks, and prints each.
    pub fn run(&self, environment: Environment, report: &Report) -> Result<ExitCode, CommandError> {
        let root = find_root(&environment.folder).folder;
        let place = PlaceArguments::default();
        let prefix = Settings::read(&environment, &place.given)?.prefix();
        let session = Session::open(environment, &root, self.flags.session_options())?;
        let mut found = Vec::new();
        let mut failures = 0;
        for (check, title, look) in CHECKS {
            if !self.checks.is_empty() && !self.checks.contains(check) {
                continue;
            }
            report.line(title);
            let finding = look(&session, &root, &prefix);
            failures += usize::from(finding.is_err());
            let (is_good, text) = match finding {
                Ok(text) => (true, text),
                Err(text) => (false, text),
            };
            report.line(if is_good { "Ok" } else { "Not ok" });
            report.line(&if text.is_empty() { text.clone() } else { format!("{text}\n") });
            found.push(json!({ "check": title, "ok": is_good, "message": text }));
        }
        if report.wants_json() {
            report.pretty(&Value::Array(found));
            return Ok(ExitCode::from(u8::from(failures > 0)));
        }
        if failures > 0 {
            return Err(CommandError::Unhealthy { failures });
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// A check: its group, its title, and what does it with the project's folder and the prefix of
/// global packages.
type Row = (Check, &'static str, fn(&Session, &Path, &Path) -> Finding);

const CHECKS: &[Row] = &[
    (Check::Connection, "Connecting to the registry", |session, _, _| match ping(session) {
        Ok(_) => Ok(String::new()),
        Err(error) => Err(message_with_causes(&error)),
    }),
    (Check::Versions, "Checking the version of dx", |_, _, _| {
        Ok(concat!("dx ", env!("CARGO_PKG_VERSION")).to_owned())
    }),
    (Check::Versions, "Checking the version of Node.js", |session, _, _| match session.node() {
        Some(node) => Ok(format!("node {}", node.version)),
        None => Err("there is no Node.js on the PATH: install it, or set the PATH".to_owned()),
    }),
    (Check::Registry, "Checking which registry is asked", |session, _, _| {
        let config = session.config();
        let mut lines = vec![redact_urls(config.registry().as_str())];
        let scopes = config.scoped_registries();
        lines.extend(scopes.map(|(scope, url)| format!("@{scope}: {}", redact_urls(url.as_str()))));
        Ok(lines.join("\n"))
    }),
    (Check::Environment, "Checking for git on the PATH", |session, _, _| {
        let git = on_path(session, "git").map(|path| path.display().to_string());
        git.ok_or_else(|| "install git: packages of repositories need it".to_owned())
    }),
    (Check::Environment, "Checking for the folder of global commands on the PATH", global_commands),
    (Check::Permissions, "Checking that the store can be written", |session, _, _| {
        writable(session.store().root())
    }),
    (Check::Permissions, "Checking that the project's folder can be written", |_, root, _| {
        let modules = root.join("node_modules");
        writable(if modules.is_dir() { &modules } else { root })
    }),
    (
        Check::Cache,
        "Checking the packages in the store (this may take a while)",
        |session, _, _| match session.store().verify(false) {
            Ok(checked) if checked.damage.is_empty() => {
                Ok(format!("checked {} packages", checked.packages))
            }
            Ok(checked) => Err(format!(
                "{} of {} packages are damaged: run dx store verify --fix",
                checked.damage.len(),
                checked.packages
            )),
            Err(error) => Err(message_with_causes(&error)),
        },
    ),
];

fn global_commands(session: &Session, _: &Path, prefix: &Path) -> Finding {
    let folder = if cfg!(windows) { prefix.to_owned() } else { prefix.join("bin") };
    let paths = session.environment.variable("PATH").unwrap_or_default();
    let is_there = std::env::split_paths(paths).any(|path| path == folder);
    match is_there {
        true => Ok(folder.display().to_string()),
        false => Err(format!("add {} to the PATH", folder.display())),
    }
}

fn on_path(session: &Session, program: &str) -> Option<PathBuf> {
    let paths = session.environment.variable("PATH")?;
    let name = if cfg!(windows) { format!("{program}.exe") } else { program.to_owned() };
    std::env::split_paths(paths).map(|folder| folder.join(&name)).find(|path| path.is_file())
}

/// Writes a file in a folder and removes it.
fn writable(folder: &Path) -> Finding {
    let file = folder.join(unique_name(".dx-doctor-"));
    let written = std::fs::write(&file, b"").and_then(|()| std::fs::remove_file(&file));
    match written {
        Ok(()) => Ok(folder.display().to_string()),
        Err(error) => Err(format!("{}: {error}", folder.display())),
    }
}

//! `dx run`: a script of the project, with those before and after it, as npm runs them.
//!
//! Neither store nor network is opened, and nothing is started but the scripts.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use dx_pkg_compat::manifest::Manifest;
use dx_pkg_compat::npmrc::{Config, OPTIONS, RawValue};
use dx_pkg_link::scripts::{self, Output, ScriptCommand, ScriptEnvironment, ScriptOutcome};
use serde_json::Value;

use crate::arguments::{RunArguments, ScriptArguments};
use crate::failure::Failure;
use crate::node;
use crate::project::{find_root, in_file, read};
use crate::report::Report;
use crate::session::{configuration, user_agent};
use crate::surroundings::Surroundings;

/// The events that npm has a meaning for; most have scripts before and after them.
const EVENTS: [&str; 12] = [
    "dependencies",
    "install",
    "prepare",
    "prepublishOnly",
    "publish",
    "restart",
    "start",
    "stop",
    "test",
    "uninstall",
    "version",
    "prepack",
];
/// What shells add to the number of the signal that ended a command.
const BY_SIGNAL: i32 = 128;
/// How alike two names have to be for one to be meant by the other, from 0 to 1.
const ALIKE: f64 = 0.6;

/// Runs the script that is named; without a name, lists the scripts.
pub fn run(
    surroundings: &Surroundings,
    run: &RunArguments,
    report: &Report,
) -> Result<ExitCode, Failure> {
    match &run.script {
        Some(name) => script(surroundings, "run", name, &run.rest, report),
        None => Package::open(surroundings)?.list(report),
    }
}

/// Runs the script `name`, for the command `command`.
pub fn script(
    surroundings: &Surroundings,
    command: &str,
    name: &str,
    rest: &ScriptArguments,
    report: &Report,
) -> Result<ExitCode, Failure> {
    let package = Package::open(surroundings)?;
    let root = find_root(&surroundings.folder);
    let flags: Vec<_> = rest
        .ignore_scripts
        .then(|| ("ignore-scripts".to_owned(), "true".to_owned()))
        .into_iter()
        .collect();
    let (config, _) = configuration(surroundings, &root, &flags)?;
    let steps = package.steps(name, !config.ignore_scripts()?);
    if steps.is_empty() {
        return if rest.if_present { Ok(ExitCode::SUCCESS) } else { Err(package.unknown(name)) };
    }
    let main = steps.iter().rposition(|step| step.is_main);
    let runner = Runner {
        surroundings,
        command,
        package: &package,
        root: &root,
        settings: settings(&config),
        fields: fields(&package.manifest),
        node: node::on_path(surroundings).map(|(path, _)| path),
        shell: config.script_shell()?.map(PathBuf::from),
        report,
    };
    if steps.len() > 1 {
        // Whoever ends dx means the script, and no other is to follow it.
        let _ = dx_pkg_os::asked_to_end();
    }
    for (place, step) in steps.iter().enumerate() {
        let arguments = if Some(place) == main { rest.arguments.as_slice() } else { &[] };
        let outcome = runner.step(step, arguments, place + 1 == steps.len())?;
        let signal = outcome.signal.unwrap_or_else(dx_pkg_os::ended_by);
        if !outcome.success() || signal != 0 {
            let code = outcome.code.filter(|code| *code != 0).unwrap_or(BY_SIGNAL + signal);
            return Ok(u8::try_from(code).map_or(ExitCode::FAILURE, ExitCode::from));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The package whose scripts are meant: the nearest upwards.
struct Package {
    folder: PathBuf,
    manifest: Manifest,
}

/// A script that is due.
struct Step {
    event: String,
    script: String,
    /// Whether it is neither before nor after another.
    is_main: bool,
}

impl Package {
    fn open(surroundings: &Surroundings) -> Result<Self, Failure> {
        for folder in surroundings.folder.ancestors() {
            let path = folder.join("package.json");
            if let Some(text) = read(&path)? {
                let manifest =
                    Manifest::parse(&text).map_err(|error| in_file(&path, Failure::from(error)))?;
                return Ok(Package { folder: folder.to_owned(), manifest });
            }
        }
        Err(Failure::new(
            "DX_NO_MANIFEST",
            format!("there is no package.json in {} or above", surroundings.folder.display()),
        )
        .with_hint("run dx in a project's folder, or write a package.json with {} in it"))
    }

    /// The script of this name, or what npm runs where there is none.
    fn script(&self, name: &str) -> Option<&str> {
        let implied = if cfg!(windows) { "SET" } else { "env" };
        self.manifest.script(name).or((name == "env").then_some(implied))
    }

    /// What is to be run for this name, in order, with what comes before and after where that is wanted.
    fn steps(&self, name: &str, around: bool) -> Vec<Step> {
        let step = |event: String, is_main: bool| {
            let script = self.script(&event)?.to_owned();
            Some(Step { event, script, is_main })
        };
        let own: Vec<Step> = match step(name.to_owned(), true) {
            Some(step) => vec![step],
            None if name == "restart" && self.script("start").is_some() => {
                ["stop", "start"].into_iter().flat_map(|part| self.steps(part, around)).collect()
            }
            None => return Vec::new(),
        };
        let beside = |prefix: &str| step(format!("{prefix}{name}"), false).filter(|_| around);
        beside("pre").into_iter().chain(own).chain(beside("post")).collect()
    }

    /// `name@version`, as far as it has them.
    fn label(&self) -> String {
        let Manifest { name, version, .. } = &self.manifest;
        match (name, version) {
            (Some(name), Some(version)) => format!("{name}@{version}"),
            (Some(name), None) => name.clone(),
            _ => self.folder.display().to_string(),
        }
    }

    fn list(&self, report: &Report) -> Result<ExitCode, Failure> {
        let scripts = &self.manifest.scripts;
        if report.wants_json() {
            let fields =
                scripts.iter().map(|(name, script)| (name.clone(), Value::from(script.as_str())));
            report.answer("", &Value::Object(fields.collect()));
            return Ok(ExitCode::SUCCESS);
        }
        let (lifecycle, others): (Vec<_>, Vec<_>) =
            scripts.iter().partition(|(name, _)| is_lifecycle(name));
        if scripts.is_empty() {
            report.line(&format!("{} has no scripts", self.label()));
        }
        for (title, scripts) in [
            (format!("Scripts of {} with a meaning of their own:", self.label()), lifecycle),
            ("To be run with `dx run`:".to_owned(), others),
        ] {
            if !scripts.is_empty() {
                report.line(&title);
            }
            for (name, script) in scripts {
                report.line(&format!("  {name}\n    {script}"));
            }
        }
        Ok(ExitCode::SUCCESS)
    }

    fn unknown(&self, name: &str) -> Failure {
        let alike = |other: &str| strsim::normalized_damerau_levenshtein(name, other);
        let names = self.manifest.scripts.iter().map(|(name, _)| name.as_str());
        let nearest = names.max_by(|one, other| alike(one).total_cmp(&alike(other)));
        let hint = match nearest.filter(|other| alike(other) >= ALIKE) {
            Some(other) => format!("did you mean {other:?}? `dx run` lists the scripts"),
            None => "`dx run` lists the scripts".to_owned(),
        };
        Failure::new("DX_SCRIPT_UNKNOWN", format!("{} has no script {name:?}", self.label()))
            .with_hint(hint)
    }
}

struct Runner<'r> {
    surroundings: &'r Surroundings,
    command: &'r str,
    package: &'r Package,
    root: &'r Path,
    settings: Vec<(String, String)>,
    fields: Vec<(String, String)>,
    node: Option<PathBuf>,
    shell: Option<PathBuf>,
    report: &'r Report,
}

impl Runner<'_> {
    /// Runs one script; the last takes this process's place where it can.
    fn step(
        &self,
        step: &Step,
        arguments: &[String],
        last: bool,
    ) -> Result<ScriptOutcome, Failure> {
        let shown: String = std::iter::once(step.script.as_str())
            .chain(arguments.iter().map(String::as_str))
            .collect::<Vec<_>>()
            .join(" ");
        self.report.note(&format!(
            "> {} {}\n> {}",
            self.package.label(),
            step.event,
            shown.replace('\n', "\n> ")
        ));
        let executable = std::env::current_exe().unwrap_or_else(|_| "dx".into());
        let environment = scripts::environment(
            self.surroundings.variables.iter().cloned(),
            &ScriptEnvironment {
                event: &step.event,
                script: &step.script,
                package: &self.package.folder,
                name: self.package.manifest.name.as_deref(),
                version: self.package.manifest.version.as_deref(),
                fields: &self.fields,
                lock: None,
                project: self.root,
                called_from: &self.surroundings.called_from,
                command: self.command,
                settings: &self.settings,
                user_agent: &user_agent(),
                executable: &executable,
                node: self.node.as_deref(),
                node_gyp: None,
            },
        );
        let command = ScriptCommand {
            script: &step.script,
            arguments,
            folder: &self.package.folder,
            environment: &environment,
            shell: self.shell.as_deref(),
            output: Output::Inherit,
        };
        Ok(if last { scripts::become_script(&command)? } else { scripts::run(&command)? })
    }
}

/// Whether npm runs it by itself or has a command for it.
fn is_lifecycle(name: &str) -> bool {
    let event = ["pre", "post"].iter().find_map(|prefix| name.strip_prefix(prefix));
    let around = |event: &&str| {
        EVENTS.contains(event) && !matches!(*event, "dependencies" | "prepublishOnly" | "prepack")
    };
    EVENTS.contains(&name)
        || event.filter(around).is_some()
        || matches!(name, "prepublish" | "postpack")
}

/// The settings that differ from their defaults, without those that belong to one scope or one registry.
fn settings(config: &Config) -> Vec<(String, String)> {
    let written = |key: &str| {
        let (value, _) = config.raw(key)?;
        Some(match value {
            RawValue::List(list) => list.join("\n\n"),
            other => other.text().unwrap_or_default(),
        })
    };
    let is_default = |key: &str, value: &str| {
        OPTIONS.iter().any(|option| option.key == key && option.default == value)
    };
    config
        .keys()
        .filter(|key| !key.starts_with('@'))
        .filter_map(|key| Some((key.to_owned(), written(key)?)))
        .filter(|(key, value)| !is_default(key, value))
        .collect()
}

/// What a script is told of its package, in npm's flat form.
fn fields(manifest: &Manifest) -> Vec<(String, String)> {
    let mut fields: Vec<(String, String)> = Vec::new();
    fields.extend(manifest.bin.iter().map(|(name, path)| (format!("bin_{name}"), path.clone())));
    fields.extend(
        manifest.engines.iter().map(|(name, range)| (format!("engines_{name}"), range.clone())),
    );
    if let Some(config) = manifest.raw.get("config") {
        flatten("config", config, &mut fields);
    }
    fields
}

fn flatten(key: &str, value: &Value, fields: &mut Vec<(String, String)>) {
    match value {
        Value::Object(entries) => {
            entries
                .iter()
                .for_each(|(name, value)| flatten(&format!("{key}_{name}"), value, fields));
        }
        Value::Array(items) => {
            items
                .iter()
                .enumerate()
                .for_each(|(place, value)| flatten(&format!("{key}_{place}"), value, fields));
        }
        Value::Null | Value::Bool(false) => fields.push((key.to_owned(), String::new())),
        Value::String(text) => fields.push((key.to_owned(), text.clone())),
        other => fields.push((key.to_owned(), other.to_string())),
    }
}

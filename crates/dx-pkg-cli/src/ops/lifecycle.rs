//! Lifecycle scripts: the project's own, and those of the dependencies that the project allows by name.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use dx_pkg_compat::manifest::Manifest;
use dx_pkg_link::scripts::{self, LockFacts, Output, ScriptCommand, ScriptEnvironment};
use dx_pkg_lock::LockPackage;

use crate::downloads::real_name;
use crate::ending;
use crate::failure::Failure;
use crate::node::Node;
use crate::plan::Plan;
use crate::project::{Project, read};
use crate::report::Report;
use crate::session::Session;
use crate::surroundings::Surroundings;

/// Which scripts may run.
pub struct Scripts {
    ignored: bool,
    all: bool,
    strict: bool,
    allowed: Vec<(String, bool)>,
    /// The folders of workspaces, whose scripts are the project's own.
    workspaces: HashSet<String>,
    shell: Option<PathBuf>,
}

impl Scripts {
    /// Reads the project's `allowScripts` and the settings.
    pub fn new(session: &Session, project: &Project) -> Result<Self, Failure> {
        let configured = session.config.allow_scripts()?.into_iter().map(|name| (name, true));
        let allowed = project.manifest.allow_scripts.iter().cloned().chain(configured).collect();
        Ok(Scripts {
            ignored: session.config.ignore_scripts()?,
            all: session.config.dangerously_allow_all_scripts()?,
            strict: session.config.strict_allow_scripts()?,
            allowed,
            workspaces: project.workspaces.iter().map(|(folder, _)| folder.clone()).collect(),
            shell: session.config.script_shell()?.map(PathBuf::from),
        })
    }

    /// Whether the package's scripts are allowed and will be run. A denial wins, but over the setting that allows all.
    pub fn may_run(&self, package: &LockPackage) -> bool {
        !self.ignored && package.has_install_script && self.verdict(package) == Some(true)
    }

    fn verdict(&self, package: &LockPackage) -> Option<bool> {
        if self.all {
            return Some(true);
        }
        let name = real_name(package);
        let exact = package.version.as_deref().map(|version| format!("{name}@{version}"));
        let about =
            self.allowed.iter().filter(|(key, _)| key == name || Some(key) == exact.as_ref());
        about.map(|(_, verdict)| *verdict).min()
    }

    /// The packages whose scripts are passed over without having been denied.
    ///
    /// # Errors
    /// There are such, and the setting `strict-allow-scripts` forbids it.
    pub fn passed_over(&self, plan: &Plan) -> Result<Vec<String>, Failure> {
        let is_passed_over = |package: &&LockPackage| {
            !self.may_run(package) && (self.ignored || self.verdict(package).is_none())
        };
        let label = |package: &LockPackage| {
            format!("{}@{}", real_name(package), package.version.as_deref().unwrap_or("?"))
        };
        let passed_over: Vec<String> =
            self.with_scripts(plan).filter(is_passed_over).map(label).collect();
        if self.strict && !self.ignored && !passed_over.is_empty() {
            return Err(Failure::new(
                "DX_SCRIPTS_UNDECIDED",
                format!(
                    "strict-allow-scripts is set, and nothing is said of the scripts of {}",
                    passed_over.join(", ")
                ),
            )
            .with_hint("name each in allowScripts of package.json, with true or false"));
        }
        Ok(passed_over)
    }

    /// Runs the scripts of the packages in `fresh` that are allowed any; returns where the optional ones lie whose scripts
    /// failed.
    pub fn run(
        &self,
        surroundings: &Surroundings,
        session: &Session,
        project: &Project,
        plan: &Plan,
        fresh: &HashSet<String>,
        report: &Report,
    ) -> Result<HashSet<String>, Failure> {
        let mut failed = HashSet::new();
        let due: Vec<&LockPackage> = self
            .with_scripts(plan)
            .filter(|package| self.may_run(package) && fresh.contains(&package.path))
            .collect();
        if due.is_empty() {
            return Ok(failed);
        }
        let runner = self.runner(surroundings, session, project, report);
        let order = scripts::order(due.iter().map(|package| package.path.as_str()));
        for event in scripts::DEPENDENCY_EVENTS {
            for package in
                order.iter().filter_map(|path| due.iter().find(|package| package.path == *path))
            {
                if failed.contains(&package.path) {
                    continue;
                }
                match runner.dependency(package, event) {
                    Err(failure) if package.optional && !ending::is_asked() => {
                        report.warning(&format!("optional: {}", failure.message));
                        failed.insert(package.path.clone());
                    }
                    outcome => outcome?,
                }
            }
        }
        Ok(failed)
    }

    /// Runs the scripts of the workspaces that are linked. npm asks nobody for leave to run these.
    pub fn run_workspaces(
        &self,
        surroundings: &Surroundings,
        session: &Session,
        project: &Project,
        plan: &Plan,
        report: &Report,
    ) -> Result<(), Failure> {
        let linked: HashSet<&str> = plan.linked_folders().collect();
        let due = project.workspaces.iter().filter(|(folder, manifest)| {
            !self.ignored && linked.contains(folder.as_str()) && runs_when_linked(manifest)
        });
        let due: Vec<&(String, Manifest)> = due.collect();
        if due.is_empty() {
            return Ok(());
        }
        let runner = self.runner(surroundings, session, project, report);
        for event in scripts::LINKED_EVENTS {
            for (folder, manifest) in &due {
                runner.events(&project.root.join(folder), manifest, &[event], None)?;
            }
        }
        Ok(())
    }

    /// The packages with scripts that are nobody's own.
    fn with_scripts<'p>(&self, plan: &'p Plan) -> impl Iterator<Item = &'p LockPackage> {
        let is_own = |package: &LockPackage| self.workspaces.contains(&package.path);
        plan.installed
            .packages
            .iter()
            .filter(move |package| package.has_install_script && !package.link && !is_own(package))
    }

    /// Runs the project's own scripts of these events.
    pub fn run_own(
        &self,
        events: &[&str],
        surroundings: &Surroundings,
        session: &Session,
        project: &Project,
        report: &Report,
    ) -> Result<(), Failure> {
        if self.ignored {
            return Ok(());
        }
        let runner = self.runner(surroundings, session, project, report);
        runner.events(&project.root, &project.manifest, events, None)
    }

    fn runner<'r>(
        &'r self,
        surroundings: &'r Surroundings,
        session: &'r Session,
        project: &'r Project,
        report: &'r Report,
    ) -> Runner<'r> {
        let node = session.node(surroundings);
        Runner { surroundings, session, project, node, report, shell: self.shell.as_deref() }
    }
}

/// Whether a workspace has a script that runs when it is linked.
pub fn runs_when_linked(manifest: &Manifest) -> bool {
    scripts::LINKED_EVENTS.iter().any(|event| manifest.script(event).is_some())
}

struct Runner<'r> {
    surroundings: &'r Surroundings,
    session: &'r Session,
    project: &'r Project,
    node: Option<&'r Node>,
    report: &'r Report,
    shell: Option<&'r Path>,
}

impl Runner<'_> {
    fn dependency(&self, package: &LockPackage, event: &str) -> Result<(), Failure> {
        let folder = self.project.root.join(&package.path);
        let Some(text) = read(&folder.join("package.json"))? else { return Ok(()) };
        let manifest = Manifest::parse(&text)?;
        let facts = LockFacts {
            resolved: package.resolved.as_deref(),
            integrity: package.integrity.as_deref(),
            optional: package.optional,
            dev: package.dev,
            dev_optional: package.dev_optional,
            peer: package.peer,
        };
        self.events(&folder, &manifest, &[event], Some(facts))
    }

    fn events(
        &self,
        folder: &Path,
        manifest: &Manifest,
        events: &[&str],
        lock: Option<LockFacts<'_>>,
    ) -> Result<(), Failure> {
        let gyp = folder.join("binding.gyp").is_file();
        let implied =
            scripts::implied_install(manifest.scripts.iter().map(|(name, _)| name.as_str()), gyp);
        for event in events {
            let implied = implied.filter(|_| *event == "install");
            if let Some(script) = manifest.script(event).or(implied) {
                self.script(folder, manifest, event, script, lock)?;
            }
        }
        Ok(())
    }

    fn script(
        &self,
        folder: &Path,
        manifest: &Manifest,
        event: &str,
        script: &str,
        lock: Option<LockFacts<'_>>,
    ) -> Result<(), Failure> {
        ending::check()?;
        let executable = std::env::current_exe().unwrap_or_else(|_| "dx".into());
        let environment = scripts::environment(
            self.surroundings.variables.iter().cloned(),
            &ScriptEnvironment {
                event,
                script,
                package: folder,
                name: manifest.name.as_deref(),
                version: manifest.version.as_deref(),
                fields: &[],
                lock,
                project: &self.project.root,
                called_from: &self.surroundings.called_from,
                command: "install",
                settings: &[],
                user_agent: self.session.user_agent(),
                executable: &executable,
                node: self.node.map(|node| node.path.as_path()),
                node_gyp: None,
            },
        );
        let is_project = folder == self.project.root;
        let output = if is_project && self.report.shows_progress() {
            Output::Inherit
        } else {
            Output::Capture
        };
        let command = ScriptCommand {
            script,
            arguments: &[],
            folder,
            environment: &environment,
            shell: self.shell,
            output,
        };
        let outcome = scripts::run(&command)?;
        if outcome.success() {
            return Ok(());
        }
        let printed = [outcome.stdout, outcome.stderr].concat();
        let printed = dx_pkg_fetch::plain_text(&String::from_utf8_lossy(&printed), 2000);
        let ended = outcome.code.map_or_else(
            || "was ended by a signal".to_owned(),
            |code| format!("ended with code {code}"),
        );
        let name = manifest.name.as_deref().unwrap_or("the project");
        Err(Failure::new(
            "DX_SCRIPT_FAILED",
            format!("the script {event:?} of {name} {ended}: {script}\n{printed}"),
        )
        .with_hint("correct what the script needs, or install with --ignore-scripts"))
    }
}

//! `dx audit`: known vulnerabilities, what helps against them, and registries' signatures.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use clap::{Args, ValueEnum};
use dx_pkg_inspect::audit::signatures::signatures;
use dx_pkg_inspect::audit::{Audit, Level, audit};
use dx_pkg_inspect::scope::{Scope, omitted};
use dx_pkg_inspect::{Source, View};
use dx_pkg_install::additions::{Addition, SavePlace, edit_manifest};
use dx_pkg_install::summary::Summary;
use dx_pkg_install::{Change, Environment, Events as _, OpenProject, Options, Session, install};
use dx_pkg_lock::Lock;

use super::carry::distinct;
use super::list::MemberArguments;
use crate::error::CommandError;
use crate::options::TreeArguments;
use crate::report::Report;

/// Look for known vulnerabilities in what is locked.
#[derive(Args, Debug)]
#[command(after_help = "\
dx audit             lists known vulnerabilities; ends with 1 if there are any
dx audit fix         installs versions without them, as far as package.json allows that
dx audit fix --force also other versions of direct dependencies than package.json allows
dx audit signatures  checks that registries have signed what is installed")]
pub struct AuditArguments {
    /// Install safer versions (fix), or check the signatures of registries (signatures).
    #[arg(value_enum, value_name = "fix|signatures")]
    pub word: Option<Word>,
    /// End with 1 only for vulnerabilities of this severity and above: info, low (the default),
    /// moderate, high, critical, or none.
    #[arg(long, value_name = "LEVEL")]
    pub audit_level: Option<String>,
    /// With "signatures" and --json: also show the attestations of packages.
    #[arg(long)]
    pub include_attestations: bool,
    #[command(flatten)]
    pub tree: TreeArguments,
}

/// What to do besides looking for vulnerabilities.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Word {
    Fix,
    Signatures,
}

impl AuditArguments {
    /// Looks for vulnerabilities, installs safer versions, or checks signatures.
    pub fn run(&self, environment: Environment, report: &Report) -> Result<ExitCode, CommandError> {
        dx_pkg_os::process::install_signal_handlers();
        match self.word {
            Some(Word::Signatures) => self.check_signatures(environment, report),
            Some(Word::Fix) => self.fix(environment, report),
            None => {
                let (view, session) = self.read(&environment, None)?;
                let found = self.audited(&view, &session, report)?;
                if report.wants_json() {
                    report.pretty(&found.json());
                } else {
                    report.text(&found.text());
                }
                self.code(&found, &session, report)
            }
        }
    }

    /// Reads what is locked, or what is installed where no lockfile is kept.
    fn read(
        &self,
        environment: &Environment,
        source: Option<Source>,
    ) -> Result<(View, Session), CommandError> {
        let root = dx_pkg_install::project::find_root(&environment.folder).folder;
        let session = Session::open(environment.clone(), &root, self.tree.session_options())?;
        let locked = session.config().package_lock()?;
        let usual = if locked { Source::Locked } else { Source::Installed };
        let legacy = session.config().legacy_peer_deps()?;
        let members = MemberArguments::given(&self.tree.flags);
        let words = &members.workspace;
        let mut view = View::read(environment, source.unwrap_or(usual), words, legacy)?;
        members.select(&mut view)?;
        Ok((view, session))
    }

    /// Asks registries for vulnerabilities, and tells which registries have no advisories.
    fn audited(
        &self,
        view: &View,
        session: &Session,
        report: &Report,
    ) -> Result<Audit, CommandError> {
        let found = audit(view, session, &self.scope(session)?)?;
        for refused in &found.refused {
            report.warning(&format!(
                "{} packages were not audited: {} has no advisories",
                refused.packages, refused.registry
            ));
        }
        Ok(found)
    }

    /// Returns which packages are looked at.
    fn scope(&self, session: &Session) -> Result<Scope, CommandError> {
        let members = MemberArguments::given(&self.tree.flags);
        Ok(Scope {
            omitted: omitted(session)?,
            with_root: members.include_workspace_root,
            without_workspaces: members.no_workspaces,
        })
    }

    /// Returns the exit code: 1 if something is as severe as the level that is set.
    fn code(
        &self,
        found: &Audit,
        session: &Session,
        report: &Report,
    ) -> Result<ExitCode, CommandError> {
        let set = dx_pkg_inspect::text_setting(session, "audit-level");
        let word = self.audit_level.clone().or(set).filter(|word| word != "null");
        let level = word.as_deref().map_or(Some(Level::default()), Level::parse);
        if level.is_none() {
            report.warning(&format!(
                "audit-level {} is none of info, low, moderate, high, critical and none: low is used",
                word.unwrap_or_default()
            ));
        }
        Ok(ExitCode::from(u8::from(found.reaches(level.unwrap_or_default()))))
    }

    fn check_signatures(
        &self,
        environment: Environment,
        report: &Report,
    ) -> Result<ExitCode, CommandError> {
        let began = Instant::now();
        let (view, session) = self.read(&environment, Some(Source::Installed))?;
        let found = signatures(&view, &session, &self.scope(&session)?)?;
        if report.wants_json() {
            report.pretty(&found.json(self.include_attestations));
        } else {
            report.text(&found.text(began.elapsed().as_secs()));
        }
        Ok(ExitCode::from(u8::from(!found.hold())))
    }

    /// Installs versions without known vulnerabilities, and looks again.
    fn fix(&self, environment: Environment, report: &Report) -> Result<ExitCode, CommandError> {
        let (view, session) = self.read(&environment, None)?;
        if !session.config().package_lock()? {
            return Err(CommandError::NoLockToFix);
        }
        let found = self.audited(&view, &session, report)?;
        for one in found.vulnerabilities.iter().filter(|one| one.too_new.is_some()) {
            report.warning(&format!(
                "{} stays vulnerable: the version that fixes it is newer than min-release-age or \
                 before allow",
                one.name
            ));
        }
        let forced = if session.config().force()? { found.forced() } else { Vec::new() };
        for (name, version, is_major) in &forced {
            let what = if *is_major { "a breaking change" } else { "outside the stated range" };
            report.warning(&format!("updating {name} to {version}, which is {what}"));
        }
        let is_dry = session.config().dry_run()?;
        let forced = if forced.is_empty() { Vec::new() } else { found.forced_by_importer(&view) };
        drop((view, session));
        let open = OpenProject::open(environment.clone(), self.tree.session_options(), report)?;
        let summary = install_fixed(open, &found, &forced, report)?;
        let after = if is_dry { None } else { Some(self.read(&environment, None)?) };
        let (after, session) = match after {
            None => (found, self.read(&environment, None)?.1),
            Some((view, session)) => (audit(&view, &session, &self.scope(&session)?)?, session),
        };
        if report.wants_json() {
            let root = dx_pkg_install::project::find_root(&environment.folder).folder;
            report.pretty(&after.json_of_fix(&summary, &root));
        } else {
            report.summary(&summary);
            report.text(&format!("\n{}", after.text()));
        }
        let is_blocked = after.vulnerabilities.iter().any(|one| one.too_new.is_some());
        if is_blocked { Ok(ExitCode::FAILURE) } else { self.code(&after, &session, report) }
    }
}

/// Installs other versions than the vulnerable ones, and those that are forced on the project and
/// its workspaces.
fn install_fixed(
    mut open: OpenProject,
    found: &Audit,
    forced: &[(String, Vec<String>)],
    report: &Report,
) -> Result<Summary, CommandError> {
    let session: Arc<Session> = open.session.clone();
    let avoided = found.avoided();
    if forced.is_empty() {
        let options = Options { avoided, lists_all: true, ..Options::default() };
        return Ok(install(open, &options, report)?);
    }
    let mut edits = Vec::new();
    for (importer, specs) in forced {
        let original = open.project.manifest_text_of(importer)?;
        let parse = |spec: &String| Addition::parse(spec, &open, importer, SavePlace::default());
        let additions: Vec<Addition> = specs.iter().map(parse).collect::<Result<_, _>>()?;
        edits.push((importer, original, additions));
    }
    for (importer, original, additions) in &edits {
        let wanted = edit_manifest(original, additions, |addition| addition.raw.clone())?;
        open.project.set_manifest_of(importer, &wanted)?;
    }
    let prefix = match session.config().save_exact()? {
        true => String::new(),
        false => session.config().save_prefix()?,
    };
    let manifest = |importer: &str, lock: &Lock| {
        let edit = edits.iter().find(|(folder, ..)| *folder == importer);
        let Some((_, original, additions)) = edit else { return Ok("{}".to_owned()) };
        edit_manifest(original, additions, |addition| addition.saved(lock, &prefix))
    };
    let names = edits.iter().flat_map(|(.., additions)| additions);
    let change = Change {
        importers: forced.iter().map(|(importer, _)| importer.clone()).collect(),
        explicit: distinct(names.map(|addition| addition.name.clone())),
        removed: Vec::new(),
        manifest: &manifest,
        save: session.config().save()?,
    };
    let options = Options { avoided, lists_all: true, change: Some(change), ..Options::default() };
    Ok(install(open, &options, report)?)
}

//! Carrying out a command: each by its own module.

use std::process::ExitCode;

use dx_pkg_author::questions::addresses::Page;
use dx_pkg_install::Environment;

use super::folders::Folder;
use super::{Command, approvals, ci, dedupe, run};
use crate::error::CommandError;
use crate::report::Report;

impl Command {
    /// Carries the command out.
    pub fn run(&self, environment: Environment, report: &Report) -> Result<ExitCode, CommandError> {
        match self {
            Self::Install(arguments) => arguments.run(environment, report),
            Self::Ci(arguments) => ci::run(arguments, environment, report),
            Self::Dedupe(arguments) => arguments.run(environment, report),
            Self::FindDupes(arguments) => dedupe::find(arguments, environment, report),
            Self::Prune(arguments) => arguments.run(environment, report),
            Self::Link(arguments) => arguments.run(environment, report),
            Self::Unlink(arguments) => arguments.run(environment, report),
            Self::Patch(arguments) => arguments.run(environment, report),
            Self::PatchCommit(arguments) => arguments.run(environment, report),
            Self::PatchRemove(arguments) => arguments.run(environment, report),
            Self::Fetch(arguments) => arguments.run(environment, report),
            Self::Deploy(arguments) => arguments.run(environment, report),
            Self::Import(arguments) => arguments.run(environment, report),
            Self::InstallScripts(arguments) => arguments.run(environment, report),
            Self::ApproveScripts(arguments) => arguments.run(environment, report),
            Self::DenyScripts(arguments) => arguments.run(environment, report),
            Self::ApproveBuilds(arguments) => arguments.run(environment, report),
            Self::IgnoredBuilds => approvals::list(environment, report),
            Self::Rebuild(arguments) => arguments.run(environment, report),
            Self::Remove(arguments) => arguments.run(environment, report),
            Self::Update(arguments) => arguments.run(environment, report),
            Self::Run(arguments) => arguments.run(&environment, report),
            Self::Exec(arguments) => arguments.run(&environment, report),
            Self::Dlx(arguments) => arguments.run(&environment, report),
            Self::Init(arguments) => arguments.run(environment, report),
            Self::Shims(arguments) => arguments.run(&environment, report),
            Self::Test(arguments) => arguments.run("test", &environment, report),
            Self::Start(arguments) => arguments.run("start", &environment, report),
            Self::Stop(arguments) => arguments.run("stop", &environment, report),
            Self::Restart(arguments) => arguments.run("restart", &environment, report),
            Self::InstallTest(arguments) => {
                let code = arguments.run(environment.clone(), report)?;
                run::test_after(code, &arguments.tree, &environment, report)
            }
            Self::InstallCiTest(arguments) => {
                let code = ci::run(arguments, environment.clone(), report)?;
                run::test_after(code, arguments, &environment, report)
            }
            Self::Peers(arguments) => arguments.run(environment, report),
            Self::Ls(arguments) => arguments.run(&environment, report),
            Self::Ll(arguments) => arguments.in_full().run(&environment, report),
            Self::Explain(arguments) => arguments.run(&environment, report),
            Self::Outdated(arguments) => arguments.run(environment, report),
            Self::View(arguments) => arguments.run(environment, report),
            Self::Search(arguments) => arguments.run(environment, report),
            Self::Docs(arguments) => arguments.run(Page::Docs, environment, report),
            Self::Repo(arguments) => arguments.run(Page::Repo, environment, report),
            Self::Bugs(arguments) => arguments.run(Page::Bugs, environment, report),
            Self::Ping(arguments) => arguments.run(environment, report),
            Self::Config(arguments) => arguments.run(environment, report),
            Self::Get(arguments) => arguments.run(environment, report),
            Self::Set(arguments) => arguments.run(environment, report),
            Self::Root(arguments) => arguments.run(Folder::Root, environment, report),
            Self::Prefix(arguments) => arguments.run(Folder::Prefix, environment, report),
            Self::Bin(arguments) => arguments.run(Folder::Bin, environment, report),
            Self::Cache(arguments) => arguments.run(environment, report),
            Self::Doctor(arguments) => arguments.run(environment, report),
            Self::Explore(arguments) => arguments.run(&environment, report),
            Self::Edit(arguments) => arguments.run(&environment),
            Self::Completion(arguments) => Ok(arguments.run(&environment, report)),
            Self::HelpSearch(arguments) => arguments.run(report),
            Self::Author(command) => command.run(environment, report),
            Self::Audit(arguments) => arguments.run(environment, report),
            Self::Fund(arguments) => arguments.run(environment, report),
            Self::Query(arguments) => arguments.run(environment, report),
            Self::Sbom(arguments) => arguments.run(environment, report),
            Self::Licenses(arguments) => arguments.run(&environment, report),
            Self::Lock(arguments) => arguments.run(environment, report),
            Self::Store(arguments) => arguments.run(environment, report),
        }
    }
}

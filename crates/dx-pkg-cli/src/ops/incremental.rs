//! A change of requirements in a project whose tree is in place and settled: only what differs is worked out, written and
//! linked, so that a package more costs the same in every tree.
//!
//! What cannot be told from the change alone goes the usual way, to the same end.

mod ground;
mod trees;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Instant;

use dx_pkg_compat::lockfile::npm;
use dx_pkg_compat::manifest::Manifest;
use dx_pkg_core::{PackageId, Version};
use dx_pkg_link::scripts::TREE_EVENTS;
use dx_pkg_link::{ImportMethod, LinkOptions, LinkReport, materialise_difference};
use dx_pkg_lock::dxl::{self, DxlView};
use dx_pkg_lock::{Lock, LockPackage};
use dx_pkg_resolve::Change as Resolved;

use crate::downloads::Downloads;
use crate::ending;
use crate::failure::Failure;
use crate::metadata::{Basis, Local};
use crate::ops::install::{self, Change};
use crate::ops::installed::{self, Said};
use crate::ops::materials::{self, Materials};
use crate::ops::shortcut::{self, Installed};
use crate::ops::{fetch, finish, lifecycle, prepared};
use crate::plan::Plan;
use crate::progress::Progress;
use crate::project::{self, Project, record_of};
use crate::remembered::Inputs;
use crate::report::{Report, Summary};
use crate::session::Session;
use crate::state::Settled;
use crate::surroundings::Surroundings;

use ground::Ground;

/// A change to be carried out.
pub struct Step<'s> {
    /// Where dx runs.
    pub surroundings: &'s Surroundings,
    /// Settings, store and network.
    pub session: &'s Arc<Session>,
    /// What changes.
    pub change: &'s Change<'s>,
    /// The digest of settings for the state.
    pub settings: [u8; 32],
}

/// What a change comes to.
struct Next {
    /// Entries of the lockfile that are new or say something else, the project's own first.
    entries: Vec<LockPackage>,
    /// Paths of those that are gone.
    removed: Vec<String>,
    /// What the changed entries are in the record of the tree.
    installed: Vec<LockPackage>,
    /// The manifest to be, where it changes.
    manifest: Option<String>,
    inserted: Vec<PackageId>,
    /// What it was worked out from, with the metadata that was asked for, where that can be said.
    asked: Option<(Inputs, Option<Basis>)>,
    /// The version of Node.js that packages were chosen for.
    node: Option<Version>,
    settled: bool,
}

/// What is to be written.
struct Texts {
    lockfile: Option<String>,
    state: [(String, Vec<u8>); 2],
}

impl Step<'_> {
    /// Carries the change out, where it can be told from itself; says whether it could.
    pub fn carry_out(&self, project: &mut Project, report: &Report) -> Result<bool, Failure> {
        let started = Instant::now();
        let Step { surroundings, session, change, settings } = *self;
        let may_be = change.save && self.is_usual(project)?;
        let Some(ground) = may_be.then(|| Ground::of(session, project, settings)).flatten() else {
            return Ok(false);
        };
        let Some(compiled) = project.compiled(&session.store)? else { return Ok(false) };
        let (Ok(locked), Ok(record)) = (DxlView::open(&compiled), DxlView::open(&ground.record))
        else {
            return Ok(false);
        };
        if !ground.holds(project, &locked, &record) {
            return Ok(false);
        }
        let scripts = lifecycle::Scripts::new(session, project)?;
        // What was passed over may have been allowed since.
        if with_scripts(&record).installed.packages.iter().any(|package| scripts.may_run(package)) {
            return Ok(false);
        }
        let shown = Progress::start(report.shows_progress() && !surroundings.in_ci());
        let progress = shown.0.clone();
        let Some(next) =
            self.work_out(project, &ground, (&locked, &record), &scripts, &progress)?
        else {
            return Ok(false);
        };
        ending::check()?;
        let Some(texts) = next.texts(project, &ground, &locked, &record) else { return Ok(false) };
        let after = DxlView::open(&texts.state[0].1)?;
        let scripts_skipped = scripts.passed_over(&with_scripts(&after))?;
        let Some(done) = self.link(project, &record, &next, &texts, &progress)? else {
            return Ok(false);
        };
        session.mark("linked");
        drop(shown);
        let mut summary = Summary {
            added: done.added,
            changed: done.replaced,
            removed: done.removed,
            packages: after.packages().filter(|package| !package.link()).count(),
            conflicts: ground.settled.conflicts.clone(),
            warnings: ground.settled.warnings.clone(),
            scripts_skipped,
            statistics: finish::statistics(session, &progress, &done),
            ..Summary::default()
        };
        finish::remove_leftovers(&done);
        if session.trees == 0
            && let Some(text) = &texts.lockfile
        {
            // No background process will compile it.
            let digest = project::digest(text);
            let bytes = dxl::splice(&locked, &borrowed(&next.removed), &next.entries, digest);
            let _ = session.store.put_compiled_lock(digest, &bytes);
        }
        finish::save(
            project,
            texts.lockfile,
            next.manifest.as_deref(),
            finish::durability(session, false),
        )?;
        let Settled { conflicts, disputed, warnings, .. } = ground.settled.clone();
        let said = Said { conflicts, disputed, warnings };
        let noted =
            installed::settled(&project.root, next.node.as_ref(), &said).filter(|_| next.settled);
        let settled = noted.is_some();
        installed::note_state(session, project, std::iter::empty(), settings, noted)?;
        if shortcut::may_be_short(session, project)? {
            let prepared = prepared::key_of_record(&texts.state[0].1);
            let placed =
                after.packages().filter(|package| package.link() || !package.in_bundle()).count();
            let came = Installed { prepared, placed, summary: &summary, settled };
            let now = Inputs::of(surroundings, session, project);
            shortcut::keep(session, project, &came, vec![String::new()], now, next.asked);
        }
        summary.elapsed = started.elapsed();
        report.summary(&summary);
        Ok(true)
    }

    /// Whether nothing about project and settings asks for more than the usual.
    fn is_usual(&self, project: &Project) -> Result<bool, Failure> {
        let config = &self.session.config;
        Ok(project.workspaces.is_empty()
            && project.manifest.overrides.is_none()
            && config.package_lock()?
            && !config.package_lock_only()?
            && !config.omit_lockfile_registry_resolved()?
            && config.omit()?.is_empty()
            && finish::import_method(self.session)? == ImportMethod::Auto
            && (config.ignore_scripts()?
                || TREE_EVENTS.iter().all(|event| project.manifest.script(event).is_none()))
            && (!self.change.own_scripts || shortcut::may_be_short(self.session, project)?))
    }

    /// Resolves and fetches; `None` where the usual way is to be taken.
    fn work_out(
        &self,
        project: &Project,
        ground: &Ground,
        (locked, record): (&DxlView<'_>, &DxlView<'_>),
        scripts: &lifecycle::Scripts,
        progress: &Arc<Progress>,
    ) -> Result<Option<Next>, Failure> {
        let Step { surroundings, session, change, .. } = *self;
        let own = Lock {
            packages: locked.package(0).map(|own| own.to_package()).into_iter().collect(),
            ..Lock::default()
        };
        let requirements = project.requirements()?;
        let materials = Materials::gather(
            surroundings,
            session,
            project,
            requirements,
            change,
            Some(&own),
            false,
        )?;
        if materials.options.pick.node.as_ref().map(ToString::to_string).unwrap_or_default()
            != ground.settled.node
        {
            return Ok(None);
        }
        let storing = install::storing(surroundings, session, project);
        let downloads =
            Downloads::new(session, session.config.offline()?, storing, progress.clone());
        downloads.put_first(materials::direct(&materials.requirements));
        let externals =
            |name: &str, spec: &str, from: &str| materials::external(project, name, spec, from);
        let bundles =
            |package: &LockPackage| materials::bundled(session, Some(&downloads), package);
        let local = Local {
            downloads: Some(&downloads),
            externals: &externals,
            bundles: &bundles,
            likely: &Vec::new,
        };
        let provider = materials.provider(session, materials.policy, local, progress.clone());
        let Materials { requirements, options, .. } = &materials;
        let disputed = &ground.settled.disputed;
        let resolved =
            dx_pkg_resolve::change(requirements, locked, record, disputed, &provider, options);
        let Some(Resolved { mut entries, removed }) = resolved else { return Ok(None) };
        entries.iter_mut().for_each(LockPackage::normalise);
        session.mark("resolved");
        let asked =
            change.inputs(surroundings, session, project).map(|inputs| (inputs, provider.basis()));

        let before = entries
            .iter()
            .filter_map(|entry| locked.get(&entry.path))
            .map(|entry| entry.to_package());
        let before = Lock { packages: before.collect(), ..Lock::default() };
        let mut plan = Plan::of(entries.clone());
        let mut lock = Lock { packages: entries, ..Lock::default() };
        let dropped = fetch::wait(session, Some(&before), &downloads, &mut plan, &mut lock)?;
        session.mark("fetched");
        if !dropped.is_empty()
            || plan.installed.packages.iter().any(|package| scripts.may_run(package))
        {
            return Ok(None);
        }
        plan.installed.packages.iter_mut().for_each(|package| package.extra.clear());

        let changed: HashSet<&str> =
            lock.packages.iter().map(|entry| entry.path.as_str()).collect();
        let known = change.explicit.iter().map(|name| format!("node_modules/{name}"));
        let known =
            known.filter(|path| !changed.contains(path.as_str()) && !removed.contains(path));
        let known: Vec<LockPackage> =
            known.filter_map(|path| Some(locked.get(&path)?.to_package())).collect();
        let mut told = Lock {
            packages: lock.packages.iter().cloned().chain(known).collect(),
            ..Lock::default()
        };
        let manifest = (change.manifest)(&told)?;
        let mut own = materials.requirements.root;
        if let Some(text) = &manifest {
            own = LockPackage { name: own.name, ..record_of(&Manifest::parse(text)?) };
        }
        own.normalise();
        told.packages.push(own.clone());
        let settled = manifest.is_none() || finish::keeps_versions(&told, &change.explicit);
        lock.packages.insert(0, own);
        let (installed, inserted) = (plan.installed.packages, downloads.inserted());
        let node = materials.options.pick.node;
        Ok(Some(Next {
            entries: lock.packages,
            removed,
            installed,
            manifest,
            inserted,
            asked,
            node,
            settled,
        }))
    }

    /// Makes the tree what is wanted; `None` where it cannot be changed in place.
    fn link(
        &self,
        project: &Project,
        record: &DxlView<'_>,
        next: &Next,
        texts: &Texts,
        progress: &Progress,
    ) -> Result<Option<LinkReport>, Failure> {
        let (before, after) = trees::around(record, &next.removed, &next.installed)?;
        progress.link(next.installed.len());
        let options = LinkOptions {
            links_outside: true,
            movable: &next.inserted,
            extra_files: &texts.state,
            cancelled: Some(dx_pkg_os::asked_to_end()),
            ..LinkOptions::default()
        };
        Ok(materialise_difference(
            &project.root,
            &self.session.store,
            &before,
            &after,
            &options,
            progress,
        )?)
    }
}

impl Next {
    /// The files that describe project and tree; `None` where the present ones are not as dx writes them.
    fn texts(
        &self,
        project: &Project,
        ground: &Ground,
        locked: &DxlView<'_>,
        record: &DxlView<'_>,
    ) -> Option<Texts> {
        let removed = borrowed(&self.removed);
        let previous = project.lockfile_text()?;
        let text = npm::splice(previous, locked, &removed, &self.entries)?;
        let hidden = npm::splice_hidden(&ground.hidden, record, &removed, &self.installed)?;
        let state = [
            (installed::RECORD.to_owned(), dxl::splice(record, &removed, &self.installed, [0; 32])),
            (installed::HIDDEN.to_owned(), hidden.into_bytes()),
        ];
        Some(Texts { lockfile: Some(text).filter(|text| text != previous), state })
    }
}

fn borrowed(paths: &[String]) -> Vec<&str> {
    paths.iter().map(String::as_str).collect()
}

/// The packages with scripts of their own.
fn with_scripts(record: &DxlView<'_>) -> Plan {
    let packages = record.packages().filter(|package| package.has_install_script());
    Plan::of(packages.map(|package| package.to_package()).collect())
}

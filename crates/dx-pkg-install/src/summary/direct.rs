//! The packages that the project and its workspaces require themselves.

use dx_pkg_compat::manifest::{Manifest, Section};
use dx_pkg_link::LinkReport;
use dx_pkg_lock::LockPackage;
use rustc_hash::FxHashMap;

use crate::project::Project;
use crate::tree_files::importer;

/// The sections of direct dependencies, by importer's folder and name. Hundreds of workspaces
/// require the same names, which are numbered.
#[derive(Default)]
pub(crate) struct Direct {
    names: FxHashMap<String, usize>,
    sections: FxHashMap<String, FxHashMap<usize, Section>>,
}

impl Direct {
    /// Returns what the project's manifests require, and, for what is removed, what its manifest
    /// and lockfile required before. `has` tells whether a path is one of the tree's.
    pub(crate) fn of(
        project: &Project,
        is_changed: bool,
        locked: Option<&LockPackage>,
        has: impl Fn(&str) -> bool,
    ) -> Self {
        let mut direct = Direct::default();
        direct.add("", lists(&project.manifest), |_| true);
        for (folder, manifest) in &project.workspaces {
            let before = project.text_of(folder).filter(|_| is_changed);
            let before = before.and_then(|text| Manifest::parse(text).ok());
            for manifest in std::iter::once(manifest).chain(&before) {
                direct.add(folder, lists(manifest), |_| true);
                // What the workspace does not have for itself is hoisted.
                let is_own = |name: &str| has(&format!("{folder}/node_modules/{name}"));
                direct.add("", lists(manifest), |name| !is_own(name));
            }
        }
        if is_changed && let Ok(before) = Manifest::parse(&project.manifest_text) {
            direct.add("", lists(&before), |_| true);
        }
        if let Some(own) = locked {
            direct.add(
                "",
                [
                    (Section::Dependencies, &own.dependencies),
                    (Section::Dev, &own.dev_dependencies),
                    (Section::Optional, &own.optional_dependencies),
                    (Section::Peer, &own.peer_dependencies),
                ],
                |_| true,
            );
        }
        direct
    }

    fn add(
        &mut self,
        folder: &str,
        lists: [(Section, &Vec<(String, String)>); 4],
        is_there: impl Fn(&str) -> bool,
    ) {
        let known = self.sections.entry(folder.to_owned()).or_default();
        for (section, list) in lists {
            for (name, _) in list {
                let next = self.names.len();
                let number = match self.names.get(name) {
                    Some(number) => *number,
                    None => *self.names.entry(name.clone()).or_insert(next),
                };
                if !known.contains_key(&number) && is_there(name) {
                    known.insert(number, section);
                }
            }
        }
    }

    /// Returns the section of the package at `path`; `None` if nothing requires it directly.
    pub(crate) fn section(&self, path: &str) -> Option<Section> {
        let folder = importer(path)?;
        let start = folder.len() + usize::from(!folder.is_empty()) + "node_modules/".len();
        let name = path.get(start..)?;
        // That of a nested package is in no section.
        self.sections.get(folder)?.get(self.names.get(name)?).copied()
    }
}

fn lists(manifest: &Manifest) -> [(Section, &Vec<(String, String)>); 4] {
    [
        (Section::Dependencies, &manifest.dependencies),
        (Section::Optional, &manifest.optional_dependencies),
        (Section::Dev, &manifest.dev_dependencies),
        (Section::Peer, &manifest.peer_dependencies),
    ]
}

/// The packages that a change of requirements names.
pub(crate) struct Named {
    added: Vec<String>,
    removed: Vec<String>,
}

impl Named {
    /// Returns the names that were given, and those that the manifest no longer has.
    pub(crate) fn of(project: &Project, explicit: &[String]) -> Self {
        let names = |manifest: &Manifest| -> Vec<String> {
            let all = lists(manifest).into_iter().flat_map(|(_, list)| list);
            all.map(|(name, _)| name.clone()).collect()
        };
        let workspaces = project.workspaces.iter().map(|(folder, now)| (folder.as_str(), now));
        let importers = std::iter::once(("", &project.manifest)).chain(workspaces);
        let mut removed = Vec::new();
        for (folder, manifest) in importers {
            let Some(before) = project.text_of(folder) else { continue };
            let before = Manifest::parse(before).map(|manifest| names(&manifest));
            let now = names(manifest);
            removed.extend(before.unwrap_or_default().into_iter().filter(|it| !now.contains(it)));
        }
        removed.sort_unstable();
        removed.dedup();
        Named { added: explicit.to_vec(), removed }
    }

    /// Returns, in words, those of them that stay as they are in the tree. `version` returns the
    /// version of the package at a path, if there is one.
    pub(crate) fn unchanged(
        &self,
        report: &LinkReport,
        version: impl Fn(&str) -> Option<Option<String>>,
    ) -> Vec<String> {
        let tell = |name: &String, why: &str| {
            let path = format!("node_modules/{name}");
            let is_changed = report.fresh
                || report.paths.added.contains(&path)
                || report.paths.replaced.contains(&path);
            let version = version(&path).filter(|_| !is_changed)?;
            Some(match version {
                Some(version) => format!("{name} {version} ({why})"),
                None => format!("{name} ({why})"),
            })
        };
        let added = self.added.iter().filter_map(|name| tell(name, "in place already"));
        let removed = self.removed.iter();
        added
            .chain(removed.filter_map(|name| tell(name, "stays: other packages need it")))
            .collect()
    }
}

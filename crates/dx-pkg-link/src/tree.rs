//! The tree to be linked: packages and their paths. No I/O; checks every path before it is used.

use std::collections::{HashMap, HashSet};

use dx_pkg_core::{PackageId, PackageName};

use crate::LinkError;

#[cfg(test)]
mod tests;

/// The name of the folder of packages.
pub(crate) const NODE_MODULES: &str = "node_modules";

/// One entry of a `node_modules` folder.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Placement {
    /// The path, relative to the project and `/`-separated, such as
    /// `node_modules/a/node_modules/@s/b`.
    pub path: String,
    /// The package or link at the path.
    pub source: PlacementSource,
    /// The package's commands: name and file, relative to the package.
    pub bins: Vec<(String, String)>,
    /// Whether its files must not be shared with the store, as for packages with allowed scripts.
    pub private_copy: bool,
}

/// The source of a [`Placement`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum PlacementSource {
    /// The files of a package in the store.
    Package(PackageId),
    /// A symbolic link to a folder, as for workspaces and `file:` dependencies.
    Symlink {
        /// The folder, relative to the project root and `/`-separated; empty for the root itself.
        target: String,
    },
    /// Files that come with the package around it, in whose tarball they are.
    Bundled {
        /// The package around it.
        bundler: PackageId,
        /// The folder, relative to that package.
        folder: String,
    },
}

impl PlacementSource {
    /// Returns whether the files come with the package around it.
    #[must_use]
    pub fn is_bundled(&self) -> bool {
        matches!(self, Self::Bundled { .. })
    }
}

/// All placements of a project.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    /// Sorted so that parents come before children.
    pub placements: Vec<Placement>,
}

impl Tree {
    /// Sorts placements by path segments, so that everything below a package follows it directly.
    #[must_use]
    pub fn new(mut placements: Vec<Placement>) -> Self {
        placements.sort_by(|a, b| by_segments(&a.path, &b.path));
        Self { placements }
    }

    /// Returns those of `ids` that have one placement in the tree.
    pub(crate) fn placed_once(&self, ids: &[PackageId]) -> HashSet<PackageId> {
        let mut uses: HashMap<PackageId, usize> = ids.iter().map(|id| (*id, 0)).collect();
        for placement in &self.placements {
            if let PlacementSource::Package(id) = &placement.source
                && let Some(count) = uses.get_mut(id)
            {
                *count += 1;
            }
        }
        uses.into_iter().filter(|(_, count)| *count == 1).map(|(id, _)| id).collect()
    }
}

/// A placement with the parts of its path.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Site<'a> {
    pub(crate) placement: &'a Placement,
    /// The folder whose `node_modules` it belongs to: empty for the project, else a workspace.
    pub(crate) importer: &'a str,
    /// The path below the importer's `node_modules`.
    pub(crate) inner: &'a str,
    /// The package's name: the last segment, or the last two of a scoped package.
    pub(crate) name: &'a str,
}

impl<'a> Site<'a> {
    /// Returns the `node_modules` folder around it, relative to the project.
    pub(crate) fn folder(&self) -> &'a str {
        let path = &self.placement.path;
        &path[..path.len() - self.name.len() - 1]
    }

    /// Returns the same folder below the importer's `node_modules`; empty for that folder itself.
    pub(crate) fn inner_folder(&self) -> &'a str {
        self.inner[..self.inner.len() - self.name.len()].trim_end_matches('/')
    }

    /// Returns the outermost package around it: work on two of these touches no common folder.
    pub(crate) fn top(&self) -> &'a str {
        let end = self.inner.find("/node_modules/").unwrap_or(self.inner.len());
        &self.inner[..end]
    }
}

/// The checked placements of a tree, sorted by path segments.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sites<'a>(pub(crate) Vec<Site<'a>>);

impl<'a> Sites<'a> {
    /// Checks all placements of a tree.
    ///
    /// # Errors
    /// A path that is not made of `node_modules` folders and package names, is repeated or is below
    /// a link, and a link that leaves the project although `links_outside` is false.
    pub(crate) fn of(tree: &'a Tree, links_outside: bool) -> Result<Self, LinkError> {
        Self::of_placements(&tree.placements, links_outside)
    }

    /// Checks some placements of a tree.
    pub(crate) fn of_placements(
        placements: impl IntoIterator<Item = &'a Placement>,
        links_outside: bool,
    ) -> Result<Self, LinkError> {
        let mut sites = Vec::new();
        for placement in placements {
            let site = site(placement)?;
            if let PlacementSource::Symlink { target } = &placement.source {
                check_target(placement, target, links_outside)?;
            }
            sites.push(site);
        }
        sites.sort_by(|a, b| by_segments(&a.placement.path, &b.placement.path));
        check_neighbours(&sites)?;
        Ok(Self(sites))
    }

    /// Returns the sites in groups: a package directly in a `node_modules`, with those within it.
    /// Work on two groups touches no common folder.
    pub(crate) fn by_top(&self) -> impl Iterator<Item = &[Site<'a>]> {
        self.0.chunk_by(|a, b| a.importer == b.importer && a.top() == b.top())
    }

    /// Returns the number of sites that have files or a link of their own.
    pub(crate) fn unpacked(&self) -> u64 {
        self.0.iter().filter(|site| !site.placement.source.is_bundled()).count() as u64
    }

    /// Returns whether the importer's `node_modules` has any package.
    pub(crate) fn has_packages(&self, importer: &str) -> bool {
        self.0.iter().any(|site| site.importer == importer)
    }

    /// Returns the sites of each importer, the project itself last, as its `node_modules` has the
    /// state files of all.
    pub(crate) fn by_importer(&self) -> Vec<(&'a str, Vec<Site<'a>>)> {
        let mut importers = std::collections::BTreeMap::<&str, Vec<Site<'a>>>::new();
        for site in &self.0 {
            importers.entry(site.importer).or_default().push(*site);
        }
        let root = importers.remove("").unwrap_or_default();
        importers.into_iter().chain([("", root)]).collect()
    }
}

/// Returns the importer of a path in the tree, and the part below its `node_modules`.
pub(crate) fn split(path: &str) -> Option<(&str, &str)> {
    if let Some(inner) = path.strip_prefix("node_modules/") {
        return Some(("", inner));
    }
    path.split_once("/node_modules/")
}

/// Returns the same of a `node_modules` folder; the second part is empty for the importer's own.
pub(crate) fn split_folder(folder: &str) -> Option<(&str, &str)> {
    match folder.strip_suffix(NODE_MODULES)?.strip_suffix('/') {
        None => Some(("", "")),
        Some(around) if !around.contains("node_modules/") => Some((around, "")),
        Some(_) => split(folder),
    }
}

/// Orders paths by their segments: `a/b` comes before `a-b`.
pub(crate) fn by_segments(a: &str, b: &str) -> std::cmp::Ordering {
    let key = |byte: u8| if byte == b'/' { 0 } else { byte };
    a.bytes().map(key).cmp(b.bytes().map(key))
}

fn site(placement: &Placement) -> Result<Site<'_>, LinkError> {
    let path = placement.path.as_str();
    let refuse = |reason| LinkError::UnsafePath { path: path.to_owned(), reason };
    check_segments(path).map_err(refuse)?;
    let importer_end = if path.starts_with("node_modules/") {
        0
    } else {
        path.find("/node_modules/").ok_or_else(|| refuse("it has no node_modules folder"))?
    };
    let importer = &path[..importer_end];
    let inner = &path[importer_end + importer.len().min(1) + "node_modules/".len()..];
    let mut name = inner;
    for part in inner.split("/node_modules/") {
        PackageName::parse(part)
            .map_err(|_| refuse("it contains something that is no package name"))?;
        name = part;
    }
    Ok(Site { placement, importer, inner, name })
}

fn check_target(placement: &Placement, target: &str, links_outside: bool) -> Result<(), LinkError> {
    let refuse = |reason| LinkError::UnsafeTarget {
        path: placement.path.clone(),
        target: target.to_owned(),
        reason,
    };
    let mut inside = target;
    while inside == ".." || inside.starts_with("../") {
        if !links_outside {
            return Err(refuse("it leaves the project"));
        }
        inside = inside.get(3..).unwrap_or_default();
    }
    if inside.is_empty() { Ok(()) } else { check_segments(inside).map_err(refuse) }
}

pub(crate) fn check_segments(path: &str) -> Result<(), &'static str> {
    if path.contains(['\\', '\0']) {
        return Err("it contains a backslash or a NUL");
    }
    if path.starts_with('/') || path.as_bytes().get(1) == Some(&b':') {
        return Err("it is absolute");
    }
    if path.split('/').any(|segment| matches!(segment, "" | "." | "..")) {
        return Err("it contains an empty, `.` or `..` segment");
    }
    Ok(())
}

fn check_neighbours(sites: &[Site<'_>]) -> Result<(), LinkError> {
    let mut link: Option<&str> = None;
    let mut last = "";
    for site in sites {
        let path = site.placement.path.as_str();
        if path == last {
            return Err(LinkError::Duplicate { path: path.to_owned() });
        }
        if let Some(link) = link.filter(|link| below(path, link)) {
            return Err(LinkError::BelowLink { path: path.to_owned(), link: link.to_owned() });
        }
        if matches!(site.placement.source, PlacementSource::Symlink { .. }) {
            link = Some(path);
        }
        last = path;
    }
    Ok(())
}

/// Returns whether `path` is below the folder `parent`.
pub(crate) fn below(path: &str, parent: &str) -> bool {
    path.strip_prefix(parent).is_some_and(|rest| rest.starts_with('/'))
}

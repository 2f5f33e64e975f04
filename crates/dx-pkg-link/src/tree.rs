//! The tree to be linked: which package lies at which path. No I/O; every path is judged here before any is used.

use dx_pkg_core::{PackageId, PackageName};

use crate::LinkError;

#[cfg(test)]
mod tests;

/// The folder packages lie in.
pub(crate) const NODE_MODULES: &str = "node_modules";

/// One entry of a `node_modules` folder.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Placement {
    /// Where it lies, relative to the project and `/`-separated, such as `node_modules/a/node_modules/@s/b`.
    pub path: String,
    /// What lies there.
    pub source: PlacementSource,
    /// Commands the package offers: name and file, relative to the package.
    pub bins: Vec<(String, String)>,
    /// Whether its files must not be shared with the store, as for packages whose scripts may run.
    pub private_copy: bool,
}

/// What a [`Placement`] consists of.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum PlacementSource {
    /// The files of a package in the store.
    Package(PackageId),
    /// A symbolic link to a folder, as for workspaces and `file:` dependencies.
    Symlink {
        /// The folder, relative to the project root and `/`-separated; empty for the root itself.
        target: String,
    },
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

    /// Checks every path and link target.
    ///
    /// # Errors
    /// A path that is not made of `node_modules` folders and package names, one that is used twice or lies
    /// below a link, and a link that leaves the project although `links_outside` is false.
    pub fn validate(&self, links_outside: bool) -> Result<(), LinkError> {
        Sites::of(self, links_outside).map(|_| ())
    }
}

/// A placement with its path taken apart.
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
    /// The `node_modules` folder that holds it, relative to the project.
    pub(crate) fn folder(&self) -> &'a str {
        let path = &self.placement.path;
        &path[..path.len() - self.name.len() - 1]
    }

    /// The same folder below the importer's `node_modules`; empty for that folder itself.
    pub(crate) fn inner_folder(&self) -> &'a str {
        self.inner[..self.inner.len() - self.name.len()].trim_end_matches('/')
    }

    /// The first package on the way to it: the unit of work that shares no folder with another.
    pub(crate) fn top(&self) -> &'a str {
        let end = self.inner.find("/node_modules/").unwrap_or(self.inner.len());
        &self.inner[..end]
    }
}

/// The judged placements of a tree, by path segments.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sites<'a>(pub(crate) Vec<Site<'a>>);

impl<'a> Sites<'a> {
    pub(crate) fn of(tree: &'a Tree, links_outside: bool) -> Result<Self, LinkError> {
        Self::of_placements(&tree.placements, links_outside)
    }

    /// The same of some of a tree's placements.
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

    /// The sites in shares that touch no folder of another: what lies directly in a `node_modules`, with all within it.
    pub(crate) fn by_top(&self) -> impl Iterator<Item = &[Site<'a>]> {
        self.0.chunk_by(|a, b| a.importer == b.importer && a.top() == b.top())
    }

    /// Whether anything lies in the importer's `node_modules`.
    pub(crate) fn has_packages(&self, importer: &str) -> bool {
        self.0.iter().any(|site| site.importer == importer)
    }

    /// The sites of each importer, the project itself last: its `node_modules` holds the state of all.
    pub(crate) fn by_importer(&self) -> Vec<(&'a str, Vec<Site<'a>>)> {
        let mut importers = std::collections::BTreeMap::<&str, Vec<Site<'a>>>::new();
        for site in &self.0 {
            importers.entry(site.importer).or_default().push(*site);
        }
        let root = importers.remove("").unwrap_or_default();
        importers.into_iter().chain([("", root)]).collect()
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

/// Whether `path` lies below the folder `parent`.
pub(crate) fn below(path: &str, parent: &str) -> bool {
    path.strip_prefix(parent).is_some_and(|rest| rest.starts_with('/'))
}

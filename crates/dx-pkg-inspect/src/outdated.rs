//! The requirements for which registries have newer versions, as `npm outdated` lists them.

use std::collections::{HashMap, HashSet};

use dx_pkg_acquire::ResolverInput;
use dx_pkg_acquire::metadata::offers::{Offer, offers};
use dx_pkg_core::{PackageName, Spec, Version};
use dx_pkg_install::Session;
use dx_pkg_lock::locale_compare;
use dx_pkg_resolve::Requirements;
use dx_pkg_resolve::graph::{Kind, Requirement, State};
use serde::Deserialize;
use serde_json::{Map, Value};
use url::Url;

use crate::asked::{self, Answer, Asked};
use crate::list::Omitted;
use crate::{InspectError, View};

/// Which requirements are looked at.
#[derive(Clone, Debug, Default)]
pub struct OutdatedOptions {
    /// The names whose requirements are looked at, whoever has them; those of the project and its
    /// workspaces where there are none.
    pub names: Vec<String>,
    /// Whether the requirements of all packages are looked at.
    pub all: bool,
    /// Kinds of packages that are left out.
    pub omitted: Vec<Omitted>,
    /// Whether the project's own requirements count beside those of selected workspaces.
    pub with_root: bool,
    /// Whether workspaces are left out.
    pub without_workspaces: bool,
    /// Whether the section, the home page and the dependent's place are told as well.
    pub long: bool,
    /// Whether only versions count that the requirements allow.
    pub compatible: bool,
}

/// The requirements that are not met by the newest version.
#[derive(Debug)]
pub struct Outdated {
    rows: Vec<Row>,
    long: bool,
}

/// A requirement of the project or of a workspace that a newer version could meet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Newer {
    /// The name by which the package is required.
    pub name: String,
    /// The version that is there.
    pub current: Option<String>,
    /// The newest version that the requirement allows.
    pub wanted: String,
    /// The newest version.
    pub latest: String,
    /// The section of the manifest that has the requirement.
    pub section: &'static str,
    /// Whether the requirement can be raised: it is a range, and not one for peers.
    pub can_raise: bool,
    /// The folder of the workspace that has it; empty for the project.
    pub importer: String,
}

/// A requirement that is not met by the newest version.
#[derive(Debug)]
struct Row {
    /// The name by which the package is required.
    required: String,
    /// The name by which a registry has the package.
    package: String,
    /// The name by which it is required; of an alias with what it stands for.
    name: String,
    /// The version that is there.
    current: Option<String>,
    offer: Offer,
    /// The place of the package below the project, and its folder.
    place: Option<(String, String)>,
    /// The folder's name of the package that has the requirement.
    dependent: String,
    /// `name@version` of the workspace that has the requirement.
    workspace: Option<String>,
    dependent_place: String,
    /// Whether the project or a workspace has the requirement.
    is_own: bool,
    /// Whether the requirement is a range, and not one for peers.
    can_raise: bool,
    section: &'static str,
    /// The home page, where it was asked for and there is one.
    home_page: Option<String>,
}

/// Asks registries which requirements have newer versions.
///
/// # Errors
/// A registry that cannot be reached, or a setting that cannot be used.
pub fn outdated(
    view: &View,
    session: &Session,
    options: &OutdatedOptions,
) -> Result<Outdated, InspectError> {
    let mut input = ResolverInput::new(session.config(), Requirements::default(), None, None)?;
    input.options.pick.node = session.node_version()?;
    let mut asked: Vec<(&Requirement, String, Spec)> = Vec::new();
    for at in considered(view, options) {
        let requirement = &view.graph.requirements[at];
        let is_production = section(requirement.kind) == "dependencies";
        let is_missing = requirement.state == State::Missing;
        if is_missing && !is_production || is_omitted(view, requirement, options) {
            continue;
        }
        match Spec::parse(&requirement.spec) {
            Ok(Spec::Alias { name, spec }) => {
                asked.push((requirement, name.as_str().to_owned(), *spec));
            }
            Ok(spec) if spec.is_registry() => {
                asked.push((requirement, requirement.name.clone(), spec));
            }
            _ => {}
        }
    }
    let wanted: Vec<(String, Spec)> =
        asked.iter().map(|(_, name, spec)| (name.clone(), spec.clone())).collect();
    let found = offers(&session.context, (input.policy, &input.options.pick), &wanted)?;
    let mut rows: Vec<Row> = asked
        .iter()
        .zip(found)
        .filter_map(|((requirement, package, spec), offer)| {
            let is_range = matches!(spec, Spec::Range(_) | Spec::Version(_));
            row(view, requirement, (package, is_range), offer?)
        })
        .collect();
    if options.long {
        set_home_pages(session, &mut rows)?;
    }
    rows.retain(|row| !options.compatible || row.current.as_ref() != Some(&row.offer.wanted));
    rows.sort_by(|a, b| {
        locale_compare(&a.name, &b.name).then_with(|| locale_compare(&a.dependent, &b.dependent))
    });
    Ok(Outdated { rows, long: options.long })
}

/// Returns the requirements that are looked at, each once.
fn considered(view: &View, options: &OutdatedOptions) -> Vec<usize> {
    let graph = &view.graph;
    let mut found: Vec<usize> = Vec::new();
    if options.names.is_empty() {
        let importers = graph.packages.iter().enumerate().filter(|(place, package)| {
            *place == 0 || options.all || package.is_workspace && package.target.is_none()
        });
        found.extend(importers.flat_map(|(_, package)| package.requires.iter().copied()));
    } else {
        for name in &options.names {
            let named = graph.packages.iter().filter(|package| package.name == *name);
            found.extend(named.flat_map(|package| package.required_by.iter().copied()));
        }
    }
    let filter = filter(view, options);
    let mut seen = HashSet::new();
    found.retain(|at| {
        let from = graph.requirements[*at].from;
        filter.as_ref().is_none_or(|filter| filter.contains(&from)) && seen.insert(*at)
    });
    found
}

/// Returns the packages whose requirements count, where not all do.
fn filter(view: &View, options: &OutdatedOptions) -> Option<HashSet<usize>> {
    if options.without_workspaces {
        let own = |(place, package): &(usize, &dx_pkg_resolve::graph::Package)| {
            *place == 0 || !package.is_workspace
        };
        return Some(
            view.graph.packages.iter().enumerate().filter(own).map(|(at, _)| at).collect(),
        );
    }
    let mut needed = view.needed_by_selected()?;
    if options.with_root {
        needed.insert(0);
    }
    Some(needed)
}

/// Returns whether the package that a requirement finds is of a kind that is left out.
fn is_omitted(view: &View, requirement: &Requirement, options: &OutdatedOptions) -> bool {
    let found = requirement.to.map(|to| &view.graph.packages[to]);
    options.omitted.iter().any(|kind| match kind {
        Omitted::Development => {
            found.map_or(requirement.kind == Kind::Development, |package| package.dev)
        }
        Omitted::Optional => found
            .map_or(matches!(requirement.kind, Kind::Optional | Kind::OptionalPeer), |package| {
                package.optional
            }),
        Omitted::Peer => found
            .map_or(matches!(requirement.kind, Kind::Peer | Kind::OptionalPeer), |package| {
                package.peer
            }),
    })
}

fn section(kind: Kind) -> &'static str {
    match kind {
        Kind::Optional | Kind::OptionalPeer => "optionalDependencies",
        Kind::Peer => "peerDependencies",
        Kind::Development => "devDependencies",
        Kind::Production | Kind::Workspace => "dependencies",
    }
}

/// Returns the row of a requirement; `None` where it has the newest version.
fn row(
    view: &View,
    requirement: &Requirement,
    (package, is_range): (&str, bool),
    offer: Offer,
) -> Option<Row> {
    let place = requirement.to;
    let current = place.and_then(|place| view.facts(place).entry.version.clone());
    let is_newest = current.as_ref() == Some(&offer.wanted) && offer.wanted == offer.latest;
    if is_newest {
        return None;
    }
    let from = &view.graph.packages[requirement.from];
    let alias = requirement.spec.strip_prefix("npm:");
    Some(Row {
        required: requirement.name.clone(),
        package: package.to_owned(),
        name: alias.map_or_else(
            || requirement.name.clone(),
            |target| format!("{}:{target}", requirement.name),
        ),
        current,
        offer,
        place: place.map(|place| {
            let folder = view.folder(place).display().to_string();
            (view.graph.packages[place].path.clone(), folder)
        }),
        dependent: match view.is_global && requirement.from == 0 {
            true => "global".to_owned(),
            false => folder_name(view, requirement.from),
        },
        workspace: (from.is_workspace && requirement.from != 0)
            .then(|| workspace_label(view, requirement.from)),
        dependent_place: from.path.clone(),
        is_own: requirement.from == 0 || from.is_workspace,
        can_raise: is_range && !matches!(requirement.kind, Kind::Peer | Kind::OptionalPeer),
        section: section(requirement.kind),
        home_page: None,
    })
}

/// Returns the name of a package's folder, with the scope.
fn folder_name(view: &View, place: usize) -> String {
    let package = &view.graph.packages[place];
    if package.parent.is_some() {
        return package.name.clone();
    }
    let folder = view.folder(place).display().to_string();
    let mut parts = folder.rsplit(['/', '\\']);
    let last = parts.next().unwrap_or_default();
    match parts.next() {
        Some(scope) if scope.starts_with('@') => format!("{scope}/{last}"),
        _ => last.to_owned(),
    }
}

/// Returns the name of a workspace's folder with its version, and its own name where that differs.
fn workspace_label(view: &View, place: usize) -> String {
    let (own, folder) = (view.package_name(place), folder_name(view, place));
    let version = view.facts(place).entry.version.as_deref().unwrap_or_default();
    if own.is_empty() || own == folder {
        return format!("{folder}@{version}");
    }
    format!("{folder}@npm:{own}@{version}")
}

/// Sets the home pages, which registries have beside the versions.
fn set_home_pages(session: &Session, rows: &mut [Row]) -> Result<(), InspectError> {
    let mut names: Vec<String> = rows.iter().map(|row| row.package.clone()).collect();
    names.sort();
    names.dedup();
    let config = session.config();
    let named = names.iter().filter_map(|name| {
        let package = PackageName::parse(name).ok()?;
        Some((name, asked::below(config.registry_for(&package), &name.replace('/', "%2f"))))
    });
    let (names, addresses): (Vec<&String>, Vec<Url>) = named.unzip();
    let asked = addresses.into_iter().map(|url| Asked { url, body: None, accept: None }).collect();
    let page = |_, answer: Answer| serde_json::from_slice::<Document>(&answer.ok()?).ok();
    let found = asked::each(session, asked, page)?;
    let pages: HashMap<&String, String> = names
        .into_iter()
        .zip(found)
        .filter_map(|(name, document)| Some((name, document?.homepage?.as_str()?.to_owned())))
        .collect();
    rows.iter_mut().for_each(|row| row.home_page = pages.get(&row.package).cloned());
    Ok(())
}

/// A packument, as far as its home page goes.
#[derive(Deserialize)]
struct Document {
    homepage: Option<Value>,
}

impl Outdated {
    /// Returns whether every requirement has the newest version.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Returns the requirements of the project and its workspaces for which there is a version
    /// above the one that is there.
    #[must_use]
    pub fn newer(&self) -> Vec<Newer> {
        let own = self.rows.iter().filter(|row| row.is_own);
        let newer = own.map(|row| Newer {
            name: row.required.clone(),
            current: row.current.clone(),
            wanted: row.offer.wanted.clone(),
            latest: row.offer.latest.clone(),
            section: row.section,
            can_raise: row.can_raise,
            importer: row.dependent_place.clone(),
        });
        let can_rise =
            |one: &Newer| is_above(&one.wanted, one) || one.can_raise && is_above(&one.latest, one);
        newer.filter(can_rise).collect()
    }

    /// Returns the rows as a table.
    #[must_use]
    pub fn table(&self) -> String {
        let mut table: Vec<Vec<&str>> = Vec::new();
        let mut head = vec!["Package", "Current", "Wanted", "Latest", "Location", "Depended by"];
        if self.long {
            head.extend(["Package Type", "Homepage", "Depended By Location"]);
        }
        table.push(head);
        for row in &self.rows {
            let mut cells = vec![
                row.name.as_str(),
                row.current.as_deref().unwrap_or("MISSING"),
                &row.offer.wanted,
                &row.offer.latest,
                row.place.as_ref().map_or("-", |(path, _)| path),
                row.workspace.as_deref().unwrap_or(&row.dependent),
            ];
            if self.long {
                let page = row.home_page.as_deref().unwrap_or_default();
                cells.extend([row.section, page, &row.dependent_place]);
            }
            table.push(cells);
        }
        lines(&table)
    }

    /// Returns a line of parts with `:` between them for each row.
    #[must_use]
    pub fn parseable(&self) -> String {
        let line = |row: &Row| {
            let Row { name, offer, dependent, .. } = row;
            let current = row.current.as_ref();
            let mut parts = vec![
                row.place.as_ref().map(|(_, folder)| folder.clone()).unwrap_or_default(),
                format!("{name}@{}", offer.wanted),
                current.map_or_else(|| "MISSING".to_owned(), |version| format!("{name}@{version}")),
                format!("{name}@{}", offer.latest),
                dependent.clone(),
            ];
            if self.long {
                let page = row.home_page.clone().unwrap_or_default();
                parts.extend([row.section.to_owned(), page]);
                parts.push(row.dependent_place.clone());
            }
            parts.join(":")
        };
        self.rows.iter().map(line).collect::<Vec<_>>().join("\n")
    }

    /// Returns the rows as JSON, in npm's form: by name, several of one name as a list.
    #[must_use]
    pub fn json(&self) -> Value {
        let mut members: Map<String, Value> = Map::new();
        for row in &self.rows {
            let mut object = Map::new();
            if let Some(current) = &row.current {
                object.insert("current".into(), current.clone().into());
            }
            object.insert("wanted".into(), row.offer.wanted.clone().into());
            object.insert("latest".into(), row.offer.latest.clone().into());
            object.insert("dependent".into(), row.dependent.clone().into());
            if let Some((_, folder)) = &row.place {
                object.insert("location".into(), folder.clone().into());
            }
            if self.long {
                object.insert("type".into(), row.section.into());
                if let Some(page) = &row.home_page {
                    object.insert("homepage".into(), page.clone().into());
                }
                object.insert("dependedByLocation".into(), row.dependent_place.clone().into());
            }
            let one = Value::Object(object);
            match members.get_mut(&row.name) {
                None => {
                    members.insert(row.name.clone(), one);
                }
                Some(Value::Array(list)) => list.push(one),
                Some(other) => *other = Value::Array(vec![other.take(), one]),
            }
        }
        Value::Object(members)
    }
}

/// Returns whether a version is above the one that is there; it is where none is.
fn is_above(version: &str, row: &Newer) -> bool {
    let Some(current) = &row.current else { return true };
    match (Version::parse(version), Version::parse(current)) {
        (Ok(version), Ok(current)) => version > current,
        _ => version != current,
    }
}

/// Returns a table as lines: the versions to the right, all else to the left.
fn lines(table: &[Vec<&str>]) -> String {
    const RIGHT: std::ops::RangeInclusive<usize> = 1..=3;
    let columns = table.iter().map(Vec::len).max().unwrap_or_default();
    let width = |column: usize| {
        table.iter().map(|row| row[column].chars().count()).max().unwrap_or_default()
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let line = |row: &Vec<&str>| {
        let cells = row.iter().enumerate().map(|(column, cell)| {
            let width = widths[column];
            if RIGHT.contains(&column) {
                format!("{cell:>width$}")
            } else {
                format!("{cell:<width$}")
            }
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    table.iter().map(line).collect::<Vec<_>>().join("\n")
}

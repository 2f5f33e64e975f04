//! The licences of installed packages, as `pnpm licenses` lists them.

use dx_pkg_compat::hosted::Hosted;
use dx_pkg_core::Version;
use dx_pkg_lock::locale_compare;
use serde_json::{Map, Value};

use crate::manifests::{Manifests, Members, is_true};
use crate::scope::Scope;
use crate::{InspectError, View};

/// The licence of a package that names none.
const UNKNOWN: &str = "Unknown";

/// Which packages are listed.
#[derive(Clone, Debug, Default)]
pub struct LicenseOptions {
    /// Kinds of packages that are left out, and workspaces.
    pub scope: Scope,
    /// Whether only what is needed for development is listed.
    pub only_dev: bool,
    /// Whether only what is optional is listed.
    pub only_optional: bool,
}

/// The licences of packages.
#[derive(Debug)]
pub struct Licenses {
    rows: Vec<Row>,
}

/// The versions of a package that have one licence.
#[derive(Debug)]
struct Row {
    name: String,
    license: String,
    versions: Vec<String>,
    paths: Vec<String>,
    is_dev: bool,
    author: Option<String>,
    description: Option<String>,
    homepage: Option<String>,
}

/// Lists the licences of what is installed, without workspaces and packages for other platforms.
///
/// # Errors
/// Nothing is installed.
pub fn licenses(view: &View, options: &LicenseOptions) -> Result<Licenses, InspectError> {
    let manifests = Manifests::installed(view);
    let selected = options.scope.selected(view);
    let is_listed = |place: &usize| {
        let package = &view.graph.packages[*place];
        *place != 0
            && package.target.is_none()
            && !package.is_workspace
            && !package.extraneous
            && selected.as_ref().is_none_or(|selected| selected.contains(place))
            && !options.scope.omits_flag(view, *place)
            && (!options.only_dev || package.dev)
            && (!options.only_optional || package.optional)
    };
    let mut places: Vec<usize> = (0..view.graph.packages.len()).filter(is_listed).collect();
    let version = |place: usize| {
        let text = view.facts(place).entry.version.as_deref().unwrap_or_default();
        Version::parse_loose(text).ok()
    };
    places.sort_by(|a, b| {
        locale_compare(view.package_name(*a), view.package_name(*b))
            .then_with(|| version(*a).cmp(&version(*b)))
    });
    let mut rows: Vec<Row> = Vec::new();
    for place in places {
        let manifest = manifests.of(place);
        let (name, license) = (view.package_name(place).to_owned(), license(&manifest));
        let version = view.facts(place).entry.version.clone().unwrap_or_default();
        let path = view.folder(place).display().to_string();
        let known = rows.iter_mut().find(|row| row.name == name && row.license == license);
        match known {
            Some(row) => {
                let is_dev = view.graph.packages[place].dev;
                if row.versions.contains(&version) {
                    row.is_dev &= is_dev;
                } else {
                    // As for pnpm, the last version tells all else.
                    row.is_dev = is_dev;
                    row.author = author(&manifest);
                    row.description = text(&manifest, "description");
                    row.homepage = homepage(&manifest);
                    row.versions.push(version);
                }
                row.paths.push(path);
            }
            None => rows.push(Row {
                name,
                license,
                versions: vec![version],
                paths: vec![path],
                is_dev: view.graph.packages[place].dev,
                author: author(&manifest),
                description: text(&manifest, "description"),
                homepage: homepage(&manifest),
            }),
        }
    }
    rows.sort_by(|a, b| locale_compare(&a.name, &b.name).then_with(|| a.license.cmp(&b.license)));
    Ok(Licenses { rows })
}

fn text(manifest: &Members, key: &str) -> Option<String> {
    manifest.get(key)?.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

/// Returns the home page that a manifest names, or the readme in its repository.
fn homepage(manifest: &Members) -> Option<String> {
    let repository = || {
        let repository = manifest.get("repository")?;
        let address = repository.get("url").unwrap_or(repository).as_str()?;
        Some(Hosted::read(address)?.docs())
    };
    text(manifest, "homepage").or_else(repository)
}

fn license(manifest: &Members) -> String {
    let kind = |value: &Value| match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        other => other.get("type").or_else(|| other.get("name"))?.as_str().map(str::to_owned),
    };
    let one = manifest.get("license").or_else(|| manifest.get("licence"));
    let several = || {
        let list = manifest.get("licenses").filter(|list| is_true(list))?.as_array()?;
        let kinds: Vec<String> = list.iter().filter_map(kind).collect();
        match kinds.as_slice() {
            [] => None,
            [one] => Some(one.clone()),
            all => Some(format!("({})", all.join(" OR "))),
        }
    };
    one.and_then(kind).or_else(several).unwrap_or_else(|| UNKNOWN.to_owned())
}

fn author(manifest: &Members) -> Option<String> {
    let author = manifest.get("author")?;
    let name = author.get("name").unwrap_or(author).as_str()?;
    let name = name.split(['<', '(']).next().unwrap_or_default().trim();
    (!name.is_empty()).then(|| name.to_owned())
}

impl Licenses {
    /// Returns the licences as JSON, in pnpm's form: packages by licence.
    #[must_use]
    pub fn json(&self) -> Value {
        let mut members: Map<String, Value> = Map::new();
        for row in &self.rows {
            let mut object = Map::new();
            let mut insert = |key: &str, value: Value| object.insert(key.to_owned(), value);
            insert("name", row.name.clone().into());
            insert("versions", row.versions.clone().into());
            insert("paths", row.paths.clone().into());
            insert("license", row.license.clone().into());
            for (key, value) in [
                ("author", &row.author),
                ("homepage", &row.homepage),
                ("description", &row.description),
            ] {
                if let Some(value) = value {
                    insert(key, value.clone().into());
                }
            }
            let list = members.entry(row.license.clone()).or_insert_with(|| Value::Array(vec![]));
            if let Value::Array(list) = list {
                list.push(Value::Object(object));
            }
        }
        Value::Object(members)
    }

    /// Returns the licences as a table, with author, description and home page where `in_full`.
    #[must_use]
    pub fn table(&self, in_full: bool) -> String {
        if self.rows.is_empty() {
            return "No licenses in packages found".to_owned();
        }
        let mut table: Vec<Vec<Vec<String>>> = Vec::new();
        let one = |text: &str| vec![text.to_owned()];
        let mut head = vec![one("Package"), one("License")];
        if in_full {
            head.push(one("Details"));
        }
        table.push(head);
        for row in &self.rows {
            let dev = if row.is_dev { " (dev)" } else { "" };
            let mut cells = vec![vec![format!("{}{dev}", row.name)], one(&row.license)];
            if in_full {
                let details = [&row.author, &row.description, &row.homepage];
                let details = details.into_iter().flatten();
                cells.push(details.flat_map(|text| text.lines()).map(str::to_owned).collect());
            }
            table.push(cells);
        }
        drawn(&table)
    }
}

/// Returns a table with lines around its cells, each of which is a list of lines.
fn drawn(table: &[Vec<Vec<String>>]) -> String {
    let columns = table.iter().map(Vec::len).max().unwrap_or_default();
    let width = |column: usize| {
        let cells = table.iter().filter_map(|row| row.get(column)).flatten();
        cells.map(|line| line.chars().count()).max().unwrap_or_default()
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let rule = |left: char, middle: char, right: char| {
        let parts: Vec<String> = widths.iter().map(|width| "─".repeat(width + 2)).collect();
        format!("{left}{}{right}", parts.join(&middle.to_string()))
    };
    let mut lines = vec![rule('┌', '┬', '┐')];
    for (number, row) in table.iter().enumerate() {
        if number > 0 {
            lines.push(rule('├', '┼', '┤'));
        }
        let height = row.iter().map(Vec::len).max().unwrap_or_default().max(1);
        for at in 0..height {
            let cells = widths.iter().enumerate().map(|(column, width)| {
                let text = row.get(column).and_then(|cell| cell.get(at));
                format!(" {:<width$} ", text.map_or("", String::as_str))
            });
            lines.push(format!("│{}│", cells.collect::<Vec<_>>().join("│")));
        }
    }
    lines.push(rule('└', '┴', '┘'));
    lines.join("\n")
}

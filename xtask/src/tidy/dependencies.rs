//! The dependencies that each crate may have, of our own crates and of others.

use super::Tree;

/// Our crates by rank: a crate depends on crates of lower rank only. Crates of one rank do not know
/// each other.
const RANKS: [(&str, usize); 20] = [
    ("dx-pkg-core", 0),
    ("dx-pkg-format", 1),
    ("dx-pkg-lock", 2),
    ("dx-pkg-resolve", 3),
    ("dx-pkg-os", 4),
    ("dx-pkg-store", 5),
    ("dx-pkg-fetch", 5),
    ("dx-pkg-git", 5),
    ("dx-pkg-registry", 6),
    ("dx-pkg-compat", 7),
    ("dx-pkg-link", 7),
    ("dx-pkg-acquire", 8),
    ("dx-pkg-install", 9),
    ("dx-pkg-inspect", 10),
    ("dx-pkg-author", 10),
    ("dx-pkg-run", 10),
    ("dx-pkg-server", 10),
    ("dx-pkg-cli", 11),
    ("dx-pkg-testkit", 12),
    ("xtask", 12),
];

/// The crates that do no input or output.
pub(super) const PURE: [&str; 4] =
    ["dx-pkg-core", "dx-pkg-format", "dx-pkg-lock", "dx-pkg-resolve"];

/// Outside crates that do input or output, barred from the pure crates.
const IMPURE: [&str; 9] =
    ["tokio", "reqwest", "hyper", "rustix", "libc", "memmap2", "tempfile", "indicatif", "walkdir"];

/// Outside crates that read or write npm's own formats, and the crates that may use them.
const NPM_FORMATS: [&str; 6] =
    ["serde_json", "sonic-rs", "libdeflater", "flate2", "zlib-rs", "tar"];
const KNOWS_NPM: [&str; 3] = ["dx-pkg-compat", "dx-pkg-testkit", "xtask"];

/// The parts of a `Cargo.toml` that the checks need.
#[derive(Debug)]
pub(crate) struct Manifest {
    pub(crate) path: String,
    pub(crate) name: String,
    /// Normal and build dependencies by the name they have in the manifest.
    dependencies: Vec<String>,
    /// The same, and those of tests.
    pub(crate) all_dependencies: Vec<String>,
}

impl Manifest {
    /// Parses the manifest; only the tables of names and dependencies are understood.
    pub(crate) fn parse(path: &str, text: &str) -> Result<Manifest, String> {
        let (mut name, mut table) = (None, String::new());
        let (mut dependencies, mut dev_dependencies) = (Vec::new(), Vec::new());
        for line in text.lines() {
            let line = line.trim();
            if let Some(header) = line.strip_prefix('[') {
                table = header.trim_end_matches(']').to_owned();
                if let Some((before, dependency)) = table.rsplit_once('.') {
                    match kind(before) {
                        Some(Kind::Shipped) => dependencies.push(dependency.to_owned()),
                        Some(Kind::Tests) => dev_dependencies.push(dependency.to_owned()),
                        None => {}
                    }
                }
            } else if let Some((key, value)) = line.split_once('=') {
                if table == "package" && key.trim() == "name" {
                    name = Some(value.trim().trim_matches('"').to_owned());
                }
                let key = key.trim().split('.').next().unwrap_or_default();
                let dependency = key.trim_matches('"').to_owned();
                match kind(&table) {
                    Some(Kind::Shipped) => dependencies.push(dependency),
                    Some(Kind::Tests) => dev_dependencies.push(dependency),
                    None => {}
                }
            }
        }
        let name = name.ok_or_else(|| format!("{path}: no package name"))?;
        let all_dependencies = [&dependencies[..], &dev_dependencies].concat();
        Ok(Manifest { path: path.to_owned(), name, dependencies, all_dependencies })
    }
}

/// The dependencies that a table of the manifest holds.
enum Kind {
    /// Those of what is shipped, or of its build.
    Shipped,
    Tests,
}

fn kind(table: &str) -> Option<Kind> {
    let table = table
        .rsplit_once("'.")
        .or_else(|| table.rsplit_once("\"."))
        .map_or(table, |(_, last)| last);
    match table {
        "dependencies" | "build-dependencies" => Some(Kind::Shipped),
        "dev-dependencies" => Some(Kind::Tests),
        _ => None,
    }
}

/// Checks every crate's manifest.
pub(super) fn check(tree: &Tree) -> Vec<String> {
    let mut violations = Vec::new();
    for manifest in &tree.crates {
        let Some(rank) = rank(&manifest.name) else {
            violations
                .push(format!("{}: give {} a rank in xtask's tidy", manifest.path, manifest.name));
            continue;
        };
        for dependency in &manifest.dependencies {
            if let Some(why) = forbidden(&manifest.name, rank, dependency)
                && !tree.allowed.dependency(&manifest.name, dependency)
            {
                violations.push(format!(
                    "{}: {} depends on {dependency}: {why}",
                    manifest.path, manifest.name
                ));
            }
        }
    }
    violations
}

fn forbidden(package: &str, package_rank: usize, dependency: &str) -> Option<&'static str> {
    if dependency == "dx-pkg-testkit" {
        return Some("only tests may use it");
    }
    if let Some(rank) = rank(dependency) {
        return (rank >= package_rank).then_some("dependencies point from higher to lower crates");
    }
    if PURE.contains(&package) && IMPURE.contains(&dependency) {
        return Some("this crate does no input or output");
    }
    if NPM_FORMATS.contains(&dependency) && !KNOWS_NPM.contains(&package) {
        return Some("only dx-pkg-compat knows npm's formats");
    }
    None
}

fn rank(name: &str) -> Option<usize> {
    RANKS.iter().find(|(crate_name, _)| *crate_name == name).map(|(_, rank)| *rank)
}

//! Which crate may depend on which, and on what from outside (DESIGN: "Dependencies point one way").

use super::Tree;

/// Our crates by rank: a crate depends on crates of lower rank only. Crates of one rank do not know each other.
const RANKS: [(&str, usize); 14] = [
    ("dx-pkg-core", 0),
    ("dx-pkg-format", 1),
    ("dx-pkg-lock", 2),
    ("dx-pkg-resolve", 3),
    ("dx-pkg-os", 4),
    ("dx-pkg-store", 5),
    ("dx-pkg-fetch", 5),
    ("dx-pkg-registry", 5),
    ("dx-pkg-compat", 6),
    ("dx-pkg-link", 6),
    ("dx-pkg-cli", 7),
    ("dx-pkg-server", 7),
    ("dx-pkg-testkit", 8),
    ("xtask", 8),
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

/// What a `Cargo.toml` says, as far as the checks care.
#[derive(Debug)]
pub(crate) struct Manifest {
    pub(crate) path: String,
    pub(crate) name: String,
    /// Normal and build dependencies by the name they have in the manifest.
    dependencies: Vec<String>,
}

impl Manifest {
    /// Parses the manifest; only the tables of names and dependencies are understood.
    pub(crate) fn parse(path: &str, text: &str) -> Result<Manifest, String> {
        let (mut name, mut dependencies, mut table) = (None, Vec::new(), String::new());
        for line in text.lines() {
            let line = line.trim();
            if let Some(header) = line.strip_prefix('[') {
                table = header.trim_end_matches(']').to_owned();
                if let Some((before, dependency)) = table.rsplit_once('.')
                    && is_dependency_table(before)
                {
                    dependencies.push(dependency.to_owned());
                }
            } else if let Some((key, value)) = line.split_once('=') {
                if table == "package" && key.trim() == "name" {
                    name = Some(value.trim().trim_matches('"').to_owned());
                }
                if is_dependency_table(&table) {
                    let key = key.trim().split('.').next().unwrap_or_default();
                    dependencies.push(key.trim_matches('"').to_owned());
                }
            }
        }
        let name = name.ok_or_else(|| format!("{path}: no package name"))?;
        Ok(Manifest { path: path.to_owned(), name, dependencies })
    }
}

/// Whether the table holds dependencies that are part of what is shipped.
fn is_dependency_table(table: &str) -> bool {
    let table = table
        .rsplit_once("'.")
        .or_else(|| table.rsplit_once("\"."))
        .map_or(table, |(_, last)| last);
    matches!(table, "dependencies" | "build-dependencies")
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

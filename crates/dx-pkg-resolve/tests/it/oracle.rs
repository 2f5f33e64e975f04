//! npm's own results for random projects, written by `tests/oracle/npm.js`, compared with this
//! resolver's.
//!
//! A few chosen cases are in `tests/fixtures/oracle.jsonl`; `RESOLVE_ORACLE=<file>` runs a corpus
//! of any size.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use dx_pkg_compat::lockfile::npm;
use dx_pkg_compat::manifest::Manifest;
use dx_pkg_core::{PackageName, Platform, Version};
use dx_pkg_format::packument::Packument;
use dx_pkg_lock::{Lock, LockPackage};
use dx_pkg_resolve::pick::PickOptions;
use dx_pkg_resolve::{
    External, Options, Override, Provider, ProviderError, Requirements, Resolution, ResolveError,
    resolve,
};
use dx_pkg_testkit::require;
use serde_json::Value;

/// One random project: its registry, its folders, and its states one after the other.
pub(crate) struct Case {
    value: Value,
    packuments: HashMap<String, Packument>,
    asked: RefCell<usize>,
}

impl Case {
    pub(crate) fn parse(line: &str) -> Self {
        let value: Value = serde_json::from_str(line).unwrap();
        let registry = value["registry"].as_object().unwrap();
        let packuments = registry.iter().map(|(name, text)| {
            let package = PackageName::parse(name).unwrap();
            let bytes =
                dx_pkg_compat::packument::encode(text.to_string().as_bytes(), &package).unwrap();
            (name.clone(), Packument::decode(Arc::new(bytes)).unwrap())
        });
        let packuments = packuments.collect();
        Case { value, packuments, asked: RefCell::new(0) }
    }

    /// The number of requests of a resolution so far.
    pub(crate) fn questions(&self) -> usize {
        *self.asked.borrow()
    }

    /// The same project with the keys of every package's manifest in another order.
    pub(crate) fn with_shuffled_registry(&self, seed: u64) -> Case {
        let mut value = self.value.clone();
        for packument in value["registry"].as_object_mut().unwrap().values_mut() {
            for manifest in packument["versions"].as_object_mut().unwrap().values_mut() {
                for key in [
                    "dependencies",
                    "optionalDependencies",
                    "peerDependencies",
                    "peerDependenciesMeta",
                ] {
                    if let Some(section) = manifest.get_mut(key).and_then(Value::as_object_mut) {
                        let mut entries: Vec<(String, Value)> =
                            std::mem::take(section).into_iter().collect();
                        let start = usize::try_from(seed % entries.len().max(1) as u64).unwrap();
                        entries.rotate_left(start);
                        entries.reverse();
                        section.extend(entries);
                    }
                }
            }
        }
        Case::parse(&value.to_string())
    }

    pub(crate) fn label(&self) -> String {
        self.value["label"]
            .as_str()
            .map_or_else(|| format!("seed {}", self.value["seed"]), str::to_owned)
    }

    pub(crate) fn steps(&self) -> &[Value] {
        self.value["steps"].as_array().unwrap()
    }

    fn option(&self, name: &str) -> &Value {
        &self.value["options"][name]
    }

    pub(crate) fn options(&self, step: &Value) -> Options {
        let names = |key: &str| -> Vec<String> {
            step[key]
                .as_array()
                .into_iter()
                .flatten()
                .map(|name| name.as_str().unwrap().to_owned())
                .collect()
        };
        let version = |key: &str| Version::parse_loose(self.option(key).as_str().unwrap()).ok();
        let explicit = names("add")
            .into_iter()
            .map(|spec| spec[..spec.rfind('@').unwrap()].to_owned())
            .collect();
        Options {
            pick: PickOptions {
                node: version("nodeVersion"),
                npm: version("npmVersion"),
                before: self.option("before").as_str().map(milliseconds),
                ..PickOptions::default()
            },
            more_platforms: Vec::new(),
            platform: Platform {
                os: "linux".into(),
                cpu: "x64".into(),
                libc: Some("glibc".into()),
            },
            legacy_peer_deps: self.option("legacyPeerDeps") == true,
            strict_peer_deps: self.option("strictPeerDeps") == true,
            solves_conflicts: false,
            explains_conflicts: false,
            engine_strict: false,
            known_conflicts: Vec::new(),
            prefer_dedupe: self.option("preferDedupe") == true,
            placing: dx_pkg_resolve::Placing::Hoisted,
            update: names("update"),
            explicit,
            explicit_in: Vec::new(),
            removed: Vec::new(),
            workspaces: self.workspaces(),
            frozen: false,
            install_links: false,
            max_packages: dx_pkg_resolve::Options::MAX_PACKAGES,
        }
    }

    fn folders(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.value["folders"].as_object().into_iter().flatten()
    }

    fn workspaces(&self) -> Vec<String> {
        self.folders()
            .map(|(path, _)| path.clone())
            .filter(|path| path.starts_with("packages/"))
            .collect()
    }

    /// Whether npm took a workspace's link out of the project's `node_modules` to satisfy a
    /// dependency further down, as it does where the workspace has the name of a registry package.
    /// Here the workspace stays.
    fn loses_workspace(&self, lock: &Lock) -> bool {
        let workspaces = self.workspaces();
        let mut names = self
            .folders()
            .filter(|(path, _)| workspaces.contains(path))
            .map(|(_, manifest)| &manifest["name"]);
        names.any(|name| {
            lock.get(&format!("node_modules/{}", name.as_str().unwrap()))
                .is_none_or(|entry| !entry.link)
        })
    }

    /// Whether npm's lockfile does not meet an override behind the link to a workspace or folder,
    /// where npm does not look. Here the override takes effect.
    fn leaves_override(&self, step: &Value, lock: &Lock) -> bool {
        let mut options = self.options(step);
        options.update.clear();
        step["root"]["overrides"].is_object()
            && self.folders().next().is_some()
            && resolve(&self.requirements(step), Some(lock), self, &options)
                .is_ok_and(|resolution| resolution.changed)
    }

    pub(crate) fn requirements(&self, step: &Value) -> Requirements {
        let workspaces = self.workspaces();
        let workspaces = self.folders().filter(|(path, _)| workspaces.contains(path));
        Requirements {
            root: record(&step["root"], ""),
            workspaces: workspaces.map(|(path, manifest)| record(manifest, path)).collect(),
            overrides: overrides(&step["root"]["overrides"]),
            ..Requirements::default()
        }
    }
}

impl Provider for Case {
    fn packument(&self, name: &str) -> Result<Packument, ProviderError> {
        *self.asked.borrow_mut() += 1;
        let missing = || ProviderError::new("DX_NOT_FOUND", format!("{name} is not there"));
        self.packuments.get(name).cloned().ok_or_else(missing)
    }

    fn manifest(&self, name: &str, spec: &str, from: &str) -> Result<External, ProviderError> {
        *self.asked.borrow_mut() += 1;
        let path = spec.strip_prefix("file:").unwrap_or(spec);
        let mut parts: Vec<&str> = from.split('/').filter(|part| !part.is_empty()).collect();
        for part in path.split('/') {
            match part {
                "." => {}
                ".." => drop(parts.pop()),
                other => parts.push(other),
            }
        }
        let folder = parts.join("/");
        match self.folders().find(|(path, _)| **path == folder) {
            Some((_, manifest)) => {
                Ok(External { package: record(manifest, ""), folder: Some(folder) })
            }
            None => Err(ProviderError::new("DX_NOT_FOUND", format!("{name}: no {folder}"))),
        }
    }

    fn bundled(&self, _: &LockPackage) -> Result<Vec<LockPackage>, ProviderError> {
        Ok(Vec::new())
    }
}

fn record(manifest: &Value, path: &str) -> LockPackage {
    let manifest = Manifest::parse(&manifest.to_string()).unwrap();
    let workspaces = manifest.raw.get("workspaces").map(ToString::to_string);
    LockPackage {
        path: path.to_owned(),
        name: manifest.name,
        version: manifest.version,
        workspaces,
        dependencies: manifest.dependencies,
        dev_dependencies: manifest.dev_dependencies,
        optional_dependencies: manifest.optional_dependencies,
        peer_dependencies: manifest.peer_dependencies,
        peer_dependencies_meta: manifest.peer_meta,
        ..LockPackage::default()
    }
}

fn overrides(value: &Value) -> Vec<Override> {
    let entries = value.as_object().into_iter().flatten().filter(|(key, _)| *key != ".");
    let list = entries.map(|(key, value)| match value {
        Value::Object(inner) => Override {
            key: key.clone(),
            value: inner.get(".").and_then(Value::as_str).map(str::to_owned),
            children: overrides(value),
        },
        text => Override {
            key: key.clone(),
            value: text.as_str().map(str::to_owned),
            children: Vec::new(),
        },
    });
    list.collect()
}

/// The corpus writes whole days of 2024 only.
fn milliseconds(date: &str) -> u64 {
    const LENGTHS: [u64; 12] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let number = |range: std::ops::Range<usize>| date[range].parse::<usize>().unwrap();
    assert_eq!(number(0..4), 2024);
    let days = LENGTHS[..number(5..7) - 1].iter().sum::<u64>() + number(8..10) as u64 - 1;
    1_704_067_200_000 + days * 86_400_000
}

fn normalised(lock: &Lock) -> BTreeMap<String, LockPackage> {
    let mut lock = lock.clone();
    lock.normalise();
    let root = &mut lock.packages[0];
    // npm leaves a dependency that `add` made optional in both sections; a manifest is read as
    // having it in one.
    let optional = root.optional_dependencies.clone();
    root.dependencies.retain(|(name, _)| !optional.iter().any(|(other, _)| other == name));
    root.dependencies.sort();
    root.dev_dependencies.sort();
    root.optional_dependencies.sort();
    lock.packages.into_iter().map(|entry| (entry.path.clone(), entry)).collect()
}

/// The differences between npm's lockfile and ours, in words.
pub(crate) fn differences(npm: &Lock, ours: &Lock) -> Vec<String> {
    let (theirs, ours) = (normalised(npm), normalised(ours));
    let text =
        |entry: &LockPackage| entry.version.clone().or(entry.resolved.clone()).unwrap_or_default();
    let mut list = Vec::new();
    for (path, entry) in &theirs {
        match ours.get(path) {
            None => list.push(format!("missing {path} {}", text(entry))),
            Some(own) if own.version != entry.version => {
                list.push(format!("{path}: {} instead of {}", text(own), text(entry)));
            }
            Some(own) if own != entry => list.push(format!("{path}: {}", fields(own, entry))),
            Some(_) => {}
        }
    }
    list.extend(
        ours.iter()
            .filter(|(path, _)| !theirs.contains_key(*path))
            .map(|(path, e)| format!("extra {path} {}", text(e))),
    );
    list
}

/// Whether npm left out a package that another one, or the project itself, depends on: it prunes
/// too much at times.
fn leaves_hole(lock: &Lock) -> bool {
    let index = lock.index();
    let is_optional = |entry: &LockPackage, name: &str| {
        entry.optional_dependencies.iter().any(|(other, _)| other == name)
    };
    lock.packages.iter().filter(|entry| !entry.link).any(|entry| {
        let needs = entry.dependencies.iter().chain(&entry.dev_dependencies);
        let mut needs = needs.filter(|(name, _)| !is_optional(entry, name));
        needs.any(|(name, _)| index.resolve(&entry.path, name).is_none())
    })
}

/// The fields in which two entries differ, ours first.
fn fields(ours: &LockPackage, theirs: &LockPackage) -> String {
    let (ours, theirs) = (format!("{ours:#?}"), format!("{theirs:#?}"));
    let pairs = ours.lines().zip(theirs.lines()).filter(|(own, their)| own != their);
    pairs
        .map(|(own, their)| format!("{} / {}", own.trim(), their.trim()))
        .collect::<Vec<_>>()
        .join(" ")
}

/// Compares every state of a case; the states after the first start from npm's own lockfile.
pub(crate) fn check(case: &Case) -> Vec<String> {
    let mut previous: Option<Lock> = None;
    let mut found = Vec::new();
    for (number, step) in case.steps().iter().enumerate() {
        let outcome =
            resolve(&case.requirements(step), previous.as_ref(), case, &case.options(step));
        let lock = step.get("lock").map(|lock| npm::read(&lock.to_string()).unwrap());
        let mut list = step_differences(case, step, lock.as_ref(), &outcome);
        list.extend(frozen_difference(case, step, previous.as_ref()));
        found.extend(list.into_iter().map(|line| format!("step {number}: {line}")));
        if let Some(lock) = lock
            .as_ref()
            .filter(|lock| step["stable"] == true && outcome.is_ok() && !leaves_hole(lock))
            .filter(|lock| !case.leaves_override(step, lock))
        {
            found.extend(
                unstable(case, step, lock).into_iter().map(|line| format!("step {number}: {line}")),
            );
        }
        // The next state may start from an older form of the lockfile.
        previous = step.get("written").map(|lock| npm::read(&lock.to_string()).unwrap()).or(lock);
    }
    found
}

/// Compares with `npm ci`, where the case says whether that takes the lockfile (`"ci"`).
fn frozen_difference(case: &Case, step: &Value, previous: Option<&Lock>) -> Option<String> {
    let ci = step.get("ci").filter(|_| step.get("add").is_none())?;
    let mut options = case.options(step);
    options.update.clear();
    options.frozen = true;
    let ours = resolve(&case.requirements(step), previous, case, &options);
    let is_taken = ci == "taken";
    (is_taken != ours.is_ok())
        .then(|| format!("ci: npm {ci}, we {:?}", ours.err().map(|error| error.to_string())))
}

fn step_differences(
    case: &Case,
    step: &Value,
    lock: Option<&Lock>,
    outcome: &Result<Resolution, ResolveError>,
) -> Vec<String> {
    let refused = step["refused"].as_str();
    if case.option("strictPeerDeps") == true && refused == Some("ERESOLVE") {
        return match outcome {
            Err(ResolveError::PeerConflict(_)) => Vec::new(),
            Err(error) => vec![format!("npm refuses the peers, we say {error}")],
            Ok(_) => vec!["npm refuses the peers under strict-peer-deps, we do not".into()],
        };
    }
    match (lock, outcome) {
        (None, Err(_)) => Vec::new(),
        (None, _) if step["error"]["code"] == "" || step["error"]["code"] == "ENDLESS" => {
            Vec::new()
        }
        (None, Ok(_)) => vec![format!("npm says {}, we go on", step["error"])],
        (Some(_), Err(error)) => vec![format!("npm goes on, we say {error}")],
        (Some(lock), Ok(resolution)) => {
            let is_left = || case.leaves_override(step, lock);
            if case.loses_workspace(lock) || leaves_hole(lock) || is_left() {
                return Vec::new();
            }
            let mut list = differences(lock, &resolution.lock);
            let refused_here = resolution.refused_by_npm;
            if refused_here != (refused == Some("ERESOLVE")) {
                list.push(format!(
                    "refused: npm {refused:?}, we {refused_here} {:?}",
                    resolution.conflicts
                ));
            }
            let inert: Vec<&str> = step["inert"]
                .as_array()
                .unwrap()
                .iter()
                .map(|path| path.as_str().unwrap())
                .collect();
            for (entry, installed) in resolution.lock.packages.iter().zip(&resolution.installed) {
                if inert.contains(&entry.path.as_str()) == *installed {
                    list.push(format!("{} installed: {installed}", entry.path));
                }
            }
            list
        }
    }
}

/// Resolving again from npm's lockfile must change nothing. Missing optional packages are asked for
/// again.
fn unstable(case: &Case, step: &Value, lock: &Lock) -> Vec<String> {
    let mut options = case.options(step);
    options.update.clear();
    options.explicit.clear();
    *case.asked.borrow_mut() = 0;
    match resolve(&case.requirements(step), Some(lock), case, &options) {
        Err(error) => vec![format!("again from the lockfile: {error}")],
        Ok(again) if again.changed => {
            let list = differences(lock, &again.lock);
            vec![format!("again from the lockfile: {}", list.join("; "))]
        }
        Ok(_) => Vec::new(),
    }
}

/// The cases chosen from the corpus.
pub(crate) fn fixture() -> &'static [Case] {
    thread_local! {
        static CASES: &'static [Case] = {
            let lines = include_str!("../fixtures/oracle.jsonl").lines();
            Vec::leak(lines.map(Case::parse).collect())
        };
    }
    CASES.with(|cases| *cases)
}

#[test]
fn chosen_projects_resolve_as_with_npm() {
    for case in fixture() {
        assert_eq!(check(case), Vec::<String>::new(), "{}", case.label());
    }
}

#[test]
fn generated_projects_resolve_as_with_npm() {
    let Some(npm) = require::npm_11_folder() else { return };
    let npm = npm.display().to_string();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/oracle/npm.js");
    let corpus = require::output("node", [script, &npm, "1", "20"]).unwrap();
    let different: Vec<String> = corpus
        .lines()
        .map(Case::parse)
        .map(|case| (check(&case), case))
        .filter(|(found, _)| !found.is_empty())
        .map(|(found, case)| format!("{}: {}", case.label(), found.join("\n    ")))
        .collect();
    assert_eq!(different, [""; 0]);
    assert_eq!(corpus.lines().count(), 20);
}

#[test]
#[ignore = "run by `cargo xtask compare generated`, which names a corpus in RESOLVE_ORACLE"]
fn random_projects_resolve_as_with_npm() {
    let path = std::env::var("RESOLVE_ORACLE").unwrap();
    let only = std::env::var("RESOLVE_ORACLE_SEED").ok();
    let (mut cases, mut states, mut different) = (0, 0, 0);
    for line in std::fs::read_to_string(path).unwrap().lines() {
        let case = Case::parse(line);
        if only.as_ref().is_some_and(|seed| {
            !seed.is_empty() && seed.parse::<u64>().ok() != case.value["seed"].as_u64()
        }) {
            continue;
        }
        cases += 1;
        states += case.steps().len();
        let found = check(&case);
        if !found.is_empty() {
            different += 1;
            println!("{}: {}", case.label(), found.join("\n    "));
        }
    }
    println!("{cases} projects in {states} states, {different} different");
    assert_eq!(different, 0);
}

//! The small generated projects of `shapes.rs`, with their registry.

use std::collections::BTreeMap;

use dx_pkg_format::packument::Packument;
use dx_pkg_lock::{Lock, LockPackage};
use dx_pkg_resolve::rules::Single;
use dx_pkg_resolve::{External, Override, Provider, ProviderError, Requirements, resolve};

use crate::brute::Numbers;
use crate::world::{Package, World, package, project, rule, world};

/// The packages.
pub(crate) const NAMES: [&str; 4] = ["a", "b", "c", "d"];
/// Their versions.
pub(crate) const VERSIONS: [&str; 4] = ["1.0.0", "1.1.0", "2.0.0", "3.0.0-rc.1"];
const PEERS: [&str; 9] = [
    "^1.0.0",
    "^2.0.0",
    "^1.0.0 || ^2.0.0",
    "~1.0.0",
    "1.1.0",
    "2.0.0",
    "*",
    ">=1.1.0",
    "^1.1.0 || ^3.0.0-rc",
];
const DIRECT: [&str; 8] =
    ["*", ">=1", "^1.0.0", "^2.0.0", "1.1.0", "^1.0.0 || ^2.0.0", "latest", "~1.0.0"];

/// Projects of one kind have seeds below the next multiple of this.
pub(crate) const KIND: u64 = 1_000_000;

/// A project with what it starts from.
pub(crate) struct Case {
    pub(crate) world: World,
    pub(crate) requirements: Requirements,
    pub(crate) previous: Option<Lock>,
}

/// Returns the project of a seed.
pub(crate) fn generated(seed: u64) -> Case {
    let mut numbers = Numbers::new((seed % KIND) ^ 0x5f0e_1ab3);
    let mut packages = Vec::new();
    for (place, name) in NAMES.iter().enumerate() {
        for version in VERSIONS {
            let mut one = package(&format!("{name}@{version}"));
            for (other, peer) in NAMES.iter().enumerate() {
                let is_meant =
                    other != place && numbers.next(if other > place { 2 } else { 9 }) == 0;
                let range = numbers.pick(&PEERS);
                if is_meant && numbers.next(3) == 0 {
                    one = one.optional_peer(&format!("{peer}@{range}"));
                } else if is_meant {
                    one = one.peer(&format!("{peer}@{range}"));
                }
            }
            packages.push(one);
        }
    }
    let mut world = world(packages);
    if numbers.next(4) == 0 {
        // What is above `latest` comes last.
        world = world.tag(NAMES[numbers.next(NAMES.len())], "latest", "1.1.0");
    }
    let most = if numbers.next(2) == 0 { 1 } else { 2 + numbers.next(2) };
    let mut manifests: Vec<Package> = Vec::new();
    for importer in 0..most {
        let mut direct = Vec::new();
        for name in NAMES {
            if numbers.next(if most == 1 { 4 } else { 2 }) > 0 {
                direct.push(format!("{name}@{}", numbers.pick(&DIRECT)));
            }
        }
        let direct: Vec<&str> = direct.iter().map(String::as_str).collect();
        let manifest = if importer == 0 {
            project(&direct)
        } else {
            direct.iter().fold(package(&format!("w{importer}@1.0.0")), |one, dependency| {
                let is_peer = numbers.next(5) == 0 && !dependency.ends_with("latest");
                if is_peer { one.peer(dependency) } else { one.needs(dependency) }
            })
        };
        manifests.push(manifest);
    }
    for (importer, manifest) in manifests.iter().enumerate().skip(1) {
        world = world.workspace(&format!("packages/w{importer}"), manifest.clone());
    }
    let mut altered = Numbers::new(seed ^ 0x77aa_10f1);
    if seed / KIND == 1 {
        world.overrides = overrides(&mut altered, &manifests[0]);
    }
    let mut requirements = world.requirements(&manifests[0]);
    if seed / KIND == 2 {
        let names = vec![altered.pick(&NAMES).to_owned()];
        requirements.single = vec![Single { from: String::new(), names }];
    }
    // A lockfile of the same project with other requirements, as bots leave it.
    let previous = (numbers.next(3) == 0).then(|| {
        let mut before = requirements.clone();
        let every = std::iter::once(&mut before.root).chain(&mut before.workspaces);
        for spec in every.flat_map(|one| &mut one.dependencies) {
            if numbers.next(2) == 0 {
                numbers.pick(&DIRECT[2..6]).clone_into(&mut spec.1);
            }
        }
        resolve(&before, None, &Registry::new(&world), &world.options).map(|found| found.lock)
    });
    Case { requirements, previous: previous.and_then(Result::ok), world }
}

/// Returns one or two overrides: for all dependents, for those of one package, or of some of its
/// versions.
fn overrides(numbers: &mut Numbers, project: &Package) -> Vec<Override> {
    let own = project.record("");
    let mut rules: Vec<Override> = Vec::new();
    for _ in 0..1 + numbers.next(2) {
        let (of, name) = (numbers.pick(&NAMES), numbers.pick(&NAMES));
        let direct = own.dependencies.iter().find(|(known, _)| known == name);
        let range = numbers.pick(&PEERS);
        let value = direct.map_or(range.to_owned(), |_| format!("${name}"));
        let key = match numbers.next(3) {
            0 => name.to_owned(),
            1 => of.to_owned(),
            _ => format!("{of}@{}", numbers.pick(&DIRECT[2..4])),
        };
        let one = match key == name {
            true => rule(&key, Some(&value), Vec::new()),
            false => rule(&key, None, vec![rule(name, Some(&value), Vec::new())]),
        };
        if of != name && rules.iter().all(|known| known.key != key) {
            rules.push(one);
        }
    }
    rules
}

/// Packuments that are encoded once.
pub(crate) struct Registry(pub(crate) BTreeMap<&'static str, Packument>);

impl Registry {
    pub(crate) fn new(world: &World) -> Self {
        Registry(NAMES.iter().map(|name| (*name, world.packument(name).unwrap())).collect())
    }
}

impl Provider for Registry {
    fn packument(&self, name: &str) -> Result<Packument, ProviderError> {
        let missing = || ProviderError::new("DX_PACKAGE_NOT_FOUND", format!("{name} is not there"));
        self.0.get(name).cloned().ok_or_else(missing)
    }

    fn manifest(&self, name: &str, _: &str, _: &str) -> Result<External, ProviderError> {
        panic!("{name} is of no registry")
    }

    fn bundled(&self, package: &LockPackage) -> Result<Vec<LockPackage>, ProviderError> {
        panic!("{} bundles nothing", package.path)
    }
}

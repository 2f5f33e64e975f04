//! Installs through a `dx-registry` process: with its plans and packages, the outcome is that of
//! HTTP.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use dx_pkg_testkit::{Project, ProjectBuilder, Registry};

use super::tree;
use crate::harness::{command, ok};

/// A registry in front of the test's own.
pub(super) struct Served {
    process: Child,
    url: String,
    folder: tempfile::TempDir,
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Served {
    /// Starts a server; `None` where this build has none, as that of a single crate.
    fn start(upstream: &Registry) -> Option<Self> {
        let binary: PathBuf = PathBuf::from(env!("CARGO_BIN_EXE_dx"))
            .with_file_name(format!("dx-registry{}", std::env::consts::EXE_SUFFIX));
        if !binary.exists() {
            // This build has none.
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let mut process = Command::new(binary)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", folder.path())
            .env("XDG_DATA_HOME", folder.path().join("data"))
            .args(["serve", "--listen", "127.0.0.1:0", "--upstream", upstream.url()])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.split("http://").nth(1).unwrap_or_else(|| panic!("{line:?}"));
        let url = format!("http://{}/", address.trim().trim_end_matches('/'));
        Some(Self { process, url, folder })
    }

    /// Returns a project that installs from the server.
    fn project(&self) -> ProjectBuilder {
        Project::offline().npmrc(&format!("registry={}", self.url))
    }
}

/// Numbers that look random, the same in each run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }

    /// Returns the number of a package that is optional, or required.
    fn one_of(&mut self, is_optional: bool) -> usize {
        if is_optional { ANYWHERE + self.below(PACKAGES - ANYWHERE) } else { self.below(ANYWHERE) }
    }

    fn one_in(&mut self, number: usize) -> bool {
        self.below(number) == 0
    }
}

const PACKAGES: usize = 24;
/// The packages below this number run on every platform.
const ANYWHERE: usize = 18;

fn name(number: usize) -> String {
    if number.is_multiple_of(5) { format!("@s/p{number}") } else { format!("p{number}") }
}

/// Publishes packages that require one another in every way.
fn publish(registry: &Registry, numbers: &mut Numbers) {
    for number in 0..PACKAGES {
        for version in ["1.0.0", "1.1.0", "2.0.0"] {
            let mut package = registry.package(&name(number), version);
            let spec = |numbers: &mut Numbers| ["^1", "^2", "*", "1.0.0"][numbers.below(4)];
            for _ in 0..numbers.below(4) {
                let (kind, spec) = (numbers.below(8), spec(numbers));
                let other = name(numbers.one_of(kind == 2));
                package = match kind {
                    0 => package.peer(&other, spec),
                    1 => package.peer_optional(&other, spec),
                    2 => package.optional(&other, spec),
                    _ => package.dep(&other, spec),
                };
            }
            if number >= ANYWHERE && numbers.one_in(2) {
                package = package.os(["plan9"]);
            }
            if numbers.one_in(5) {
                package = package.bin(&format!("tool{number}"), "cli.js").file("cli.js", "#!x");
            }
            if numbers.one_in(6) {
                package = package.field("license", "ISC").deprecated("old");
            }
            if numbers.one_in(8) {
                package = package.engines("node", ">=99");
            }
            package.file("index.js", format!("{number} {version}")).publish();
        }
    }
}

/// Returns what a run said, without its times.
fn said(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.contains("speaks DXRP"));
    let without_time = |line: &str| line.split(" in ").next().unwrap_or_default().to_owned();
    lines.map(without_time).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_plan_has_the_outcome_of_a_resolution_over_http() {
    let (mut planned, mut others) = (0, Vec::new());
    for seed in 1..=8 {
        let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(seed));
        let registry = Registry::start();
        publish(&registry, &mut numbers);
        let Some(served) = Served::start(&registry) else { return };
        for _ in 0..2 {
            let wanted: Vec<_> = (0..1 + numbers.below(6))
                .map(|_| {
                    let spec = ["^1", "^2", "*", "latest", "1.0.0"][numbers.below(5)];
                    let kind = numbers.below(4);
                    (name(numbers.one_of(kind == 1)), spec, kind)
                })
                .collect();
            let with_override = numbers.one_in(3).then(|| name(numbers.below(PACKAGES)));
            let has_workspace = numbers.one_in(3);
            let project = || {
                let mut project = served.project();
                for (name, spec, kind) in &wanted {
                    project = match kind {
                        0 => project.dev(name, spec),
                        1 => project.optional(name, spec),
                        _ => project.dep(name, spec),
                    };
                }
                if let Some(name) = &with_override {
                    let rules = serde_json::json!({ name: { ".": "1.1.0", "p1": "1.0.0" } });
                    project = project.field("overrides", rules);
                }
                if has_workspace {
                    let manifest = r#"{"name":"w","version":"1.0.0","dependencies":{"p2":"*"}}"#;
                    project = project.field("workspaces", serde_json::json!(["w"]));
                    project = project.file("w/package.json", manifest);
                }
                project.create()
            };
            let (over_http, by_dxrp) = (project(), project());
            let expected = command(&over_http).args(["install", "--dxrp=off"]).run();
            let found = command(&by_dxrp).args(["install", "--verbose"]).run();
            let case = format!("seed {seed}: {wanted:?} {with_override:?}\n{expected}\n{found}");
            assert_eq!(found.status, expected.status, "{case}");
            if expected.status != Some(0) {
                continue;
            }
            let lock = |project: &Project| project.read("package-lock.json");
            assert!(lock(&by_dxrp) == lock(&over_http), "the lockfiles differ: {case}");
            assert_eq!(tree(&by_dxrp), tree(&over_http), "{case}");
            // A plan that a resolution would change, as with peers that contradict each other, is
            // passed over.
            let instead = found.stderr.lines().find(|line| line.contains("is of no use"));
            let is_used = found.stderr.contains("speaks DXRP and signs");
            planned += usize::from(instead.is_none() && is_used);
            others.extend(instead.map(str::to_owned));
            let expected = command(&project()).args(["install", "--dxrp=off"]).run();
            let found = command(&project()).args(["install"]).run();
            assert_eq!(said(&found.stdout), said(&expected.stdout), "{case}");
            assert_eq!(said(&found.stderr), said(&expected.stderr), "{case}");
        }
    }
    assert!(planned >= 3, "{planned} plans were of use: {others:#?}");
}

#[test]
fn a_plan_and_its_packages_are_one_request() {
    let registry = Registry::start();
    for number in 0..30 {
        let package = registry.package(&format!("p{number}"), "1.0.0");
        let next = format!("p{}", number + 1);
        let package = if number < 29 { package.dep(&next, "^1") } else { package };
        package.publish();
    }
    let Some(served) = Served::start(&registry) else { return };
    let project = served.project().dep("p0", "^1").create();
    let run = ok(&project, ["install", "--verbose"]);
    assert!(!run.stderr.contains("over HTTP"), "{run}");
    assert!(run.stderr.contains("speaks DXRP and signs"), "{run}");
    assert_eq!(counted(&run.stdout, "metadata requests"), 0, "{run}");
    assert_eq!(project.installed().len(), 30);
    // The store's packages are not sent again, and what is new is resolved anew.
    registry.package("q", "1.0.0").dep("p3", "*").publish();
    let other = served.project().dep("q", "*").dep("p20", "^1").store(project.store()).create();
    ok(&other, ["install"]);
    assert_eq!(other.installed().len(), 28);
    ok(&other, ["store", "verify"]);
    assert!(served.folder.path().exists());
}

#[test]
fn another_version_comes_as_its_difference_from_the_one_that_is_held() {
    let registry = Registry::start();
    let mut text: Vec<u8> = crate::harness::incompressible();
    registry.package("tool", "1.0.0").file("data.bin", text.clone()).publish();
    text[1000] ^= 1;
    registry.package("tool", "1.0.1").file("data.bin", text.clone()).publish();
    let Some(served) = Served::start(&registry) else { return };
    // In continuous integration, the package is stored at once.
    let other = served.project().dep("tool", "1.0.0").create();
    command(&other).args(["install"]).env("CI", "1").run().success();
    other.write("package.json", r#"{"dependencies":{"tool":"1.0.1"}}"#);
    let run = command(&other)
        .args(["install", "--verbose", "--dxrp=required"])
        .env("CI", "1")
        .run()
        .success();
    let bytes: u64 = counted(&run.stdout, "bytes received");
    assert!(bytes < 200_000, "{bytes} bytes of {}: {run}", text.len());
    assert_eq!(std::fs::read(other.path().join("node_modules/tool/data.bin")).unwrap(), text);
    ok(&other, ["store", "verify"]);
}

/// Returns a counter of a run with `--verbose`.
fn counted(said: &str, name: &str) -> u64 {
    let line = said.lines().find(|line| line.contains(name));
    let line = line.unwrap_or_else(|| panic!("no {name} in {said}"));
    let digits: String = line.chars().filter(char::is_ascii_digit).collect();
    digits.parse().unwrap()
}

//! Installs through a `dx-registry` process: with its plans and packages, the outcome is that of
//! HTTP.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
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
    pub(super) fn start(upstream: &Registry) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let (process, url) = Self::run(upstream, folder.path())?;
        Some(Self { process, url, folder })
    }

    /// Kills the server.
    pub(super) fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Starts it again, with what it had written.
    pub(super) fn start_again(&mut self, upstream: &Registry) {
        let (process, url) = Self::run(upstream, self.folder.path()).unwrap();
        (self.process, self.url) = (process, url);
    }

    /// Returns where it listens: host and port.
    pub(super) fn address(&self) -> String {
        self.url.trim_start_matches("http://").trim_end_matches('/').to_owned()
    }

    fn run(upstream: &Registry, folder: &Path) -> Option<(Child, String)> {
        let binary: PathBuf = PathBuf::from(env!("CARGO_BIN_EXE_dx"))
            .with_file_name(format!("dx-registry{}", std::env::consts::EXE_SUFFIX));
        if !binary.exists() {
            // This build has none.
            return None;
        }
        let mut process = Command::new(binary)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", folder)
            .env("XDG_DATA_HOME", folder.join("data"))
            .args(["serve", "--listen", "127.0.0.1:0", "--upstream", upstream.url()])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.split("http://").nth(1).unwrap_or_else(|| panic!("{line:?}"));
        Some((process, format!("http://{}/", address.trim().trim_end_matches('/'))))
    }

    /// Returns a project that installs from the server.
    pub(super) fn project(&self) -> ProjectBuilder {
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
            if numbers.one_in(6) {
                // Nobody has that.
                let spec = ["^9", "^1"][numbers.below(2)];
                let gone = if spec == "^9" { name(numbers.below(PACKAGES)) } else { "gone".into() };
                package = package.optional(&gone, spec);
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

/// A project that is generated: what it requires, and how.
struct Wanted {
    requirements: Vec<(String, &'static str, usize)>,
    with_override: Option<String>,
    has_workspace: bool,
}

impl Wanted {
    fn new(numbers: &mut Numbers) -> Self {
        let requirements = (0..1 + numbers.below(6))
            .map(|_| {
                let spec = ["^1", "^2", "*", "latest", "1.0.0"][numbers.below(5)];
                let kind = numbers.below(4);
                (name(numbers.one_of(kind == 1)), spec, kind)
            })
            .collect();
        let with_override = numbers.one_in(3).then(|| name(numbers.below(PACKAGES)));
        Self { requirements, with_override, has_workspace: numbers.one_in(3) }
    }

    fn project(&self, served: &Served) -> Project {
        let mut project = served.project();
        for (name, spec, kind) in &self.requirements {
            project = match kind {
                0 => project.dev(name, spec),
                1 => project.optional(name, spec),
                _ => project.dep(name, spec),
            };
        }
        if let Some(name) = &self.with_override {
            let rules = serde_json::json!({ name: { ".": "1.1.0", "p1": "1.0.0" } });
            project = project.field("overrides", rules);
        }
        if self.has_workspace {
            let manifest = r#"{"name":"w","version":"1.0.0","dependencies":{"p2":"*"}}"#;
            project = project.field("workspaces", serde_json::json!(["w"]));
            project = project.file("w/package.json", manifest);
        }
        project.create()
    }
}

impl std::fmt::Display for Wanted {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { requirements, with_override, has_workspace } = self;
        write!(out, "{requirements:?} {with_override:?} {has_workspace}")
    }
}

/// What became of the plans that were asked for.
#[derive(Debug, Default)]
struct Tally {
    planned: usize,
    passed_over: usize,
    refused: usize,
    conflicts: usize,
    gaps: usize,
}

impl Tally {
    /// Counts what a run with `--verbose` said.
    fn count(&mut self, run: &dx_pkg_testkit::Run) {
        if run.stderr.contains("is of no use") {
            self.passed_over += 1;
            return;
        }
        let is_refused = run.stderr.contains("the DXRP server refuses");
        self.refused += usize::from(is_refused);
        self.planned += usize::from(!is_refused);
        self.conflicts += usize::from(!is_refused && run.stderr.contains(" needs "));
        self.gaps += usize::from(!is_refused && run.stderr.contains("warning: optional:"));
    }
}

#[test]
fn a_plan_has_the_outcome_of_a_resolution_over_http() {
    let mut tally = Tally::default();
    for seed in 1..=10 {
        let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(seed));
        let registry = Registry::start();
        publish(&registry, &mut numbers);
        let Some(served) = Served::start(&registry) else { return };
        for _ in 0..3 {
            let wanted = Wanted::new(&mut numbers);
            let (over_http, by_dxrp) = (wanted.project(&served), wanted.project(&served));
            let expected = command(&over_http).args(["install", "--dxrp=off"]).run();
            let found = command(&by_dxrp).args(["install", "--verbose"]).run();
            let case = format!("seed {seed}: {wanted}\n{expected}\n{found}");
            assert_eq!(found.status, expected.status, "{case}");
            tally.count(&found);
            if expected.status != Some(0) {
                continue;
            }
            let lock = |project: &Project| project.read("package-lock.json");
            assert!(lock(&by_dxrp) == lock(&over_http), "the lockfiles differ: {case}");
            assert_eq!(tree(&by_dxrp), tree(&over_http), "{case}");
            // The next install finds nothing to do.
            let again = command(&by_dxrp).args(["install"]).run().success();
            assert!(lock(&by_dxrp) == lock(&over_http), "{again}");
        }
    }
    assert!(tally.planned >= 24 && tally.conflicts >= 1 && tally.gaps >= 3, "{tally:?}");
    assert!(tally.passed_over <= 1, "{tally:?}");
}

#[test]
fn a_change_of_a_lockfile_has_the_outcome_of_one_over_http() {
    let mut tally = Tally::default();
    for seed in 1..=6 {
        let mut numbers = Numbers(0xd134_2543_de82_ef95_u64.wrapping_mul(seed));
        let registry = Registry::start();
        publish(&registry, &mut numbers);
        let Some(served) = Served::start(&registry) else { return };
        for _ in 0..3 {
            let wanted = Wanted::new(&mut numbers);
            let first = wanted.project(&served);
            if command(&first).args(["install", "--dxrp=off"]).run().status != Some(0) {
                continue;
            }
            // Something newer than the lockfile has, which neither store nor server knows yet.
            let newer = name(numbers.below(ANYWHERE));
            let version = format!("1.{}.0", 5 + numbers.below(90));
            registry.package(&newer, &version).publish();
            let Some(other) = Served::start(&registry) else { return };
            let lock = first.read("package-lock.json").replace(&served.url, &other.url);
            let (over_http, by_dxrp) = (wanted.project(&other), wanted.project(&other));
            over_http.write("package-lock.json", &lock);
            by_dxrp.write("package-lock.json", &lock);
            let added = name(numbers.below(ANYWHERE));
            let spec = format!("{added}@{}", ["^1", "*", "1.1.0"][numbers.below(3)]);
            let words = match numbers.below(3) {
                0 => vec!["add", &spec],
                1 => vec!["update", &newer],
                _ => vec!["update"],
            };
            let run = |project: &Project, flag| {
                command(project).args(words.iter().copied()).args([flag, "--verbose"]).run()
            };
            let expected = run(&over_http, "--dxrp=off");
            let found = run(&by_dxrp, "--dxrp=auto");
            let case = format!("seed {seed}: {wanted} {words:?}\n{expected}\n{found}");
            assert_eq!(found.status, expected.status, "{case}");
            tally.count(&found);
            if expected.status != Some(0) {
                continue;
            }
            for file in ["package-lock.json", "package.json"] {
                assert_eq!(by_dxrp.read(file), over_http.read(file), "{file}: {case}");
            }
            assert_eq!(tree(&by_dxrp), tree(&over_http), "{case}");
        }
    }
    assert!(tally.planned >= 9 && tally.passed_over <= 2, "{tally:?}");
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
fn what_is_for_another_platform_is_neither_sent_nor_asked_about() {
    let registry = Registry::start();
    let elsewhere = registry.package("elsewhere", "1.0.0").os(["plan9"]).dep("beyond", "1");
    elsewhere.field("license", "MIT").file("large", crate::harness::incompressible()).publish();
    let beyond = registry.package("beyond", "1.0.0").field("license", "ISC");
    beyond.file("large", crate::harness::incompressible()).publish();
    let top = registry.package("top", "1.0.0").optional("elsewhere", "1").field("license", "0BSD");
    let names: Vec<String> = (0..20).map(|number| format!("elsewhere-{number}")).collect();
    let top = names.iter().fold(top, |top, name| {
        registry.package(name, "1.0.0").os(["plan9"]).field("license", "MIT").publish();
        top.optional(name, "1")
    });
    top.publish();
    let Some(served) = Served::start(&registry) else { return };
    let over_http = served.project().dep("top", "1").create();
    ok(&over_http, ["install", "--dxrp=off"]);
    let project = served.project().dep("top", "1").create();
    let run = ok(&project, ["install", "--verbose"]);
    assert_eq!(project.read("package-lock.json"), over_http.read("package-lock.json"));
    for license in ["MIT", "ISC", "0BSD"] {
        assert!(project.read("package-lock.json").contains(license), "{license}");
    }
    // Connections that switch.
    assert!(counted(&run.stdout, "completed requests") <= 10, "{run}");
    assert!(counted(&run.stdout, "bytes received") < 100_000, "{run}");
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

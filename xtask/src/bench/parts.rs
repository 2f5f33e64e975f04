//! `cargo xtask bench parts`: single parts of dx beside their baselines.
//!
//! The criterion benches of the crates measure what is Rust; Node.js and Bun parse lockfiles in
//! processes of their own; resolution is a command, timed as the scenarios are.

use super::fixtures::Fixture;
use super::managers::{self, Kind, Manager, Peers};
use super::place::Place;
use super::results::{Part, median};
use super::scenario::Scenario;
use super::server::Server;
use super::{disk, images};
use crate::dx::run;
use crate::options::Options;
use crate::workspace;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The fixture whose lockfiles and resolution are measured.
const FIXTURE: &str = "large";
/// The number of times that resolution is timed.
const RUNS: usize = 5;
/// Parses the file of the first argument again and again; prints the median in nanoseconds.
const TIMER: &str = "
const text = require('fs').readFileSync(process.argv[2], 'utf8'), times = [];
const parse = PARSE;
for (let round = 0; round < 60; round++) {
  const started = process.hrtime.bigint();
  parse(text);
  if (round >= 10) times.push(Number(process.hrtime.bigint() - started));
}
console.log(times.sort((a, b) => a - b)[25]);
";

/// Measures every part, or the group of `--only`.
pub(crate) fn measure(options: &Options) -> Result<Vec<Part>, String> {
    let peers = Peers::new(options)?;
    let (managers, _) = managers::installed(options, &peers)?;
    let data = super::data(options)?;
    let place = Parts { managers, peers, root: super::root(options)?, data, parts: Vec::new() };
    place.run(options)
}

struct Parts {
    managers: Vec<Manager>,
    peers: Peers,
    root: PathBuf,
    data: PathBuf,
    parts: Vec<Part>,
}

impl Parts {
    fn run(mut self, options: &Options) -> Result<Vec<Part>, String> {
        let wanted = |group: &str| options.value("only").is_none_or(|only| only == group);
        let lockfiles = super::folder().join("lockfiles");
        if wanted("resolve") || wanted("lockfile") {
            self.resolution(&lockfiles)?;
        }
        if wanted("lockfile") {
            let package_lock = lockfiles.join("package-lock.json");
            self.criterion(
                "dx-pkg-compat",
                "lockfile",
                &[("BENCH_LOCKFILE", package_lock.as_path())],
            )?;
            self.parsers(&lockfiles)?;
        }
        if wanted("package") {
            let tarball = self.data.join("tarballs/lodash/-/lodash-4.17.21.tgz");
            let tarball = tarball.exists().then_some(tarball);
            let named = tarball.as_deref().map(|path| ("BENCH_TARBALL", path));
            self.criterion("dx-pkg-compat", "package", named.as_slice())?;
        }
        if wanted("store") {
            self.criterion("dx-pkg-store", "lookup", &[])?;
        }
        if wanted("downloads") {
            self.criterion("dx-pkg-fetch", "downloads", &[])?;
        }
        if wanted("registry") {
            println!("the recorded registry");
            for (name, seconds) in super::registry::measure(&self.data)? {
                self.push("registry", &name, Some(seconds), "");
            }
        }
        if wanted("files") {
            self.files()?;
        }
        Ok(self.parts)
    }

    /// Runs a bench and takes its medians.
    fn criterion(
        &mut self,
        package: &str,
        bench: &str,
        variables: &[(&str, &Path)],
    ) -> Result<(), String> {
        let home = super::folder().join("criterion");
        disk::remove(&home)?;
        let mut cargo = Command::new("cargo");
        cargo.args(["bench", "--profile", "fast", "--package", package, "--bench", bench]);
        cargo.current_dir(workspace::root()).env("CRITERION_HOME", &home);
        cargo.envs(variables.iter().map(|(name, path)| (name, path.as_os_str())));
        println!("{package}: {bench}");
        run(cargo)?;
        for group in names(&home)? {
            for name in names(&home.join(&group))? {
                let path = home.join(&group).join(&name).join("new/estimates.json");
                let Ok(text) = fs::read_to_string(&path) else { continue };
                let estimates: serde_json::Value = serde_json::from_str(&text)
                    .map_err(|error| format!("{}: {error}", path.display()))?;
                let nanoseconds = estimates["median"]["point_estimate"].as_f64();
                self.push(&group, &name, nanoseconds.map(|value| value / 1e9), "");
            }
        }
        Ok(())
    }

    fn push(&mut self, group: &str, name: &str, seconds: Option<f64>, note: &str) {
        let shown = seconds
            .map_or_else(|| format!("not measured: {note}"), |seconds| format!("{seconds:.9} s"));
        println!("  {group} {name}: {shown}");
        self.parts.push(Part {
            group: group.to_owned(),
            name: name.to_owned(),
            seconds,
            note: note.to_owned(),
        });
    }

    fn manager(&self, kind: Kind) -> Option<Manager> {
        self.managers.iter().find(|manager| manager.kind == kind).cloned()
    }

    /// Lockfiles written by each manager, which shows how long it takes to resolve.
    fn resolution(&mut self, lockfiles: &Path) -> Result<(), String> {
        let fixture = Fixture::find(FIXTURE)?;
        let server = Server::start(&self.data, false)?;
        let root = self.root.join("resolve");
        fs::create_dir_all(lockfiles)
            .map_err(|error| format!("{}: {error}", lockfiles.display()))?;
        for kind in [Kind::Dx, Kind::Npm, Kind::Bun, Kind::Pnpm] {
            let Some(manager) = self.manager(kind) else { continue };
            let place = Place::new(&root, &manager, fixture, &self.peers.node())?;
            for (name, cached) in [("scratch", false), ("cached", true)] {
                let mut times = Vec::new();
                for _ in 0..RUNS {
                    times.push(place.resolve(&server, cached)?.wall);
                }
                self.push("resolve", &format!("{}-{name}", manager.name), median(times), "");
            }
            let written = place.lockfile();
            let kept = lockfiles.join(manager.lockfile());
            if kind != Kind::Npm {
                fs::copy(&written, &kept)
                    .map_err(|error| format!("{}: {error}", written.display()))?;
            }
        }
        if let Some(dx) = self.manager(Kind::Dx) {
            let place = Place::new(&root, &dx, fixture, &self.peers.node())?;
            self.precomputed(&place, &server)?;
        }
        disk::remove(&root)
    }

    /// A whole install whose resolution is remembered; what it rests on is looked at, and the tree
    /// is put in place.
    fn precomputed(&mut self, place: &Place<'_>, server: &Server) -> Result<(), String> {
        let mut times = Vec::new();
        for round in 0..=RUNS {
            place.prepare(server, Scenario::Fresh, false)?;
            let cost = place.work(server, &place.manager.install())?;
            place.maintain(server)?;
            // The first, which follows from a lockfile, is what makes it known.
            if round > 0 {
                times.push(cost.wall);
            }
        }
        self.push("resolve", "dx-precomputed", median(times), "");
        Ok(())
    }

    /// Measures the others' own parsers on their lockfiles of the same project.
    fn parsers(&mut self, lockfiles: &Path) -> Result<(), String> {
        let node = self.peers.node();
        let bun = self.manager(Kind::Bun).and_then(|bun| bun.executable());
        let jobs = [
            ("node-package-lock", Some(node), "JSON.parse", "package-lock.json"),
            ("bun-bun-lock", bun.clone(), "text => Bun.JSONC.parse(text)", "bun.lock"),
            ("bun-pnpm-lock", bun, "text => Bun.YAML.parse(text)", "pnpm-lock.yaml"),
        ];
        let script = super::folder().join("timer.cjs");
        for (name, program, parse, lockfile) in jobs {
            let file = lockfiles.join(lockfile);
            let Some(program) = program.filter(|_| file.exists()) else {
                self.push("lockfile", name, None, "the manager is not installed");
                continue;
            };
            crate::dx::write(&script, &TIMER.replace("PARSE", parse))?;
            let mut command = Command::new(program);
            command.arg(&script).arg(&file);
            match run(command) {
                Ok(output) => {
                    let nanoseconds: Option<f64> =
                        String::from_utf8_lossy(&output.stdout).trim().parse().ok();
                    self.push("lockfile", name, nanoseconds.map(|value| value / 1e9), "");
                }
                Err(reason) => self.push("lockfile", name, None, &reason),
            }
        }
        Ok(())
    }

    /// Links and copies on file systems made for the purpose.
    fn files(&mut self) -> Result<(), String> {
        for kind in images::KINDS {
            match images::Image::mount(kind) {
                Ok(image) => {
                    let folders = PathBuf::from(format!("{kind}={}", image.folder().display()));
                    self.criterion("dx-pkg-os", "files", &[("BENCH_FOLDERS", folders.as_path())])?;
                }
                Err(reason) => self.push(&format!("files-{kind}"), "all", None, &reason),
            }
        }
        Ok(())
    }
}

fn names(folder: &Path) -> Result<Vec<String>, String> {
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let folders = entries.flatten().filter(|entry| entry.path().is_dir());
    let mut names: Vec<String> =
        folders.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    Ok(names)
}

//! `cargo xtask crash`: installs, and the process that works in the background after them, killed
//! at random moments, each followed by an install that must put everything right.
//!
//! Four situations take turns: an empty store; a store that all earlier kills of this kind have
//! been through; a project in which half of the dependencies are installed and the others were
//! added; and a project that has a prepared tree.

use crate::dx::{self, Dx, Fixture};
use crate::options::Options;
use crate::tree::{self, Snapshot};
use serde_json::Value;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Situation {
    EmptyStore,
    UsedStore,
    Update,
    PreparedTree,
}

const SITUATIONS: [Situation; 4] =
    [Situation::EmptyStore, Situation::UsedStore, Situation::Update, Situation::PreparedTree];

const INSTALL: [&str; 2] = ["install", "--ignore-scripts"];
const MAINTAIN: [&str; 3] = ["store", "maintain", "--background"];

/// The result of an undisturbed install, and the time that it and the maintenance after it take.
struct Reference {
    situation: Situation,
    snapshot: Snapshot,
    install: Duration,
    maintenance: Duration,
}

/// The processes of each kind that were killed before their end.
#[derive(Default)]
struct Killed {
    installs: u64,
    workers: u64,
}

struct Crash {
    dx: Dx,
    fixture: Fixture,
    place: PathBuf,
}

/// Kills and repairs `--runs` installs and as many workers; fails when one of the repaired projects
/// is not the reference.
pub(crate) fn run(options: &Options) -> Result<(), String> {
    let place = match options.path("root")? {
        Some(root) => {
            tempfile::tempdir_in(root).map_err(|error| format!("make a folder: {error}"))?
        }
        None => dx::workplace("crash")?,
    };
    let dx = Dx::new(options)?.with("DX_PREPARED_TREES", "1");
    let crash = Crash { dx, fixture: Fixture::new(options)?, place: place.path().to_owned() };
    let runs = options.number("runs", 100)?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |time| time.as_secs());
    let seed = options.number("seed", now)?;
    println!("{runs} runs, --seed {seed}");
    let started = Instant::now();
    let references: Vec<Reference> = SITUATIONS
        .into_iter()
        .map(|situation| crash.reference(situation))
        .collect::<Result<_, _>>()?;
    let mut random = Random(seed.wrapping_mul(2).wrapping_add(1));
    let (mut killed, mut wrong) = (Killed::default(), 0);
    for (run, reference) in (0..runs).zip(references.iter().cycle()) {
        let delays = [reference.install, reference.maintenance]
            .map(|time| time.mul_f64(random.unit() * 1.1));
        if let Err(error) = crash.kill_and_repair(run, reference, delays, &mut killed) {
            wrong += 1;
            println!("run {run}, {:?}, killed after {delays:?}: {error}", reference.situation);
        }
    }
    println!(
        "of {runs} installs {} and of {runs} workers {} were killed before their end; {wrong} wrong afterwards; {:?}",
        killed.installs,
        killed.workers,
        started.elapsed()
    );
    if wrong == 0 { Ok(()) } else { Err(format!("{wrong} of {runs} runs left something wrong")) }
}

impl Crash {
    fn reference(&self, situation: Situation) -> Result<Reference, String> {
        let name = format!("reference-{situation:?}");
        let store = self.store(situation, &name);
        if situation == Situation::UsedStore {
            let first = self.prepare("first-use", situation)?;
            self.dx.run(&first, &store, &INSTALL)?;
            self.dx.run(&first, &store, &["store", "maintain"])?;
        }
        let project = self.prepare(&name, situation)?;
        let alone = Alone::begin(&store)?;
        let install = self.dx.run(&project, &store, &INSTALL)?;
        tree::must_have_packages(&project)?;
        drop(alone);
        let maintenance = self.dx.run(&project, &store, &MAINTAIN)?;
        println!("{situation:?}: an install takes {install:?}, what follows {maintenance:?}");
        Ok(Reference { situation, snapshot: Snapshot::of(&project)?, install, maintenance })
    }

    /// Kills one install and checks the next, then kills the worker that follows it and checks the
    /// install after that, and the one from the tree that the next worker makes.
    fn kill_and_repair(
        &self,
        run: u64,
        reference: &Reference,
        [install, maintenance]: [Duration; 2],
        killed: &mut Killed,
    ) -> Result<(), String> {
        let name = format!("run-{run}");
        let project = self.prepare(&name, reference.situation)?;
        let store = self.store(reference.situation, &name);
        let is_right = || reference.snapshot.must_equal(&Snapshot::of(&project)?);
        let after = |what: &'static str| move |error: String| format!("{what}: {error}");
        let alone = Alone::begin(&store)?;
        killed.installs += u64::from(self.kill(&project, &store, &INSTALL, install)?);
        self.dx.run(&project, &store, &INSTALL)?;
        is_right().map_err(after("the install after the killed one"))?;
        drop(alone);
        killed.workers += u64::from(self.kill(&project, &store, &MAINTAIN, maintenance)?);
        let alone = Alone::begin(&store)?;
        remove(&project.join("node_modules"))?;
        self.dx.run(&project, &store, &INSTALL)?;
        is_right().map_err(after("the install after the killed worker"))?;
        drop(alone);
        self.dx.run(&project, &store, &["store", "maintain"])?;
        self.dx.run(&project, &store, &["store", "verify"])?;
        let alone = Alone::begin(&store)?;
        remove(&project.join("node_modules"))?;
        self.dx.run(&project, &store, &INSTALL)?;
        is_right().map_err(after("the install from the next prepared tree"))?;
        remove(&project)?;
        if store == self.place.join(format!("store-{name}")) {
            // Before a process that the install has started can work in it.
            remove(&store)?;
        }
        drop(alone);
        Ok(())
    }

    /// Starts a command and kills it after a while; whether that was before its end.
    fn kill(
        &self,
        project: &Path,
        store: &Path,
        arguments: &[&str],
        after: Duration,
    ) -> Result<bool, String> {
        let mut command = self.dx.command(project, store, arguments);
        let mut child = command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("{command:?}: {error}"))?;
        thread::sleep(after);
        let was_running = child.try_wait().map_err(|error| error.to_string())?.is_none();
        child.kill().and_then(|()| child.wait()).map_err(|error| format!("kill dx: {error}"))?;
        Ok(was_running)
    }

    /// A new project, ready for the install that is killed.
    fn prepare(&self, name: &str, situation: Situation) -> Result<PathBuf, String> {
        let project = self.place.join(name);
        self.fixture.write(&project)?;
        match situation {
            Situation::EmptyStore | Situation::UsedStore => {}
            Situation::Update => {
                let manifest = self.fixture.manifest()?;
                // A recorded registry may lack the versions that half of them would resolve to.
                let lockfile = self
                    .place
                    .join(format!("reference-{:?}/package-lock.json", Situation::EmptyStore));
                let lockfile = fs::read_to_string(&lockfile)
                    .map_err(|error| format!("{}: {error}", lockfile.display()))?;
                dx::write(&project.join("package.json"), &half(&manifest)?)?;
                dx::write(&project.join("package-lock.json"), &lockfile)?;
                self.dx.run(&project, &self.place.join("store-before"), &INSTALL)?;
                dx::write(&project.join("package.json"), &manifest)?;
                dx::write(&project.join("package-lock.json"), &lockfile)?;
            }
            Situation::PreparedTree => {
                let store = self.store(situation, name);
                self.dx.run(&project, &store, &INSTALL)?;
                self.dx.run(&project, &store, &["store", "maintain"])?;
                remove(&project.join("node_modules"))?;
            }
        }
        Ok(project)
    }

    fn store(&self, situation: Situation, name: &str) -> PathBuf {
        match situation {
            Situation::UsedStore | Situation::PreparedTree => {
                self.place.join(format!("store-{situation:?}"))
            }
            Situation::EmptyStore | Situation::Update => self.place.join(format!("store-{name}")),
        }
    }
}

/// Holds the lock of a store's background process, so that none works while this lives.
struct Alone {
    _lock: File,
}

impl Alone {
    fn begin(store: &Path) -> Result<Alone, String> {
        let folder = store.join("v1/locks");
        let open = || -> std::io::Result<File> {
            fs::create_dir_all(&folder)?;
            let lock = File::create(folder.join("background"))?;
            lock.lock()?;
            Ok(lock)
        };
        Ok(Alone { _lock: open().map_err(|error| format!("lock {}: {error}", folder.display()))? })
    }
}

/// The manifest with every second dependency of each section left out.
fn half(manifest: &str) -> Result<String, String> {
    let mut manifest: Value = serde_json::from_str(manifest).map_err(|error| error.to_string())?;
    for section in ["dependencies", "devDependencies", "optionalDependencies"] {
        if let Some(Value::Object(dependencies)) = manifest.get_mut(section) {
            let mut keep = false;
            dependencies.retain(|_, _| {
                keep = !keep;
                keep
            });
        }
    }
    Ok(manifest.to_string())
}

fn remove(folder: &Path) -> Result<(), String> {
    fs::remove_dir_all(folder).map_err(|error| format!("remove {}: {error}", folder.display()))
}

/// Marsaglia's xorshift64; the state is never 0.
struct Random(u64);

impl Random {
    /// A number from 0 up to, but not including, 1.
    fn unit(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        f64::from((self.0 >> 32) as u32) / (f64::from(u32::MAX) + 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::{Random, half};

    #[test]
    fn half_keeps_every_second_dependency() {
        let manifest =
            r#"{"name":"a","dependencies":{"a":"1","b":"1","c":"1"},"devDependencies":{"d":"1"}}"#;
        let expected =
            r#"{"name":"a","dependencies":{"a":"1","c":"1"},"devDependencies":{"d":"1"}}"#;
        assert_eq!(half(manifest).unwrap(), expected);
    }

    #[test]
    fn random_numbers_fill_the_unit_interval() {
        let mut random = Random(7);
        let drawn: Vec<f64> = (0..1000).map(|_| random.unit()).collect();
        assert!(drawn.iter().all(|number| (0.0..1.0).contains(number)));
        let mean = drawn.iter().sum::<f64>() / 1000.0;
        assert!((0.4..0.6).contains(&mean), "{mean}");
    }
}

//! `cargo xtask crash`: installs killed at random moments, each followed by one that must put everything right.
//!
//! Three situations take turns: an empty store; a store that all earlier kills of this kind have been through; and a
//! project in which half of the dependencies are installed and the others were added.

use crate::dx::{self, Dx, Fixture};
use crate::options::Options;
use crate::tree;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Situation {
    EmptyStore,
    UsedStore,
    Update,
}

const SITUATIONS: [Situation; 3] = [Situation::EmptyStore, Situation::UsedStore, Situation::Update];

/// What an install that nobody disturbs leads to.
struct Reference {
    situation: Situation,
    project: PathBuf,
    time: Duration,
}

struct Crash {
    dx: Dx,
    fixture: Fixture,
    place: PathBuf,
}

/// Kills and repairs `--runs` installs; fails when one of the repaired projects is not the reference.
pub(crate) fn run(options: &Options) -> Result<(), String> {
    let place = dx::workplace("crash")?;
    let crash = Crash { dx: Dx::new(options)?, fixture: Fixture::new(options)?, place: place.path().to_owned() };
    let runs = options.number("runs", 100)?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |time| time.as_secs());
    let seed = options.number("seed", now)?;
    println!("{runs} runs, --seed {seed}");
    let references = SITUATIONS.map(|situation| crash.reference(situation));
    let mut random = Random(seed.wrapping_mul(2).wrapping_add(1));
    let (mut killed, mut wrong) = (0, 0);
    for run in 0..runs {
        let reference = references[(run % 3) as usize].as_ref().map_err(Clone::clone)?;
        let delay = reference.time.mul_f64(random.unit() * 1.1);
        let later = BACKGROUND.mul_f64(random.unit());
        match crash.kill_and_repair(run, reference, delay, later) {
            Ok(was_killed) => killed += u64::from(was_killed),
            Err(error) => {
                wrong += 1;
                println!("run {run}, {:?}, killed after {delay:?}: {error}", reference.situation);
            }
        }
    }
    println!(
        "{killed} killed before their end, {} over before the kill, {wrong} wrong afterwards",
        runs - killed - wrong
    );
    if wrong == 0 { Ok(()) } else { Err(format!("{wrong} of {runs} runs left something wrong")) }
}

/// In what time the background's work is killed; with an empty store it takes about so long.
const BACKGROUND: Duration = Duration::from_secs(2);

impl Crash {
    fn reference(&self, situation: Situation) -> Result<Reference, String> {
        let project = self.prepare(&format!("reference-{situation:?}"), situation)?;
        let store = self.store(situation, "reference");
        if situation == Situation::UsedStore {
            let first = self.prepare("first-use", situation)?;
            self.dx.run(&first, &store, &["install", "--ignore-scripts"])?;
        }
        let time = self.dx.run(&project, &store, &["install", "--ignore-scripts"])?;
        tree::must_have_packages(&project)?;
        Ok(Reference { situation, project, time })
    }

    /// Kills one install and checks the next, then kills what goes on in the background and checks the install after that;
    /// whether the first kill came before the end.
    fn kill_and_repair(
        &self,
        run: u64,
        reference: &Reference,
        delay: Duration,
        later: Duration,
    ) -> Result<bool, String> {
        let name = format!("run-{run}");
        let project = self.prepare(&name, reference.situation)?;
        let store = self.store(reference.situation, &name);
        let over = self.kill(&project, &store, &["install", "--ignore-scripts"], delay)?;
        self.dx.run(&project, &store, &["install", "--ignore-scripts"])?;
        same_tree(&reference.project, &project)?;
        self.kill(&project, &store, &["store", "settle"], later)?;
        remove(&project.join("node_modules"))?;
        self.dx.run(&project, &store, &["install", "--ignore-scripts"])?;
        same_tree(&reference.project, &project)?;
        self.dx.run(&project, &store, &["store", "settle"])?;
        self.dx.run(&project, &store, &["store", "verify"])?;
        remove(&project)?;
        if store == self.place.join(format!("store-{name}")) {
            remove(&store)?;
        }
        Ok(!over)
    }

    /// Starts a command and kills it after a while; whether it was over by then.
    fn kill(&self, project: &Path, store: &Path, arguments: &[&str], after: Duration) -> Result<bool, String> {
        let mut command = self.dx.command(project, store, arguments);
        let mut child = command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("{command:?}: {error}"))?;
        thread::sleep(after);
        let over = child.try_wait().map_err(|error| error.to_string())?.is_some();
        child.kill().and_then(|()| child.wait()).map_err(|error| format!("kill dx: {error}"))?;
        Ok(over)
    }

    /// A new project, ready for the install that is killed.
    fn prepare(&self, name: &str, situation: Situation) -> Result<PathBuf, String> {
        let project = self.place.join(name);
        self.fixture.write(&project)?;
        if situation == Situation::Update {
            let manifest = self.fixture.manifest()?;
            dx::write(&project.join("package.json"), &half(&manifest)?)?;
            self.dx.run(&project, &self.place.join("store-before"), &["install", "--ignore-scripts"])?;
            dx::write(&project.join("package.json"), &manifest)?;
        }
        Ok(project)
    }

    fn store(&self, situation: Situation, name: &str) -> PathBuf {
        match situation {
            Situation::UsedStore => self.place.join("store-used"),
            Situation::EmptyStore | Situation::Update => self.place.join(format!("store-{name}")),
        }
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

fn same_tree(reference: &Path, project: &Path) -> Result<(), String> {
    let differences = tree::differences(reference, project, &[])?;
    match differences.first() {
        Some(first) => Err(format!("{} differences; {first}", differences.len())),
        None => Ok(()),
    }
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
        let manifest = r#"{"name":"a","dependencies":{"a":"1","b":"1","c":"1"},"devDependencies":{"d":"1"}}"#;
        let expected = r#"{"name":"a","dependencies":{"a":"1","c":"1"},"devDependencies":{"d":"1"}}"#;
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

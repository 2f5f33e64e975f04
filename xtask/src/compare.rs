//! `cargo xtask compare npm`: dx and npm on the same project and registry, in three respects.
//! `compare generated` and `compare semver` are in [`generated`], `compare generated --only`
//! and `compare installs` in [`forms`].
//!
//! 1. `npm ci` and `dx ci` from npm's lockfile: the same packages, files, executable bits and
//!    links.
//! 2. Both resolve without a lockfile: the entries of their `package-lock.json`.
//! 3. What `npm ls --all` says of either tree.

mod forms;
mod generated;
mod lockfile;

use crate::dx::{self, Dx, Fixture, Npm};
use crate::options::Options;
use crate::{tree, workspace};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The differences printed of each respect.
const SHOWN: usize = 40;

/// The programs and folders of one comparison.
struct Comparison {
    dx: Dx,
    npm: Npm,
    fixture: Fixture,
    force: bool,
    place: PathBuf,
}

/// Compares in all three respects, prints what differs and fails when anything does.
pub(crate) fn run(options: &Options) -> Result<(), String> {
    match options.word() {
        Some("npm") => {}
        Some("generated") => {
            return match options.value("only") {
                Some(kinds) => forms::run(options, kinds, "compare-generated"),
                None => generated::projects(options),
            };
        }
        Some("semver") => return generated::ranges(options),
        Some("installs") => {
            let kind = match options.value("only") {
                None => "installs".to_owned(),
                Some("dedupe") => "dedupe".to_owned(),
                Some(kind) => format!("installs/{kind}"),
            };
            return forms::run(options, &kind, "compare-installs");
        }
        _ => {
            let known = "npm|generated|installs|semver";
            return Err(format!("compare what? `cargo xtask compare {known} …`"));
        }
    }
    let place = dx::workplace("compare")?;
    let comparison = Comparison {
        dx: Dx::new(options)?,
        npm: Npm::new(options)?,
        fixture: Fixture::new(options)?,
        force: options.has("force"),
        place: place.path().to_owned(),
    };
    let npm_lock = comparison.npm_resolves()?;
    let mut count = comparison.installs(&npm_lock)?;
    count += comparison.resolutions(&npm_lock)?;
    count += comparison.listings()?;
    if count == 0 { Ok(()) } else { Err(format!("{count} differences")) }
}

impl Comparison {
    /// A new copy of the fixture.
    fn project(&self, name: &str) -> Result<PathBuf, String> {
        let project = self.place.join(name);
        fs::create_dir_all(&project).map_err(|error| format!("{}: {error}", project.display()))?;
        self.fixture.write(&project)?;
        Ok(project)
    }

    fn npm(&self, project: &Path, arguments: &[&str]) -> Result<(), String> {
        let mut arguments = arguments.to_vec();
        if self.force {
            arguments.push("--force");
        }
        dx::run(self.npm.command(project, &self.place.join("npm-cache"), &arguments)).map(drop)
    }

    fn npm_resolves(&self) -> Result<String, String> {
        let project = self.project("npm-resolve")?;
        self.npm(&project, &["install", "--package-lock-only", "--ignore-scripts"])?;
        workspace::read(&project.join("package-lock.json"))
    }

    /// Installs npm's lockfile with both and counts the differences of the trees.
    fn installs(&self, lock: &str) -> Result<usize, String> {
        let (npm_project, dx_project) = (self.project("npm-ci")?, self.project("dx-ci")?);
        for project in [&npm_project, &dx_project] {
            dx::write(&project.join("package-lock.json"), lock)?;
        }
        self.npm_ci(&npm_project)?;
        self.dx.run(&dx_project, &self.place.join("store"), &["ci", "--ignore-scripts"])?;
        let (npm_packages, dx_packages) =
            (tree::packages(&npm_project)?, tree::packages(&dx_project)?);
        let packages = map_differences(&npm_packages, &dx_packages);
        let heading =
            format!("ci from npm's lockfile: packages ({} installed)", npm_packages.len());
        print(&heading, &packages);
        let files = tree::differences(&npm_project, &dx_project, &[])?;
        print("ci from npm's lockfile: files", &files);
        Ok(packages.len() + files.len())
    }

    /// `npm ci`, or `npm install` where npm refuses its own lockfile.
    ///
    /// npm leaves optional dependencies that the registry does not have out of the lockfile, and
    /// then misses them.
    fn npm_ci(&self, project: &Path) -> Result<(), String> {
        match self.npm(project, &["ci", "--ignore-scripts"]) {
            Err(error) if error.contains("code EUSAGE") => {
                println!(
                    "npm ci refuses the lockfile that npm wrote: npm install stands in for it"
                );
                self.npm(project, &["install", "--ignore-scripts"])
            }
            outcome => outcome,
        }
    }

    /// Resolves with dx and counts the lockfile entries that differ from npm's.
    fn resolutions(&self, npm_lock: &str) -> Result<usize, String> {
        let project = self.project("dx-resolve")?;
        self.dx.run(
            &project,
            &self.place.join("store"),
            &["install", "--lockfile-only", "--ignore-scripts"],
        )?;
        let dx_lock = workspace::read(&project.join("package-lock.json"))?;
        let differing = lockfile::differences(npm_lock, &dx_lock)?;
        print("package-lock.json without a lockfile before: entries", &differing);
        if differing.is_empty() && npm_lock != dx_lock {
            print(
                "package-lock.json: same entries, but not the same text",
                &["order or formatting".to_owned()],
            );
            return Ok(1);
        }
        Ok(differing.len())
    }

    /// Counts the lines in which `npm ls --all` differs between the two installed trees.
    fn listings(&self) -> Result<usize, String> {
        let npm = self.listing(&self.place.join("npm-ci"))?;
        let dx = self.listing(&self.place.join("dx-ci"))?;
        let mut differing = Vec::new();
        for index in 0..npm.len().max(dx.len()) {
            let (left, right) = (npm.get(index), dx.get(index));
            if left != right {
                differing.push(format!("npm: {left:?}\n     dx:  {right:?}"));
            }
        }
        print("npm ls --all: lines", &differing);
        Ok(differing.len())
    }

    fn listing(&self, project: &Path) -> Result<Vec<String>, String> {
        let mut command =
            self.npm.command(project, &self.place.join("npm-cache"), &["ls", "--all"]);
        let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
        let own = project.display().to_string();
        let text = [&output.stdout[..], &output.stderr[..]].concat();
        let text = String::from_utf8_lossy(&text).replace(&own, "[PROJECT]");
        let name = project.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut lines: Vec<String> =
            text.lines().map(|line| line.replace(&name, "[NAME]")).collect();
        // The path of the log of this very run.
        lines.retain(|line| !line.contains("debug-0.log") && !line.contains("complete log"));
        lines.push(format!("exit code {:?}", output.status.code()));
        Ok(lines)
    }
}

fn map_differences(npm: &BTreeMap<String, String>, dx: &BTreeMap<String, String>) -> Vec<String> {
    let paths: std::collections::BTreeSet<_> = npm.keys().chain(dx.keys()).collect();
    let differing = paths.into_iter().filter(|path| npm.get(*path) != dx.get(*path));
    differing
        .map(|path| format!("{path}: npm {:?}, dx {:?}", npm.get(path), dx.get(path)))
        .collect()
}

fn print(heading: &str, differences: &[String]) {
    println!("{heading}: {} differ", differences.len());
    for difference in differences.iter().take(SHOWN) {
        println!("  {difference}");
    }
    if differences.len() > SHOWN {
        println!("  … and {} more", differences.len() - SHOWN);
    }
}

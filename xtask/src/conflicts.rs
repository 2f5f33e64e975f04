//! `cargo xtask conflicts`: what npm and dx make of projects with peer conflicts, as a table.
//!
//! Each folder with a `package.json` below `--fixture` is a case. npm installs it, then dx; the
//! direct dependencies are loaded in Node.js; npm then installs dx's lockfile, with `ci` and with
//! `install`, and must not change it. `--before` freezes the state of the registry.

use crate::dx::{self, Dx};
use crate::options::Options;
use crate::workspace;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The lines between which the table is written into the page.
const MARKS: [&str; 2] = ["<!-- cases -->", "<!-- end of cases -->"];
/// The page.
const PAGE: &str = "docs/peer-conflicts.md";

/// The programs of a run.
struct Programs {
    dx: Dx,
    node: PathBuf,
    npm: PathBuf,
    before: Option<String>,
}

/// The outcome of one case, in the words of the table.
struct Row {
    name: String,
    npm: &'static str,
    dx: String,
    solution: String,
    loads: String,
    ci: &'static str,
    again: &'static str,
}

/// Runs every case and writes the table into the page, or prints it where `--only` names a case.
pub(crate) fn run(options: &Options) -> Result<(), String> {
    let fixture = options.path("fixture")?.ok_or("this task needs --fixture")?;
    let npm = options.path("npm")?.ok_or("this task needs --npm")?;
    let node = options.path("node")?.unwrap_or_else(|| PathBuf::from("node"));
    let before = options.value("before").map(str::to_owned);
    let programs = Programs { dx: Dx::new(options)?, node, npm, before };
    let place = dx::workplace("conflicts")?;
    let mut rows = Vec::new();
    for name in cases(&fixture)? {
        if options.value("only").is_some_and(|only| only != name) {
            continue;
        }
        let row = case(&programs, &fixture.join(&name), &name, place.path())?;
        println!("{}", row.line());
        rows.push(row);
    }
    if options.value("only").is_some() { Ok(()) } else { write(&rows) }
}

fn cases(fixture: &Path) -> Result<Vec<String>, String> {
    let failed = |error: std::io::Error| format!("{}: {error}", fixture.display());
    let mut names = Vec::new();
    for entry in fs::read_dir(fixture).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if entry.path().join("package.json").exists() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

fn case(programs: &Programs, case: &Path, name: &str, place: &Path) -> Result<Row, String> {
    let [own, npms] = ["dx", "npm"].map(|who| place.join(format!("{name}-{who}")));
    copy(case, &own)?;
    copy(case, &npms)?;
    let refused = programs.npm(&npms, place, &["install", "--package-lock-only"])?;
    let mut arguments = vec!["install", "--json", "--ignore-scripts"];
    arguments.extend(programs.before.iter().flat_map(|before| ["--before", before.as_str()]));
    let result = dx::run(programs.dx.command(&own, &place.join("store"), &arguments))?;
    let told: Value = serde_json::from_str(&String::from_utf8_lossy(&result.stdout))
        .map_err(|error| format!("{name}: {error}"))?;
    let lock = own.join("package-lock.json");
    let text = workspace::read(&lock)?;
    let loads = programs.loads(&own)?;
    let is_accepted = programs.npm(&own, place, &["ci"])?.status.success();
    let again = programs.npm(&own, place, &["install", "--package-lock-only"])?;
    let is_same = workspace::read(&lock)? == text;
    Ok(Row {
        name: name.to_owned(),
        npm: verdict(&refused),
        dx: finding(&told).to_owned(),
        solution: solution(&told),
        loads,
        ci: if is_accepted { "yes" } else { "no" },
        again: match (again.status.success(), is_same) {
            (true, true) => "yes",
            (true, false) => "no",
            (false, _) => "refuses",
        },
    })
}

fn verdict(output: &Output) -> &'static str {
    let text = String::from_utf8_lossy(&output.stderr);
    match output.status.success() {
        true => "installs",
        false if text.contains("ERESOLVE") => "ERESOLVE",
        false => "fails",
    }
}

fn finding(told: &Value) -> &str {
    match told["explanations"][0]["finding"].as_str() {
        Some("offer") => "offers",
        Some("given-up") => "gives up",
        Some(_) => "explains",
        None if told["solved"].as_array().is_some_and(|solved| !solved.is_empty()) => "solves",
        None if told["conflicts"].as_array().is_some_and(|found| !found.is_empty()) => "warns",
        None => "installs",
    }
}

/// Returns what was moved, or the changes that would help.
fn solution(told: &Value) -> String {
    let texts = |list: &Value| -> Vec<String> {
        let items = list.as_array().map(Vec::as_slice).unwrap_or_default();
        items.iter().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let solved = texts(&told["solved"]);
    if !solved.is_empty() {
        return solved.join(", ");
    }
    let changes = told["explanations"][0]["changes"].as_array();
    let commands = changes.into_iter().flatten().map(|change| match change["command"].as_str() {
        Some(command) => format!("`{command}`"),
        None => edits(change),
    });
    commands.collect::<Vec<_>>().join("; ")
}

/// Returns a change that no command makes: the lines of a workspace's manifest.
fn edits(change: &Value) -> String {
    let wanted = change["requirements"].as_object().into_iter().flatten();
    let lines = wanted.map(|(name, range)| format!("`\"{name}\": {range}`"));
    let importer = change["importer"].as_str().unwrap_or_default();
    format!("{} in {importer}", lines.collect::<Vec<_>>().join(", "))
}

impl Programs {
    fn npm(&self, project: &Path, place: &Path, arguments: &[&str]) -> Result<Output, String> {
        let mut command = Command::new(&self.node);
        command.arg(&self.npm).args(arguments).current_dir(project);
        command.args(["--ignore-scripts", "--no-audit", "--no-fund"]);
        command.arg("--cache").arg(place.join("npm-cache"));
        command.args(self.before.iter().map(|before| format!("--before={before}")));
        command.output().map_err(|error| format!("npm: {error}"))
    }

    /// Returns which of the direct dependencies Node.js cannot load, of the project and its
    /// workspaces.
    fn loads(&self, project: &Path) -> Result<String, String> {
        const LOAD: &str = "
            const fs = require('fs'), path = require('path');
            const { createRequire } = require('module');
            const own = ['.', ...fs.globSync('apps/*'), ...fs.globSync('packages/*')];
            (async () => {
                const failed = [];
                for (const folder of own) {
                    const at = path.resolve(folder);
                    const text = fs.readFileSync(path.join(at, 'package.json'), 'utf8');
                    const { dependencies, devDependencies } = JSON.parse(text);
                    const require = createRequire(path.join(at, 'x.js'));
                    for (const name of Object.keys({ ...dependencies, ...devDependencies })) {
                        try { require(name); continue; } catch {}
                        const entry = path.join(at, `load-${Math.random()}.mjs`);
                        fs.writeFileSync(entry, `import ${JSON.stringify(name)}`);
                        try { await import(entry); } catch { failed.push(name); }
                        fs.rmSync(entry);
                    }
                }
                console.log([...new Set(failed)].join(', ') || 'yes');
                process.exit(0);
            })();";
        let output = Command::new(&self.node)
            .args(["-e", LOAD])
            .current_dir(project)
            .output()
            .map_err(|error| format!("node: {error}"))?;
        let text = String::from_utf8_lossy(&output.stdout);
        match text.lines().last() {
            Some("yes") => Ok("yes".to_owned()),
            Some(names) => Ok(format!("not {names}")),
            None => Err(format!("node: {}", String::from_utf8_lossy(&output.stderr))),
        }
    }
}

/// Copies a case, with the manifests of its workspaces.
fn copy(from: &Path, to: &Path) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{}: {error}", from.display());
    fs::create_dir_all(to).map_err(failed)?;
    for entry in fs::read_dir(from).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            let text = workspace::read(&entry.path())?;
            fs::write(&target, text).map_err(failed)?;
        }
    }
    Ok(())
}

impl Row {
    fn line(&self) -> String {
        let Row { name, npm, dx, solution, loads, ci, again } = self;
        format!("| {name} | {npm} | {dx} | {solution} | {loads} | {ci} | {again} |")
    }
}

/// Writes the table into the page.
fn write(rows: &[Row]) -> Result<(), String> {
    let path = workspace::root().join(PAGE);
    let text = workspace::read(&path)?;
    let parts = text.split_once(MARKS[0]).zip(text.split_once(MARKS[1]));
    let Some(((before, _), (_, after))) = parts else {
        return Err(format!("{PAGE} has no {} and {}", MARKS[0], MARKS[1]));
    };
    let heading = "| Case | npm | dx | Versions, or what would help | Loads in Node.js \
                   | `npm ci` accepts | `npm install` changes nothing |\n|---|---|---|---|---|---|---|";
    let lines: Vec<String> = rows.iter().map(Row::line).collect();
    let table = format!("{}\n\n{heading}\n{}\n\n{}", MARKS[0], lines.join("\n"), MARKS[1]);
    fs::write(&path, format!("{before}{table}{after}")).map_err(|error| format!("{PAGE}: {error}"))
}

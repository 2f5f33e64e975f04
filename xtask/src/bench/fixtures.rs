//! The projects that are installed, and what is changed in them.

use super::disk::write;
use crate::workspace;
use serde_json::{Map, Value, json};
use std::path::Path;

/// The script that `run` starts.
pub(crate) const SCRIPT: &str = "bench-nothing";
/// The workspaces of the monorepo.
const WORKSPACES: usize = 50;
/// The registry packages that each of them depends on.
const DEPENDENCIES: usize = 8;
/// The distance in `large` between the dependencies of a workspace.
const STEP: usize = 5;

/// A project and the changes that scenarios make to it.
pub(crate) struct Fixture {
    pub(crate) name: &'static str,
    pub(crate) workspaces: bool,
    /// The package that is added to it; the versions it brings are in the cache by then.
    pub(crate) add: &'static str,
    /// The direct dependency that is taken away.
    pub(crate) remove: &'static str,
    /// The direct dependency that is changed, and the version it is changed to.
    pub(crate) update: (&'static str, &'static str),
}

/// Every fixture, from the smallest.
pub(crate) const FIXTURES: [Fixture; 5] = [
    Fixture {
        name: "tiny",
        workspaces: false,
        add: "react-is",
        remove: "react-dom",
        update: ("react-dom", "19.0.0"),
    },
    Fixture {
        name: "medium",
        workspaces: false,
        add: "react-is",
        remove: "tailwindcss",
        update: ("typescript", "5.4.5"),
    },
    Fixture {
        name: "large",
        workspaces: false,
        add: "react-is",
        remove: "react-select",
        update: ("axios", "1.6.8"),
    },
    Fixture {
        name: "monorepo",
        workspaces: true,
        add: "react-is",
        remove: "husky",
        update: ("prettier", "3.2.5"),
    },
    Fixture {
        name: "huge",
        workspaces: false,
        add: "react-is",
        remove: "husky",
        update: ("axios", "1.6.8"),
    },
];

impl Fixture {
    /// The fixture of this name.
    pub(crate) fn find(name: &str) -> Result<&'static Fixture, String> {
        let names = || FIXTURES.map(|fixture| fixture.name).join(", ");
        FIXTURES
            .iter()
            .find(|fixture| fixture.name == name)
            .ok_or_else(|| format!("no fixture {name}: {}", names()))
    }

    /// Writes its manifests; what else lies in the folder stays.
    pub(crate) fn write(&self, project: &Path) -> Result<(), String> {
        if self.workspaces {
            return write_monorepo(project);
        }
        let mut manifest = manifest(self.name)?;
        manifest["scripts"] = json!({ SCRIPT: "exit 0" });
        write_json(&project.join("package.json"), &manifest)
    }
}

fn manifest(name: &str) -> Result<Value, String> {
    let path = workspace::root().join("xtask/fixtures").join(format!("{name}.package.json"));
    serde_json::from_str(&workspace::read(&path)?)
        .map_err(|error| format!("{}: {error}", path.display()))
}

fn write_json(path: &Path, value: &Value) -> Result<(), String> {
    write(path, &format!("{value:#}\n"))
}

/// Workspaces that take turns through the dependencies of `large`, each on two of the workspaces
/// before it.
fn write_monorepo(project: &Path) -> Result<(), String> {
    let large = manifest("large")?;
    let pool: Vec<(&String, &Value)> =
        large["dependencies"].as_object().into_iter().flatten().collect();
    let tools = ["eslint", "husky", "prettier", "typescript"];
    let tools: Map<String, Value> = pool
        .iter()
        .filter(|(name, _)| tools.contains(&name.as_str()))
        .map(|(name, range)| ((*name).clone(), (*range).clone()))
        .collect();
    write_json(
        &project.join("package.json"),
        &json!({
            "name": "monorepo",
            "version": "1.0.0",
            "private": true,
            "workspaces": ["packages/*"],
            "scripts": { SCRIPT: "exit 0" },
            "devDependencies": tools,
        }),
    )?;
    for number in 1..=WORKSPACES {
        let mut dependencies = Map::new();
        for turn in 0..DEPENDENCIES {
            // The step shares no factor with the size of the pool, so that every dependency has its
            // turn.
            let (name, range) = pool[(number * DEPENDENCIES + turn) * STEP % pool.len()];
            dependencies.insert(name.clone(), range.clone());
        }
        for before in [number / 2, number - 1] {
            if before > 0 {
                dependencies.insert(format!("@monorepo/package-{before:02}"), json!("1.0.0"));
            }
        }
        let folder = project.join(format!("packages/package-{number:02}"));
        write_json(
            &folder.join("package.json"),
            &json!({
                "name": format!("@monorepo/package-{number:02}"),
                "version": "1.0.0",
                "private": true,
                "dependencies": dependencies,
            }),
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;

//! `cargo xtask concurrent`: installs that meet in one project or in one store.

use crate::dx::{self, Dx, Fixture};
use crate::options::Options;
use crate::tree;
use std::path::{Path, PathBuf};
use std::thread;

/// The times that two installs meet in one project.
const ROUNDS: usize = 5;
/// The projects that meet in one empty store.
const PROJECTS: usize = 10;

/// Runs both situations; fails when an install failed or led to another tree than an install alone.
pub(crate) fn run(options: &Options) -> Result<(), String> {
    let place = dx::workplace("concurrent")?;
    let place = place.path();
    let (dx, fixture) = (Dx::new(options)?, Fixture::new(options)?);
    let alone = place.join("alone");
    fixture.write(&alone)?;
    dx.run(&alone, &place.join("store-alone"), &["install", "--ignore-scripts"])?;
    tree::must_have_packages(&alone)?;

    let mut wrong = Vec::new();
    for round in 0..ROUNDS {
        let project = place.join(format!("shared-{round}"));
        fixture.write(&project)?;
        let store = place.join(format!("store-{round}"));
        wrong.extend(at_once(&dx, &[project.clone(), project.clone()], &store));
        wrong.extend(differences(&alone, &project));
    }
    println!("two installs in one project, {ROUNDS} times: {} wrong", wrong.len());

    let before = wrong.len();
    let projects: Vec<PathBuf> =
        (0..PROJECTS).map(|index| place.join(format!("project-{index}"))).collect();
    for project in &projects {
        fixture.write(project)?;
    }
    wrong.extend(at_once(&dx, &projects, &place.join("store-many")));
    wrong.extend(projects.iter().filter_map(|project| differences(&alone, project)));
    println!("{PROJECTS} projects with one empty store: {} wrong", wrong.len() - before);
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
}

/// Starts one install per project at the same time; what failed.
fn at_once(dx: &Dx, projects: &[PathBuf], store: &Path) -> Vec<String> {
    thread::scope(|scope| {
        let installs: Vec<_> = projects
            .iter()
            .map(|project| scope.spawn(|| dx.run(project, store, &["install", "--ignore-scripts"])))
            .collect();
        let outcomes = installs.into_iter().map(|install| install.join());
        outcomes
            .filter_map(|outcome| match outcome {
                Ok(Ok(_)) => None,
                Ok(Err(error)) => Some(error),
                Err(_) => Some("a thread of this task failed".to_owned()),
            })
            .collect()
    })
}

fn differences(alone: &Path, project: &Path) -> Option<String> {
    match tree::differences(alone, project, &[]) {
        Ok(differences) => {
            let first = differences.first()?;
            Some(format!("{}: {} differences; {first}", project.display(), differences.len()))
        }
        Err(error) => Some(error),
    }
}

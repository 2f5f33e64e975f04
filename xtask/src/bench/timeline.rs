//! `cargo xtask bench timeline`: which requests an install waits for, one after the other, as
//! figures and as a picture.
//!
//! Without files it installs a fixture over an imitated network with nothing in the caches, and
//! puts the picture beside the benchmarks. With `--without KEY` it does so a second time with the
//! setting `KEY` set to false, and draws both with one measure. With files, which
//! `dx install --timing FILE` writes, it draws those.

mod drawing;
mod waves;

use super::fixtures::Fixture;
use super::managers::{self, Peers};
use super::place::Place;
use super::scenario::Scenario;
use super::server::Server;
use super::{folder, networks};
use crate::options::Options;
use crate::workspace;
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// The parts of the file of `--timing` that are drawn. Times are in microseconds.
#[derive(Debug, Deserialize)]
struct Timing {
    ended: u64,
    stages: Vec<Stage>,
    requests: Vec<Request>,
}

/// A stage of the install.
#[derive(Debug, Deserialize)]
struct Stage {
    name: String,
    ended: u64,
}

/// A request, in the order in which they ended.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    kind: Kind,
    name: String,
    caused_by: Option<String>,
    queued: u64,
    sent: Option<u64>,
    first_byte: Option<u64>,
    done: u64,
    bytes: u64,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Metadata,
    Tarball,
}

/// A timing with its heading.
struct Panel {
    title: String,
    timing: Timing,
}

/// Measures, or reads files, and draws.
pub(crate) fn run(options: &Options) -> Result<(), String> {
    let files = options.words().get(1..).unwrap_or_default();
    let (panels, default) = match files {
        [] => measure(options)?,
        files => {
            let read =
                |file: &String| Ok(Panel { title: file.clone(), timing: read(Path::new(file))? });
            (
                files.iter().map(read).collect::<Result<Vec<_>, String>>()?,
                folder().join("timeline.svg"),
            )
        }
    };
    for panel in &panels {
        println!("{}", panel.title);
        print!("{}", waves::table(&panel.timing));
    }
    let out = options.path("out")?.unwrap_or(default);
    crate::dx::write(&out, &drawing::svg(&panels))?;
    println!("drawn in {}", out.display());
    Ok(())
}

/// Installs one fixture; returns what was found, and where its picture belongs.
fn measure(options: &Options) -> Result<(Vec<Panel>, PathBuf), String> {
    let fixture = Fixture::find(options.value("fixture").unwrap_or("medium"))?;
    let network = options.value("network").unwrap_or("50ms");
    networks::find(network)?;
    let peers = Peers::new(options)?;
    let manager = managers::dx(options)?;
    let mut server = Server::start(&super::data(options)?, options.has("tls"))?;
    let place = Place::new(&super::root(options)?, &manager, fixture, &peers.node())?;
    let title = format!("{}, {}, nothing cached", fixture.name, networks::describe(network));
    let mut variants = vec![(title.clone(), Vec::new())];
    if let Some(key) = options.value("without") {
        let variable = format!("npm_config_{}=false", key.replace('-', "_"));
        variants.push((format!("{title}, without {key}"), vec!["env".to_owned(), variable]));
    }
    let mut panels = Vec::new();
    for (number, (title, mut words)) in variants.into_iter().enumerate() {
        let file = folder().join(format!("timing-{}-{network}-{number}.json", fixture.name));
        crate::dx::write(&file, "")?;
        words.extend(manager.install());
        words.extend(["--timing".to_owned(), file.display().to_string()]);
        // Once without measuring: the server reads the recording when it is first asked for.
        for network in ["none", network] {
            server.set_network("none")?;
            place.prepare(&server, Scenario::Cold, true)?;
            server.set_network(network)?;
            place.work(&server, &words)?;
        }
        panels.push(Panel { title, timing: read(&file)? });
    }
    if !options.has("keep") {
        super::disk::remove(&super::root(options)?.join(fixture.name))?;
    }
    let picture = format!("docs/benchmarks/timeline-{}-{network}.svg", fixture.name);
    Ok((panels, workspace::root().join(picture)))
}

fn read(file: &Path) -> Result<Timing, String> {
    serde_json::from_str(&workspace::read(file)?)
        .map_err(|error| format!("{}: {error}", file.display()))
}

#[cfg(test)]
mod tests;

//! `cargo xtask registry`: `dx-registry` with the clients that people have, beside Verdaccio, and
//! killed again and again.

use crate::dx;
use crate::options::Options;
use crate::workspace;
use std::path::PathBuf;
use std::process::Command;

/// Runs the part that the first word names.
pub(crate) fn run(options: &Options) -> Result<(), String> {
    let docs = workspace::root().join("docs/registry");
    match options.word() {
        Some("clients") => {
            let mut node = script(options, "run.mjs", &["clients"])?;
            folders(&mut node, options, &["peers", "yarn"])?;
            node.arg("--out").arg(options.path("out")?.unwrap_or(docs.join("clients.md")));
            for name in ["only", "upstream", "fixture"] {
                if let Some(value) = options.value(name) {
                    node.arg(format!("--{name}")).arg(value);
                }
            }
            finish(node, "a command did not end as it should")
        }
        Some("verdaccio") => {
            let mut node = script(options, "run.mjs", &["verdaccio"])?;
            folders(&mut node, options, &["peers", "yarn", "verdaccio"])?;
            node.arg("--out").arg(options.path("out")?.unwrap_or(docs.join("verdaccio.md")));
            finish(node, "some differences have no reason")
        }
        Some("kill") => {
            let runs = options.number("runs", 200)?.to_string();
            let seed = options.number("seed", 1)?.to_string();
            let node = script(options, "kills.mjs", &["--runs", &runs, "--seed", &seed])?;
            finish(node, "something was lost or torn")
        }
        _ => Err("cargo xtask registry: name a part: clients, verdaccio or kill".to_owned()),
    }
}

/// Returns the command that runs a script with the server: that of `--server`, else the release
/// build, which is brought up to date.
fn script(options: &Options, name: &str, words: &[&str]) -> Result<Command, String> {
    let server = match options.path("server")? {
        Some(server) => server,
        None => built()?,
    };
    let mut node = Command::new(options.path("node")?.unwrap_or_else(|| "node".into()));
    node.arg(workspace::root().join("xtask/registry").join(name)).args(words);
    node.arg("--server").arg(server);
    Ok(node)
}

fn built() -> Result<PathBuf, String> {
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--release", "--package", "dx-pkg-server"]);
    cargo.current_dir(workspace::root());
    dx::run(cargo)?;
    let name = format!("dx-registry{}", std::env::consts::EXE_SUFFIX);
    Ok(workspace::target().join("release").join(name))
}

fn folders(node: &mut Command, options: &Options, names: &[&str]) -> Result<(), String> {
    for name in names {
        options.required(name)?;
        node.arg(format!("--{name}")).args(options.path(name)?);
    }
    Ok(())
}

fn finish(mut node: Command, fault: &str) -> Result<(), String> {
    let status = node.status().map_err(|error| format!("{node:?}: {error}"))?;
    if status.success() { Ok(()) } else { Err(fault.to_owned()) }
}

//! `cargo xtask registry`: `dx-registry` with the clients that people have, beside Verdaccio,
//! behind a proxy, killed again and again, and the plans that it makes.

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
            let mut node = script(options, "kills.mjs", &["--runs", &runs, "--seed", &seed])?;
            client(&mut node, options)?;
            finish(node, "something was lost or torn")
        }
        Some("proxies") => {
            let mut node = script(options, "proxies.mjs", &[])?;
            client(&mut node, options)?;
            finish(node, "a way through a proxy is not as it should be")
        }
        Some("plan") => {
            let mut node = script(options, "plan.mjs", &[])?;
            client(&mut node, options)?;
            options.required("upstream")?;
            let fixture = workspace::root().join("xtask/fixtures/large.package.json");
            node.arg("--fixture").arg(options.path("fixture")?.unwrap_or(fixture));
            for name in ["upstream", "runs", "out"] {
                if let Some(value) = options.value(name) {
                    node.arg(format!("--{name}")).arg(value);
                }
            }
            finish(node, "a plan was not measured")
        }
        Some("browser") => {
            let mut node = script(options, "browser.mjs", &[])?;
            for name in ["out", "peers", "dx"] {
                if let Some(path) = options.path(name)? {
                    node.arg(format!("--{name}")).arg(path);
                }
            }
            finish(node, "a page is not as it should be")
        }
        _ => Err("cargo xtask registry: name a part: clients, verdaccio, kill, browser, proxies \
                  or plan"
            .to_owned()),
    }
}

/// Returns the command that runs a script with the server: that of `--server`, else the release
/// build, which is brought up to date.
fn script(options: &Options, name: &str, words: &[&str]) -> Result<Command, String> {
    let server = match options.path("server")? {
        Some(server) => server,
        None => built("dx-pkg-server", "dx-registry")?,
    };
    let mut node = Command::new(options.path("node")?.unwrap_or_else(|| "node".into()));
    node.arg(workspace::root().join("xtask/registry").join(name)).args(words);
    node.arg("--server").arg(server);
    Ok(node)
}

/// Adds the client: that of `--dx`, else the release build, which is brought up to date.
fn client(node: &mut Command, options: &Options) -> Result<(), String> {
    let dx = match options.path("dx")? {
        Some(dx) => dx,
        None => built("dx-pkg-cli", "dx")?,
    };
    node.arg("--dx").arg(dx);
    if let Some(nginx) = options.value("nginx") {
        node.arg("--nginx").arg(nginx);
    }
    Ok(())
}

fn built(package: &str, binary: &str) -> Result<PathBuf, String> {
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--release", "--package", package]);
    cargo.current_dir(workspace::root());
    dx::run(cargo)?;
    let name = format!("{binary}{}", std::env::consts::EXE_SUFFIX);
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

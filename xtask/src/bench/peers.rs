//! `cargo xtask bench peers`: the other managers, in pinned versions, installed by npm and cargo
//! below `target/`.

use crate::dx::{run, write};
use crate::options::Options;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The managers that are measured where nothing else is said. With Yarn 1 and aube as well, the
/// suite took 38 minutes on two slow processors.
pub(crate) const DEFAULT: &str = "bun,pnpm,npm,yarn,dx";
/// The version of Node.js that runs npm and Yarn.
const NODE: &str = "24.21.0";
/// The managers that npm installs: the manager, and package and version to install it as.
const PEERS: [(&str, &str, &str); 5] = [
    ("bun", "bun", "1.4.5"),
    ("npm", "npm", "12.2.0"),
    ("pnpm", "pnpm", "12.21.0"),
    ("yarn", "yarn-berry", "npm:@yarnpkg/cli-dist@4.18.1"),
    ("yarn-classic", "yarn-classic", "npm:yarn@1.22.22"),
];
/// The manager that is on no npm registry and is built by cargo, which takes minutes, and CMake for
/// its zlib.
const AUBE: (&str, &str) = ("aube", "2.9.0");

/// The package that holds Node.js for this machine.
pub(crate) fn node_package() -> String {
    let system = match std::env::consts::OS {
        "macos" => "darwin",
        other => other,
    };
    let processor = match std::env::consts::ARCH {
        "x86_64" => "x64",
        "aarch64" => "arm64",
        other => other,
    };
    format!("node-{system}-{processor}")
}

/// The folder in which cargo installs aube.
pub(crate) fn aube(peers: &Path) -> PathBuf {
    peers.join("cargo").join("bin").join(AUBE.0)
}

/// Installs the peers into `folder`, or those of `--managers`.
pub(crate) fn install(options: &Options, folder: &Path) -> Result<(), String> {
    let wanted = options.list("managers", DEFAULT);
    let node = node_package();
    let mut dependencies = serde_json::Map::from_iter([(node, NODE.into())]);
    for (_, package, version) in PEERS.into_iter().filter(|(manager, ..)| wanted.contains(manager))
    {
        dependencies.insert(package.to_owned(), version.into());
    }
    fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let manifest = serde_json::json!({
        "name": "peers",
        "private": true,
        "dependencies": dependencies,
        // Their scripts put the programs in place.
        "allowScripts": { "bun": true, "pnpm": true },
    });
    write(&folder.join("package.json"), &format!("{manifest:#}\n"))?;
    let mut npm = Command::new("npm");
    npm.args(["install", "--no-audit", "--no-fund"]).current_dir(folder);
    run(npm)?;
    if wanted.contains(&AUBE.0) {
        println!("building {} {}", AUBE.0, AUBE.1);
        let mut cargo = Command::new("cargo");
        cargo
            .args(["install", AUBE.0, "--version", AUBE.1, "--locked", "--root"])
            .arg(folder.join("cargo"));
        run(cargo)?;
    }
    println!("installed in {}", folder.display());
    Ok(())
}

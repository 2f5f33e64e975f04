//! `cargo xtask bench peers`: the other managers, in pinned versions, installed by npm below `target/`.

use crate::dx::{run, write};
use std::fs;
use std::path::Path;
use std::process::Command;

/// The version of Node.js that runs npm and Yarn.
const NODE: &str = "24.21.0";
/// What is installed; aube is on no npm registry, but is measured where `node_modules/.bin` of the peers has it.
const PEERS: [(&str, &str); 5] = [
    ("bun", "1.4.5"),
    ("npm", "12.2.0"),
    ("pnpm", "12.21.0"),
    ("yarn-berry", "npm:@yarnpkg/cli-dist@4.18.1"),
    ("yarn-classic", "npm:yarn@1.22.22"),
];

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

/// Installs the peers into `folder`.
pub(crate) fn install(folder: &Path) -> Result<(), String> {
    let node = node_package();
    let mut dependencies = serde_json::Map::new();
    for (name, version) in PEERS.into_iter().chain([(node.as_str(), NODE)]) {
        dependencies.insert(name.to_owned(), version.into());
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
    println!("installed in {}", folder.display());
    Ok(())
}

//! Finds the registry that dx asks where nothing else is configured: `DX_DEFAULT_REGISTRY`, else what the npm on the
//! building machine is configured with. With neither, dx has none and asks for one at run time.

use std::process::Command;

fn main() {
    println!("cargo::rerun-if-env-changed=DX_DEFAULT_REGISTRY");
    println!("cargo::rerun-if-changed=build.rs");
    let registry = std::env::var("DX_DEFAULT_REGISTRY").ok().or_else(npm_registry);
    // An address with a user's name in it belongs to that user, not into a program.
    if let Some(registry) =
        registry.filter(|registry| registry.starts_with("http") && !registry.contains('@'))
    {
        println!("cargo::rustc-env=DX_DEFAULT_REGISTRY={registry}");
    }
}

fn npm_registry() -> Option<String> {
    let npm = if cfg!(windows) { "npm.cmd" } else { "npm" };
    let output = Command::new(npm).args(["config", "get", "registry"]).output().ok()?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned()).filter(|text| !text.is_empty())
}

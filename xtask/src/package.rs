//! `cargo xtask package`: what a release consists of beside the programs themselves.

mod assets;
mod help;
mod man;
mod npm;

use crate::options::Options;

/// Makes the npm packages or the assets.
pub(crate) fn run(options: &Options) -> Result<(), String> {
    match options.word() {
        Some("npm") => npm::run(options),
        Some("assets") => assets::run(options),
        Some(other) => Err(format!("cargo xtask package {other}: expected npm or assets")),
        None => Err("cargo xtask package: expected npm or assets".to_owned()),
    }
}

//! Resolves a `package.json` and prints the tree that an install would make of it.
//!
//! ```sh
//! cargo run -p embed -- path/to/package.json [--registry URL]
//! ```
#![allow(clippy::print_stdout, reason = "a program prints")]

use std::path::Path;
use std::sync::Arc;

use dx_pkg_acquire::{Context, ContextOptions, ResolverInput, files, resolve};
use dx_pkg_compat::npmrc::{Config, ConfigSources};
use dx_pkg_resolve::Requirements;
use dx_pkg_store::Store;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (path, flags) = match arguments.as_slice() {
        [path] => (Path::new(path), vec![]),
        [path, flag, url] if flag == "--registry" => {
            (Path::new(path), vec![("registry".to_owned(), url.clone())])
        }
        _ => return Err("usage: embed <package.json> [--registry <URL>]".into()),
    };
    let root = path.parent().unwrap_or(Path::new(""));
    let text = files::read_text(path)?.ok_or("there is no such file")?;
    let manifest = files::parse_manifest(path, &text)?;

    let npmrc = root.join(".npmrc");
    let settings = files::read_text(&npmrc)?;
    let config = Config::load(&ConfigSources {
        default_registry: "http://registry.invalid/",
        project: settings.as_deref().map(|text| (npmrc.as_path(), text)),
        flags: &flags,
        ..ConfigSources::default()
    })?;
    // A store that is kept makes the next resolution faster.
    let folder = tempfile::tempdir()?;
    let context = Arc::new(Context::new(ContextOptions::new(config, Store::open(folder.path())?)));

    let requirements = Requirements {
        root: manifest.to_lock_package(),
        overrides: manifest.override_rules()?,
        ..Requirements::default()
    };
    let input = ResolverInput::new(&context.config, requirements, None, None)?;
    let resolved = resolve(&context, root, &input, None, None, &Arc::default(), None)?;
    for package in resolved.resolution.lock.packages.iter().skip(1) {
        let depth = package.path.matches("node_modules/").count() - 1;
        let version = package.version.as_deref().unwrap_or("(a link)");
        println!("{:1$}{2} {version}", "", 2 * depth, package.path);
    }
    Ok(())
}

//! Sets the registry that dx uses if none is configured: `DX_DEFAULT_REGISTRY`, else the registry
//! of the npm on the building machine. With neither, dx has none, and reports that at run time.
//! Also links the unwinder into the program, where that is possible.

use std::path::PathBuf;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-env-changed=DX_DEFAULT_REGISTRY");
    println!("cargo::rerun-if-changed=build.rs");
    let registry = std::env::var("DX_DEFAULT_REGISTRY").ok().or_else(npm_registry);
    // An address with a user's name in it is not for other users of the program.
    if let Some(registry) =
        registry.filter(|registry| registry.starts_with("http") && !registry.contains('@'))
    {
        println!("cargo::rustc-env=DX_DEFAULT_REGISTRY={registry}");
    }
    if let Some(folder) = folder_of_unwinder() {
        println!("cargo::rustc-link-search=native={}", folder.display());
        println!("cargo::rustc-link-lib=static:-bundle=gcc_eh");
    }
}

/// Returns the folder of the C compiler's static unwinder; `None` where there is none. With it the
/// program needs no `libgcc_s.so`: loading that is an eighth of the system calls of an install that
/// has nothing to do.
fn folder_of_unwinder() -> Option<PathBuf> {
    let is = |variable: &str, value: &str| std::env::var(variable).is_ok_and(|own| own == value);
    let is_here = std::env::var("TARGET").ok()? == std::env::var("HOST").ok()?;
    if !is_here || !is("CARGO_CFG_TARGET_OS", "linux") || !is("CARGO_CFG_TARGET_ENV", "gnu") {
        return None;
    }
    let output = Command::new("cc").arg("-print-file-name=libgcc_eh.a").output().ok()?;
    let file = PathBuf::from(String::from_utf8(output.stdout).ok()?.trim());
    // A file that is not found is printed without its folder.
    file.is_file().then(|| file.parent().map(PathBuf::from)).flatten()
}

fn npm_registry() -> Option<String> {
    let npm = if cfg!(windows) { "npm.cmd" } else { "npm" };
    let output = Command::new(npm).args(["config", "get", "registry"]).output().ok()?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned()).filter(|text| !text.is_empty())
}

//! Sets the registry that dx uses if none is configured: `DX_DEFAULT_REGISTRY`, else the registry
//! of the npm on the building machine. With neither, dx has none, and reports that at run time.
//! Also links the unwinder into the program, where that is possible.

use std::path::PathBuf;
use std::process::Command;

include!("default_registry.rs");

fn main() {
    set_default_registry();
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

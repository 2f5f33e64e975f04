//! `cargo xtask sanitize` and `cargo xtask miri`: tests under tools that see what tests do not.
//!
//! Both need a nightly toolchain. The sanitizers come with it; Miri is a component of its own.

use crate::dx;
use crate::options::Options;
use crate::workspace;
use std::process::{Command, Stdio};

/// The sanitizers that work with the standard library as it is shipped. `thread` needs one that is
/// built with it: `-Z build-std`, and the component `rust-src`.
const SANITIZERS: &str = "address,leak";
/// The crate that holds all `unsafe` code.
const UNSAFE: &str = "dx-pkg-os";
/// The crates that decode what may be damaged. None of them holds `unsafe` code: Miri looks at
/// what their dependencies do with it.
const DECODERS: [&str; 2] = ["dx-pkg-format", "dx-pkg-lock"];

/// Runs the tests of the crate with all `unsafe` code under each sanitizer of `--only`.
pub(crate) fn sanitize(options: &Options) -> Result<(), String> {
    let host = host()?;
    for sanitizer in options.list("only", SANITIZERS) {
        println!("{sanitizer} sanitizer, {UNSAFE}");
        let mut cargo = nightly(&["test", "--package", UNSAFE, "--lib", "--target", &host]);
        cargo.env("RUSTFLAGS", format!("-Z sanitizer={sanitizer}"));
        // The cache of another build is of no use, and the other way round.
        cargo.arg("--target-dir").arg(workspace::target().join(format!("sanitize-{sanitizer}")));
        if sanitizer == "thread" {
            cargo.args(["-Z", "build-std"]);
        }
        shown(cargo)?;
    }
    Ok(())
}

/// Runs the tests of the decoders in Miri.
pub(crate) fn miri(_: &Options) -> Result<(), String> {
    let mut version = nightly(&["miri", "--version"]);
    let is_there = version.stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !is_there.is_ok_and(|status| status.success()) {
        return Err("the nightly toolchain has no Miri: \
                    `rustup toolchain install nightly --component miri,rust-src` installs it"
            .to_owned());
    }
    for package in DECODERS {
        println!("Miri, {package}");
        let mut cargo = nightly(&["miri", "test", "--package", package, "--lib"]);
        // Golden files are read from the source tree; pointers are checked by the stricter model.
        cargo.env("MIRIFLAGS", "-Zmiri-disable-isolation -Zmiri-strict-provenance");
        // It takes hundreds of times as long as a processor.
        cargo.env("PROPTEST_CASES", "4");
        cargo.arg("--target-dir").arg(workspace::target().join("miri"));
        shown(cargo)?;
    }
    Ok(())
}

/// The nightly toolchain's cargo, with arguments.
fn nightly(arguments: &[&str]) -> Command {
    let mut cargo = Command::new("cargo");
    // The toolchain that runs this task hands its own on.
    for variable in ["RUSTUP_TOOLCHAIN", "CARGO", "RUSTC", "RUSTFLAGS"] {
        cargo.env_remove(variable);
    }
    cargo.arg("+nightly").args(arguments).current_dir(workspace::root());
    cargo
}

/// The name of the machine that the nightly toolchain is for.
fn host() -> Result<String, String> {
    let mut rustc = Command::new("rustc");
    rustc.env_remove("RUSTUP_TOOLCHAIN").args(["+nightly", "--version", "--verbose"]);
    let output =
        dx::run(rustc).map_err(|error| format!("a nightly toolchain is needed: {error}"))?;
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .find_map(|line| line.strip_prefix("host: ").map(str::to_owned))
        .ok_or_else(|| "rustc does not say which machine it is for".to_owned())
}

/// Runs a command whose output is shown.
fn shown(mut command: Command) -> Result<(), String> {
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{command:?} ended with {status}")),
        Err(error) => Err(format!("{command:?}: {error}")),
    }
}

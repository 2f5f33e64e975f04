// Included by the build scripts of the binaries `dx` and `dx-registry`, which have one default.

/// Sets `DX_DEFAULT_REGISTRY` for the program that is built: the variable of that name, else the
/// registry of the npm on the building machine. With neither there is none, which is reported at
/// run time.
fn set_default_registry() {
    println!("cargo::rerun-if-env-changed=DX_DEFAULT_REGISTRY");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=../dx-pkg-cli/default_registry.rs");
    let registry = std::env::var("DX_DEFAULT_REGISTRY").ok().or_else(npm_registry);
    // An address with a user's name in it is not for other users of the program.
    if let Some(registry) =
        registry.filter(|registry| registry.starts_with("http") && !registry.contains('@'))
    {
        println!("cargo::rustc-env=DX_DEFAULT_REGISTRY={registry}");
    }
}

fn npm_registry() -> Option<String> {
    let npm = if cfg!(windows) { "npm.cmd" } else { "npm" };
    let output =
        std::process::Command::new(npm).args(["config", "get", "registry"]).output().ok()?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned()).filter(|text| !text.is_empty())
}

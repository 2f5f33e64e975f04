//! The npm packages: one with a script that starts dx, and one with the program for each platform,
//! which the first has as optional dependencies.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::dx::write;
use crate::options::Options;
use crate::workspace;

/// The name of the package that users install.
const NAME: &str = "dx-pkg";
/// The scope of the packages with programs.
const SCOPE: &str = "@dx-pkg";
/// The files of the packages that are not made.
const SOURCE: &str = "packaging/npm";

/// A platform that there is a program for.
struct Platform {
    /// The target of the compiler.
    target: &'static str,
    /// The words of its package: npm's for the system, the processor and the C library.
    os: &'static str,
    cpu: &'static str,
    libc: Option<&'static str>,
}

impl Platform {
    const fn new(
        target: &'static str,
        os: &'static str,
        cpu: &'static str,
        libc: Option<&'static str>,
    ) -> Platform {
        Platform { target, os, cpu, libc }
    }

    fn package(&self) -> String {
        let libc = match self.libc {
            Some("glibc") => "-gnu",
            Some(_) => "-musl",
            None => "",
        };
        format!("{SCOPE}/{}-{}{libc}", self.os, self.cpu)
    }

    fn program(&self) -> &'static str {
        if self.os == "win32" { "dx.exe" } else { "dx" }
    }
}

const PLATFORMS: [Platform; 8] = [
    Platform::new("x86_64-unknown-linux-gnu", "linux", "x64", Some("glibc")),
    Platform::new("aarch64-unknown-linux-gnu", "linux", "arm64", Some("glibc")),
    Platform::new("x86_64-unknown-linux-musl", "linux", "x64", Some("musl")),
    Platform::new("aarch64-unknown-linux-musl", "linux", "arm64", Some("musl")),
    Platform::new("x86_64-apple-darwin", "darwin", "x64", None),
    Platform::new("aarch64-apple-darwin", "darwin", "arm64", None),
    Platform::new("x86_64-pc-windows-msvc", "win32", "x64", None),
    Platform::new("aarch64-pc-windows-msvc", "win32", "arm64", None),
];

/// The target that this task was compiled for.
fn own_target() -> Option<&'static Platform> {
    let os = match std::env::consts::OS {
        "macos" => "darwin",
        "windows" => "win32",
        other => other,
    };
    let cpu = match std::env::consts::ARCH {
        "x86_64" => "x64",
        "aarch64" => "arm64",
        other => other,
    };
    let libc = match (os, cfg!(target_env = "musl")) {
        ("linux", false) => Some("glibc"),
        ("linux", true) => Some("musl"),
        _ => None,
    };
    PLATFORMS.iter().find(|known| known.os == os && known.cpu == cpu && known.libc == libc)
}

/// Writes the packages into the folder of `--out`: of the program of `--binary` for this machine,
/// or of every `<target>/dx` in the folder of `--binaries`.
pub(super) fn run(options: &Options) -> Result<(), String> {
    options.required("out")?;
    let out = options.path("out")?.unwrap_or_default();
    let programs = programs(options)?;
    let repository = options.value("repository");
    let source = workspace::root().join(SOURCE);
    let mut packages = serde_json::Map::new();
    for (platform, program) in &programs {
        let name = platform.package();
        let folder = out.join(&name);
        write(&folder.join("package.json"), &manifest_of_platform(platform, repository))?;
        copy(&source.join("README.platform.md"), &folder.join("README.md"))?;
        copy(&workspace::root().join("LICENSE"), &folder.join("LICENSE"))?;
        let program_there = folder.join("bin").join(platform.program());
        copy(program, &program_there)?;
        make_executable(&program_there)?;
        println!("{}", folder.display());
        packages.insert(name, VERSION.into());
    }
    let folder = out.join(NAME);
    let mut manifest = json!({
        "name": NAME,
        "version": VERSION,
        "description": "The dx package manager",
        "license": "MIT",
        "bin": { "dx": "bin/dx.js" },
        "files": ["bin"],
        "engines": { "node": ">=18" },
        "optionalDependencies": packages,
    });
    add_repository(&mut manifest, repository);
    write(&folder.join("package.json"), &text(&manifest))?;
    for file in ["README.md", "bin/dx.js"] {
        copy(&source.join(file), &folder.join(file))?;
    }
    make_executable(&folder.join("bin/dx.js"))?;
    copy(&workspace::root().join("LICENSE"), &folder.join("LICENSE"))?;
    println!("{}", folder.display());
    Ok(())
}

/// The version of dx.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Returns each platform with its program.
fn programs(options: &Options) -> Result<Vec<(&'static Platform, PathBuf)>, String> {
    match (options.path("binary")?, options.path("binaries")?) {
        (Some(binary), None) => {
            let target =
                own_target().ok_or("there is no package for the system of this machine")?;
            Ok(vec![(target, binary)])
        }
        (None, Some(folder)) => {
            let place =
                |known: &'static Platform| (known, folder.join(known.target).join(known.program()));
            let found: Vec<_> =
                PLATFORMS.iter().map(place).filter(|(_, program)| program.is_file()).collect();
            if found.is_empty() {
                let first = PLATFORMS[0].target;
                return Err(format!(
                    "--binaries {}: has no program such as {first}/dx",
                    folder.display()
                ));
            }
            Ok(found)
        }
        _ => Err("this task needs --binary or --binaries".to_owned()),
    }
}

fn manifest_of_platform(platform: &Platform, repository: Option<&str>) -> String {
    let Platform { target, os, cpu, libc } = platform;
    let mut manifest = json!({
        "name": platform.package(),
        "version": VERSION,
        "description": format!("The program of {NAME} for {target}"),
        "license": "MIT",
        "os": [os],
        "cpu": [cpu],
        "files": ["bin"],
        "preferUnplugged": true,
    });
    if let Some(libc) = libc {
        manifest["libc"] = json!([libc]);
    }
    add_repository(&mut manifest, repository);
    text(&manifest)
}

fn add_repository(manifest: &mut Value, repository: Option<&str>) {
    if let Some(url) = repository {
        manifest["repository"] = json!({ "type": "git", "url": url });
    }
}

fn text(manifest: &Value) -> String {
    format!("{manifest:#}\n")
}

fn copy(from: &Path, to: &Path) -> Result<(), String> {
    let folder = to.parent().unwrap_or(to);
    fs::create_dir_all(folder)
        .and_then(|()| fs::copy(from, to))
        .map(drop)
        .map_err(|error| format!("copy {} to {}: {error}", from.display(), to.display()))
}

#[cfg(unix)]
fn make_executable(file: &Path) -> Result<(), String> {
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(file, mode).map_err(|error| format!("{}: {error}", file.display()))
}

#[cfg(not(unix))]
fn make_executable(_: &Path) -> Result<(), String> {
    Ok(())
}

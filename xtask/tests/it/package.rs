//! What a release has beside the programs: npm packages that managers install, manual pages and
//! completions.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Returns a program of the workspace, which a test of the workspace has built.
pub(crate) fn program(name: &str) -> PathBuf {
    let here = std::env::current_exe().unwrap();
    let folder = here.ancestors().nth(2).unwrap();
    let program = folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    assert!(program.is_file(), "{} is missing: cargo build --workspace", program.display());
    program
}

fn xtask(words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_xtask")).args(words).output().unwrap()
}

fn succeeded(output: &Output) -> String {
    let (stdout, stderr) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{}\n{stdout}\n{stderr}", output.status);
    stdout.into_owned()
}

/// Makes the npm packages of the debug program, without its symbols where they can be removed.
fn packages(folder: &Path) -> PathBuf {
    let binary = folder.join("program");
    let stripped = Command::new("strip")
        .arg("-o")
        .arg(&binary)
        .arg(program("dx"))
        .status()
        .is_ok_and(|it| it.success());
    if !stripped {
        fs::copy(program("dx"), &binary).unwrap();
    }
    let out = folder.join("packages");
    let made = xtask(&[
        "package",
        "npm",
        "--binary",
        binary.to_str().unwrap(),
        "--out",
        out.to_str().unwrap(),
        "--repository",
        "git+https://git.example/dx.git",
    ]);
    succeeded(&made);
    out
}

/// A manager that installs the package: its name, and its commands to install and to run.
type Manager = (&'static str, &'static str, &'static str);

const NPM: Manager = ("npm", "npm install --no-audit --no-fund dx-pkg", "npx dx --version");
const OTHERS: [Manager; 3] = [
    ("pnpm", "pnpm add dx-pkg", "pnpm exec dx --version"),
    ("bun", "bun add dx-pkg", "bun x dx --version"),
    ("yarn", "yarn add dx-pkg", "yarn dx --version"),
];

/// Publishes the packages to a registry, and lets each manager install them in an empty project.
fn install_with(managers: &[Manager], path: Option<&Path>) {
    let folder = tempfile::tempdir().unwrap();
    let packages = packages(folder.path());
    let mut script = "set -e\n".to_owned();
    for entry in fs::read_dir(packages.join("@dx-pkg")).unwrap() {
        let entry = entry.unwrap().path();
        script += &format!("npm publish --access public '{}' >&2\n", entry.display());
    }
    script += &format!("npm publish '{}' >&2\n", packages.join("dx-pkg").display());
    for (name, install, run) in managers {
        let project = folder.path().join(name);
        fs::create_dir(&project).unwrap();
        fs::write(project.join("package.json"), "{\"name\":\"empty\"}\n").unwrap();
        script += &format!("cd '{}'\n{install} >&2\necho {name}: $({run})\n", project.display());
    }
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let paths: OsString = std::env::join_paths(
        path.map(Path::to_path_buf).into_iter().chain(std::env::split_paths(&paths)),
    )
    .unwrap();
    let output = Command::new(program("dx-registry"))
        .args(["test", "--upstream", "none", "--", "sh", "-c", &script])
        .env("PATH", paths)
        .env("HOME", folder.path())
        .env("CI", "true")
        .current_dir(folder.path())
        .output()
        .unwrap();
    let text = succeeded(&output);
    for (name, ..) in managers {
        let line = format!("{name}: dx {}", env!("CARGO_PKG_VERSION"));
        assert!(text.lines().any(|it| it.ends_with(&line)), "{name}: {text}");
    }
}

#[test]
fn npm_package_runs_without_an_install_script() {
    if dx_pkg_testkit::require::npm().is_some() {
        install_with(&[NPM], None);
    }
}

/// `DX_TEST_PEERS` names a folder with the commands of the other package managers.
#[test]
fn npm_package_is_installed_by_other_managers() {
    let Some(peers) = std::env::var_os("DX_TEST_PEERS") else {
        eprintln!("skipped without DX_TEST_PEERS");
        return;
    };
    install_with(&OTHERS, Some(Path::new(&peers)));
}

#[test]
fn package_names_what_it_is_for_and_has_no_install_script() {
    let folder = tempfile::tempdir().unwrap();
    let out = packages(folder.path());
    let read = |path: PathBuf| -> serde_json::Value {
        serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
    };
    let main = read(out.join("dx-pkg/package.json"));
    assert_eq!(main.get("scripts"), None);
    let platforms = main["optionalDependencies"].as_object().unwrap();
    assert_eq!(platforms.len(), 1);
    for (name, version) in platforms {
        let platform = read(out.join(name).join("package.json"));
        assert_eq!(platform["version"], *version);
        assert!(platform["os"].is_array() && platform["cpu"].is_array(), "{platform}");
        assert_eq!(platform["repository"]["url"], "git+https://git.example/dx.git");
    }
}

#[test]
fn script_says_what_is_missing_without_the_package_of_the_platform() {
    if !dx_pkg_testkit::require::node() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let out = packages(folder.path());
    let run = Command::new("node").arg(out.join("dx-pkg/bin/dx.js")).output().unwrap();
    assert_eq!(run.status.code(), Some(1));
    let text = String::from_utf8(run.stderr).unwrap();
    assert!(text.contains("--omit=optional"), "{text}");
}

#[test]
fn packages_need_a_program() {
    let out = tempfile::tempdir().unwrap();
    let out = out.path().to_str().unwrap();
    for (words, problem) in [
        (&["package"][..], "expected npm or assets"),
        (&["package", "npm", "--out", out], "needs --binary or --binaries"),
        (&["package", "npm", "--binaries", out, "--out", out], "has no program"),
        (&["package", "assets", "--out", out], "needs --binary"),
    ] {
        let run = xtask(words);
        assert_eq!(run.status.code(), Some(1));
        assert!(String::from_utf8(run.stderr).unwrap().contains(problem), "{words:?}");
    }
}

#[test]
fn assets_have_a_page_for_every_command_and_completions_for_every_shell() {
    let out = tempfile::tempdir().unwrap();
    let path = out.path().to_str().unwrap();
    for name in ["dx", "dx-registry"] {
        let binary = program(name);
        let binary = binary.to_str().unwrap();
        succeeded(&xtask(&["package", "assets", "--binary", binary, "--out", path]));
    }
    let page = |name: &str| fs::read_to_string(out.path().join("man/man1").join(name)).unwrap();
    assert!(page("dx.1").contains(".BR dx\\-install (1)"));
    assert!(page("dx-install.1").contains("\\fB\\-E, \\-\\-save\\-exact\\fR\nSave the exact"));
    assert!(page("dx-store-export.1").contains(".SH ARGUMENTS\n.TP\n\\fB<FILE>\\fR\n"));
    assert!(page("dx-registry-serve.1").contains("\\-\\-listen <ADDRESS>"));
    let table = Command::new(program("dx")).arg("__commands").output().unwrap();
    let table: serde_json::Value = serde_json::from_slice(&table.stdout).unwrap();
    for command in table["commands"].as_array().unwrap() {
        if command["isHidden"] == false {
            page(&format!("dx-{}.1", command["name"].as_str().unwrap()));
        }
    }
    for file in ["dx.bash", "_dx", "dx.fish", "dx.ps1"] {
        let text = fs::read_to_string(out.path().join("completions").join(file)).unwrap();
        assert!(text.contains("__complete"), "{file}: {text}");
    }
}

//! The examples of the book and of the CI files run as they are written.
//!
//! In `docs/guide`, a block ```` ```sh run ```` is run by a shell in the folder of a new project;
//! the blocks of a page run one after the other, each where the one before it ended. A block
//! ```` ```text ```` behind it holds lines of its output, `…` for what may differ. Blocks
//! ```` ```json run=FILE ```` and the like are written to files. `sh run=npm` needs that program.

#![expect(clippy::print_stderr, reason = "says which examples were skipped")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use dx_pkg_testkit::{Project, Registry};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The packages that the pages use.
fn registry() -> Registry {
    let registry = Registry::start();
    for (name, versions) in [
        ("ms", &["2.0.0", "2.1.2", "2.1.3"][..]),
        ("debug", &["4.4.1"]),
        ("is-number", &["6.0.0", "7.0.0"]),
        ("typescript", &["5.9.3"]),
    ] {
        for version in versions {
            let package = registry.package(name, version);
            let package = match name {
                "debug" => package.dep("ms", "^2.1.3"),
                // As the real one, for the one text that a page has.
                "ms" => package.file("index.js", "module.exports = () => 172800000;\n"),
                "typescript" => package
                    .bin("tsc", "tsc.js")
                    .file("tsc.js", "#!/usr/bin/env node\nconsole.log('Version 5.9.3')\n"),
                _ => package,
            };
            package.publish();
        }
    }
    registry
        .package("esbuild", "0.27.0")
        .script("postinstall", "node install.js")
        .file("install.js", "require('fs').writeFileSync('built', '')\n")
        .publish();
    registry
}

/// A block of a page.
struct Block {
    line: usize,
    info: String,
    text: String,
}

fn blocks(page: &str) -> Vec<Block> {
    let mut found = Vec::new();
    let mut open: Option<Block> = None;
    for (index, line) in page.lines().enumerate() {
        match (line.strip_prefix("```"), &mut open) {
            (Some(info), None) => {
                let info = info.trim().to_owned();
                open = Some(Block { line: index + 1, info, text: String::new() });
            }
            (Some(_), Some(_)) => found.extend(open.take()),
            (None, Some(block)) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            (None, None) => {}
        }
    }
    found
}

/// Runs a script as a user would: with this dx first on the PATH, and no settings of the machine.
fn shell(project: &Project, script: &str, folder: &Path) -> Output {
    let dx = Path::new(env!("CARGO_BIN_EXE_dx")).parent().unwrap();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path =
        std::env::join_paths(std::iter::once(dx.to_owned()).chain(std::env::split_paths(&path)));
    Command::new("sh")
        .args(["-ec", script])
        .current_dir(folder)
        .env_clear()
        .env("PATH", path.unwrap())
        .env("HOME", project.home())
        .env("XDG_DATA_HOME", project.home().join(".local/share"))
        .env("DX_BACKGROUND", "0")
        .env("npm_config_globalconfig", project.home().join("none"))
        .env("npm_config_update_notifier", "false")
        .env("npm_config_audit", "false")
        .env("npm_config_fund", "false")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .output()
        .unwrap()
}

fn is_there(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success())
}

/// Returns whether a line is as it is written in the book.
fn matches(written: &str, line: &str) -> bool {
    match written.split_once('…') {
        None => written.trim() == line.trim(),
        Some((before, after)) => {
            let line = line.trim();
            line.starts_with(before.trim_start()) && line.ends_with(after.trim_end())
        }
    }
}

/// Runs the blocks of a page; returns how many there were.
fn run_page(name: &str, page: &str) -> usize {
    let registry = registry();
    let project =
        Project::new(&registry).user_npmrc(&format!("registry={}", registry.url())).create();
    let place = project.path().with_file_name("book");
    fs::create_dir(&place).unwrap();
    let mut folder = place.clone();
    let mut ran = 0;
    let mut output = String::new();
    for block in blocks(page) {
        let at = format!("{name}:{}", block.line);
        let (language, how) = block.info.split_once(' ').unwrap_or((&block.info, ""));
        match (language, how) {
            ("sh", how) if how == "run" || how.starts_with("run=") => {
                let needed = how.strip_prefix("run=");
                if needed.is_some_and(|program| !is_there(program)) {
                    eprintln!("{at}: skipped without {}", needed.unwrap());
                    output = "skipped".to_owned();
                    continue;
                }
                let script = format!("{}\npwd > '{}'", block.text, place.join(".pwd").display());
                let result = shell(&project, &script, &folder);
                let stdout = String::from_utf8_lossy(&result.stdout);
                output = format!("{stdout}{}", String::from_utf8_lossy(&result.stderr));
                assert!(result.status.success(), "{at}: {}\n{output}", block.text);
                folder = fs::read_to_string(place.join(".pwd")).unwrap().trim().into();
                ran += 1;
            }
            ("text", "") if output == "skipped" => output.clear(),
            ("text", "") if !output.is_empty() => {
                for written in block.text.lines().filter(|line| !line.trim().is_empty()) {
                    let is_found = output.lines().any(|line| matches(written, line));
                    assert!(is_found, "{at}: {written:?} was not printed:\n{output}");
                }
                output.clear();
            }
            (_, how) => {
                if let Some(file) = how.strip_prefix("run=") {
                    let file = folder.join(file);
                    fs::create_dir_all(file.parent().unwrap()).unwrap();
                    fs::write(file, &block.text).unwrap();
                }
            }
        }
    }
    ran
}

#[test]
fn examples_of_the_guide_run() {
    if !dx_pkg_testkit::require::node() {
        return;
    }
    let folder = root().join("docs/guide");
    let mut pages: Vec<PathBuf> =
        fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    pages.sort();
    let mut ran = 0;
    for page in pages {
        let name = page.file_name().unwrap().to_string_lossy().into_owned();
        let count = run_page(&name, &fs::read_to_string(&page).unwrap());
        eprintln!("{name}: {count} examples");
        ran += count;
    }
    assert!(ran >= 20, "only {ran} examples were run");
}

#[test]
fn example_that_fails_or_prints_something_else_is_found() {
    let page = "```sh run\nexit 3\n```\n";
    assert!(std::panic::catch_unwind(|| run_page("page", page)).is_err());
    let page = "```sh run\necho one\n```\n\n```text\ntwo\n```\n";
    assert!(std::panic::catch_unwind(|| run_page("page", page)).is_err());
    assert_eq!(
        run_page("page", "```sh run\ncd /\n```\n\n```sh run\npwd\n```\n\n```text\n/\n```\n"),
        2
    );
}

#[test]
fn every_page_is_in_the_summary() {
    let docs = root().join("docs");
    let summary = fs::read_to_string(docs.join("SUMMARY.md")).unwrap();
    let mut folders = vec![docs.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|it| it == "md") && !path.ends_with("SUMMARY.md")
            {
                let path = path.strip_prefix(&docs).unwrap().display().to_string();
                assert!(summary.contains(&format!("({path})")), "{path} is not in docs/SUMMARY.md");
            }
        }
    }
}

/// Returns the lines of the list `script:` of the example for GitLab.
fn gitlab_script() -> String {
    let text = fs::read_to_string(root().join("packaging/ci/gitlab-ci.yml")).unwrap();
    let (_, script) = text.split_once("\n  script:\n").unwrap();
    let lines = script.lines().map_while(|line| line.strip_prefix("    - "));
    lines.map(|line| format!("{line}\n")).collect()
}

/// Returns the lines `run:` of the example for GitHub that call dx, with the condition of each.
fn github_script() -> String {
    let text = fs::read_to_string(root().join("packaging/ci/github.yml")).unwrap();
    let mut script = String::new();
    let mut condition = "";
    for line in text.lines().map(|line| line.trim_start().trim_start_matches("- ")) {
        if let Some(found) = line.strip_prefix("if: ") {
            condition = match found {
                "hashFiles('packages.dxa') != ''" => "[ -f packages.dxa ]",
                "steps.packages.outputs.cache-hit != 'true'" => "[ ! -f packages.dxa ]",
                other => panic!("unknown condition {other}"),
            };
        } else if let Some(command) = line.strip_prefix("run: dx ") {
            let guard = if condition.is_empty() { "true" } else { condition };
            script += &format!("if {guard}; then dx {command}; fi\n");
            condition = "";
        }
    }
    script
}

#[test]
fn second_run_of_continuous_integration_fetches_nothing() {
    for script in [gitlab_script(), github_script()] {
        assert_eq!(script.matches("dx ").count(), 4, "{script}");
        let registry = registry();
        let project = Project::new(&registry)
            .user_npmrc(&format!("registry={}", registry.url()))
            .field("name", "p")
            .script("test", "node -p \"require('debug')\"")
            .dep("debug", "4.4.1")
            .create();
        assert!(shell(&project, "dx install --lockfile-only", &project.path()).status.success());
        let first = shell(&project, &script, &project.path());
        assert!(first.status.success(), "{}", String::from_utf8_lossy(&first.stderr));
        assert!(project.exists("packages.dxa"));
        // Another machine: neither store nor tree, and a registry that nothing may be asked of.
        project.remove("node_modules");
        fs::remove_dir_all(project.home().join(".local")).unwrap();
        let before = registry.requests().len();
        let second = shell(&project, &script, &project.path());
        assert!(second.status.success(), "{}", String::from_utf8_lossy(&second.stderr));
        assert!(String::from_utf8_lossy(&second.stdout).contains("debug 4.4.1"));
        assert_eq!(registry.requests().len(), before, "{script}");
    }
}

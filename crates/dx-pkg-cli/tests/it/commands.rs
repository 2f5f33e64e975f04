//! `dx exec` and `dx dlx` beyond npm's rules: what is kept, what is asked, what is trusted.

use std::fs;

use dx_pkg_testkit::{Project, Registry};

use crate::harness::{command, dx, fails, ok};
use crate::running::registry;

/// Returns the folders that hold packages for their commands.
fn environments(project: &Project) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(project.store().join("v1/commands")).into_iter().flatten();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.filter(|path| path.is_dir()).collect()
}

#[test]
fn command_that_is_installed_needs_neither_store_nor_registry() {
    let registry = Registry::start();
    let project = Project::new(&registry)
        .field("name", "p")
        .file("node_modules/.bin/here", "#!/bin/sh\necho here $1\n")
        .create();
    allow(&project, "node_modules/.bin/here");
    for words in [["exec", "here", "a"], ["x", "here", "a"]] {
        assert_eq!(ok(&project, words).stdout, "here a\n");
    }
    // By its name alone, with everything that follows.
    assert_eq!(ok(&project, ["here", "--json"]).stdout, "here --json\n");
    assert_eq!(ok(&project, ["here", "--version"]).stdout, "here --version\n");
    assert_eq!(ok(&project, ["exec", "here", "-c", "x"]).stdout, "here -c\n");
    assert_eq!(ok(&project, ["exec", "here", "--offline"]).stdout, "here\n");
    assert_eq!(ok(&project, ["exec", "here", "--watch"]).stdout, "here --watch\n");
    assert!(registry.requests().is_empty());
    assert!(!project.store().exists());
}

fn allow(project: &Project, path: &str) {
    use std::os::unix::fs::PermissionsExt;
    let path = project.path().join(path);
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn second_run_makes_no_request() {
    let registry = registry();
    let project = Project::new(&registry).create();
    for words in [
        vec!["dlx", "tool@1.0.0", "a"],
        vec!["dlx", "tool", "a"],
        vec!["exec", "-y", "--package=tool@^1", "--", "tool-extra", "a"],
        vec!["exec", "-y", "--package=tool@1.1.0", "--package=solo-bin", "-c", "tool && solo-bin"],
    ] {
        registry.clear_requests();
        let first = command(&project).args(&words).run().success();
        assert!(!registry.requests().is_empty(), "{words:?}");
        registry.clear_requests();
        let second = command(&project).args(&words).run().success();
        assert_eq!((registry.requests().len(), &second.stdout), (0, &first.stdout), "{words:?}");
        assert_eq!(second.stderr, "", "nothing more is to be said");
    }
    assert_eq!(environments(&project).len(), 4);
    assert!(!project.exists("node_modules") && !project.exists("package-lock.json"));
}

#[test]
fn newer_version_is_looked_for_when_the_time_is_over() {
    let registry = registry();
    let project = Project::new(&registry).create();
    assert_eq!(ok(&project, ["dlx", "solo-bin"]).stdout, "@@solo-bin@1.5.0\n");
    let newer = registry.package("solo-bin", "1.6.0").bin("solo-bin", "run.sh");
    newer.executable("run.sh", "#!/bin/sh\necho newer\n").publish();
    assert_eq!(ok(&project, ["dlx", "solo-bin"]).stdout, "@@solo-bin@1.5.0\n");
    let now = ok(&project, ["dlx", "--prefer-online", "solo-bin"]);
    assert_eq!(now.stdout, "newer\n");
    let over = ok(&project, ["dlx", "--dlx-cache-max-age=0", "solo-bin"]);
    assert_eq!(over.stdout, "newer\n");
    let exact = ok(&project, ["dlx", "--dlx-cache-max-age=0", "solo-bin@1.5.0"]);
    registry.clear_requests();
    assert_eq!(ok(&project, ["dlx", "solo-bin@1.5.0"]).stdout, exact.stdout);
    assert_eq!(registry.requests().len(), 0, "an exact version stays what it is");
}

#[test]
fn dlx_looks_at_nothing_that_is_installed() {
    let registry = registry();
    let project = Project::new(&registry)
        .field("bin", serde_json::json!({ "tool": "own.sh" }))
        .file("own.sh", "#!/bin/sh\necho own\n")
        .file("node_modules/.bin/tool", "#!/bin/sh\necho installed\n")
        .create();
    allow(&project, "node_modules/.bin/tool");
    assert_eq!(ok(&project, ["exec", "tool"]).stdout, "own\n");
    assert_eq!(ok(&project, ["dlx", "tool", "--x"]).stdout, "@@tool@2.0.0 [--x]\n");
    assert_eq!(
        ok(&project, ["dlx", "-p", "tool@1.0.0", "tool-extra"]).stdout,
        "@@tool-extra@1.0.0\n"
    );
    assert_eq!(
        ok(&project, ["dlx", "-p", "tool@1.0.0", "-c", "tool 1"]).stdout,
        "@@tool@1.0.0 [1]\n"
    );
    fails(dx(&project, ["dlx"]), "DX_NO_COMMAND");
    let missing = dx(&project, ["dlx", "nothere"]);
    assert!(missing.stderr.contains("required by the command"), "{missing}");
}

#[test]
fn what_is_not_wanted_is_not_fetched() {
    let registry = registry();
    let project = Project::new(&registry).create();
    for words in [["exec", "--no", "solo-bin"], ["exec", "--yes=false", "solo-bin"]] {
        fails(dx(&project, words), "DX_NOT_WANTED");
    }
    let run = command(&project).env("npm_config_yes", "false").args(["dlx", "solo-bin"]).run();
    fails(run, "DX_NOT_WANTED");
    assert!(registry.requests().is_empty());
    // What is there already is run.
    ok(&project, ["exec", "-y", "solo-bin"]);
    assert_eq!(ok(&project, ["exec", "--no", "solo-bin"]).stdout, "@@solo-bin@1.5.0\n");
}

#[test]
fn missing_commands_are_errors() {
    let registry = registry();
    let project = Project::new(&registry).create();
    let error = fails(dx(&project, ["exec", "-y", "twobins"]), "DX_NO_COMMAND_OF");
    assert!(error.contains("x1, x2") && error.contains("--package=twobins -- x1"), "{error}");
    let error = fails(dx(&project, ["exec", "-y", "nobin"]), "DX_NO_COMMAND_OF");
    assert!(error.contains("it has none"), "{error}");
    fails(dx(&project, ["exec", "-c", "a", "b"]), "DX_CALL_WITH_WORDS");
    let run = dx(&project, ["exec", "-y", "--package=tool", "--", "nothere"]);
    assert_eq!(run.status, Some(127), "{run}");
}

#[test]
fn project_does_not_allow_scripts_of_what_it_runs() {
    let registry = Registry::start();
    registry
        .package("native", "1.0.0")
        .bin("native", "run.sh")
        .executable(
            "run.sh",
            "#!/bin/sh\ncat \"$(dirname \"$(readlink -f \"$0\")\")/built\" || echo unbuilt\n",
        )
        .script("postinstall", "echo built > built")
        .publish();
    let project = Project::new(&registry)
        .field("allowScripts", serde_json::json!({ "native": true }))
        .npmrc("allow-scripts=native")
        .create();
    let run = ok(&project, ["dlx", "native"]);
    assert_eq!(run.stdout, "unbuilt\n");
    assert!(run.stderr.contains("install scripts not run: native@1.0.0"), "{run}");
    let run = ok(&project, ["dlx", "--allow-scripts=native", "native"]);
    assert_eq!(run.stdout, "built\n", "the user's own word counts");
}

#[test]
fn folder_that_others_may_write_is_made_again() {
    use std::os::unix::fs::PermissionsExt;
    let registry = registry();
    let project = Project::new(&registry).create();
    ok(&project, ["dlx", "solo-bin@1.0.0"]);
    let folder = environments(&project).pop().unwrap();
    fs::write(folder.join("node_modules/.bin/planted"), "").unwrap();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).unwrap();
    registry.clear_requests();
    assert_eq!(ok(&project, ["dlx", "solo-bin@1.0.0"]).stdout, "@@solo-bin@1.0.0\n");
    assert!(!folder.join("node_modules/.bin/planted").exists());
    let mode = fs::metadata(&folder).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}

#[test]
fn what_fails_is_not_kept() {
    let registry = registry();
    let project = Project::new(&registry).npmrc("fetch-retries=0").create();
    let fault = registry.fault("*.tgz", dx_pkg_testkit::Fault::status(500));
    dx(&project, ["dlx", "solo-bin@1.0.0"]).failure();
    fault.clear();
    assert_eq!(ok(&project, ["dlx", "solo-bin@1.0.0"]).stdout, "@@solo-bin@1.0.0\n");
}

#[test]
fn settings_of_the_project_count() {
    let registry = registry();
    let elsewhere = Registry::start();
    let project =
        Project::new(&elsewhere).npmrc(&format!("@scope:registry={}", registry.url())).create();
    assert_eq!(ok(&project, ["dlx", "@scope/tool"]).stdout, "@@tool@1.0.0\n");
    assert!(elsewhere.requests().is_empty());
    dx(&project, ["dlx", "solo-bin"]).failure();
}

#[test]
fn unused_ones_are_removed() {
    let registry = registry();
    let project = Project::new(&registry).create();
    ok(&project, ["dlx", "solo-bin@1.0.0"]);
    let folder = environments(&project).pop().unwrap();
    let ago = std::time::SystemTime::now() - std::time::Duration::from_secs(60 * 24 * 60 * 60);
    fs::File::open(&folder).unwrap().set_modified(ago).unwrap();
    ok(&project, ["dlx", "solo-bin@1.0.0"]);
    ok(&project, ["store", "prune"]);
    assert!(folder.exists(), "it was used just now");
    fs::File::open(&folder).unwrap().set_modified(ago).unwrap();
    ok(&project, ["store", "prune"]);
    assert!(!folder.exists());
}

#[test]
fn several_scripts_are_run_by_a_pattern() {
    let project = Project::offline()
        .script("build:b", "echo b")
        .script("prebuild:a", "echo before")
        .script("build:a", "echo a")
        .script("build:a:x", "echo x")
        .script("fail:1", "exit 4")
        .script("fail:2", "echo never")
        .create();
    for (pattern, printed) in [
        ("build:*", "b\nbefore\na\n"),
        ("build:**", "b\nbefore\na\nx\n"),
        ("/^build:a/", "before\na\nx\n"),
    ] {
        assert_eq!(ok(&project, ["run", pattern]).stdout, printed, "{pattern}");
    }
    let run = dx(&project, ["run", "fail:*"]);
    assert_eq!((run.status, run.stdout.as_str()), (Some(4), ""), "{run}");
    fails(dx(&project, ["run", "none:*"]), "DX_SCRIPT_UNKNOWN");
    ok(&project, ["run", "none:*", "--if-present"]);
    fails(dx(&project, ["run", "/(/"]), "DX_SCRIPT_PATTERN");
}

#[test]
fn answers_of_init_can_be_piped_in() {
    let project = Project::offline().create();
    project.remove("package.json");
    let run = |answers: &str, words: &[&str]| {
        use std::io::Write;
        let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_dx"))
            .args(words)
            .current_dir(project.path())
            .env("HOME", project.home())
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(answers.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    };
    let ended = run("\n\n", &["init"]);
    assert_eq!(ended.status.code(), Some(1));
    assert!(!project.exists("package.json"), "nothing is written where nobody answers");
    let ended = run(&"\n".repeat(10), &["init"]);
    assert_eq!(ended.status.code(), Some(1), "also at the last question");
    assert!(!project.exists("package.json"));
    let no = run(&format!("{}no\n", "\n".repeat(10)), &["init"]);
    assert_eq!(no.status.code(), Some(0));
    assert!(!project.exists("package.json"));
    let answers = "Bad Name\nnm\nx\n2.0.0\ndesc\nmain.js\nrun it\n\
        http://git.example.test/x.git\na b, c\nAnn\nwhat is this\nMIT\nmodule\nyes\n";
    let done = run(answers, &["init"]);
    assert_eq!(done.status.code(), Some(0), "{}", String::from_utf8_lossy(&done.stderr));
    assert_eq!(
        project.json("package.json"),
        serde_json::json!({
            "name": "nm", "version": "2.0.0", "description": "desc", "keywords": ["a", "b", "c"],
            "repository": { "type": "git", "url": "http://git.example.test/x.git" },
            "license": "MIT", "author": "Ann", "type": "module", "main": "main.js",
            "scripts": { "test": "run it" },
        })
    );
}

#[test]
fn shims_let_dx_answer_to_other_names() {
    let project = Project::offline()
        .field("name", "p")
        .script("dev", "echo dev")
        .file("node_modules/.bin/here", "#!/bin/sh\necho here \"$@\"\n")
        .create();
    allow(&project, "node_modules/.bin/here");
    let run = ok(&project, ["shims", "bin"]);
    assert!(run.stdout.contains("Made npm, npx, pnpm, pnpx, yarn in"), "{run}");
    assert!(run.stdout.contains("export PATH="), "{run}");
    let face = |tool: &str, words: &[&str]| {
        project.command(&project.path().join("bin").join(tool)).args(words).run()
    };
    for (tool, words, printed) in [
        ("npm", &["run", "dev"][..], "dev\n"),
        ("npx", &["here", "--x", "-y"], "here --x -y\n"),
        ("pnpm", &["dev"], "dev\n"),
        ("pnpm", &["run", "dev", "--x"], "dev --x\n"),
        ("pnpm", &["exec", "here", "--x"], "here --x\n"),
        ("yarn", &["here", "--json"], "here --json\n"),
        ("yarn", &["run", "dev", "-s"], "dev -s\n"),
        ("npm", &["--version"], "12.2.2\n"),
    ] {
        assert_eq!(face(tool, words).success().stdout, printed, "{tool} {words:?}");
    }
    let run = face("yarn", &["set", "version", "stable"]);
    assert_eq!(run.status, Some(2), "{run}");
    assert!(run.stderr.contains("dx cannot do what `yarn set` does"), "{run}");
    let run = ok(&project, ["shims", "bin", "--remove", "--tool", "npm", "--json"]);
    let fields: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(fields["removed"], serde_json::json!(["npm"]));
    project.write("bin/npm", "mine");
    fails(dx(&project, ["shims", "bin"]), "DX_SHIM_OCCUPIED");
    ok(&project, ["shims", "bin", "--remove"]);
    assert_eq!(project.read("bin/npm"), "mine");
    assert!(!project.exists("bin/yarn"));
}

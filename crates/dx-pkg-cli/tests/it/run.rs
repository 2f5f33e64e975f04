//! `dx run` and the commands for single scripts, as npm 12 behaves.

use dx_pkg_testkit::{Project, ProjectBuilder, Run};
use serde_json::json;

use crate::harness::{command, dx, fails, ok};

/// A script that prints its arguments as a list.
const ARGUMENTS: &str = "node -e 'console.log(JSON.stringify(process.argv.slice(1)))' --";

fn project() -> ProjectBuilder {
    Project::offline().field("name", "demo").field("version", "1.2.3")
}

#[test]
fn script_runs_between_those_before_and_after_it() {
    let project = project()
        .script("prebuild", "echo before")
        .script("build", "echo main")
        .script("postbuild", "echo after")
        .script("rebuild", "echo not this")
        .create();
    let run = ok(&project, ["run", "build"]);
    assert_eq!(run.stdout, "before\nmain\nafter\n");
    assert!(run.stderr.contains("> demo@1.2.3 prebuild\n> echo before\n"), "{run}");
    assert!(!project.store().exists(), "no store is needed");
    let run = ok(&project, ["run", "build", "--ignore-scripts"]);
    assert_eq!(run.stdout, "main\n");
    let run = ok(&project, ["run-script", "build", "--silent"]);
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("before\nmain\nafter\n", ""));
}

#[test]
fn arguments_go_to_the_script_as_they_are_and_to_no_other() {
    let project = project()
        .script("prelist", ARGUMENTS)
        .script("list", ARGUMENTS)
        .script("postlist", ARGUMENTS)
        .create();
    let arguments =
        ["run", "list", "plain", "--", "--flag", "a b", "", "$HOME", "it's", "`id`;\"*\""];
    assert_eq!(
        ok(&project, arguments).stdout,
        "[]\n[\"plain\",\"--flag\",\"a b\",\"\",\"$HOME\",\"it's\",\"`id`;\\\"*\\\"\"]\n[]\n"
    );
    // A flag that dx does not know is the script's, too, with all that follows.
    let run = ok(&project, ["run", "list", "--flag", "--json"]);
    assert_eq!(run.stdout, "[]\n[\"--flag\",\"--json\"]\n[]\n");
}

#[test]
fn exit_code_is_that_of_the_script_that_failed_and_nothing_runs_after_it() {
    let project = project()
        .script("fail", "exit 7")
        .script("postfail", "echo never")
        .script("prestrict", "exit 3")
        .script("strict", "echo never")
        .create();
    for (name, code) in [("fail", 7), ("strict", 3)] {
        let run = dx(&project, ["run", name]);
        assert_eq!((run.status, run.stdout.as_str()), (Some(code), ""), "{run}");
    }
}

#[cfg(unix)]
#[test]
fn signal_that_ends_a_script_ends_dx() {
    let project = project()
        .script("alone", "kill -TERM $$")
        .script("followed", "kill -TERM $$")
        .script("postfollowed", "echo never")
        .create();
    let end = |name: &str| command(&project).args(["run", name]).spawn().wait().unwrap();
    let alone = end("alone");
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&alone), Some(15), "{alone}");
    assert_eq!(end("followed").code(), Some(128 + 15), "as a shell says it");
}

#[cfg(unix)]
#[test]
fn signal_to_dx_reaches_the_script() {
    let wait =
        "trap 'echo caught > caught; exit 5' TERM; echo > ready; while :; do sleep 0.05; done";
    let project = project()
        .script("alone", wait)
        .script("followed", wait)
        .script("postfollowed", "echo never")
        .create();
    for name in ["alone", "followed"] {
        let mut process = command(&project).args(["run", name]).spawn();
        while !project.exists("ready") {
            assert!(process.try_wait().unwrap().is_none(), "{name} is running");
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        let kill =
            std::process::Command::new("kill").arg(process.id().to_string()).status().unwrap();
        assert!(kill.success());
        assert_eq!(process.wait().unwrap().code(), Some(5), "{name}");
        assert_eq!(project.read("caught"), "caught\n", "{name}");
        project.remove("ready");
        project.remove("caught");
    }
}

/// Returns the variables that a script printed.
fn variables(run: &Run) -> Vec<(&str, &str)> {
    run.stdout.lines().filter_map(|line| line.split_once('=')).collect()
}

#[test]
fn script_sees_npms_variables() {
    let project = project()
        .field("bin", json!({ "tool": "./bin/tool.js" }))
        .field("engines", json!({ "node": ">=18" }))
        .field(
            "config",
            json!({ "port": 8080, "list": ["a", { "b": 1 }], "off": false, "none": null }),
        )
        .script("show", "env")
        .npmrc("save-exact=true")
        .npmrc("package-lock=true")
        .npmrc("//registry.example/:_authToken=s3cret")
        .file("deep/er/file", "")
        .create();
    let folder = project.path().canonicalize().unwrap();
    let text = |path: &str| folder.join(path).display().to_string();
    let run = command(&project)
        .args(["run", "show"])
        .current_dir(&project.path().join("deep/er"))
        .run()
        .success();
    let variables = variables(&run);
    let value =
        |key: &str| variables.iter().find(|(name, _)| *name == key).map(|(_, value)| *value);
    for (key, expected) in [
        ("npm_lifecycle_event", "show"),
        ("npm_lifecycle_script", "env"),
        ("npm_command", "run"),
        ("npm_package_name", "demo"),
        ("npm_package_version", "1.2.3"),
        ("npm_package_json", &text("package.json")),
        ("npm_package_bin_tool", "bin/tool.js"),
        ("npm_package_engines_node", ">=18"),
        ("npm_package_config_port", "8080"),
        ("npm_package_config_list_0", "a"),
        ("npm_package_config_list_1_b", "1"),
        ("npm_package_config_off", ""),
        ("npm_package_config_none", ""),
        ("npm_config_save_exact", "true"),
        ("npm_config_local_prefix", &text("")[..text("").len() - 1]),
        ("INIT_CWD", &text("deep/er")),
        ("PWD", &text("")[..text("").len() - 1]),
    ] {
        assert_eq!(value(key), Some(expected), "{key}");
    }
    assert_eq!(value("npm_config_package_lock"), None, "a default is not told");
    let agent = value("npm_config_user_agent").unwrap();
    assert!(agent.starts_with("dx/") && agent.contains(" node/v"), "{agent}");
    for key in ["userconfig", "globalconfig", "global_prefix", "prefix", "init_module", "cache"] {
        let folder = value(&format!("npm_config_{key}"));
        assert!(folder.is_some_and(|folder| folder.starts_with('/')), "{key}: {folder:?}");
    }
    assert_eq!(value("npm_node_execpath"), value("NODE"));
    assert!(!run.stdout.contains("s3cret"), "{run}");
    assert_eq!(
        ok(&project, ["run", "env"])
            .stdout
            .lines()
            .filter(|line| *line == "npm_lifecycle_event=env")
            .count(),
        1
    );
}

#[cfg(unix)]
#[test]
fn commands_of_every_folder_upwards_are_found_the_nearest_first() {
    let tool = |name: &str| format!("#!/bin/sh\necho {name}\n");
    let project = project()
        .field("workspaces", json!(["packages/*"]))
        .script("both", "echo root")
        .file("packages/a/package.json", r#"{"name":"a","scripts":{"both":"near; far","where":"pwd; echo $npm_config_local_prefix $npm_package_name"}}"#)
        .file("packages/a/src/file", "")
        .file("packages/a/node_modules/.bin/near", tool("near of a"))
        .file("node_modules/.bin/near", tool("near of root"))
        .file("node_modules/.bin/far", tool("far of root"))
        .create();
    for name in
        ["packages/a/node_modules/.bin/near", "node_modules/.bin/near", "node_modules/.bin/far"]
    {
        let path = project.path().join(name);
        std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o755))
            .unwrap();
    }
    let inside = project.path().join("packages/a/src");
    let run = |name: &str| {
        command(&project).args(["run", name]).current_dir(&inside).run().success().stdout
    };
    assert_eq!(run("both"), "near of a\nfar of root\n");
    let root = project.path().canonicalize().unwrap().display().to_string();
    assert_eq!(run("where"), format!("{root}/packages/a\n{root} a\n"));
    assert_eq!(ok(&project, ["run", "both"]).stdout, "root\n");
    assert_eq!(
        ok(&project, ["-C", "packages/a", "run", "both"]).stdout,
        "near of a\nfar of root\n"
    );
}

#[cfg(unix)]
#[test]
fn package_manager_that_is_not_there_is_told() {
    let project = project().script("build", "pnpx --version").script("other", "echo pnpx").create();
    let run = |name: &str| command(&project).env("PATH", "/nowhere").args(["run", name]).run();
    let absent = run("build");
    assert_eq!(absent.status, Some(127), "{absent}");
    assert!(absent.stderr.contains("calls pnpx, which is not on the PATH; `dx shims`"), "{absent}");
    assert!(!run("other").stderr.contains("shims"));
    project.write("node_modules/.bin/pnpx", "#!/bin/sh\n");
    assert!(!run("build").stderr.contains("shims"));
}

#[test]
fn unknown_script_is_an_error_that_suggests_a_similar_name() {
    let project = project().script("build", "x").script("lint", "x").create();
    let stderr = fails(dx(&project, ["run", "biuld"]), "DX_SCRIPT_UNKNOWN");
    assert!(stderr.contains("\"biuld\"") && stderr.contains("did you mean \"build\"?"), "{stderr}");
    let stderr = fails(dx(&project, ["run", "deploy"]), "DX_SCRIPT_UNKNOWN");
    assert!(!stderr.contains("did you mean") && stderr.contains("dx run"), "{stderr}");
    fails(dx(&project, ["test"]), "DX_SCRIPT_UNKNOWN");
    fails(dx(&project, ["restart"]), "DX_SCRIPT_UNKNOWN");
    let run = ok(&project, ["run", "biuld", "--if-present"]);
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("", ""));
    fails(dx(&Project::offline().package_json("{").create(), ["run", "x"]), "DX_MANIFEST_SYNTAX");
}

#[test]
fn scripts_are_listed() {
    let project = project()
        .script("build", "make\nmake more")
        .script("test", "t")
        .script("pretest", "p")
        .create();
    let listed = ok(&project, ["run"]).stdout;
    let expected = "Lifecycle scripts included in demo@1.2.3:\n  test\n    t\n  pretest\n    p\n\
        available via `dx run`:\n  build\n    make\nmake more\n";
    assert_eq!(listed, expected);
    let json: serde_json::Value =
        serde_json::from_str(&ok(&project, ["run", "--json"]).stdout).unwrap();
    assert_eq!(json, json!({ "build": "make\nmake more", "test": "t", "pretest": "p" }));
    let none = Project::offline().create();
    let run = ok(&none, ["run"]);
    assert_eq!(run.stdout, "");
    assert!(run.stderr.contains("no scripts"), "{run}");
}

#[test]
fn scripts_with_commands_of_their_own() {
    let show = |name: &str| format!("echo {name} $npm_command");
    let mut builder = project();
    for name in ["test", "start", "stop", "poststop", "prestart", "prerestart", "postrestart"] {
        builder = builder.script(name, &show(name));
    }
    let project = builder.create();
    for alias in ["test", "t", "tst"] {
        assert_eq!(ok(&project, [alias]).stdout, "test test\n");
    }
    assert_eq!(ok(&project, ["stop"]).stdout, "stop stop\npoststop stop\n");
    assert_eq!(ok(&project, ["start", "--", "-x"]).stdout, "prestart start\nstart start -x\n");
    let restarted: Vec<String> = ok(&project, ["restart", "y"])
        .stdout
        .lines()
        .map(|line| line.replace(" restart", ""))
        .collect();
    assert_eq!(restarted, ["prerestart", "stop", "poststop", "prestart", "start y", "postrestart"]);
    let own =
        Project::offline().script("restart", "echo own").script("start", "echo start").create();
    assert_eq!(ok(&own, ["restart"]).stdout, "own\n");
}

#[cfg(unix)]
#[test]
fn command_of_a_dependency_does_not_take_the_shells_place() {
    let project =
        project().script("x", "echo mine").file("node_modules/.bin/sh", "#!/bin/true\n").create();
    let shell = project.path().join("node_modules/.bin/sh");
    std::fs::set_permissions(&shell, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    assert_eq!(ok(&project, ["run", "x"]).stdout, "mine\n");
}

#[cfg(unix)]
#[test]
fn script_shell_runs_scripts() {
    let project =
        project().script("x", "whatever it is").file("shell", "#!/bin/sh\necho \"$@\"\n").create();
    let shell = project.path().join("shell");
    std::fs::set_permissions(&shell, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let set = |line: String| std::fs::write(project.home().join(".npmrc"), line).unwrap();
    set(format!("script-shell={}\n", shell.display()));
    assert_eq!(ok(&project, ["run", "x"]).stdout, "-c whatever it is\n");
    set("script-shell=/no/such/shell\n".to_owned());
    assert!(fails(dx(&project, ["run", "x"]), "DX_SCRIPT_START").contains("/no/such/shell"));
}

#[test]
fn script_reads_the_standard_input_of_dx() {
    let project = project().script("x", "cat; echo to-err >&2").script("postx", "cat").create();
    let mut process = std::process::Command::new(env!("CARGO_BIN_EXE_dx"))
        .args(["run", "x"])
        .current_dir(project.path())
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut process.stdin.take().unwrap(), b"given\n").unwrap();
    let output = process.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(0), &b"given\n"[..]));
}

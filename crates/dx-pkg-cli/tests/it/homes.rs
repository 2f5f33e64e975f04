//! The settings files of pnpm, Yarn and Bun.

use dx_pkg_testkit::{Project, ProjectBuilder, Registry};
use serde_json::json;

use crate::harness::{command, dx, fails, ok};

fn registry() -> Registry {
    let registry = Registry::start();
    registry.package("a", "1.0.0").script("postinstall", "node -e 1").publish();
    registry.package("d", "1.0.0").publish();
    registry
}

fn builder(registry: &Registry) -> ProjectBuilder {
    Project::new(registry).dep("a", "1.0.0").dev("d", "1.0.0")
}

#[test]
fn settings_of_the_projects_manager_count() {
    let registry = registry();
    // Bun's.
    let project = builder(&registry).file("bunfig.toml", "[install]\ndev = false\nexact = true\n");
    let project = project.create();
    ok(&project, ["install"]);
    assert!(project.exists("node_modules/a") && !project.exists("node_modules/d"));
    registry.package("e", "1.0.0").publish();
    ok(&project, ["add", "e"]);
    assert_eq!(project.json("package.json")["dependencies"]["e"], "1.0.0");
    // Yarn's.
    let text = "defaultSemverRangePrefix: '~'\nnodeLinker: node-modules\n";
    let project = builder(&registry).file(".yarnrc.yml", text).create();
    let run = ok(&project, ["add", "e"]);
    assert!(!run.stderr.contains("carry out"), "{run}");
    assert_eq!(project.json("package.json")["dependencies"]["e"], "~1.0.0");
    // pnpm's.
    let project = builder(&registry).file("pnpm-workspace.yaml", "savePrefix: ''\n").create();
    ok(&project, ["add", "e"]);
    assert_eq!(project.json("package.json")["dependencies"]["e"], "1.0.0");
    // A file of another manager than the project's is named and not read.
    let project = builder(&registry)
        .field("packageManager", "pnpm@10.0.0")
        .file("bunfig.toml", "[install]\ndev = false\n")
        .create();
    let run = ok(&project, ["install"]);
    assert!(run.stderr.contains("bunfig.toml, as the project belongs to pnpm"), "{run}");
    assert!(project.exists("node_modules/d"));
}

#[test]
fn a_change_of_the_settings_is_noticed() {
    let registry = registry();
    let project = builder(&registry).file("bunfig.toml", "[install]\n").create();
    ok(&project, ["install"]);
    assert_eq!(ok(&project, ["install"]).stdout, "Already up to date\n");
    project.write("bunfig.toml", "[install]\ndev = false\n");
    ok(&project, ["install"]);
    assert!(!project.exists("node_modules/d"));
}

#[test]
fn a_project_may_not_set_more_than_in_its_npmrc() {
    let registry = registry();
    for (file, text, refused) in [
        (
            ".yarnrc.yml",
            "httpProxy: http://127.0.0.1:1\nenableStrictSsl: false\n",
            "proxy, strict-ssl",
        ),
        ("bunfig.toml", "[install]\ncafile = \"x.pem\"\n", "cafile"),
        ("pnpm-workspace.yaml", "scriptShell: sh\nstrictSsl: false\n", "script-shell, strict-ssl"),
    ] {
        let project = builder(&registry).file(file, text).create();
        let run = ok(&project, ["install"]);
        assert!(run.stderr.contains(&format!("{file} sets {refused}, which")), "{run}");
    }
    // Nor read the environment.
    let text = "npmRegistryServer: 'http://${HOST}/'\n";
    let project = builder(&registry).file(".yarnrc.yml", text).create();
    let run = command(&project).env("HOST", "127.0.0.1").args(["install"]).run();
    fails(run, "DX_NPMRC_ENV_IN_PROJECT");
}

#[test]
fn what_is_not_carried_out_is_named_in_one_warning() {
    let registry = registry();
    for (file, text, said) in [
        (
            ".yarnrc.yml",
            "nodeLinker: pnp\nnmHoistingLimits: workspaces\nyarnPath: x\n",
            "nodeLinker in .yarnrc.yml, nmHoistingLimits in .yarnrc.yml",
        ),
        (
            "bunfig.toml",
            "[install]\nlinker = \"isolated\"\n[install.security]\nscanner = \"x\"\n",
            "install.linker in bunfig.toml, install.security in bunfig.toml",
        ),
        (
            "pnpm-workspace.yaml",
            "shamefullyHoist: true\npackages: []\n",
            "shamefullyHoist in pnpm-workspace.yaml",
        ),
    ] {
        let project = builder(&registry).file(file, text).create();
        let run = ok(&project, ["install"]);
        let told: Vec<&str> =
            run.stderr.lines().filter(|line| line.contains("does not carry out")).collect();
        assert_eq!(told.len(), 1, "{run}");
        assert!(told[0].contains(said), "{said}: {run}");
        for idle in ["yarnPath", "packages"] {
            assert!(!told[0].contains(idle), "{run}");
        }
    }
}

#[test]
fn npmrc_of_a_new_pnpm_is_for_registries() {
    let registry = registry();
    let with = |manager: &str| {
        builder(&registry).field("packageManager", manager).npmrc("omit=dev").create()
    };
    let project = with("pnpm@10.9.0");
    ok(&project, ["install"]);
    assert!(!project.exists("node_modules/d"));
    let project = with("pnpm@11.0.0");
    let run = ok(&project, ["install"]);
    assert!(project.exists("node_modules/d"));
    assert!(run.stderr.contains("omit in ") && run.stderr.contains("pnpm 11 or later"), "{run}");
}

#[test]
fn files_that_cannot_be_read_are_errors() {
    let registry = registry();
    for (file, text, code) in [
        ("pnpm-workspace.yaml", "packages: [", "DX_SETTINGS_SYNTAX"),
        ("pnpm-workspace.yaml", "packages: x\n", "DX_SETTINGS_VALUE"),
        ("pnpm-workspace.yaml", "packages: [1]\n", "DX_SETTINGS_VALUE"),
        ("pnpm-workspace.yaml", "overrides: [a]\n", "DX_SETTINGS_VALUE"),
        ("pnpm-workspace.yaml", "catalog: x\n", "DX_SETTINGS_VALUE"),
        (".yarnrc.yml", "- x\n", "DX_SETTINGS_SYNTAX"),
        ("bunfig.toml", "install = {", "DX_SETTINGS_SYNTAX"),
        ("pnpm-workspace.yaml", "minimumReleaseAge: soon\n", "DX_CONFIG_INVALID"),
    ] {
        let project = builder(&registry).file(file, text).create();
        let stderr = fails(dx(&project, ["install"]), code);
        assert!(stderr.contains(file), "{stderr}");
        assert!(!project.exists("node_modules"));
    }
}

#[test]
fn code_that_changes_packages_is_refused_by_name() {
    let registry = registry();
    for (file, text, beside, said) in [
        (".pnpmfile.cjs", "", ("pnpm-workspace.yaml", ""), ".pnpmfile.cjs can change"),
        ("x.cjs", "", ("pnpm-workspace.yaml", "pnpmfile: x.cjs\n"), "the pnpmfile in"),
        ("p.cjs", "", (".yarnrc.yml", "plugins: [p.cjs]\n"), "plugins in .yarnrc.yml can"),
    ] {
        let project = builder(&registry).file(file, text).file(beside.0, beside.1).create();
        let stderr = fails(dx(&project, ["install"]), "DX_FOREIGN_HOOK");
        assert!(stderr.contains(said) && stderr.contains("--foreign-overrides=warn"), "{stderr}");
        let run = ok(&project, ["install", "--foreign-overrides=warn"]);
        assert!(run.stderr.contains(said), "{run}");
    }
    // Elsewhere such a file is nobody's.
    let project = builder(&registry).field("packageManager", json!("npm@12.0.0"));
    ok(&project.file(".pnpmfile.cjs", "").create(), ["install"]);
}

//! Settings: their sources, the receivers of credentials, refused values.

use std::fs;

use dx_pkg_testkit::{Fault, Project, RecordedRequest, Registry};

use crate::harness::{command, dx, fails, files, ok, required};

fn tokens(requests: &[RecordedRequest]) -> Vec<Option<&str>> {
    requests.iter().map(|request| request.header("authorization")).collect()
}

#[test]
fn scope_has_its_registry_and_only_that_gets_the_token() {
    let (public, private) = (Registry::start(), Registry::start());
    public.package("a", "1.0.0").publish();
    private.package("@acme/b", "1.0.0").dep("a", "1").publish();
    private.require_token("secret-token");
    let host = private.url().trim_start_matches("http:").to_owned();
    let project = Project::new(&public)
        .dep("@acme/b", "1")
        .npmrc(&format!("@acme:registry={}", private.url()))
        .npmrc(&format!("{host}:_authToken=secret-token"))
        .create();
    ok(&project, ["install"]);
    assert_eq!(required(&project, "@acme/b"), "@acme/b@1.0.0");
    assert_eq!(tokens(&private.requests()), [Some("Bearer secret-token"); 2]);
    assert_eq!(tokens(&public.requests()), [None; 2]);
}

#[test]
fn a_prefix_in_the_users_file_leads_to_the_machines_file() {
    let (registry, other) = (Registry::start(), Registry::start());
    registry.package("a", "1.0.0").publish();
    other.package("a", "1.0.0").publish();
    // The project's own registry is taken out: only the machine's file names one.
    let project = Project::new(&registry).dep("a", "1").user_npmrc("prefix=~/own").create();
    project.remove(".npmrc");
    let place = project.home().join("own/etc");
    fs::create_dir_all(&place).unwrap();
    fs::write(place.join("npmrc"), format!("registry={}", other.url())).unwrap();
    let run = |words: &[&str]| {
        command(&project).env("npm_config_globalconfig", "").args(words).run().success()
    };
    run(&["install"]);
    assert!(!other.requests().is_empty());
    assert_eq!(registry.requests().len(), 0);
    let file = place.join("npmrc").display().to_string();
    assert_eq!(run(&["config", "get", "globalconfig"]).stdout.trim(), file);
    assert_eq!(run(&["config", "get", "registry"]).stdout.trim(), other.url());
}

#[test]
fn token_does_not_follow_a_redirect_or_a_tarball_to_another_host() {
    let (registry, other) = (Registry::start(), Registry::start());
    registry.package("a", "1.0.0").publish();
    registry.package("b", "1.0.0").publish();
    other.package("a", "1.0.0").publish();
    other.package("b", "1.0.0").publish();
    registry.require_token("secret-token");
    registry.fault("/a/-/*", Fault::Redirect(other.url().to_owned()));
    let project = Project::new(&registry)
        .dep("a", "1")
        .dep("b", "1")
        .npmrc("[HOST]:_authToken=secret-token")
        .create();
    ok(&project, ["install"]);
    assert!(tokens(&registry.requests()).iter().all(|token| *token == Some("Bearer secret-token")));
    assert_eq!(tokens(&other.requests()), [None]);
    let direct = Project::new(&registry)
        .dep("b", "1")
        .npmrc("[HOST]:_authToken=secret-token")
        .user_npmrc("allow-remote=root")
        .create();
    registry.tarballs_at(other.url());
    other.clear_requests();
    ok(&direct, ["install"]);
    assert_eq!(tokens(&other.requests()), [None]);
}

#[test]
fn missing_and_wrong_credentials_name_the_key_and_never_the_token() {
    let registry = Registry::start();
    registry.package("a", "1.0.0").publish();
    registry.require_token("right");
    let project = Project::new(&registry).dep("a", "1").create();
    let stderr = fails(dx(&project, ["install"]), "DX_UNAUTHORIZED");
    assert!(stderr.contains(":_authToken"), "{stderr}");
    project.write(
        ".npmrc",
        format!("{}{}:_authToken=wr0ng\n", project.read(".npmrc"), host(&registry)),
    );
    let stderr = fails(dx(&project, ["install", "--verbose"]), "DX_UNAUTHORIZED");
    assert!(!stderr.contains("wr0ng"), "{stderr}");
}

fn host(registry: &Registry) -> &str {
    registry.url().trim_start_matches("http:")
}

#[test]
fn password_in_the_address_is_not_shown() {
    let registry = Registry::start();
    let project = Project::offline().dep("a", "1").create();
    let address = registry.url().replace("http://", "http://user:s3cret@");
    project.write(".npmrc", format!("registry={address}\n"));
    for run in [
        dx(&project, ["install"]),
        dx(&project, ["install", "--json"]),
        dx(&project, ["install", "--verbose"]),
    ] {
        assert_eq!(run.status, Some(1), "{run}");
        assert!(!format!("{run}").contains("s3cret"), "{run}");
    }
}

#[test]
fn variables_are_expanded_in_the_users_file_and_not_in_the_projects() {
    let registry = Registry::start();
    registry.package("a", "1.0.0").publish();
    registry.require_token("from-environment");
    let line = format!("{}:_authToken=${{TEST_TOKEN}}\n", host(&registry));
    let project = Project::new(&registry).dep("a", "1").npmrc(line.trim()).create();
    let run = command(&project).env("TEST_TOKEN", "from-environment").args(["install"]).run();
    let stderr = fails(run, "DX_UNAUTHORIZED");
    assert!(stderr.contains("warning:") && stderr.contains("TEST_TOKEN"), "{stderr}");
    assert_eq!(tokens(&registry.requests()), [None]);

    let project = Project::new(&registry).dep("a", "1").create();
    std::fs::write(project.home().join(".npmrc"), line).unwrap();
    command(&project).env("TEST_TOKEN", "from-environment").args(["install"]).run().success();
    assert_eq!(required(&project, "a"), "a@1.0.0");
}

#[test]
fn project_may_not_take_its_registry_from_the_environment() {
    let registry = Registry::start();
    let project = Project::offline()
        .dep("a", "1")
        .npmrc("registry=http://127.0.0.1:1/${TEST_TOKEN}/")
        .create();
    let run = command(&project).env("TEST_TOKEN", "s3cret").args(["install"]).run();
    assert_eq!(run.status, Some(1), "{run}");
    assert!(run.stderr.contains("TEST_TOKEN") && !run.stderr.contains("s3cret"), "{run}");
    assert_eq!(registry.requests().len(), 0);
}

#[test]
fn layers_are_weighed_flag_environment_project_user() {
    let [flag, environment, in_project, user] = [(); 4].map(|()| {
        let registry = Registry::start();
        registry.package("a", "1.0.0").publish();
        registry
    });
    let fresh = || {
        let project = Project::offline()
            .dep("a", "1")
            .npmrc(&format!("registry={}", in_project.url()))
            .create();
        std::fs::write(project.home().join(".npmrc"), format!("registry={}\n", user.url()))
            .unwrap();
        project
    };
    let counts =
        || [&flag, &environment, &in_project, &user].map(|registry| registry.metadata_requests());
    let project = fresh();
    let variable = ("npm_config_registry", environment.url());
    command(&project)
        .env(variable.0, variable.1)
        .args(["install", "--registry", flag.url()])
        .run()
        .success();
    assert_eq!(counts(), [1, 0, 0, 0]);
    let project = fresh();
    command(&project).env(variable.0, variable.1).args(["install"]).run().success();
    assert_eq!(counts(), [1, 1, 0, 0]);
    ok(&fresh(), ["install"]);
    assert_eq!(counts(), [1, 1, 1, 0]);
    let project = fresh();
    project.remove(".npmrc");
    ok(&project, ["install"]);
    assert_eq!(counts(), [1, 1, 1, 1]);
}

#[test]
fn settings_that_are_not_supported_are_errors_that_name_their_origin() {
    let registry = Registry::start();
    registry.package("a", "1.0.0").publish();
    let settings = [
        "node-linker=pnp",
        "node-linker=isolated",
        "install-strategy=linked",
        "enable-pnp=true",
        "symlink=false",
    ];
    for setting in settings {
        let project = Project::new(&registry).dep("a", "1").npmrc(setting).create();
        let before = files(&project);
        let stderr = fails(dx(&project, ["install"]), "DX_UNSUPPORTED_SETTING");
        assert!(stderr.contains(setting) && stderr.contains(".npmrc"), "{setting}: {stderr}");
        assert_eq!(files(&project), before, "{setting}");
    }
}

#[test]
fn settings_with_their_only_supported_value_are_accepted() {
    let registry = Registry::start();
    registry.package("a", "1.0.0").publish();
    let lines = [
        "node-linker=hoisted",
        "install-strategy=hoisted",
        "install-links=false",
        "bin-links=true",
        "fund=false",
        "audit=false",
        "loglevel=error",
        "progress=false",
    ];
    let builder = lines
        .into_iter()
        .fold(Project::new(&registry).dep("a", "1"), |builder, line| builder.npmrc(line));
    let project = builder.create();
    assert_eq!(ok(&project, ["install"]).stderr, "");
}

#[test]
fn value_that_is_not_of_its_kind_is_an_error() {
    let registry = Registry::start();
    registry.package("a", "1.0.0").publish();
    for setting in [
        "strict-ssl=perhaps",
        "fetch-retries=many",
        "package-import-method=teleport",
        "min-release-age=x",
        "loglevel=loud",
    ] {
        let project = Project::new(&registry).dep("a", "1").npmrc(setting).create();
        let (key, value) = setting.split_once('=').unwrap();
        let stderr = fails(dx(&project, ["install"]), "DX_CONFIG_INVALID");
        assert!(
            stderr.contains(key) && stderr.contains(value) && stderr.contains(".npmrc"),
            "{stderr}"
        );
        assert!(!project.exists("node_modules"));
    }
}

#[test]
fn wrong_value_of_a_flag_is_an_error_that_names_the_flag() {
    let registry = Registry::start();
    registry.package("a", "1.0.0").publish();
    let project = Project::new(&registry).dep("a", "1").create();
    for (flag, value) in [("min-release-age", "soon"), ("registry", "ftp://host/")] {
        let run = dx(&project, ["install", &format!("--{flag}={value}")]);
        let error = fails(run, "DX_CONFIG_INVALID");
        assert!(error.contains(&format!("--{flag}")) && error.contains(value), "{error}");
        assert!(!project.exists("node_modules"));
    }
    let run = dx(&project, ["install", "--omit=tests"]);
    assert_eq!(run.status, Some(2), "{run}");
    assert!(run.stderr.contains("--omit") && run.stderr.contains("tests"), "{run}");
    assert!(!project.exists("node_modules"));
}

#[test]
fn password_in_a_flags_address_is_not_shown() {
    let project = Project::offline().dep("a", "1").create();
    let run = dx(&project, ["install", "--registry=ftp://user:s3cret@host/"]);
    let error = fails(run, "DX_CONFIG_INVALID");
    assert!(error.contains("host") && !error.contains("s3cret"), "{error}");
}

#[test]
fn flags_without_effect_do_not_override_settings() {
    let registry = Registry::start();
    registry.package("a", "1.0.0").publish();
    let project = Project::new(&registry).npmrc("save=false").create();
    let before = project.read("package.json");
    ok(&project, ["install", "a"]);
    assert_eq!(project.read("package.json"), before);
    // As with npm, the command line counts before the file.
    ok(&project, ["install", "--save", "a"]);
    assert_ne!(project.read("package.json"), before);
    let project = Project::new(&registry).dep("a", "1").npmrc("audit=perhaps").create();
    fails(dx(&project, ["install", "--no-audit"]), "DX_CONFIG_INVALID");
}

#[test]
fn flags_that_do_not_change_the_tree_leave_it_up_to_date() {
    const NOTHING_TO_DO: &str = "Already up to date\n";
    let registry = Registry::start();
    registry.package("a", "1.0.0").publish();
    let project = Project::new(&registry).create();
    ok(&project, ["install", "--save-exact", "--no-fund", "a"]);
    for flag in ["--offline", "--no-audit", "--no-save", "--save-exact"] {
        assert_eq!(ok(&project, ["install", flag]).stdout, NOTHING_TO_DO, "{flag}");
    }
    assert_ne!(ok(&project, ["install", "--omit=dev"]).stdout, NOTHING_TO_DO);
    assert_eq!(ok(&project, ["install", "--prod"]).stdout, NOTHING_TO_DO);
}

#[test]
fn package_lock_only_writes_the_lockfile_only() {
    let registry = Registry::start();
    registry.package("a", "1.0.0").publish();
    let project = Project::new(&registry).dep("a", "1").npmrc("package-lock-only=true").create();
    ok(&project, ["install"]);
    assert!(project.exists("package-lock.json") && !project.exists("node_modules"));
}

#[test]
fn import_method_copy_shares_nothing_with_the_store() {
    let registry = Registry::start();
    registry.package("a", "1.0.0").publish();
    let project =
        Project::new(&registry).dep("a", "1").npmrc("package-import-method=copy").create();
    let run = ok(&project, ["install", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(json["statistics"]["hardlinks"], 0, "{json}");
    assert_eq!(json["statistics"]["copies"], 2, "{json}");
}

#[test]
fn import_method_of_the_environment_wins_and_every_word_is_known() {
    let registry = Registry::start();
    registry.package("a", "1.0.0").publish();
    let project =
        Project::new(&registry).dep("a", "1").npmrc("package-import-method=teleport").create();
    for (method, hardlinks) in
        [("auto", true), ("hardlink", true), ("copy", false), ("clone-or-copy", false)]
    {
        let run = command(&project)
            .env("npm_config_package_import_method", method)
            .env("DX_PREPARED_TREES", "0")
            .args(["install", "--json"])
            .run()
            .success();
        project.remove("node_modules");
        let json: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
        let statistics = &json["statistics"];
        let shared =
            statistics["hardlinks"].as_u64().unwrap() + statistics["moves"].as_u64().unwrap();
        let own = statistics["copies"].as_u64().unwrap() + statistics["reflinks"].as_u64().unwrap();
        assert_eq!(
            if hardlinks { (shared, own) } else { (own, shared) },
            (2, 0),
            "{method}: {json}"
        );
    }
}

#[test]
fn a_package_that_was_just_fetched_is_moved_and_counted() {
    let registry = Registry::start();
    registry.package("a", "1.0.0").publish();
    // Moved where maintenance stores it afterwards, else linked.
    for (trees, moved) in [("1", [1, 2, 0]), ("0", [0, 0, 2])] {
        let project = Project::new(&registry).dep("a", "1").create();
        let run = command(&project)
            .env("DX_PREPARED_TREES", trees)
            .args(["install", "--json"])
            .run()
            .success();
        let json: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
        let statistics = &json["statistics"];
        let found = ["moved_packages", "moves", "hardlinks"].map(|name| &statistics[name]);
        assert_eq!(found, moved.map(serde_json::Value::from).each_ref(), "{json}");
        assert!(
            statistics["bytes_saved"].as_u64().unwrap() > 0 && statistics["bytes_copied"] == 0,
            "{json}"
        );
    }
}

//! What a project's `.npmrc` may not do with the user's network, credentials and scripts.

use dx_pkg_testkit::{Project, Registry};

use crate::harness::{command, dx, fails, ok, required};

fn registry() -> Registry {
    let registry = Registry::start();
    registry.package("a", "1.0.0").publish();
    registry
}

/// Returns `//host:port/` of a registry.
fn host(registry: &Registry) -> String {
    registry.url().trim_start_matches("http:").to_owned()
}

#[test]
fn a_projects_proxy_is_named_and_not_asked() {
    let (registry, evil) = (registry(), registry());
    for lines in [
        format!("proxy={}", evil.url()),
        format!("https-proxy={}\nnoproxy=", evil.url()),
        format!("strict-ssl=false\nproxy={}", evil.url()),
    ] {
        let project = Project::new(&registry).dep("a", "1").npmrc(&lines).create();
        let run = ok(&project, ["install"]);
        assert_eq!(evil.requests().len(), 0, "{run}");
        assert!(run.stderr.contains("proxy (line "), "{run}");
        assert!(run.stderr.contains("trusted-projects[]="), "{run}");
    }
}

#[test]
fn a_trusted_projects_proxy_is_asked() {
    let proxy = registry();
    let lines = format!("registry=http://registry.invalid/\nproxy={}", proxy.url());
    let project = Project::offline().dep("a", "1").npmrc(&lines).create();
    let trusted = project.path().canonicalize().unwrap();
    let run = command(&project)
        .env("npm_config_trusted_projects", &trusted)
        .args(["install", "--lockfile-only"])
        .run();
    assert!(!run.stderr.contains("does not decide"), "{run}");
    assert!(!proxy.requests().is_empty(), "{run}");
    let listed = format!("trusted-projects[]={}\n", trusted.display());
    std::fs::write(project.home().join(".npmrc"), listed).unwrap();
    proxy.clear_requests();
    let run = dx(&project, ["install", "--lockfile-only"]);
    assert!(!run.stderr.contains("does not decide"), "{run}");
}

#[test]
fn a_change_of_trust_is_noticed() {
    let registry = registry();
    let project =
        Project::new(&registry).dep("a", "1").npmrc("dangerously-allow-all-scripts=true").create();
    ok(&project, ["install"]);
    assert!(ok(&project, ["install"]).stdout.contains("Already up to date"));
    let folder = project.path().canonicalize().unwrap();
    let trusting =
        || command(&project).env("npm_config_trusted_projects", &folder).args(["install"]).run();
    assert!(!trusting().success().stderr.contains("does not decide"));
    let line = format!("trusted-projects={}\n", folder.display());
    std::fs::write(project.home().join(".npmrc"), line).unwrap();
    assert!(!ok(&project, ["install"]).stderr.contains("does not decide"));
    std::fs::remove_file(project.home().join(".npmrc")).unwrap();
    assert!(ok(&project, ["install"]).stderr.contains("does not decide"));
}

#[test]
fn scripts_that_the_user_does_not_want_do_not_run() {
    let registry = registry();
    let project = Project::new(&registry)
        .dep("a", "1")
        .script("postinstall", "node -e \"require('fs').writeFileSync('ran', '')\"")
        .npmrc("ignore-scripts=false")
        .user_npmrc("ignore-scripts=true")
        .create();
    let run = ok(&project, ["install"]);
    assert!(!project.exists("ran") && run.stderr.contains("ignore-scripts (line 2)"), "{run}");
}

#[test]
fn run_names_what_it_does_not_obey_about_scripts_only() {
    let project = Project::offline()
        .script("show", "node -p \"process.env.NODE_OPTIONS || 'none'\"")
        .npmrc("node-options=--require ./evil.js\nscript-shell=./evil")
        .create();
    let run = ok(&project, ["run", "show"]);
    assert_eq!(run.stdout.trim(), "none");
    assert!(run.stderr.contains("node-options (line 1), script-shell (line 2)"), "{run}");
    project.write(".npmrc", "proxy=http://evil.invalid/\n");
    assert!(!ok(&project, ["run", "show"]).stderr.contains("proxy"));
}

#[test]
fn a_token_is_not_sent_in_the_open_because_a_project_says_so() {
    let registry = registry();
    registry.require_token("s3cret");
    let secure = registry.url().replace("http:", "https:");
    let project = Project::new(&registry)
        .dep("a", "1")
        .user_npmrc(&format!("registry={secure}\n{}:_authToken=s3cret", host(&registry)))
        .create();
    let stderr = fails(dx(&project, ["install"]), "DX_UNAUTHORIZED");
    assert!(stderr.contains("is not sent without TLS"), "{stderr}");
    let sent =
        |request: &dx_pkg_testkit::RecordedRequest| request.header("authorization").is_some();
    assert!(!registry.requests().iter().any(sent));
    // Named by the user it is.
    let line = format!("registry={}\n{}:_authToken=s3cret\n", registry.url(), host(&registry));
    std::fs::write(project.home().join(".npmrc"), line).unwrap();
    ok(&project, ["install"]);
    assert_eq!(required(&project, "a"), "a@1.0.0");
}

#[test]
fn answers_by_a_proxy_do_not_serve_without_it() {
    let (registry, other) = (registry(), Registry::start());
    registry.cache_control("max-age=300");
    other.cache_control("max-age=300");
    other.package("a", "1.9.0").publish();
    let first = Project::new(&registry)
        .dep("a", "1")
        .user_npmrc(&format!("proxy={}", other.url()))
        .create();
    // The proxy answers for the registry, in origin form or not.
    let _ = dx(&first, ["install", "--lockfile-only"]);
    let second = Project::new(&registry).dep("a", "1").store(first.store()).create();
    ok(&second, ["install"]);
    assert_eq!(required(&second, "a"), "a@1.0.0");
}

#[cfg(unix)]
#[test]
fn a_file_of_another_user_above_is_named_and_not_read() {
    let registry = registry();
    let project = Project::new(&registry)
        .field("workspaces", serde_json::json!(["w"]))
        .file("w/package.json", r#"{"name":"w","version":"1.0.0","scripts":{"x":"node -p 1"}}"#)
        .file("evil", "#!/bin/sh\necho evil\n")
        .npmrc("tag=beta")
        .create();
    // Only root may give a file away.
    if std::os::unix::fs::chown(project.path().join(".npmrc"), Some(65534), None).is_err() {
        return;
    }
    let run = ok(&project, ["run", "x", "--prefix=w"]);
    assert!(run.stderr.contains("belongs to another user"), "{run}");
    assert!(dx(&project, ["install"]).stderr.contains("belongs to another user"));
    // In a container all of the project belongs to a user of the host.
    std::os::unix::fs::chown(project.path(), Some(65534), None).unwrap();
    assert!(!ok(&project, ["install"]).stderr.contains("belongs to another user"));
}

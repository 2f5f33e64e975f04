//! What a project's file may set, and what of the user's it may not undo.

use super::*;

/// Returns what the warnings about a project's settings name.
fn refused(config: &Config) -> Vec<String> {
    let named = config.warnings().iter().filter_map(|warning| match warning {
        ConfigWarning::UntrustedProject { keys, .. } => Some(keys.clone()),
        _ => None,
    });
    named.flatten().collect()
}

#[test]
fn the_network_and_the_shell_are_the_users() {
    let text = "proxy=http://evil.test/\nhttps-proxy=http://evil.test/\n\nnoproxy[]=r.example\n\
                cafile=./ca.pem\nca=x\nlocal-address=1.2.3.4\nstrict-ssl=false\r\ncert=x\nkey=x\n\
                //r.example/:certfile=c\n//r.example/:keyfile=k\nscript-shell=./sh\n\
                node-options=--require ./x\neditor=./x\nnode-gyp=./x\ntrusted-projects=/project\n\
                browser=./x\nyes=true";
    let config = project(text);
    let named = refused(&config).join(", ");
    for key in [
        "proxy (line 1)",
        "https-proxy (line 2)",
        "noproxy (line 4)",
        "cafile (line 5)",
        "ca (line 6)",
        "local-address (line 7)",
        "strict-ssl (line 8)",
        "cert (line 9)",
        "key (line 10)",
        "//r.example/:certfile (line 11)",
        "//r.example/:keyfile (line 12)",
        "script-shell (line 13)",
        "node-options (line 14)",
        "editor (line 15)",
        "node-gyp (line 16)",
        "trusted-projects (line 17)",
        "browser (line 18)",
        "yes (line 19)",
    ] {
        assert!(named.contains(key), "{key}: {named}");
    }
    let at = url("https://r.example/");
    assert_eq!(config.proxy_for(&at).unwrap(), None);
    assert!(config.strict_ssl().unwrap() && config.ca().unwrap().is_empty());
    assert_eq!((config.cafile().unwrap(), config.script_shell().unwrap()), (None, None));
    assert!(config.client_certificate_for(&at).is_none());
    assert!(config.raw("browser").is_none() && config.raw("yes").is_none());
    let [warning] = config.warnings() else { panic!("{:?}", config.warnings()) };
    assert_eq!(warning.code(), "DX_NPMRC_UNTRUSTED");
    assert!(warning.to_string().contains("/project/.npmrc"), "{warning}");
    assert!(warning.hint().unwrap().contains("trusted-projects[]=/project "), "{warning}");
    assert_eq!(config.script_warnings().count(), 1);
    assert_eq!(project("proxy=http://evil.test/").script_warnings().count(), 0);
}

#[test]
fn a_refused_value_leaves_the_users() {
    let layers = Layers {
        user: "proxy=http://mine.test/\nstrict-ssl=true\nnode-options=--mine",
        project: "proxy=null\nhttps-proxy=http://evil.test/\nstrict-ssl=0\nnode-options=--evil",
        ..Layers::default()
    };
    let config = layers.config();
    let proxy = config.proxy_for(&url("https://r.example/")).unwrap();
    assert_eq!(proxy.unwrap().as_str(), "http://mine.test/");
    assert_eq!(config.node_options().unwrap().as_deref(), Some("--mine"));
    assert!(config.strict_ssl().unwrap());
    assert_eq!(refused(&config).len(), 4);
}

#[test]
fn what_changes_nothing_needs_no_warning() {
    let config = Layers {
        user: "proxy=http://mine.test/\nscript-shell=bash",
        project: "proxy=http://mine.test/\nscript-shell=bash\ncafile=null\nnoproxy=\nca=\n\
                  strict-ssl=true\nignore-scripts=false\nallow-remote=none\nverify=ci",
        ..Layers::default()
    }
    .config();
    assert_eq!(config.warnings(), []);
}

#[test]
fn a_project_may_be_stricter_than_the_user_and_not_looser() {
    // The setting, the user's value, the project's, and the one that counts.
    for (key, user, given, expected) in [
        ("ignore-scripts", "", "true", "true"),
        ("ignore-scripts", "true", "false", "true"),
        ("ignore-scripts", "true", "0", "true"),
        ("ignore-scripts", "true", "null", "true"),
        ("strict-allow-scripts", "true", "false", "true"),
        ("dangerously-allow-all-scripts", "", "true", "null"),
        ("dangerously-allow-all-scripts", "true", "false", "false"),
        ("strict-ssl", "false", "true", "true"),
        ("strict-ssl", "", "false", "null"),
        ("allow-remote", "", "all", "null"),
        ("allow-remote", "", "root", "null"),
        ("allow-remote", "all", "root", "root"),
        ("allow-remote", "root", "all", "root"),
        ("allow-git", "", "all", "null"),
        ("allow-file", "", "none", "none"),
        ("allow-directory", "none", "root", "none"),
        ("prepared-trees", "", "100000", "null"),
        ("prepared-trees", "", "0", "0"),
        ("background", "", "true", "null"),
        ("background", "", "false", "false"),
        ("verify", "", "after", "null"),
        ("verify", "", "always", "always"),
        ("min-release-age-ignore-missing-time", "", "true", "null"),
    ] {
        let user = if user.is_empty() { String::new() } else { format!("{key}={user}") };
        let line = format!("{key}={given}");
        let config = Layers { user: &user, project: &line, ..Layers::default() }.config();
        let found = config.raw(key).map_or("null".to_owned(), |(value, _)| value.display());
        assert_eq!(found, expected, "{user} {line}");
        assert_eq!(refused(&config).is_empty(), expected == given, "{user} {line}");
    }
}

#[test]
fn the_users_stronger_layers_are_obeyed_as_before() {
    let config = Layers {
        project: "strict-ssl=true\nignore-scripts=true",
        env: &[("npm_config_ignore_scripts", "false"), ("npm_config_proxy", "http://p.test")],
        flags: &[("strict-ssl", "false")],
        ..Layers::default()
    }
    .config();
    assert!(!config.ignore_scripts().unwrap() && !config.strict_ssl().unwrap());
    assert!(config.proxy_for(&url("http://r.example/")).unwrap().is_some());
}

#[test]
fn an_age_that_the_user_demands_is_not_undone() {
    use ReleaseCutoff::{Before, MinimumAge};
    let cutoffs = |user: &str, project: &str| {
        let config = Layers { user, project, ..Layers::default() }.config();
        let is_told = !refused(&config).is_empty();
        (config.release_cutoffs().unwrap(), is_told, config.release_age_exclude().unwrap())
    };
    let days = |days: u64| MinimumAge(std::time::Duration::from_secs(days * 86_400));
    for project in
        ["min-release-age=0", "min-release-age=2", "minimum-release-age=0", "min-release-age=null"]
    {
        assert_eq!(
            cutoffs("min-release-age=7", project),
            (vec![days(7)], true, vec![]),
            "{project}"
        );
    }
    for project in ["min-release-age-exclude=a", "minimum-release-age-exclude[]=*"] {
        assert_eq!(
            cutoffs("min-release-age=7", project),
            (vec![days(7)], true, vec![]),
            "{project}"
        );
    }
    let both = vec![days(7), Before(1_767_225_600_000)];
    assert_eq!(cutoffs("min-release-age=7", "before=2026-01-01"), (both, false, vec![]));
    assert_eq!(cutoffs("min-release-age=7", "min-release-age=9").0, [days(7), days(9)]);
    // Where the user demands none, the project decides.
    let own = cutoffs("", "min-release-age=3\nmin-release-age-exclude[]=a");
    assert_eq!(own, (vec![days(3)], false, vec!["a".to_owned()]));
    // The command line is stronger than both.
    let flags = &[("min-release-age", "0")];
    let layers = Layers {
        user: "min-release-age=7",
        project: "min-release-age=9",
        flags,
        ..Layers::default()
    };
    assert_eq!(layers.config().release_cutoffs().unwrap(), [days(0)]);
}

#[test]
fn registries_with_the_usual_age_are_added_to() {
    let config = Layers {
        user: "min-release-age-registries=https://a.example",
        project: "min-release-age-registries=https://b.example",
        ..Layers::default()
    }
    .config();
    for (registry, applies) in
        [("https://a.example/", true), ("https://b.example/", true), ("https://c.example/", false)]
    {
        assert_eq!(config.usual_age_applies(&url(registry)).unwrap(), applies, "{registry}");
    }
}

#[test]
fn a_trusted_project_counts_like_the_user() {
    let text = "proxy=http://p.test\n//r.example/:_authToken=${NPM_TOKEN}\nignore-scripts=false";
    let env = &[("NPM_TOKEN", "s3cret"), ("HOME", "/")];
    for list in ["trusted-projects[]=/project", "trusted-projects=/", "trusted-projects=~/project/"]
    {
        let user = format!("{list}\nignore-scripts=true");
        let config = Layers { user: &user, project: text, env, ..Layers::default() }.config();
        assert_eq!(config.warnings(), [], "{list}");
        assert!(config.proxy_for(&url("http://r.example/")).unwrap().is_some());
        assert!(config.credentials_for(&url("https://r.example/")).is_some());
        assert!(!config.ignore_scripts().unwrap());
    }
    for list in
        ["trusted-projects[]=/proj", "trusted-projects[]=/project/inner", "trusted-projects="]
    {
        let config = Layers { user: list, project: text, env, ..Layers::default() }.config();
        assert!(config.proxy_for(&url("http://r.example/")).unwrap().is_none(), "{list}");
    }
    let by_variable = Layers {
        project: "proxy=http://p.test",
        env: &[("npm_config_trusted_projects", "/project")],
        ..Layers::default()
    };
    assert_eq!(by_variable.config().warnings(), []);
    // A relative path could mean any folder.
    assert!(user("trusted-projects=.").unsupported().is_err());
}

#[test]
fn a_file_of_another_user_counts_for_nothing() {
    let mut layers =
        Layers { project: "tag=beta\nregistry=https://evil.test/", ..Layers::default() };
    layers.is_of_another_user = true;
    let config = layers.config();
    assert_eq!(config.tag().unwrap(), "latest");
    assert_eq!(config.registry().as_str(), "https://registry.example/");
    assert_eq!(config.warnings()[0].code(), "DX_NPMRC_OTHER_OWNER");
    assert_eq!(config.script_warnings().count(), 1);
    layers.user = "trusted-projects=/project";
    assert_eq!(layers.config().tag().unwrap(), "beta");
}

#[test]
fn credentials_are_sent_without_tls_only_where_the_user_names_that() {
    let sent = |user: &str, project: &str, at: &str| {
        let config = Layers { user, project, ..Layers::default() }.config();
        let is_sent = config.credentials_for(&url(at)).is_some();
        let is_told = matches!(
            config.unused_credentials_for(&url(at)),
            Some(ConfigWarning::PlainHttp { .. })
        );
        assert_ne!(is_sent, is_told, "{user} {project} {at}");
        is_sent
    };
    let token = "//r.example/:_authToken=t";
    let secure = format!("registry=https://r.example/\n{token}");
    let plain = format!("registry=http://r.example/\n{token}");
    let scoped = format!("@s:registry=http://r.example/x/\n{token}");
    assert!(sent(&secure, "", "https://r.example/a"));
    assert!(!sent(&secure, "registry=http://r.example/", "http://r.example/a"));
    assert!(!sent(token, "@s:registry=http://r.example/", "http://r.example/a"));
    assert!(sent(&plain, "", "http://r.example/a"));
    assert!(sent(&plain, "registry=https://other.test/", "http://r.example/a"));
    assert!(sent(&scoped, "", "http://r.example/a"));
    // What is the project's own may go where the project says.
    assert!(sent("", &plain, "http://r.example/a"));
    // On this machine nobody listens, unless the user says that TLS is spoken there.
    let local = "//127.0.0.1:8080/:_authToken=t\n//localhost/:_authToken=t\n//[::1]/:_authToken=t";
    for at in ["http://127.0.0.1:8080/", "http://localhost/", "http://[::1]/"] {
        assert!(sent(local, "", at), "{at}");
    }
    let secure = format!("registry=https://127.0.0.1:8080/\n{local}");
    assert!(!sent(&secure, "registry=http://127.0.0.1:8080/", "http://127.0.0.1:8080/"));
}

#[test]
fn what_decides_who_answers_is_in_the_registrys_name() {
    let key = |text: &str| {
        let config = user(text);
        config.registry_key(config.registry())
    };
    assert_eq!(key(""), "https://registry.example/");
    assert_eq!(key("registry=https://u:s3cret@registry.example/"), key(""));
    let mut keys: Vec<String> = [
        "",
        "proxy=http://p.test",
        "proxy=http://u:s3cret@p.test",
        "https-proxy=http://q.test",
        "strict-ssl=false",
        "cafile=/ca.pem",
        "ca=x",
        "local-address=127.0.0.2",
        "registry=http://registry.example/",
    ]
    .into_iter()
    .map(key)
    .collect();
    assert!(!keys.concat().contains("s3cret"));
    let all = keys.len();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), all, "{keys:?}");
    assert_eq!(key("proxy=http://p.test\nnoproxy=registry.example"), key(""));
}

#[test]
fn credentials_are_taken_out_of_what_servers_say() {
    let config = user(
        "//r.example/:_authToken=T0KEN\n//s.example/:username=u\n//s.example/:_password=cGFzc3dvcmQ=\n\
         registry=https://me:h%40mmer@r.example/\nproxy=http://p:pr0xy@p.test",
    );
    let said = "T0KEN dTpwYXNzd29yZA== u:password password h@mmer h%40mmer bWU6aEBtbWVy pr0xy fine";
    assert_eq!(config.without_credentials(said), "*** *** *** *** *** *** *** *** fine");
}

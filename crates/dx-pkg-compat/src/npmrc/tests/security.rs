//! The limits on an untrusted project file, and secrets kept out of any output.

use super::*;

const TOKEN: &[(&str, &str)] = &[("NPM_TOKEN", "s3cret"), ("HOST", "evil.test")];

#[test]
fn trusted_layers_read_the_environment() {
    for layers in [
        Layers { global: "//r.example/:_authToken=${NPM_TOKEN}", env: TOKEN, ..Layers::default() },
        Layers { user: "//r.example/:_authToken=${NPM_TOKEN}", env: TOKEN, ..Layers::default() },
        Layers {
            user: "//${HOST}.r.example/:_authToken=x\n//r.example/:_authToken=\"${NPM_TOKEN}\"",
            env: TOKEN,
            ..Layers::default()
        },
        Layers {
            env: &[("npm_config_//r.example/:_authToken", "${NPM_TOKEN}"), ("NPM_TOKEN", "s3cret")],
            ..Layers::default()
        },
    ] {
        let config = layers.config();
        let found = config.credentials_for(&url("https://r.example/")).unwrap();
        assert_eq!(found.header_value(), "Bearer s3cret");
        assert!(config.warnings().is_empty());
    }
}

#[test]
fn project_file_does_not_read_the_environment() {
    let layers = Layers {
        project: "//r.example/:_authToken=${NPM_TOKEN}\ncafile=/tmp/${NPM_TOKEN?}",
        user: "cafile=/c",
        env: TOKEN,
        ..Layers::default()
    };
    let config = layers.config();
    assert!(config.credentials_for(&url("https://r.example/")).is_none());
    assert_eq!(config.cafile().unwrap(), Some(PathBuf::from("/c")));
    let warnings: Vec<String> = config.warnings().iter().map(ToString::to_string).collect();
    assert_eq!(
        warnings,
        [
            r#""//r.example/:_authToken" in /project/.npmrc refers to the environment variable "NPM_TOKEN" and is not used"#,
            r#""cafile" in /project/.npmrc refers to the environment variable "NPM_TOKEN" and is not used"#,
        ]
    );
    assert_eq!(config.warnings()[0].code(), "DX_NPMRC_ENV_IN_PROJECT");
    assert!(config.warnings()[0].hint().unwrap().contains("npm_config_//r.example/:_authToken"));
}

#[test]
fn project_file_does_not_hide_a_users_credential_with_a_variable() {
    let layers = Layers {
        project: "//r.example/:_authToken=${NPM_TOKEN}",
        user: "//r.example/:_authToken=mine",
        ..Layers::default()
    };
    let found = layers.config().credentials_for(&url("https://r.example/")).unwrap();
    assert_eq!(found.header_value(), "Bearer mine");
}

#[test]
fn project_file_cannot_take_a_registry_from_the_environment() {
    for text in [
        "registry=https://evil.test/${NPM_TOKEN}/",
        "@acme:registry=https://${HOST}/",
        "@${HOST}:registry=https://x.example/",
    ] {
        let layers = Layers { project: text, env: TOKEN, ..Layers::default() };
        let error = layers.load().unwrap_err();
        assert_eq!(error.code(), "DX_NPMRC_ENV_IN_PROJECT", "{text}");
        assert!(
            error.to_string().contains("/project/.npmrc") && !error.to_string().contains("s3cret")
        );
    }
}

#[test]
fn escaped_reference_is_plain_text_everywhere() {
    let config = project(r"tag=a\${HOST}b");
    assert_eq!(config.tag().unwrap(), "a${HOST}b");
    assert!(config.warnings().is_empty());
}

#[test]
fn unset_variables_leave_credentials_out_and_other_values_as_written() {
    let config = user("//r.example/:_authToken=${NOPE}\ntag=x${NOPE}\nuser-agent=a${NOPE?}b");
    assert!(config.credentials_for(&url("https://r.example/")).is_none());
    assert_eq!(config.tag().unwrap(), "x${NOPE}");
    assert_eq!(config.raw("user-agent").unwrap().0.text().as_deref(), Some("ab"));
    let codes: Vec<&str> = config.warnings().iter().map(Coded::code).collect();
    assert_eq!(codes, ["DX_NPMRC_ENV_UNSET"; 2]);
}

#[test]
fn no_output_holds_a_secret() {
    let config = Layers {
        user: "//r.example/:_authToken=s3cret\n//r.example/:username=s3cret\n_password=s3cret\nproxy=http://u:s3cret@p.example\nregistry=https://u:s3cret@r.example/\notp=s3cret\nkey=s3cret",
        flags: &[("//u:s3cret@r.example/:_authToken", "s3cret")],
        ..Layers::default()
    }
    .config();
    let mut shown = format!(
        "{config:?} {:?} {:?}",
        config.warnings(),
        config.credentials_for(&url("https://r.example/"))
    );
    for warning in config.warnings() {
        shown += &format!("{warning} {:?}", warning.hint());
    }
    for key in config.keys() {
        shown += &format!("{:?}", config.raw(key));
    }
    assert!(!shown.contains("s3cret"), "{shown}");
    assert!(shown.contains("p.example"), "the test sees nothing at all: {shown}");
    assert!(!String::from_utf8_lossy(&config.digest_input()).contains("s3cret"));
    assert!(config.raw("//r.example/:_authToken").is_none());
}

#[test]
fn errors_hold_no_secret() {
    for text in [
        "registry=ftp://u:s3cret@h/",
        "registry=https://u:s3/cret@h:x/",
        "https-proxy=foo://u:s3cret@h",
        "_auth=s3cret",
        "offline=https://s3cret@h",
    ] {
        let layers = Layers { user: text, ..Layers::default() };
        let error = layers.load().and_then(|config| {
            config.proxy_for(&url("https://r.example/"))?;
            config.offline()
        });
        let shown = match error {
            Err(error) => format!("{error} {error:?}"),
            Ok(_) => format!("{:?}", layers.config()),
        };
        assert!(!shown.contains("cret"), "{shown}");
    }
}

#[test]
fn urls_are_redacted_wherever_they_stand() {
    for (text, expected) in [
        ("https://u:p@h/x", "https://***@h/x"),
        ("get https://u@h, then //a:b@c", "get https://***@h, then //***@c"),
        ("https://h/@scope/x", "https://h/@scope/x"),
        ("http://u:p/q@h:1/", "http://***@h:1/"),
        ("http://u:p@q@h/", "http://***@h/"),
        ("http://[::1]:4873/@a", "http://[::1]:4873/@a"),
        ("http://h:80/a@b", "http://h:80/a@b"),
        ("no url", "no url"),
    ] {
        assert_eq!(redact_urls(text), expected);
    }
}

#[test]
fn configuration_is_shared_between_threads() {
    fn shareable<T: Send + Sync + Clone + 'static>(_: &T) {}
    shareable(&user(""));
}

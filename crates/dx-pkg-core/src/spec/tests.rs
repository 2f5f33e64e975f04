use super::*;

fn git(text: &str) -> GitSpec {
    match Spec::parse(text) {
        Ok(Spec::Git(git)) => *git,
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn empty_text_is_every_version() {
    assert!(matches!(Spec::parse("").unwrap(), Spec::Range(range) if range.is_any()));
}

#[test]
fn words_are_tags() {
    assert_eq!(Spec::parse(" next ").unwrap(), Spec::Tag("next".into()));
    assert!(matches!(Spec::parse("two words"), Err(SpecError::InvalidTag { .. })));
}

#[test]
fn aliases_lead_to_the_registry_only() {
    let Spec::Alias { name, spec } = Spec::parse("npm:@scope/name@^1.2").unwrap() else {
        panic!("no alias")
    };
    assert_eq!((name.as_str(), *spec), ("@scope/name", Spec::parse("^1.2").unwrap()));
    for text in ["npm:", "npm:a@npm:b", "npm:a@user/repo", "npm:a@workspace:*"] {
        assert!(matches!(Spec::parse(text), Err(SpecError::InvalidAlias { .. })), "{text}");
    }
    for text in ["npm:../a@1", "npm:.bin@1", "npm:node_modules@1", "npm:@a/..@1"] {
        assert!(Spec::parse(text).is_err(), "{text}");
    }
}

#[test]
fn workspace_specs_keep_their_text() {
    assert_eq!(Spec::parse("workspace:^1.2").unwrap(), Spec::Workspace("^1.2".into()));
    assert!(!Spec::parse("workspace:*").unwrap().is_registry());
}

#[test]
fn shortcuts_name_a_hosted_repository() {
    let spec = git("user/project#v1");
    let hosted = spec.hosted.as_ref().unwrap();
    assert_eq!(
        (hosted.site, hosted.user.as_deref(), &*hosted.project),
        (HostedSite::Github, Some("user"), "project")
    );
    assert_eq!(&*spec.url, "ssh://git@github.com/user/project.git");
    assert_eq!(hosted.https_url(), "https://github.com/user/project.git");
    assert_eq!(spec.committish.as_deref(), Some("v1"));
    assert!(spec.is_shortcut);
    assert_eq!(spec.to_string(), "github:user/project#v1");
    assert_eq!(git("GitHub:user/project").hosted, spec.hosted);
}

#[test]
fn shortcuts_need_a_user_and_a_project() {
    for text in ["github:user", "github:user/", "github:/project", "gitlab:", "gist:"] {
        assert!(matches!(Spec::parse(text), Err(SpecError::UnsupportedProtocol { .. })), "{text}");
    }
}

#[test]
fn scp_like_addresses_are_git_on_any_host() {
    let spec = git("git@git.example:group/project.git#main");
    assert_eq!(&*spec.url, "git@git.example:group/project.git");
    assert_eq!(spec.to_string(), "git+ssh://git@git.example:group/project.git#main");
    assert_eq!(spec.hosted, None);
    assert_eq!(&*git("git@host:project").url, "git@host:project");
}

#[test]
fn a_range_over_tags_is_no_committish() {
    let spec = git("git+https://git.example/a.git#semver:^1.2");
    assert_eq!(spec.semver.unwrap().to_string(), ">=1.2.0 <2.0.0-0");
    assert_eq!(spec.committish, None);
    assert!(matches!(Spec::parse("user/repo#semver:nonsense"), Err(SpecError::InvalidGit { .. })));
}

#[test]
fn revisions_and_hosts_that_look_like_options_are_refused() {
    for text in [
        "user/repo#--upload-pack=x",
        "user/repo#-x",
        "user/repo#%2dx",
        "user/repo#path:a::-x",
        "git+https://git.example/a#-x",
        "git+ssh://-oProxyCommand=x/a",
        "git+ssh://-oProxyCommand=x@git.example/a",
        "git+ssh://a@-oProxyCommand=x/a",
        "-a@git.example:b",
        "git@-oProxyCommand=x:b",
    ] {
        assert!(matches!(Spec::parse(text), Err(SpecError::InvalidGit { .. })), "{text}");
    }
}

#[test]
fn folders_in_a_repository_stay_in_it() {
    assert_eq!(git("user/repo#path:/a/b").subdirectory.as_deref(), Some("/a/b"));
    for text in [
        "user/repo#path:../a",
        "user/repo#path:a/../../b",
        "user/repo#path:%2e%2e/a",
        "user/repo#path:..\\a",
    ] {
        assert!(matches!(Spec::parse(text), Err(SpecError::InvalidGit { .. })), "{text}");
    }
}

#[test]
fn paths_keep_their_text_without_the_scheme() {
    for (text, path) in [
        ("file:../a", "../a"),
        ("./a", "./a"),
        ("~/a", "~/a"),
        ("file:///a", "/a"),
        ("FILE:a", "a"),
        ("C:/a", "C:/a"),
    ] {
        assert_eq!(Spec::parse(text).unwrap(), Spec::Directory(path.into()), "{text}");
    }
    for (text, path) in
        [("file:a.tgz", "a.tgz"), ("../A.TAR.GZ", "../A.TAR.GZ"), ("a.tar", "a.tar")]
    {
        assert_eq!(Spec::parse(text).unwrap(), Spec::Tarball(path.into()), "{text}");
    }
}

#[test]
fn other_protocols_are_refused() {
    for text in [
        "ftp://git.example/a",
        "link:../a",
        "ssh://git@git.example/a",
        "git+svn://git.example/a",
        "javascript:x",
    ] {
        let error = Spec::parse(text).unwrap_err();
        assert_eq!(error.code(), "DX_UNSUPPORTED_PROTOCOL", "{text}");
    }
}

#[test]
fn arguments_are_a_name_a_spec_or_both() {
    let argument = Spec::parse_argument("@scope/name@next").unwrap();
    assert_eq!((argument.name.unwrap().as_str(), &*argument.raw), ("@scope/name", "next"));
    let argument = Spec::parse_argument("name").unwrap();
    assert_eq!((argument.name.unwrap().as_str(), &*argument.raw), ("name", "*"));
    let argument = Spec::parse_argument("./name").unwrap();
    assert_eq!((argument.name, &*argument.raw), (None, "./name"));
    assert_eq!(Spec::parse_argument(".bin@1").unwrap_err().code(), "DX_INVALID_NAME");
}

#[test]
fn errors_hide_credentials() {
    for text in ["ftp://user:secret@host.example/a@b", "git+https://user:secret@host.example/a#-x"]
    {
        let error = Spec::parse(text).unwrap_err();
        assert!(!error.to_string().contains("secret"), "{error}");
    }
    let error = Spec::parse("ftp://user:secret@host.example/a@b").unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot install \"ftp://***@host.example/a@b\": its protocol is not supported"
    );
}

#[test]
fn commits_are_locked_as_in_npm_with_their_folder() {
    let commit = "0123456789012345678901234567890123456789";
    for (spec, resolved) in [
        ("u/p", "git+ssh://git@github.com/u/p.git#C"),
        ("github:u/p#main", "git+ssh://git@github.com/u/p.git#C"),
        ("git+https://github.com/u/p.git#v1", "git+https://github.com/u/p.git#C"),
        ("git+https://me:x@github.com/u/p.git", "git+https://me:x@github.com/u/p.git#C"),
        ("gitlab:g/s/p#semver:^1", "git+ssh://git@gitlab.com/g/s/p.git#C"),
        ("git+file:///r#main::path:a/b", "git+file:///r#C::path:a/b"),
        ("git+ssh://git@h.example/u/p#main&path:/a", "git+ssh://git@h.example/u/p#C&path:/a"),
        ("git@h.example:u/p.git", "git+ssh://git@h.example:u/p.git#C"),
        ("git://h.example/p#path:a::semver:1", "git://h.example/p#C::path:a"),
    ] {
        let wanted = git(spec);
        let expected = resolved.replace('C', commit);
        assert_eq!(wanted.resolved(commit), expected, "{spec}");
        let held = git(&expected);
        assert!(held.is_same_place(&wanted), "{spec}");
        assert_eq!(held.committish.as_deref(), Some(commit), "{spec}");
    }
}

#[test]
fn hosted_repositories_are_tried_by_https_first() {
    let addresses = |spec: &str| git(spec).addresses();
    let both = ["https://github.com/u/p.git", "ssh://git@github.com/u/p.git"];
    assert_eq!(addresses("u/p"), both);
    assert_eq!(addresses("git+ssh://git@github.com/u/p.git"), both);
    assert_eq!(addresses("git+https://t:x@github.com/u/p"), ["https://t:x@github.com/u/p.git"]);
    assert_eq!(addresses("git+ssh://git@h.example/p.git"), ["ssh://git@h.example/p.git"]);
}

#[test]
fn a_spec_without_end_is_no_spec() {
    let longest = "^1 || ".repeat(Spec::MOST_BYTES / 6);
    assert!(Spec::parse(&longest).is_ok());
    for endless in ["^1 || ".repeat(3000), "a".repeat(20_000), format!("http://{:020000}", 0)] {
        let error = Spec::parse(&endless).unwrap_err();
        assert!(matches!(error, SpecError::TooLong { .. }), "{error}");
        assert!(error.to_string().len() < 200, "{error}");
        assert_eq!(error.code(), "DX_INVALID_SPEC");
    }
}

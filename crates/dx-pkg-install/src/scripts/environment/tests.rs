use std::path::Path;

use super::*;

fn pair(key: &str, value: &str) -> (String, String) {
    (key.to_owned(), value.to_owned())
}

fn example<'e>(fields: &'e [(String, String)], shared: &'e SharedFacts) -> ScriptEnvironment<'e> {
    ScriptEnvironment {
        event: "postinstall",
        script: "node dump.js",
        package: Path::new("/p/node_modules/sp"),
        name: Some("sp"),
        version: Some("1.2.3"),
        fields,
        lock: Some(LockFacts {
            resolved: Some("file:sp.tgz"),
            integrity: Some("sha512-x"),
            dev: true,
            ..LockFacts::default()
        }),
        project: Path::new("/p"),
        called_from: Path::new("/p/src"),
        command: "install",
        shared,
        executable: Path::new("/bin/dx"),
    }
}

fn shared(settings: &[(String, String)]) -> SharedFacts {
    SharedFacts {
        settings: settings.to_vec(),
        user_agent: "dx/1 npm/? node/v24 linux x64".to_owned(),
        node: Some("/bin/node".into()),
        node_gyp: Some("/gyp".into()),
        editor: "vi".to_owned(),
        ..SharedFacts::default()
    }
}

#[test]
fn a_dependency_s_script_gets_what_npm_gives_it() {
    let fields =
        [pair("bin_spb", "dump.js"), pair("config_port", "8080"), pair("engines_node", ">=4")];
    let settings = [
        pair("foreground-scripts", "true"),
        pair("audit", "false"),
        pair("//registry.example/:_authToken", "s"),
        pair("_auth", "s"),
    ];
    let made = environment(
        [pair("PATH", "/usr/bin:/bin"), pair("FOO", "bar")],
        &example(&fields, &shared(&settings)),
    );
    let expected = [
        ("COLOR", "0"),
        ("EDITOR", "vi"),
        ("FOO", "bar"),
        ("INIT_CWD", "/p/src"),
        ("NODE", "/bin/node"),
        (
            "PATH",
            "/p/node_modules/sp/node_modules/.bin:/p/node_modules/node_modules/.bin:/p/node_modules/.bin:/node_modules/.bin:/gyp:/usr/bin:/bin",
        ),
        ("npm_command", "install"),
        ("npm_config_audit", ""),
        ("npm_config_foreground_scripts", "true"),
        ("npm_config_local_prefix", "/p"),
        ("npm_config_user_agent", "dx/1 npm/? node/v24 linux x64"),
        ("npm_execpath", "/bin/dx"),
        ("npm_lifecycle_event", "postinstall"),
        ("npm_lifecycle_script", "node dump.js"),
        ("npm_node_execpath", "/bin/node"),
        ("npm_package_bin_spb", "dump.js"),
        ("npm_package_config_port", "8080"),
        ("npm_package_dev", "1"),
        ("npm_package_dev_optional", ""),
        ("npm_package_engines_node", ">=4"),
        ("npm_package_integrity", "sha512-x"),
        ("npm_package_json", "/p/node_modules/sp/package.json"),
        ("npm_package_name", "sp"),
        ("npm_package_optional", ""),
        ("npm_package_peer", ""),
        ("npm_package_resolved", "file:sp.tgz"),
        ("npm_package_version", "1.2.3"),
    ];
    assert_eq!(made, expected.map(|(key, value)| pair(key, value)).into());
}

#[test]
fn the_project_s_own_script_knows_no_lockfile_entry() {
    let made = environment([], &ScriptEnvironment { lock: None, ..example(&[], &shared(&[])) });
    assert!(!made.contains_key("npm_package_resolved"));
    assert!(!made.contains_key("npm_package_dev"));
}

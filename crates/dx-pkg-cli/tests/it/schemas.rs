//! The JSON of every command is what its schema in docs/json says.
//!
//! `docs/json/commands.json` has the schema of each command. What commands print in this crate's
//! tests, run by [`crate::harness::dx`] or compared with npm's, is checked here as well.
//! `DX_WRITE_DOCS=1` writes docs/json.md.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use dx_pkg_testkit::{Project, Registry, Run};
use serde_json::{Map, Value, json};

use crate::harness::command;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/json")
}

fn read(name: &str) -> Value {
    let path = folder().join(name);
    let text = std::fs::read_to_string(&path);
    let text = text.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn commands() -> &'static Value {
    static COMMANDS: OnceLock<Value> = OnceLock::new();
    COMMANDS.get_or_init(|| read("commands.json"))
}

/// Returns dx's own table of commands.
fn table() -> &'static Value {
    static TABLE: OnceLock<Value> = OnceLock::new();
    TABLE.get_or_init(|| {
        let output = Command::new(env!("CARGO_BIN_EXE_dx")).arg("__commands").output().unwrap();
        serde_json::from_slice(&output.stdout).unwrap()
    })
}

/// Returns the name of the command that words call; `None` where it is none of dx's.
fn command_of(words: &[&str]) -> Option<&'static str> {
    let all = table()["commands"].as_array().unwrap();
    let mut named = words.iter().filter(|word| !word.starts_with('-')).filter_map(|word| {
        let command = all.iter().find(|command| {
            let mut aliases = command["aliases"].as_array().unwrap().iter();
            command["name"] == **word || aliases.any(|alias| alias == word)
        })?;
        command["name"].as_str()
    });
    named.next()
}

/// Checks what a command has printed, where it was asked for JSON and has a schema.
#[track_caller]
pub(crate) fn check(words: &[&str], stdout: &str) {
    let own: Vec<&str> = words.iter().copied().take_while(|word| *word != "--").collect();
    if !own.iter().any(|word| matches!(*word, "--json" | "--json=true")) {
        return;
    }
    // What a script prints is its own.
    let is_script = own.iter().filter(|word| !word.starts_with('-')).count() > 1;
    if command_of(&own) == Some("run") && is_script {
        return;
    }
    let Some(schema) = command_of(&own).and_then(|name| commands()["commands"][name].as_str())
    else {
        return;
    };
    let values = serde_json::Deserializer::from_str(stdout).into_iter::<Value>();
    for value in values {
        // Not every text is JSON: npm prints fields as they are.
        let Ok(value) = value else { return };
        let mut wrong = Vec::new();
        if value.get("error").is_some() && problems(&value, "error").is_empty() {
            continue;
        }
        wrong.extend(problems(&value, schema));
        assert!(wrong.is_empty(), "{words:?} prints {value:#}\nwhich is not {schema}: {wrong:#?}");
    }
}

/// Returns what of a value is not as a schema says.
fn problems(value: &Value, schema: &str) -> Vec<String> {
    let root = read(&format!("{schema}.schema.json"));
    let mut found = Vec::new();
    validate(value, &root, &root, "", &mut found);
    found
}

/// Adds what of a value is not as a schema says. Of JSON Schema it knows what the schemas use.
fn validate(value: &Value, schema: &Value, root: &Value, at: &str, found: &mut Vec<String>) {
    let members = schema.as_object().unwrap_or_else(|| panic!("{at}: {schema} is no schema"));
    for key in members.keys() {
        let known = [
            "$schema",
            "$defs",
            "$ref",
            "title",
            "description",
            "type",
            "enum",
            "anyOf",
            "items",
            "properties",
            "required",
            "additionalProperties",
        ];
        assert!(known.contains(&key.as_str()), "{at}: {key} is not known here");
    }
    if let Some(reference) = schema["$ref"].as_str() {
        match reference.strip_prefix("#/$defs/") {
            Some(name) => validate(value, &root["$defs"][name], root, at, found),
            None => {
                let other = read(reference);
                validate(value, &other, &other, at, found);
            }
        }
    }
    let types = match &schema["type"] {
        Value::Array(types) => types.iter().filter_map(Value::as_str).collect(),
        other => other.as_str().into_iter().collect::<Vec<_>>(),
    };
    if !types.is_empty() && !types.iter().any(|kind| is_of(value, kind)) {
        found.push(format!("{at}: {value} is not of the type {types:?}"));
        return;
    }
    if let Some(words) = schema["enum"].as_array()
        && !words.contains(value)
    {
        found.push(format!("{at}: {value} is none of {words:?}"));
    }
    if let Some(choices) = schema["anyOf"].as_array() {
        let tried = choices.iter().map(|choice| {
            let mut problems = Vec::new();
            validate(value, choice, root, at, &mut problems);
            problems
        });
        let tried: Vec<Vec<String>> = tried.collect();
        if !tried.iter().any(Vec::is_empty) {
            found.push(format!("{at}: none of the forms: {tried:?}"));
        }
    }
    if let (Some(list), Some(items)) = (value.as_array(), schema.get("items")) {
        for (place, item) in list.iter().enumerate() {
            validate(item, items, root, &format!("{at}[{place}]"), found);
        }
    }
    if let Some(object) = value.as_object() {
        validate_object(object, schema, root, at, found);
    }
}

fn validate_object(
    object: &Map<String, Value>,
    schema: &Value,
    root: &Value,
    at: &str,
    found: &mut Vec<String>,
) {
    let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let missing = required.filter(|name| !object.contains_key(*name));
    found.extend(missing.map(|name| format!("{at}: {name} is missing")));
    for (name, member) in object {
        let at = format!("{at}.{name}");
        match (schema["properties"].get(name), schema.get("additionalProperties")) {
            (Some(schema), _) => validate(member, schema, root, &at, found),
            (None, Some(Value::Bool(false))) => found.push(format!("{at} is not in the schema")),
            (None, Some(schema @ Value::Object(_))) => validate(member, schema, root, &at, found),
            (None, _) => {}
        }
    }
}

fn is_of(value: &Value, kind: &str) -> bool {
    match kind {
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "null" => value.is_null(),
        _ => panic!("{kind} is no type that is known here"),
    }
}

/// Runs dx, and checks what it prints; returns that.
#[track_caller]
fn checked(project: &Project, words: &str) -> Run {
    let words: Vec<&str> = words.split(' ').chain(["--json"]).collect();
    let prefix = project.home().join("prefix");
    let run = command(project).env("npm_config_prefix", prefix).args(&words).run();
    let value: Result<Value, _> = serde_json::from_str(&run.stdout);
    assert!(value.is_ok(), "{words:?} prints no JSON: {run}");
    check(&words, &run.stdout);
    run
}

#[test]
fn commands_print_what_their_schemas_say() {
    let registry = Registry::start();
    for version in ["1.0.0", "1.1.0", "2.0.0"] {
        registry.package("a", version).publish();
        registry.package("b", version).dep("a", "^1.0.0").publish();
    }
    registry.package("scripted", "1.0.0").script("install", "exit 0").publish();
    let project = Project::new(&registry)
        .field("version", json!("1.0.0"))
        .field("workspaces", json!(["packages/*"]))
        .script("x", "exit 0")
        .dep("a", "1.0.0")
        .dep("scripted", "1.0.0")
        .dev("b", "^1.0.0")
        .file(
            "packages/w/package.json",
            r#"{"name":"w","version":"1.0.0","dependencies":{"a":"1"}}"#,
        )
        .create();
    let succeeding = "install;ci;install --force;add b@2;remove b;add -D b@1;update --dry-run;\
        update --latest a;dedupe --dry-run;dedupe --minimise --dry-run;find-dupes;prune;rebuild;link;\
        link -w w;link --workspaces;unlink;peers;ls;ls --all --long;ls --package-lock-only;\
        explain a;explain DX_NOT_A_NAME DX_NOT_INSTALLED;view a;view a version;config list;config list --sources;\
        root;prefix;bin;cache ls;cache verify;help-search workspace;pkg get;pkg get -ws;\
        pack --dry-run;pack --dry-run -w w;version patch --no-git-tag-version;version;\
        fund;query *;query #nothing;sbom --sbom-format=cyclonedx;sbom --sbom-format=spdx;licenses;store path;\
        store status;store verify;store prune;store maintain;install-scripts ls;\
        approve-scripts --allow-scripts-pending;\
        approve-scripts scripted;deny-scripts --all;install-scripts prune;fetch;\
        deploy -w w ../deployed;import;shims;run;run -ws;patch scripted;patch ls;\
        diff --diff=a@1.0.0 --diff=a@1.1.0;docs a --no-browser;init -y;outdated nothing;\
        init -y -w packages/n";
    for words in succeeding.split(';') {
        checked(&project, words.trim()).success();
    }
    let failing = "install nothing-here;ci -w nothing;explain nothing;view nothing;view a@9;outdated;\
        fund nothing;search a;repo a --no-browser;audit;whoami;publish;run nothing;config set what=1;\
        update -i;query :nothing;sbom;patch nothing;ping;doctor";
    for words in failing.split(';') {
        checked(&project, words.trim()).failure();
    }
}

#[test]
fn every_command_has_a_schema_or_a_reason() {
    let names = table()["commands"].as_array().unwrap().iter();
    let shown = names.filter(|command| command["isHidden"] == false);
    let names: Vec<&str> = shown.map(|command| command["name"].as_str().unwrap()).collect();
    for name in &names {
        let (schema, reason) = (&commands()["commands"][name], &commands()["without"][name]);
        assert!(schema.is_string() != reason.is_string(), "{name}: {schema}, {reason}");
    }
    for kind in ["commands", "without"] {
        let listed = commands()[kind].as_object().unwrap().keys();
        let unknown: Vec<&String> = listed.filter(|name| !names.contains(&name.as_str())).collect();
        assert!(unknown.is_empty(), "{unknown:?}");
    }
    // Each schema is used, and can be read.
    let mut files: Vec<String> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter_map(|name| name.strip_suffix(".schema.json").map(str::to_owned))
        .collect();
    files.sort();
    let used = commands()["commands"].as_object().unwrap().values().filter_map(Value::as_str);
    let mut used: Vec<String> = used.chain(["error"]).map(str::to_owned).collect();
    used.sort();
    used.dedup();
    assert_eq!(files, used);
}

#[test]
fn a_schema_refuses_what_is_otherwise() {
    for (schema, value) in [
        ("folder", json!({ "path": 1 })),
        ("folder", json!({})),
        ("folder", json!({ "path": "/", "more": 1 })),
        ("doctor", json!([{ "check": "a", "ok": "yes", "message": "" }])),
        ("outdated", json!({ "a": { "current": "1.0.0" } })),
        ("link", json!({ "name": "a", "done": "otherwise" })),
        ("install", json!({ "added": 1 })),
        ("error", json!({ "error": { "code": "DX_NOT_A_NAME" } })),
    ] {
        assert!(!problems(&value, schema).is_empty(), "{schema} accepts {value}");
    }
}

/// Returns docs/json.md.
fn page() -> String {
    let mut page = "\
# JSON of the commands

With `--json` a command prints JSON on standard output: in the form of npm's command of that name
where npm has one, else in dx's own. Each form has a schema in [json/](json) (JSON Schema 2020-12),
with which the tests compare what the commands print. Members may be added; none is removed or
changed. This page is written by a test (`DX_WRITE_DOCS=1 cargo test -p dx-pkg-cli --test it
json_page`).

An error is printed as [error](json/error.schema.json) says, unless npm's command prints another.

| Command | Schema | What it is |
|---|---|---|
"
    .to_owned();
    for (name, schema) in commands()["commands"].as_object().unwrap() {
        let schema = schema.as_str().unwrap();
        let title = read(&format!("{schema}.schema.json"))["title"].as_str().unwrap().to_owned();
        let file = format!("json/{schema}.schema.json");
        writeln!(page, "| `{name}` | [{schema}]({file}) | {title} |").unwrap();
    }
    page.push_str("\nThese have none of their own:\n\n| Command | Why |\n|---|---|\n");
    for (name, reason) in commands()["without"].as_object().unwrap() {
        writeln!(page, "| `{name}` | {} |", reason.as_str().unwrap()).unwrap();
    }
    page
}

#[test]
fn json_page_is_what_the_schemas_are() {
    let page = page();
    let path = folder().join("../json.md");
    if std::env::var_os("DX_WRITE_DOCS").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == page, "docs/json.md is old: run this test with DX_WRITE_DOCS=1");
}

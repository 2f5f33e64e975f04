//! What `dx view`, `search`, `docs`, `repo`, `bugs`, `config`, `root` and `prefix` print, beside
//! what npm 12.2.2 printed.
//!
//! `asking.json` has the documents of a registry, small projects, and command lines with npm's own
//! output: text, JSON, or the `.npmrc` that is there afterwards. `<REG>` is the registry's address,
//! `<P>` the project, `<HOME>` the user's home.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

/// Answers with the documents until the process ends; returns the address.
fn serve(table: &Value) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let text = table.to_string().replace("<REG>/", &url).replace("<REG>", &url);
    let table: Value = serde_json::from_str(&text).unwrap();
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let Ok(connection) = connection else { return };
            let table = table.clone();
            std::thread::spawn(move || answer(&connection, &table));
        }
    });
    url
}

fn answer(connection: &TcpStream, table: &Value) {
    let mut lines = BufReader::new(connection).lines();
    while let Some(Ok(first)) = lines.next() {
        while lines.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
        let target = first.split(' ').nth(1).unwrap_or_default().trim_start_matches('/');
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let path = path.replace("%2f", "/").replace("%2F", "/");
        let body = match path.as_str() {
            "-/v1/search" => Some(found(table, query)),
            "-/ping" => Some(json!({})),
            name => table["documents"].get(name).cloned(),
        };
        let status = if body.is_some() { "200 OK" } else { "404 Not Found" };
        let body = body.unwrap_or_else(|| json!({ "error": "Not found" })).to_string();
        let length = body.len();
        let answer = format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\n\r\n{body}");
        if (&*connection).write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

/// Returns the answer of a search: the packages whose documents have all words.
fn found(table: &Value, query: &str) -> Value {
    let parameters: Vec<(String, String)> =
        url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let value = |key: &str| parameters.iter().find(|(name, _)| name == key).map(|(_, value)| value);
    let words: Vec<&str> = value("text").unwrap().split(' ').collect();
    let number = |key: &str| value(key).unwrap().parse::<usize>().unwrap();
    let objects = table["found"].as_object().unwrap().values().filter(|object| {
        let package = &object["package"];
        let keywords = package["keywords"].as_array().unwrap().iter().filter_map(Value::as_str);
        let text = [&package["name"], &package["description"]].map(|text| text.as_str().unwrap());
        let text = format!("{} {}", text.join(" "), keywords.collect::<Vec<_>>().join(" "));
        words.iter().all(|word| text.contains(word))
    });
    let objects: Vec<&Value> = objects.skip(number("from")).take(number("size")).collect();
    json!({ "objects": objects, "total": objects.len() })
}

/// Returns the words of a line, which may be in single quotes.
fn split(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut is_quoted = false;
    for c in line.replace("  ", " ").chars() {
        match c {
            '\'' => is_quoted = !is_quoted,
            ' ' if !is_quoted => words.push(String::new()),
            c => words.last_mut().unwrap().push(c),
        }
    }
    words
}

fn run(case: &Value, home: &Path, project: &Path, registry: &str) -> Output {
    let host = registry.trim_start_matches("http:").trim_end_matches('/');
    let settings = format!(
        "registry={registry}\naudit=false\nfund=false\nmin-release-age=0\n{host}/:_authToken=x\n"
    );
    std::fs::write(home.join(".npmrc"), settings).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_dx"));
    command
        .args(split(case["arguments"].as_str().unwrap()))
        .current_dir(project.join(case["folder"].as_str().unwrap_or_default()))
        .env_clear()
        .env("HOME", home)
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("LC_ALL", "C.UTF-8")
        .env("NO_COLOR", "1")
        .env("SHELL", "/bin/bash")
        .env("DX_STORE", home.join("store"))
        .env("npm_config_cache", home.parent().unwrap().join("cache"))
        .env("npm_config_prefix", home.join("prefix"))
        .env("npm_config_update_notifier", "false");
    for (name, value) in case["environment"].as_object().into_iter().flatten() {
        command.env(name, value.as_str().unwrap());
    }
    command.output().unwrap()
}

/// Returns a value without what no two registries have alike.
fn comparable(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let kept = members.into_iter().filter(|(key, _)| key != "_contentLength");
            kept.map(|(key, value)| (key, comparable(value))).collect()
        }
        Value::Array(items) => items.into_iter().map(comparable).collect(),
        other => other,
    }
}

/// Returns an error by its code, which several of workspaces have not: its message is dx's own.
fn by_code(value: Value) -> Value {
    match value.get("error") {
        Some(error) => json!({ "error": error.get("code") }),
        None => value,
    }
}

#[test]
fn answers_are_npms() {
    // npm's web site.
    let site = format!("https://www.{}.com", "npmjs");
    let text = include_str!("asking.json").replace("{site}", &site);
    let table: Value = serde_json::from_str(&text).unwrap();
    let registry = serve(&table);
    let mut different = Vec::new();
    let runs = table["runs"].as_array().unwrap();
    assert!(runs.len() > 200, "{}", runs.len());
    for case in runs {
        let folder = tempfile::tempdir().unwrap();
        let top = folder.path().canonicalize().unwrap();
        let (home, project) = (top.join("home"), top.join("p"));
        std::fs::create_dir(&home).unwrap();
        let files = &table["projects"][case["project"].as_str().unwrap()];
        for (path, text) in files.as_object().unwrap() {
            let path = project.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text.as_str().unwrap()).unwrap();
        }
        let output = run(case, &home, &project, &registry);
        let text = String::from_utf8(output.stdout).unwrap();
        let own = top.to_str().unwrap();
        let text = text
            .replace(project.to_str().unwrap(), "<P>")
            .replace(home.to_str().unwrap(), "<HOME>")
            .replace(own, "<OWN>")
            .replace(&registry, "<REG>/")
            .replace(registry.trim_end_matches('/'), "<REG>");
        let is_same = match (&case["json"], &case["text"]) {
            (Value::Null, Value::Null) => {
                let file = std::fs::read_to_string(project.join(".npmrc")).ok();
                file.as_deref() == case["npmrc"].as_str()
            }
            (Value::Null, expected) => text.trim_end_matches('\n') == expected.as_str().unwrap(),
            (expected, _) if expected == "nothing printed" => text.is_empty(),
            (expected, _) => {
                let found = serde_json::from_str(&text).unwrap_or_default();
                by_code(comparable(found)) == *expected
            }
        };
        let code = case["code"].as_i64().unwrap_or(0);
        if !is_same || output.status.code().map(i64::from) != Some(code) {
            let error = String::from_utf8_lossy(&output.stderr);
            different.push(format!("{case}\n  {:?} {text}{error}", output.status.code()));
        }
    }
    assert!(different.is_empty(), "{}\n{} differ", different.join("\n"), different.len());
}

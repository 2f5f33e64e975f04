use std::ffi::OsString;

use serde_json::json;

use super::*;

fn context() -> ValueContext<'static> {
    ValueContext { env: &[], home: Some(Path::new("/home/me")), folder: Path::new("/p") }
}

#[test]
fn the_table_is_sorted_and_its_defaults_are_json() {
    assert!(DEFINITIONS.is_sorted_by(|a, b| a.key < b.key));
    assert_eq!(DEFINITIONS.len(), 191);
    for row in DEFINITIONS {
        let default: Value = serde_json::from_str(row.default).unwrap();
        let is_computed = ["color", "noproxy", "allow-scripts"].contains(&row.key);
        assert!(row.allows(&default) || default == json!("") || is_computed, "{}", row.key);
    }
}

#[test]
fn values_are_read_as_npm_reads_them() {
    let text = |text: &str| RawValue::Text(text.to_owned());
    for (key, raw, expected) in [
        ("fetch-retries", text("5"), json!(5)),
        ("fetch-retries", text("five"), json!("five")),
        ("cache", text("~/x"), json!("/home/me/x")),
        ("cache", text("../x"), json!("/x")),
        ("omit", text("dev"), json!(["dev"])),
        ("omit", RawValue::List(vec!["dev".into(), "peer".into()]), json!(["dev", "peer"])),
        ("umask", text("022"), json!(18)),
        ("tag", text("next"), json!("next")),
        ("save-exact", RawValue::Bool(true), json!(true)),
        ("foo", text("true"), json!(true)),
        ("foo", text("bar"), json!("bar")),
        ("lockfile-version", text("3"), json!("3")),
    ] {
        assert_eq!(value_of(key, &raw, context()), expected, "{key}");
    }
}

#[test]
fn words_are_taken_as_npm_takes_them() {
    let taken = |line: &str| {
        let words = line.split(' ').map(OsString::from);
        let GivenWords { settings, rest } = take_words(words, |word| word == "--json");
        let settings = settings.iter().map(|(key, value)| match value {
            RawValue::List(items) => format!("{key}={}", items.join("+")),
            value => format!("{key}={}", value.text().unwrap_or_default()),
        });
        let rest: Vec<_> = rest.into_iter().map(|word| word.into_string().unwrap()).collect();
        (settings.collect::<Vec<_>>().join(" "), rest.join(" "))
    };
    for (line, settings, rest) in [
        ("config get tag --tag=beta", "tag=beta", "config get tag"),
        ("config get tag --tag beta", "tag=beta", "config get tag"),
        ("config get foo --foo=baz", "foo=baz", "config get foo"),
        ("config get --foo bar", "foo=true", "config get bar"),
        ("config get x --no-save-exact", "save-exact=false", "config get x"),
        ("config get -E save-exact", "save-exact=true", "config get save-exact"),
        ("config get -d loglevel", "loglevel=info", "config get loglevel"),
        ("get omit --omit=peer --omit dev", "omit=peer+dev", "get omit"),
        ("config ls -l --json", "long=true", "config ls --json"),
        ("config set a=b -g", "global=true", "config set a=b"),
        ("config set a b --location project", "location=project", "config set a b"),
    ] {
        assert_eq!(taken(line), (settings.to_owned(), rest.to_owned()), "{line}");
    }
}

#[test]
fn credentials_are_protected() {
    for key in ["_auth", "_password", "//r.example/:_authToken", "//r.example/:username", "email"] {
        assert!(is_protected(key), "{key}");
    }
    for key in ["registry", "@s:registry", "tag", "//r.example/:other"] {
        assert!(!is_protected(key), "{key}");
    }
}

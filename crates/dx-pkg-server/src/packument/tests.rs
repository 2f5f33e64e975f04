use super::*;
use dx_pkg_core::PackageName;
use serde_json::{Value, json};

fn rendered(source: &Value, form: Form) -> Value {
    let text = source.to_string();
    let outline = Outline::parse(text.as_bytes(), "@s/n").unwrap();
    let (name, view) = (PackageName::parse("@s/n").unwrap(), View::default());
    let base = "http://here/npm/";
    let options = Options { form, base, name: &name, revision: Some("3-x".into()), view: &view };
    let mut out = Vec::new();
    render(&outline, &options, &mut out).unwrap();
    serde_json::from_slice(&out).unwrap()
}

fn source() -> Value {
    json!({
        "_id": "@s/n", "_rev": "1-upstream", "name": "@s/n", "readme": "# long",
        "dist-tags": { "latest": "1.0.0" },
        "time": { "created": "2020-01-01T00:00:00.000Z", "modified": "2021-01-01T00:00:00.000Z",
                  "1.0.0": "2020-01-01T00:00:00.000Z" },
        "_attachments": {},
        "versions": { "1.0.0": {
            "name": "@s/n", "version": "1.0.0", "description": "text", "libc": ["glibc"],
            "deprecated": "", "scripts": { "postinstall": "node x" }, "readme": "# long",
            "dist": { "tarball": "https://there/@s/n/-/n-1.0.0.tgz", "integrity": "sha512-xx",
                      "signatures": [{ "keyid": "k", "sig": "s" }] } } }
    })
}

#[test]
fn the_abbreviated_form_has_what_installs_need_and_the_times() {
    let short = rendered(&source(), Form::Abbreviated);
    assert_eq!(
        short,
        json!({
            "name": "@s/n", "modified": "2021-01-01T00:00:00.000Z",
            "time": source()["time"], "dist-tags": { "latest": "1.0.0" },
            "versions": { "1.0.0": {
                "name": "@s/n", "version": "1.0.0", "libc": ["glibc"], "hasInstallScript": true,
                "dist": { "tarball": "http://here/npm/@s/n/-/n-1.0.0.tgz", "integrity": "sha512-xx",
                          "signatures": [{ "keyid": "k", "sig": "s" }] } } }
        })
    );
}

#[test]
fn the_full_form_has_everything_but_the_upstreams_address_and_revision() {
    let full = rendered(&source(), Form::Full);
    let mut wanted = source();
    wanted["_rev"] = json!("3-x");
    wanted.as_object_mut().unwrap().remove("_attachments");
    wanted["versions"]["1.0.0"].as_object_mut().unwrap().remove("deprecated");
    wanted["versions"]["1.0.0"]["dist"]["tarball"] = json!("http://here/npm/@s/n/-/n-1.0.0.tgz");
    assert_eq!(full, wanted);
}

#[test]
fn what_is_no_packument_of_that_name_is_refused() {
    for text in [
        "<html>log in</html>",
        "[]",
        "null",
        "{}",
        r#"{"name":"other","versions":{}}"#,
        r#"{"name":"@s/n","versions":[]}"#,
        r#"{"name":"@s/n","versions":{"1.0.0":"#,
    ] {
        assert!(Outline::parse(text.as_bytes(), "@s/n").is_err(), "{text}");
    }
}

#[test]
fn of_a_field_that_occurs_twice_the_last_counts() {
    let text = r#"{"name":"n","versions":{"1.0.0":{"a":1},"1.0.0":{"a":2}},"name":"@s/n"}"#;
    let outline = Outline::parse(text.as_bytes(), "@s/n").unwrap();
    assert_eq!(outline.versions.len(), 1);
    assert_eq!(outline.versions[0].1.get(), r#"{"a":2}"#);
}

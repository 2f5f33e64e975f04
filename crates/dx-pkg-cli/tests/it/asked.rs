//! What `dx audit`, `dx fund`, `dx query` and `dx sbom` say, beside what npm 12.2.2 said of the
//! same projects.
//!
//! `asked.json` has small projects with the output of npm's own commands, and what the registry
//! served to npm. Paths of the project are `<root>` in it, addresses of the registry `<registry>`.

use std::path::Path;
use std::process::Command;

use base64::Engine as _;
use dx_pkg_testkit::provenance::bundle;
use dx_pkg_testkit::{Fault, Registry};
use serde_json::{Value, json};

const BULK: &str = "/-/npm/v1/security/advisories/bulk";
const KEYS: &str = "/-/npm/v1/keys";

fn recorded() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/asked.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Returns an address of the registry without the slash at its end.
fn address(registry: &Registry) -> &str {
    registry.url().trim_end_matches('/')
}

/// Serves what npm's registry served.
fn serve(recorded: &Value) -> Registry {
    let registry = Registry::start();
    for (name, document) in recorded["packuments"].as_object().unwrap() {
        let text = document.to_string().replace("<registry>", address(&registry));
        registry.fault(&format!("/{name}"), Fault::Body(text.into_bytes()));
    }
    let json = |value: &Value| Fault::Body(value.to_string().into_bytes());
    registry.fault(BULK, json(&recorded["advisories"]));
    registry.fault(KEYS, json(&recorded["keys"]));
    registry
}

/// Writes a project of `asked.json` into `root`.
fn write(case: &Value, root: &Path, registry: &Registry) {
    for (path, text) in case["files"].as_object().unwrap() {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let text = text.as_str().unwrap().replace("<registry>", address(registry));
        std::fs::write(path, text).unwrap();
    }
    for (path, target) in case["links"].as_object().unwrap() {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(target.as_str().unwrap(), path).unwrap();
    }
}

/// The outcome of a command, with places in place of paths and addresses.
struct Outcome {
    code: i32,
    text: String,
    errors: String,
}

fn run(root: &Path, registry: &Registry, arguments: &[&str]) -> Outcome {
    let output = Command::new(env!("CARGO_BIN_EXE_dx"))
        .args(arguments)
        .current_dir(root)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", root.parent().unwrap())
        .env("DX_STORE", root.parent().unwrap().join("store"))
        .env("DX_PREPARED_TREES", "0")
        .env("npm_config_registry", registry.url())
        .env("npm_config_min_release_age", "0")
        .env("LC_ALL", "C.UTF-8")
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let text = text.replace(root.to_str().unwrap(), "<root>");
    Outcome {
        code: output.status.code().unwrap(),
        text: text.replace(address(registry), "<registry>"),
        errors: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Returns a case with its folder, which lives as long as the first part.
fn project(
    name: &str,
    recorded: &Value,
    registry: &Registry,
) -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap().join(name);
    std::fs::create_dir(&root).unwrap();
    let cases = recorded["cases"].as_array().unwrap();
    write(cases.iter().find(|case| case["name"] == name).unwrap(), &root, registry);
    (folder, root)
}

/// Returns the parts of an output that are compared.
fn compared(words: &[&str], mut value: Value) -> Value {
    if words[0] == "sbom" {
        for key in ["serialNumber", "documentNamespace", "creationInfo"] {
            value.as_object_mut().unwrap().shift_remove(key);
        }
        if let Some(metadata) = value.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.shift_remove("timestamp");
            metadata.shift_remove("tools");
        }
    }
    value
}

/// Returns the members of found packages that tell which they are.
fn places(found: &Value) -> Value {
    let keys = ["name", "version", "location", "queryContext"];
    let short = |node: &Value| -> Value {
        let is_kept =
            |key: &&&str| node.get(**key).is_some_and(|value| *value != serde_json::json!({}));
        let kept = keys.iter().filter(is_kept).map(|key| ((*key).to_owned(), node[*key].clone()));
        Value::Object(kept.collect())
    };
    found.as_array().map(|all| all.iter().map(short).collect()).unwrap_or_default()
}

#[test]
fn questions_about_packages_have_npms_answers() {
    let recorded = recorded();
    let registry = serve(&recorded);
    let mut different = Vec::new();
    let mut count = 0;
    for case in recorded["cases"].as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        let (_folder, root) = project(name, &recorded, &registry);
        for told in case["runs"].as_array().unwrap() {
            count += 1;
            let words: Vec<&str> = told["arguments"]
                .as_array()
                .unwrap()
                .iter()
                .map(|word| word.as_str().unwrap())
                .collect();
            let is_full = words.contains(&"--full");
            let given: Vec<&str> = words.iter().copied().filter(|word| *word != "--full").collect();
            let outcome = run(&root, &registry, &given);
            crate::schemas::check(&given, &outcome.text);
            let mut faults = Vec::new();
            if i64::from(outcome.code) != told["code"].as_i64().unwrap() {
                faults.push(format!("code {} for {}", outcome.code, told["code"]));
            }
            match told.get("output") {
                // npm printed an error, or the output is that of an install.
                None | Some(Value::Null) => {}
                Some(Value::String(text)) => {
                    if text.trim_end() != outcome.text.trim_end() {
                        faults.push(format!("npm:\n{text}\ndx:\n{}", outcome.text));
                    }
                }
                Some(expected) => {
                    let found: Value = serde_json::from_str(&outcome.text).unwrap_or_default();
                    let found = match given[0] {
                        "query" if !is_full => places(&found),
                        _ => compared(&given, found),
                    };
                    if found != *expected {
                        faults.push(format!("npm:\n{expected:#}\ndx:\n{found:#}"));
                    }
                }
            }
            for (path, expected) in
                told.get("files").and_then(Value::as_object).into_iter().flatten()
            {
                let text = std::fs::read_to_string(root.join(path)).unwrap();
                let text = text.replace(address(&registry), "<registry>");
                if text.trim_end() != expected.as_str().unwrap().trim_end() {
                    faults.push(format!(
                        "{path}:\nnpm:\n{}\ndx:\n{text}",
                        expected.as_str().unwrap()
                    ));
                }
            }
            if told.get("files").is_some() {
                write(case, &root.join("../again"), &registry);
                for path in ["package.json", "package-lock.json"] {
                    std::fs::copy(root.join("../again").join(path), root.join(path)).unwrap();
                }
                std::fs::remove_dir_all(root.join("../again")).unwrap();
            }
            if !faults.is_empty() {
                let faults = faults.join("\n");
                different.push(format!("{name}: {}\n{}{faults}", words.join(" "), outcome.errors));
            }
        }
    }
    assert!(count >= 100, "{count}");
    assert!(
        different.is_empty(),
        "{} of {count} differ:\n{}",
        different.len(),
        different.join("\n")
    );
}

#[test]
fn signatures_of_a_registry_hold_or_are_named() {
    let recorded = recorded();
    let registry = serve(&recorded);
    let (_folder, root) = project("clean", &recorded, &registry);
    let outcome = run(&root, &registry, &["audit", "signatures"]);
    assert_eq!(outcome.code, 0, "{}{}", outcome.text, outcome.errors);
    assert!(
        outcome.text.contains("2 packages have verified registry signatures"),
        "{}",
        outcome.text
    );

    // The registry has other files than those that were signed.
    let document = recorded["packuments"]["one"].to_string();
    let integrity =
        recorded["packuments"]["one"]["versions"]["1.1.0"]["dist"]["integrity"].as_str();
    let forged = document.replace(integrity.unwrap(), "sha512-AAAA");
    let registry = Registry::start();
    registry.fault("/one", Fault::Body(forged.into_bytes()));
    for (path, value) in [("/two", &recorded["packuments"]["two"]), (KEYS, &recorded["keys"])] {
        registry.fault(path, Fault::Body(value.to_string().into_bytes()));
    }
    let outcome = run(&root, &registry, &["audit", "signatures", "--json"]);
    let found: Value = serde_json::from_str(&outcome.text).unwrap();
    assert_eq!(outcome.code, 1);
    assert_eq!(found["invalid"][0]["name"], "one", "{found:#}");
    assert_eq!(found["invalid"][0]["code"], "EINTEGRITYSIGNATURE");

    // Without a signature, by an unknown key, and without keys.
    let mut unsigned = recorded["packuments"]["one"].clone();
    unsigned["versions"]["1.1.0"]["dist"].as_object_mut().unwrap().shift_remove("signatures");
    registry.clear_faults();
    registry.fault("/one", Fault::Body(unsigned.to_string().into_bytes()));
    registry.fault("/two", Fault::Body(recorded["packuments"]["two"].to_string().into_bytes()));
    let keys = registry.fault(KEYS, Fault::Body(recorded["keys"].to_string().into_bytes()));
    let outcome = run(&root, &registry, &["audit", "signatures", "--prefer-online", "--json"]);
    let found: Value = serde_json::from_str(&outcome.text).unwrap();
    assert_eq!(found["missing"][0]["name"], "one", "{found:#}");
    keys.clear();
    let other = registry.fault(KEYS, Fault::Body(br#"{"keys":[{"keyid":"x","key":""}]}"#.to_vec()));
    let outcome = run(&root, &registry, &["audit", "signatures"]);
    assert!(outcome.code == 1 && outcome.errors.contains("[DX_SIGNING_KEY]"), "{}", outcome.errors);
    other.clear();
    registry.fault(KEYS, Fault::status(404));
    let outcome = run(&root, &registry, &["audit", "signatures"]);
    assert!(
        outcome.errors.contains("[DX_SIGNING_KEY]")
            || outcome.errors.contains("[DX_NOTHING_SIGNED]")
    );
}

#[test]
fn provenance_has_to_be_signed_by_the_key_of_its_certificate() {
    const PLACE: &str = "/-/npm/v1/attestations/one@1.1.0";
    let recorded = recorded();
    let registry = serve(&recorded);
    let (_folder, root) = project("clean", &recorded, &registry);
    let mut document = recorded["packuments"]["one"].clone();
    let dist = &mut document["versions"]["1.1.0"]["dist"];
    let integrity = dist["integrity"].as_str().unwrap().strip_prefix("sha512-").unwrap();
    let bytes = base64::engine::general_purpose::STANDARD.decode(integrity).unwrap();
    let sha512: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    dist["attestations"] = json!({ "url": format!("{}{PLACE}", address(&registry)),
        "provenance": { "predicateType": "https://slsa.dev/provenance/v1" } });
    let document = document.to_string().replace("<registry>", address(&registry));
    registry.clear_faults();
    registry.fault("/one", Fault::Body(document.into_bytes()));
    let two = recorded["packuments"]["two"].to_string().replace("<registry>", address(&registry));
    registry.fault("/two", Fault::Body(two.into_bytes()));
    registry.fault(KEYS, Fault::Body(recorded["keys"].to_string().into_bytes()));
    let good = bundle("pkg:npm/one@1.1.0", &sha512);
    let mut forged = bundle("pkg:npm/one@1.1.1", &sha512);
    forged["dsseEnvelope"]["payload"] = good["dsseEnvelope"]["payload"].clone();
    for (bundle, problem) in [
        (good, None),
        (forged, Some("its signature is not by the key of its certificate")),
        (bundle("pkg:npm/one@1.1.1", &sha512), Some("it is about pkg:npm/one@1.1.1")),
        (bundle("pkg:npm/one@1.1.0", "00"), Some("it is about other files")),
    ] {
        let answer = json!({ "attestations": [{ "predicateType": "x", "bundle": bundle }] });
        let served = registry.fault(PLACE, Fault::Body(answer.to_string().into_bytes()));
        let words = ["audit", "signatures", "--prefer-online", "--json", "--include-attestations"];
        let outcome = run(&root, &registry, &words);
        let found: Value = serde_json::from_str(&outcome.text).unwrap();
        assert_eq!(outcome.code, i32::from(problem.is_some()), "{}", outcome.text);
        let invalid = &found["invalid"][0];
        match problem {
            None => assert_eq!(found["verified"][0]["name"], "one", "{found:#}"),
            Some(problem) => {
                assert_eq!(invalid["code"], "EATTESTATIONVERIFY", "{found:#}");
                assert!(invalid["message"].as_str().unwrap().ends_with(problem), "{found:#}");
            }
        }
        served.clear();
    }
}

#[test]
fn an_audit_that_nobody_answers_is_an_error() {
    let recorded = recorded();
    let registry = serve(&recorded);
    let (_folder, root) = project("audited", &recorded, &registry);
    let offline = run(&root, &registry, &["audit", "--offline"]);
    assert!(
        offline.code == 1 && offline.errors.contains("[DX_AUDIT_REFUSED]"),
        "{}",
        offline.errors
    );
    let empty = Registry::start();
    let outcome = run(&root, &empty, &["audit"]);
    assert!(
        outcome.code == 1 && outcome.errors.contains("[DX_AUDIT_REFUSED]"),
        "{}",
        outcome.errors
    );
    empty.fault(BULK, Fault::Body(b"<html>".to_vec()));
    let outcome = run(&root, &empty, &["audit"]);
    assert!(
        outcome.code == 1 && outcome.errors.contains("[DX_AUDIT_REFUSED]"),
        "{}",
        outcome.errors
    );
    std::fs::remove_file(root.join("package-lock.json")).unwrap();
    let outcome = run(&root, &registry, &["audit"]);
    assert!(outcome.code == 1 && outcome.errors.contains("[DX_NO_LOCKFILE]"), "{}", outcome.errors);
}

#[test]
fn names_of_a_scope_are_told_to_its_registry_only() {
    let (registry, own) = (Registry::start(), Registry::start());
    registry.fault(BULK, Fault::Body(b"{}".to_vec()));
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap().join("app");
    std::fs::create_dir(&root).unwrap();
    let lock = serde_json::json!({
        "name": "app", "lockfileVersion": 3, "requires": true,
        "packages": {
            "": { "name": "app", "dependencies": { "@own/a": "1.0.0" } },
            "node_modules/@own/a": { "version": "1.0.0" },
        },
    });
    let manifest = serde_json::json!({ "name": "app", "dependencies": { "@own/a": "1.0.0" } });
    std::fs::write(root.join("package.json"), manifest.to_string()).unwrap();
    std::fs::write(root.join("package-lock.json"), lock.to_string()).unwrap();
    std::fs::write(root.join(".npmrc"), format!("@own:registry={}\n", own.url())).unwrap();
    let outcome = run(&root, &registry, &["audit"]);
    assert_eq!((outcome.code, outcome.text.trim()), (0, "found 0 vulnerabilities"));
    assert!(outcome.errors.contains("1 packages were not audited"), "{}", outcome.errors);
    assert!(registry.requests().is_empty(), "{:?}", registry.requests());
    let told: Vec<_> = own.requests();
    assert!(told.iter().any(|one| one.method == "POST" && one.path == BULK), "{told:?}");
    assert_eq!(told[0].header("content-encoding"), Some("gzip"));
}

#[test]
fn a_fix_changes_only_what_it_must() {
    let registry = Registry::start();
    for version in ["1.0.0", "1.0.1", "2.0.0"] {
        registry.package("bad", version).publish();
        registry.package("other", version).publish();
    }
    registry.package("user", "1.0.0").dep("bad", "^1.0.0").dep("other", "^1.0.0").publish();
    registry.package("pinned", "1.0.0").dep("bad", "1.0.0").publish();
    let project = dx_pkg_testkit::Project::new(&registry)
        .dep("bad", "1.0.0")
        .dep("other", "1.0.0")
        .dep("user", "1.0.0")
        .create();
    crate::harness::ok(&project, ["install"]);
    project.write(
        "package.json",
        serde_json::json!({ "name": "app", "dependencies": { "bad": "^1.0.0", "other": "^1.0.0", "user": "1.0.0" } })
            .to_string(),
    );
    crate::harness::ok(&project, ["install"]);
    let advisory = r#"{"bad":[{"id":1,"url":"http://a.example/1","title":"bad is bad","severity":"high","vulnerable_versions":"<1.0.1"}]}"#;
    registry.fault(BULK, Fault::Body(advisory.into()));
    let found = crate::harness::dx(&project, ["audit"]);
    assert_eq!(found.status, Some(1), "{found}");
    let fixed = crate::harness::ok(&project, ["audit", "fix"]);
    assert!(fixed.stdout.ends_with("found 0 vulnerabilities\n"), "{fixed}");
    let installed = project.installed();
    assert_eq!(installed["node_modules/bad"], "bad@1.0.1", "{installed:?}");
    assert_eq!(installed["node_modules/other"], "other@1.0.0", "{installed:?}");
}

#[test]
fn selectors_that_cannot_be_read_are_errors() {
    let recorded = recorded();
    let registry = serve(&recorded);
    let (_folder, root) = project("clean", &recorded, &registry);
    for selector in [
        "one",
        ":nothing",
        ".nothing",
        "#",
        "[",
        ":is(#one",
        ":semver(not a version)",
        ":attr(x)",
        ":vuln(#one)",
        "#one,",
        ":semver(1.0.0, [version], nothing)",
    ] {
        let outcome = run(&root, &registry, &["query", selector]);
        assert!(
            outcome.code == 1 && outcome.errors.contains("[DX_QUERY]"),
            "{selector}: {}",
            outcome.errors
        );
    }
    let outcome = run(&root, &registry, &["sbom"]);
    assert!(outcome.errors.contains("[DX_NO_SBOM_FORMAT]"), "{}", outcome.errors);
    let outcome = run(&root, &registry, &["fund", "one", "--which=0"]);
    assert!(outcome.errors.contains("[DX_NOT_A_NUMBER]"), "{}", outcome.errors);
    let outcome = run(&root, &registry, &["fund", "one"]);
    assert!(outcome.errors.contains("[DX_NO_FUNDING]"), "{}", outcome.errors);
}

#[test]
fn licences_are_listed_as_pnpm_lists_them() {
    let recorded = recorded();
    let registry = serve(&recorded);
    let (_folder, root) = project("odd", &recorded, &registry);
    let outcome = run(&root, &registry, &["licenses", "ls", "--prod"]);
    let expected = "\
┌───────────┬─────────────────────┐
│ Package   │ License             │
├───────────┼─────────────────────┤
│ @l/local  │ (MIT OR ISC)        │";
    assert!(outcome.text.starts_with(expected), "{}", outcome.text);
    assert!(!outcome.text.contains("(dev)"), "{}", outcome.text);
    let outcome = run(&root, &registry, &["licenses", "--json"]);
    let found: Value = serde_json::from_str(&outcome.text).unwrap();
    let three = found["(MIT OR Apache-2.0)"][0].clone();
    assert_eq!(three["name"], "three", "{found:#}");
    assert_eq!(three["paths"][0], "<root>/node_modules/aliased");
}

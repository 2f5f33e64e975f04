//! The comparison of a published manifest with the `package.json` in its tarball.
//!
//! Clients resolve by the one and run the other; where they differ, a package does not do what it
//! says. npm rewrites some fields before it sends them, so both are compared in its normal form.

use serde_json::{Map, Value};
use std::collections::BTreeMap;

type Texts = BTreeMap<String, String>;

/// The scripts that run when a package is installed.
const INSTALL_SCRIPTS: [&str; 3] = ["preinstall", "install", "postinstall"];

/// Returns the first field that differs in a way that an install would notice.
pub(super) fn difference(
    sent: &Map<String, Value>,
    packed: &Map<String, Value>,
    has_binding: bool,
) -> Option<&'static str> {
    let differ = |field: &str| texts(sent.get(field)) != texts(packed.get(field));
    if required(sent) != required(packed) {
        return Some("dependencies");
    }
    if differ("optionalDependencies") {
        return Some("optionalDependencies");
    }
    if differ("peerDependencies") {
        return Some("peerDependencies");
    }
    // npm lists the files of a folder of commands.
    let has_folder = packed.get("directories").is_some_and(|folders| folders.get("bin").is_some());
    if !(has_folder && packed.get("bin").is_none()) && bins(sent) != bins(packed) {
        return Some("bin");
    }
    let mut own = scripts(packed);
    if has_binding && !own.contains_key("install") && !own.contains_key("preinstall") {
        let added = scripts(sent).get("install").is_some_and(|script| script == "node-gyp rebuild");
        if added {
            own.insert("install".to_owned(), "node-gyp rebuild".to_owned());
        }
    }
    (scripts(sent) != own).then_some("scripts")
}

/// Returns the dependencies that are not optional.
fn required(manifest: &Map<String, Value>) -> Texts {
    let optional = texts(manifest.get("optionalDependencies"));
    let mut all = texts(manifest.get("dependencies"));
    all.retain(|name, _| !optional.contains_key(name));
    all
}

fn texts(field: Option<&Value>) -> Texts {
    let entries = field.and_then(Value::as_object).into_iter().flatten();
    let text =
        |(key, value): (&String, &Value)| Some((key.clone(), value.as_str()?.trim().to_owned()));
    entries.filter_map(text).collect()
}

fn scripts(manifest: &Map<String, Value>) -> Texts {
    let mut scripts = texts(manifest.get("scripts"));
    scripts.retain(|name, script| INSTALL_SCRIPTS.contains(&name.as_str()) && !script.is_empty());
    for script in scripts.values_mut() {
        let own = script.strip_prefix("./").unwrap_or(script);
        if let Some(command) = own.strip_prefix("node_modules/.bin/") {
            *script = command.to_owned();
        }
    }
    scripts
}

fn bins(manifest: &Map<String, Value>) -> Texts {
    let plain = |path: &str| {
        let parts = path.split(['/', '\\']).filter(|part| !matches!(*part, "" | "." | ".."));
        parts.collect::<Vec<_>>().join("/")
    };
    let last = |name: &str| name.rsplit('/').next().unwrap_or_default().to_owned();
    match manifest.get("bin") {
        Some(Value::String(path)) => {
            let name = manifest.get("name").and_then(Value::as_str).unwrap_or_default();
            Texts::from([(last(name), plain(path))])
        }
        Some(Value::Array(paths)) => {
            let paths = paths.iter().filter_map(Value::as_str);
            paths.map(|path| (last(path), plain(path))).collect()
        }
        bins => {
            let bins = texts(bins).into_iter().map(|(name, path)| (last(&name), plain(&path)));
            bins.filter(|(name, path)| !name.is_empty() && !path.is_empty()).collect()
        }
    }
}

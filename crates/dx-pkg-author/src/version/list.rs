//! The versions of packages, of dx and of what Node.js is made of.

use std::process::{Command, Stdio};

use dx_pkg_install::Environment;
use dx_pkg_install::scripts::on_path;
use serde_json::{Map, Value};

use crate::members::{Members, written_manifest};

/// Returns the versions of the packages that are meant, of dx, and of Node.js and its parts.
#[must_use]
pub fn versions(environment: &Environment, members: &Members) -> Value {
    let mut found = Map::new();
    let own = members.each().into_iter().map(|(_, folder)| folder);
    let root = members.chosen.is_some().then_some(members.root.as_path());
    for folder in own.chain(root) {
        let manifest = written_manifest(folder).unwrap_or_default();
        let text = |key: &str| manifest.get(key)?.as_str().filter(|text| !text.is_empty());
        if let (Some(name), Some(version)) = (text("name"), text("version")) {
            found.insert(name.to_owned(), version.into());
        }
    }
    found.insert("dx".to_owned(), env!("CARGO_PKG_VERSION").into());
    if let Some(Value::Object(parts)) = of_node(environment) {
        found.extend(parts);
    }
    found.into()
}

/// Asks the Node.js on the `PATH` for its versions.
fn of_node(environment: &Environment) -> Option<Value> {
    let (node, _) = on_path(environment)?;
    let output = Command::new(node)
        .args(["-p", "JSON.stringify(process.versions)"])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    serde_json::from_slice(&output.stdout).ok()
}

//! `bin`: names of commands without folders, and paths that stay in the package.

use serde_json::{Map, Value};

use super::Normalised;

impl Normalised {
    /// Makes `bin` an object of names and paths.
    pub(super) fn fix_bin(&mut self) {
        let name = self.text("name").map(str::to_owned);
        let bin = match (self.get("bin").cloned(), name) {
            (Some(Value::String(path)), Some(name)) => {
                self.told("\"bin\" was changed from a text to an object");
                Map::from_iter([(name, path.into())])
            }
            (Some(Value::Array(paths)), _) => {
                self.told("\"bin\" was changed from a list to an object");
                let named = paths.iter().filter_map(Value::as_str);
                named.map(|path| (last(path).to_owned(), path.into())).collect()
            }
            (Some(Value::Object(bin)), _) => bin,
            _ => return self.remove("bin"),
        };
        let mut fixed = bin.clone();
        for (key, path) in bin {
            let clean = path.as_str().map(inside).filter(|clean| !clean.is_empty());
            let base = last(&inside(&key)).to_owned();
            let Some(clean) = clean.filter(|_| !base.is_empty()) else {
                self.told(format!("\"bin[{key}]\" was removed, as it names no file"));
                fixed.shift_remove(&key);
                continue;
            };
            if base != key {
                self.told(format!("\"bin[{key}]\" was renamed to \"bin[{base}]\""));
                fixed.shift_remove(&key);
            }
            if path.as_str() != Some(&clean) {
                self.told(format!("\"bin[{base}]\" was changed to \"{clean}\""));
            }
            fixed.insert(base, clean.into());
        }
        if fixed.is_empty() {
            self.told("\"bin\" was removed, as it is empty");
            return self.remove("bin");
        }
        self.set("bin", fixed);
    }
}

/// Returns the last part of a path.
pub(super) fn last(path: &str) -> &str {
    path.trim_end_matches('/').rsplit('/').next().unwrap_or_default()
}

/// Returns a path as one that cannot leave its folder, with `/` between its parts.
pub(super) fn inside(path: &str) -> String {
    let path = path.replace(['\\', ':'], "/");
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    let end = if path.ends_with('/') && !parts.is_empty() { "/" } else { "" };
    format!("{}{end}", parts.join("/"))
}

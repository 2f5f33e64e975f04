//! `bin`: names of commands without folders, and paths that stay in the package.

use dx_pkg_compat::manifest::{base_name, clean_path};
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
                named.map(|path| (base_name(path).to_owned(), path.into())).collect()
            }
            (Some(Value::Object(bin)), _) => bin,
            _ => return self.remove("bin"),
        };
        let mut fixed = bin.clone();
        for (key, path) in bin {
            let clean = path.as_str().map(clean_path).filter(|clean| !clean.is_empty());
            let base = base_name(&clean_path(&key)).to_owned();
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

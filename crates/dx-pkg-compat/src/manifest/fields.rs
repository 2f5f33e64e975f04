//! The fields of a package's manifest that its scripts see.

use serde_json::Value;

use super::Manifest;

impl Manifest {
    /// Returns the fields that the package's scripts see, in npm's flat form: `bin_tsc`,
    /// `config_port`, `engines_node`.
    #[must_use]
    pub fn script_fields(&self) -> Vec<(String, String)> {
        fields(self)
    }

    /// Returns whether npm builds the package with `node-gyp` where it has a `binding.gyp`: no
    /// script of its own comes before, and `gypfile` is not `false`.
    #[must_use]
    pub fn implies_gyp(&self) -> bool {
        let has = |event| self.script(event).is_some_and(|script| !script.is_empty());
        self.raw.get("gypfile") != Some(&Value::Bool(false))
            && !has("install")
            && !has("preinstall")
    }
}

fn fields(manifest: &Manifest) -> Vec<(String, String)> {
    let mut fields: Vec<(String, String)> = Vec::new();
    fields.extend(manifest.bin.iter().map(|(name, path)| (format!("bin_{name}"), path.clone())));
    fields.extend(
        manifest.engines.iter().map(|(name, range)| (format!("engines_{name}"), range.clone())),
    );
    if let Some(config) = manifest.raw.get("config") {
        flatten("config", config, &mut fields);
    }
    fields
}

fn flatten(key: &str, value: &Value, fields: &mut Vec<(String, String)>) {
    match value {
        Value::Object(entries) => {
            entries
                .iter()
                .for_each(|(name, value)| flatten(&format!("{key}_{name}"), value, fields));
        }
        Value::Array(items) => {
            items
                .iter()
                .enumerate()
                .for_each(|(place, value)| flatten(&format!("{key}_{place}"), value, fields));
        }
        Value::Null | Value::Bool(false) => fields.push((key.to_owned(), String::new())),
        Value::String(text) => fields.push((key.to_owned(), text.clone())),
        other => fields.push((key.to_owned(), other.to_string())),
    }
}

//! The sections of dependencies: objects of texts.

use serde_json::{Map, Value};

use super::{Normalised, is_truthy};
use dx_pkg_compat::hosted::Hosted;

impl Normalised {
    /// Makes the sections objects, without what is no text.
    pub(super) fn fix_dependencies(&mut self) {
        for key in ["dependencies", "devDependencies", "optionalDependencies"] {
            let words: Vec<String> = match self.get(key) {
                Some(Value::String(text)) => text
                    .trim()
                    .split(|c: char| c == ',' || c.is_whitespace())
                    .filter(|word| !word.is_empty())
                    .map(str::to_owned)
                    .collect(),
                Some(Value::Array(items)) => {
                    items.iter().filter_map(|item| Some(item.as_str()?.to_owned())).collect()
                }
                _ => continue,
            };
            self.told(format!("\"{key}\" was changed to an object"));
            self.set(key, words.iter().map(|word| requirement(word)).collect::<Map<_, _>>());
        }
        for key in ["dependencies", "devDependencies"] {
            let Some(section) = self.data.get_mut(key) else { continue };
            let Value::Object(section) = section else {
                self.told(format!("\"{key}\" was removed, as it is no object"));
                self.remove(key);
                continue;
            };
            let mut changes = Vec::new();
            section.retain(|name, spec| {
                let Value::String(text) = spec else {
                    changes.push(format!("\"{key}.{name}\" was removed, as it is no text"));
                    return false;
                };
                if let Some(fixed) = Hosted::read(text).map(|hosted| hosted.corrected())
                    && fixed != *text
                {
                    changes.push(format!("\"{key}.{name}\" was set to \"{fixed}\""));
                    *text = fixed;
                }
                true
            });
            self.changes.extend(changes);
        }
    }

    /// Adds what is bundled and not required to `dependencies`.
    pub(super) fn require_bundled(&mut self) {
        match self.data.get("bundleDependencies") {
            Some(Value::Array(_)) => {}
            Some(other) if is_truthy(other) => {
                self.told("\"bundleDependencies\" was removed, as it is no list");
                return self.remove("bundleDependencies");
            }
            _ => return,
        }
        let Some(Value::Array(items)) = self.data.get("bundleDependencies").cloned() else {
            return;
        };
        let names: Vec<&str> =
            items.iter().filter_map(Value::as_str).filter(|name| !name.is_empty()).collect();
        for name in &names {
            let section = self.data.entry("dependencies").or_insert_with(|| Map::new().into());
            if let Value::Object(section) = section
                && !section.contains_key(*name)
            {
                section.insert((*name).to_owned(), "*".into());
                self.told(format!("\"{name}\" is bundled, and was added to \"dependencies\""));
            }
        }
        self.set("bundleDependencies", names);
    }
}

/// Splits `name@range`, `name range` and the like.
fn requirement(word: &str) -> (String, Value) {
    let word = word.trim();
    let end = word.char_indices().skip(1).find(|(_, c)| "@ <>=".contains(*c) || c.is_whitespace());
    let (name, spec) = end.map_or((word, ""), |(at, _)| word.split_at(at));
    (name.to_owned(), spec.strip_prefix('@').unwrap_or(spec).trim().into())
}

//! Catalogs: the requirements that `catalog:` stands for.

use std::collections::BTreeMap;

use serde_json::Value;

use super::HomeError;

/// The name of the catalog that `catalog:` means.
const DEFAULT: &str = "default";

/// The catalogs of a project.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Catalogs {
    named: BTreeMap<String, BTreeMap<String, Entry>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    requirement: String,
    /// The file that has it.
    home: &'static str,
}

impl Catalogs {
    /// Adds `catalog` and `catalogs` of a table.
    ///
    /// # Errors
    /// They have another shape, or an entry that contradicts one of another home.
    pub(super) fn add(&mut self, home: &'static str, table: &Value) -> Result<(), HomeError> {
        let bad = |key: &str| HomeError::Value {
            file: home,
            key: key.to_owned(),
            wanted: "a table of names with requirements",
        };
        match table.get("catalog") {
            None | Some(Value::Null) => {}
            Some(entries) => {
                self.add_one(home, DEFAULT, entries.as_object().ok_or_else(|| bad("catalog"))?)?;
            }
        }
        match table.get("catalogs") {
            None | Some(Value::Null) => Ok(()),
            Some(Value::Object(catalogs)) => catalogs.iter().try_for_each(|(name, entries)| {
                let key = || format!("catalogs.{name}");
                match entries {
                    Value::Null => Ok(()),
                    entries => {
                        let entries = entries.as_object().ok_or_else(|| bad(&key()))?;
                        self.add_one(home, name, entries)
                    }
                }
            }),
            Some(_) => Err(bad("catalogs")),
        }
    }

    fn add_one(
        &mut self,
        home: &'static str,
        name: &str,
        entries: &serde_json::Map<String, Value>,
    ) -> Result<(), HomeError> {
        let catalog = self.named.entry(name.to_owned()).or_default();
        for (package, value) in entries {
            let requirement = requirement(value).ok_or_else(|| HomeError::Value {
                file: home,
                key: format!("{} of the catalog {name}", package.escape_debug()),
                wanted: "a requirement in quotes",
            })?;
            if let Some(other) = catalog.get(package)
                && other.requirement != requirement
            {
                return Err(HomeError::CatalogContradiction {
                    package: package.clone(),
                    catalog: name.to_owned(),
                    first: (other.home, other.requirement.clone()),
                    second: (home, requirement),
                });
            }
            catalog.insert(package.clone(), Entry { requirement, home });
        }
        Ok(())
    }

    /// Returns whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.named.is_empty()
    }

    /// Returns the requirement that `catalog:` or `catalog:NAME` stands for; `name` is what follows
    /// the colon.
    ///
    /// # Errors
    /// There is no such catalog, or it does not have the package.
    pub fn get(&self, package: &str, name: &str) -> Result<&str, HomeError> {
        let name = Some(name.trim()).filter(|name| !name.is_empty()).unwrap_or(DEFAULT);
        let Some(catalog) = self.named.get(name) else {
            return Err(HomeError::NoCatalog {
                package: package.to_owned(),
                catalog: name.to_owned(),
                known: self.named.keys().cloned().collect(),
            });
        };
        match catalog.get(package) {
            Some(entry) => Ok(&entry.requirement),
            None => Err(HomeError::NoCatalogEntry {
                package: package.to_owned(),
                catalog: name.to_owned(),
                known: catalog.keys().cloned().collect(),
            }),
        }
    }

    /// Returns the name in `catalog:` texts of a catalog that has the package with a requirement
    /// that `matches`.
    #[must_use]
    pub fn find(&self, package: &str) -> Option<String> {
        let in_catalog = |(name, entries): (&String, &BTreeMap<String, Entry>)| {
            entries.contains_key(package).then(|| match name.as_str() {
                DEFAULT => "catalog:".to_owned(),
                name => format!("catalog:{name}"),
            })
        };
        self.named.iter().find_map(in_catalog)
    }
}

/// Returns the text of a requirement. YAML takes `18` for a number, and so does it with `1.10`,
/// which it then is no longer.
fn requirement(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) if number.is_u64() => Some(number.to_string()),
        _ => None,
    }
}

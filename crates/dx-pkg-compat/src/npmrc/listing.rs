//! All settings of npm's by the place that each value comes from, as `npm config list` shows them.
//!
//! Shows what is written, also what dx does not use; which settings count is in
//! [`super::Config`].

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::OPTIONS;
use super::definitions::{DEFINITIONS, Definition, GivenWords, ValueContext, value_of};
use super::expand::expand;
use super::layers::{environment, variable};
use super::value::RawValue;

/// What a listing is made of.
#[derive(Clone, Copy, Debug)]
pub struct ListingSources<'a> {
    /// The machine's file: path, and text where there is one.
    pub global: (&'a Path, Option<&'a str>),
    /// The user's file.
    pub user: (&'a Path, Option<&'a str>),
    /// The project's file; `None` where it counts for nothing.
    pub project: Option<(&'a Path, Option<&'a str>)>,
    /// The environment.
    pub env: &'a [(String, String)],
    /// The settings given on the command line.
    pub given: &'a GivenWords,
    /// The folder that paths are relative to.
    pub folder: &'a Path,
    /// The user's home folder.
    pub home: Option<&'a Path>,
    /// The registry without any setting.
    pub default_registry: Option<&'a str>,
    /// The prefix of global packages without any setting.
    pub default_prefix: &'a Path,
}

/// The settings of one place.
#[derive(Clone, Debug)]
pub struct Layer {
    /// npm's name of the place: default, global, user, project, env or cli.
    pub name: &'static str,
    /// The file, or what the place is.
    pub source: String,
    /// Keys and values in the order in which they were set.
    pub values: Vec<(String, Value)>,
}

/// A value that npm does not allow, and passes over.
#[derive(Clone, Debug)]
pub struct InvalidValue {
    /// The setting.
    pub key: String,
    /// The value.
    pub value: Value,
    /// Where it is.
    pub source: String,
    /// What is allowed.
    pub allowed: String,
}

/// Settings by their places, from the weakest to the strongest.
#[derive(Clone, Debug, Default)]
pub struct Listing {
    /// The places.
    pub layers: Vec<Layer>,
    /// Values that are passed over.
    pub invalid: Vec<InvalidValue>,
}

impl Listing {
    /// Reads all places.
    #[must_use]
    pub fn read(sources: &ListingSources<'_>) -> Self {
        let context = ValueContext { env: sources.env, home: sources.home, folder: sources.folder };
        let mut listing = Listing::default();
        listing.add("default", "default values".to_owned(), defaults(sources, context), context);
        for (name, file) in [
            ("global", Some(sources.global)),
            ("user", Some(sources.user)),
            ("project", sources.project),
        ] {
            let Some((path, text)) = file else { continue };
            let settings = text.map(super::edit::settings_of).unwrap_or_default();
            listing.add(name, path.display().to_string(), settings, context);
        }
        let env = environment(sources.env);
        listing.add("env", "environment".to_owned(), env, context);
        let given = sources.given.settings.clone();
        listing.add("cli", "command line options".to_owned(), given, context);
        listing.set_global_files(sources.global.0);
        listing
    }

    fn add(
        &mut self,
        name: &'static str,
        source: String,
        settings: Vec<(String, RawValue)>,
        context: ValueContext<'_>,
    ) {
        self.layers.push(Layer { name, source: source.clone(), values: Vec::new() });
        for (key, raw) in settings {
            let key = expand(&key, &|name| variable(context.env, name).map(str::to_owned)).text;
            let value = value_of(&key, &raw, context);
            let allowed = Definition::find(&key).filter(|row| !row.allows(&value));
            match allowed.filter(|_| name != "default") {
                Some(row) => self.invalid.push(InvalidValue {
                    allowed: row.allowed(),
                    source: source.clone(),
                    key,
                    value,
                }),
                None => self.set(&key, value),
            }
        }
        self.derive();
    }

    /// Sets a value in the strongest place.
    fn set(&mut self, key: &str, value: Value) {
        let Some(layer) = self.layers.last_mut() else { return };
        match layer.values.iter_mut().find(|(own, _)| own == key) {
            Some((_, own)) => *own = value,
            None => layer.values.push((key.to_owned(), value)),
        }
    }

    /// Sets what follows from other settings of the strongest place.
    fn derive(&mut self) {
        let own = |listing: &Self, keys: &[&str]| {
            let layer = listing.layers.last();
            layer.is_some_and(|layer| layer.values.iter().any(|(key, _)| keys.contains(&&**key)))
        };
        if own(self, &["save-exact", "save-prefix"]) {
            let is_exact = self.get("save-exact") == Some(&Value::Bool(true));
            let prefix = self.get("save-prefix").cloned().filter(|_| !is_exact);
            self.set("save-prefix", prefix.unwrap_or_else(|| "".into()));
        }
        if own(self, &["omit", "include", "only", "also", "dev", "optional", "production"]) {
            let list = |key: &str| self.get(key).and_then(Value::as_array).cloned();
            let (mut omit, mut include) =
                (list("omit").unwrap_or_default(), list("include").unwrap_or_default());
            let is = |key: &str, value: Value| self.get(key) == Some(&value);
            if is("only", "prod".into())
                || is("only", "production".into())
                || is("production", true.into())
            {
                omit.push("dev".into());
            }
            let includes_dev = is("production", false.into())
                || is("also", "dev".into())
                || is("also", "development".into())
                || is("dev", true.into());
            if includes_dev {
                include.push("dev".into());
            }
            if is("optional", false.into()) {
                omit.push("optional".into());
            } else if is("optional", true.into()) {
                include.push("optional".into());
            }
            let unique = |list: Vec<Value>| {
                let mut unique: Vec<Value> = Vec::new();
                list.into_iter().for_each(|item| {
                    if !unique.contains(&item) {
                        unique.push(item);
                    }
                });
                unique
            };
            let include = unique(include);
            let omit: Vec<Value> =
                unique(omit).into_iter().filter(|kind| !include.contains(kind)).collect();
            self.set("omit", omit.into());
            self.set("include", include.into());
        }
    }

    /// Sets the defaults that depend on the prefix; `machine` is the machine's file, or empty.
    fn set_global_files(&mut self, machine: &Path) {
        let prefix = self.get("prefix").and_then(Value::as_str).map(PathBuf::from);
        let Some((prefix, layer)) = prefix.zip(self.layers.first_mut()) else { return };
        let is_known = !machine.as_os_str().is_empty();
        let config = if is_known { machine.to_owned() } else { prefix.join("etc/npmrc") };
        let ignored = prefix.join("etc/npmignore");
        for (key, path) in [("globalconfig", config), ("global-ignore-file", ignored)] {
            if let Some((_, value)) = layer.values.iter_mut().find(|(own, _)| own == key) {
                *value = path.display().to_string().into();
            }
        }
    }

    /// Returns the value that wins.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.found(key).map(|(_, value)| value)
    }

    /// Returns the place of the value that wins.
    #[must_use]
    pub fn place(&self, key: &str) -> Option<&Layer> {
        self.found(key).map(|(layer, _)| layer)
    }

    fn found(&self, key: &str) -> Option<(&Layer, &Value)> {
        self.layers.iter().rev().find_map(|layer| {
            let (_, value) = layer.values.iter().find(|(own, _)| own == key)?;
            Some((layer, value))
        })
    }

    /// Returns every key, those of the strongest place first.
    #[must_use]
    pub fn keys(&self) -> Vec<&str> {
        let mut keys: Vec<&str> = Vec::new();
        for (key, _) in self.layers.iter().rev().flat_map(|layer| &layer.values) {
            if !keys.contains(&key.as_str()) {
                keys.push(key);
            }
        }
        keys
    }
}

/// Returns the defaults: npm's, with those that dx has otherwise, and dx's own settings.
fn defaults(sources: &ListingSources<'_>, context: ValueContext<'_>) -> Vec<(String, RawValue)> {
    let variable = |name: &str| variable(context.env, name).filter(|value| !value.is_empty());
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(variable).unwrap_or_default();
    let locale = locale.to_ascii_lowercase();
    let computed = |key: &str| -> Option<Value> {
        Some(match key {
            "registry" => sources.default_registry.map_or(Value::Null, Value::from),
            "prefix" => sources.default_prefix.display().to_string().into(),
            "editor" => variable("EDITOR").or_else(|| variable("VISUAL")).unwrap_or("vi").into(),
            "shell" => variable("SHELL").unwrap_or("sh").into(),
            "unicode" => (locale.ends_with("utf-8") || locale.ends_with("utf8")).into(),
            "color" => variable("NO_COLOR").is_none_or(|value| value == "0").into(),
            // The values that dx has in their place.
            "fetch-retry-factor" => json!(2),
            "fetch-retry-mintimeout" => json!(100),
            "maxsockets" => json!(96),
            _ => return None,
        })
    };
    let of_npm = DEFINITIONS.iter().map(|row| {
        let value = computed(row.key);
        let value = value.or_else(|| serde_json::from_str(row.default).ok()).unwrap_or_default();
        (row.key.to_owned(), raw(value))
    });
    let own = OPTIONS.iter().filter(|option| Definition::find(option.key).is_none());
    let own = own.map(|option| {
        let value = if option.default.is_empty() {
            RawValue::Null
        } else {
            RawValue::from_ini(option.default)
        };
        (option.key.to_owned(), value)
    });
    of_npm.chain(own).collect()
}

fn raw(value: Value) -> RawValue {
    match value {
        Value::Null => RawValue::Null,
        Value::Bool(value) => RawValue::Bool(value),
        Value::Array(items) => {
            let items = items.iter().filter_map(Value::as_str).map(str::to_owned);
            RawValue::List(items.collect())
        }
        Value::String(text) => RawValue::Text(text),
        other => RawValue::Text(other.to_string()),
    }
}

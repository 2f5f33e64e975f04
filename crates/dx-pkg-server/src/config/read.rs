//! Reads the configuration from its sources.

use super::Config;
use std::path::PathBuf;
use toml::{Table, Value};

/// The prefix of environment variables that hold settings.
const PREFIX: &str = "DX_REGISTRY_";
/// The variable that names the file.
const FILE: &str = "DX_REGISTRY_CONFIG";

/// The sources, weakest first: file, environment, flags.
pub(crate) struct Sources<'a> {
    /// The file that a flag names.
    pub(crate) file: Option<PathBuf>,
    /// The process's environment.
    pub(crate) variables: &'a [(String, String)],
    /// Settings from flags, by key.
    pub(crate) flags: Vec<(&'static str, String)>,
    /// The upstream where nothing names one.
    pub(crate) default_upstream: Option<&'a str>,
}

/// Reads the configuration.
///
/// # Errors
/// A text that names the file, the variable or the key, and what is wrong with it.
pub(crate) fn read(sources: &Sources<'_>) -> Result<Config, String> {
    let named = || variable(sources.variables, FILE).map(PathBuf::from);
    let file = sources.file.clone().or_else(named);
    let (mut table, origin) = match &file {
        Some(file) => {
            let text = std::fs::read_to_string(file)
                .map_err(|error| format!("cannot read {}: {error}", file.display()))?;
            let table: Table =
                text.parse().map_err(|error| format!("{}: {error}", file.display()))?;
            (table, file.display().to_string())
        }
        None => (Table::new(), "the configuration".to_owned()),
    };
    for (key, value) in sources.variables {
        if let Some(path) = key.strip_prefix(PREFIX).filter(|_| key != FILE) {
            insert(&mut table, path, value);
        }
    }
    for (key, value) in &sources.flags {
        table.insert((*key).to_owned(), Value::String(value.clone()));
    }
    // An empty text is the way to say in a variable or a flag that there is no upstream.
    let upstream = table.get("upstream").and_then(Value::as_str);
    if upstream.is_some_and(|url| url.is_empty() || url == "none") {
        table.remove("upstream");
    } else if upstream.is_none()
        && let Some(default) = sources.default_upstream
    {
        table.insert("upstream".to_owned(), Value::String(default.to_owned()));
    }
    let mut config: Config =
        table.try_into().map_err(|error| format!("{origin}: {}", one_line(&error)))?;
    if config.storage.as_os_str().is_empty() {
        config.storage = default_storage(sources.variables)?;
    }
    check(&config).map_err(|fault| format!("{origin}: {fault}"))?;
    Ok(config)
}

/// Sets `SECTION__KEY_WITH_WORDS` to `section.key-with-words`. The value is TOML if it can be read
/// as a number, a truth value or an array, and else text.
fn insert(table: &mut Table, path: &str, value: &str) {
    let mut parts: Vec<String> =
        path.split("__").map(|part| part.to_ascii_lowercase().replace('_', "-")).collect();
    let Some(last) = parts.pop() else {
        return;
    };
    let mut table = table;
    for part in parts {
        let entry = table.entry(part).or_insert_with(|| Value::Table(Table::new()));
        let Value::Table(inner) = entry else {
            return;
        };
        table = inner;
    }
    let parsed = format!("value = {value}").parse::<Table>().ok();
    let parsed = parsed.and_then(|mut parsed| parsed.remove("value"));
    let value = parsed.unwrap_or_else(|| Value::String(value.to_owned()));
    table.insert(last, value);
}

fn check(config: &Config) -> Result<(), String> {
    match (&config.tls_cert, &config.tls_key) {
        (Some(_), None) => return Err("tls-cert needs tls-key: the file of its key".to_owned()),
        (None, Some(_)) => {
            return Err("tls-key needs tls-cert: the file of its certificate".to_owned());
        }
        _ => {}
    }
    for rule in &config.packages {
        let known = matches!(rule.from.as_str(), "hosted" | "upstream")
            || config.upstreams.contains_key(&rule.from);
        if !known {
            return Err(format!(
                "packages {:?} come from {:?}, which is neither \"hosted\" nor \"upstream\" nor \
                 one of [upstreams]",
                rule.names, rule.from
            ));
        }
    }
    Ok(())
}

/// Returns `dx/registry` in the user's data folder.
fn default_storage(variables: &[(String, String)]) -> Result<PathBuf, String> {
    let data = variable(variables, "XDG_DATA_HOME").map(PathBuf::from);
    if let Some(folder) = data.filter(|folder| folder.is_absolute()) {
        return Ok(folder.join("dx/registry"));
    }
    let home = variable(variables, "HOME").or_else(|| variable(variables, "USERPROFILE"));
    let missing =
        || "there is no home folder to keep packages in: give --storage FOLDER".to_owned();
    Ok(PathBuf::from(home.ok_or_else(missing)?).join(".local/share/dx/registry"))
}

fn variable<'a>(variables: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let set = variables.iter().find(|(key, value)| key == name && !value.is_empty());
    set.map(|(_, value)| value.as_str())
}

fn one_line(error: &toml::de::Error) -> String {
    error.to_string().split_whitespace().collect::<Vec<_>>().join(" ")
}

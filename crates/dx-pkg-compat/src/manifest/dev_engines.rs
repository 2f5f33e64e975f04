//! `devEngines`: what a project demands of the machine of those who develop it, by npm's rules.

use dx_pkg_core::{Range, Version};
use serde_json::{Map, Value};

use super::{ManifestError, package_manager};

#[cfg(test)]
mod tests;

/// The engines that are there: for each, the names that it answers to with their versions.
#[derive(Clone, Debug, Default)]
pub struct CurrentEngines {
    /// Package managers, such as `npm` and `12.0.0`; the one that is running comes first.
    pub package_managers: Vec<(String, String)>,
    /// The version of Node.js, if there is one.
    pub node: Option<String>,
    /// The operating system, as Node.js names it.
    pub os: String,
    /// The version of its kernel, if it is known.
    pub os_version: Option<String>,
    /// The processor, as Node.js names it.
    pub cpu: String,
    /// The C library, if it is known.
    pub libc: Option<String>,
}

/// A demand that is not met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnmetEngine {
    /// The engine, such as `packageManager`.
    pub engine: String,
    /// The demand, such as `node >=30`.
    pub wanted: String,
    /// What is there, in words.
    pub found: String,
    /// Whether it is an error rather than a warning.
    pub is_error: bool,
}

/// Returns what is not met and is to be reported, in the order of the text.
pub(super) fn unmet(
    value: &Value,
    current: &CurrentEngines,
) -> Result<Vec<UnmetEngine>, ManifestError> {
    let Value::Object(engines) = value else {
        return Err(malformed("devEngines is not an object".to_owned()));
    };
    let mut unmet = Vec::new();
    for (engine, demands) in engines {
        let found = found(engine, current)?;
        let demands: Vec<&Value> = match demands {
            Value::Array(list) => list.iter().collect(),
            one => vec![one],
        };
        let read = demands.into_iter().map(|demand| Demand::read(engine, demand));
        let demands: Vec<Demand<'_>> = read.collect::<Result<_, _>>()?;
        let on_fail = demands.last().and_then(|last| last.on_fail);
        if demands.is_empty()
            || demands.iter().any(|demand| demand.is_met(engine, &found))
            || on_fail == Some("ignore")
        {
            continue;
        }
        let wanted: Vec<String> = demands.iter().map(Demand::in_words).collect();
        unmet.push(UnmetEngine {
            engine: engine.clone(),
            wanted: wanted.join(" or "),
            found: in_words(&found),
            is_error: on_fail != Some("warn"),
        });
    }
    Ok(unmet)
}

/// Names with their versions, as far as these are known.
type Found = Vec<(String, Option<String>)>;

/// Returns what is there of an engine.
fn found(engine: &str, current: &CurrentEngines) -> Result<Found, ManifestError> {
    let known = |name: &str| vec![(name.to_owned(), None)];
    Ok(match engine {
        "packageManager" => {
            let managers = current.package_managers.iter().cloned();
            managers.map(|(name, version)| (name, Some(version))).collect()
        }
        "runtime" => match &current.node {
            Some(version) => vec![("node".to_owned(), Some(version.clone()))],
            None => Vec::new(),
        },
        "os" => vec![(current.os.clone(), current.os_version.clone())],
        "cpu" => known(&current.cpu),
        "libc" => current.libc.as_deref().map(known).unwrap_or_default(),
        other => return Err(malformed(format!("devEngines has no {other:?}"))),
    })
}

fn in_words(found: &Found) -> String {
    let mut names = found.iter().map(|(name, version)| match version {
        Some(version) => format!("{name} {version}"),
        None => name.clone(),
    });
    match (names.next(), names.next()) {
        (Some(first), Some(second)) => format!("{first}, which counts as {second}"),
        (Some(only), None) => only,
        _ => "not found".to_owned(),
    }
}

/// One demand.
struct Demand<'d> {
    name: &'d str,
    version: Option<&'d str>,
    on_fail: Option<&'d str>,
}

impl<'d> Demand<'d> {
    fn read(engine: &str, value: &'d Value) -> Result<Self, ManifestError> {
        let Value::Object(fields) = value else {
            return Err(malformed(format!("devEngines.{engine} is not an object")));
        };
        if let Some(key) =
            fields.keys().find(|key| !["name", "version", "onFail"].contains(&key.as_str()))
        {
            return Err(malformed(format!("devEngines.{engine} has no {key:?}")));
        }
        let on_fail = text(engine, fields, "onFail")?;
        if let Some(word) = on_fail
            && !["ignore", "warn", "error", "download"].contains(&word)
        {
            return Err(malformed(format!("devEngines.{engine} has the onFail {word:?}")));
        }
        let Some(name) = text(engine, fields, "name")? else {
            return Err(malformed(format!("devEngines.{engine} has no name")));
        };
        Ok(Demand { name, version: text(engine, fields, "version")?, on_fail })
    }

    fn is_met(&self, engine: &str, found: &Found) -> bool {
        if engine == "packageManager" && package_manager::OTHERS.contains(&self.name) {
            return true;
        }
        let mut named = found.iter().filter(|(name, _)| name == self.name);
        let Some(wanted) = self.version else { return named.next().is_some() };
        named.any(|(_, version)| {
            let Some(version) = version.as_deref() else { return false };
            match (Range::parse(wanted), Version::parse_loose(version)) {
                (Ok(range), Ok(version)) => range.satisfies(&version),
                _ => wanted.trim_start_matches('v') == version,
            }
        })
    }

    fn in_words(&self) -> String {
        self.version.map_or_else(|| self.name.to_owned(), |range| format!("{} {range}", self.name))
    }
}

/// Returns a text of a demand.
fn text<'d>(
    engine: &str,
    fields: &'d Map<String, Value>,
    key: &str,
) -> Result<Option<&'d str>, ManifestError> {
    match fields.get(key) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(malformed(format!("{key:?} of devEngines.{engine} is not text"))),
    }
}

fn malformed(what: String) -> ManifestError {
    ManifestError::DevEngines { what }
}

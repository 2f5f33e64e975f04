//! Reading of YAML and TOML, bounded: a clone may bring any text.

use serde_json::Value;

use super::yaml::{self, Limits};
use super::{BUNFIG, HomeError};

/// The most bytes of a settings file, ten times the largest known.
const MOST_BYTES: usize = 1 << 20;
/// The limits of one in YAML.
const LIMITS: Limits = Limits { values: 100_000, depth: 64, aliases: 1000 };

/// Reads the settings file `name`. An empty one is an empty table.
///
/// # Errors
/// The text is not in the file's format, passes a limit, or is no table.
pub(super) fn parse(name: &'static str, text: &str) -> Result<Value, HomeError> {
    if text.len() > MOST_BYTES {
        let reason = format!("the file has more than {MOST_BYTES} bytes");
        return Err(HomeError::Syntax { file: name, place: String::new(), reason });
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let value = if name == BUNFIG { toml(text) } else { yaml(text) };
    match value.map_err(|(place, reason)| HomeError::Syntax { file: name, place, reason })? {
        Value::Null => Ok(Value::Object(serde_json::Map::new())),
        table @ Value::Object(_) => Ok(table),
        _ => Err(HomeError::Syntax {
            file: name,
            place: String::new(),
            reason: "settings must be keys with values".to_owned(),
        }),
    }
}

fn yaml(text: &str) -> Result<Value, (String, String)> {
    if text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) {
        return Ok(Value::Null);
    }
    yaml::parse(text, LIMITS).map_err(|fault| {
        let place = fault.line.map(|line| format!(" at line {line}"));
        (place.unwrap_or_default(), fault.reason)
    })
}

fn toml(text: &str) -> Result<Value, (String, String)> {
    toml::from_str(text).map_err(|error: toml::de::Error| {
        let line = error.span().map(|span| text[..span.start.min(text.len())].lines().count());
        let place = line.map(|line| format!(" at line {}", line.max(1)));
        (place.unwrap_or_default(), yaml::first_line(error.message()))
    })
}

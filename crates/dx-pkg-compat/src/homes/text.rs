//! Reading of YAML and TOML, bounded: a clone may bring any text.

use serde_json::Value;

use super::{BUNFIG, HomeError};

/// The most bytes of a settings file, ten times the largest known.
const MOST_BYTES: usize = 1 << 20;
/// The most values of one.
const MOST_VALUES: usize = 100_000;
/// The deepest nesting.
const DEEPEST: usize = 64;
/// The most uses of anchors. What they expand to counts as values.
const MOST_ALIASES: usize = 1000;

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
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_events: 4 * MOST_VALUES,
            max_nodes: MOST_VALUES,
            max_depth: DEEPEST,
            max_aliases: MOST_ALIASES,
            max_anchors: MOST_ALIASES,
        },
        with_snippet: false,
    };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        let place = error.location().map(|at| format!(" at line {}", at.line()));
        (place.unwrap_or_default(), first_line(&error.to_string()))
    })
}

fn toml(text: &str) -> Result<Value, (String, String)> {
    toml::from_str(text).map_err(|error: toml::de::Error| {
        let line = error.span().map(|span| text[..span.start.min(text.len())].lines().count());
        let place = line.map(|line| format!(" at line {}", line.max(1)));
        (place.unwrap_or_default(), first_line(error.message()))
    })
}

/// Returns the first line of a message: what follows may show the file.
fn first_line(message: &str) -> String {
    message.lines().next().unwrap_or_default().to_owned()
}

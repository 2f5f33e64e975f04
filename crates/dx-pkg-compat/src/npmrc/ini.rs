//! The INI dialect of npm's configuration files.
//!
//! Rules: `;` and `#` start comments, at the start of a line or unescaped in an unquoted value;
//! double quotes hold a JSON string; single quotes are dropped and their content is read as JSON
//! where it is JSON; `\;`, `\#` and `\\` are escapes; `key[]` collects a list; a key without `=` is
//! true. Lines after a `[section]` belong to that section and are no settings.

use super::value::RawValue;

/// Parses the settings of a file in the order of first appearance; a repeated key replaces.
pub(super) fn parse(text: &str) -> Vec<(String, RawValue)> {
    let mut settings: Vec<(String, RawValue)> = Vec::new();
    for (key, value) in lines(text).filter_map(setting) {
        store(&mut settings, key, value);
    }
    settings
}

/// Returns the lines of a file that are neither comments nor belong to a section.
pub(super) fn lines(text: &str) -> impl Iterator<Item = &str> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let is_comment = |line: &&str| {
        let start = line.trim_start();
        start.is_empty() || start.starts_with([';', '#'])
    };
    // Every line after a section's name is of a section: there is no way back to the top level.
    text.split(['\r', '\n'])
        .filter(move |line| !is_comment(line))
        .take_while(|line| !is_section(line))
}

/// Returns the key that a line sets.
pub(super) fn key(line: &str) -> Option<String> {
    let (key, _) = setting(line)?;
    let name = key.strip_suffix("[]").filter(|name| !name.is_empty());
    Some(name.map(str::to_owned).unwrap_or(key))
}

/// Returns the number of the first line that gives a setting a value.
pub(super) fn line_of(text: &str, key: &str) -> Option<usize> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    text.lines()
        .position(|line| {
            let is_written =
                |(own, _): (String, RawValue)| own.strip_suffix("[]").unwrap_or(&own) == key;
            !line.trim_start().starts_with([';', '#']) && setting(line).is_some_and(is_written)
        })
        .map(|position| position + 1)
}

pub(super) fn is_section(line: &str) -> bool {
    let header = line.trim_end().strip_prefix('[');
    header.and_then(|rest| rest.find(']').map(|end| end + 1 == rest.len())) == Some(true)
}

fn setting(line: &str) -> Option<(String, RawValue)> {
    let (key, value) = match line.split_once('=') {
        Some(("", _)) => return None,
        Some((key, value)) => (key, RawValue::from_ini(&unquote(value))),
        None => (line, RawValue::Bool(true)),
    };
    Some((unquote(key), value))
}

fn store(settings: &mut Vec<(String, RawValue)>, key: String, value: RawValue) {
    let (key, appends) = match key.strip_suffix("[]") {
        Some(name) if !name.is_empty() => (name.to_owned(), true),
        _ => (key, false),
    };
    let existing = settings.iter_mut().find(|(name, _)| *name == key);
    match (existing, appends) {
        // Once a list, a key without brackets adds to it as well.
        (Some((_, RawValue::List(list))), _) => list.extend(value.text()),
        (Some((_, single)), true) => {
            let both = [single.text(), value.text()];
            *single = RawValue::List(both.into_iter().flatten().collect());
        }
        (Some((_, single)), false) => *single = value,
        (None, true) => settings.push((key, RawValue::List(value.text().into_iter().collect()))),
        (None, false) => settings.push((key, value)),
    }
}

/// Removes quotes, escapes and a trailing comment.
fn unquote(text: &str) -> String {
    let text = text.trim();
    let quoted = |quote| text.starts_with(quote) && text.ends_with(quote);
    if quoted('\'') {
        let inner = text.get(1..text.len().max(2) - 1).unwrap_or_default();
        return json_string(inner).unwrap_or_else(|| inner.to_owned());
    }
    if quoted('"') {
        return json_string(text).unwrap_or_else(|| text.to_owned());
    }
    unescape(text)
}

fn json_string(text: &str) -> Option<String> {
    serde_json::from_str(text).ok()
}

fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            ';' | '#' => break,
            '\\' => match characters.next() {
                Some(escaped @ ('\\' | ';' | '#')) => plain.push(escaped),
                Some(other) => plain.extend(['\\', other]),
                None => plain.push('\\'),
            },
            other => plain.push(other),
        }
    }
    plain.trim().to_owned()
}

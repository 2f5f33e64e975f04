//! Paths into JSON as `npm pkg` reads them: `scripts.test`, `contributors[0].name`,
//! `exports[./x]`, `keywords[]`.
//!
//! A dot separates keys; what stands in brackets is one key, dots included; empty brackets stand
//! for the end of a list.

use serde_json::{Map, Value};

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Key(String),
    /// The end of a list.
    Append,
}

/// A path that cannot be followed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// Empty brackets where a value is read.
    #[error("{path:?} has empty brackets, which stand for a new item of a list")]
    Empty {
        /// The path.
        path: String,
    },
    /// A key that JavaScript gives a meaning.
    #[error("the key {key:?} is not allowed")]
    Forbidden {
        /// The key.
        key: String,
    },
    /// Empty brackets after what is no list.
    #[error("{path:?} adds an item to what is no list")]
    NotAList {
        /// The path.
        path: String,
    },
    /// A value in the way that is neither a list nor an object.
    #[error("{path:?} leads through {key:?}, which is neither a list nor an object")]
    NotAnObject {
        /// The path.
        path: String,
        /// The key of the value in the way.
        key: String,
    },
    /// A member of a list.
    #[error("{path:?} names a member of {key:?}, which is a list")]
    MemberOfList {
        /// The path.
        path: String,
        /// The key of the list.
        key: String,
    },
}

/// Returns the steps of a path.
fn steps(path: &str) -> Vec<Step> {
    let mut found = Vec::new();
    bracketed(path.trim(), &mut found);
    found
}

/// Reads keys in brackets, the last ones first, and what is around them.
fn bracketed(text: &str, found: &mut Vec<Step>) {
    let Some((before, key, after)) = last_brackets(text) else {
        appended(text, found);
        return;
    };
    bracketed(before, found);
    found.push(Step::Key(key.to_owned()));
    if !after.is_empty() {
        bracketed(after, found);
    }
}

/// Splits a text at its last brackets that are not empty.
fn last_brackets(text: &str) -> Option<(&str, &str, &str)> {
    let opening = text.char_indices().rev().filter(|(at, c)| *c == '[' && *at > 0);
    for (at, _) in opening {
        let inside = &text[at + 1..];
        let Some(end) = inside.find(']').filter(|end| *end > 0) else { continue };
        let after = &inside[end + 1..];
        return Some((&text[..at], &inside[..end], after.strip_prefix('.').unwrap_or(after)));
    }
    None
}

/// Reads empty brackets, the last ones first, and the keys around them.
fn appended(text: &str, found: &mut Vec<Step>) {
    let Some(at) = text.rfind("[]") else {
        found.extend(text.split('.').map(|key| Step::Key(key.to_owned())));
        return;
    };
    let after = &text[at + 2..];
    if at > 0 {
        appended(&text[..at], found);
    }
    found.push(Step::Append);
    let after = after.strip_prefix('.').unwrap_or(after);
    if !after.is_empty() {
        found.extend(after.split('.').map(|key| Step::Key(key.to_owned())));
    }
}

/// Returns a key as the number that JavaScript takes it for.
fn number(key: &str) -> Option<f64> {
    let key = key.trim();
    if key.is_empty() {
        return Some(0.0);
    }
    let is_decimal = |c: char| c.is_ascii_digit() || matches!(c, '.' | '-' | '+' | 'e' | 'E');
    if key.chars().all(is_decimal) {
        return key.parse().ok();
    }
    let hexadecimal = key.strip_prefix("0x").or_else(|| key.strip_prefix("0X"))?;
    #[allow(clippy::cast_precision_loss, reason = "JavaScript has no other numbers")]
    u64::from_str_radix(hexadecimal, 16).ok().map(|number| number as f64)
}

/// Returns a key as a position in a list, if it is written as one.
fn position(key: &str) -> Option<usize> {
    let is_plain = key == "0" || !key.starts_with('0') && key.bytes().all(|b| b.is_ascii_digit());
    if is_plain { key.parse().ok() } else { None }
}

/// Returns what is at a path: names with values, none of what is not there. A key that is no
/// position, behind a list, is looked up in each of its items; `None` stands for an item without.
///
/// # Errors
/// Empty brackets.
pub fn get(data: &Value, path: &str) -> Result<Vec<(String, Option<Value>)>, PathError> {
    let mut at = data;
    let mut label = String::new();
    let mut steps = steps(path).into_iter();
    while let Some(step) = steps.next() {
        let Step::Key(key) = step else { return Err(PathError::Empty { path: path.to_owned() }) };
        let is_position = number(&key).is_some_and(|number| number.fract() == 0.0);
        if let Value::Array(items) = at
            && !is_position
        {
            let item = |(index, item): (usize, &Value)| {
                let found = match item {
                    Value::String(text) => of_text(text, &key),
                    item => item.get(&key).cloned(),
                };
                (format!("{label}[{index}].{key}"), found)
            };
            return Ok(items.iter().enumerate().map(item).collect());
        }
        let next = match at {
            Value::Object(members) => members.get(&key),
            Value::Array(items) => position(&key).and_then(|index| items.get(index)),
            Value::String(text) => {
                let found = of_text(text, &key).filter(|_| steps.len() == 0);
                return Ok(found.into_iter().map(|value| (path.to_owned(), Some(value))).collect());
            }
            _ => None,
        };
        let Some(next) = next else { return Ok(Vec::new()) };
        at = next;
        label.push_str(&key);
    }
    Ok(vec![(path.to_owned(), Some(at.clone()))])
}

/// Returns what JavaScript has at a key of a text: its length in UTF-16, or one unit of it.
fn of_text(text: &str, key: &str) -> Option<Value> {
    if key == "length" {
        return Some(text.encode_utf16().count().into());
    }
    let unit = text.encode_utf16().nth(position(key)?)?;
    Some(String::from_utf16_lossy(&[unit]).into())
}

/// Puts a value at a path, and makes what is missing on the way there. With `force`, what is in the
/// way is replaced.
///
/// # Errors
/// A path that leads through something else than lists and objects.
pub fn set(data: &mut Value, path: &str, value: Value, force: bool) -> Result<(), PathError> {
    put(data, &steps(path), Some(value), path, force)
}

/// Removes what is at a path.
///
/// # Errors
/// As [`set`].
pub fn remove(data: &mut Value, path: &str) -> Result<(), PathError> {
    put(data, &steps(path), None, path, false)
}

/// Follows one step; without a value, removes.
fn put(
    data: &mut Value,
    steps: &[Step],
    value: Option<Value>,
    path: &str,
    force: bool,
) -> Result<(), PathError> {
    let Some((first, rest)) = steps.split_first() else { return Ok(()) };
    let index = match first {
        Step::Append => None,
        Step::Key(key) if matches!(key.as_str(), "__proto__" | "constructor" | "prototype") => {
            return Err(PathError::Forbidden { key: key.clone() });
        }
        Step::Key(key) => number(key),
    };
    let is_of_list = index.is_some() || *first == Step::Append;
    let is_empty = match data {
        Value::Object(members) => members.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => true,
    };
    if is_of_list && is_empty && !data.is_array() {
        *data = Value::Array(Vec::new());
    }
    if force
        && !is_of_list
        && let Value::Array(items) = data
    {
        let members = std::mem::take(items).into_iter().enumerate();
        *data = members.map(|(index, item)| (index.to_string(), item)).collect();
    }
    let key = match (first, &data) {
        (Step::Append, Value::Array(items)) => items.len().to_string(),
        (Step::Append, _) => return Err(PathError::NotAList { path: path.to_owned() }),
        (Step::Key(_), _) if index.is_some() => shown(index.unwrap_or_default()),
        (Step::Key(key), _) => key.clone(),
    };
    if rest.is_empty() {
        return put_here(data, &key, value, path);
    }
    let mut next = child(data, &key).cloned().unwrap_or_default();
    if !force && value.is_some() {
        if !next.is_null() && !next.is_object() && !next.is_array() {
            return Err(PathError::NotAnObject { path: path.to_owned(), key });
        }
        let is_member = matches!(&rest[0], Step::Key(key) if number(key).is_none());
        if next.is_array() && is_member {
            return Err(PathError::MemberOfList { path: path.to_owned(), key });
        }
    }
    if !next.is_object() && !next.is_array() {
        next = Value::Object(Map::new());
    }
    put(&mut next, rest, value, path, force)?;
    put_here(data, &key, Some(next), path)
}

fn child<'v>(data: &'v Value, key: &str) -> Option<&'v Value> {
    match data {
        Value::Object(members) => members.get(key),
        Value::Array(items) => position(key).and_then(|index| items.get(index)),
        _ => None,
    }
}

/// Puts a value into a list or an object, or removes one.
fn put_here(
    data: &mut Value,
    key: &str,
    value: Option<Value>,
    path: &str,
) -> Result<(), PathError> {
    /// A list is not made longer than this by the number of an item.
    const LONGEST: usize = 10_000;
    match (data, value) {
        (Value::Array(items), Some(value)) => match position(key).filter(|at| *at < LONGEST) {
            Some(at) => {
                if at >= items.len() {
                    items.resize(at + 1, Value::Null);
                }
                items[at] = value;
            }
            // JavaScript hangs it on the list, from where it does not get into JSON.
            None => return Err(PathError::MemberOfList { path: path.to_owned(), key: key.into() }),
        },
        (Value::Array(items), None) => {
            if let Some(at) = position(key).filter(|at| *at < items.len()) {
                items.remove(at);
            }
        }
        (Value::Object(members), Some(value)) => {
            members.insert(key.to_owned(), value);
        }
        (Value::Object(members), None) => {
            members.shift_remove(key);
        }
        _ => {}
    }
    Ok(())
}

/// Returns a number as JavaScript writes it as a key.
fn shown(number: f64) -> String {
    if number.fract() == 0.0 { format!("{number:.0}") } else { number.to_string() }
}

#[cfg(test)]
mod tests;

//! Members of a document by npm's paths: `dist.tarball`, `time[1.0.0]`, `maintainers[0].name`.

use serde_json::{Map, Value};

use super::QuestionError;

/// Members by the names that they are shown under. The value of a member that is not there can
/// only be asked for by its list.
pub(super) type Found = Vec<(String, Option<Value>)>;

/// Returns the members of `data` that a path names: none where there is no such member. A name
/// behind a list stands for that member of each of its items. With `unwraps`, a list of one item
/// is that item.
///
/// # Errors
/// Empty brackets, which stand for a new item.
pub(super) fn members(
    data: &Map<String, Value>,
    path: &str,
    unwraps: bool,
) -> Result<Found, QuestionError> {
    let mut value: Option<Value> = None;
    let mut label = String::new();
    for (at, key) in keys(path)?.into_iter().enumerate() {
        let next = match &value {
            None if at == 0 => data.get(&key).cloned(),
            Some(Value::Array(items)) if !is_integer(&key) => {
                let each = items.iter().enumerate().map(|(place, item)| {
                    (format!("{label}[{place}].{key}"), item.get(&key).cloned())
                });
                return Ok(each.collect());
            }
            Some(Value::Array(items)) => place(&key).and_then(|place| items.get(place)).cloned(),
            Some(Value::Object(members)) => members.get(&key).cloned(),
            Some(Value::String(text)) => {
                let letter = place(&key).and_then(|place| text.chars().nth(place));
                letter.map(|letter| letter.to_string().into())
            }
            _ => None,
        };
        match next {
            Some(found) => value = Some(found),
            None => return Ok(Vec::new()),
        }
        label.push_str(&key);
    }
    if let Some(Value::Array(items)) = &mut value
        && unwraps
        && items.len() <= 1
    {
        value = items.pop();
    }
    Ok(vec![(path.to_owned(), value)])
}

/// Returns the keys of a path. What stands in brackets is one key, dots and all.
fn keys(path: &str) -> Result<Vec<String>, QuestionError> {
    let mut keys = Vec::new();
    let trimmed = path.trim();
    let mut rest = trimmed;
    while let Some((before, inner, after)) = bracket(rest) {
        add_names(&mut keys, before);
        keys.push(inner.to_owned());
        rest = after.strip_prefix('.').unwrap_or(after);
        if rest.is_empty() {
            return Ok(keys);
        }
    }
    if let Some(list) = rest.strip_suffix("[]") {
        let list = trimmed.strip_suffix("[]").unwrap_or(list).to_owned();
        return Err(QuestionError::EmptyBrackets { field: path.to_owned(), list });
    }
    add_names(&mut keys, rest);
    Ok(keys)
}

/// Returns what is before, in and behind the first brackets that have anything in them and before
/// them.
fn bracket(text: &str) -> Option<(&str, &str, &str)> {
    let mut from = 0;
    loop {
        let open = from + text[from..].find('[')?;
        let close = open + text[open..].find(']')?;
        if open > 0 && close > open + 1 {
            return Some((&text[..open], &text[open + 1..close], &text[close + 1..]));
        }
        from = open + 1;
    }
}

fn add_names(keys: &mut Vec<String>, text: &str) {
    keys.extend(text.split('.').map(str::to_owned));
}

/// Returns whether a key is a number for JavaScript, and a whole one.
fn is_integer(key: &str) -> bool {
    let key = key.trim();
    key.is_empty() || key.parse::<i64>().is_ok()
}

/// Returns the place in a list that a key names.
fn place(key: &str) -> Option<usize> {
    let place: usize = key.parse().ok()?;
    (place.to_string() == key).then_some(place)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn paths_lead_to_members() {
        let data = json!({
            "name": "a", "time": { "1.0.0": "then" }, "one": [{ "n": 1 }], "none": [],
            "two": [{ "n": 1 }, { "m": 2 }], "versions": ["1.0.0", "2.0.0"], "a": { "b": { "c": 3 } }
        });
        let data = data.as_object().unwrap();
        let found = |path: &str, unwraps| members(data, path, unwraps).unwrap();
        let one = |path: &str, value: Value| vec![(path.to_owned(), Some(value))];
        assert_eq!(found("time[1.0.0]", true), one("time[1.0.0]", json!("then")));
        assert_eq!(found("a.b.c", true), one("a.b.c", json!(3)));
        assert_eq!(found("a[b].c", true), one("a[b].c", json!(3)));
        assert_eq!(found("versions[1]", true), one("versions[1]", json!("2.0.0")));
        assert_eq!(found("versions.0", true), one("versions.0", json!("1.0.0")));
        assert_eq!(found("one", true), one("one", json!({ "n": 1 })));
        assert_eq!(found("one", false), one("one", json!([{ "n": 1 }])));
        assert_eq!(found("none", true), [("none".to_owned(), None)]);
        let each = [("two[0].n".to_owned(), Some(json!(1))), ("two[1].n".to_owned(), None)];
        assert_eq!(found("two.n", true), each);
        assert_eq!(found("name[0]", true), one("name[0]", json!("a")));
        for nothing in ["gone", "a.x", "a.b.c.d", "versions[9]", "versions[-1]", "time.1.0.0"] {
            assert_eq!(found(nothing, true), [], "{nothing}");
        }
        assert!(members(data, "versions[]", true).is_err());
    }
}

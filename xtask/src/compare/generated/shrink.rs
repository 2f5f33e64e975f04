//! Making a project that dx resolves differently smaller, as long as it is resolved differently.

use super::Oracle;
use crate::dx;
use serde_json::Value;

/// The beginning of a smaller project's label.
pub(super) const LABEL: &str = "smaller ";

/// The fields that npm's script adds to each state.
const ANSWERS: [&str; 6] = ["lock", "inert", "stable", "refused", "error", "written"];
/// Members without which a manifest or packument is none.
const NEEDED: [&str; 6] = ["name", "version", "dist", "dist-tags", "time", "versions"];

/// The project with this label, without npm's answers.
pub(super) fn case(corpus: &str, label: &str) -> Result<Value, String> {
    let seed: Option<u64> = label.strip_prefix("seed ").and_then(|seed| seed.parse().ok());
    let mut cases = corpus.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let found = cases.find(|case| case["seed"].as_u64() == seed);
    let mut case = found.ok_or_else(|| format!("{label} is not in the corpus"))?;
    for step in case["steps"].as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut)
    {
        step.retain(|key, _| !ANSWERS.contains(&key.as_str()));
    }
    Ok(case)
}

/// The smallest project found, with npm's answers, in one line.
pub(super) fn shrink(oracle: &Oracle, mut case: Value) -> Result<String, String> {
    loop {
        let removals = removals(&case);
        let single: Vec<Value> = removals.iter().map(|path| without(&case, &[path])).collect();
        let alone = differing(oracle, &single)?;
        if alone.is_empty() {
            return answered(oracle, &case);
        }
        let good: Vec<&Vec<String>> = alone.iter().map(|index| &removals[*index]).collect();
        let mut size = good.len();
        let mut together = Vec::new();
        while size > 1 {
            together.extend(good.chunks(size).map(|paths| without(&case, paths)));
            size /= 2;
        }
        let joint = differing(oracle, &together)?;
        case = match joint.first() {
            Some(index) => together.swap_remove(*index),
            None => without(&case, &good[..1]),
        };
    }
}

/// Returns the projects that are still resolved differently.
fn differing(oracle: &Oracle, cases: &[Value]) -> Result<Vec<usize>, String> {
    if cases.is_empty() {
        return Ok(Vec::new());
    }
    let corpus = oracle.projects(&["--cases", &written(oracle, cases)?], "smaller.jsonl")?;
    let (found, _) = Oracle::differences(&corpus)?;
    let mut indices: Vec<usize> =
        found.keys().filter_map(|label| label.strip_prefix(LABEL)?.trim().parse().ok()).collect();
    indices.sort_unstable();
    Ok(indices)
}

fn answered(oracle: &Oracle, case: &Value) -> Result<String, String> {
    let corpus = oracle
        .projects(&["--cases", &written(oracle, std::slice::from_ref(case))?], "smallest.jsonl")?;
    crate::workspace::read(&corpus)
}

/// Writes the projects, labelled by their position, and returns the file's path.
fn written(oracle: &Oracle, cases: &[Value]) -> Result<String, String> {
    let mut text = String::new();
    for (index, case) in cases.iter().enumerate() {
        let mut case = case.clone();
        case["label"] = format!("{LABEL}{index}").into();
        text.push_str(&case.to_string());
        text.push('\n');
    }
    let path = oracle.place.join("cases.jsonl");
    dx::write(&path, &text)?;
    Ok(path.display().to_string())
}

/// The paths of what can be taken away, the largest first.
fn removals(case: &Value) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    let steps = case["steps"].as_array().map_or(0, Vec::len);
    if steps > 1 {
        found.extend((0..steps).map(|index| vec!["steps".to_owned(), index.to_string()]));
    }
    for (name, packument) in case["registry"].as_object().into_iter().flatten() {
        let path = vec!["registry".to_owned(), name.clone()];
        found.push(path.clone());
        let versions = packument["versions"].as_object();
        let several = versions.is_some_and(|versions| versions.len() > 1);
        for (version, manifest) in versions.into_iter().flatten() {
            let path = [&path[..], &["versions".to_owned(), version.clone()]].concat();
            found.extend(several.then(|| path.clone()));
            members(manifest, &path, &mut found);
        }
    }
    for (folder, manifest) in case["folders"].as_object().into_iter().flatten() {
        let path = vec!["folders".to_owned(), folder.clone()];
        found.push(path.clone());
        members(manifest, &path, &mut found);
    }
    for step in case["steps"].as_array().into_iter().flatten() {
        members(&step["root"], &["root".to_owned()], &mut found);
    }
    for option in
        case["options"].as_object().into_iter().flatten().filter(|(_, value)| value.is_boolean())
    {
        found.push(vec!["options".to_owned(), option.0.clone()]);
    }
    found.sort_by_key(Vec::len);
    found.dedup();
    found
}

/// The members of a manifest, and theirs.
fn members(value: &Value, path: &[String], found: &mut Vec<Vec<String>>) {
    for (key, value) in
        value.as_object().into_iter().flatten().filter(|(key, _)| !NEEDED.contains(&key.as_str()))
    {
        let path = [path, std::slice::from_ref(key)].concat();
        found.push(path.clone());
        members(value, &path, found);
    }
}

/// The project without what lies at these paths; `root` is that of every state.
fn without(case: &Value, paths: &[impl AsRef<[String]>]) -> Value {
    let mut case = case.clone();
    // From the end on, so that positions stay what they were.
    for path in paths.iter().rev().map(AsRef::as_ref) {
        if let [first, rest @ ..] = path
            && first == "root"
        {
            for step in case["steps"].as_array_mut().into_iter().flatten() {
                remove(&mut step["root"], rest);
            }
        } else {
            remove(&mut case, path);
        }
    }
    for packument in
        case["registry"].as_object_mut().into_iter().flatten().map(|(_, packument)| packument)
    {
        let versions: Vec<String> = packument["versions"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(version, _)| version.clone())
            .collect();
        for tag in packument["dist-tags"].as_object_mut().into_iter().flatten().map(|(_, tag)| tag)
        {
            if !versions.iter().any(|version| *tag == version.as_str()) {
                *tag = versions.last().cloned().into();
            }
        }
    }
    case
}

fn remove(value: &mut Value, path: &[String]) {
    match (path, value) {
        ([last], Value::Object(members)) => drop(members.remove(last)),
        ([last], Value::Array(items)) => {
            if let Some(index) = last.parse::<usize>().ok().filter(|index| *index < items.len()) {
                items.remove(index);
            }
        }
        ([first, rest @ ..], Value::Object(members)) => {
            if let Some(inner) = members.get_mut(first) {
                remove(inner, rest);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::{case, removals, without};
    use serde_json::{Value, json};

    fn example() -> Value {
        json!({
            "seed": 7,
            "options": {"legacyPeerDeps": true, "nodeVersion": "v24.0.0"},
            "registry": {"a": {
                "dist-tags": {"latest": "2.0.0"},
                "versions": {"1.0.0": {"name": "a", "version": "1.0.0"}, "2.0.0": {"dependencies": {"b": "1"}}},
            }},
            "folders": {},
            "steps": [{"root": {"name": "p", "dependencies": {"a": "1"}}, "lock": {}}],
        })
    }

    #[test]
    fn everything_that_a_project_can_do_without_is_found() {
        let found: Vec<String> = removals(&example()).iter().map(|path| path.join(" ")).collect();
        assert_eq!(
            found,
            [
                "registry a",
                "root dependencies",
                "options legacyPeerDeps",
                "root dependencies a",
                "registry a versions 1.0.0",
                "registry a versions 2.0.0",
                "registry a versions 2.0.0 dependencies",
                "registry a versions 2.0.0 dependencies b",
            ]
        );
    }

    #[test]
    fn what_is_taken_away_leaves_a_whole_project() {
        let path = |text: &str| -> Vec<String> { text.split(' ').map(str::to_owned).collect() };
        let smaller =
            without(&example(), &[path("registry a versions 2.0.0"), path("root dependencies a")]);
        assert_eq!(smaller["registry"]["a"]["dist-tags"], json!({"latest": "1.0.0"}));
        assert_eq!(smaller["steps"][0]["root"], json!({"name": "p", "dependencies": {}}));
    }

    #[test]
    fn answers_are_asked_for_anew() {
        let found = case(&example().to_string(), "seed 7").unwrap();
        assert!(found["steps"][0].get("lock").is_none());
        assert!(case(&example().to_string(), "seed 8").is_err());
    }
}

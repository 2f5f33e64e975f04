//! `allowScripts`: the packages whose scripts may or must not run, as npm understands the keys.

use dx_pkg_core::{Spec, Version};
use serde_json::Value;

/// The rules about scripts, and what of them is not understood.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowScripts {
    /// A name, or a name with one exact version, and whether its scripts may run.
    pub rules: Vec<(String, bool)>,
    /// What counts for nothing, each with the reason, in words.
    pub ignored: Vec<String>,
}

impl AllowScripts {
    /// Reads the field of a manifest.
    pub(super) fn read(value: Option<&Value>) -> Self {
        let mut read = AllowScripts::default();
        match value {
            None | Some(Value::Null | Value::Bool(false)) => {}
            Some(Value::Object(entries)) => {
                for (key, verdict) in entries {
                    match verdict.as_bool() {
                        Some(verdict) => read.add(key, verdict),
                        None => read.ignored.push(format!(
                            "{key:?} has the value {verdict}, where true or false must stand"
                        )),
                    }
                }
            }
            Some(_) => read
                .ignored
                .push("it must be an object of package names, each with true or false".to_owned()),
        }
        read
    }

    /// Adds the rules of one key: a name, `name@*`, or a name with exact versions joined by `||`.
    /// npm takes no range and no tag: they would allow versions that nobody has looked at.
    pub fn add(&mut self, key: &str, verdict: bool) {
        let argument = Spec::parse_argument(key).ok();
        let Some((name, raw, spec)) =
            argument.and_then(|read| Some((read.name?, read.raw, read.spec)))
        else {
            // A folder, a tarball, a repository: npm compares it with where the package is from.
            self.rules.push((key.to_owned(), verdict));
            return;
        };
        let mut with_versions = |versions: Vec<Version>| {
            let keys = versions.into_iter().map(|version| format!("{name}@{version}"));
            self.rules.extend(keys.map(|key| (key, verdict)));
        };
        let exact = |text: &str| Version::parse_loose(text.trim()).ok();
        match spec {
            Spec::Range(range) if range.is_any() => {
                self.rules.push((name.as_str().to_owned(), verdict));
            }
            Spec::Version(version) => with_versions(vec![version]),
            Spec::Range(_) => match raw.split("||").map(exact).collect::<Option<Vec<_>>>() {
                Some(versions) => with_versions(versions),
                None => self.ignored.push(format!(
                    "{key:?} has a range; write exact versions joined by ||, or the name alone"
                )),
            },
            Spec::Tag(_) => self.ignored.push(format!(
                "{key:?} has a tag; write exact versions joined by ||, or the name alone"
            )),
            _ => self.rules.push((key.to_owned(), verdict)),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rules(value: Value) -> (Vec<String>, usize) {
        let read = AllowScripts::read(Some(&value));
        let keys = read.rules.into_iter().map(|(key, verdict)| format!("{key} {verdict}"));
        (keys.collect(), read.ignored.len())
    }

    #[test]
    fn keys_are_names_with_exact_versions_at_most() {
        for (key, expected) in [
            ("a", vec!["a true"]),
            ("a@*", vec!["a true"]),
            ("@s/a@1.0.0", vec!["@s/a@1.0.0 true"]),
            ("a@v1.0.0", vec!["a@1.0.0 true"]),
            ("a@1.0.0 || 2.0.0", vec!["a@1.0.0 true", "a@2.0.0 true"]),
            ("file:../a", vec!["file:../a true"]),
        ] {
            let expected = expected.into_iter().map(str::to_owned).collect();
            assert_eq!(rules(json!({ key: true })), (expected, 0), "{key}");
        }
        for key in ["a@^1.0.0", "a@1", "a@>=1", "a@1.0.0 || ^2", "a@latest"] {
            assert_eq!(rules(json!({ key: true })), (Vec::new(), 1), "{key}");
        }
    }

    #[test]
    fn values_are_true_or_false() {
        let read = rules(json!({ "a": "true", "b": 1, "c": null, "d": false, "e": ["1.0.0"] }));
        assert_eq!(read, (vec!["d false".to_owned()], 4));
        for value in [json!(["a"]), json!("a"), json!(true)] {
            assert_eq!(rules(value), (Vec::new(), 1));
        }
        assert_eq!(rules(json!(null)), (Vec::new(), 0));
    }
}

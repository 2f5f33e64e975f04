//! Patterns for the names of scripts: `build:*`, `build:**` and `/expression/`.

use dx_pkg_compat::glob::{Segment, expand};
use dx_pkg_install::scripts::ScriptPackage;
use regex_lite::RegexBuilder;

use crate::RunError;

/// Returns the names of the scripts that are meant by `name`, in the order of `package.json`: the
/// script of that name, else those that it is a pattern for. None where there is no such script.
pub(crate) fn scripts_for(package: &ScriptPackage, name: &str) -> Result<Vec<String>, RunError> {
    if package.has_script(name) {
        return Ok(vec![name.to_owned()]);
    }
    let names = package.manifest.scripts.iter().map(|(name, _)| name);
    if let Some(expression) = expression(name)? {
        return Ok(names.filter(|name| expression.is_match(name)).cloned().collect());
    }
    if !is_glob(name) {
        return Ok(Vec::new());
    }
    let alternatives: Vec<Vec<Segment>> = expand(name)
        .unwrap_or_default()
        .iter()
        .map(|pattern| pattern.split(':').map(Segment::parse).collect())
        .collect();
    let is_match = |name: &&String| {
        let parts: Vec<&str> = name.split(':').collect();
        alternatives.iter().any(|pattern| matches(pattern, &parts))
    };
    Ok(names.filter(is_match).cloned().collect())
}

/// Returns whether a name can be a pattern with wildcards.
fn is_glob(name: &str) -> bool {
    name.contains(['*', '?', '{', '['])
}

/// Returns the expression that a name between slashes is; the letters behind the last slash are
/// its flags.
fn expression(name: &str) -> Result<Option<regex_lite::Regex>, RunError> {
    let Some((text, flags)) = name.strip_prefix('/').and_then(|rest| rest.rsplit_once('/')) else {
        return Ok(None);
    };
    let wrong = |reason: String| RunError::Pattern { pattern: name.to_owned(), reason };
    if let Some(flag) = flags.chars().find(|flag| !matches!(flag, 'i' | 's' | 'u')) {
        return Err(wrong(format!("the flag {flag} is not known")));
    }
    let mut builder = RegexBuilder::new(text);
    builder.case_insensitive(flags.contains('i')).dot_matches_new_line(flags.contains('s'));
    builder.build().map(Some).map_err(|error| wrong(error.to_string()))
}

/// Returns whether a pattern matches all parts of a name; `**` stands for one part or more.
fn matches(pattern: &[Segment], parts: &[&str]) -> bool {
    match (pattern.split_first(), parts.split_first()) {
        (None, None) => true,
        (Some((Segment::Any, rest)), Some((_, deeper))) => {
            matches(rest, deeper) || matches(pattern, deeper)
        }
        (Some((segment, rest)), Some((part, deeper))) => {
            segment.matches(part, true) && matches(rest, deeper)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use dx_pkg_compat::manifest::Manifest;

    use super::*;

    #[test]
    fn patterns_name_scripts_in_the_order_of_the_manifest() {
        let manifest = r#"{ "scripts": { "build:a": "", "test": "", "build:b": "", "build": "",
            "build:b:c": "", "lint": "", "a*": "" } }"#;
        let manifest = Manifest::parse(manifest).unwrap();
        let package = ScriptPackage { folder: "/".into(), manifest };
        for (pattern, expected) in [
            ("build", "build"),
            ("build:*", "build:a build:b"),
            ("build:**", "build:a build:b build:b:c"),
            ("build:{a,c}", "build:a"),
            ("*", "test build lint a*"),
            ("a*", "a*"),
            ("l?nt", "lint"),
            ("/^build/", "build:a build:b build build:b:c"),
            ("/^BUILD:.$/i", "build:a build:b"),
            ("/t$/", "test lint"),
            ("none:*", ""),
            ("buil", ""),
        ] {
            assert_eq!(scripts_for(&package, pattern).unwrap().join(" "), expected, "{pattern}");
        }
        for wrong in ["/(/", "/a/x"] {
            assert!(
                matches!(scripts_for(&package, wrong), Err(RunError::Pattern { .. })),
                "{wrong}"
            );
        }
    }
}

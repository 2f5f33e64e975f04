//! Misspelt names of fields. Tools keep settings of their own in a manifest, so only what is close
//! to the name of a field that changes an install, and holds what such a field does, counts.

use serde_json::Value;

use crate::known::{Known, PACKAGE_JSON, Treatment};

/// Fields that change an install, and that a misspelling of does no harm to, or whose names are
/// close to those that tools use.
const HARMLESS: [&str; 6] =
    ["config", "funding", "gypfile", "hasInstallScript", "license", "private"];
/// The shortest name that is told apart from another by two letters.
const LONG: usize = 8;

/// Returns the field that is meant by a name that is no field's.
pub(super) fn meant(key: &str, value: &Value) -> Option<&'static str> {
    let is_filled = match value {
        Value::Object(map) => !map.is_empty(),
        Value::Array(list) => !list.is_empty(),
        _ => false,
    };
    if !is_filled || key.len() < 6 {
        return None;
    }
    let plain = plain(key);
    let matters = |row: &&Known| {
        row.treatment != Treatment::Idle && row.key.len() >= 6 && !HARMLESS.contains(&row.key)
    };
    let rows = PACKAGE_JSON.iter().filter(matters);
    let distances = rows.map(|row| {
        let own = self::plain(row.key);
        (strsim::osa_distance(&plain, &own), own.len(), row.key)
    });
    let (distance, length, meant) = distances.min()?;
    (distance <= if length > LONG { 2 } else { 1 }).then_some(meant)
}

/// Returns a name in small letters, without what joins words.
fn plain(name: &str) -> String {
    let letters = name.chars().filter(|letter| !matches!(letter, '-' | '_' | ' '));
    letters.collect::<String>().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_close_to_a_field_are_misspelt() {
        for (key, expected) in [
            ("dependancies", "dependencies"),
            ("dependecies", "dependencies"),
            ("Dependencies", "dependencies"),
            ("devDependecies", "devDependencies"),
            ("devdependencies", "devDependencies"),
            ("dev-dependencies", "devDependencies"),
            ("peerDependenciesmeta", "peerDependenciesMeta"),
            ("peerDependencyMeta", "peerDependenciesMeta"),
            ("optionalDependancies", "optionalDependencies"),
            ("overides", "overrides"),
            ("override", "overrides"),
            ("resolution", "resolutions"),
            ("workspace", "workspaces"),
            ("script", "scripts"),
            ("engine", "engines"),
            ("bundleDependancies", "bundleDependencies"),
            ("allowScript", "allowScripts"),
            ("patchedDependancies", "patchedDependencies"),
        ] {
            let found = meant(key, &json!({ "a": "1" }));
            // Of two that are far, either is a hint.
            let is_close = key != "peerDependencyMeta";
            assert!(found == Some(expected) || !is_close, "{key}: {found:?}");
        }
    }

    #[test]
    fn names_of_tools_are_their_own() {
        for key in [
            "binary",
            "config-overrides",
            "eslint",
            "nodemonConfig",
            "simple-git-hooks",
            "pre-commit",
            "typedoc",
            "tap",
            "nano-staged",
            "engineStrict",
            "prisma",
            "sections",
            "importSort",
            "contributes",
            "activationEvents",
            "expo",
            "workspaceRoot",
            "scriptsComments",
            "peer",
            "devServer",
            "dependency-cruiser",
            "depcheck",
            "syncpack",
            "exports",
            "_resolved",
        ] {
            assert_eq!(meant(key, &json!({ "a": "1" })), None, "{key}");
        }
        assert_eq!(meant("overides", &json!({})), None);
        assert_eq!(meant("overides", &json!("text")), None);
    }
}

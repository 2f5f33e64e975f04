//! `node-gyp`: whether a script that failed needed one, and there is none.

use std::collections::BTreeMap;

/// Returns whether a failed script speaks of `node-gyp`, and its search path has none.
pub(crate) fn lacks_gyp(
    environment: &BTreeMap<String, String>,
    script: &str,
    output: &str,
) -> bool {
    const NAME: &str = "node-gyp";
    let is_path = |key: &str| key == "PATH" || cfg!(windows) && key.eq_ignore_ascii_case("PATH");
    let path = environment.iter().find(|(key, _)| is_path(key)).map(|(_, value)| value);
    let mut folders = path.into_iter().flat_map(std::env::split_paths);
    let is_there = |name: &str, folder: &std::path::Path| folder.join(name).is_file();
    [script, output].iter().any(|text| text.contains(NAME))
        && !folders.any(|folder| {
            is_there(NAME, &folder) || cfg!(windows) && is_there("node-gyp.cmd", &folder)
        })
}

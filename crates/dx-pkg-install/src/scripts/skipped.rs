//! The line that names packages whose scripts were skipped.

/// Returns the line that names packages whose scripts were not run, ready to be pasted into
/// `package.json`; `None` where there are none.
#[must_use]
pub fn skipped_line(packages: &[String]) -> Option<String> {
    let key = |package: &String| match package.split_once("@file:") {
        Some((_, path)) => format!("\"file:{path}\": true"),
        None => {
            let name = package.rsplit_once('@').map_or(package.as_str(), |(name, _)| name);
            format!("\"{name}\": true")
        }
    };
    let mut keys: Vec<String> = packages.iter().map(key).collect();
    keys.sort_unstable();
    keys.dedup();
    (!packages.is_empty()).then(|| {
        let (packages, keys) = (packages.join(", "), keys.join(", "));
        format!("install scripts not run: {packages}; to run them, add \"allowScripts\": {{ {keys} }} to package.json")
    })
}

//! The text that names packages whose scripts were skipped, with what allows them.

/// Returns the line that names packages whose scripts were not run, ready to be pasted into
/// `package.json`; `None` where there are none.
#[must_use]
pub fn skipped_line(packages: &[String]) -> Option<String> {
    (!packages.is_empty()).then(|| {
        let (names, allowing) = (packages.join(", "), allowing(packages));
        format!("install scripts not run: {names}; to run them, add {allowing} to package.json")
    })
}

/// Returns the member of `package.json` that allows these packages' scripts.
pub(super) fn allowing(packages: &[String]) -> String {
    let mut keys: Vec<&str> = packages.iter().map(|package| key(package)).collect();
    keys.sort_unstable();
    keys.dedup();
    let keys: Vec<String> = keys.iter().map(|key| format!("\"{key}\": true")).collect();
    format!("\"allowScripts\": {{ {} }}", keys.join(", "))
}

/// Returns the key of `allowScripts` for a package: its name, the path of a folder or tarball, or
/// an address.
fn key(package: &str) -> &str {
    let places = ["@file:", "@http:", "@https:", "@git+", "@git:"];
    match places.into_iter().find_map(|place| package.find(place)) {
        Some(at) => &package[at + 1..],
        None => package.rsplit_once('@').map_or(package, |(name, _)| name),
    }
}

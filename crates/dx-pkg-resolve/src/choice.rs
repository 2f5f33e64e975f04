//! The versions and tags of a package that a requirement without a match could have meant, in
//! words.

use dx_pkg_core::{Spec, Version};
use dx_pkg_format::packument::Packument;

/// The most versions or tags that are named.
const SHOWN: usize = 6;

/// Returns what a packument has beside the requirement `spec`: its tags where that is one, else the
/// latest version and those nearest to it. Empty where the package has no version.
pub(crate) fn choice(packument: &Packument, spec: &Spec) -> String {
    let spec = if let Spec::Alias { spec, .. } = spec { spec } else { spec };
    let tags = packument.dist_tags();
    if matches!(spec, Spec::Tag(_)) && tags.len() > 0 {
        let shown: Vec<String> =
            tags.clone().take(SHOWN).map(|(tag, version)| format!("{tag} ({version})")).collect();
        let more = match tags.len().saturating_sub(SHOWN) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        return format!("; its tags are {}{more}", shown.join(", "));
    }
    let all: Vec<&str> = packument.versions().map(|version| version.version_str()).collect();
    let is_below =
        |wanted: &Version, text: &str| Version::parse(text).is_ok_and(|one| one < *wanted);
    let around = match spec {
        Spec::Version(wanted) => all.partition_point(|text| is_below(wanted, text)),
        _ => all.len(),
    };
    let start = around.saturating_sub(SHOWN / 2).min(all.len().saturating_sub(SHOWN));
    let latest =
        packument.dist_tags().find(|(tag, _)| *tag == "latest").map(|(_, version)| version);
    let near = all.iter().skip(start).take(SHOWN).rev();
    let near: Vec<String> = near
        .map(|version| match latest {
            Some(latest) if latest == *version => format!("{version} (latest)"),
            _ => (*version).to_owned(),
        })
        .collect();
    if near.is_empty() {
        return String::new();
    }
    let word = if near.len() == all.len() { "published are" } else { "the nearest are" };
    let shown = near.join(", ");
    match latest.filter(|_| !shown.contains("(latest)")) {
        Some(latest) => format!("; the latest version is {latest}, {word} {shown}"),
        None => format!("; {word} {shown}"),
    }
}

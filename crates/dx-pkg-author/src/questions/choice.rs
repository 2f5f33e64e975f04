//! The version of a packument that a requirement stands for.

use dx_pkg_core::{Range, Spec, Version};
use serde_json::Value;

/// Returns the version that a requirement stands for: that of `tag` if it meets a range, else the
/// newest that does.
pub(crate) fn chosen(packument: &Value, wanted: &Spec, tag: &str) -> Option<String> {
    let tagged = |tag: &str| Some(packument.get("dist-tags")?.get(tag)?.as_str()?.to_owned());
    let range: Range = match wanted {
        Spec::Tag(tag) => return tagged(tag),
        Spec::Version(version) => return Some(version.to_string()),
        Spec::Range(range) => range.clone(),
        _ => Range::any(),
    };
    let preferred = tagged(tag);
    let fits = |version: &Version| range.satisfies(version);
    if let Some(preferred) = &preferred
        && (range.is_any() || Version::parse(preferred).is_ok_and(|version| fits(&version)))
    {
        return Some(preferred.clone());
    }
    let versions = packument.get("versions")?.as_object()?.iter();
    let versions = versions.filter_map(|(text, manifest)| {
        let is_current = manifest.get("deprecated").is_none_or(|it| it.as_str() == Some(""));
        Some((is_current, Version::parse(text).ok()?, text))
    });
    let best = versions
        .filter(|(_, version, _)| fits(version))
        .max_by(|a, b| a.0.cmp(&b.0).then_with(|| a.1.cmp(&b.1)));
    best.map(|(_, _, text)| text.clone())
}

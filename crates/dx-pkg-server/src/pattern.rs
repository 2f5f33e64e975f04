//! Patterns of package names in the configuration.

/// Returns whether a name fits a pattern, in which `*` stands for any characters but `/`.
pub(crate) fn matches(pattern: &str, name: &str) -> bool {
    let Some((before, after)) = pattern.split_once('*') else {
        return pattern == name;
    };
    let Some(rest) = name.strip_prefix(before) else {
        return false;
    };
    let ends = rest.char_indices().map(|(i, _)| i).chain([rest.len()]);
    ends.take_while(|end| !rest[..*end].contains('/')).any(|end| matches(after, &rest[end..]))
}

//! "Did you mean": the known name that is nearest to a mistyped one.

/// The least similarity of a name that is suggested, from 0 to 1.
const SIMILAR: f64 = 0.6;

/// Returns the name among `known` that is most like `given`, if it is like it at all: at most two
/// fifths of its letters are missing, wrong, superfluous or swapped.
pub fn nearest<'k>(given: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let similarity = |other: &str| strsim::normalized_damerau_levenshtein(given, other);
    let rated = known.into_iter().map(|name| (similarity(name), name));
    let best = rated.max_by(|(one, _), (other, _)| one.total_cmp(other))?;
    Some(best).filter(|(similarity, _)| *similarity >= SIMILAR).map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn the_nearest_name_is_found_and_nothing_far_off() {
        let known = ["install", "remove", "run", "test"];
        for (given, found) in [
            ("instlal", Some("install")),
            ("tets", Some("test")),
            ("rn", Some("run")),
            ("deploy", None),
            ("", None),
        ] {
            assert_eq!(nearest(given, known), found, "{given}");
        }
    }
}

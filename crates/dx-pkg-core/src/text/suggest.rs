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

/// Returns the name among `known` from which `given` differs by one slip of the keyboard, or, if it
/// is longer than four letters, by two.
pub fn mistyped<'k>(given: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let most = if given.chars().count() > 4 { 2 } else { 1 };
    let rated = known.into_iter().filter(|name| name.len().abs_diff(given.len()) <= most);
    let rated = rated.map(|name| (strsim::damerau_levenshtein(given, name), name));
    let found = rated.filter(|(slips, _)| (1..=most).contains(slips)).min();
    found.map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::{mistyped, nearest};

    #[test]
    fn a_slip_is_found_and_another_name_is_not() {
        let known = ["react", "preact", "lodash", "ms"];
        for (given, found) in [
            ("raect", Some("react")),
            ("lodsh", Some("lodash")),
            ("react", Some("preact")),
            ("mz", Some("ms")),
            ("qs", Some("ms")),
            ("zz", None),
            ("vue-router", None),
        ] {
            assert_eq!(mistyped(given, known), found, "{given}");
        }
    }

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

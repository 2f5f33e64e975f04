//! Versions that behave alike, as one range in words.

use dx_pkg_core::Version;

use super::problem::major;

/// Returns some of the published versions of a package in words: `7.37.5, the newest,`,
/// `every 13.x`, `every 10.x from 10.2.3`, `every version from 8.0.0`.
pub(super) fn versions_in_words(versions: &[&Version], published: &[Version]) -> String {
    let mut all: Vec<&Version> = published.iter().filter(|one| !one.is_prerelease()).collect();
    all.sort_unstable();
    let mut some: Vec<&Version> = versions.to_vec();
    some.sort_unstable();
    let (Some(first), Some(last)) = (some.first().copied(), some.last().copied()) else {
        return String::new();
    };
    let is_newest = all.last().is_some_and(|newest| *newest == last);
    if some.len() == 1 {
        return if is_newest { format!("{first}, the newest,") } else { first.to_string() };
    }
    if some.len() == all.len() {
        return "every published version".to_owned();
    }
    let has_all = |is_meant: &dyn Fn(&Version) -> bool| {
        all.iter().filter(|one| is_meant(one)).all(|one| some.contains(one))
    };
    let of_major = |version: &Version| major(version) == major(first);
    if major(first) == major(last) {
        let name = match major(first) {
            (0, minor) => format!("0.{minor}.x"),
            (major, _) => format!("{major}.x"),
        };
        if has_all(&of_major) {
            return format!("every {name}");
        }
        if has_all(&|version| of_major(version) && version >= first) {
            return format!("every {name} from {first}");
        }
    }
    if is_newest && has_all(&|version| version >= first) {
        return format!("every version from {first}");
    }
    if has_all(&|version| version >= first && version <= last) {
        return format!("every version from {first} to {last}");
    }
    format!("each of {} versions, {first} to {last},", some.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_that_behave_alike_are_one_range() {
        let published: Vec<Version> =
            ["0.9.0", "1.0.0", "1.1.0", "1.2.0", "2.0.0-rc.1", "2.0.0", "2.1.0"]
                .iter()
                .map(|text| Version::parse(text).unwrap())
                .collect();
        let words = |texts: &[&str]| {
            let versions: Vec<Version> =
                texts.iter().map(|text| Version::parse(text).unwrap()).collect();
            versions_in_words(&versions.iter().collect::<Vec<_>>(), &published)
        };
        assert_eq!(words(&["2.1.0"]), "2.1.0, the newest,");
        assert_eq!(words(&["1.1.0"]), "1.1.0");
        assert_eq!(words(&["1.2.0", "1.1.0", "1.0.0"]), "every 1.x");
        assert_eq!(words(&["1.2.0", "1.1.0"]), "every 1.x from 1.1.0");
        assert_eq!(words(&["2.1.0", "2.0.0", "1.2.0"]), "every version from 1.2.0");
        assert_eq!(words(&["1.0.0", "1.1.0"]), "every version from 1.0.0 to 1.1.0");
        assert_eq!(words(&["1.0.0", "1.2.0"]), "each of 2 versions, 1.0.0 to 1.2.0,");
        let all = ["2.1.0", "2.0.0", "1.2.0", "1.1.0", "1.0.0", "0.9.0"];
        assert_eq!(words(&all), "every published version");
    }
}

//! The choice between forms and encodings that a request's headers allow.

/// Returns whether `Accept` names `special`, and `usual` with no higher weight.
pub(crate) fn prefers(accept: &str, special: &str, usual: &str) -> bool {
    let weight = |name: &str| entries(accept).find(|(own, _)| own.eq_ignore_ascii_case(name));
    match (weight(special), weight(usual)) {
        (Some((_, special)), usual) => {
            special > 0 && usual.is_none_or(|(_, usual)| usual <= special)
        }
        (None, _) => false,
    }
}

/// Returns whether `Accept-Encoding` names an encoding, or any.
pub(crate) fn accepts(header: &str, encoding: &str) -> bool {
    let find = |name: &str| entries(header).find(|(own, _)| own.eq_ignore_ascii_case(name));
    find(encoding).or_else(|| find("*")).is_some_and(|(_, weight)| weight > 0)
}

/// Returns whether `If-None-Match` names a tag. Weak and strong count as equal.
pub(crate) fn names(header: &str, etag: &str) -> bool {
    let plain = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    header.trim() == "*" || header.split(',').any(|tag| plain(tag) == plain(etag))
}

/// Returns the entries of such a header with their weights in thousandths.
fn entries(header: &str) -> impl Iterator<Item = (&str, u16)> {
    header.split(',').map(|entry| {
        let mut parts = entry.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default();
        let weight = parts.find_map(|part| {
            let (key, value) = part.split_once('=')?;
            key.trim().eq_ignore_ascii_case("q").then(|| value.trim().parse::<f32>().ok())?
        });
        (name, weight.map_or(1000, |weight| (weight.clamp(0.0, 1.0) * 1000.0) as u16))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: &str = "application/vnd.npm.install-v1+json";

    #[test]
    fn the_form_with_the_higher_weight_is_sent() {
        for (accept, wanted) in [
            ("", false),
            ("*/*", false),
            ("application/json", false),
            (SHORT, true),
            ("application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8, */*", true),
            ("application/json; q=1.0, application/vnd.npm.install-v1+json; q=0.5", false),
            ("application/vnd.npm.install-v1+json;q=0", false),
        ] {
            assert_eq!(prefers(accept, SHORT, "application/json"), wanted, "{accept}");
        }
    }

    #[test]
    fn an_encoding_is_accepted_unless_its_weight_is_zero() {
        assert!(
            accepts("gzip,deflate", "gzip") && accepts("br;q=0.5", "br") && accepts("*", "gzip")
        );
        assert!(!accepts("", "gzip") && !accepts("gzip;q=0, *", "gzip") && !accepts("br", "gzip"));
    }

    #[test]
    fn one_tag_of_several_is_found() {
        assert!(names(r#""other", W/"a""#, r#"W/"a""#) && names("*", r#"W/"a""#));
        assert!(names(r#""a""#, r#"W/"a""#) && !names(r#""ab""#, r#"W/"a""#));
    }
}

//! The registry's answers by path: packuments in both forms, tarballs, 401 and 404.

use super::{Options, Shared};
use crate::http::{Answer, RecordedRequest};
use crate::packument::{Package, tarball_path};
use crate::tarball::{gzip, shasum};

/// The media type of an abbreviated packument.
const ABBREVIATED: &str = "application/vnd.npm.install-v1+json";

/// The answer to a request, faults apart.
pub(super) fn answer(shared: &Shared, request: &RecordedRequest, path: &str, full: bool) -> Answer {
    let options = shared.options.lock().unwrap().clone();
    if options.authorization.is_some()
        && request.header("authorization") != options.authorization.as_deref()
    {
        return Answer::json(401, r#"{"error":"authentication required"}"#)
            .header("www-authenticate", "Bearer");
    }
    if request.method != "GET" && request.method != "HEAD" {
        return Answer::json(405, r#"{"error":"read only"}"#);
    }
    let packages = shared.packages.lock().unwrap();
    let name = path.trim_start_matches('/');
    if let Some(package) = packages.get(name) {
        let abbreviated =
            !full && request.header("accept").is_some_and(|accept| accept.contains(ABBREVIATED));
        return packument(name, package, request, &options, abbreviated);
    }
    if let Some((name, _)) = name.split_once("/-/")
        && let Some(package) = packages.get(name)
        && let Some(found) =
            package.versions.iter().find(|found| tarball_path(name, &found.version) == path)
    {
        return Answer::new(200, found.tarball.clone())
            .header("content-type", "application/octet-stream")
            .header("cache-control", "public, immutable, max-age=31557600");
    }
    Answer::json(404, r#"{"error":"Not found"}"#)
}

fn packument(
    name: &str,
    package: &Package,
    request: &RecordedRequest,
    options: &Options,
    abbreviated: bool,
) -> Answer {
    let (document, media_type) = if abbreviated {
        let mut packument = package.abbreviated(name, &options.tarball_base);
        if !options.modified
            && let Some(fields) = packument.as_object_mut()
        {
            fields.remove("modified");
        }
        (packument, ABBREVIATED)
    } else {
        (package.full(name, &options.tarball_base), "application/json")
    };
    let body = document.to_string().into_bytes();
    let etag = format!("\"{}\"", shasum(&body));
    let unchanged = request.header("if-none-match").is_some_and(|tags| tags.contains(&etag));
    let answer = Answer::new(if unchanged { 304 } else { 200 }, "")
        .header("content-type", media_type)
        .header("vary", "accept-encoding, accept")
        .header("last-modified", http_date(&package.modified()))
        .header("etag", etag);
    if unchanged && options.bare_not_modified {
        return answer;
    }
    let answer = answer.header("cache-control", options.cache_control.clone());
    if unchanged {
        return answer;
    }
    let accepts_gzip =
        request.header("accept-encoding").is_some_and(|value| value.contains("gzip"));
    if options.gzip && accepts_gzip {
        return Answer { body: gzip(&body), ..answer.header("content-encoding", "gzip") };
    }
    Answer { body, ..answer }
}

/// The path without its query, with `%2f` and `%40` as the characters they stand for.
pub(super) fn decoded_path(path: &str) -> String {
    let path = path.split('?').next().unwrap_or(path);
    path.replace("%2f", "/").replace("%2F", "/").replace("%40", "@")
}

/// An RFC 3339 time in UTC as an HTTP date (RFC 9110, section 5.6.7).
fn http_date(time: &str) -> String {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    const DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
    let number = |from: usize, to: usize| -> usize {
        time.get(from..to).and_then(|digits| digits.parse().ok()).unwrap_or(1)
    };
    let (year, month, day) = (number(0, 4), number(5, 7).clamp(1, 12), number(8, 10));
    // Sakamoto's algorithm for the day of the week.
    let shifted = if month < 3 { year - 1 } else { year };
    let offset = [0, 3, 2, 5, 0, 3, 5, 1, 4, 6, 2, 4][month - 1];
    let weekday = (shifted + shifted / 4 - shifted / 100 + shifted / 400 + offset + day) % 7;
    let clock = time.get(11..19).unwrap_or("00:00:00");
    format!("{}, {day:02} {} {year} {clock} GMT", DAYS[weekday], MONTHS[month - 1])
}

#[cfg(test)]
mod tests;

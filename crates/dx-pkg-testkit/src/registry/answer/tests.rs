use super::{decoded_path, http_date};

#[test]
fn http_date_has_the_right_weekday() {
    assert_eq!(http_date("1994-11-06T08:49:37.000Z"), "Sun, 06 Nov 1994 08:49:37 GMT");
    assert_eq!(http_date("2020-01-01T00:00:00.000Z"), "Wed, 01 Jan 2020 00:00:00 GMT");
    assert_eq!(http_date("2024-02-29T12:00:00.000Z"), "Thu, 29 Feb 2024 12:00:00 GMT");
}

#[test]
fn scoped_names_are_decoded_and_queries_dropped() {
    assert_eq!(decoded_path("/@scope%2fname?write=true"), "/@scope/name");
    assert_eq!(decoded_path("/%40scope%2Fname"), "/@scope/name");
}

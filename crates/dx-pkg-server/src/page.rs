//! The registry's pages at `/-/ui/`: HTML without scripts. All text that comes from packages is
//! escaped or sanitised, and the browser is told to run and to load nothing else.

mod markdown;

pub(crate) use markdown::readme;

use axum::body::Body;
use axum::http::StatusCode;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::response::Response;
use std::fmt::Write as _;

/// What a page may do: show itself, its style, pictures, and send its forms here.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self' data: https:; \
    form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
const STYLE: &str = include_str!("page/style.css");

/// HTML that is safe to be put into a page.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Html(String);

impl Html {
    /// Returns it as text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Adds markup, which the program wrote itself.
    pub(crate) fn markup(mut self, markup: &'static str) -> Self {
        self.0.push_str(markup);
        self
    }

    /// Adds a text from anywhere.
    pub(crate) fn text(mut self, text: &str) -> Self {
        for c in text.chars() {
            match c {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                c if c.is_control() && c != '\n' && c != '\t' => self.0.push('\u{fffd}'),
                // Marks that turn the direction of writing could show a text as another one.
                '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => self.0.push('\u{fffd}'),
                c => self.0.push(c),
            }
        }
        self
    }

    /// Adds a number.
    pub(crate) fn number(mut self, number: impl std::fmt::Display) -> Self {
        let _ = write!(self.0, "{number}");
        self
    }

    /// Adds other HTML.
    pub(crate) fn html(mut self, other: &Self) -> Self {
        self.0.push_str(&other.0);
        self
    }

    /// Adds a link within the registry; `base` is its address, `path` comes after it. Each segment
    /// of the path is escaped.
    pub(crate) fn link(self, base: &str, path: &[&str], text: &str) -> Self {
        let address = address(base, path);
        self.markup("<a href=\"").text(&address).markup("\">").text(text).markup("</a>")
    }
}

/// Returns an address within the registry.
pub(crate) fn address(base: &str, path: &[&str]) -> String {
    let mut address = format!("{base}-/ui");
    for segment in path {
        address.push('/');
        for byte in segment.bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'_' | b'-' | b'~' | b'@' => {
                    address.push(char::from(byte));
                }
                _ => {
                    let _ = write!(address, "%{byte:02X}");
                }
            }
        }
    }
    address
}

/// Returns a whole page as an answer.
pub(crate) fn page(status: StatusCode, base: &str, title: &str, body: &Html) -> Response {
    let html = Html::default()
        .markup("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>")
        .text(title)
        .markup("</title><meta name=\"viewport\" content=\"width=device-width\">")
        .markup("<link rel=\"stylesheet\" href=\"")
        .text(&address(base, &["style.css"]))
        .markup("\"></head><body><header>")
        .link(base, &[], "dx-registry")
        .markup("<form action=\"")
        .text(&address(base, &["search"]))
        .markup("\"><input name=\"text\" type=\"search\" aria-label=\"Search packages\">")
        .markup("<button>Search</button></form></header><main>")
        .html(body)
        .markup("</main></body></html>\n");
    answer(status, "text/html; charset=utf-8", html.0)
}

/// Returns the style of all pages.
pub(crate) fn style() -> Response {
    let mut response = answer(StatusCode::OK, "text/css; charset=utf-8", STYLE.to_owned());
    let hour = HeaderValue::from_static("public, max-age=3600");
    response.headers_mut().insert(CACHE_CONTROL, hour);
    response
}

fn answer(status: StatusCode, kind: &'static str, body: String) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    for (name, value) in [
        (CONTENT_TYPE, kind),
        (CONTENT_SECURITY_POLICY, POLICY),
        (CACHE_CONTROL, "no-store"),
        (REFERRER_POLICY, "no-referrer"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::{Html, address};

    #[test]
    fn texts_cannot_become_markup() {
        let html = Html::default().text("<script>\"'&\u{1b}[2J\u{202e}").0;
        assert_eq!(html, "&lt;script&gt;&quot;&#39;&amp;\u{fffd}[2J\u{fffd}");
    }

    #[test]
    fn addresses_escape_each_segment() {
        let found = address("http://r.test/", &["package", "@a/b", "\"><x", "1.0.0+b"]);
        assert_eq!(found, "http://r.test/-/ui/package/@a%2Fb/%22%3E%3Cx/1.0.0%2Bb");
    }
}

//! Readmes: Markdown made into HTML from which everything active is removed.

use super::Html;
use pulldown_cmark::{Event, Options, Parser, html};

/// The longest readme that is shown, in bytes; the rest is cut off.
const LONGEST: usize = 512 << 10;

/// The most tags of a readme's own HTML; those after them are shown as text. By the rules of HTML
/// the time for tags that stay open grows with the square of their number.
const MOST_TAGS: usize = 4000;
/// The most levels of quotes, lists and emphasis; what is deeper is shown as if it were not.
const DEEPEST: usize = 100;

/// Returns a readme as HTML.
pub(crate) fn readme(text: &str) -> Html {
    let end = (0..=LONGEST.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    let text = &text[..end.unwrap_or(0)];
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_FOOTNOTES;
    let mut raw = String::new();
    html::push_html(&mut raw, bounded(Parser::new_ext(text, options)));
    let clean = ammonia::Builder::default()
        .url_schemes(["http", "https", "mailto"].into_iter().collect())
        .link_rel(Some("nofollow noopener noreferrer"))
        .id_prefix(Some("readme-"))
        .url_relative(ammonia::UrlRelative::Deny)
        .clean(&raw)
        .to_string();
    Html(clean)
}

/// Takes from a document what would make the time to read its HTML explode.
fn bounded<'t>(events: impl Iterator<Item = Event<'t>>) -> impl Iterator<Item = Event<'t>> {
    let (mut depth, mut tags) = (0_usize, 0_usize);
    events.filter_map(move |event| match event {
        Event::Start(_) => {
            depth += 1;
            (depth <= DEEPEST).then_some(event)
        }
        Event::End(_) => {
            depth = depth.saturating_sub(1);
            (depth < DEEPEST).then_some(event)
        }
        Event::Html(ref text) | Event::InlineHtml(ref text) => {
            tags += text.matches('<').count();
            Some(if tags > MOST_TAGS { Event::Text(text.clone()) } else { event })
        }
        other => Some(other),
    })
}

#[cfg(test)]
mod tests {
    use super::{DEEPEST, MOST_TAGS, readme};

    #[test]
    fn nothing_active_is_left_of_a_readme() {
        for text in [
            "<script>alert(1)</script>",
            "<img src=x onerror=alert(1)>",
            "[a](javascript:alert(1))",
            "[a](JaVaScRiPt:alert(1))",
            "<a href=\"data:text/html,x\">a</a>",
            "<iframe src=\"https://evil.test\"></iframe>",
            "<form action=\"/-/ui/login\"><input name=password></form>",
            "<style>body{display:none}</style>",
            "<p style=\"position:fixed\">a</p>",
            "<svg><script>1</script></svg>",
            "<math><mtext><table><mglyph><style><img src onerror=1>",
            "<base href=\"https://evil.test/\">",
            "<meta http-equiv=refresh content=\"0;url=https://evil.test\">",
            "<object data=x></object><embed src=x>",
        ] {
            let html = readme(text).0.to_lowercase();
            for part in [
                "<script",
                "onerror",
                "javascript:",
                "data:",
                "<iframe",
                "<form",
                "<input",
                "<style",
                "style=",
                "<svg",
                "<base",
                "<meta",
                "<object",
                "<embed",
            ] {
                assert!(!html.contains(part), "{text}: {html}");
            }
        }
    }

    #[test]
    fn what_is_nested_without_end_is_cut_short() {
        let quoted = readme(&format!("{}deep", "> ".repeat(200_000))).0;
        assert_eq!(quoted.matches("<blockquote>").count(), DEEPEST);
        assert!(quoted.contains("deep"));
        let nested = readme(&format!("{}deep", "<div>\n\n".repeat(60_000))).0;
        assert_eq!(nested.matches("<div>").count(), MOST_TAGS);
        assert!(nested.contains("&lt;div&gt;") && nested.contains("deep"));
        let bold: String = (0..25_000).map(|index| format!("<b title={index}>")).collect();
        assert!(readme(&format!("<p>{bold}</p>\n{}", "<p>x</p>".repeat(5000))).0.contains("&lt;"));
    }

    #[test]
    fn markdown_is_shown() {
        let html = readme("# Left\n\n[x](https://x.test)\n\n|a|b|\n|-|-|\n|1|2|\n").0;
        assert!(html.contains("<h1>Left</h1>") && html.contains("<table>"), "{html}");
        assert!(html.contains("nofollow noopener noreferrer"), "{html}");
        assert!(readme(&"ä".repeat(400_000)).0.len() < 600_000);
    }
}

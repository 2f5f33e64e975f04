//! The colours of an overview, as npm has them.

const GREEN: &str = "32";
const RED: &str = "31";
const BLUE: &str = "34";
const CYAN: &str = "36";

/// Returns an overview with colours. Its text has no control characters.
pub(super) fn coloured(card: &str) -> String {
    let mut block = "";
    let lines = card.lines().map(|line| {
        match line.split_once(':') {
            _ if line.is_empty() => block = "",
            Some((head @ ("dist-tags" | "maintainers" | "dependencies"), "")) => block = head,
            _ => return inside(line, block),
        }
        line.to_owned()
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Colours a line of a block, or one that stands for itself.
fn inside(line: &str, block: &str) -> String {
    match (line.split_once(": "), block) {
        (Some((name, version)), "dist-tags") => format!("{}: {version}", paint(BLUE, name)),
        (_, "maintainers" | "dependencies") => line.to_owned(),
        (Some((key @ ".tarball", value)), _) => format!("{key}: {}", paint(BLUE, value)),
        (Some((key, value)), _) if key.starts_with('.') => {
            format!("{key}: {}", paint(GREEN, value))
        }
        (Some((key @ ("keywords" | "bin"), value)), _) => format!("{key}: {}", paint(CYAN, value)),
        _ if line.starts_with("DEPRECATED") => paint(RED, line),
        _ if line.starts_with("published ") => {
            format!("published {}", paint(CYAN, &line["published ".len()..]))
        }
        _ if line.starts_with("http:") || line.starts_with("https:") => paint(BLUE, line),
        _ => head(line).unwrap_or_else(|| line.to_owned()),
    }
}

/// Colours the line with name, version, licence and numbers; `None` if it is another.
fn head(line: &str) -> Option<String> {
    let parts: Vec<&str> = line.split(" | ").collect();
    let [name, license, dependencies, versions] = parts[..] else { return None };
    let dependencies = paint(CYAN, dependencies.strip_prefix("deps: ")?);
    let versions = paint(CYAN, versions.strip_prefix("versions: ")?);
    let license = paint(if license == "Proprietary" { RED } else { GREEN }, license);
    let name = paint("4;36", name);
    Some(format!("{name} | {license} | deps: {dependencies} | versions: {versions}"))
}

fn paint(colour: &str, text: &str) -> String {
    format!("\u{1b}[{colour}m{text}\u{1b}[0m")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_overview_has_npms_colours_and_the_same_text() {
        let card = "\na@1.0.0 | MIT | deps: none | versions: 4\nwhat: it is\nhttps://a.example\n\n\
                    DEPRECATED!! - no\n\nkeywords: x, y\n\ndist\n.tarball: http://r.example/a.tgz\n\
                    .shasum: abc\n\nmaintainers:\n- b <b@a.example>\n\ndist-tags:\nlatest: 1.0.0\n\n\
                    published over a year ago by b";
        let shown = coloured(card);
        for part in [
            "\u{1b}[4;36ma@1.0.0\u{1b}[0m | \u{1b}[32mMIT\u{1b}[0m | deps: \u{1b}[36mnone\u{1b}[0m",
            "\u{1b}[31mDEPRECATED!! - no",
            ".shasum: \u{1b}[32mabc\u{1b}[0m",
            "\n\u{1b}[34mlatest\u{1b}[0m: 1.0.0",
            "\n- b <b@a.example>\n",
            "\nwhat: it is\n",
        ] {
            assert!(shown.contains(part), "{part:?} in {shown:?}");
        }
        let mut plain = shown;
        for colour in ["0", "31", "32", "34", "36", "4;36"] {
            plain = plain.replace(&format!("\u{1b}[{colour}m"), "");
        }
        assert_eq!(plain, card);
    }
}

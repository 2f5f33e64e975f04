//! Manual pages in roff, with the macros of man(7).

use std::fmt::Write;

use super::help::{Entry, Help};

/// Returns the page of a command of a program.
pub(super) fn page(name: &str, words: &[String], help: &Help, version: &str) -> String {
    let mut title = name.to_owned();
    for word in words {
        let _ = write!(title, "-{word}");
    }
    let mut page = String::new();
    let _ =
        writeln!(page, ".TH \"{}\" \"1\" \"\" \"{}\"", text(&title.to_uppercase()), text(version));
    let about = help.about.trim_end_matches('.');
    let _ = writeln!(page, ".SH NAME\n{} \\- {}", text(&title), text(about));
    let _ = writeln!(page, ".SH SYNOPSIS");
    for (number, line) in help.usage.iter().enumerate() {
        let gap = if number == 0 { "" } else { ".br\n" };
        let _ = writeln!(page, "{gap}{}", line_of(line));
    }
    let _ = writeln!(page, ".SH DESCRIPTION\n{}", line_of(&help.about));
    for paragraph in &help.description {
        let _ = writeln!(page, ".PP\n{}", line_of(paragraph));
    }
    for (heading, entries) in &help.sections {
        let _ = writeln!(page, ".SH {}", text(&heading.to_uppercase()));
        for entry in entries {
            write_entry(&mut page, entry);
        }
    }
    if !help.end.is_empty() {
        let _ = writeln!(page, ".SH NOTES\n.nf");
        for line in &help.end {
            let _ = writeln!(page, "{}", line_of(line));
        }
        let _ = writeln!(page, ".fi");
    }
    let below = help.commands().map(|word| format!("{title}-{word}"));
    let above = words.split_last().map(|(_, before)| {
        before.iter().fold(name.to_owned(), |title, word| format!("{title}-{word}"))
    });
    let others: Vec<String> =
        above.into_iter().chain(below).map(|page| format!(".BR {} (1)", text(&page))).collect();
    if !others.is_empty() {
        let _ = writeln!(page, ".SH SEE ALSO\n{}", others.join(" ,\n"));
    }
    page
}

fn write_entry(page: &mut String, entry: &Entry) {
    let _ = writeln!(page, ".TP\n\\fB{}\\fR", text(&entry.head));
    for (number, paragraph) in entry.text.iter().enumerate() {
        let gap = if number == 0 { "" } else { ".sp\n" };
        let _ = writeln!(page, "{gap}{}", line_of(paragraph));
    }
}

/// Returns a text as roff has it: without a meaning of its own.
fn text(plain: &str) -> String {
    let mut escaped = String::with_capacity(plain.len());
    for char in plain.chars() {
        match char {
            '\\' => escaped.push_str("\\e"),
            '-' => escaped.push_str("\\-"),
            '"' => escaped.push_str("\\(dq"),
            '\'' => escaped.push_str("\\(aq"),
            '^' => escaped.push_str("\\(ha"),
            '~' => escaped.push_str("\\(ti"),
            '`' => escaped.push_str("\\(ga"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// Returns a line: one that begins with a dot is no request.
fn line_of(plain: &str) -> String {
    let escaped = text(plain);
    if escaped.starts_with('.') { format!("\\&{escaped}") } else { escaped }
}

#[cfg(test)]
mod tests {
    use super::{line_of, page};
    use crate::package::help::Help;

    #[test]
    fn text_has_no_meaning_of_its_own() {
        assert_eq!(line_of(".npmrc has a\\b"), "\\&.npmrc has a\\eb");
        assert_eq!(line_of("'-x'"), "\\(aq\\-x\\(aq");
    }

    #[test]
    fn page_has_the_sections_of_the_help() {
        let help =
            Help::parse("Look\n\nUsage: dx x\n\nOptions:\n  -h, --help  Print help\n").unwrap();
        let page = page("dx", &["x".to_owned()], &help, "dx 1.0.0");
        assert_eq!(
            page,
            ".TH \"DX\\-X\" \"1\" \"\" \"dx 1.0.0\"\n.SH NAME\ndx\\-x \\- Look\n.SH SYNOPSIS\ndx x\n\
             .SH DESCRIPTION\nLook\n.SH OPTIONS\n.TP\n\\fB\\-h, \\-\\-help\\fR\nPrint help\n\
             .SH SEE ALSO\n.BR dx (1)\n"
        );
    }
}

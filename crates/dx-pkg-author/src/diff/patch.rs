//! The differences of one file, in the unified format.

use diffy::{DiffOptions as Algorithm, Line};

use super::DiffOptions;
use super::binary::is_binary;
use super::files::Contents;

/// Returns the part of one file, with git's header.
pub(super) fn of_file(
    name: &str,
    (before, after): (Option<&Contents>, Option<&Contents>),
    versions: [&str; 2],
    options: &DiffOptions,
) -> String {
    let [a, b] = [0, 1].map(|side| format!("{}{name}", options.prefixes[side]));
    let mut text = format!("diff --git {a} {b}\n");
    let mut mode = String::new();
    let shown = |contents: &Contents| format!("100{:o}", contents.mode);
    match (before, after) {
        (Some(old), None) => text.push_str(&format!("deleted file mode {}\n", shown(old))),
        (None, Some(new)) => text.push_str(&format!("new file mode {}\n", shown(new))),
        (Some(old), Some(new)) if old.mode != new.mode => {
            text.push_str(&format!("old mode {}\nnew mode {}\n", shown(old), shown(new)));
        }
        (Some(old), Some(_)) => mode = shown(old),
        (None, None) => {}
    }
    let [old_version, new_version] = versions.map(|one| format!("{}{one}", options.version_prefix));
    text.push_str(&format!("index {old_version}..{new_version} {mode}\n"));
    let is_shown = options.as_text || !is_binary(name);
    if is_shown && a == b {
        text.push_str(&format!("Index: {a}\n"));
    }
    text.push_str(&format!("--- {a}\n+++ {b}\n"));
    if is_shown {
        let part = |side: Option<&Contents>| side.map_or(String::new(), |side| side.text.clone());
        text.push_str(&hunks(&part(before), &part(after), options));
    }
    text
}

/// Returns the hunks between two texts.
fn hunks(old: &str, new: &str, options: &DiffOptions) -> String {
    let lines =
        |text: &str| -> Vec<String> { text.split_inclusive('\n').map(str::to_owned).collect() };
    let (old_lines, new_lines) = (lines(old), lines(new));
    // The comparison sees lines as they count; what is shown are the lines themselves.
    let counted = |lines: &[String]| -> String {
        if !options.ignores_space {
            return lines.concat();
        }
        lines.iter().map(|line| format!("{}\n", line.trim())).collect()
    };
    let (old_text, new_text) = (counted(&old_lines), counted(&new_lines));
    let mut algorithm = Algorithm::new();
    algorithm.set_context_len(options.context);
    let patch = algorithm.create_patch(&old_text, &new_text);
    let mut found: Vec<Shown> = Vec::new();
    for hunk in patch.hunks() {
        let own = Shown::of(hunk, &old_lines, &new_lines);
        match found.last_mut() {
            // Hunks without a line between them are one.
            Some(last) if last.old.0 + last.old.1 == own.old.0 && own.old.1 > 0 => {
                last.old.1 += own.old.1;
                last.new.1 += own.new.1;
                last.text.push_str(&own.text);
            }
            _ => found.push(own),
        }
    }
    let text = |hunk: &Shown| {
        let Shown { old, new, text } = hunk;
        format!("@@ -{},{} +{},{} @@\n{text}", old.0, old.1, new.0, new.1)
    };
    // npm's has no tabs at the ends of lines.
    found.iter().map(text).collect::<String>().replace("\t\n", "\n")
}

/// A hunk: first line and number of lines on both sides, and its text.
struct Shown {
    old: (usize, usize),
    new: (usize, usize),
    text: String,
}

impl Shown {
    fn of(hunk: &diffy::Hunk<'_, str>, old_lines: &[String], new_lines: &[String]) -> Self {
        let [old, new] =
            [hunk.old_range(), hunk.new_range()].map(|range| (range.start(), range.len()));
        // The position before an empty range is that of the line above.
        let first = |(start, length): (usize, usize)| start.saturating_sub(usize::from(length > 0));
        let (mut at_old, mut at_new) = (first(old), first(new));
        let mut text = String::new();
        for line in hunk.lines() {
            let (sign, shown) = match line {
                Line::Context(_) => (' ', new_lines.get(at_new)),
                Line::Delete(_) => ('-', old_lines.get(at_old)),
                Line::Insert(_) => ('+', new_lines.get(at_new)),
            };
            at_old += usize::from(sign != '+');
            at_new += usize::from(sign != '-');
            let shown = shown.map_or("", String::as_str);
            text.push(sign);
            text.push_str(shown);
            if !shown.ends_with('\n') {
                text.push_str("\n\\ No newline at end of file\n");
            }
        }
        Shown { old, new, text }
    }
}

//! Braces in a pattern: `{a,b}` and `{1..3}`. A backslash takes its meaning from the character
//! after it.

/// More patterns than this from the braces of one are not a list that somebody wrote.
const MAX_EXPANDED: usize = 10_000;

/// Returns the patterns that one with braces stands for, as a shell expands them; `None` for too
/// many.
#[must_use]
pub fn expand(pattern: &str) -> Option<Vec<String>> {
    let mut done = Vec::new();
    // Patterns with the position from which braces are looked for, the next one last.
    let mut open = vec![(pattern.to_owned(), 0)];
    while let Some((text, from)) = open.pop() {
        if done.len() + open.len() > MAX_EXPANDED {
            return None;
        }
        let Some(at) = unescaped_brace(&text, from) else {
            done.push(text);
            continue;
        };
        let Some((alternatives, end)) = alternatives(&text[at..]) else {
            open.push((text, at + 1));
            continue;
        };
        if alternatives.len() > MAX_EXPANDED {
            return None;
        }
        for alternative in alternatives.into_iter().rev() {
            open.push((format!("{}{alternative}{}", &text[..at], &text[at + end..]), at));
        }
    }
    Some(done)
}

/// Returns what the braces at the beginning of a text stand for, and where they end; `None` where
/// they stand for themselves.
fn alternatives(text: &str) -> Option<(Vec<String>, usize)> {
    let mut found = Vec::new();
    let (mut depth, mut from) = (0, 1);
    let mut is_escaped = false;
    for (at, character) in text.char_indices() {
        if std::mem::take(&mut is_escaped) {
            continue;
        }
        match character {
            '\\' => is_escaped = true,
            '{' => depth += 1,
            ',' if depth == 1 => {
                found.push(text[from..at].to_owned());
                from = at + 1;
            }
            '}' if depth == 1 => {
                let last = &text[from..at];
                if found.is_empty() {
                    return Some((sequence(last)?, at + 1));
                }
                found.push(last.to_owned());
                return Some((found, at + 1));
            }
            '}' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// Returns the members of `1..9`, `a..e` or `1..9..2`.
fn sequence(text: &str) -> Option<Vec<String>> {
    let parts: Vec<&str> = text.split("..").collect();
    let (from, to, step) = match parts[..] {
        [from, to] => (from, to, 1),
        [from, to, step] => (from, to, step.parse::<i64>().ok()?.unsigned_abs().max(1)),
        _ => return None,
    };
    let letter = |text: &str| {
        let mut characters = text.chars();
        characters.next().filter(|c| c.is_ascii_alphabetic() && characters.next().is_none())
    };
    let (first, last, width) = match (from.parse::<i64>(), to.parse::<i64>()) {
        (Ok(first), Ok(last)) => {
            let is_padded = |text: &str| text.trim_start_matches('-').starts_with('0');
            let padded = [from, to]
                .iter()
                .any(|text| is_padded(text) && text.trim_start_matches('-').len() > 1);
            (first, last, if padded { from.len().max(to.len()) } else { 0 })
        }
        _ => (i64::from(u32::from(letter(from)?)), i64::from(u32::from(letter(to)?)), 0),
    };
    let is_number = from.parse::<i64>().is_ok();
    let count = first.abs_diff(last) / step;
    let member = |index: u64| {
        let distance = i64::try_from(index * step).ok()?;
        let value = if first <= last { first + distance } else { first - distance };
        if is_number {
            return Some(format!("{value:0width$}"));
        }
        Some(char::from_u32(u32::try_from(value).ok()?)?.to_string())
    };
    (0..=count.min(MAX_EXPANDED as u64)).map(member).collect()
}

/// Returns where the next brace opens.
fn unescaped_brace(text: &str, from: usize) -> Option<usize> {
    let mut is_escaped = false;
    text[from..].char_indices().find_map(|(at, character)| {
        let is_brace = character == '{' && !is_escaped;
        is_escaped = character == '\\' && !is_escaped;
        is_brace.then_some(from + at)
    })
}

//! A Rust file as the checks read it: code without comments and strings, strings, and a mark on the
//! lines of tests.
//!
//! This is a lexer of just the parts that could mislead a search for words; it never rejects a
//! file.

/// A Rust source file.
#[derive(Debug)]
pub(crate) struct Source {
    /// The path in the repository, with `/`.
    pub(crate) path: String,
    /// The lines as they are in the file.
    pub(crate) lines: Vec<String>,
    /// The text with comments and the contents of strings and characters blanked, line by line as
    /// in the file.
    pub(crate) code: Vec<String>,
    /// Every string literal with its line, counted from 1.
    pub(crate) strings: Vec<(usize, String)>,
    /// For each line, whether it is compiled for tests only.
    pub(crate) test: Vec<bool>,
}

/// A function with its size.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Function {
    pub(crate) name: String,
    /// The line of `fn`, counted from 1.
    pub(crate) line: usize,
    /// The lines from `fn` to the closing brace.
    pub(crate) lines: usize,
}

impl Source {
    /// Reads the text of a file.
    pub(crate) fn new(path: &str, text: &str) -> Source {
        let (code, strings) = blank(text);
        let code: Vec<String> = code.lines().map(str::to_owned).collect();
        let test = test_lines(path, &code);
        let lines = text.lines().map(str::to_owned).collect();
        Source { path: path.to_owned(), lines, code, strings, test }
    }

    /// The crate the file belongs to: `dx-pkg-core`, `xtask`.
    pub(crate) fn package(&self) -> &str {
        let path = self.path.strip_prefix("crates/").unwrap_or(&self.path);
        path.split('/').next().unwrap_or_default()
    }

    /// The lines that are not tests, with their numbers counted from 1.
    pub(crate) fn code_outside_tests(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.code.iter().zip(&self.test).enumerate();
        lines.filter(|(_, (_, test))| !**test).map(|(index, (line, _))| (index + 1, line.as_str()))
    }

    /// Every function that has a body.
    pub(crate) fn functions(&self) -> Vec<Function> {
        let mut functions = Vec::new();
        for (index, line) in self.code.iter().enumerate() {
            for at in word_positions(line, "fn") {
                let name: String =
                    line[at + 2..].trim_start().chars().take_while(|c| is_word(*c)).collect();
                if !name.is_empty()
                    && let Some(end) = block_end(&self.code, index, at)
                {
                    functions.push(Function { name, line: index + 1, lines: end - index + 1 });
                }
            }
        }
        functions
    }
}

/// Returns whether a character may be part of an identifier.
pub(crate) fn is_word(char: char) -> bool {
    char.is_alphanumeric() || char == '_'
}

/// Returns the positions of a word in a line, in bytes, where it is not part of another.
pub(crate) fn word_positions(line: &str, word: &str) -> Vec<usize> {
    line.match_indices(word)
        .map(|(at, _)| at)
        .filter(|at| {
            let before = line[..*at].chars().next_back();
            let after = line[at + word.len()..].chars().next();
            !before.is_some_and(is_word) && !after.is_some_and(is_word)
        })
        .collect()
}

/// The line (from 0) of the brace that closes the first block opened after a position; `None` when
/// a `;` outside brackets comes first: a declaration without a body.
fn block_end(code: &[String], line: usize, column: usize) -> Option<usize> {
    let (mut braces, mut brackets) = (0usize, 0usize);
    for (index, text) in code.iter().enumerate().skip(line) {
        let from = if index == line { column } else { 0 };
        for char in text[from..].chars() {
            match char {
                '(' | '[' => brackets += 1,
                ')' | ']' => brackets = brackets.saturating_sub(1),
                ';' if braces == 0 && brackets == 0 => return None,
                '{' => braces += 1,
                '}' => {
                    braces = braces.saturating_sub(1);
                    if braces == 0 {
                        return Some(index);
                    }
                }
                _ => {}
            }
        }
    }
    None
}

/// Marks whole test files, and items after `#[cfg(test)]`.
fn test_lines(path: &str, code: &[String]) -> Vec<bool> {
    let file = path.split('/').any(|part| matches!(part, "tests" | "benches" | "tests.rs"));
    let mut test = vec![file; code.len()];
    for (index, line) in code.iter().enumerate() {
        if let Some(at) = line.find("#[cfg(test)]") {
            let after = at + "#[cfg(test)]".len();
            let end = block_end(code, index, after).unwrap_or(index + 1);
            let last = end.min(code.len().saturating_sub(1));
            test[index..=last].fill(true);
        }
    }
    test
}

/// Replaces comments and literals by spaces; returns the code, and the string literals with their
/// lines.
fn blank(text: &str) -> (String, Vec<(usize, String)>) {
    let mut code = String::with_capacity(text.len());
    let mut strings = Vec::new();
    let mut rest = text;
    let mut previous = ' ';
    while let Some(char) = rest.chars().next() {
        let length = literal_length(rest, previous);
        if length == 0 {
            code.push(char);
            previous = char;
            rest = &rest[char.len_utf8()..];
            continue;
        }
        let (literal, after) = rest.split_at(length);
        if let (Some(open), Some(close)) = (literal.find('"'), literal.rfind('"'))
            && !literal.starts_with('/')
            && open < close
        {
            let line = code.matches('\n').count() + 1;
            strings.push((line, literal[open + 1..close].to_owned()));
        }
        code.extend(literal.chars().map(|char| if char == '\n' { '\n' } else { ' ' }));
        previous = ' ';
        rest = after;
    }
    (code, strings)
}

/// The length in bytes of the comment, string or character a text begins with; 0 when it begins
/// with code.
fn literal_length(text: &str, previous: char) -> usize {
    if text.starts_with("//") {
        return text.find('\n').unwrap_or(text.len());
    }
    if text.starts_with("/*") {
        return block_comment_length(text);
    }
    if text.starts_with('\'') {
        return character_length(text);
    }
    if is_word(previous) {
        return 0;
    }
    let prefix = text.len() - text.trim_start_matches(['b', 'c', 'r']).len();
    let after = &text[prefix..];
    if prefix > 0 && text[..prefix].contains('r') {
        let hashes = after.len() - after.trim_start_matches('#').len();
        if prefix <= 2 && after[hashes..].starts_with('"') {
            let close = format!("\"{}", "#".repeat(hashes));
            let from = hashes + 1;
            return after[from..]
                .find(&close)
                .map_or(text.len(), |at| prefix + from + at + close.len());
        }
    }
    if prefix <= 1 && after.starts_with('"') { prefix + quoted_length(after) } else { 0 }
}

fn block_comment_length(text: &str) -> usize {
    let mut depth = 0usize;
    let mut at = 0;
    while at < text.len() {
        if text[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if text[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// A character literal's length; 0 for a lifetime.
fn character_length(text: &str) -> usize {
    let mut chars = text.char_indices().skip(1);
    match chars.next() {
        Some((_, '\\')) => {
            chars.next();
            chars.find(|(_, char)| *char == '\'').map_or(0, |(at, _)| at + 1)
        }
        Some((at, char)) if text[at + char.len_utf8()..].starts_with('\'') => {
            at + char.len_utf8() + 1
        }
        _ => 0,
    }
}

fn quoted_length(text: &str) -> usize {
    let mut escaped = false;
    for (at, char) in text.char_indices().skip(1) {
        match char {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

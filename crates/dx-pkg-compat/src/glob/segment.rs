//! One segment of a pattern, matched against one name: `*`, `?`, `[a-z]` and `@(a|b)` with its
//! kin, by the rules of npm's library `minimatch`.
//!
//! Matching follows all ways at once, as a set of positions, so that no pattern takes long.

/// One segment of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Segment {
    /// `**`: any number of folders.
    Any,
    /// A name as it is.
    Literal(String),
    /// A name with special characters.
    Pattern(Wildcards),
}

/// The parts of a segment with special characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wildcards(Vec<Token>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Char(char),
    /// `?`
    One,
    /// `*`
    Many,
    /// `[a-z]`, and whether it begins with `!` or `^`.
    Class(Vec<Item>, bool),
    /// `@(a|b)`, with the character before the parenthesis.
    Group(char, Vec<Vec<Token>>),
}

/// A part of a class.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Item {
    Range(char, char),
    /// `[:alpha:]`
    Named(&'static str),
}

/// The names of [`Item::Named`].
const CLASSES: [&str; 14] = [
    "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct",
    "space", "upper", "word", "xdigit",
];

impl Segment {
    /// Parses a segment. A backslash takes its meaning from the character after it.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        if text == "**" {
            return Segment::Any;
        }
        let characters: Vec<char> = text.chars().collect();
        let tokens = parse(&characters);
        let literal = tokens.iter().map(|token| match token {
            Token::Char(character) => Some(*character),
            _ => None,
        });
        match literal.collect() {
            Some(literal) => Segment::Literal(literal),
            None => Segment::Pattern(Wildcards(tokens)),
        }
    }

    /// Returns whether the segment matches a name; with `hidden`, wildcards match a dot at its
    /// beginning too.
    #[must_use]
    pub fn matches(&self, name: &str, hidden: bool) -> bool {
        match self {
            Segment::Any => hidden || !name.starts_with('.'),
            Segment::Literal(text) => text == name,
            Segment::Pattern(Wildcards(tokens)) => {
                let name: Vec<char> = name.chars().collect();
                let matcher = Matcher { name: &name, hidden };
                matcher.ends(tokens, &[], &[0]).contains(&name.len())
            }
        }
    }
}

fn parse(text: &[char]) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(character) = text.get(at) {
        let special = match character {
            '[' => class(&text[at..]),
            '?' | '*' | '+' | '@' | '!' => group(&text[at..]),
            '\\' => text.get(at + 1).map(|escaped| (Token::Char(*escaped), 2)),
            _ => None,
        };
        let (token, length) = special.unwrap_or(match character {
            '?' => (Token::One, 1),
            '*' => (Token::Many, 1),
            other => (Token::Char(*other), 1),
        });
        tokens.push(token);
        at += length;
    }
    tokens
}

/// Parses `@(a|b)` at the beginning of a text; `None` where nothing closes it.
fn group(text: &[char]) -> Option<(Token, usize)> {
    if text.get(1) != Some(&'(') {
        return None;
    }
    let mut alternatives = Vec::new();
    let (mut depth, mut from) = (0, 2);
    for (at, character) in text.iter().enumerate().skip(1) {
        match character {
            '(' => depth += 1,
            '|' if depth == 1 => {
                alternatives.push(parse(&text[from..at]));
                from = at + 1;
            }
            ')' if depth == 1 => {
                alternatives.push(parse(&text[from..at]));
                return Some((Token::Group(text[0], alternatives), at + 1));
            }
            ')' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// Parses `[a-z]` at the beginning of a text; `None` where nothing closes it.
fn class(text: &[char]) -> Option<(Token, usize)> {
    let negated = matches!(text.get(1), Some('!' | '^'));
    let first = if negated { 2 } else { 1 };
    let mut items = Vec::new();
    let mut at = first;
    loop {
        let character = *text.get(at)?;
        if character == ']' && at > first {
            return Some((Token::Class(items, negated), at + 1));
        }
        if let Some(name) = class_name(&text[at..]) {
            items.push(Item::Named(name));
            at += name.len() + 4;
        } else if text.get(at + 1) == Some(&'-') && text.get(at + 2).is_some_and(|end| *end != ']')
        {
            items.push(Item::Range(character, text[at + 2]));
            at += 3;
        } else {
            items.push(Item::Range(character, character));
            at += 1;
        }
    }
}

/// Returns the name in `[:alpha:]` at the beginning of a text; other brackets are themselves.
fn class_name(text: &[char]) -> Option<&'static str> {
    let begins_with = |name: &&str| {
        let spelled = "[:".chars().chain(name.chars()).chain(":]".chars());
        spelled.eq(text.iter().copied().take(name.len() + 4))
    };
    CLASSES.into_iter().find(begins_with)
}

impl Item {
    fn contains(&self, character: char) -> bool {
        match self {
            Item::Range(from, to) => (*from..=*to).contains(&character),
            Item::Named(name) => match *name {
                "alnum" => character.is_alphanumeric(),
                "alpha" => character.is_alphabetic(),
                "ascii" => character.is_ascii(),
                "blank" => matches!(character, ' ' | '\t'),
                "cntrl" => character.is_control(),
                "digit" => character.is_numeric(),
                "graph" => !character.is_control() && !character.is_whitespace(),
                "lower" => character.is_lowercase(),
                "print" => !character.is_control(),
                "punct" => character.is_ascii_punctuation(),
                "space" => character.is_whitespace(),
                "upper" => character.is_uppercase(),
                "word" => character.is_alphanumeric() || character == '_',
                "xdigit" => character.is_ascii_hexdigit(),
                _ => false,
            },
        }
    }
}

struct Matcher<'m> {
    name: &'m [char],
    hidden: bool,
}

impl Matcher<'_> {
    /// Returns the positions in the name at which a match of `tokens` can end that begins at one of
    /// `starts`. `after` are the tokens behind these, innermost last.
    fn ends(&self, tokens: &[Token], after: &[&[Token]], starts: &[usize]) -> Vec<usize> {
        let mut positions = starts.to_vec();
        for (at, token) in tokens.iter().enumerate() {
            let mut next = Vec::new();
            let rest = [after, &[&tokens[at + 1..]]].concat();
            match token {
                Token::Group(kind, alternatives) => {
                    next = self.group(*kind, alternatives, &rest, &positions);
                }
                Token::Many => {
                    let open = positions.iter().filter(|position| self.takes_any(**position));
                    next.extend(open.flat_map(|position| *position..=self.name.len()));
                }
                token => next.extend(
                    positions
                        .iter()
                        .filter(|position| self.takes(token, **position))
                        .map(|position| position + 1),
                ),
            }
            next.sort_unstable();
            next.dedup();
            positions = next;
        }
        positions
    }

    fn group(
        &self,
        kind: char,
        alternatives: &[Vec<Token>],
        rest: &[&[Token]],
        starts: &[usize],
    ) -> Vec<usize> {
        let once = |starts: &[usize]| -> Vec<usize> {
            alternatives.iter().flat_map(|tokens| self.ends(tokens, rest, starts)).collect()
        };
        match kind {
            '!' => starts
                .iter()
                .filter(|start| self.takes_any(**start) && !self.can_end(once(&[**start]), rest))
                .flat_map(|start| *start..=self.name.len())
                .collect(),
            '*' | '+' => {
                let mut found: Vec<usize> = if kind == '*' { starts.to_vec() } else { Vec::new() };
                let mut new = once(starts);
                while !new.is_empty() {
                    new.retain(|end| !found.contains(end));
                    new.sort_unstable();
                    new.dedup();
                    found.extend(&new);
                    new = once(&new);
                }
                found
            }
            '?' => [starts.to_vec(), once(starts)].concat(),
            _ => once(starts),
        }
    }

    /// Returns whether the tokens behind can match from one of `starts` to the end of the name.
    fn can_end(&self, starts: Vec<usize>, rest: &[&[Token]]) -> bool {
        // As `minimatch` has it, a star that is the whole rest takes at least one character.
        if rest.concat() == [Token::Many] {
            return starts.iter().any(|start| *start < self.name.len());
        }
        let mut positions = starts;
        for depth in (0..rest.len()).rev() {
            positions = self.ends(rest[depth], &rest[..depth], &positions);
        }
        positions.contains(&self.name.len())
    }

    fn takes(&self, token: &Token, position: usize) -> bool {
        let Some(character) = self.name.get(position) else { return false };
        match token {
            Token::Char(wanted) => wanted == character,
            Token::One => self.takes_any(position),
            Token::Class(items, negated) => {
                self.takes_any(position)
                    && items.iter().any(|item| item.contains(*character)) != *negated
            }
            Token::Many | Token::Group(..) => false,
        }
    }

    /// Returns whether a wildcard takes the character at `position`: a dot at the beginning hides a
    /// name from it.
    fn takes_any(&self, position: usize) -> bool {
        position > 0 || self.hidden || self.name.first() != Some(&'.')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_in_a_class_are_read_as_minimatch_reads_them() {
        let names = ["a", "x", "[", ":", "1", "n", "]", "n]", "[a", ":]", "[:]"];
        let expected: [(&str, &[&str]); 10] = [
            ("[[:]", &["[", ":"]),
            ("[a[:]", &["a", "[", ":"]),
            ("[[:a:]", &["a", "[", ":"]),
            ("[[:alpha:]]", &["a", "x", "n"]),
            ("[[:digit:]x]", &["x", "1"]),
            ("[![:]", &["a", "x", "1", "n", "]"]),
            ("[:]", &[":"]),
            ("[[:nope:]]", &["n]", ":]"]),
            ("[[:alpha:]", &["[a"]),
            ("[[::]]", &[":]"]),
        ];
        for (pattern, wanted) in expected {
            let segment = Segment::parse(pattern);
            let found: Vec<&str> =
                names.into_iter().filter(|name| segment.matches(name, false)).collect();
            assert_eq!(found, wanted, "{pattern}");
        }
    }
}

//! The words of a query: npm's selectors, which are written like those of CSS.
//!
//! ```text
//! query    = selector *( "," selector )
//! selector = 1*( part / combinator )
//! part     = "*" / "#" name / "." kind / "[" attribute "]" / ":" name [ "(" arguments ")" ]
//! ```

use super::QueryError;

/// A sequence of parts, each of which narrows what those before it found.
pub(super) type Selector = Vec<Part>;

/// A part of a selector.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Part {
    /// Any package.
    Any,
    /// Packages of a name.
    Name(String),
    /// Packages of a kind of dependency.
    Kind(String),
    /// Packages whose manifest has a member.
    Member(Matcher),
    /// What stands between packages: ` `, `>`, `~` or `+`.
    Between(char),
    /// A word behind a colon, with its arguments as text.
    Pseudo(String, Option<Vec<String>>),
}

/// What a member of an object must be.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Matcher {
    pub(super) member: String,
    /// `=`, `~=`, `*=`, `|=`, `^=` or `$=`; empty where the member has to be there only.
    pub(super) operator: String,
    pub(super) value: String,
    pub(super) ignores_case: bool,
}

/// A way through an object, and what is at its end.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Path {
    pub(super) steps: Vec<Step>,
    pub(super) matcher: Matcher,
}

/// A step through an object.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Step {
    Member(String),
    /// Into each item of a list.
    Items,
}

/// Parses a query; none has no selectors.
pub(super) fn parse(query: &str) -> Result<Vec<Selector>, QueryError> {
    if query.is_empty() {
        return Ok(Vec::new());
    }
    split(query)?.iter().map(|text| selector(text)).collect()
}

/// Splits at commas that stand in no brackets and quotes, and trims the parts.
pub(super) fn split(text: &str) -> Result<Vec<String>, QueryError> {
    let mut parts = vec![String::new()];
    let (mut depth, mut quote, mut is_escaped) = (0usize, None, false);
    for character in text.chars() {
        let is_plain = !is_escaped && quote.is_none();
        if !is_escaped && matches!(character, '"' | '\'') {
            quote = match quote {
                None => Some(character),
                Some(open) if open == character => None,
                open => open,
            };
        }
        if is_plain {
            match character {
                '(' | '[' => depth += 1,
                ')' | ']' => {
                    let unbalanced = || QueryError::Unreadable { text: text.to_owned() };
                    depth = depth.checked_sub(1).ok_or_else(unbalanced)?;
                }
                ',' if depth == 0 => {
                    parts.push(String::new());
                    continue;
                }
                _ => {}
            }
        }
        is_escaped = character == '\\' && !is_escaped;
        if let Some(last) = parts.last_mut() {
            last.push(character);
        }
    }
    let parts: Vec<String> = parts.iter().map(|part| part.trim().to_owned()).collect();
    if depth > 0 || quote.is_some() || parts.iter().any(String::is_empty) {
        return Err(QueryError::Unreadable { text: text.to_owned() });
    }
    Ok(parts)
}

/// A place in a text.
struct Reader<'t> {
    text: &'t str,
    rest: &'t str,
}

impl<'t> Reader<'t> {
    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn skip(&mut self, bytes: usize) -> &'t str {
        let (taken, rest) = self.rest.split_at(bytes);
        self.rest = rest;
        taken
    }

    fn error(&self) -> QueryError {
        QueryError::Unreadable { text: self.text.to_owned() }
    }

    /// Takes a name: letters, digits and whatever names of packages have, but for dots.
    fn name(&mut self) -> Result<String, QueryError> {
        let mut name = String::new();
        let mut is_escaped = false;
        let mut taken = 0;
        for character in self.rest.chars() {
            let is_part = is_escaped
                || character.is_alphanumeric()
                || matches!(character, '-' | '_' | '@' | '/' | '\\' | '%' | '^' | '!')
                || !character.is_ascii();
            if !is_part {
                break;
            }
            taken += character.len_utf8();
            if character == '\\' && !is_escaped {
                is_escaped = true;
                continue;
            }
            is_escaped = false;
            name.push(character);
        }
        self.skip(taken);
        if name.is_empty() { Err(self.error()) } else { Ok(name) }
    }

    /// Takes what stands in a pair of brackets, with those brackets before it taken already.
    fn inside(&mut self, open: char, close: char) -> Result<&'t str, QueryError> {
        let (mut depth, mut quote, mut is_escaped) = (1usize, None, false);
        for (at, character) in self.rest.char_indices() {
            if is_escaped {
                is_escaped = false;
                continue;
            }
            match (character, quote) {
                ('\\', _) => is_escaped = true,
                ('"' | '\'', None) => quote = Some(character),
                (character, Some(open)) if character == open => quote = None,
                (character, None) if character == open => depth += 1,
                (character, None) if character == close => {
                    depth -= 1;
                    if depth == 0 {
                        let inside = self.skip(at);
                        self.skip(close.len_utf8());
                        return Ok(inside);
                    }
                }
                _ => {}
            }
        }
        Err(self.error())
    }
}

fn selector(text: &str) -> Result<Selector, QueryError> {
    let mut reader = Reader { text, rest: text.trim() };
    let mut parts: Selector = Vec::new();
    while let Some(character) = reader.peek() {
        let part = match character {
            ' ' | '\t' | '\n' | '\r' => {
                let spaces = reader.rest.len() - reader.rest.trim_start().len();
                reader.skip(spaces);
                let is_between = !matches!(reader.peek(), None | Some('>' | '~' | '+'))
                    && !matches!(parts.last(), None | Some(Part::Between(_)));
                if !is_between {
                    continue;
                }
                Part::Between(' ')
            }
            '>' | '~' | '+' => {
                reader.skip(1);
                Part::Between(character)
            }
            '*' => {
                reader.skip(1);
                Part::Any
            }
            '#' => {
                reader.skip(1);
                Part::Name(reader.name()?)
            }
            '.' => {
                reader.skip(1);
                Part::Kind(reader.name()?)
            }
            '[' => {
                reader.skip(1);
                Part::Member(matcher(reader.inside('[', ']')?, &reader)?)
            }
            ':' => {
                reader.skip(1);
                let name = reader.name()?;
                let arguments = if reader.peek() == Some('(') {
                    reader.skip(1);
                    let inside = reader.inside('(', ')')?.trim();
                    Some(if inside.is_empty() { Vec::new() } else { split(inside)? })
                } else {
                    None
                };
                Part::Pseudo(name, arguments)
            }
            _ => return Err(QueryError::NoSelector { word: reader.rest.to_owned() }),
        };
        parts.push(part);
    }
    Ok(parts)
}

/// Reads what stands in square brackets.
fn matcher(text: &str, reader: &Reader<'_>) -> Result<Matcher, QueryError> {
    let text = text.trim();
    let Some(equals) = text.find('=') else {
        return Ok(Matcher { member: unescaped(text), ..Matcher::default() });
    };
    let (left, right) = (&text[..equals], text[equals + 1..].trim());
    let has_sign = left.ends_with(['~', '*', '|', '^', '$']);
    let (left, sign) = if has_sign { left.split_at(left.len() - 1) } else { (left, "") };
    let mut rest = right;
    let value = match right.chars().next() {
        Some(quote @ ('"' | '\'')) => {
            let inner = &right[1..];
            let mut is_escaped = false;
            let end = inner.find(|character: char| {
                let is_end = character == quote && !is_escaped;
                is_escaped = character == '\\' && !is_escaped;
                is_end
            });
            let end = end.ok_or_else(|| reader.error())?;
            rest = &inner[end + 1..];
            unescaped(&inner[..end])
        }
        _ => {
            let end = right.find(char::is_whitespace).unwrap_or(right.len());
            rest = &rest[end..];
            unescaped(&right[..end])
        }
    };
    let ignores_case = rest.trim().eq_ignore_ascii_case("i");
    if !rest.trim().is_empty() && !ignores_case && !rest.trim().eq_ignore_ascii_case("s") {
        return Err(reader.error());
    }
    let operator = format!("{sign}=");
    Ok(Matcher { member: unescaped(left.trim()), operator, value, ignores_case })
}

/// Returns a text without the backslashes that protect characters.
fn unescaped(text: &str) -> String {
    let mut is_escaped = false;
    let keep = |character: &char| {
        is_escaped = *character == '\\' && !is_escaped;
        !is_escaped
    };
    text.chars().filter(keep).collect()
}

/// Reads the arguments of `:attr`: names of members, with a matcher or another `:attr` at the end.
pub(super) fn path(arguments: &[String]) -> Result<Path, QueryError> {
    let no_matcher = || QueryError::NoMatcher;
    let (last, names) = arguments.split_last().ok_or_else(no_matcher)?;
    let mut path = Path::default();
    for name in names {
        if !name.starts_with(['[', ':']) {
            path.steps.push(Step::Member(unescaped(name)));
        }
    }
    match selector(last)?.as_slice() {
        [Part::Member(matcher)] => path.matcher = matcher.clone(),
        [Part::Pseudo(name, Some(inner))] if name == "attr" => {
            let inner = self::path(inner)?;
            path.steps.push(Step::Items);
            path.steps.extend(inner.steps);
            path.matcher = inner.matcher;
        }
        _ => return Err(no_matcher()),
    }
    Ok(path)
}

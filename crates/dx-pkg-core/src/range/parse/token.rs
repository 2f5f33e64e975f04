//! The parser of the space-separated tokens of an alternative.

use super::grammar::{self, Parts, is_wildcard};
use super::{Comparator, Mode, Operator, TooLarge};
use crate::Version;
use crate::version::{MAX_LENGTH, MAX_NUMBER};

/// The comparators of one alternative, while its tokens are parsed.
pub(super) struct Tokens {
    mode: Mode,
    comparators: Vec<Comparator>,
}

impl Tokens {
    pub(super) fn new(mode: Mode) -> Self {
        Self { mode, comparators: Vec::with_capacity(2) }
    }

    pub(super) fn read_all(mut self, text: &str) -> Result<Vec<Comparator>, TooLarge> {
        let mut tokens = text.split(' ').peekable();
        let mut is_first = true;
        while let Some(token) = tokens.next() {
            let at_edge = is_first || tokens.peek().is_none();
            // npm drops a `*` between other tokens, which matters where those cannot be parsed.
            if self.read(token)? == Read::Anything && at_edge {
                self.comparators.push(Comparator::any());
            }
            is_first = false;
        }
        Ok(self.comparators)
    }

    fn read(&mut self, token: &str) -> Result<Read, TooLarge> {
        if let Some(rest) = token.strip_prefix('^') {
            return grammar::partial(grammar::skip_prefix(rest))
                .map_or(Ok(Read::Nothing), |parts| self.caret(parts));
        }
        if let Some(rest) = token.strip_prefix('~') {
            let rest = rest.strip_prefix('>').unwrap_or(rest);
            return grammar::partial(grammar::skip_prefix(rest))
                .map_or(Ok(Read::Nothing), |parts| self.tilde(parts));
        }
        let (operator, rest) = split_operator(token);
        match grammar::partial(grammar::skip_prefix(rest)) {
            Some(parts) if parts.is_complete() => self.comparison(operator, rest, parts),
            Some(parts) if !has_number_after_wildcard(parts) => self.x_range(operator, parts),
            _ => self.without_star(token),
        }
    }

    /// Adds `^1.2.3`: the versions with the same first number that is not zero.
    fn caret(&mut self, parts: Parts<'_>) -> Result<Read, TooLarge> {
        let Parts { major, minor, patch, .. } = parts;
        if is_wildcard(major) || is_wildcard(minor) || (is_wildcard(patch) && major == "0") {
            return self.tilde(parts);
        }
        self.at_least(parts)?;
        match (major, minor) {
            ("0", "0") => self.below(0, 0, raise(patch)?),
            ("0", _) => self.below(0, raise(minor)?, 0),
            _ => self.below(raise(major)?, 0, 0),
        }
    }

    /// Adds `~1.2.3` or `1.2.x`: the versions with the same minor number, or the same major if
    /// there is no minor.
    fn tilde(&mut self, parts: Parts<'_>) -> Result<Read, TooLarge> {
        let Parts { major, minor, .. } = parts;
        if is_wildcard(major) {
            return Ok(Read::Anything);
        }
        self.at_least(parts)?;
        if is_wildcard(minor) {
            self.below(raise(major)?, 0, 0)
        } else {
            self.below(number(major)?, raise(minor)?, 0)
        }
    }

    /// Adds `1.x`, `>1.2` or `*`: a comparison with a version that has a wildcard.
    fn x_range(&mut self, operator: Operator, parts: Parts<'_>) -> Result<Read, TooLarge> {
        let Parts { major, minor, .. } = parts;
        if is_wildcard(major) {
            return match operator {
                Operator::Greater | Operator::Less => Ok(self.push(Comparator::none())),
                _ => Ok(Read::Anything),
            };
        }
        let following = || -> Result<(u64, u64), TooLarge> {
            Ok(if is_wildcard(minor) {
                (raise(major)?, 0)
            } else {
                (number(major)?, raise(minor)?)
            })
        };
        match operator {
            Operator::Any | Operator::Equal => self.tilde(parts),
            Operator::GreaterOrEqual => self.at_least(parts),
            Operator::Less if is_wildcard(minor) => self.below(number(major)?, 0, 0),
            Operator::Less => self.below(number(major)?, number(minor)?, 0),
            Operator::LessOrEqual => {
                let (major, minor) = following()?;
                self.below(major, minor, 0)
            }
            Operator::Greater => {
                let (major, minor) = following()?;
                let bound = match self.mode {
                    Mode::Plain => Version::new(major, minor, 0),
                    Mode::IncludingPrerelease => Version::first_prerelease(major, minor, 0),
                };
                Ok(self.push(Comparator::new(Operator::GreaterOrEqual, bound)))
            }
        }
    }

    /// Adds a comparison with a complete version; `rest` is its text, with the prefix that loose
    /// mode ignores.
    fn comparison(
        &mut self,
        operator: Operator,
        rest: &str,
        parts: Parts<'_>,
    ) -> Result<Read, TooLarge> {
        if operator == Operator::GreaterOrEqual && rest.starts_with('0') {
            return self.at_least(parts);
        }
        if rest.len() > MAX_LENGTH {
            return Err(TooLarge);
        }
        let operator = if operator == Operator::Any { Operator::Equal } else { operator };
        let bound = Version::from_parts(&parts).ok_or(TooLarge)?;
        Ok(self.push(Comparator::new(operator, bound)))
    }

    /// Reads a token that npm could not expand. Without its first `*` and the operator before that
    /// it may be a comparison, or empty, which means any version; otherwise it is dropped.
    fn without_star(&mut self, token: &str) -> Result<Read, TooLarge> {
        if token.is_empty() {
            return Ok(Read::Anything);
        }
        let Some((before, after)) = token.split_once('*') else {
            return Ok(Read::Nothing);
        };
        let before = before.strip_suffix('=').unwrap_or(before);
        let before = before.strip_suffix(['<', '>']).unwrap_or(before);
        let token = [before, after].concat();
        let (operator, rest) = split_operator(&token);
        match grammar::partial(grammar::skip_prefix(rest)) {
            Some(parts) if parts.is_complete() => self.comparison(operator, rest, parts),
            _ => Ok(Read::Nothing),
        }
    }

    /// Adds an inclusive lower bound, with zeros for wildcards. A bound that is below every version
    /// becomes `*`.
    fn at_least(&mut self, mut parts: Parts<'_>) -> Result<Read, TooLarge> {
        let is_partial = is_wildcard(parts.minor) || is_wildcard(parts.patch);
        if is_wildcard(parts.minor) {
            parts.minor = "0";
        }
        if is_partial {
            parts.patch = "0";
            parts.prerelease = self.mode.first_identifier();
        }
        if parts
            == (Parts {
                major: "0",
                minor: "0",
                patch: "0",
                prerelease: self.mode.first_identifier(),
            })
        {
            return Ok(self.push(Comparator::any()));
        }
        if parts.printed_length() > MAX_LENGTH {
            return Err(TooLarge);
        }
        let bound = Version::from_parts(&parts).ok_or(TooLarge)?;
        Ok(self.push(Comparator::new(Operator::GreaterOrEqual, bound)))
    }

    /// Adds the upper bound before the first prerelease of a release.
    fn below(&mut self, major: u64, minor: u64, patch: u64) -> Result<Read, TooLarge> {
        Ok(self
            .push(Comparator::new(Operator::Less, Version::first_prerelease(major, minor, patch))))
    }

    fn push(&mut self, comparator: Comparator) -> Read {
        self.comparators.push(comparator);
        Read::Comparators
    }
}

/// The result of reading a token.
#[derive(PartialEq, Eq)]
enum Read {
    /// Comparators, already added.
    Comparators,
    /// Any version.
    Anything,
    /// Nothing, because it cannot be read.
    Nothing,
}

/// Splits `<`, `>`, `=`, `<=` or `>=` off a token.
fn split_operator(token: &str) -> (Operator, &str) {
    let (operator, length) = match token.as_bytes() {
        [b'<', b'=', ..] => (Operator::LessOrEqual, 2),
        [b'>', b'=', ..] => (Operator::GreaterOrEqual, 2),
        [b'<', ..] => (Operator::Less, 1),
        [b'>', ..] => (Operator::Greater, 1),
        [b'=', ..] => (Operator::Equal, 1),
        _ => (Operator::Any, 0),
    };
    (operator, &token[length..])
}

/// Returns whether a number follows a wildcard, as in `x.1` or `1.x.3`, which npm does not read
/// outside `^` and `~`.
fn has_number_after_wildcard(parts: Parts<'_>) -> bool {
    (is_wildcard(parts.major) && !is_wildcard(parts.minor))
        || (is_wildcard(parts.minor) && !is_wildcard(parts.patch))
}

fn number(digits: &str) -> Result<u64, TooLarge> {
    grammar::number(digits).ok_or(TooLarge)
}

/// Returns the number after this one.
///
/// From 10^21 on npm prints such a number with an exponent and misreads it; here, as below that,
/// the range is refused.
pub(super) fn raise(digits: &str) -> Result<u64, TooLarge> {
    let number = number(digits)?;
    if number < MAX_NUMBER { Ok(number + 1) } else { Err(TooLarge) }
}

//! The parser of ranges: from text to comparators.
//!
//! npm's package rewrites the text step by step with regular expressions, and in loose mode drops
//! the parts it cannot read, so the meaning of a range follows from those steps. This parser takes
//! the same steps in the same order, without regular expressions. A step with nothing to rewrite
//! costs a scan for its first character.

mod token;
mod trim;

use std::borrow::Cow;
use std::collections::HashSet;

use super::comparator::{Comparator, Operator};
use super::{RangeError, grammar};
use grammar::{Parts, is_wildcard};
use token::{Tokens, raise};

/// The two ways npm reads a range.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Plain,
    /// npm's `includePrerelease`: a lower bound completed from a partial version begins at its
    /// first prerelease.
    IncludingPrerelease,
}

/// A version in the range that npm refuses to read; it makes the whole range unreadable.
pub(super) struct TooLarge;

/// Parses a range whose runs of space are collapsed.
pub(super) fn alternatives(text: &str, mode: Mode) -> Result<Box<[Comparator]>, RangeError> {
    let read = |alternative: &str| {
        let mut set = comparators(alternative.trim_matches(' '), mode)
            .map_err(|TooLarge| RangeError::VersionTooLarge { text: text.into() })?;
        if let Some(first) = set.first_mut() {
            first.opens = true;
        }
        Ok(set)
    };
    let comparators = if text.contains('|') {
        let mut sets = text.split("||").map(read).collect::<Result<Vec<_>, _>>()?;
        sets.retain(|set| !set.is_empty());
        without_redundant(sets).into_iter().flatten().collect()
    } else {
        read(text)?
    };
    if comparators.is_empty() {
        return Err(RangeError::Malformed { text: text.into() });
    }
    Ok(comparators.into())
}

/// Drops alternatives that nothing satisfies, unless all are such, and all others if one is `*`.
fn without_redundant(mut sets: Vec<Vec<Comparator>>) -> Vec<Vec<Comparator>> {
    if sets.len() < 2 {
        return sets;
    }
    if sets.iter().all(|set| set[0].is_none()) {
        sets.truncate(1);
        return sets;
    }
    sets.retain(|set| !set[0].is_none());
    let is_any = |set: &Vec<Comparator>| set.len() == 1 && set[0].operator == Operator::Any;
    if let Some(any) = sets.iter().position(is_any) {
        return vec![sets.swap_remove(any)];
    }
    sets
}

/// Parses one alternative; the result is empty if nothing in it can be parsed.
fn comparators(text: &str, mode: Mode) -> Result<Vec<Comparator>, TooLarge> {
    let mut text = trim::without_build(text);
    if text.contains(' ') {
        if let Some(rewritten) = hyphen(&text, mode)? {
            text = Cow::Owned(rewritten);
        }
        text = trim::without_space_after_operators(text);
    }
    let mut comparators = Tokens::new(mode).read_all(&text)?;
    if let Some(none) = comparators.iter().position(Comparator::is_none) {
        return Ok(vec![comparators.swap_remove(none)]);
    }
    drop_repeated(&mut comparators);
    if comparators.len() > 1 {
        comparators.retain(|comparator| comparator.operator != Operator::Any);
    }
    Ok(comparators)
}

/// Drops comparators that are the same as an earlier one, in time that grows as the list does.
fn drop_repeated(comparators: &mut Vec<Comparator>) {
    if comparators.len() < 2 {
        return;
    }
    let mut seen = HashSet::with_capacity(comparators.len());
    let are_new: Vec<bool> =
        comparators.iter().map(|one| seen.insert((one.operator, &one.bound))).collect();
    let mut are_new = are_new.into_iter();
    comparators.retain(|_| are_new.next().unwrap_or(true));
}

/// Rewrites `1.2 - 3.4` to `>=1.2.0 <3.5.0-0`.
fn hyphen(text: &str, mode: Mode) -> Result<Option<String>, TooLarge> {
    let Some((from, to)) = text.split_once(" - ") else {
        return Ok(None);
    };
    let from = from.trim_start_matches(' ');
    let to = to.strip_suffix(' ').unwrap_or(to);
    let parts = |text| grammar::partial(grammar::skip_prefix(text));
    let (Some(from_parts), Some(to_parts)) = (parts(from), parts(to)) else {
        return Ok(None);
    };
    let from = hyphen_from(from, from_parts, mode);
    let to = hyphen_to(to, to_parts, mode)?;
    Ok(Some(format!("{from} {to}").trim_matches(' ').to_owned()))
}

fn hyphen_from(text: &str, parts: Parts<'_>, mode: Mode) -> String {
    let Parts { major, minor, .. } = parts;
    let first = if mode == Mode::Plain { "" } else { "-0" };
    if is_wildcard(major) {
        String::new()
    } else if is_wildcard(minor) {
        format!(">={major}.0.0{first}")
    } else if is_wildcard(parts.patch) {
        format!(">={major}.{minor}.0{first}")
    } else if parts.prerelease.is_empty() {
        format!(">={text}{first}")
    } else {
        format!(">={text}")
    }
}

fn hyphen_to(text: &str, parts: Parts<'_>, mode: Mode) -> Result<String, TooLarge> {
    let Parts { major, minor, patch, prerelease } = parts;
    Ok(if is_wildcard(major) {
        String::new()
    } else if is_wildcard(minor) {
        format!("<{}.0.0-0", raise(major)?)
    } else if is_wildcard(patch) {
        format!("<{major}.{}.0-0", raise(minor)?)
    } else if !prerelease.is_empty() {
        format!("<={major}.{minor}.{patch}-{prerelease}")
    } else if mode == Mode::IncludingPrerelease {
        format!("<{major}.{minor}.{}-0", raise(patch)?)
    } else {
        format!("<={text}")
    })
}

impl Mode {
    /// Returns the prerelease at which a lower bound begins where the range gives none.
    const fn first_identifier(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::IncludingPrerelease => "0",
        }
    }
}

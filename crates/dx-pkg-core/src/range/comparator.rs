//! A single comparison of a range, such as `>=1.2.3`.

use std::fmt;

use crate::{Identifier, Version};

/// The comparison of a version with the bound.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Operator {
    /// Any version; the bound is ignored.
    Any,
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// An operator and its bound.
#[derive(Clone, Debug)]
pub(crate) struct Comparator {
    pub(crate) operator: Operator,
    pub(crate) bound: Version,
    /// Whether this is the first comparator of an alternative, the others being joined by `||`.
    pub(crate) opens: bool,
}

impl Comparator {
    pub(crate) const fn new(operator: Operator, bound: Version) -> Self {
        Self { operator, bound, opens: false }
    }

    pub(crate) const fn any() -> Self {
        Self::new(Operator::Any, Version::new(0, 0, 0))
    }

    /// Returns `<0.0.0-0`, which nothing satisfies.
    pub(crate) fn none() -> Self {
        Self::new(Operator::Less, Version::first_prerelease(0, 0, 0))
    }

    /// Returns whether this is [`Comparator::none`].
    pub(crate) fn is_none(&self) -> bool {
        self.is_below_zero_release() && matches!(self.bound.prerelease(), [Identifier::Numeric(0)])
    }

    /// Returns whether this is `<0.0.0` or `<0.0.0-` anything, below which npm knows no version.
    fn is_below_zero_release(&self) -> bool {
        self.operator == Operator::Less && self.bound.same_release(&Version::new(0, 0, 0))
    }

    /// Returns whether the version satisfies this, prereleases treated like any other version.
    pub(crate) fn accepts(&self, version: &Version) -> bool {
        match self.operator {
            Operator::Any => true,
            Operator::Equal => *version == self.bound,
            Operator::Less => *version < self.bound,
            Operator::LessOrEqual => *version <= self.bound,
            Operator::Greater => *version > self.bound,
            Operator::GreaterOrEqual => *version >= self.bound,
        }
    }

    /// Returns whether this comparator allows prereleases of the version's release.
    pub(crate) fn names_prerelease_of(&self, version: &Version) -> bool {
        self.operator != Operator::Any
            && self.bound.is_prerelease()
            && self.bound.same_release(version)
    }

    /// Returns whether the version satisfies this comparator alone, under the prerelease rule.
    fn accepts_alone(&self, version: &Version) -> bool {
        self.accepts(version) && (!version.is_prerelease() || self.names_prerelease_of(version))
    }

    /// Returns whether some version may satisfy both, by npm's rules. They are not symmetric: `*`
    /// intersects an exact prerelease, which does not intersect `*`.
    pub(crate) fn intersects(&self, other: &Self) -> bool {
        use Operator::{Any, Equal, Greater, GreaterOrEqual, Less, LessOrEqual};
        match (self.operator, other.operator) {
            (Any, _) => true,
            (Equal, _) => other.accepts_alone(&self.bound),
            (_, Any) => true,
            (_, Equal) => self.accepts_alone(&other.bound),
            _ if self.is_below_zero_release() || other.is_below_zero_release() => false,
            (Greater | GreaterOrEqual, Greater | GreaterOrEqual)
            | (Less | LessOrEqual, Less | LessOrEqual) => true,
            (Greater | GreaterOrEqual, Less | LessOrEqual) => self.meets(other),
            (Less | LessOrEqual, Greater | GreaterOrEqual) => other.meets(self),
        }
    }

    /// Returns whether the lower bound `self` is below the upper bound, or on it where both
    /// include it.
    fn meets(&self, upper: &Self) -> bool {
        self.bound < upper.bound
            || (self.operator == Operator::GreaterOrEqual
                && upper.operator == Operator::LessOrEqual
                && self.bound == upper.bound)
    }
}

impl fmt::Display for Comparator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let operator = match self.operator {
            Operator::Any => return Ok(()),
            Operator::Equal => "",
            Operator::Less => "<",
            Operator::LessOrEqual => "<=",
            Operator::Greater => ">",
            Operator::GreaterOrEqual => ">=",
        };
        write!(f, "{operator}{}", self.bound)
    }
}

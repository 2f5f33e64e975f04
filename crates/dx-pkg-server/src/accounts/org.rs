//! Organisations: a scope with members, and teams with packages.

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A member's role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Role {
    Developer,
    Admin,
    Owner,
}

/// What a team may do with a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Grant {
    ReadOnly,
    ReadWrite,
}

/// A team.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Team {
    #[serde(default)]
    pub(crate) description: String,
    pub(crate) members: BTreeSet<String>,
    pub(crate) packages: BTreeMap<String, Grant>,
}

/// An organisation. Its scope is its own: only members publish new packages there.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Org {
    /// Without `@`.
    pub(crate) name: String,
    pub(crate) members: BTreeMap<String, Role>,
    pub(crate) teams: BTreeMap<String, Team>,
}

impl Org {
    /// Creates an organisation with its first owner.
    pub(crate) fn new(name: &str, owner: &str) -> Self {
        Self {
            name: name.to_owned(),
            members: BTreeMap::from([(owner.to_owned(), Role::Owner)]),
            teams: BTreeMap::new(),
        }
    }

    /// Returns what the user's teams may do with a package.
    pub(crate) fn grant(&self, user: &str, package: &str) -> Option<Grant> {
        let teams = self.teams.values().filter(|team| team.members.contains(user));
        teams.filter_map(|team| team.packages.get(package)).max().copied()
    }

    /// Whether the user reads a restricted package of this scope: all members whose role or team
    /// says so. A package that no team has is read by every member.
    pub(crate) fn reads(&self, user: &str, package: &str) -> bool {
        match self.members.get(user) {
            Some(Role::Owner | Role::Admin) => true,
            Some(Role::Developer) => {
                let of_a_team = self.teams.values().any(|team| team.packages.contains_key(package));
                !of_a_team || self.grant(user, package).is_some()
            }
            None => self.grant(user, package).is_some(),
        }
    }

    /// Whether the user manages members and teams.
    pub(crate) fn is_managed_by(&self, user: &str) -> bool {
        matches!(self.members.get(user), Some(Role::Owner | Role::Admin))
    }

    /// Returns how many owners it has; the last one stays.
    pub(crate) fn owners(&self) -> usize {
        self.members.values().filter(|role| **role == Role::Owner).count()
    }

    /// Removes a member, from the teams too.
    pub(crate) fn remove_member(&mut self, user: &str) {
        self.members.remove(user);
        for team in self.teams.values_mut() {
            team.members.remove(user);
        }
    }
}

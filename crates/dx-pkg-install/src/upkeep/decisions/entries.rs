//! The entries of `allowScripts` after a decision. Pure: npm's table of what is added, replaced and
//! removed.

use dx_pkg_core::Spec;
use serde_json::Value;

#[cfg(test)]
mod tests;

/// A change of one entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryChange {
    /// The key.
    pub key: String,
    /// npm's word for the change: `added`, `removed-stale`, `removed-pinned-allow` or
    /// `replaced-by-pin`.
    pub change: &'static str,
}

/// Installed packages that share a name in `allowScripts`.
pub(super) struct Group<'g> {
    /// The key for all versions.
    pub(super) name: &'g str,
    /// The keys of the versions that are installed; `None` for one that no key can name.
    pub(super) pins: Vec<Option<String>>,
    /// Whether a key is about them, in whatever version.
    pub(super) is_about: Box<dyn Fn(&str) -> bool + 'g>,
}

/// The outcome of one decision.
#[derive(Debug, Default)]
pub(super) struct EntryOutcome {
    pub(super) changes: Vec<EntryChange>,
    pub(super) warning: Option<String>,
}

impl EntryOutcome {
    fn add(&mut self, key: &str, change: &'static str) {
        self.changes.push(EntryChange { key: key.to_owned(), change });
    }
}

/// The entries, in order.
type Entries = Vec<(String, Value)>;

/// Approves a group: with `pinned` each version that is installed, else the name. A denial of any
/// of its versions stays, and wins.
pub(super) fn approve(entries: &mut Entries, group: &Group<'_>, pinned: bool) -> EntryOutcome {
    let mut outcome = EntryOutcome::default();
    let denial = entries.iter().find(|(key, value)| *value == false && (group.is_about)(key));
    if let Some((key, _)) = denial {
        outcome.warning = Some(denied(key, group.name));
        return outcome;
    }
    let pins: Option<Vec<&str>> = group.pins.iter().map(Option::as_deref).collect();
    match pins.filter(|_| pinned) {
        Some(pins) => approve_pins(entries, group, pins, &mut outcome),
        None => {
            let stale = |key: &str| key != group.name && is_pin(key) && (group.is_about)(key);
            for key in remove_approved(entries, stale) {
                // npm says nothing of it where only names are wanted.
                if pinned {
                    outcome.add(&key, "removed-pinned-allow");
                }
            }
            add(entries, group.name, true, &mut outcome);
            if pinned && !outcome.changes.is_empty() {
                outcome.warning = Some(format!(
                    "{0} is approved in all versions: its entry in the lockfile has no address, \
                     which would tell the version; `dx install` writes it",
                    group.name
                ));
            }
        }
    }
    outcome
}

fn approve_pins(
    entries: &mut Entries,
    group: &Group<'_>,
    mut pins: Vec<&str>,
    outcome: &mut EntryOutcome,
) {
    let mut seen = Vec::new();
    pins.retain(|pin| {
        !seen.contains(pin) && {
            seen.push(*pin);
            true
        }
    });
    let stale = |key: &str| is_pin(key) && (group.is_about)(key) && !pins.contains(&key);
    for key in remove_approved(entries, stale) {
        outcome.add(&key, "removed-stale");
    }
    for pin in &pins {
        add(entries, pin, true, outcome);
    }
    if !pins.contains(&group.name) {
        for key in remove_approved(entries, |key| key == group.name) {
            outcome.add(&key, "replaced-by-pin");
        }
    }
}

/// Denies a group in all versions.
pub(super) fn deny(entries: &mut Entries, group: &Group<'_>) -> EntryOutcome {
    let mut outcome = EntryOutcome::default();
    let is_other = |key: &str| key != group.name && (group.is_about)(key);
    for key in remove(entries, |key, _| is_other(key)) {
        outcome.add(&key, "removed-pinned-allow");
    }
    add(entries, group.name, false, &mut outcome);
    outcome
}

/// Sets an entry unless it has the value.
fn add(entries: &mut Entries, key: &str, value: bool, outcome: &mut EntryOutcome) {
    match entries.iter_mut().find(|(known, _)| known == key) {
        Some((_, known)) if *known == value => return,
        Some((_, known)) => *known = value.into(),
        None => entries.push((key.to_owned(), value.into())),
    }
    outcome.add(key, "added");
}

/// Removes approvals; returns their keys.
fn remove_approved(entries: &mut Entries, is_due: impl Fn(&str) -> bool) -> Vec<String> {
    remove(entries, |key, value| *value == true && is_due(key))
}

fn remove(entries: &mut Entries, is_due: impl Fn(&str, &Value) -> bool) -> Vec<String> {
    let mut removed = Vec::new();
    entries.retain(|(key, value)| {
        let is_due = is_due(key, value);
        if is_due {
            removed.push(key.clone());
        }
        !is_due
    });
    removed
}

/// Returns whether a key names one version.
fn is_pin(key: &str) -> bool {
    Spec::parse_argument(key)
        .is_ok_and(|given| given.name.is_some() && matches!(given.spec, Spec::Version(_)))
}

/// Returns why a denial keeps a package from being approved.
fn denied(key: &str, name: &str) -> String {
    let is_of_name = Spec::parse_argument(key).is_ok_and(|given| match given.spec {
        Spec::Range(range) => range.is_any(),
        spec => matches!(spec, Spec::Tag(_)),
    });
    if is_of_name {
        return format!("{key} is denied; remove the entry from allowScripts to approve {name}");
    }
    format!(
        "{key} is denied; remove the entry from allowScripts to approve {name}, or run \
         `dx deny-scripts {name}` to deny all its versions"
    )
}

//! Peer conflicts that were not solved, as they are told: with the places of requirements in the
//! project's manifests, in words and as JSON.

mod listed;
mod places;

use dx_pkg_resolve::peers::{Change, Conflict, Ending, Explanation, Fact, Finding, Party, Wanted};
use serde_json::{Value, json};

use crate::project::Project;

pub use listed::ListedConflicts;

/// A peer conflict with the reason why it stays, and the changes that would end it.
#[derive(Debug, Clone)]
pub struct ExplainedConflict {
    /// The data.
    pub explanation: Explanation,
    /// The unmet peer requirements that it explains, in words.
    pub conflicts: Vec<String>,
    /// For each fact the file and line of the requirement.
    places: Vec<Option<(String, usize)>>,
}

impl ExplainedConflict {
    /// Finds the places of the requirements, and the conflicts that an explanation is about.
    pub(crate) fn new(project: &Project, explanation: Explanation, all: &[Conflict]) -> Self {
        let place = |fact: &Fact| places::of(project, &fact.importer, &fact.package);
        ExplainedConflict {
            places: explanation.facts.iter().map(place).collect(),
            conflicts: all
                .iter()
                .filter(|conflict| explanation.covers(conflict))
                .map(ToString::to_string)
                .collect(),
            explanation,
        }
    }

    /// Returns whether all that it explains was told before.
    pub(crate) fn is_known(&self, known: &[String]) -> bool {
        !self.conflicts.is_empty() && self.conflicts.iter().all(|one| known.contains(one))
    }

    /// Returns the explanation in words, at most eight lines.
    #[must_use]
    pub fn text(&self, ending: Ending) -> String {
        let place = |importer: &str, package: &str| {
            let facts = self.explanation.facts.iter().zip(&self.places);
            let (_, place) = facts
                .into_iter()
                .find(|(fact, _)| fact.importer == importer && fact.package == package)?;
            place.as_ref().map(|(file, line)| format!("{file}:{line}"))
        };
        self.explanation.lines(ending, &place).join("\n")
    }

    /// Returns the first change that a command makes, if the project is asked about it.
    #[must_use]
    pub fn command(&self) -> Option<&Change> {
        self.explanation.changes.iter().find(|change| change.command().is_some())
    }

    /// Returns the data as JSON.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let explanation = &self.explanation;
        let finding = match explanation.finding {
            Finding::Offered => "offer",
            Finding::NoSolution => "explain",
            Finding::GivenUp => "given-up",
        };
        let party = |one: &Party| json!({ "name": one.name, "version": one.version });
        let parties = explanation.parties.iter().map(party);
        let facts = explanation.facts.iter().zip(&self.places).map(|(fact, place)| {
            let needs = fact.needs.as_ref().map(|need| {
                json!({
                    "versions": need.versions.trim_end_matches(','),
                    "peer": need.peer,
                    "range": need.range,
                    "optional": need.is_optional,
                    "note": need.note,
                })
            });
            json!({
                "file": place.as_ref().map(|(file, _)| file),
                "line": place.as_ref().map(|(_, line)| line),
                "package": fact.package,
                "range": fact.range,
                "adding": fact.is_added,
                "needs": needs,
            })
        });
        let changes = explanation.changes.iter().map(|change| {
            let requirements = |wanted: &[Wanted]| -> serde_json::Map<String, Value> {
                wanted.iter().map(|one| (one.name.clone(), json!(one.range))).collect()
            };
            let further = change.further.iter().map(|(importer, wanted)| {
                json!({ "importer": importer, "requirements": requirements(wanted) })
            });
            json!({
                "command": change.command(),
                "importer": change.importer,
                "requirements": requirements(&change.requirements),
                "further": further.collect::<Vec<_>>(),
                "withinRanges": change.is_offer,
                "caution": change.caution,
                "unmetBelow": change.unmet,
            })
        });
        let mut overrides = serde_json::Map::new();
        for one in &explanation.exception {
            let entry = overrides.entry(one.dependent.clone()).or_insert_with(|| json!({}));
            entry[&one.peer] = json!(one.value);
        }
        json!({
            "finding": finding,
            "sentence": explanation.sentence(),
            "importer": explanation.importer,
            "packages": parties.collect::<Vec<_>>(),
            "facts": facts.collect::<Vec<_>>(),
            "changes": changes.collect::<Vec<_>>(),
            "overrides": overrides,
            "npmCiRefuses": explanation.is_refused_by_npm,
            "conflicts": self.conflicts,
        })
    }
}

/// Returns the error of a resolution with the places of requirements.
pub(crate) fn with_places(
    project: &Project,
    error: dx_pkg_resolve::ResolveError,
) -> dx_pkg_resolve::ResolveError {
    use dx_pkg_resolve::ResolveError::Unsolved;
    let Unsolved { conflicts, explanations, .. } = error else { return error };
    let told = explanations.iter().cloned();
    let told = told.map(|one| ExplainedConflict::new(project, one, &conflicts));
    let text: Vec<String> = told.map(|one| one.text(Ending::Refused)).collect();
    Unsolved { text: text.join("\n"), conflicts, explanations }
}

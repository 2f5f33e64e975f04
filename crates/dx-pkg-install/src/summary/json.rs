//! The result of an install as JSON, which docs/json/install.schema.json describes.

use serde_json::{Value, json};

use super::conflicts::ExplainedConflict;
use super::{ChangeKind, ChangedPackage, Fewer, Score, Summary};

/// Returns a package as JSON, with one of its versions.
fn entry(package: &ChangedPackage, version: &Option<String>) -> Value {
    json!({ "name": package.name, "version": version, "path": package.path })
}

impl Summary {
    /// Returns the result as JSON; `early` are warnings from before it.
    #[must_use]
    pub fn to_json(&self, early: &[String]) -> Value {
        to_json(self, early)
    }
}

fn to_json(summary: &Summary, early: &[String]) -> Value {
    let statistics: serde_json::Map<String, Value> = summary
        .statistics
        .iter()
        .map(|(name, count)| (name.replace(' ', "_"), json!(count)))
        .collect();
    let list = |kind: ChangeKind, show: fn(&ChangedPackage) -> Value| -> Vec<Value> {
        summary.changes.iter().filter(|package| package.kind == kind).map(show).collect()
    };
    let deprecated = summary
        .deprecated
        .iter()
        .map(|one| json!({ "name": one.name, "version": one.version, "path": one.path, "message": one.message }));
    let deprecated: Vec<Value> = deprecated.collect();
    let mut fields = json!({
        "added": summary.added,
        "removed": summary.removed,
        "changed": summary.changed,
        "add": list(ChangeKind::Added, |package| entry(package, &package.version)),
        "change": list(ChangeKind::Changed, |package| {
            json!({ "from": entry(package, &package.before), "to": entry(package, &package.version) })
        }),
        "remove": list(ChangeKind::Removed, |package| entry(package, &package.before)),
        "deprecated": deprecated,
        "packages": summary.packages,
        "scriptsSkipped": summary.scripts_skipped,
        "conflicts": summary.conflicts,
        "explanations": summary.explained.iter().map(ExplainedConflict::to_json).collect::<Vec<_>>(),
        "solved": summary.solved,
        "warnings": ([early, &summary.warnings].concat()),
        "statistics": statistics,
        "milliseconds": u64::try_from(summary.elapsed.as_millis()).unwrap_or(u64::MAX),
    });
    if let Some(fewer) = &summary.fewer {
        fields["fewer"] = fewer_to_json(fewer);
    }
    if let Some(files) = &summary.would_write {
        fields["dryRun"] = true.into();
        fields["files"] = json!(files);
    }
    fields
}

/// Returns what a search for fewer versions came to as JSON.
fn fewer_to_json(fewer: &Fewer) -> Value {
    let score = |score: &Score| json!({ "versions": score.versions, "outdated": score.outdated });
    let steps = fewer.steps.iter().map(
        |step| json!({ "name": step.name, "from": step.from, "to": step.to, "older": step.is_older }),
    );
    json!({
        "before": score(&fewer.before),
        "after": score(&fewer.after),
        "packages": steps.collect::<Vec<_>>(),
        "complete": fewer.is_complete,
    })
}

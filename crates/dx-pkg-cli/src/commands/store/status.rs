//! `dx store status`: what the store costs.

use std::path::Path;

use dx_pkg_install::Session;
use dx_pkg_install::maintenance::costs::{self, Costs, KindCost};
use dx_pkg_install::maintenance::{self, PreparationStatus};
use serde_json::json;

use super::size;
use crate::error::CommandError;
use crate::report::Report;

/// Prints the room that each kind of contents takes, and whether trees are prepared for the
/// project.
pub fn run(session: &Session, root: &Path, report: &Report) -> Result<(), CommandError> {
    let path = session.store().root().display().to_string();
    let costs = costs::measure(session.store())?;
    let mut fields = serde_json::Map::new();
    for cost in &costs.folders {
        let cost_fields =
            json!({ "entries": cost.entries, "bytes": cost.bytes, "shared": cost.shared });
        fields.insert(cost.key.to_owned(), cost_fields);
    }
    fields.insert("path".to_owned(), json!(path));
    fields.insert("bytes".to_owned(), json!(costs.bytes));
    fields.insert("shared".to_owned(), json!(costs.shared));
    let PreparationStatus { prepares, reason, allowance } =
        maintenance::preparation_status(session, root);
    let (taken, most) = (allowance.taken.bytes, allowance.most.map(|most| most.bytes));
    let mut lines = format!("{}\n{reason}", text(&path, &costs));
    if let Some(most) = most {
        let (taken, most) = (size(taken), size(most));
        lines.push_str(&format!(
            "\nPrepared trees take {taken} of at most {most}, a twentieth of the free space"
        ));
    }
    fields.insert(
        "preparation".to_owned(),
        json!({ "prepares": prepares, "reason": reason, "bytes": taken, "mostBytes": most }),
    );
    report.result(&lines, &fields.into());
    Ok(())
}

fn text(path: &str, costs: &Costs) -> String {
    let line = |entries: &str, name: &str, bytes: &str, shared: &str| {
        format!("{entries:>8} {name:<34} {bytes:>10} {shared:>15}").trim_end().to_owned()
    };
    let mut lines = vec![path.to_owned(), line("", "", "on disk", "also projects'")];
    for KindCost { name, entries, bytes, shared } in &costs.kinds {
        lines.push(line(&entries.to_string(), name, &size(*bytes), &size(*shared)));
    }
    lines.push(line("", "in all", &size(costs.bytes), &size(costs.shared)));
    let alone = costs.bytes.saturating_sub(costs.shared);
    let rest = match costs.shared {
        0 => String::new(),
        shared => format!(
            "\nThe other {} are files that projects use as well (hard links), and stay theirs.",
            size(shared)
        ),
    };
    lines.push(format!("Without the store, {} would be free.{rest}", size(alone)));
    lines.join("\n")
}

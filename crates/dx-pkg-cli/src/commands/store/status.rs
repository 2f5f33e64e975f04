//! `dx store status`: what the store costs.

use dx_pkg_install::maintenance::costs::{self, Costs, KindCost};
use dx_pkg_store::Store;
use serde_json::json;

use super::size;
use crate::error::CommandError;
use crate::report::Report;

/// Prints the room that each kind of contents takes.
pub fn run(store: &Store, report: &Report) -> Result<(), CommandError> {
    let path = store.root().display().to_string();
    let costs = costs::measure(store)?;
    let mut fields = serde_json::Map::new();
    for cost in &costs.folders {
        let cost_fields =
            json!({ "entries": cost.entries, "bytes": cost.bytes, "shared": cost.shared });
        fields.insert(cost.key.to_owned(), cost_fields);
    }
    fields.insert("path".to_owned(), json!(path));
    fields.insert("bytes".to_owned(), json!(costs.bytes));
    fields.insert("shared".to_owned(), json!(costs.shared));
    report.result(&text(&path, &costs), &fields.into());
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

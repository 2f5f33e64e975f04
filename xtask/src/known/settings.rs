//! The tables of docs/settings.md: written from the table of settings, below headings that are
//! written by hand, as is all that is around them.

use std::fmt::Write;

use dx_pkg_compat::npmrc::{DETAILS, OF_ONE_REGISTRY, OPTIONS, OptionGroup, OptionInfo, Support};

/// The page.
pub(super) const PAGE: &str = "docs/settings.md";

/// The headings that a table stands below.
const HEADINGS: [(OptionGroup, &str); 7] = [
    (OptionGroup::Registry, "## Registries and credentials"),
    (OptionGroup::Network, "## The network"),
    (OptionGroup::Resolve, "## Versions and the lockfile"),
    (OptionGroup::Tree, "## `node_modules` and scripts"),
    (OptionGroup::Save, "## Adding packages"),
    (OptionGroup::Publish, "## Versions and publishing"),
    (OptionGroup::Output, "## Output"),
];
const HEAD: &str = "| Setting | Value | Default | Meaning |";

/// Returns the page with its tables as the settings are.
///
/// # Errors
/// A heading with its table is not there.
pub(super) fn page(text: &str) -> Result<String, String> {
    let mut page = text.to_owned();
    for (group, heading) in HEADINGS {
        let missing = || format!("{PAGE}: {heading:?} with a table of settings is missing");
        let section = page.find(&format!("\n{heading}\n")).ok_or_else(missing)?;
        let start = section + page[section..].find(HEAD).ok_or_else(missing)?;
        let next = page[section + 1..].find("\n## ").map_or(page.len(), |at| section + 1 + at);
        if start > next {
            return Err(missing());
        }
        let rows = page[start..].split_inclusive('\n').take_while(|line| line.starts_with('|'));
        let end = start + rows.map(str::len).sum::<usize>();
        page.replace_range(start..end, &table(group));
    }
    Ok(page)
}

fn table(group: OptionGroup) -> String {
    let mut table = format!("{HEAD}\n|---|---|---|---|\n");
    for option in OPTIONS.iter().filter(|option| option.group == group) {
        let OptionInfo { key, allowed, .. } = option;
        let _ =
            writeln!(table, "| `{key}` | {allowed} | {} | {} |", default(option), meaning(option));
    }
    if group == OptionGroup::Registry {
        for [key, allowed, default, meaning] in OF_ONE_REGISTRY {
            let _ = writeln!(table, "| `{key}` | {allowed} | {default} | {meaning} |");
        }
    }
    table
}

fn default(option: &OptionInfo) -> String {
    match (option.default, option.unset) {
        ("", "") => "–".to_owned(),
        ("", unset) => unset.to_owned(),
        (default, _) => format!("`{default}`"),
    }
}

fn meaning(option: &OptionInfo) -> String {
    let support = match option.support {
        Support::Used(_) => String::new(),
        Support::Only([]) => " Not supported.".to_owned(),
        Support::Only(values) => format!(" Only `{}` is supported.", values.join("`, `")),
        Support::Ignored(reason) => format!(" *Ignored*: {reason}."),
    };
    let details = DETAILS.iter().find(|(key, _)| *key == option.key);
    let details = details.map_or_else(String::new, |(_, details)| format!(" {details}"));
    format!("{}{support}{details}", option.sentence)
}

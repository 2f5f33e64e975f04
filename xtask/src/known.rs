//! `cargo xtask known`: the pages about every field and setting that is known, written from the
//! tables of `dx_pkg_compat::known`; and the peers' own names, with which a test compares them.

mod settings;

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::Command;

use dx_pkg_compat::known::{BUNFIG, Known, NPMRC, PACKAGE_JSON, Treatment, YARNRC};

use crate::options::Options;
use crate::workspace;

/// The lists of the peers' names.
const LISTS: &str = "crates/dx-pkg-compat/src/known/peers";
/// The packages that have the names, as arguments of `npm install`.
const PEERS: [&str; 5] =
    ["npm@12", "pnpm-11@npm:pnpm@11", "pnpm-10@npm:pnpm@10", "bun-types", "@yarnpkg/cli-dist"];

/// Writes the pages; the word `renew` installs the peers and writes their names instead.
pub(crate) fn run(options: &Options) -> Result<(), String> {
    let root = workspace::root();
    if options.word() == Some("renew") {
        return renew(&root);
    }
    for (page, text) in pages(&root)? {
        fs::write(root.join(page), text).map_err(|error| format!("{page}: {error}"))?;
    }
    Ok(())
}

/// Returns the pages that are not as the tables are.
pub(crate) fn check(root: &Path) -> Vec<String> {
    if !root.join(LISTS).exists() {
        return Vec::new();
    }
    let pages = match pages(root) {
        Ok(pages) => pages.into_iter(),
        Err(error) => return vec![error],
    };
    pages
        .filter(|(page, text)| fs::read_to_string(root.join(page)).ok().as_ref() != Some(text))
        .map(|(page, _)| format!("{page}: differs from the tables; run cargo xtask known"))
        .collect()
}

/// Each page, with its text. Of the one about settings only the tables are written.
fn pages(root: &Path) -> Result<[(&'static str, String); 3], String> {
    let settings = settings::page(&workspace::read(&root.join(settings::PAGE))?)?;
    Ok([
        ("docs/package-json.md", package_json()),
        ("docs/peer-settings.md", peer_settings()),
        (settings::PAGE, settings),
    ])
}

fn package_json() -> String {
    let mut page = String::from(PACKAGE_JSON_HEAD);
    table(&mut page, "Field", PACKAGE_JSON.iter());
    page.push_str(PACKAGE_JSON_END);
    page
}

fn peer_settings() -> String {
    let mut page = String::from(PEERS_HEAD);
    page.push_str("\n## npm: `.npmrc`\n\n");
    page.push_str(NPMRC_HEAD);
    table(&mut page, "Setting", NPMRC.iter());
    page.push_str("\n## pnpm: `pnpm-workspace.yaml`\n\n");
    page.push_str(PNPM_HEAD);
    table(&mut page, "Setting", Known::all_of_pnpm().into_iter());
    page.push_str("\n## Yarn: `.yarnrc.yml`\n\n");
    table(&mut page, "Setting", YARNRC.iter());
    page.push_str("\n## Bun: `bunfig.toml`\n\n");
    table(&mut page, "Setting", BUNFIG.iter());
    page
}

fn table(page: &mut String, what: &str, rows: impl Iterator<Item = &'static Known>) {
    let rows: Vec<_> = rows.collect();
    let of_one = rows.windows(2).all(|pair| pair[0].of == pair[1].of);
    let readers = if of_one { "" } else { " Read by |" };
    let _ = writeln!(page, "| {what} |{readers} For | dx |");
    let _ = writeln!(page, "|---|{}---|---|", if of_one { "" } else { "---|" });
    for row in rows {
        let readers = if of_one { String::new() } else { format!(" {} |", row.of.in_words()) };
        let _ = writeln!(page, "| `{}` |{readers} {} | {} |", row.key, row.purpose, words(row));
    }
}

/// What dx does with a field or setting.
fn words(row: &Known) -> String {
    let told = match row.treatment {
        Treatment::Read => "read".to_owned(),
        Treatment::Idle => "no effect on an install".to_owned(),
        Treatment::Refused(reason) => format!("**error**: {reason}"),
        Treatment::Named(effect) => match effect.in_words() {
            "" => "warning: not carried out".to_owned(),
            words => format!("warning: not carried out ({words})"),
        },
    };
    if row.in_root_only { format!("{told}; in the project's own manifest only") } else { told }
}

/// Installs the peers into a folder of its own and writes the names that they have.
fn renew(root: &Path) -> Result<(), String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    fs::write(folder.path().join("package.json"), "{}").map_err(|error| error.to_string())?;
    let mut npm = Command::new("npm");
    npm.args(["install", "--ignore-scripts"]).args(PEERS).current_dir(folder.path());
    output(&mut npm)?;
    let mut node = Command::new("node");
    node.arg(root.join("xtask/src/known/names.mjs")).arg(folder.path());
    let lists: serde_json::Map<String, serde_json::Value> =
        serde_json::from_slice(&output(&mut node)?).map_err(|error| error.to_string())?;
    for (list, names) in &lists {
        let path = root.join(LISTS).join(format!("{list}.txt"));
        let names = names.as_str().ok_or_else(|| format!("{list} is no text"))?;
        fs::write(&path, names).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    println!("renewed; cargo test -p dx-pkg-compat known tells what the tables lack");
    Ok(())
}

fn output(command: &mut Command) -> Result<Vec<u8>, String> {
    let run = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    if run.status.success() {
        return Ok(run.stdout);
    }
    Err(format!("{command:?}: {}", String::from_utf8_lossy(&run.stderr)))
}

const PACKAGE_JSON_HEAD: &str = "\
# The fields of a package.json

Every field that npm, pnpm, Yarn, Bun and widely used tools read, and what dx does with it. This page is written by
`cargo xtask known` from the table that dx itself goes by.

- **read**: dx obeys it. The [settings](settings.md#in-packagejson) and the [differences to npm](npm-differences.md) say
  more about some.
- **warning**: dx installs without it. One warning names all such fields of the project and its workspaces.
- **error**: dx stops, because the result would not be the one that is meant.
- **no effect on an install**: it is for something else, such as publishing.

Fields that are not listed are passed over without a word: many tools keep their settings in a `package.json`. A name that
looks like a misspelt one of those that dx reads, such as `dependancies`, is named in a warning.

";
const PACKAGE_JSON_END: &str = "\
\nThe settings in `pnpm` are those of [`pnpm-workspace.yaml`](peer-settings.md#pnpm-pnpm-workspaceyaml).
";
const PEERS_HEAD: &str = "\
# Settings of npm, pnpm, Yarn and Bun

Every setting that these package managers know, besides those that dx reads from an `.npmrc`
([settings.md](settings.md)), and what dx does with it. The words are those of
[package-json.md](package-json.md). This page is written by `cargo xtask known` from the tables that dx itself goes by.
";
const NPMRC_HEAD: &str = "\
A warning names a setting of another name too, if it stands in a file ([DX_NPMRC_NOT_READ](errors.md#dx_npmrc_not_read)).

";
const PNPM_HEAD: &str = "\
Up to version 10, pnpm reads some of them in the field `pnpm` of the project's `package.json`, and most in `.npmrc`, with
`-` before small letters (`storeDir` as `store-dir`).

";

//! The list of a package's scripts, in npm's forms.

use std::path::Path;

use dx_pkg_compat::manifest::Manifest;
use dx_pkg_install::scripts::{self, ScriptPackage, is_lifecycle};
use dx_pkg_install::{Environment, Events};
use serde_json::{Map, Value};

use crate::RunError;
use crate::place::Place;

/// The scripts of packages.
#[derive(Debug)]
pub struct Listing {
    packages: Vec<Listed>,
}

/// The scripts of one package.
#[derive(Debug)]
struct Listed {
    /// The workspace's name, if it is one.
    workspace: Option<String>,
    /// The package's name and version.
    label: String,
    scripts: Vec<(String, String)>,
}

/// Returns the scripts of the packages that are meant. What they demand of the programs that run
/// them counts here, too.
///
/// # Errors
/// There is no package, or a demand is not met.
pub fn listing(
    environment: &Environment,
    place: &Place,
    flags: &[(String, String)],
    events: &dyn Events,
) -> Result<Listing, RunError> {
    let listed = |workspace: Option<String>, package: &ScriptPackage| Listed {
        workspace,
        label: package.label(),
        scripts: package.manifest.scripts.clone(),
    };
    let check = |folder: &Path, manifest: &Manifest| {
        scripts::prepare(environment, &place.root, (folder, manifest), flags, events)
    };
    if let Some(manifest) = &place.manifest {
        check(&place.root, manifest)?;
    }
    let packages = match &place.members {
        Some(members) => {
            let members = members.iter();
            members.map(|member| listed(Some(member.name.clone()), &member.package)).collect()
        }
        None => {
            let no_project =
                || RunError::NoProject { folder: environment.folder.display().to_string() };
            let package = ScriptPackage::nearest(&environment.folder)?.ok_or_else(no_project)?;
            if place.manifest.is_none() {
                check(&package.folder, &package.manifest)?;
            }
            vec![listed(None, &package)]
        }
    };
    Ok(Listing { packages })
}

impl Listing {
    /// Returns the packages that have no scripts.
    pub fn without(&self) -> impl Iterator<Item = &str> {
        self.packages.iter().filter(|it| it.scripts.is_empty()).map(|it| it.label.as_str())
    }

    /// Returns npm's JSON: scripts by name, of workspaces in an object each.
    #[must_use]
    pub fn json(&self) -> Value {
        let mut all = Map::new();
        for listed in &self.packages {
            let scripts = listed.scripts.iter();
            let scripts =
                scripts.map(|(name, script)| (name.clone(), Value::from(script.as_str())));
            match &listed.workspace {
                None => all.extend(scripts),
                Some(name) => drop(all.insert(name.clone(), Value::Object(scripts.collect()))),
            }
        }
        Value::Object(all)
    }

    /// Returns a line for each script: the workspace, the name, the script, with `:` between them.
    #[must_use]
    pub fn parseable(&self) -> String {
        let lines = self.packages.iter().flat_map(|listed| {
            let start = listed.workspace.as_ref().map(|name| format!("{name}:"));
            let start = start.unwrap_or_default();
            listed.scripts.iter().map(move |(name, script)| format!("{start}{name}:{script}"))
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    /// Returns the text for people.
    #[must_use]
    pub fn text(&self) -> String {
        let blocks = self.packages.iter().filter(|listed| !listed.scripts.is_empty());
        blocks.map(Listed::text).collect::<Vec<_>>().join("\n\n")
    }
}

impl Listed {
    fn text(&self) -> String {
        let (lifecycle, others): (Vec<_>, Vec<_>) =
            self.scripts.iter().partition(|(name, _)| is_lifecycle(name));
        let mut lines = Vec::new();
        let mut add = |title: String, scripts: &[&(String, String)]| {
            if scripts.is_empty() {
                return;
            }
            lines.push(title);
            for (name, script) in scripts {
                lines.push(format!("  {name}"));
                lines.push(format!("    {script}"));
            }
        };
        let label = &self.label;
        add(format!("Lifecycle scripts included in {label}:"), &lifecycle);
        let via = "available via `dx run`:";
        let title = match lifecycle.is_empty() {
            true => format!("Scripts available in {label} via `dx run`:"),
            false => via.to_owned(),
        };
        add(title, &others);
        lines.join("\n")
    }
}

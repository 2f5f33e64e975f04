//! Packages of which there is to be one version only, and what is wrong where there is none.

/// Packages of which one version only is to be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Single {
    /// The folder of the workspace that uses one version of each; for the project it is empty, and
    /// all workspaces together do.
    pub from: String,
    /// The names of the packages.
    pub names: Vec<String>,
}

/// A package of which there is to be one version, and are several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeveralVersions {
    /// The name of the package.
    pub name: String,
    /// The folder of the workspace that is to use one version; empty for the project.
    pub from: String,
    /// The versions, in ascending order.
    pub versions: Vec<String>,
    /// Requirements that contradict each other, each a dependent and its range; all of them where
    /// no two do.
    pub asked: Vec<(String, String)>,
    /// Whether the lockfile has the versions, and may not be changed.
    pub is_locked: bool,
}

/// The most requirements that are named.
const SHOWN: usize = 5;

impl SeveralVersions {
    pub(crate) fn in_words(&self) -> String {
        let Self { name, from, versions, asked, is_locked } = self;
        let place = if from.is_empty() { String::new() } else { format!(" in {from}") };
        let versions = versions.join(" and ");
        if *is_locked {
            return format!(
                "dx.singleVersion{place} wants one version of {name}, and the lockfile has {versions}"
            );
        }
        let asked: Vec<String> = asked
            .iter()
            .take(SHOWN)
            .map(|(dependent, range)| format!("{dependent} asks for {name}@{range}"))
            .collect();
        let asked = asked.join(", ");
        format!(
            "dx.singleVersion{place} wants one version of {name}, and there is none that suits all: \
             {asked}, also in other versions that may be installed; {versions} are needed"
        )
    }

    pub(crate) fn hint(&self) -> String {
        let Self { name, is_locked, .. } = self;
        if *is_locked {
            return "run dx install to bring the lockfile up to date".to_owned();
        }
        format!(
            "ask for other versions of these packages, replace what one of them asks for with \
             \"overrides\", or take {name} out of singleVersion"
        )
    }
}

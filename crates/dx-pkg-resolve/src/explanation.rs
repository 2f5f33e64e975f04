//! Explanations of peer conflicts that were not solved: as data, and in words.
//!
//! An explanation has at most [`MOST_LINES`] lines: one sentence, up to three facts, up to three
//! changes that would help, and an override as the last resort.

use std::fmt::Write;

use crate::explain::Conflict;

/// The most lines of an explanation.
const MOST_LINES: usize = 8;
/// The most facts of an explanation.
pub(crate) const MOST_FACTS: usize = 3;
/// The most changes of an explanation.
pub(crate) const MOST_CHANGES: usize = 3;
/// The most further pairs of an explanation.
const MOST_LIKEWISE: usize = 4;
/// The number of characters after which the text of a range is cut.
const LONGEST_RANGE: usize = 80;

/// The reason why a peer conflict stays, and the changes that would end it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The folder of the manifest whose requirements contradict each other; the project's is empty.
    pub importer: String,
    /// The outcome of the search.
    pub finding: Finding,
    /// The packages of the sentence: dependents first, their peer last.
    pub parties: Vec<Party>,
    /// What is the matter with them.
    pub statement: Statement,
    /// Facts that contradict each other.
    pub facts: Vec<Fact>,
    /// Further pairs of dependent and peer that do not agree, and that the same changes end.
    pub likewise: Vec<(Party, Party)>,
    /// Changes that end the conflict, nearest first; each was tried.
    pub changes: Vec<Change>,
    /// The override that lets one package accept the version that is there; it was tried.
    pub exception: Vec<Exception>,
    /// Whether npm refuses to install the lockfile that has this conflict.
    pub is_refused_by_npm: bool,
    /// The names of the dependents and peers of the requirements that are not met.
    pub(crate) pairs: Vec<(String, String)>,
    /// Their peers, with the versions that the importer finds.
    pub(crate) peers: Vec<Party>,
}

/// The outcome of the search for versions that agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding {
    /// There are some within the project's ranges, which are not taken without being asked.
    Offered,
    /// There are none within the project's ranges.
    NoSolution,
    /// The search was given up.
    GivenUp,
}

/// A package that a conflict is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Party {
    /// Its name.
    pub name: String,
    /// The version that is installed.
    pub version: Option<String>,
}

/// The sentence about the parties.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Statement {
    /// The first does not accept the last.
    NotAccepted,
    /// No published version of the first accepts the last.
    NeverAccepted {
        /// The newest version of the first, if it is not the installed one.
        newest: Option<String>,
    },
    /// The first ones require different versions of the last.
    NotTheSame,
    /// Their requirements contradict each other.
    Contradiction,
    /// There are so many packages or versions that the search was given up.
    TooHard {
        /// The number of packages.
        packages: usize,
    },
    /// npm's rules do not come to an end, so that peers were left out.
    Endless {
        /// The package that was placed last, as `name@version`.
        package: String,
    },
}

/// A requirement that is part of a contradiction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// The folder of the manifest with the requirement.
    pub importer: String,
    /// The package that is required.
    pub package: String,
    /// The requirement as it is written; `None` where the package is there only as a peer.
    pub range: Option<String>,
    /// Whether the command adds it.
    pub is_added: bool,
    /// The peer requirement of its versions that matters.
    pub needs: Option<Need>,
}

/// A peer requirement of several versions of a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    /// The versions that have it, in words: `7.37.5, the newest,` or `every 13.x`.
    pub versions: String,
    /// The name of the peer.
    pub peer: String,
    /// The range.
    pub range: String,
    /// Whether the peer need not be there.
    pub is_optional: bool,
    /// What else is worth knowing, such as a prerelease that accepts the peer.
    pub note: Option<String>,
}

/// A change of requirements that ends a conflict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The folder of the manifest that is changed.
    pub importer: String,
    /// The new requirements.
    pub requirements: Vec<Wanted>,
    /// The new requirements of further manifests, each with its folder: all are changed together.
    pub further: Vec<(String, Vec<Wanted>)>,
    /// Whether it only narrows the project's own ranges.
    pub is_offer: bool,
    /// A warning about it.
    pub caution: Option<String>,
    /// The number of peer requirements of other packages that stay unmet after it. npm accepts
    /// them.
    pub unmet: usize,
}

/// What has become of the conflict that is explained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It was installed.
    Installed,
    /// The command was refused.
    Refused,
    /// It is in the lockfile.
    Listed,
}

/// A new requirement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The name of the package.
    pub name: String,
    /// The requirement.
    pub range: String,
    /// The section of the manifest.
    pub section: Section,
    /// Whether the requirement is an exact version.
    pub is_exact: bool,
}

/// The section of a manifest that has a requirement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    /// `dependencies`.
    Prod,
    /// `devDependencies`.
    Dev,
    /// `optionalDependencies`.
    Optional,
    /// `peerDependencies`.
    Peer,
}

/// An override for one package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exception {
    /// The package that is to accept another version.
    pub dependent: String,
    /// Its peer.
    pub peer: String,
    /// The value of the override.
    pub value: String,
}

impl Change {
    /// Returns the command that makes the change; `None` where there is none, because the manifest
    /// is that of a workspace.
    #[must_use]
    pub fn command(&self) -> Option<String> {
        if !self.importer.is_empty() || !self.further.is_empty() {
            return None;
        }
        let sections: Vec<Section> = self.requirements.iter().map(|one| one.section).collect();
        let flag = match sections.first() {
            Some(first) if sections.iter().all(|section| section == first) => match first {
                Section::Prod => "",
                Section::Dev => " -D",
                Section::Optional => " -O",
                Section::Peer => " --save-peer",
            },
            // Each stays in the section that it is in.
            _ => "",
        };
        let exact = self.requirements.iter().all(|one| one.is_exact);
        let mut command = format!("dx add{flag}{}", if exact { " -E" } else { "" });
        for Wanted { name, range, .. } in &self.requirements {
            let argument = format!("{name}@{range}");
            let is_plain =
                argument.chars().all(|c| c.is_ascii_alphanumeric() || "@/._-^~:+".contains(c));
            let quote = if is_plain { "" } else { "\"" };
            let _ = write!(command, " {quote}{argument}{quote}");
        }
        Some(command)
    }

    /// Returns whether all its requirements are for development.
    #[must_use]
    pub fn is_dev(&self) -> bool {
        let further = self.further.iter().flat_map(|(_, wanted)| wanted);
        self.requirements.iter().chain(further).all(|one| one.section == Section::Dev)
    }

    /// Returns its warning, and what it leaves unmet, in parentheses.
    fn reservations(&self) -> String {
        let unmet = match self.unmet {
            0 => None,
            1 => Some("1 peer requirement below other packages stays unmet".to_owned()),
            more => Some(format!("{more} peer requirements below other packages stay unmet")),
        };
        let all: Vec<String> = self.caution.iter().cloned().chain(unmet).collect();
        if all.is_empty() { String::new() } else { format!("  ({})", all.join("; ")) }
    }

    /// Returns the command, or the edit of a workspace's manifest, in words.
    #[must_use]
    pub fn in_words(&self) -> String {
        let edit = |importer: &str, requirements: &[Wanted]| {
            let entry = |one: &Wanted| format!("\"{}\": \"{}\"", one.name, one.range);
            let entries: Vec<String> = requirements.iter().map(entry).collect();
            format!("{} in {}", entries.join(", "), manifest_of(importer))
        };
        self.command().unwrap_or_else(|| {
            let further = self.further.iter().map(|(importer, wanted)| edit(importer, wanted));
            let edits: Vec<String> =
                std::iter::once(edit(&self.importer, &self.requirements)).chain(further).collect();
            edits.join("; ")
        })
    }
}

/// Returns the path of the manifest in a folder.
fn manifest_of(importer: &str) -> String {
    if importer.is_empty() { "package.json".to_owned() } else { format!("{importer}/package.json") }
}

impl Explanation {
    /// Returns whether a conflict is among those that it explains: a package of its own, or another
    /// one that finds the same version of the peer.
    #[must_use]
    pub fn covers(&self, conflict: &Conflict) -> bool {
        let label = &conflict.dependent;
        let dependent = label.rsplit_once('@').map_or(label.as_str(), |(name, _)| name);
        let is_found = |party: &Party| {
            party.name == conflict.name
                && party.version.is_some()
                && party.version == conflict.found
        };
        let mut pairs = self.pairs.iter();
        pairs.any(|(of, peer)| of == dependent && *peer == conflict.name)
            || self.peers.iter().any(is_found)
    }

    /// Returns the sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        let named: Vec<String> = self.parties.iter().map(named).collect();
        let (last, others) = match named.split_last() {
            Some((last, others)) => (last.as_str(), others),
            None => ("", [].as_slice()),
        };
        match &self.statement {
            Statement::NotAccepted => format!("{} does not accept {last}", others.join(", ")),
            Statement::NeverAccepted { newest } => {
                let first = self.parties.first();
                let name = first.map(|party| party.name.as_str()).unwrap_or_default();
                let version = first.and_then(|party| party.version.as_deref()).unwrap_or("?");
                let known = match newest {
                    None => format!("{version} is the newest"),
                    Some(newest) => format!("{version} is installed, {newest} the newest"),
                };
                format!("no published version of {name} ({known}) accepts {last}")
            }
            Statement::NotTheSame => {
                let name = self.parties.last().map(|party| party.name.as_str());
                let name = name.unwrap_or_default();
                format!("{} do not accept the same {name}", listed(others))
            }
            Statement::Contradiction => {
                format!("the peers of {} contradict each other", listed(&named))
            }
            Statement::Endless { package } => format!(
                "npm's rules do not come to an end here: placing what {package} needs keeps \
                 displacing what others need"
            ),
            Statement::TooHard { packages } => format!(
                "the peers of {packages} packages were not solved together: there are too many, so \
                 that only npm's choice was looked at"
            ),
        }
    }

    /// Returns the lines of the explanation; `place` gives the file and line of a requirement, by
    /// the folder of the manifest and the name.
    #[must_use]
    pub fn lines(
        &self,
        ending: Ending,
        place: &dyn Fn(&str, &str) -> Option<String>,
    ) -> Vec<String> {
        let mut lines = vec![self.sentence()];
        lines.extend(self.facts.iter().take(MOST_FACTS).map(|fact| {
            let written = || manifest_of(&fact.importer);
            format!(
                "  {}",
                fact.in_words(&place(&fact.importer, &fact.package).unwrap_or_else(written))
            )
        }));
        lines.extend(self.likewise_in_words().map(|text| format!("  {text}")));
        // The last line, and one for the override, are kept free.
        let left = MOST_LINES - lines.len() - 1 - usize::from(!self.exception.is_empty());
        for (position, change) in self.changes.iter().take(left).enumerate() {
            let lead = match (position, change.is_offer) {
                (_, true) => "To take it:",
                (0, _) => "What would help:",
                (_, _) => "or:",
            };
            lines.push(format!("  {lead} {}{}", change.in_words(), change.reservations()));
        }
        lines.extend(self.exception_in_words().map(|text| format!("  To take the risk: {text}")));
        lines.push(format!("  {}", self.last_line(ending)));
        lines
    }

    /// Returns the further pairs that do not agree, those of one peer together.
    fn likewise_in_words(&self) -> Option<String> {
        let mut by_peer: Vec<(&Party, Vec<String>)> = Vec::new();
        for (dependent, peer) in self.likewise.iter().take(MOST_LIKEWISE) {
            match by_peer.iter_mut().find(|(known, _)| *known == peer) {
                Some((_, dependents)) => dependents.push(named(dependent)),
                None => by_peer.push((peer, vec![named(dependent)])),
            }
        }
        let of_peer = |(peer, dependents): &(&Party, Vec<String>)| {
            format!("{} with {}", listed(dependents), named(peer))
        };
        let all: Vec<String> = by_peer.iter().map(of_peer).collect();
        let rest = match self.likewise.len().saturating_sub(MOST_LIKEWISE) {
            0 => String::new(),
            rest => format!("; {rest} more"),
        };
        (!all.is_empty()).then(|| format!("Likewise {}{rest}", all.join("; ")))
    }

    /// Returns the override as it is written into `package.json`.
    #[must_use]
    pub fn exception_in_words(&self) -> Option<String> {
        let mut dependents: Vec<&str> = Vec::new();
        for one in &self.exception {
            if !dependents.contains(&one.dependent.as_str()) {
                dependents.push(&one.dependent);
            }
        }
        let entry = |dependent: &&str| {
            let own = self.exception.iter().filter(|one| one.dependent == **dependent);
            let peers: Vec<String> =
                own.map(|one| format!("\"{}\": \"{}\"", one.peer, one.value)).collect();
            format!("\"{dependent}\": {{ {} }}", peers.join(", "))
        };
        let entries: Vec<String> = dependents.iter().map(entry).collect();
        let entries = (!entries.is_empty()).then(|| entries.join(", "))?;
        Some(format!("\"overrides\": {{ {entries} }} in package.json"))
    }

    fn last_line(&self, ending: Ending) -> String {
        let done = match (ending, &self.statement) {
            (Ending::Installed, Statement::Endless { .. }) => {
                "Installed as npm --legacy-peer-deps would. "
            }
            (Ending::Installed, _) if self.is_refused_by_npm => {
                "Installed as npm --force would; npm ci refuses this lockfile. "
            }
            (Ending::Installed, _) => "Installed as npm --force would. ",
            (Ending::Listed, _) if self.is_refused_by_npm => "npm ci refuses this lockfile. ",
            (Ending::Listed | Ending::Refused, _) => "",
        };
        format!("{done}More: docs/peer-conflicts.md")
    }
}

impl Fact {
    fn in_words(&self, place: &str) -> String {
        let Fact { package, range, needs, is_added, .. } = self;
        let mut text = match range {
            Some(range) if *is_added && range == "*" => format!("you are adding {package}"),
            Some(range) if *is_added => format!("you are adding {package}@{}", cut(range)),
            Some(range) => format!("{place} asks for {package} {}", cut(range)),
            None => format!("{package} is there as a peer"),
        };
        if let Some(need) = needs {
            let verb = if need.is_optional { "accepts" } else { "needs" };
            let _ = write!(text, "; {} {verb} {}", need.versions, need.peer);
            let only = if need.is_optional { " only as" } else { "" };
            let _ = write!(text, "{only} {}", cut(&need.range));
            if let Some(note) = &need.note {
                let _ = write!(text, " ({note})");
            }
        }
        text
    }
}

fn cut(range: &str) -> String {
    match range.char_indices().nth(LONGEST_RANGE) {
        Some((end, _)) => format!("{}…", &range[..end]),
        None => range.to_owned(),
    }
}

fn named(party: &Party) -> String {
    match &party.version {
        Some(version) => format!("{} {version}", party.name),
        None => party.name.clone(),
    }
}

/// Returns names joined with commas and `and`.
fn listed(names: &[String]) -> String {
    match names.split_last() {
        None => String::new(),
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
    }
}

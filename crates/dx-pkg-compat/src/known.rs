//! Every field of a `package.json` and every setting of npm, pnpm, Yarn and Bun that is known, and
//! what dx does with each.
//!
//! One row per name, in one table per place. The warning about what is not carried out, the notice
//! of a misspelt field, `docs/package-json.md` and `docs/peer-settings.md` follow from the tables.
//! Holds no behaviour: whoever carries a field out changes its row. npm's settings that dx reads
//! have a table of their own, [`crate::npmrc::OPTIONS`].

mod bun;
mod npm;
mod package_json;
mod pnpm;
mod pnpm_idle;
mod yarn;

#[cfg(test)]
mod tests;

pub use bun::BUNFIG;
pub use npm::NPMRC;
pub use package_json::PACKAGE_JSON;
pub use yarn::YARNRC;

/// A field or a setting.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    /// Its name where it stands; a field inside another has a dot between the two.
    pub key: &'static str,
    /// Who reads it.
    pub of: Readers,
    /// What dx does with it.
    pub treatment: Treatment,
    /// What it is for, as the end of a sentence.
    pub purpose: &'static str,
    /// Whether it counts in the manifest of the project only, not in those of its workspaces.
    pub in_root_only: bool,
}

/// What dx does with a field or a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Treatment {
    /// Obeys it.
    Read,
    /// Installs without it, and says so in one warning, with the consequence.
    Named(Effect),
    /// Stops with an error, for the reason that the sentence has.
    Refused(&'static str),
    /// Passes it over: it changes nothing about an install.
    Idle,
}

/// The consequence of a field that is not carried out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Effect {
    /// Scripts are allowed by another field.
    Scripts,
    /// Manifests of dependencies are taken as published.
    Manifests,
    /// Requirements that name a catalog cannot be met.
    Catalogs,
    /// `node_modules` looks otherwise.
    Layout,
    /// Workspaces are not copied.
    Linked,
    /// The field stands in the manifest of a workspace.
    ProjectOnly,
    /// Another one.
    Other,
}

impl Effect {
    /// Every effect, in the order in which a warning names them.
    pub const ALL: [Self; 7] = [
        Self::Scripts,
        Self::Manifests,
        Self::Catalogs,
        Self::Layout,
        Self::Linked,
        Self::ProjectOnly,
        Self::Other,
    ];

    /// Returns the consequence in words; none of [`Effect::Other`].
    #[must_use]
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Scripts => "name the packages in allowScripts instead",
            Self::Manifests => "packages are taken as published",
            Self::Catalogs => "write a version instead of each catalog: requirement",
            Self::Layout => "node_modules is laid out as npm does",
            Self::Linked => "workspaces are linked, not copied",
            Self::ProjectOnly => "it counts in the project's own package.json only",
            Self::Other => "",
        }
    }
}

/// The programs that read a field or a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Readers(u8);

const NPM: Readers = Readers(1);
const PNPM: Readers = Readers(2);
const YARN: Readers = Readers(4);
const BUN: Readers = Readers(8);
const TOOLS: Readers = Readers(16);
const DX: Readers = Readers(32);
const ALL: Readers = NPM.and(PNPM).and(YARN).and(BUN);

impl Readers {
    const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Returns their names, joined by commas.
    #[must_use]
    pub fn in_words(self) -> String {
        if self == ALL {
            return "all".to_owned();
        }
        let tools = [(BUN, "Bun"), (TOOLS, "tools"), (DX, "dx")];
        let names = [(NPM, "npm"), (PNPM, "pnpm"), (YARN, "Yarn")].into_iter().chain(tools);
        let named = names.filter(|(reader, _)| self.0 & reader.0 != 0);
        named.map(|(_, name)| name).collect::<Vec<_>>().join(", ")
    }
}

/// The reason why settings that name code are refused.
const CODE: &str = "code of the project's can change what is installed, and dx does not run it";

/// A row of a field or setting that dx obeys.
const fn read(key: &'static str, of: Readers, purpose: &'static str) -> Known {
    Known { key, of, treatment: Treatment::Read, purpose, in_root_only: false }
}

/// A row of one that a warning names.
const fn named(key: &'static str, of: Readers, effect: Effect, purpose: &'static str) -> Known {
    Known { key, of, treatment: Treatment::Named(effect), purpose, in_root_only: false }
}

/// A row of one that is an error, with the reason.
const fn refused(
    key: &'static str,
    of: Readers,
    reason: &'static str,
    purpose: &'static str,
) -> Known {
    Known { key, of, treatment: Treatment::Refused(reason), purpose, in_root_only: false }
}

/// A row of one that changes nothing about an install.
const fn idle(key: &'static str, of: Readers, purpose: &'static str) -> Known {
    Known { key, of, treatment: Treatment::Idle, purpose, in_root_only: false }
}

impl Known {
    const fn in_root_only(self) -> Self {
        Self { in_root_only: true, ..self }
    }

    /// Returns the row of a name in a table, which is sorted by its names.
    #[must_use]
    pub fn find(table: &'static [Known], key: &str) -> Option<&'static Known> {
        table.binary_search_by(|row| row.key.cmp(key)).ok().map(|place| &table[place])
    }

    /// Returns the row of a setting of pnpm's, by its name in `pnpm-workspace.yaml` and in the
    /// field `pnpm` of a manifest; an `.npmrc` has it with `-` before small letters.
    #[must_use]
    pub fn of_pnpm(key: &str) -> Option<&'static Known> {
        Known::find(pnpm::SETTINGS, key).or_else(|| Known::find(pnpm_idle::SETTINGS, key))
    }

    /// Returns every setting of pnpm's, sorted by name.
    #[must_use]
    pub fn all_of_pnpm() -> Vec<&'static Known> {
        let mut all: Vec<_> = pnpm::SETTINGS.iter().chain(pnpm_idle::SETTINGS).collect();
        all.sort_unstable_by_key(|row| row.key);
        all
    }
}

//! The command lines of npm, npx, pnpm and Yarn as dx's own: called by one of these names, dx
//! speaks that tool's language, and names what it cannot say in it.

use std::ffi::OsString;
use std::path::Path;

mod npx;
mod pnpm;
#[cfg(test)]
mod tests;
mod yarn;

/// The tool whose name dx was called by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Face {
    /// npm.
    Npm,
    /// npx: a command of a package, the project's own first.
    Npx,
    /// pnpm.
    Pnpm,
    /// pnpx: a command of a package that is fetched for it.
    Pnpx,
    /// Yarn, of any generation.
    Yarn,
}

/// A command line in dx's words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Translation {
    /// The words, the program first.
    pub words: Vec<OsString>,
    /// Whether the command is for the project although it is called in a workspace.
    pub at_root: bool,
    /// What is to be said about words that have no meaning for dx.
    pub notes: Vec<String>,
}

/// What a tool does and dx does not.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("dx cannot do what `{words}` does: {instead}")]
pub struct NotSpoken {
    /// The words.
    pub words: String,
    /// What to do instead.
    pub instead: &'static str,
}

impl Face {
    /// The tools, each with its names and the version that it is asked for by scripts: the one that
    /// dx is compared with.
    pub const ALL: [Self; 5] = [Self::Npm, Self::Npx, Self::Pnpm, Self::Pnpx, Self::Yarn];

    /// Returns the face of the name that a program was called by.
    #[must_use]
    pub fn of(program: &Path) -> Option<Self> {
        let name = program.file_stem()?.to_str()?;
        Self::ALL.into_iter().find(|face| face.name() == name || face.other_name() == Some(name))
    }

    /// Returns the tool's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Npm => "npm",
            Self::Npx => "npx",
            Self::Pnpm => "pnpm",
            Self::Pnpx => "pnpx",
            Self::Yarn => "yarn",
        }
    }

    const fn other_name(self) -> Option<&'static str> {
        match self {
            Self::Yarn => Some("yarnpkg"),
            _ => None,
        }
    }

    /// Returns the version that the tool is asked for by scripts: the one that dx keeps to.
    #[must_use]
    pub const fn version(self) -> &'static str {
        match self {
            Self::Npm | Self::Npx => "12.2.2",
            Self::Pnpm | Self::Pnpx => "12.21.0",
            Self::Yarn => "1.22.22",
        }
    }

    /// Returns whether words only ask the tool for its version.
    #[must_use]
    pub fn asks_version(self, words: &[OsString]) -> bool {
        words.len() == 2 && (words[1] == "-v" || words[1] == "--version")
    }

    /// Returns a command line in dx's words; the first word is the program.
    ///
    /// # Errors
    /// The tool does something by it that dx does not do.
    pub fn translate(self, words: Vec<OsString>) -> Result<Translation, NotSpoken> {
        let texts: Option<Vec<String>> =
            words.iter().map(|word| word.to_str().map(str::to_owned)).collect();
        // Words that are no text are nobody's flags.
        let Some(texts) = texts.filter(|_| self != Self::Npm) else {
            return Ok(Translation { words, ..Translation::default() });
        };
        let (program, rest) = texts
            .split_first()
            .map_or((self.name(), &[][..]), |(first, rest)| (first.as_str(), rest));
        let mut told = match self {
            Self::Npx => npx::translate(rest, "exec"),
            Self::Pnpx => npx::translate(rest, "dlx"),
            Self::Pnpm => pnpm::translate(rest)?,
            Self::Yarn => yarn::translate(rest)?,
            Self::Npm => Told::default(),
        };
        told.words.insert(0, program.to_owned());
        Ok(Translation {
            words: told.words.into_iter().map(OsString::from).collect(),
            at_root: told.at_root,
            notes: told.notes,
        })
    }
}

/// A command line in dx's words, without the program.
#[derive(Default)]
struct Told {
    words: Vec<String>,
    at_root: bool,
    notes: Vec<String>,
}

impl Told {
    fn push(&mut self, word: impl Into<String>) {
        self.words.push(word.into());
    }

    fn note(&mut self, word: &str, meaning: &str) {
        self.notes.push(format!("{word} has no meaning for dx: {meaning}"));
    }
}

fn not_spoken(words: &str, instead: &'static str) -> NotSpoken {
    NotSpoken { words: words.to_owned(), instead }
}

/// Words that are read one after the other; a flag may have its value in itself or behind it.
struct Reader<'w> {
    words: &'w [String],
    at: usize,
}

impl<'w> Reader<'w> {
    fn new(words: &'w [String]) -> Self {
        Reader { words, at: 0 }
    }

    fn next(&mut self) -> Option<&'w str> {
        let word = self.words.get(self.at)?;
        self.at += 1;
        Some(word)
    }

    /// Returns the value of the flag that was read last.
    fn value(&mut self, flag: &'w str) -> &'w str {
        match flag.split_once('=') {
            Some((_, value)) => value,
            None => self.next().unwrap_or_default(),
        }
    }

    /// Returns the words that are left.
    fn rest(&mut self) -> &'w [String] {
        let rest = &self.words[self.at..];
        self.at = self.words.len();
        rest
    }
}

/// Returns the name of a flag, without its value.
fn name_of(flag: &str) -> &str {
    flag.split_once('=').map_or(flag, |(name, _)| name)
}
